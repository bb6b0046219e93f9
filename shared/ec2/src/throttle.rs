//! Half of the customer's rate, and no more.
//!
//! EC2 limits calls per account and Region, whoever makes them: a storm of ours would starve the customer's own automation.
//! The published buckets (Amazon EC2 API request throttling, "Request token bucket sizes and refill rates"; also
//! `reference/reliability.md` section 1.3) are: describe calls 100 and 20 per second, RunInstances 5 and 2 per second,
//! TerminateInstances 100 and 5 per second. Elastic Load Balancing gives reads 40 and 10 per second, each generation its own (Elastic
//! Load Balancing API, "Request throttling"). The constants below are half of them. Auto Scaling publishes none; its reads go with
//! those of EC2.
//!
//! This is per process. What all processes together take in an hour of scans is reckoned in `tests/harness/src/scan_cost.rs`.

use domain::ports::CloudError;
use std::sync::Mutex;
use std::time::Duration;
use tokio::time::Instant;

/// A kind of call with a bucket of its own.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Call {
    /// Anything that only reads.
    Describe,
    /// RunInstances.
    Launch,
    /// TerminateInstances.
    Terminate,
    /// Anything that only reads load balancers, of either generation.
    Balancing,
}

/// Size and refill of a bucket.
#[derive(Debug, Clone, Copy)]
struct Rate {
    burst: u32,
    /// Time in which one token comes back.
    refill: Duration,
}

const DESCRIBE: Rate = Rate { burst: 50, refill: Duration::from_millis(100) };
const LAUNCH: Rate = Rate { burst: 2, refill: Duration::from_secs(1) };
const TERMINATE: Rate = Rate { burst: 50, refill: Duration::from_millis(400) };
const BALANCING: Rate = Rate { burst: 20, refill: Duration::from_millis(200) };

/// Waiting longer than this is the journal's business: it can put the plan back in the queue.
const WAIT_MAX: Duration = Duration::from_secs(2);

/// A bucket, kept as the moment when it would be full again.
#[derive(Debug, Default)]
struct Bucket {
    full_at: Duration,
}

impl Bucket {
    /// Takes a token at `now` (time since any fixed moment). Answers how long to wait for it; `None`: too long, nothing taken.
    fn take(&mut self, rate: Rate, now: Duration) -> Option<Duration> {
        let full_at = self.full_at.max(now) + rate.refill;
        let wait = full_at.saturating_sub(now + rate.refill * rate.burst);
        if wait > WAIT_MAX {
            return None;
        }
        self.full_at = full_at;
        Some(wait)
    }
}

/// The buckets of one account in one Region.
#[derive(Debug)]
pub(crate) struct Buckets {
    since: Instant,
    describe: Mutex<Bucket>,
    launch: Mutex<Bucket>,
    terminate: Mutex<Bucket>,
    balancing: Mutex<Bucket>,
}

impl Default for Buckets {
    fn default() -> Self {
        Self {
            since: Instant::now(),
            describe: Mutex::default(),
            launch: Mutex::default(),
            terminate: Mutex::default(),
            balancing: Mutex::default(),
        }
    }
}

impl Buckets {
    /// Waits for a token.
    ///
    /// # Errors
    /// [`CloudError::Throttled`] where none comes within two seconds.
    pub(crate) async fn take(&self, call: Call) -> Result<(), CloudError> {
        let (bucket, rate) = match call {
            Call::Describe => (&self.describe, DESCRIBE),
            Call::Launch => (&self.launch, LAUNCH),
            Call::Terminate => (&self.terminate, TERMINATE),
            Call::Balancing => (&self.balancing, BALANCING),
        };
        let wait = {
            // A poisoned bucket is still a bucket.
            let mut bucket = bucket.lock().unwrap_or_else(std::sync::PoisonError::into_inner);
            bucket.take(rate, self.since.elapsed()).ok_or(CloudError::Throttled)?
        };
        if !wait.is_zero() {
            pause(wait).await;
        }
        Ok(())
    }
}

#[expect(clippy::disallowed_methods, reason = "the pace of calls to one account: bounded, and not a wait for the world")]
async fn pause(wait: Duration) {
    tokio::time::sleep(wait).await;
}

#[cfg(test)]
mod tests;
