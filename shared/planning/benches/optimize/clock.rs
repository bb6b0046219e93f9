//! Time on the processor where the system tells it, so that a busy machine does not count; else time on the wall.

use std::time::{Duration, Instant};

/// A beginning.
pub(crate) struct Began {
    wall: Instant,
    processor: Option<u64>,
}

impl Began {
    pub(crate) fn now() -> Began {
        Began { wall: Instant::now(), processor: processor_ns() }
    }

    pub(crate) fn elapsed(&self) -> Duration {
        match (self.processor, processor_ns()) {
            (Some(before), Some(after)) => Duration::from_nanos(after - before),
            (Some(_), None) | (None, _) => self.wall.elapsed(),
        }
    }
}

/// Nanoseconds this thread has run, as Linux counts them.
fn processor_ns() -> Option<u64> {
    std::fs::read_to_string("/proc/thread-self/schedstat").ok()?.split(' ').next()?.parse().ok()
}
