//! Time of the simulated world.

use async_trait::async_trait;
use domain::ports::Clock;
use jiff::{SignedDuration, Timestamp};
use std::sync::Arc;
use tokio::time::Instant;

/// When a simulated world begins, unless somebody says otherwise: 2026-01-05T00:00:00Z, a Monday.
pub const EPOCH: Timestamp = Timestamp::constant(1_767_571_200, 0);

/// A clock over tokio's: virtual in a runtime whose time is paused, real in any other.
#[derive(Debug, Clone)]
pub struct SimClock {
    epoch: Timestamp,
    started: Instant,
}

impl SimClock {
    /// A clock that shows `epoch` now. Under paused time, call it inside the runtime.
    pub fn starting(epoch: Timestamp) -> Arc<SimClock> {
        Arc::new(SimClock { epoch, started: Instant::now() })
    }

    /// A clock that shows [`EPOCH`] now.
    pub fn new() -> Arc<SimClock> {
        SimClock::starting(EPOCH)
    }
}

#[async_trait]
impl Clock for SimClock {
    fn now(&self) -> Timestamp {
        let passed = SignedDuration::try_from(self.started.elapsed()).unwrap_or(SignedDuration::MAX);
        self.epoch.checked_add(passed).unwrap_or(Timestamp::MAX)
    }

    #[expect(clippy::disallowed_methods, reason = "this is the simulator's adapter of the Clock port")]
    async fn sleep(&self, duration: SignedDuration) {
        tokio::time::sleep(duration.try_into().unwrap_or_default()).await;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test(start_paused = true)]
    async fn under_paused_time_an_hour_passes_at_once() {
        let clock = SimClock::new();
        clock.sleep(SignedDuration::from_hours(1)).await;
        assert_eq!(clock.now(), EPOCH + SignedDuration::from_hours(1));
    }
}
