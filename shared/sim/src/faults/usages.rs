//! The faulty twin of what is remembered of containers.

use super::Gate;
use super::store::store;
use async_trait::async_trait;
use domain::Timestamp;
use domain::ids::{ClusterId, CustomerId};
use domain::ports::{StoreError, Usages};
use domain::usage::{ContainerRef, SampledRound, Usage};
use std::sync::Arc;

/// Usages behind the gate.
pub struct FaultyUsages {
    inner: Arc<dyn Usages>,
    gate: Arc<Gate>,
}

impl FaultyUsages {
    /// Puts Usages behind the gate.
    pub fn new(inner: Arc<dyn Usages>, gate: Arc<Gate>) -> Arc<Self> {
        Arc::new(Self { inner, gate })
    }
}

#[async_trait]
impl Usages for FaultyUsages {
    async fn usages(&self, customer: &CustomerId, cluster: &ClusterId) -> Result<Vec<(ContainerRef, Usage)>, StoreError> {
        self.gate.pass("usages.usages", self.inner.usages(customer, cluster), store).await
    }
    async fn put_round(&self, customer: &CustomerId, cluster: &ClusterId, round: &SampledRound) -> Result<(), StoreError> {
        self.gate.pass("usages.put_round", self.inner.put_round(customer, cluster, round), store).await
    }
    async fn rounds(&self, customer: &CustomerId, cluster: &ClusterId, after: Option<Timestamp>) -> Result<Vec<SampledRound>, StoreError> {
        self.gate.pass("usages.rounds", self.inner.rounds(customer, cluster, after), store).await
    }
    async fn judged_at(&self, customer: &CustomerId, cluster: &ClusterId) -> Result<Option<Timestamp>, StoreError> {
        self.gate.pass("usages.judged_at", self.inner.judged_at(customer, cluster), store).await
    }
    async fn put_judged_at(&self, customer: &CustomerId, cluster: &ClusterId, at: Timestamp) -> Result<(), StoreError> {
        self.gate.pass("usages.put_judged_at", self.inner.put_judged_at(customer, cluster, at), store).await
    }
    async fn put_usages(&self, customer: &CustomerId, cluster: &ClusterId, items: &[(ContainerRef, Usage)]) -> Result<(), StoreError> {
        self.gate.pass("usages.put_usages", self.inner.put_usages(customer, cluster, items), store).await
    }
}
