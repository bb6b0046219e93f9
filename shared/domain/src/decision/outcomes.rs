//! What became of predictions: told by whoever acts, kept by whoever predicts, and what both learn from it.

use super::PoolName;
use crate::ids::{ClusterId, CustomerId, Region};
use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};

/// How many outcomes one call may tell.
pub const OUTCOMES_MAX: usize = 1_000;
/// How many instances one outcome may speak of: the nodes of the largest cluster.
pub const INSTANCES_MAX: u32 = 10_000;
/// For how many days outcomes are kept and judged: three months of the Spot Advisor's own look back.
pub const JUDGED_DAYS: i64 = 90;

/// What became of one prediction: of so many instances of a pool that were watched to the end of the horizon, so many were
/// interrupted. An instance that was ended by somebody else in between is not counted.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct PredictionOutcome {
    /// Told twice under one id, it counts once.
    pub id: String,
    /// The Region.
    pub region: Region,
    /// The pool.
    pub pool: PoolName,
    /// When it was predicted.
    pub predicted_at: Timestamp,
    /// Within how many minutes.
    pub horizon_minutes: u32,
    /// The probability that was predicted for each instance, 0 to 1.
    pub probability: f64,
    /// The same before it was corrected, where it was.
    #[serde(default)]
    pub uncorrected: Option<f64>,
    /// How many instances were watched.
    pub instances: u32,
    /// How many of them were interrupted within the horizon.
    pub interrupted: u32,
}

/// The id of an outcome: the same for the same prediction, and it names nobody.
pub fn outcome_id(customer: &CustomerId, cluster: &ClusterId, pool: &PoolName, predicted_at: Timestamp) -> String {
    let mut hash = Sha256::new();
    for part in [customer.as_str(), cluster.as_str(), pool.instance_type.as_str(), pool.zone.as_str(), &predicted_at.to_string()] {
        // Length first: "ab" + "c" and "a" + "bc" must differ.
        hash.update((part.len() as u64).to_be_bytes());
        hash.update(part.as_bytes());
    }
    let mut text = data_encoding::BASE32_NOPAD.encode(&hash.finalize()).to_ascii_lowercase();
    text.truncate(32);
    text
}

/// How many outcomes were kept.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct Kept {
    /// How many.
    pub kept: u32,
}

/// How good predictions of one horizon were.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct Calibration {
    /// Within how many minutes.
    pub horizon_minutes: u32,
    /// The oldest prediction that is judged.
    pub since: Timestamp,
    /// The newest.
    pub until: Timestamp,
    /// How many predictions are judged: one for each instance that was watched.
    pub predictions: u32,
    /// The share that was interrupted.
    pub base_rate: f64,
    /// Brier score: the mean square of (predicted - happened). 0 is perfect.
    pub brier: f64,
    /// 1 - Brier score / Brier score of always saying the base rate: above 0 the predictions know more than the average does. Null
    /// where all or nothing was interrupted.
    pub brier_skill: Option<f64>,
    /// The mean of |predicted - observed| over the reliability table.
    pub expected_calibration_error: f64,
    /// The reliability table, lowest predictions first.
    pub reliability: Vec<Reliability>,
}

/// One row of the reliability table: predictions of about the same height.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct Reliability {
    /// How many predictions.
    pub predictions: u32,
    /// Their mean.
    pub predicted: f64,
    /// The share that was interrupted.
    pub observed: f64,
    /// The lower end of the 95 % interval of that share.
    pub low: f64,
    /// Its upper end.
    pub high: f64,
}
