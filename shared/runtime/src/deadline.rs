//! How long an invocation may work.

use domain::ports::Clock;
use jiff::{SignedDuration, Timestamp};

/// Kept back from Lambda's own deadline: a step begun just before may wait for EC2 or the table (10 s at most), and its result
/// must still be written. What outlives even that is a crash, and resumed like one.
pub const MARGIN: SignedDuration = SignedDuration::from_secs(12);

/// The instant until which an invocation may begin new work. What is left then is written down and goes on in the next one.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Budget {
    until: Timestamp,
}

impl Budget {
    /// From the deadline in Lambda's context (milliseconds since the epoch) minus what writing down and answering may take.
    /// A deadline that is no time at all, or lies before the margin, leaves nothing.
    pub fn from_lambda(deadline_ms: u64, margin: SignedDuration) -> Budget {
        let deadline = i64::try_from(deadline_ms).ok().and_then(|ms| Timestamp::from_millisecond(ms).ok());
        Budget { until: deadline.and_then(|d| d.checked_sub(margin).ok()).unwrap_or(Timestamp::UNIX_EPOCH) }
    }

    /// As long as this from now: where no Lambda sets a deadline.
    pub fn lasting(clock: &dyn Clock, duration: SignedDuration) -> Budget {
        Budget { until: clock.now().checked_add(duration).unwrap_or(Timestamp::MAX) }
    }

    /// The instant.
    pub fn until(self) -> Timestamp {
        self.until
    }

    /// What is left; never negative.
    pub fn left(self, clock: &dyn Clock) -> SignedDuration {
        self.until.duration_since(clock.now()).max(SignedDuration::ZERO)
    }

    /// Whether nothing is left.
    pub fn spent(self, clock: &dyn Clock) -> bool {
        self.left(clock).is_zero()
    }
}

#[cfg(test)]
mod tests;
