//! Targets, their lanes, and what was sent.

use super::{Page, StoreError};
use crate::ids::{CustomerId, TargetId};
use crate::notify::{Delivery, Lane, LaneKey, Target, TargetState, Waiting};
use async_trait::async_trait;
use jiff::Timestamp;

/// The outbox.
///
/// # Guarantees
/// What was accepted into a lane stays there until it is written down as delivered, or its target is deleted. Everything of one lane is read
/// consistently.
#[async_trait]
pub trait Outbox: Send + Sync {
    /// All targets of a customer, by id.
    async fn targets(&self, customer: &CustomerId) -> Result<Vec<Target>, StoreError>;
    /// One target.
    async fn target(&self, customer: &CustomerId, id: &TargetId) -> Result<Option<Target>, StoreError>;
    /// Writes a target over the one with the version before; version 1 over none.
    async fn put_target(&self, target: &Target) -> Result<(), StoreError>;
    /// Removes a target with its lane and what waits in it. What was sent stays in the log.
    async fn delete_target(&self, customer: &CustomerId, id: &TargetId) -> Result<(), StoreError>;
    /// Puts a notice into a lane. `false`: the same notice (by id, and replay) entered this lane within the last seven days.
    async fn accept(&self, lane: &LaneKey, waiting: &Waiting) -> Result<bool, StoreError>;
    /// How far a lane is; [`Lane::NEW`] where it was never written.
    async fn lane(&self, lane: &LaneKey) -> Result<Lane, StoreError>;
    /// Writes a lane over the version before. With a delivery, its notice leaves the lane where it has arrived, and it goes into the log, in
    /// the same write.
    async fn put_lane(&self, key: &LaneKey, lane: &Lane, delivery: Option<&Delivery>) -> Result<(), StoreError>;
    /// What waits longest in a lane, in order.
    async fn waiting(&self, lane: &LaneKey, limit: usize) -> Result<Vec<Waiting>, StoreError>;
    /// Lanes that are due, over all customers, longest due first. May lag by a moment.
    async fn due_lanes(&self, now: Timestamp, limit: usize) -> Result<Vec<LaneKey>, StoreError>;
    /// What was sent to a target, newest first; kept for thirty days. `after` is the cursor of the page before.
    async fn deliveries(&self, lane: &LaneKey, after: Option<&str>, limit: usize) -> Result<Page<Delivery>, StoreError>;

    /// Puts one notice into the lane of a target, and makes the lane due.
    async fn enter(&self, target: &Target, waiting: Waiting) -> Result<(), StoreError> {
        self.accept(&target.lane(), &waiting).await?;
        self.wake(target, waiting.since).await
    }

    /// Makes a lane due now, unless it is so already, is in somebody's hand, or rests after a failure. A disabled target sleeps on.
    async fn wake(&self, target: &Target, now: Timestamp) -> Result<(), StoreError> {
        if target.state != TargetState::Active {
            return Ok(());
        }
        let key = target.lane();
        // Few write a lane at once; each loss means that somebody else got on with it.
        for _ in 0..5 {
            let lane = self.lane(&key).await?;
            // Whoever has it in hand looks once more when it has let it go; written to, it would stop, and the lane rest until the lease is over.
            if lane.taken(now) || lane.due_at.is_some_and(|at| at <= now || lane.attempts > 0) {
                return Ok(());
            }
            match self.put_lane(&key, &Lane { due_at: Some(now), version: lane.version + 1, ..lane }, None).await {
                Err(StoreError::Conflict) => {}
                other => return other,
            }
        }
        Err(StoreError::Throttled)
    }
}
