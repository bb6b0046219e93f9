//! How much of its rate each key has used, counted for all processes together.

use super::StoreError;
use crate::ids::CustomerId;
use async_trait::async_trait;
use jiff::Timestamp;

/// Counters of use.
#[async_trait]
pub trait Quotas: Send + Sync {
    /// Takes `count` of what a key may use in the window that begins at `window`, and answers how much all have taken of it,
    /// this call included. Windows are forgotten some time after they are over.
    ///
    /// # Errors
    /// After [`StoreError::Ambiguous`] it may have been taken: whoever takes again is counted twice, which only makes the rate narrower.
    async fn take(&self, customer: &CustomerId, key: &str, window: Timestamp, count: u64) -> Result<u64, StoreError>;
}
