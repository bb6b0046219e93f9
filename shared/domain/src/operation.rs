//! Operations: what a caller of the API follows after a 202.

use crate::plan::PlanKey;
use jiff::Timestamp;
use serde::{Deserialize, Serialize};

/// An asynchronous command. Its state is the state of its plan: nothing is stored twice.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Operation {
    /// Id.
    pub id: String,
    /// `drain`, `cordon`, `uncordon`, `scale`.
    pub kind: String,
    /// The plan that carries it out.
    pub plan: PlanKey,
    /// When it was asked for.
    pub created_at: Timestamp,
}
