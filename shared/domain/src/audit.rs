//! The audit trail: every mutating call has a row, opened with the intent and closed with the result.

use crate::ids::CustomerId;
use crate::plan::PlanKey;
use crate::tenant::Role;
use jiff::Timestamp;
use serde::{Deserialize, Serialize};

/// One row. Its id is (plan, step, do or undo, generation), so that a repeated intent opens the same row again.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct AuditRow {
    /// The plan that called.
    pub plan: PlanKey,
    /// Unique within the plan: `<step>-<do|undo>-<generation>`.
    pub id: String,
    /// What is called, in words: `cordon ip-10-0-0-1`.
    pub action: String,
    /// Who asked: `spot_interruption i-...`, `api key ops`.
    pub asked_by: String,
    /// When the intent was written.
    pub opened_at: Timestamp,
    /// When the result was written; `None`: in flight, or lost with a crash and not yet taken up again.
    pub closed_at: Option<Timestamp>,
    /// What came of it, in one sentence.
    pub result: Option<String>,
}

/// A request that changes something, as it was asked of the API.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct Request {
    /// Id, unique within the customer.
    pub id: String,
    /// The customer whose things it is about.
    pub customer: CustomerId,
    /// When it came.
    pub at: Timestamp,
    /// Who asked: the label of the key, or the subject of the token.
    pub by: String,
    /// Which key or token issuer vouched for them.
    pub credential: String,
    /// With which role.
    pub role: Role,
    /// What was asked, as the API spells it: `PUT /api/v1/admin/clusters/{id}`.
    pub action: String,
    /// Of what: the path.
    pub object: String,
    /// What was there before, where something was. Never holds a secret.
    pub before: Option<serde_json::Value>,
    /// What was answered. Never holds a secret.
    pub after: Option<serde_json::Value>,
    /// The status of the answer; `None`: under way, or lost with a crash.
    pub status: Option<u16>,
}
