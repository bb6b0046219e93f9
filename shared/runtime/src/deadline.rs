//! How long an invocation may work.

use domain::{SignedDuration, Timestamp};

/// Kept back from Lambda's own deadline: a call under way (3 s at most) and the last write must still end.
pub const MARGIN: SignedDuration = SignedDuration::from_secs(8);

/// The time of one invocation.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Budget {
    /// No step is begun after this.
    pub until: Timestamp,
}

impl Budget {
    /// From the deadline that Lambda names, in milliseconds since the epoch.
    pub fn of_lambda(deadline_ms: u64) -> Budget {
        let deadline = i64::try_from(deadline_ms).ok().and_then(|ms| Timestamp::from_millisecond(ms).ok()).unwrap_or(Timestamp::MAX);
        Budget { until: deadline - MARGIN }
    }

    /// This long from now.
    pub fn from_now(now: Timestamp, duration: SignedDuration) -> Budget {
        Budget { until: now + duration }
    }
}
