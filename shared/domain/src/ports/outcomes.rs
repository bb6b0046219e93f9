//! What became of predictions, as the decision server keeps it.

use super::StoreError;
use crate::decision::PredictionOutcome;
use async_trait::async_trait;
use jiff::Timestamp;

/// Outcomes of predictions, in the decision server's own table. They name pools and no customer.
///
/// # Guarantees
/// Every call may be repeated: an outcome is kept once under its id and time.
#[async_trait]
pub trait Outcomes: Send + Sync {
    /// Keeps outcomes, for [`crate::decision::JUDGED_DAYS`] at least.
    async fn put_outcomes(&self, outcomes: &[PredictionOutcome]) -> Result<(), StoreError>;
    /// Outcomes of predictions from then until now, newest first, at most so many.
    async fn outcomes(&self, since: Timestamp, now: Timestamp, limit: usize) -> Result<Vec<PredictionOutcome>, StoreError>;
}
