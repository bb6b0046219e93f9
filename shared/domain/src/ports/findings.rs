//! What the scheduled jobs find.

use super::{Page, StoreError};
use crate::finding::{Finding, FindingKind};
use crate::ids::{ClusterId, CustomerId, FindingId};
use async_trait::async_trait;

/// Findings of clusters.
///
/// # Guarantees
/// A finding is written against its version; what has ended is kept for ninety days. Lists of a cluster are read consistently,
/// lists of a customer may lag by a moment.
#[async_trait]
pub trait Findings: Send + Sync {
    /// Writes a finding over the one with the version before; version 1 over none.
    /// [`StoreError::Conflict`]: somebody else wrote first; read it again.
    async fn put_finding(&self, finding: &Finding) -> Result<(), StoreError>;
    /// One finding.
    async fn finding(&self, customer: &CustomerId, cluster: &ClusterId, id: &FindingId) -> Result<Option<Finding>, StoreError>;
    /// Findings of a cluster, of one kind or of all, in any state, by id.
    async fn findings_of(&self, customer: &CustomerId, cluster: &ClusterId, kind: Option<FindingKind>) -> Result<Vec<Finding>, StoreError>;
    /// All findings of a customer, last seen first. `after` is the cursor of the page before.
    async fn findings(&self, customer: &CustomerId, after: Option<&str>, limit: usize) -> Result<Page<Finding>, StoreError>;
}
