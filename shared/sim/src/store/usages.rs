//! What is remembered of containers, as bytes, as the table has it.

use super::MemoryStore;
use async_trait::async_trait;
use domain::Timestamp;
use domain::ids::{ClusterId, CustomerId};
use domain::ports::{StoreError, Usages};
use domain::usage::{ContainerRef, SampledRound, Usage};
use std::collections::BTreeMap;

/// What is remembered.
#[derive(Debug, Default)]
pub(super) struct Used {
    containers: BTreeMap<(CustomerId, ClusterId, ContainerRef), Vec<u8>>,
    rounds: BTreeMap<(CustomerId, ClusterId, i64), SampledRound>,
    judged: BTreeMap<(CustomerId, ClusterId), Timestamp>,
}

/// For how long a round is kept, in seconds.
const ROUND_KEPT_S: i64 = 86_400;

#[async_trait]
impl Usages for MemoryStore {
    async fn usages(&self, customer: &CustomerId, cluster: &ClusterId) -> Result<Vec<(ContainerRef, Usage)>, StoreError> {
        let state = self.lock();
        let theirs = state.usages.containers.iter().filter(|((c, k, _), _)| c == customer && k == cluster);
        Ok(theirs.filter_map(|((_, _, of), bytes)| Some((of.clone(), Usage::decode(bytes).ok()?))).collect())
    }

    async fn put_usages(&self, customer: &CustomerId, cluster: &ClusterId, items: &[(ContainerRef, Usage)]) -> Result<(), StoreError> {
        let used = &mut self.lock().usages;
        for (of, usage) in items {
            used.containers.insert((customer.clone(), cluster.clone(), of.clone()), usage.encode());
        }
        Ok(())
    }

    async fn put_round(&self, customer: &CustomerId, cluster: &ClusterId, round: &SampledRound) -> Result<(), StoreError> {
        let rounds = &mut self.lock().usages.rounds;
        rounds.retain(|(c, k, at_s), _| c != customer || k != cluster || *at_s > round.at_s - ROUND_KEPT_S);
        rounds.insert((customer.clone(), cluster.clone(), round.at_s), round.clone());
        Ok(())
    }

    async fn rounds(&self, customer: &CustomerId, cluster: &ClusterId, after: Option<Timestamp>) -> Result<Vec<SampledRound>, StoreError> {
        let state = self.lock();
        let theirs = state.usages.rounds.iter().filter(|((c, k, _), _)| c == customer && k == cluster);
        let after_s = after.map_or(i64::MIN, Timestamp::as_second);
        Ok(theirs.filter(|((_, _, at_s), _)| *at_s > after_s).map(|(_, round)| round.clone()).collect())
    }

    async fn judged_at(&self, customer: &CustomerId, cluster: &ClusterId) -> Result<Option<Timestamp>, StoreError> {
        Ok(self.lock().usages.judged.get(&(customer.clone(), cluster.clone())).copied())
    }

    async fn put_judged_at(&self, customer: &CustomerId, cluster: &ClusterId, at: Timestamp) -> Result<(), StoreError> {
        self.lock().usages.judged.insert((customer.clone(), cluster.clone()), at);
        Ok(())
    }
}
