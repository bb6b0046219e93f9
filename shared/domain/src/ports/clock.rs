//! Time.

use async_trait::async_trait;
use jiff::{SignedDuration, Timestamp};

/// Time as a port, so that the simulator can own it.
#[async_trait]
pub trait Clock: Send + Sync {
    /// Now, in UTC.
    fn now(&self) -> Timestamp;
    /// Returns after this long. For time limits around a call; waiting for the world is a status, never a sleep.
    async fn sleep(&self, duration: SignedDuration);
}
