//! What was predicted, by whom, out of what: so that it can be held against what happened, and another model be tried on the same.

use crate::decision::PoolName;
use crate::ids::Region;
use jiff::Timestamp;
use serde::{Deserialize, Serialize};

/// How many pools one batch holds: some 250 bytes each, below the 400 KB of an item.
pub const ROWS_MAX: usize = 1_000;

/// What a model said beside the engine of this server.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct ModelSaid {
    /// The model.
    pub model: String,
    /// How long it took for all pools of the question, in microseconds.
    pub took_us: u64,
    /// Why it said nothing; `None`: it did.
    pub failed: Option<String>,
}

/// Predictions that answered one question.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct PredictionBatch {
    /// Its name.
    pub id: String,
    /// When it was answered.
    pub at: Timestamp,
    /// The Region.
    pub region: Region,
    /// Within how many minutes.
    pub horizon_minutes: u32,
    /// The model that was to answer.
    pub active: Option<ModelSaid>,
    /// The model in the shadow.
    pub shadow: Option<ModelSaid>,
    /// The predictions, by pool.
    pub rows: Vec<PredictionRow>,
}

/// What was said of one pool.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct PredictionRow {
    /// The pool.
    pub pool: PoolName,
    /// The probability that was told.
    pub told: f64,
    /// What the engine of this server reckons and corrects.
    pub built_in: f64,
    /// What the active model said.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub active: Option<f64>,
    /// What the model in the shadow said.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub shadow: Option<f64>,
    /// What models are given, in the order of the tensor contract.
    pub features: Vec<f32>,
}
