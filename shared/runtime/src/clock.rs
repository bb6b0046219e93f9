//! The clock of the machine: the one place that reads it, and the one that waits for it.

use async_trait::async_trait;
use domain::ports::Clock;
use jiff::{SignedDuration, Timestamp};

/// The system's clock, in UTC.
#[derive(Debug, Clone, Copy, Default)]
pub struct SystemClock;

#[async_trait]
impl Clock for SystemClock {
    #[expect(clippy::disallowed_methods, reason = "this is the adapter that owns the system's clock")]
    fn now(&self) -> Timestamp {
        Timestamp::now()
    }

    #[expect(clippy::disallowed_methods, reason = "this is the adapter that owns the system's clock")]
    async fn sleep(&self, duration: SignedDuration) {
        // A negative duration is over already.
        tokio::time::sleep(duration.try_into().unwrap_or_default()).await;
    }
}
