//! Queues that customers keep in their own accounts.

use crate::tenant::AwsScope;
use async_trait::async_trait;

/// A message as it was received. It is hidden from others for a while, and comes back unless it is deleted.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Letter {
    /// The body.
    pub body: String,
    /// With what it is deleted.
    pub receipt: String,
}

/// How to receive.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Ask {
    /// At most this many at once: 1 to 10 (SQS API Reference, ReceiveMessage).
    pub letters_max: u32,
    /// For how many seconds to wait for the first: 0 to 20 (the same).
    pub wait_s: u32,
    /// For how many seconds what is received is hidden from others: 0 to 43,200 (the same).
    pub hidden_s: u32,
}

/// Why a queue of a customer was not read.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum MailboxError {
    /// No answer, or too many calls; try again.
    #[error("the queue did not answer: {0}")]
    Unreachable(String),
    /// The role cannot be taken, the right is missing, or there is no such queue.
    #[error("the queue cannot be read: {0}")]
    Refused(String),
}

/// Reads queues of customers. The role of the scope is the one that only reads queues.
#[async_trait]
pub trait Mailboxes: Send + Sync {
    /// Waits for messages and answers with those that came. Delivery is at least once, in no order.
    async fn receive(&self, scope: &AwsScope, url: &str, ask: Ask) -> Result<Vec<Letter>, MailboxError>;

    /// Deletes what was received. What could not be deleted comes back, and is none the worse for being handled twice.
    async fn delete(&self, scope: &AwsScope, url: &str, receipts: &[String]) -> Result<(), MailboxError>;
}
