//! Puts samples into what is remembered of a container.

use super::buckets::Buckets;
use super::decaying::Decaying;
use super::window::{Op, Window};
use domain::usage::{DAYS_KEPT, Day, Seen, Usage};

/// The weight of a CPU sample.
pub const CPU_WEIGHT: f64 = 0.1;
/// The weight of a memory peak.
pub const MEMORY_WEIGHT: f64 = 1.0;
/// A window of memory peaks, seconds.
pub const WINDOW_S: i64 = 86_400;
/// A container without samples for so long is forgotten, seconds.
pub const FORGOTTEN_AFTER_S: i64 = 8 * 86_400;

const NANOS: f64 = 1e9;

/// What the pods of one container used at one time: (CPU in billionths of a core, memory in bytes).
pub type Round<'a> = &'a [(u64, u64)];

/// What is kept of a round until it is folded in: nothing that folding would tell apart is lost.
pub fn seen(round: Round<'_>) -> Seen {
    let mut seen = Seen::default();
    for (nanos, bytes) in round {
        add(&mut seen.cpu, Buckets::cpu().find(*nanos as f64 / NANOS), 1);
        add(&mut seen.memory, Buckets::memory().find(*bytes as f64), 1);
        seen.cpu_peak = seen.cpu_peak.max(nanos.div_ceil(1_000_000));
        seen.memory_peak = seen.memory_peak.max(*bytes);
    }
    seen
}

/// Folds one round of samples in. A round that is not newer than the last one was folded in already, and changes nothing.
pub fn fold(usage: &mut Usage, round: Round<'_>, at_s: i64) -> bool {
    fold_seen(usage, &seen(round), at_s)
}

/// Folds in what was kept of a round.
pub fn fold_seen(usage: &mut Usage, seen: &Seen, at_s: i64) -> bool {
    if seen.cpu.is_empty() || usage.last_cpu_s.is_some_and(|last| at_s <= last) {
        return false;
    }
    if usage.last_cpu_s.is_some_and(|last| at_s - last > FORGOTTEN_AFTER_S) {
        forget(usage);
    }
    let mut cpu = Decaying::of(Buckets::cpu(), &usage.cpu);
    for (bucket, pods) in &seen.cpu {
        cpu.add_to(usize::from(*bucket), CPU_WEIGHT * f64::from(*pods), at_s);
    }
    usage.cpu = cpu.kept();
    count(&mut usage.cpu_days, &seen.cpu, seen.cpu_peak, at_s);
    count(&mut usage.memory_days, &seen.memory, seen.memory_peak, at_s);
    let mut window = window(usage);
    if let Some(ops) = window.sample(seen.memory_peak, at_s, WINDOW_S) {
        apply(usage, &ops);
    }
    keep(usage, window);
    usage.first_cpu_s.get_or_insert(at_s);
    usage.last_cpu_s = Some(at_s);
    let pods: u64 = seen.cpu.iter().map(|(_, pods)| u64::from(*pods)).sum();
    usage.cpu_samples = usage.cpu_samples.saturating_add(pods);
    usage.rounds = usage.rounds.saturating_add(1);
    true
}

/// Folds an OOM kill in, as a sample of more memory than there was.
pub(super) fn fold_oom(usage: &mut Usage, request: u64, at_s: i64) {
    let mut window = window(usage);
    if let Some(ops) = window.oom(request, at_s, WINDOW_S) {
        apply(usage, &ops);
        keep(usage, window);
    }
}

fn window(usage: &Usage) -> Window {
    Window { last_s: usage.last_memory_s, end_s: usage.window_end_s, peak: usage.memory_peak, oom_peak: usage.oom_peak }
}

fn keep(usage: &mut Usage, window: Window) {
    (usage.last_memory_s, usage.window_end_s) = (window.last_s, window.end_s);
    (usage.memory_peak, usage.oom_peak) = (window.peak, window.oom_peak);
}

fn apply(usage: &mut Usage, ops: &[Op]) {
    let mut memory = Decaying::of(Buckets::memory(), &usage.memory);
    for op in ops {
        match *op {
            Op::Add(bytes, at_s) => memory.add(bytes as f64, MEMORY_WEIGHT, at_s),
            Op::Subtract(bytes, at_s) => memory.subtract(bytes as f64, MEMORY_WEIGHT, at_s),
        }
    }
    usage.memory = memory.kept();
}

/// What was measured is too old to say anything. What was killed, raised and rolled out stays.
fn forget(usage: &mut Usage) {
    *usage = Usage {
        ooms: std::mem::take(&mut usage.ooms),
        raises_s: std::mem::take(&mut usage.raises_s),
        floor_bytes: usage.floor_bytes,
        floor_until_s: usage.floor_until_s,
        resized_s: usage.resized_s,
        ..Usage::default()
    };
}

/// Puts a round into its date.
fn count(days: &mut Vec<Day>, buckets: &[(u8, u32)], peak: u64, at_s: i64) {
    let date = at_s.div_euclid(86_400);
    if days.last().is_none_or(|day| day.date < date) {
        days.push(Day { date, ..Day::default() });
        let oldest = date - i64::try_from(DAYS_KEPT).unwrap_or(i64::MAX);
        days.retain(|day| day.date > oldest);
    }
    let Some(day) = days.last_mut() else { return };
    day.peak = day.peak.max(peak);
    for (bucket, pods) in buckets {
        day.samples = day.samples.saturating_add(u64::from(*pods));
        add(&mut day.counts, usize::from(*bucket), *pods);
    }
}

/// Counts pods in a bucket of a list in order.
fn add(counts: &mut Vec<(u8, u32)>, bucket: usize, pods: u32) {
    let Ok(bucket) = u8::try_from(bucket) else { return };
    match counts.binary_search_by_key(&bucket, |(bucket, _)| *bucket) {
        Ok(place) => counts[place].1 = counts[place].1.saturating_add(pods),
        Err(place) => counts.insert(place, (bucket, pods)),
    }
}
