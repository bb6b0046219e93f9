//! Faulty twins of what the scheduled jobs write and tell.

use super::Gate;
use super::store::store;
use async_trait::async_trait;
use domain::finding::{Finding, FindingKind};
use domain::ids::{ClusterId, CustomerId, FindingId};
use domain::ports::{Findings, Notice, Notices, Page, QueueError, StoreError};
use std::sync::Arc;

/// Findings behind the gate.
pub struct FaultyFindings {
    inner: Arc<dyn Findings>,
    gate: Arc<Gate>,
}

impl FaultyFindings {
    /// Puts Findings behind the gate.
    pub fn new(inner: Arc<dyn Findings>, gate: Arc<Gate>) -> Arc<Self> {
        Arc::new(Self { inner, gate })
    }
}

#[async_trait]
impl Findings for FaultyFindings {
    async fn put_finding(&self, finding: &Finding) -> Result<(), StoreError> {
        self.gate.pass("findings.put_finding", self.inner.put_finding(finding), store).await
    }
    async fn finding(&self, customer: &CustomerId, cluster: &ClusterId, id: &FindingId) -> Result<Option<Finding>, StoreError> {
        self.gate.pass("findings.finding", self.inner.finding(customer, cluster, id), store).await
    }
    async fn findings_of(&self, customer: &CustomerId, cluster: &ClusterId, kind: Option<FindingKind>) -> Result<Vec<Finding>, StoreError> {
        self.gate.pass("findings.findings_of", self.inner.findings_of(customer, cluster, kind), store).await
    }
    async fn findings(&self, customer: &CustomerId, after: Option<&str>, limit: usize) -> Result<Page<Finding>, StoreError> {
        self.gate.pass("findings.findings", self.inner.findings(customer, after, limit), store).await
    }
}

/// The notifier's queue behind the gate.
pub struct FaultyNotices {
    inner: Arc<dyn Notices>,
    gate: Arc<Gate>,
}

impl FaultyNotices {
    /// Puts the queue behind the gate.
    pub fn new(inner: Arc<dyn Notices>, gate: Arc<Gate>) -> Arc<Self> {
        Arc::new(Self { inner, gate })
    }
}

#[async_trait]
impl Notices for FaultyNotices {
    async fn tell(&self, notice: &Notice) -> Result<(), QueueError> {
        self.gate.pass("notices.tell", self.inner.tell(notice), |_| QueueError("injected".to_owned())).await
    }
}
