//! From spot to on-demand and back, and not back and forth.

use super::SpotPolicy;
use domain::Timestamp;
use serde::{Deserialize, Serialize};

/// A workload or cluster that spot let down: its nodes come from on-demand until spot has been quiet for a while.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Fallback {
    /// When it began.
    pub since: Timestamp,
    /// The last time that spot had nothing, or took something. Each new trouble begins the quiet time anew.
    pub last_trouble: Timestamp,
}

impl Fallback {
    /// The state after a trouble. Troubles may be told in any order, and more than once.
    #[must_use]
    pub fn after_trouble(previous: Option<Fallback>, at: Timestamp) -> Fallback {
        match previous {
            None => Fallback { since: at, last_trouble: at },
            Some(Fallback { since, last_trouble }) => Fallback { since: since.min(at), last_trouble: last_trouble.max(at) },
        }
    }

    /// Until when spot is not tried; `None` once it may be. The state can then be forgotten.
    pub fn closed_until(self, policy: &SpotPolicy, now: Timestamp) -> Option<Timestamp> {
        // A trouble at the end of time would never be over; it is not one that anybody has seen.
        let until = self.last_trouble.checked_add(policy.quiet()).ok()?;
        (now < until).then_some(until)
    }
}
