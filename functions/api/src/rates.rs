//! How often a key may call. A minute's worth is counted in the table for all processes together; each process takes it from there
//! in leases, so that a read of the API is not a write of the table.

use crate::problem::Problem;
use axum::response::Response;
use domain::ports::Quotas;
use domain::{SignedDuration, Timestamp};
use http::{HeaderValue, StatusCode};
use runtime::web::caller::Caller;
use std::collections::HashMap;
use std::hash::{BuildHasher, RandomState};
use std::sync::{Arc, Mutex, PoisonError};

/// Calls of one key in a minute: ten a second is more than any console or pipeline of one customer needs.
pub const PER_MINUTE: u64 = 600;
/// Calls that a process takes from the table at once.
const LEASE: u64 = 30;
/// Length of a window.
const WINDOW_S: i64 = 60;
/// Keys that are remembered. Above it those of past windows are forgotten.
const KEYS_MAX: usize = 10_000;

/// What a process holds of a key's minute.
#[derive(Debug, Clone, Copy)]
struct Held {
    window: Timestamp,
    /// Leased and not used.
    calls: u64,
    /// What all processes have taken, as far as is known here.
    taken: u64,
}

/// Tells keys apart in this process without keeping any: a hash under a secret of its own, so that nobody can make two keys that meet. It
/// costs a hundredth of the hash that a key is looked up by, and whoever floods us is turned away by it alone.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct Mark(u64);

/// How much is left of a minute.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Left {
    quota: u64,
    calls: u64,
    seconds: i64,
}

/// The rates of all keys.
pub struct Rates {
    quotas: Arc<dyn Quotas>,
    quota: u64,
    held: Mutex<HashMap<String, Held>>,
    secret: RandomState,
    /// In which window each key was last turned away.
    over: Mutex<HashMap<Mark, Timestamp>>,
}

impl Rates {
    /// With so many calls a minute for each key.
    pub fn new(quotas: Arc<dyn Quotas>, quota: u64) -> Rates {
        Rates { quotas, quota, held: Mutex::default(), secret: RandomState::new(), over: Mutex::default() }
    }

    /// The mark of a key as it was presented.
    pub fn mark(&self, presented: &str) -> Mark {
        Mark(self.secret.hash_one(presented))
    }

    /// Turns away who was turned away in this minute already; nothing is read or written for that.
    ///
    /// # Errors
    /// 429.
    pub fn shut(&self, mark: Mark, now: Timestamp) -> Result<(), Problem> {
        let over = self.over.lock().unwrap_or_else(PoisonError::into_inner);
        match over.get(&mark) {
            Some(in_window) if *in_window == window(now) => Err(self.over(now)),
            Some(_) | None => Ok(()),
        }
    }

    /// Counts a call of a key, by its hash and its mark. Where the table does not answer it is let through: the key itself was read from it
    /// a moment ago.
    ///
    /// # Errors
    /// 429 where the minute is used up.
    pub async fn take(&self, caller: &Caller, key: &str, mark: Mark, now: Timestamp) -> Result<Left, Problem> {
        let left = self.leased(caller, key, now).await;
        if left.is_none() {
            let mut over = self.over.lock().unwrap_or_else(PoisonError::into_inner);
            if over.len() >= KEYS_MAX {
                over.retain(|_, in_window| *in_window == window(now));
            }
            over.insert(mark, window(now));
        }
        left.ok_or_else(|| self.over(now))
    }

    async fn leased(&self, caller: &Caller, key: &str, now: Timestamp) -> Option<Left> {
        let window = window(now);
        if let Some(left) = self.spend(key, window, now) {
            return Some(left);
        }
        let lease = LEASE.min(self.quota);
        let taken = match self.quotas.take(&caller.customer, &caller.credential, window, lease).await {
            Ok(taken) => taken,
            Err(error) => {
                tracing::warn!(%error, "A call was not counted");
                return Some(Left { quota: self.quota, calls: 0, seconds: seconds(now) });
            }
        };
        let before = taken.saturating_sub(lease);
        let calls = lease.min(self.quota.saturating_sub(before));
        self.keep(key, Held { window, calls, taken }, now);
        self.spend(key, window, now)
    }

    fn spend(&self, key: &str, window: Timestamp, now: Timestamp) -> Option<Left> {
        let mut held = self.held.lock().unwrap_or_else(PoisonError::into_inner);
        let held = held.get_mut(key).filter(|held| held.window == window)?;
        held.calls = held.calls.checked_sub(1)?;
        let calls = self.quota.saturating_sub(held.taken) + held.calls;
        Some(Left { quota: self.quota, calls, seconds: seconds(now) })
    }

    fn keep(&self, key: &str, new: Held, now: Timestamp) {
        let mut held = self.held.lock().unwrap_or_else(PoisonError::into_inner);
        if held.len() >= KEYS_MAX {
            held.retain(|_, held| held.window == window(now));
        }
        let entry = held.entry(key.to_owned()).or_insert(new);
        // Two calls may have leased at once: both leases are ours.
        let calls = if entry.window == new.window && entry.taken < new.taken { entry.calls + new.calls } else { new.calls };
        *entry = Held { calls, ..new };
    }

    fn over(&self, now: Timestamp) -> Problem {
        let detail = format!("This key has made its {} calls of this minute. Go on after the time in Retry-After.", self.quota);
        Problem::new(StatusCode::TOO_MANY_REQUESTS, "rate-limited", detail).retry_after(seconds(now))
    }
}

fn window(now: Timestamp) -> Timestamp {
    let second = now.as_second();
    now - SignedDuration::from_nanos(i64::from(now.subsec_nanosecond())) - SignedDuration::from_secs(second.rem_euclid(WINDOW_S))
}

/// Until the window is over.
fn seconds(now: Timestamp) -> i64 {
    WINDOW_S - now.as_second().rem_euclid(WINDOW_S)
}

/// Says how much is left, in the fields of the IETF's draft (httpapi-ratelimit-headers).
pub fn told(mut response: Response, left: Left) -> Response {
    let policy = format!("\"key\";q={};w={WINDOW_S}", left.quota);
    let state = format!("\"key\";r={};t={}", left.calls, left.seconds);
    for (name, value) in [("ratelimit-policy", policy), ("ratelimit", state)] {
        if let Ok(value) = HeaderValue::try_from(value) {
            response.headers_mut().insert(name, value);
        }
    }
    response
}

#[cfg(test)]
mod tests;
