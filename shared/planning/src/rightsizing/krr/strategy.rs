//! Its two strategies.

use std::collections::BTreeMap;

/// CPU percentile of `simple`, taken by whoever makes the history, and request and limit percentile of `simple_limit`.
const LIMIT_PERCENTILES: (f64, f64) = (66.0, 96.0);
/// Added to the peak of memory, in percent.
const MEMORY_MARGIN_PERCENT: f64 = 15.0;
/// Added to the limit at which a container was killed, in percent.
pub const OOM_MARGIN_PERCENT: f64 = 25.0;

/// What is known of the pods of one container.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct History {
    /// The 95th percentile of CPU by pod, in cores.
    pub cpu_p95: BTreeMap<String, f64>,
    /// CPU samples by pod, in cores: for `simple_limit` only.
    pub cpu_samples: BTreeMap<String, Vec<f64>>,
    /// The peak of memory by pod, in bytes.
    pub memory_max: BTreeMap<String, f64>,
    /// How many CPU samples all pods have together.
    pub cpu_points: u64,
    /// How many memory samples all pods have together.
    pub memory_points: u64,
    /// The highest limit of a container that was killed for lack of memory, in bytes; 0: none was.
    pub oom_limit: f64,
}

/// What a person has set.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Settings {
    /// Fewer samples are not enough.
    pub points_required: u64,
    /// Whether kills for lack of memory count.
    pub use_oomkill_data: bool,
    /// Whether what an autoscaler works on is recommended all the same.
    pub allow_hpa: bool,
    /// An autoscaler has a target for CPU.
    pub hpa_cpu: bool,
    /// An autoscaler has a target for memory.
    pub hpa_memory: bool,
}

impl Default for Settings {
    fn default() -> Self {
        Settings { points_required: 100, use_oomkill_data: false, allow_hpa: false, hpa_cpu: false, hpa_memory: false }
    }
}

/// A request or a limit.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Rule {
    /// So much, in cores or bytes.
    Set(f64),
    /// It is to be unset.
    Unset,
    /// Nothing can be said.
    Unknown,
}

/// What is proposed for one resource.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Proposal {
    /// The request.
    pub request: Rule,
    /// The limit.
    pub limit: Rule,
    /// What is to be known of it.
    pub info: Option<&'static str>,
}

impl Proposal {
    fn unknown(info: &'static str) -> Proposal {
        Proposal { request: Rule::Unknown, limit: Rule::Unknown, info: Some(info) }
    }
}

/// CPU and memory by the strategy `simple`, not rounded.
pub fn simple(history: &History, settings: Settings) -> (Proposal, Proposal) {
    let highest = history.cpu_p95.values().copied().reduce(f64::max);
    let cpu = cpu(history, settings, highest, |p95| Proposal { request: Rule::Set(p95), limit: Rule::Unset, info: None });
    (cpu, memory(history, settings))
}

/// CPU and memory by the strategy `simple_limit`, not rounded.
pub fn simple_limit(history: &History, settings: Settings) -> (Proposal, Proposal) {
    let mut samples: Vec<f64> = history.cpu_samples.values().flatten().copied().collect();
    samples.sort_by(f64::total_cmp);
    let some = (!samples.is_empty()).then_some(samples);
    let (request, limit) = LIMIT_PERCENTILES;
    let of = |samples: Vec<f64>| Proposal {
        request: Rule::Set(interpolated(&samples, request)),
        limit: Rule::Set(interpolated(&samples, limit)),
        info: None,
    };
    (cpu(history, settings, some, of), memory(history, settings))
}

fn cpu<T>(history: &History, settings: Settings, known: Option<T>, proposed: impl FnOnce(T) -> Proposal) -> Proposal {
    let Some(known) = known else {
        return Proposal::unknown("No data");
    };
    if history.cpu_points < settings.points_required {
        return Proposal::unknown("Not enough data");
    }
    if settings.hpa_cpu && !settings.allow_hpa {
        return Proposal::unknown("HPA detected");
    }
    proposed(known)
}

fn memory(history: &History, settings: Settings) -> Proposal {
    let Some(peak) = history.memory_max.values().copied().reduce(f64::max) else {
        return Proposal::unknown("No data");
    };
    if history.memory_points < settings.points_required {
        return Proposal::unknown("Not enough data");
    }
    if settings.hpa_memory && !settings.allow_hpa {
        return Proposal::unknown("HPA detected");
    }
    let oom = if settings.use_oomkill_data { history.oom_limit } else { 0.0 };
    let needed = (peak * (1.0 + MEMORY_MARGIN_PERCENT / 100.0)).max(oom * (1.0 + OOM_MARGIN_PERCENT / 100.0));
    Proposal { request: Rule::Set(needed), limit: Rule::Set(needed), info: (oom > 0.0).then_some("OOMKill detected") }
}

/// A percentile of sorted samples, between the closest two.
fn interpolated(sorted: &[f64], percent: f64) -> f64 {
    let place = percent / 100.0 * (sorted.len().saturating_sub(1)) as f64;
    let below = super::super::vpa::amount(place);
    let at = |index: u64| usize::try_from(index).ok().and_then(|index| sorted.get(index)).or_else(|| sorted.last()).copied().unwrap_or(0.0);
    let (low, high) = (at(below), at(below + 1));
    low + (high - low) * (place - below as f64)
}
