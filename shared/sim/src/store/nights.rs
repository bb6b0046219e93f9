//! What sleeps.

use super::MemoryStore;
use async_trait::async_trait;
use domain::ids::{ClusterId, CustomerId};
use domain::office_hours::Asleep;
use domain::ports::{Nights, StoreError};
use domain::workload::ScaleRef;

#[async_trait]
impl Nights for MemoryStore {
    async fn asleep(&self, customer: &CustomerId, cluster: &ClusterId) -> Result<Vec<Asleep>, StoreError> {
        let state = self.lock();
        let of = |row: &&Asleep| row.customer == *customer && row.cluster == *cluster;
        let mut rows: Vec<Asleep> = state.asleep.values().filter(of).cloned().collect();
        // As the table orders them: by the words of their keys.
        rows.sort_by_key(|row| (row.target.kind.resource(), row.target.namespace.clone(), row.target.name.clone()));
        Ok(rows)
    }

    async fn put_asleep(&self, row: &Asleep) -> Result<(), StoreError> {
        let key = (row.customer.clone(), row.cluster.clone(), row.target.clone());
        self.lock().asleep.insert(key, row.clone());
        Ok(())
    }

    async fn remove_asleep(&self, customer: &CustomerId, cluster: &ClusterId, target: &ScaleRef) -> Result<(), StoreError> {
        self.lock().asleep.remove(&(customer.clone(), cluster.clone(), target.clone()));
        Ok(())
    }
}
