//! Memory of pools that had no capacity.

use super::StoreError;
use crate::ids::{AccountId, Region};
use crate::offering::Pool;
use async_trait::async_trait;
use jiff::Timestamp;

/// Remembers, per account and Region, which pools to avoid for a while. All calls may be repeated.
#[async_trait]
pub trait Pools: Send + Sync {
    /// Avoid this pool until then.
    async fn avoid(&self, account: &AccountId, region: &Region, pool: &Pool, until: Timestamp, why: &str) -> Result<(), StoreError>;
    /// Pools to avoid now.
    async fn avoided(&self, account: &AccountId, region: &Region, now: Timestamp) -> Result<Vec<Pool>, StoreError>;
}
