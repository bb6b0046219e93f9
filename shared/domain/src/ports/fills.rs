//! What is asked of whoever reads the market, and what became of it.

use super::StoreError;
use crate::ids::{InstanceType, Region};
use crate::market::{FillProgress, FillWish, FilledPool, ReadRun, RefreshWish, Schedule};
use async_trait::async_trait;
use jiff::Timestamp;

/// Wishes: written by the decision server, which may not write what the market says; read by the function `market`, which may.
///
/// # Guarantees
/// Every call may be repeated. A write replaces what it names; the schedule changes against its version.
#[async_trait]
pub trait MarketWishes: Send + Sync {
    /// That holes are to be filled, or what was filled is to be undone.
    async fn put_fill_wish(&self, wish: &FillWish) -> Result<(), StoreError>;
    /// One of them.
    async fn fill_wish(&self, id: &str) -> Result<Option<FillWish>, StoreError>;
    /// The newest by their names, at most so many.
    async fn fill_wishes(&self, limit: usize) -> Result<Vec<FillWish>, StoreError>;
    /// That parts of a Region are to be read anew. A Region has one wish, the last.
    async fn put_refresh_wish(&self, wish: &RefreshWish) -> Result<(), StoreError>;
    /// The last of a Region.
    async fn refresh_wish(&self, region: &Region) -> Result<Option<RefreshWish>, StoreError>;
    /// How often the market is read; the default where nobody has set it.
    async fn schedule(&self) -> Result<Schedule, StoreError>;
    /// Sets it, if the version in the table is `schedule.version - 1`.
    ///
    /// # Errors
    /// [`StoreError::Conflict`]: somebody else set it first.
    async fn put_schedule(&self, schedule: &Schedule) -> Result<(), StoreError>;
}

/// What became of wishes, and of each run: written by the function `market` only.
///
/// # Guarantees
/// Every call may be repeated. A write replaces what it names.
#[async_trait]
pub trait MarketWork: Send + Sync {
    /// How far a filling is.
    async fn put_fill_progress(&self, progress: &FillProgress) -> Result<(), StoreError>;
    /// The same, to be read.
    async fn fill_progress(&self, id: &str) -> Result<Option<FillProgress>, StoreError>;
    /// What a filling changed in some pools of a Region: each point stays marked as filled for as long as it is kept.
    async fn put_filled(&self, region: &Region, filled: &[FilledPool]) -> Result<(), StoreError>;
    /// What a filling changed, by pool, at most so many; also of one that was undone.
    async fn filled_by(&self, job: &str, limit: usize) -> Result<Vec<FilledPool>, StoreError>;
    /// What fillings changed in the pools of a type, and was not undone.
    async fn filled_in(&self, region: &Region, instance_type: &InstanceType) -> Result<Vec<FilledPool>, StoreError>;
    /// Takes the marks of a filling off again, once its points are out of the series.
    async fn unmark(&self, region: &Region, filled: &[FilledPool]) -> Result<(), StoreError>;
    /// What a run did.
    async fn put_run(&self, run: &ReadRun) -> Result<(), StoreError>;
    /// Runs from then until now, newest first, at most so many.
    async fn runs(&self, since: Timestamp, now: Timestamp, limit: usize) -> Result<Vec<ReadRun>, StoreError>;
}
