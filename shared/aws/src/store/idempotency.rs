//! Keys that make a repeated POST harmless.

use super::errors::{Written, store_error};
use super::item::{self, Item, n, s};
use super::keys::{self, EXPIRES_AT};
use super::schema::incomplete;
use super::table::Table;
use async_trait::async_trait;
use aws_sdk_dynamodb::types::Put;
use domain::ids::CustomerId;
use domain::ports::{Idempotency, IdempotencyState, StoreError};
use domain::{SignedDuration, Timestamp};

/// How long an unfinished claim holds: longer than any request, so that only a crash leaves it behind.
const CLAIM: SignedDuration = SignedDuration::from_secs(60);
/// How long an answer is kept.
const ANSWER: SignedDuration = SignedDuration::from_hours(24);

/// Until when the key is taken, as a text that orders as the instants do.
const TAKEN_UNTIL: &str = "taken_until";
const FINGERPRINT: &str = "fingerprint";
/// The answer's status; absent while the request is under way.
const STATUS: &str = "status";
const ANSWERED: &str = "answer";

#[async_trait]
impl Idempotency for Table {
    async fn begin(&self, customer: &CustomerId, key: &str, fingerprint: &str, now: Timestamp) -> Result<IdempotencyState, StoreError> {
        let at = keys::idempotency(customer, key);
        let mut item = item::key_attributes(at.clone());
        item.insert(FINGERPRINT.to_owned(), s(fingerprint));
        item.insert(TAKEN_UNTIL.to_owned(), s(keys::instant(later(now, CLAIM))));
        item.insert(EXPIRES_AT.to_owned(), n(later(now, ANSWER).as_second()));
        let put = Put::builder()
            .table_name(&self.name)
            .set_item(Some(item))
            .condition_expression("attribute_not_exists(pk) OR #until <= :now")
            .expression_attribute_names("#until", TAKEN_UNTIL)
            .expression_attribute_values(":now", s(keys::instant(now)));
        let there = match self.put_alone(put.build().map_err(incomplete)?).await? {
            Written::Yes => return Ok(IdempotencyState::New),
            Written::Lost(there) => there,
            Written::Busy => return Err(StoreError::Throttled),
        };
        let there = match there {
            Some(item) => Some(item),
            None => self.get(at).await?,
        };
        // Gone between the two calls: its owner has released it, and the caller may come again.
        let there = there.ok_or(StoreError::Throttled)?;
        state(&there, fingerprint)
    }

    async fn finish(&self, customer: &CustomerId, key: &str, status: u16, body: &str, now: Timestamp) -> Result<(), StoreError> {
        let until = later(now, ANSWER);
        let update = self
            .client
            .update_item()
            .table_name(&self.name)
            .set_key(Some(item::key_attributes(keys::idempotency(customer, key))))
            // The first answer stays: the caller of it may have seen it already.
            .condition_expression("attribute_exists(#print) AND attribute_not_exists(#status)")
            .update_expression("SET #status = :status, #answer = :answer, #until = :until, #expires = :expires")
            .expression_attribute_names("#print", FINGERPRINT)
            .expression_attribute_names("#status", STATUS)
            .expression_attribute_names("#answer", ANSWERED)
            .expression_attribute_names("#until", TAKEN_UNTIL)
            .expression_attribute_names("#expires", EXPIRES_AT)
            .expression_attribute_values(":status", n(status))
            .expression_attribute_values(":answer", s(body))
            .expression_attribute_values(":until", s(keys::instant(until)))
            .expression_attribute_values(":expires", n(until.as_second()))
            .send()
            .await;
        match update {
            Ok(_) => Ok(()),
            Err(error) => match store_error(&error) {
                StoreError::Conflict => match self.get(keys::idempotency(customer, key)).await? {
                    Some(_) => Ok(()),
                    None => Err(StoreError::Conflict),
                },
                other @ (StoreError::Ambiguous(_) | StoreError::Throttled | StoreError::Corrupt(_) | StoreError::Refused(_)) => Err(other),
            },
        }
    }

    async fn release(&self, customer: &CustomerId, key: &str) -> Result<(), StoreError> {
        let delete = self
            .client
            .delete_item()
            .table_name(&self.name)
            .set_key(Some(item::key_attributes(keys::idempotency(customer, key))))
            // An answer is never let go.
            .condition_expression("attribute_not_exists(#status)")
            .expression_attribute_names("#status", STATUS)
            .send()
            .await;
        match delete {
            Ok(_) => Ok(()),
            Err(error) => match store_error(&error) {
                StoreError::Conflict => Ok(()),
                other @ (StoreError::Ambiguous(_) | StoreError::Throttled | StoreError::Corrupt(_) | StoreError::Refused(_)) => Err(other),
            },
        }
    }
}

fn state(item: &Item, fingerprint: &str) -> Result<IdempotencyState, StoreError> {
    if item::text(item, FINGERPRINT)? != fingerprint {
        return Ok(IdempotencyState::Mismatch);
    }
    if !item.contains_key(STATUS) {
        return Ok(IdempotencyState::InFlight);
    }
    Ok(IdempotencyState::Done(item::number(item, STATUS)?, item::text(item, ANSWERED)?.to_owned()))
}

fn later(now: Timestamp, by: SignedDuration) -> Timestamp {
    now.saturating_add(by).unwrap_or(now)
}
