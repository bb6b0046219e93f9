//! What is remembered of containers, as bytes, as the table has it.

use super::MemoryStore;
use async_trait::async_trait;
use domain::ids::{ClusterId, CustomerId};
use domain::ports::{StoreError, Usages};
use domain::usage::{ContainerRef, Usage};
use std::collections::BTreeMap;

/// By customer, cluster and container.
pub(super) type Used = BTreeMap<(CustomerId, ClusterId, ContainerRef), Vec<u8>>;

#[async_trait]
impl Usages for MemoryStore {
    async fn usages(&self, customer: &CustomerId, cluster: &ClusterId) -> Result<Vec<(ContainerRef, Usage)>, StoreError> {
        let state = self.lock();
        let theirs = state.usages.iter().filter(|((c, k, _), _)| c == customer && k == cluster);
        Ok(theirs.filter_map(|((_, _, of), bytes)| Some((of.clone(), Usage::decode(bytes).ok()?))).collect())
    }

    async fn put_usages(&self, customer: &CustomerId, cluster: &ClusterId, items: &[(ContainerRef, Usage)]) -> Result<(), StoreError> {
        let used = &mut self.lock().usages;
        for (of, usage) in items {
            used.insert((customer.clone(), cluster.clone(), of.clone()), usage.encode());
        }
        Ok(())
    }
}
