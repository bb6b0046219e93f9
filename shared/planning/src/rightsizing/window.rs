//! Memory counts by its peaks: one a window, at the window's end. A higher one takes the place of the one before.

/// A change of a histogram of memory.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Op {
    /// A peak, at this time.
    Add(u64, i64),
    /// It is taken back.
    Subtract(u64, i64),
}

/// The window in hand. Times are seconds since 1970.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Window {
    /// The newest sample.
    pub last_s: Option<i64>,
    /// When the window ends; `None`: there was no sample yet.
    pub end_s: Option<i64>,
    /// Its peak from samples.
    pub peak: u64,
    /// Its peak from OOM kills.
    pub oom_peak: u64,
}

/// Raises after an OOM kill, as the Vertical Pod Autoscaler reckons: by a fifth, and by 100 MiB at least.
pub const OOM_RATIO: f64 = 1.2;
/// See [`OOM_RATIO`].
pub const OOM_BUMP_MIN: u64 = 100 << 20;

impl Window {
    /// A sample. `None`: it is older than the one before, and says nothing.
    pub fn sample(&mut self, bytes: u64, at_s: i64, interval_s: i64) -> Option<Vec<Op>> {
        if self.last_s.is_some_and(|last| at_s < last) {
            return None;
        }
        Some(self.put(bytes, at_s, interval_s, false))
    }

    /// An OOM kill of a container with this request. It counts as a sample of more than what was in use: more than the request, or than
    /// the peak of the window that no earlier kill has made. `None`: it is too old.
    pub fn oom(&mut self, request: u64, at_s: i64, interval_s: i64) -> Option<Vec<Op>> {
        if self.last_s.is_some_and(|last| at_s < last.saturating_sub(interval_s)) {
            return None;
        }
        let used = request.max(self.peak);
        let needed = used.saturating_add(OOM_BUMP_MIN).max(super::vpa::scaled(used, OOM_RATIO));
        Some(self.put(needed, at_s, interval_s, true))
    }

    fn put(&mut self, bytes: u64, at_s: i64, interval_s: i64, oom: bool) -> Vec<Op> {
        self.last_s = Some(at_s);
        let end = *self.end_s.get_or_insert(at_s);
        let mut ops = Vec::new();
        if at_s < end {
            let highest = self.peak.max(self.oom_peak);
            if highest == 0 || bytes <= highest {
                return ops;
            }
            ops.push(Op::Subtract(highest, end));
        } else {
            let interval_s = interval_s.max(1);
            let whole = (at_s - end) / interval_s * interval_s;
            self.end_s = Some(end + whole + interval_s);
            (self.peak, self.oom_peak) = (0, 0);
        }
        ops.push(Op::Add(bytes, self.end_s.unwrap_or(end)));
        if oom {
            self.oom_peak = bytes;
        } else {
            self.peak = bytes;
        }
        ops
    }
}
