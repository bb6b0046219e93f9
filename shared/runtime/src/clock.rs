//! The system's clock: the one place that asks it.

use async_trait::async_trait;
use domain::ports::Clock;
use domain::{SignedDuration, Timestamp};

/// Real time.
#[derive(Debug, Clone, Copy, Default)]
pub struct SystemClock;

#[async_trait]
impl Clock for SystemClock {
    fn now(&self) -> Timestamp {
        #[expect(clippy::disallowed_methods, reason = "this is the Clock port's adapter")]
        Timestamp::now()
    }

    async fn sleep(&self, duration: SignedDuration) {
        let duration = std::time::Duration::try_from(duration).unwrap_or_default();
        #[expect(clippy::disallowed_methods, reason = "this is the Clock port's adapter")]
        tokio::time::sleep(duration).await;
    }
}
