//! Reckons as the recommender and the updater of the Vertical Pod Autoscaler do (autoscaling.k8s.io, at its version of 2026): amounts
//! are whole thousandths of a core and bytes, cut off towards zero.

mod bounds;
mod capping;
mod eviction;
mod priority;

pub use bounds::{Amounts, Bounds, Evidence, bounds, confidence, with_confidence, with_margin, with_minimum};
pub use capping::{Cap, Controlled, LimitRange, boundary_request, cap_to_limit, cap_to_policy, cap_to_range, proportional_limit};
pub use eviction::{EvictedFor, evicted_for};
pub use priority::{AGE_MIN_S, Admission, CHANGE_MIN, Priority, QUICK_OOM_S, Range, admits, order, priority};

/// The largest amount of anything.
pub const AMOUNT_MAX: u64 = 100_000_000_000_000;

/// An amount from a number: cut off, and never beyond [`AMOUNT_MAX`].
pub fn amount(value: f64) -> u64 {
    #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "the cast saturates, which is what is meant")]
    let whole = value as u64;
    whole.min(AMOUNT_MAX)
}

/// Thousandths of a core.
pub fn millis(cores: f64) -> u64 {
    amount(cores * 1_000.0)
}

/// An amount times a factor, cut off.
pub fn scaled(value: u64, factor: f64) -> u64 {
    amount(value as f64 * factor)
}

/// The next multiple of a step. `None`: there are no multiples of nothing.
pub fn rounded_up(value: u64, step: i64) -> Option<u64> {
    let step = u64::try_from(step).ok().filter(|step| *step > 0)?;
    Some(value.div_ceil(step).saturating_mul(step))
}
