//! Memory of pools that had no capacity.

use super::errors::Written;
use super::item::{self, n, s};
use super::keys::{self, EXPIRES_AT};
use super::schema::incomplete;
use super::table::{Range, Table};
use async_trait::async_trait;
use aws_sdk_dynamodb::types::Update;
use domain::Timestamp;
use domain::ids::{AccountId, Region};
use domain::offering::Pool;
use domain::ports::{Pools, StoreError};

/// Until when, as a text that orders as the instants do.
const UNTIL: &str = "until";

#[async_trait]
impl Pools for Table {
    async fn avoid(&self, account: &AccountId, region: &Region, pool: &Pool, until: Timestamp, why: &str) -> Result<(), StoreError> {
        let update = Update::builder()
            .table_name(&self.name)
            .set_key(Some(item::key_attributes(keys::pool(account, region, pool))))
            // A shorter memory, from a slower worker, does not cut a longer one.
            .condition_expression("attribute_not_exists(#until) OR #until < :until")
            .update_expression("SET #body = :body, #why = :why, #until = :until, #expires = :expires")
            .expression_attribute_names("#body", item::BODY)
            .expression_attribute_names("#why", "why")
            .expression_attribute_names("#until", UNTIL)
            .expression_attribute_names("#expires", EXPIRES_AT)
            .expression_attribute_values(":body", s(item::to_json(pool)?))
            .expression_attribute_values(":why", s(why))
            .expression_attribute_values(":until", s(keys::instant(until)))
            .expression_attribute_values(":expires", n(item::days_after(until, 1).as_second()))
            .build()
            .map_err(incomplete)?;
        match self.update(update).await? {
            Written::Yes | Written::Lost(_) => Ok(()),
            Written::Busy => Err(StoreError::Throttled),
        }
    }

    async fn avoided(&self, account: &AccountId, region: &Region, now: Timestamp) -> Result<Vec<Pool>, StoreError> {
        let now = keys::instant(now);
        let all = Range::table(keys::pools(account, region));
        // Items outlive their time by a day or more: TTL only cleans up, the time is compared here.
        let read = self.range(all, usize::MAX, |item| Ok((item::text(item, UNTIL)? > now.as_str(), item::body::<Pool>(item)?))).await?;
        Ok(read.into_iter().filter_map(|(avoided, pool)| avoided.then_some(pool)).collect())
    }
}
