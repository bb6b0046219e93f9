//! The trail of requests and actions, and the counters of use.

use super::item::{self, Item, n};
use super::keys;
use super::registry::page;
use super::table::{Range, Sort, Table};
use async_trait::async_trait;
use aws_sdk_dynamodb::types::ReturnValue;
use domain::audit::{AuditRow, Request};
use domain::ids::CustomerId;
use domain::ports::{Page, Quotas, StoreError, Trail};
use domain::{SignedDuration, Timestamp};
use serde::de::DeserializeOwned;

/// A year and the month in which auditors ask for it.
const KEPT_DAYS: i64 = 396;
/// How long a window of use is kept; it is of no use to anybody once it is over.
const WINDOW_KEPT: SignedDuration = SignedDuration::from_hours(1);
/// How much of a window was used.
const USED: &str = "used";

#[async_trait]
impl Trail for Table {
    async fn note(&self, request: &Request) -> Result<(), StoreError> {
        let mut written = item::item(keys::request(&request.customer, request.at, &request.id), "request", request)?;
        item::expire(&mut written, item::days_after(request.at, KEPT_DAYS));
        self.put(written).await
    }

    async fn requests(&self, customer: &CustomerId, before: Option<&str>, limit: usize) -> Result<Page<Request>, StoreError> {
        self.newest(Range::table(keys::requests(customer)), keys::SK, before, limit).await
    }

    async fn actions(&self, customer: &CustomerId, before: Option<&str>, limit: usize) -> Result<Page<AuditRow>, StoreError> {
        self.newest(Range::index(keys::actions(customer)), keys::GSI1SK, before, limit).await
    }
}

impl Table {
    async fn newest<T>(&self, range: Range, place: &'static str, before: Option<&str>, limit: usize) -> Result<Page<T>, StoreError>
    where
        T: DeserializeOwned + Send,
    {
        let sort = match before {
            None | Some("") => Sort::All,
            Some(before) => Sort::Before(before.to_owned()),
        };
        let parse = |item: &Item| Ok((item::text(item, place)?.to_owned(), item::body::<T>(item)?));
        let read = self.range(range.descending().sort(sort), limit.max(1).saturating_add(1), parse).await?;
        let Page { items, next } = page(read, limit, |(place, _)| place.clone());
        Ok(Page { items: items.into_iter().map(|(_, one)| one).collect(), next })
    }
}

#[async_trait]
impl Quotas for Table {
    async fn take(&self, customer: &CustomerId, key: &str, window: Timestamp, count: u64) -> Result<u64, StoreError> {
        let answer = self
            .client
            .update_item()
            .table_name(&self.name)
            .set_key(Some(item::key_attributes(keys::quota(customer, key, window))))
            .update_expression("SET #gone = :gone ADD #used :count")
            .expression_attribute_names("#gone", keys::EXPIRES_AT)
            .expression_attribute_names("#used", USED)
            .expression_attribute_values(":gone", n(window.saturating_add(WINDOW_KEPT).unwrap_or(window).as_second()))
            .expression_attribute_values(":count", n(count))
            .return_values(ReturnValue::UpdatedNew)
            .send()
            .await
            .map_err(|error| super::errors::store_error(&error))?;
        item::number(&answer.attributes.unwrap_or_default(), USED)
    }
}
