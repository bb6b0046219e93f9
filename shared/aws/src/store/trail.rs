//! The trail of requests and actions, and the counters of use.

use super::item::{self, Item, n};
use super::journal::readable;
use super::keys;
use super::registry::page;
use super::table::{Range, Sort, Table};
use async_trait::async_trait;
use aws_sdk_dynamodb::types::ReturnValue;
use domain::audit::{AuditRow, Request};
use domain::ids::CustomerId;
use domain::operation::Operation;
use domain::plan::{PlanKey, PlanRecord};
use domain::ports::{Page, Quotas, StoreError, Trail};
use domain::{SignedDuration, Timestamp};
use serde::de::DeserializeOwned;
use std::collections::BTreeMap;

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

    async fn plans(&self, customer: &CustomerId, before: Option<&str>, limit: usize) -> Result<Page<PlanRecord>, StoreError> {
        let named = |item: &Item| {
            let plan = keys::parse_listed_plan(customer, item::text(item, keys::SK)?);
            plan.ok_or_else(|| item::corrupt(item, "it names no plan"))
        };
        let Page { items, next } = self.newest_of(Range::table(keys::listed_plans(customer)), keys::SK, before, limit, named).await?;
        let mut records = self.records(&items).await?;
        Ok(Page { items: items.iter().filter_map(|key| records.remove(key)).collect(), next })
    }

    async fn operations(
        &self,
        customer: &CustomerId,
        before: Option<&str>,
        limit: usize,
    ) -> Result<Page<(Operation, PlanRecord)>, StoreError> {
        let range = Range::index(keys::operations(customer));
        let Page { items, next }: Page<Operation> = self.newest(range, keys::GSI1SK, before, limit).await?;
        let records = self.records(&items.iter().map(|operation| operation.plan.clone()).collect::<Vec<_>>()).await?;
        let with_plan = |operation: Operation| Some((operation.clone(), records.get(&operation.plan)?.clone()));
        Ok(Page { items: items.into_iter().filter_map(with_plan).collect(), next })
    }
}

impl Table {
    /// Plans by their keys. What is not there any more is left out.
    async fn records(&self, keys: &[PlanKey]) -> Result<BTreeMap<PlanKey, PlanRecord>, StoreError> {
        let items = self.get_many(keys.iter().map(keys::plan).collect()).await?;
        Ok(items.iter().filter_map(readable).map(|record| (record.plan.key.clone(), record)).collect())
    }

    async fn newest<T>(&self, range: Range, place: &'static str, before: Option<&str>, limit: usize) -> Result<Page<T>, StoreError>
    where
        T: DeserializeOwned + Send,
    {
        self.newest_of(range, place, before, limit, item::body::<T>).await
    }

    async fn newest_of<T: Send>(
        &self,
        range: Range,
        place: &'static str,
        before: Option<&str>,
        limit: usize,
        read: impl Fn(&Item) -> Result<T, StoreError> + Send + Sync,
    ) -> Result<Page<T>, StoreError> {
        let sort = match before {
            None | Some("") => Sort::All,
            Some(before) => Sort::Before(before.to_owned()),
        };
        let parse = |item: &Item| Ok((item::text(item, place)?.to_owned(), read(item)?));
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
