//! What scans remember, and the queue of scans.

use super::{QueueError, StoreError};
use crate::ids::{ClusterId, CustomerId};
use crate::watch::{ScanOrder, Watchbook};
use async_trait::async_trait;

/// Watchbooks of clusters.
///
/// # Guarantees
/// A book is written against its version, and read consistently.
#[async_trait]
pub trait Watchbooks: Send + Sync {
    /// The book of a cluster; an empty one where nothing was written yet.
    async fn watchbook(&self, customer: &CustomerId, cluster: &ClusterId) -> Result<Watchbook, StoreError>;
    /// Writes a book over the one with the version before.
    /// [`StoreError::Conflict`]: another scan was faster; what this one has seen is void.
    async fn put_watchbook(&self, book: &Watchbook) -> Result<(), StoreError>;
}

/// The scanner's queue. At least once.
#[async_trait]
pub trait Scans: Send + Sync {
    /// Asks for a scan of one cluster.
    async fn ask_scan(&self, order: &ScanOrder) -> Result<(), QueueError>;
}
