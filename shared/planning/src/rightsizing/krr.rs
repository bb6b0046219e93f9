//! Reckons as KRR (Kubernetes Resource Recommender) does, at its version of 2026: strategies, rounding, severity, score, and what its
//! enforcer holds for a difference.

mod severity;
mod strategy;

pub use severity::{Score, score, severity};
pub use strategy::{History, OOM_MARGIN_PERCENT, Proposal, Rule, Settings, simple, simple_limit};

use domain::sizing::Resource;

/// The least CPU, thousandths of a core.
pub const CPU_MIN: u64 = 10;
/// The least memory, bytes.
pub const MEMORY_MIN: u64 = 100 << 20;
const MIB: f64 = 1_048_576.0;

/// Rounds up to a thousandth of a core or to a MiB (then given in cores and bytes), not below the least.
pub fn rounded(of: Resource, value: f64) -> f64 {
    match of {
        Resource::Cpu => ((value * 1_000.0).ceil() / 1_000.0).max(CPU_MIN as f64 / 1_000.0),
        Resource::Memory => ((value / MIB).ceil() * MIB).max(MEMORY_MIN as f64),
    }
}

/// Whether a difference is worth a change: more than so many percent of what is set, or nothing is set.
pub fn worth_a_change(old: Option<f64>, new: f64, threshold_percent: f64) -> bool {
    match old.filter(|old| *old > 0.0) {
        None => true,
        Some(old) => (new - old).abs() / old * 100.0 > threshold_percent,
    }
}
