//! Queues.

use crate::plan::PlanKey;
use async_trait::async_trait;
use jiff::SignedDuration;
use serde::{Deserialize, Serialize};

/// A message that we could not read, kept for a person.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Parked {
    /// The body, as it came, cut to 200 kB.
    pub body: String,
    /// What is wrong with it, in one sentence.
    pub reason: String,
}

/// Why a message was not sent.
#[derive(Debug, thiserror::Error)]
#[error("the queue did not take the message: {0}")]
pub struct QueueError(pub String);

/// The queues. Delivery is at least once, in no order.
#[async_trait]
pub trait Queue: Send + Sync {
    /// Asks for a plan to be gone on with, after a delay (whole seconds, at most 900).
    async fn continue_plan(&self, key: &PlanKey, delay: SignedDuration) -> Result<(), QueueError>;
    /// Asks for an event body to be handled as if EventBridge had sent it.
    async fn notice(&self, body: &str) -> Result<(), QueueError>;
    /// Copies an unreadable message to the dead-letter queue.
    async fn park(&self, parked: &Parked) -> Result<(), QueueError>;
}
