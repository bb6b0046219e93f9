//! Baselines, books and hours.

use super::errors::Written;
use super::item::{self, Item, n, s};
use super::keys;
use super::schema::incomplete;
use super::table::{Range, Sort, Table};
use async_trait::async_trait;
use aws_sdk_dynamodb::types::{TransactWriteItem, Update};
use domain::ids::{ClusterId, CustomerId};
use domain::money::MicroDollars;
use domain::ports::{Ledger, StoreError};
use domain::savings::{Baseline, Books, Hour, Metered, Month};
use domain::{SignedDuration, Timestamp};

/// How long hours are kept: a year and the month in which it is compared, in days.
const HOURS_DAYS: i64 = 400;

#[async_trait]
impl Ledger for Table {
    async fn freeze(&self, baseline: &Baseline) -> Result<Baseline, StoreError> {
        let item = item::item(keys::baseline(&baseline.customer, &baseline.cluster), "baseline", baseline)?;
        match self.transact(vec![item::put_if_free(&self.name, item)?]).await? {
            Written::Yes => return Ok(baseline.clone()),
            Written::Lost(_) => {}
            Written::Busy => return Err(StoreError::Throttled),
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
        // Both or none: what is billed is the sum of the hours, however often one is sent.
        match self.transact(vec![item::put_if_free(&self.name, item)?, metering(&self.name, hour)?]).await? {
            Written::Yes => Ok(true),
            Written::Lost(_) => Ok(false),
            // Another hour of the same cluster is being closed right now.
            Written::Busy => Err(StoreError::Throttled),
        }
    }

    async fn metered(&self, customer: &CustomerId, month: Month) -> Result<Vec<Metered>, StoreError> {
        self.range(Range::table(keys::metered(customer, month)), usize::MAX, metered).await
    }

    async fn hours(&self, customer: &CustomerId, cluster: &ClusterId, from: Timestamp, limit: usize) -> Result<Vec<Hour>, StoreError> {
        let before = from.checked_sub(SignedDuration::from_nanos(1)).unwrap_or(from);
        let sort = Sort::After(keys::hour(customer, cluster, before).sk);
        self.range(Range::table(keys::ledger(customer, cluster)).sort(sort), limit, item::body).await
    }
}

/// Counters of a month.
const COUNTERS: [&str; 5] = ["hours", "vcpu_hours", "cost", "expected_cost", "saved"];

/// Adds an hour to its month.
fn metering(table: &str, hour: &Hour) -> Result<TransactWriteItem, StoreError> {
    let mut one = Metered::new(hour.cluster.clone());
    one.add(hour);
    let Metered { cluster_id: _, hours, vcpu_hours, cost, expected_cost, saved } = one;
    let values = [n(hours), n(vcpu_hours), n(cost.0), n(expected_cost.0), n(saved.0)];
    let mut update = Update::builder()
        .table_name(table)
        .set_key(Some(item::key_attributes(keys::metered_cluster(&hour.customer, Month::of(hour.begins), &hour.cluster))))
        .update_expression("SET #kind = :kind ADD #c0 :c0, #c1 :c1, #c2 :c2, #c3 :c3, #c4 :c4")
        .expression_attribute_names("#kind", "kind")
        .expression_attribute_values(":kind", s("month"));
    for (number, (name, value)) in COUNTERS.into_iter().zip(values).enumerate() {
        update = update.expression_attribute_names(format!("#c{number}"), name).expression_attribute_values(format!(":c{number}"), value);
    }
    Ok(TransactWriteItem::builder().update(update.build().map_err(incomplete)?).build())
}

fn metered(item: &Item) -> Result<Metered, StoreError> {
    let cluster_id = ClusterId::parse(item::text(item, keys::SK)?).map_err(|_| item::corrupt(item, "it names no cluster"))?;
    let [hours, vcpu_hours, cost, expected_cost, saved] = COUNTERS;
    let money = |name| item::number(item, name).map(MicroDollars);
    Ok(Metered {
        cluster_id,
        hours: item::number(item, hours)?,
        vcpu_hours: item::number(item, vcpu_hours)?,
        cost: money(cost)?,
        expected_cost: money(expected_cost)?,
        saved: money(saved)?,
    })
}
