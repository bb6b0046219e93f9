//! Runs of the optimizer, as they are shown.

use domain::Timestamp;
use domain::decision::{DecisionType, Untouched, WhyNot};
use domain::ids::{ClusterId, NodeName, PlanId, RunId};
use domain::money::MicroDollars;
use domain::optimization::{Refusal, Run, RunStatus};
use domain::policy::Mode;
use schemars::JsonSchema;
use serde::Serialize;
use std::collections::BTreeMap;

/// Where a run is shown.
pub fn href(run: &RunId) -> String {
    format!("/api/v1/optimization/status/{run}")
}

/// What was asked for.
#[derive(Debug, Serialize, JsonSchema)]
pub struct QueuedRuns {
    /// `queued`.
    pub status: &'static str,
    /// The cluster.
    pub cluster_id: ClusterId,
    /// Whether it is only decided and recorded.
    pub dry_run: bool,
    /// A run for each type.
    pub optimizations: Vec<QueuedRun>,
}

/// A run that is to come.
#[derive(Debug, Serialize, JsonSchema)]
pub struct QueuedRun {
    /// What is decided.
    pub optimization_type: DecisionType,
    /// What it will be called.
    pub optimization_id: RunId,
    /// Where it will be shown.
    pub href: String,
}

impl QueuedRun {
    /// A run of this type under this name.
    pub fn of(optimization_type: DecisionType, id: RunId) -> QueuedRun {
        QueuedRun { optimization_type, href: href(&id), optimization_id: id }
    }
}

/// What every view of a run begins with.
#[derive(Debug, Serialize, JsonSchema)]
pub struct RunHead {
    optimization_id: RunId,
    href: String,
    cluster_id: ClusterId,
    optimization_type: DecisionType,
    mode: Mode,
    status: RunStatus,
    why: Option<String>,
    asked_by: String,
    executed_at: Timestamp,
    snapshot_at: Option<Timestamp>,
    estimated_savings_per_hour: MicroDollars,
    cost_before_per_hour: MicroDollars,
    cost_after_per_hour: MicroDollars,
    lower_bound_per_hour: MicroDollars,
    untouched_counts: BTreeMap<WhyNot, u32>,
}

impl RunHead {
    /// Of a run.
    pub fn of(run: &Run) -> RunHead {
        RunHead {
            optimization_id: run.id.clone(),
            href: href(&run.id),
            cluster_id: run.cluster.clone(),
            optimization_type: run.decision,
            mode: run.mode,
            status: run.status,
            why: run.why.clone(),
            asked_by: run.asked_by.clone(),
            executed_at: run.at,
            snapshot_at: run.snapshot_at,
            estimated_savings_per_hour: run.estimated_saving,
            cost_before_per_hour: run.cost_before,
            cost_after_per_hour: run.cost_after,
            lower_bound_per_hour: run.lower_bound,
            untouched_counts: run.untouched_counts.clone(),
        }
    }
}

/// A run in a list.
#[derive(Debug, Serialize, JsonSchema)]
#[schemars(rename = "Run")]
pub struct RunShort {
    #[serde(flatten)]
    head: RunHead,
    /// How many moves passed every check.
    recommendations: usize,
    /// How many did not.
    refused: usize,
}

impl RunShort {
    /// Of a run.
    pub fn of(run: &Run) -> RunShort {
        RunShort { head: RunHead::of(run), recommendations: run.recommendations.len(), refused: run.refused.len() }
    }
}

/// A run with its plans, what they have really saved, and each node that was left as it is.
#[derive(Debug, Serialize, JsonSchema)]
pub struct RunDetail {
    /// What stands in lists, too.
    #[serde(flatten)]
    pub head: RunHead,
    /// Its plans.
    pub recommendations: Vec<Planned>,
    /// Moves that did not pass, and every rule that says no.
    pub refused: Vec<Refusal>,
    /// What its plans have really saved so far.
    pub actual_savings_per_hour: MicroDollars,
    /// Whether nothing more will come of it.
    pub completed: bool,
    /// What answered.
    pub engine: String,
    /// What the answer is made of, in sentences.
    pub reasons: Vec<String>,
    /// What was considered and rejected, in sentences.
    pub rejected: Vec<String>,
    /// Nodes that are left as they are, each with its reason.
    pub untouched: Vec<Untouched>,
}

/// A plan of a run.
#[derive(Debug, Serialize, JsonSchema)]
pub struct Planned {
    /// The plan that it would be, or is.
    pub plan_id: PlanId,
    /// Where it is shown; `null` where the mode only observes.
    pub href: Option<String>,
    /// The nodes that go.
    pub remove: Vec<NodeName>,
    /// How many nodes come.
    pub launch: u32,
    /// What speaks for it.
    pub why: String,
    /// What it would save.
    pub estimated_savings_per_hour: MicroDollars,
    /// What it has really saved so far.
    pub actual_savings_per_hour: MicroDollars,
    /// How far it is, in one word.
    pub status: &'static str,
}
