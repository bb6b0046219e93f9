//! What sleeps: the second copy of every original.

use super::StoreError;
use crate::ids::{ClusterId, CustomerId};
use crate::office_hours::Asleep;
use crate::workload::ScaleRef;
use async_trait::async_trait;

/// The rows of workloads that sleep.
///
/// # Guarantees
/// A row is whole or absent. A row is written before its workload is put to sleep, and removed only after it was seen awake: so what
/// sleeps has one, whoever died in between.
#[async_trait]
pub trait Nights: Send + Sync {
    /// All rows of a cluster, read consistently.
    async fn asleep(&self, customer: &CustomerId, cluster: &ClusterId) -> Result<Vec<Asleep>, StoreError>;
    /// Writes a row, whatever is there.
    async fn put_asleep(&self, row: &Asleep) -> Result<(), StoreError>;
    /// Removes a row, if it is there.
    async fn remove_asleep(&self, customer: &CustomerId, cluster: &ClusterId, target: &ScaleRef) -> Result<(), StoreError>;
}
