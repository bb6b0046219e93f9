//! The audit trail: every mutating call has a row, opened with the intent and closed with the result.

use crate::plan::PlanKey;
use jiff::Timestamp;
use serde::{Deserialize, Serialize};

/// One row. Its id is (plan, step, do or undo, generation), so that a repeated intent opens the same row again.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
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
