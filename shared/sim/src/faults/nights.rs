//! A faulty twin of the port of what sleeps.

use super::Gate;
use super::store::store;
use async_trait::async_trait;
use domain::ids::{ClusterId, CustomerId};
use domain::office_hours::Asleep;
use domain::ports::{Nights, StoreError};
use domain::workload::ScaleRef;
use std::sync::Arc;

/// Nights behind the gate.
pub struct FaultyNights {
    inner: Arc<dyn Nights>,
    gate: Arc<Gate>,
}

impl FaultyNights {
    /// Puts Nights behind the gate.
    pub fn new(inner: Arc<dyn Nights>, gate: Arc<Gate>) -> Arc<Self> {
        Arc::new(Self { inner, gate })
    }
}

#[async_trait]
impl Nights for FaultyNights {
    async fn asleep(&self, customer: &CustomerId, cluster: &ClusterId) -> Result<Vec<Asleep>, StoreError> {
        self.gate.pass("nights.asleep", self.inner.asleep(customer, cluster), store).await
    }
    async fn put_asleep(&self, row: &Asleep) -> Result<(), StoreError> {
        self.gate.pass("nights.put_asleep", self.inner.put_asleep(row), store).await
    }
    async fn remove_asleep(&self, customer: &CustomerId, cluster: &ClusterId, target: &ScaleRef) -> Result<(), StoreError> {
        self.gate.pass("nights.remove_asleep", self.inner.remove_asleep(customer, cluster, target), store).await
    }
}
