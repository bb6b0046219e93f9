//! The journal: plans, their progress, their audit rows and the spot events they handle.

use super::StoreError;
use crate::audit::AuditRow;
use crate::ids::{ClusterId, CustomerId};
use crate::operation::Operation;
use crate::plan::{Plan, PlanKey, PlanRecord, Progress};
use crate::spot_event::SpotEvent;
use async_trait::async_trait;
use jiff::Timestamp;

/// A plan to begin.
#[derive(Debug, Clone)]
pub struct NewPlan {
    /// The plan.
    pub plan: Plan,
    /// Its progress, with the first intents in it.
    pub progress: Progress,
    /// Audit rows of those intents.
    pub audit: Vec<AuditRow>,
    /// The spot event it handles, if it does.
    pub spot_event: Option<SpotEvent>,
    /// The operation that follows it, if an API call made it.
    pub operation: Option<Operation>,
}

/// Who owns a plan key.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Opened {
    /// This call made it.
    Created,
    /// It was there.
    Exists(Box<PlanRecord>),
}

/// One write of a plan's progress.
#[derive(Debug, Clone)]
pub struct Change {
    /// The progress after; its version is the expected one plus one.
    pub progress: Progress,
    /// Audit rows to put: opened with an intent, or closed with its result.
    pub audit: Vec<AuditRow>,
    /// The spot event as it is now, if this changes it.
    pub spot_event: Option<SpotEvent>,
}

/// The journal. Every write of a plan is one conditional, atomic write.
///
/// # Guarantees
/// A record that was read has all audit rows and the spot event of its version; nothing is half written.
#[async_trait]
pub trait Journal: Send + Sync {
    /// Creates a plan if its key is free; else returns what is there.
    async fn open(&self, new: &NewPlan) -> Result<Opened, StoreError>;
    /// Reads a plan, consistently.
    async fn load(&self, key: &PlanKey) -> Result<Option<PlanRecord>, StoreError>;
    /// Writes progress if the version in the table is `change.progress.version - 1`.
    ///
    /// # Errors
    /// [`StoreError::Conflict`]: another worker wrote. [`StoreError::Ambiguous`]: load and compare.
    async fn record(&self, key: &PlanKey, change: &Change) -> Result<(), StoreError>;
    /// Unfinished plans whose `due_at` has passed, oldest first.
    async fn due(&self, now: Timestamp, limit: usize) -> Result<Vec<PlanKey>, StoreError>;
    /// Unfinished plans of a cluster: what is in disruption now.
    async fn open_plans(&self, customer: &CustomerId, cluster: &ClusterId) -> Result<Vec<PlanRecord>, StoreError>;
    /// Audit rows of a plan, oldest first.
    async fn audit(&self, key: &PlanKey) -> Result<Vec<AuditRow>, StoreError>;
    /// Writes a spot event that no plan handles (recorded only), once per event id.
    async fn put_spot_event(&self, event: &SpotEvent) -> Result<(), StoreError>;
    /// Spot events of a customer, newest first; `before` is the cursor: only events received before it.
    async fn spot_events(&self, customer: &CustomerId, before: Option<Timestamp>, limit: usize) -> Result<Vec<SpotEvent>, StoreError>;
    /// An operation of a customer.
    async fn operation(&self, customer: &CustomerId, id: &str) -> Result<Option<Operation>, StoreError>;
}
