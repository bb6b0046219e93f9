//! Target, lower and upper bound: percentile, margin, confidence, minimum, in this order.

use super::{amount, millis, scaled};
use crate::rightsizing::decaying::Decaying;

/// Percentiles of target, lower and upper bound.
const PERCENTILES: [f64; 3] = [0.9, 0.5, 0.95];
/// Added to each of them.
const MARGIN: f64 = 0.15;
/// What a pod gets at the least: thousandths of a core, and bytes (250 MiB).
const POD_MIN: (u64, u64) = (25, 262_144_000);
/// Seconds in the interval that confidence is counted in.
const CONFIDENCE_S: f64 = 86_400.0;
/// Multiplier and exponent of the upper and of the lower bound.
const UPPER: (f64, f64) = (1.0, 1.0);
const LOWER: (f64, f64) = (0.001, -2.0);

/// CPU in thousandths of a core, memory in bytes.
pub type Amounts = (u64, u64);

/// What a container needs.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Bounds {
    /// What to request.
    pub target: Amounts,
    /// Below this is too little.
    pub lower: Amounts,
    /// Above this is too much.
    pub upper: Amounts,
}

/// What is known of a container.
#[derive(Debug, Clone, Copy)]
pub struct Evidence<'a> {
    /// CPU, in cores.
    pub cpu: &'a Decaying,
    /// Memory peaks, in bytes.
    pub memory: &'a Decaying,
    /// See [`confidence`].
    pub confidence: f64,
    /// How many containers share the pod's minimum.
    pub containers: u64,
}

/// How much of the past is known, in days: the shorter of what the first and the last sample span and of what so many samples would
/// span. `per_day` says how many samples are taken on a day; the autoscaler itself assumes 1440, one a minute.
pub fn confidence(span_s: i64, samples: u64, per_day: f64) -> f64 {
    (span_s as f64 / CONFIDENCE_S).min(samples as f64 / per_day)
}

/// An amount by how sure it is: times (1 + multiplier / confidence) ^ exponent.
pub fn with_confidence(value: u64, confidence: f64, multiplier: f64, exponent: f64) -> u64 {
    scaled(value, (1.0 + multiplier / confidence).powf(exponent))
}

/// An amount and a share of it.
pub fn with_margin(value: u64, margin: f64) -> u64 {
    value.saturating_add(scaled(value, margin))
}

/// At least so much.
pub fn with_minimum(value: u64, minimum: u64) -> u64 {
    value.max(minimum)
}

/// Target and bounds.
pub fn bounds(of: &Evidence<'_>) -> Bounds {
    let containers = of.containers.max(1) as f64;
    let minimum = (scaled(POD_MIN.0, 1.0 / containers), scaled(POD_MIN.1, 1.0 / containers));
    let each = |percentile: f64, sure: Option<(f64, f64)>| {
        let cpu = with_margin(millis(of.cpu.percentile(percentile)), MARGIN);
        let memory = with_margin(amount(of.memory.percentile(percentile)), MARGIN);
        let sure = |value| sure.map_or(value, |(multiplier, exponent)| with_confidence(value, of.confidence, multiplier, exponent));
        (with_minimum(sure(cpu), minimum.0), with_minimum(sure(memory), minimum.1))
    };
    let [target, lower, upper] = PERCENTILES;
    Bounds { target: each(target, None), lower: each(lower, Some(LOWER)), upper: each(upper, Some(UPPER)) }
}
