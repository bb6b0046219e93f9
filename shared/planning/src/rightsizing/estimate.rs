//! What a container needs, read from what is remembered of it.

use super::buckets::Buckets;
use super::decaying::Decaying;
use super::histogram::Histogram;
use super::krr;
use super::vpa;
use domain::savings::arithmetic::with_margin;
use domain::sizing::{Estimator, Resource, WorkloadPolicy};
use domain::usage::{Day, Usage, Weights};

/// The window of the percentile, seconds.
pub const WINDOW_S: i64 = 7 * 86_400;
/// KRR's percentile of CPU, and what it adds to the peak of memory, in percent.
const KRR: (u32, u32) = (95, 15);

/// What a container needs, before floors and caps: thousandths of a core and bytes.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Need {
    /// CPU; `None`: no sample says anything.
    pub cpu: Option<u64>,
    /// Memory; `None`: no sample and no kill says anything.
    pub memory: Option<u64>,
    /// Where these numbers come from, in sentences.
    pub reasons: Vec<String>,
}

impl Need {
    /// One of them.
    pub fn of(&self, resource: Resource) -> Option<u64> {
        match resource {
            Resource::Cpu => self.cpu,
            Resource::Memory => self.memory,
        }
    }
}

/// How much of what our sampling can show in seven days was seen, in percent: the smaller of time and rounds.
pub fn confidence_percent(usage: &Usage, interval_s: i64, now_s: i64) -> u32 {
    let Some(first) = usage.first_cpu_s else { return 0 };
    let span = (now_s - first).clamp(0, WINDOW_S) * 100 / WINDOW_S;
    let expected = u64::try_from(WINDOW_S / interval_s.max(1)).unwrap_or(1).max(1);
    let seen = u64::try_from(span).unwrap_or(0).min(usage.rounds.saturating_mul(100) / expected);
    u32::try_from(seen).unwrap_or(100).min(100)
}

/// What the policy's estimator finds.
pub fn need(usage: &Usage, policy: &WorkloadPolicy, interval_s: i64, now_s: i64) -> Need {
    match policy.estimator {
        Estimator::Percentile => by_percentile(usage, policy, now_s),
        Estimator::Vpa => by_vpa(usage, interval_s),
        Estimator::Krr => by_krr(usage, now_s),
    }
}

fn by_percentile(usage: &Usage, policy: &WorkloadPolicy, now_s: i64) -> Need {
    let mut need = Need::default();
    if let Some(found) = percentile(&usage.cpu_days, Resource::Cpu, policy.cpu_percentile, now_s) {
        need.cpu = Some(with_margin(found, policy.cpu_margin_percent));
        let (p, with) = (policy.cpu_percentile, policy.cpu_margin_percent);
        need.reasons.push(format!("the {p}th percentile of CPU over 7 days is {found}m, and {with} % are added"));
    }
    let peak = peak(&usage.memory_days, now_s);
    if let Some((found, peak)) = percentile(&usage.memory_days, Resource::Memory, policy.memory_percentile, now_s).zip(peak) {
        // Samples see a small part of the time, and memory that is not there kills: never below what was seen.
        need.memory = Some(with_margin(found, policy.memory_margin_percent).max(peak));
        let say = |bytes| Resource::Memory.describe(bytes);
        let (p, with) = (policy.memory_percentile, policy.memory_margin_percent);
        need.reasons.push(format!(
            "the {p}th percentile of memory over 7 days is {}, {with} % are added, and the peak was {}",
            say(found),
            say(peak)
        ));
    }
    need
}

fn by_vpa(usage: &Usage, interval_s: i64) -> Need {
    let (cpu, memory) = (Decaying::of(Buckets::cpu(), &usage.cpu), Decaying::of(Buckets::memory(), &usage.memory));
    let span_s = usage.last_cpu_s.zip(usage.first_cpu_s).map_or(0, |(last, first)| last - first);
    // One round counts as one sample: at our rate, not at the autoscaler's.
    let confidence = vpa::confidence(span_s, usage.rounds, 86_400.0 / interval_s.max(1) as f64);
    let bounds = vpa::bounds(&vpa::Evidence { cpu: &cpu, memory: &memory, confidence, containers: 1 });
    let mut need = Need::default();
    if !cpu.is_empty() {
        need.cpu = Some(bounds.target.0);
        let (lower, upper) = (bounds.lower.0, bounds.upper.0);
        need.reasons.push(format!("as a Vertical Pod Autoscaler, CPU {}m between {lower}m and {upper}m", bounds.target.0));
    }
    if !memory.is_empty() {
        need.memory = Some(bounds.target.1);
        let say = |bytes| Resource::Memory.describe(bytes);
        let (lower, upper) = (say(bounds.lower.1), say(bounds.upper.1));
        need.reasons.push(format!("as a Vertical Pod Autoscaler, memory {} between {lower} and {upper}", say(bounds.target.1)));
    }
    need
}

fn by_krr(usage: &Usage, now_s: i64) -> Need {
    let mut need = Need::default();
    let (p, margin) = KRR;
    if let Some(found) = percentile(&usage.cpu_days, Resource::Cpu, p, now_s) {
        need.cpu = Some(found.max(krr::CPU_MIN));
        need.reasons.push(format!("as KRR, the {p}th percentile of CPU is {found}m"));
    }
    if let Some(peak) = peak(&usage.memory_days, now_s) {
        let with = with_margin(peak, margin);
        need.memory = Some(vpa::amount(krr::rounded(Resource::Memory, with as f64)));
        need.reasons.push(format!("as KRR, the peak of memory is {}, and {margin} % are added", Resource::Memory.describe(peak)));
    }
    need
}

/// Days with something in the window, each with the share of it that is inside.
fn inside(days: &[Day], now_s: i64) -> impl Iterator<Item = (&Day, f64)> {
    let from = now_s - WINDOW_S;
    days.iter().filter_map(move |day| {
        let end = (day.date + 1) * 86_400;
        let share = (end - from).clamp(0, 86_400) as f64 / 86_400.0;
        (share > 0.0 && day.samples > 0).then_some((day, share))
    })
}

/// The end of the bucket in which the percentile lies, and the peak where that is less. `None`: there is no sample.
pub fn percentile(days: &[Day], of: Resource, percent: u32, now_s: i64) -> Option<u64> {
    let mut weights = Weights::new();
    for (day, share) in inside(days, now_s) {
        let sum: f64 = day.counts.iter().map(|(_, count)| f64::from(*count)).sum();
        let each = day.samples as f64 * share / sum.max(1.0);
        weights.extend(day.counts.iter().map(|(bucket, count)| (*bucket, f64::from(*count) * each)));
    }
    let (buckets, unit) = match of {
        Resource::Cpu => (Buckets::cpu(), 1_000.0),
        Resource::Memory => (Buckets::memory(), 1.0),
    };
    let histogram = Histogram::of(buckets, &weights);
    let peak = peak(days, now_s).filter(|_| !histogram.is_empty())?;
    Some(vpa::amount((histogram.percentile(f64::from(percent) / 100.0) * unit).ceil()).min(peak))
}

/// The highest sample of the window.
pub fn peak(days: &[Day], now_s: i64) -> Option<u64> {
    inside(days, now_s).map(|(day, _)| day.peak).max()
}
