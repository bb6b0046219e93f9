//! Baselines, books and hours.

use super::errors::store_error;
use super::item::{self, Item};
use super::keys;
use super::table::{Range, Sort, Table};
use async_trait::async_trait;
use domain::ids::{ClusterId, CustomerId};
use domain::ports::{Ledger, StoreError};
use domain::savings::{Baseline, Books, Hour};
use domain::{SignedDuration, Timestamp};

/// How long hours are kept: a year and the month in which it is compared, in days.
const HOURS_DAYS: i64 = 400;

#[async_trait]
impl Ledger for Table {
    async fn freeze(&self, baseline: &Baseline) -> Result<Baseline, StoreError> {
        let item = item::item(keys::baseline(&baseline.customer, &baseline.cluster), "baseline", baseline)?;
        if self.put_where_free(item).await? {
            return Ok(baseline.clone());
        }
        let there = Ledger::baseline(self, &baseline.customer, &baseline.cluster).await?;
        there.ok_or(StoreError::Throttled)
    }

    async fn baseline(&self, customer: &CustomerId, cluster: &ClusterId) -> Result<Option<Baseline>, StoreError> {
        self.get(keys::baseline(customer, cluster)).await?.map(|item| item::body(&item)).transpose()
    }

    async fn books(&self, customer: &CustomerId, cluster: &ClusterId) -> Result<Books, StoreError> {
        let item = self.get(keys::books(customer, cluster)).await?;
        let books = item.map(|item| item::body(&item)).transpose()?;
        Ok(books.unwrap_or_else(|| Books::new(customer.clone(), cluster.clone())))
    }

    async fn close(&self, hour: &Hour) -> Result<bool, StoreError> {
        let mut item = item::item(keys::hour(&hour.customer, &hour.cluster, hour.begins), "hour", hour)?;
        item::expire(&mut item, item::days_after(hour.begins, HOURS_DAYS));
        self.put_where_free(item).await
    }

    async fn hours(&self, customer: &CustomerId, cluster: &ClusterId, from: Timestamp, limit: usize) -> Result<Vec<Hour>, StoreError> {
        let before = from.checked_sub(SignedDuration::from_nanos(1)).unwrap_or(from);
        let sort = Sort::After(keys::hour(customer, cluster, before).sk);
        self.range(Range::table(keys::ledger(customer, cluster)).sort(sort), limit, item::body).await
    }
}

impl Table {
    /// Writes one item where its key is free; says whether it did.
    async fn put_where_free(&self, item: Item) -> Result<bool, StoreError> {
        let put = self.client.put_item().table_name(&self.name).set_item(Some(item)).condition_expression("attribute_not_exists(pk)");
        match put.send().await {
            Ok(_) => Ok(true),
            Err(error) => match store_error(&error) {
                StoreError::Conflict => Ok(false),
                other @ (StoreError::Ambiguous(_) | StoreError::Throttled | StoreError::Corrupt(_) | StoreError::Refused(_)) => Err(other),
            },
        }
    }
}
