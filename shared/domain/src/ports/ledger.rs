//! The ledger of savings.

use super::StoreError;
use crate::ids::{ClusterId, CustomerId};
use crate::savings::{Baseline, Books, Hour, Metered, Month};
use async_trait::async_trait;
use jiff::Timestamp;

/// Baselines, books and hours of clusters.
///
/// # Guarantees
/// A baseline is written once and never changes. An hour is written once, and is counted in its month in the same write. Books change against their version, and together with
/// the proposal that changes them (see [`super::Optimizations::put_proposal`]).
#[async_trait]
pub trait Ledger: Send + Sync {
    /// Freezes a baseline, if there is none yet; returns the one that holds.
    async fn freeze(&self, baseline: &Baseline) -> Result<Baseline, StoreError>;
    /// The baseline of a cluster.
    async fn baseline(&self, customer: &CustomerId, cluster: &ClusterId) -> Result<Option<Baseline>, StoreError>;
    /// The books of a cluster, read consistently; empty ones where nothing was written yet.
    async fn books(&self, customer: &CustomerId, cluster: &ClusterId) -> Result<Books, StoreError>;
    /// Closes an hour, if it is not closed yet; says whether this call did.
    async fn close(&self, hour: &Hour) -> Result<bool, StoreError>;
    /// What a month of a customer comes to, by cluster, clusters that are gone included.
    async fn metered(&self, customer: &CustomerId, month: Month) -> Result<Vec<Metered>, StoreError>;
    /// Closed hours of a cluster from this time on, oldest first, at most `limit`.
    async fn hours(&self, customer: &CustomerId, cluster: &ClusterId, from: Timestamp, limit: usize) -> Result<Vec<Hour>, StoreError>;
}
