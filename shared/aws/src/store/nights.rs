//! What sleeps.

use super::item;
use super::keys;
use super::table::{Range, Table};
use async_trait::async_trait;
use domain::ids::{ClusterId, CustomerId};
use domain::office_hours::Asleep;
use domain::ports::{Nights, StoreError};
use domain::workload::ScaleRef;

#[async_trait]
impl Nights for Table {
    async fn asleep(&self, customer: &CustomerId, cluster: &ClusterId) -> Result<Vec<Asleep>, StoreError> {
        self.range(Range::table(keys::asleep(customer, cluster)), usize::MAX, item::body).await
    }

    async fn put_asleep(&self, row: &Asleep) -> Result<(), StoreError> {
        self.put(item::item(keys::asleep_one(&row.customer, &row.cluster, &row.target), "asleep", row)?).await
    }

    async fn remove_asleep(&self, customer: &CustomerId, cluster: &ClusterId, target: &ScaleRef) -> Result<(), StoreError> {
        self.delete(keys::asleep_one(customer, cluster, target)).await
    }
}
