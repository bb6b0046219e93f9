//! How likely a spot pool interrupts an instance within a horizon, and how good such predictions were.
//!
//! A hazard per hour comes from the Spot Advisor's band, and is raised by a restless price and by a fresh trouble of the pool:
//! `P = 1 - exp(-hazard x horizon)`. The factors are priors of ours, stated below; [`report`] measures them against what
//! happened, and a [`Calibrator`] corrects them once enough has.

mod calibration;
mod calibrator;
mod features;

pub use calibration::{Bin, Outcome, Report, report, wilson};
pub use calibrator::{Calibrator, EVENTS_MIN, Fitted, OUTCOMES_MIN, TooFew};
pub use features::{FEATURES, Feature, Size, features};

use crate::risk::{Evidence, Gap, TROUBLE_HALF_LIFE, volatility};
use domain::market::Band;
use domain::{SignedDuration, Timestamp};

/// The Spot Advisor looks back 30 days (AWS, Spot Instance Advisor: "the rate at which Spot has reclaimed capacity during the
/// trailing month").
const MONTH_H: f64 = 30.0 * 24.0;

/// How much a price that is as restless as can be multiplies the hazard: by 1 + this. Own prior.
pub const VOLATILITY_FACTOR: f64 = 1.0;

/// How much a trouble of this moment multiplies the hazard: by 1 + this, decaying with [`TROUBLE_HALF_LIFE`]. Own prior: a pool
/// that has just taken an instance is short of capacity, and nine of ten interruptions of a pool come in company, minutes
/// apart. At 24 a month's interruptions are expected within 30 hours.
pub const TROUBLE_FACTOR: f64 = 24.0;

/// The share of instances interrupted in a month that a band stands for: its middle, in [0, 1]. The highest band has no end in
/// the file; 0.225 continues the steps of five percent and is the least that it can mean. A calibrator finds out how much more.
pub fn monthly_rate(band: Band) -> f64 {
    match band {
        Band::Below5 => 0.025,
        Band::From5 => 0.075,
        Band::From10 => 0.125,
        Band::From15 => 0.175,
        Band::Above20 => 0.225,
    }
}

/// A prediction for one instance in one pool.
#[derive(Debug, Clone, PartialEq)]
pub struct Prediction {
    /// That it is interrupted within the horizon, in [0, 1].
    pub probability: f64,
    /// The mean hazard over the horizon, interruptions per instance and hour.
    pub hazard_per_hour: f64,
    /// What was not known. Without advice the middle band is taken; what else is missing leaves the band's hazard as it is,
    /// for the band is the average over restless and calm times.
    pub gaps: Vec<Gap>,
}

/// How likely an instance of the pool is interrupted within `horizon` from now. A horizon of zero or less has probability 0.
///
/// # Guarantees
/// The probability is in [0, 1]. It never falls when the horizon, the band or the volatility rises, or the last trouble is later.
pub fn predict(evidence: &Evidence<'_>, horizon: SignedDuration, now: Timestamp) -> Prediction {
    let mut gaps = Vec::new();
    let mut or_gap = |known: Option<f64>, gap: Gap| {
        if known.is_none() {
            gaps.push(gap);
        }
        known.unwrap_or_default()
    };
    let rate = evidence.advice.map(|advice| monthly_rate(advice.band));
    or_gap(rate, Gap::NoAdvice);
    let rate = rate.unwrap_or_else(|| monthly_rate(Band::From10));
    let restless = or_gap(volatility(evidence.history, now), Gap::ShortHistory);
    let fresh = or_gap(evidence.trouble.freshness(now), Gap::NoRecords);

    // A share r of a month's instances at a constant hazard h: 1 - exp(-h x month) = r.
    let base = -(-rate).ln_1p() / MONTH_H * (1.0 + VOLATILITY_FACTOR * restless);
    let hours = (horizon.as_secs_f64() / 3600.0).max(0.0);
    // The trouble fades while the horizon runs: the integral of 2^(-t / half life), in hours.
    let half_life_h = TROUBLE_HALF_LIFE.as_secs_f64() / 3600.0;
    let troubled_h = fresh * half_life_h / std::f64::consts::LN_2 * (1.0 - (-hours / half_life_h).exp2());
    let expected = base * (hours + TROUBLE_FACTOR * troubled_h);
    let hazard_per_hour = if hours > 0.0 { expected / hours } else { base * (1.0 + TROUBLE_FACTOR * fresh) };
    Prediction { probability: (-(-expected).exp_m1()).clamp(0.0, 1.0), hazard_per_hour, gaps }
}

#[cfg(test)]
mod tests;
