//! Which pods the updater changes, and in which order.

use super::bounds::Amounts;
use std::cmp::Ordering;

/// A difference below this share is left alone.
pub const CHANGE_MIN: f64 = 0.1;
/// A pod younger than this is left alone, in seconds.
pub const AGE_MIN_S: i64 = 12 * 3_600;
/// A container that was killed for lack of memory within this time of its start is changed at once, in seconds.
pub const QUICK_OOM_S: i64 = 600;

/// Requests, target and bounds of one resource of one container. CPU in thousandths of a core, memory in bytes.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Range {
    /// What is requested.
    pub request: Option<u64>,
    /// What is recommended; `None`: nothing is said of it.
    pub target: Option<u64>,
    /// Below this is too little.
    pub lower: Option<u64>,
    /// Above this is too much.
    pub upper: Option<u64>,
}

/// How urgent a pod is.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Priority {
    /// A request is outside of the bounds, or is missing.
    pub outside_range: bool,
    /// A request is below the target, or is missing.
    pub scale_up: bool,
    /// How far requests are from targets: the sum over CPU and memory of the difference over the request.
    pub difference: f64,
}

/// The priority of a pod, from the ranges of its containers: (CPU, memory) of each.
pub fn priority(containers: &[(Range, Range)]) -> Priority {
    let mut found = Priority { outside_range: false, scale_up: false, difference: 0.0 };
    let cpu: Vec<Range> = containers.iter().map(|(cpu, _)| *cpu).collect();
    let memory: Vec<Range> = containers.iter().map(|(_, memory)| *memory).collect();
    // A request of nothing counts as a thousandth of the unit of the API: of a core, and of a byte.
    for (ranges, smallest) in [(cpu, 1.0), (memory, 0.001)] {
        let (mut requested, mut wanted): Amounts = (0, 0);
        for range in ranges.iter().filter(|range| range.target.is_some()) {
            let target = range.target.unwrap_or(0);
            wanted = wanted.saturating_add(target);
            let Some(request) = range.request else {
                (found.outside_range, found.scale_up) = (true, true);
                continue;
            };
            requested = requested.saturating_add(request);
            found.scale_up |= target > request;
            found.outside_range |= range.lower.is_some_and(|lower| request < lower) || range.upper.is_some_and(|upper| request > upper);
        }
        let requested = (requested as f64).max(smallest);
        if ranges.iter().any(|range| range.target.is_some()) {
            found.difference += (requested - wanted as f64).abs() / requested;
        }
    }
    found
}

/// What else decides whether a pod is changed.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Admission {
    /// For how long the pod has run, in seconds; `None`: it has not started.
    pub age_s: Option<i64>,
    /// For how long the last container ran that was killed for lack of memory, in seconds; `None`: none was.
    pub oom_after_s: Option<i64>,
    /// A difference below this share is left alone.
    pub change_min: f64,
}

/// Whether a pod is changed now.
pub fn admits(of: &Priority, by: &Admission) -> bool {
    let quick_oom = by.oom_after_s.is_some_and(|after| after < QUICK_OOM_S);
    let settled = by.age_s.is_some_and(|age| age >= AGE_MIN_S) && of.difference >= by.change_min;
    if !(of.outside_range || quick_oom || settled) {
        return false;
    }
    // The same sizes would be killed the same way.
    !(quick_oom && of.difference == 0.0)
}

/// Those that need more first, then those that are farther off.
pub fn order(a: &Priority, b: &Priority) -> Ordering {
    b.scale_up.cmp(&a.scale_up).then(b.difference.total_cmp(&a.difference))
}
