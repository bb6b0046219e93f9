//! Plans and operations, as they are shown.

use super::StepView;
use domain::Timestamp;
use domain::audit::AuditRow;
use domain::decision::{Untouched, WhyNot};
use domain::ids::{ClusterId, PlanId, RunId};
use domain::money::MicroDollars;
use domain::operation::Operation;
use domain::optimization::{ProposalState, Refusal};
use domain::plan::check::Blocked;
use domain::plan::stakes::NodeStake;
use domain::plan::{Outcome, Plan, PlanKind, PlanRecord, Progress};
use schemars::JsonSchema;
use serde::Serialize;
use std::collections::BTreeMap;

/// A command that was written down, and where to follow it.
#[derive(Debug, Serialize, JsonSchema)]
#[schemars(rename = "OperationAccepted")]
pub struct Accepted {
    /// The operation.
    pub operation_id: String,
    /// `pending`.
    pub status: &'static str,
    /// Where it is shown.
    pub href: String,
    /// The cluster.
    pub cluster_id: ClusterId,
    /// The plan that carries it out.
    pub plan_id: PlanId,
}

/// The plan that a command would lead to; nothing was written.
#[derive(Debug, Serialize, JsonSchema)]
pub struct DryPlan {
    /// Always true.
    pub dry_run: bool,
    /// The plan.
    pub plan: Plan,
}

/// An operation in a list.
#[derive(Debug, Serialize, JsonSchema)]
#[schemars(rename = "Operation")]
pub struct OperationShort {
    operation_id: String,
    href: String,
    kind: String,
    status: &'static str,
    cluster_id: ClusterId,
    plan_id: PlanId,
    plan: String,
    created_at: Timestamp,
}

impl OperationShort {
    /// Of an operation and its plan.
    pub fn of(operation: &Operation, record: &PlanRecord) -> OperationShort {
        OperationShort {
            operation_id: operation.id.clone(),
            href: format!("/api/v1/operations/{}", operation.id),
            kind: operation.kind.clone(),
            status: super::status(&record.progress),
            cluster_id: operation.plan.cluster.clone(),
            plan_id: operation.plan.plan.clone(),
            plan: href(record),
            created_at: operation.created_at,
        }
    }
}

/// An operation. Its state is the state of its plan.
#[derive(Debug, Serialize, JsonSchema)]
pub struct OperationDetail {
    /// What stands in lists, too.
    #[serde(flatten)]
    pub head: OperationShort,
    /// How it ended.
    pub outcome: Option<Outcome>,
    /// Why it is.
    pub reason: String,
    /// When it is given up.
    pub deadline: Timestamp,
    /// Its steps.
    pub steps: Vec<StepView>,
}

fn href(record: &PlanRecord) -> String {
    format!("/api/v1/plans/{}/{}", record.plan.key.cluster, record.plan.key.plan)
}

/// A plan in a list.
#[derive(Debug, Serialize, JsonSchema)]
#[schemars(rename = "PlanSummary")]
pub struct PlanShort {
    plan_id: PlanId,
    cluster_id: ClusterId,
    href: String,
    kind: PlanKind,
    status: &'static str,
    outcome: Option<Outcome>,
    reason: String,
    requested_by: String,
    created_at: Timestamp,
    deadline: Timestamp,
    expected_saving_per_hour: MicroDollars,
    steps: usize,
    blocked: Vec<Blocked>,
}

impl PlanShort {
    /// Of a plan.
    pub fn of(record: &PlanRecord) -> PlanShort {
        let PlanRecord { plan, progress } = record;
        PlanShort {
            plan_id: plan.key.plan.clone(),
            cluster_id: plan.key.cluster.clone(),
            href: href(record),
            kind: plan.kind,
            status: super::status(progress),
            outcome: progress.outcome.clone(),
            reason: plan.reason.clone(),
            requested_by: plan.requested_by.clone(),
            created_at: plan.created_at,
            deadline: plan.deadline,
            expected_saving_per_hour: plan.expected_saving,
            steps: plan.steps.len(),
            blocked: progress.blocked.clone(),
        }
    }
}

/// A plan, its progress and its audit rows. What boots a node is not shown.
#[derive(Debug, Serialize, JsonSchema)]
pub struct PlanDetail {
    /// How far it is, in one word.
    pub status: &'static str,
    /// The plan.
    pub plan: Plan,
    /// How far each step is.
    pub progress: Progress,
    /// What was called.
    pub audit: Vec<AuditRow>,
}

/// What a plan was decided on.
#[derive(Debug, Serialize, JsonSchema)]
pub struct DecidedOn {
    /// When the cluster was looked at.
    pub snapshot_at: Timestamp,
    /// What it must save to be carried out.
    pub least_saving_per_hour: MicroDollars,
    /// What a node costs besides its price.
    pub overhead_per_hour: MicroDollars,
}

/// A step that is still to be begun.
#[derive(Debug, Serialize, JsonSchema)]
pub struct PlannedStep {
    /// What it does, in words.
    pub action: String,
    /// The steps that must be done before it.
    pub after: Vec<usize>,
}

/// A plan of the optimizer: why it is, node by node, and why all other nodes are left as they are.
#[derive(Debug, Serialize, JsonSchema)]
#[schemars(rename = "Proposal")]
pub struct ProposalView {
    /// The plan.
    pub plan_id: PlanId,
    /// The cluster.
    pub cluster_id: ClusterId,
    /// The run that made it.
    pub optimization_id: RunId,
    /// What it does.
    pub kind: PlanKind,
    /// How far it is, in one word.
    pub status: &'static str,
    /// Where the word of people is.
    pub state: ProposalState,
    /// What speaks for it.
    pub why: String,
    /// What it rests on.
    pub evidence: Vec<String>,
    /// What it would save.
    pub estimated_savings_per_hour: MicroDollars,
    /// What it has really saved so far.
    pub actual_savings_per_hour: MicroDollars,
    /// The nodes that go.
    pub nodes: Option<Vec<NodeStake>>,
    /// What it was decided on.
    pub decided_on: Option<DecidedOn>,
    /// Its steps.
    pub steps: Vec<PlannedStep>,
    /// How far they are, once it is begun.
    pub progress: Option<Vec<StepView>>,
    /// What holds it up, once it is begun.
    pub blocked: Option<Vec<Blocked>>,
    /// When it is given up.
    pub deadline: Timestamp,
    /// How many nodes are left as they are, by reason.
    pub untouched_counts: Option<BTreeMap<WhyNot, u32>>,
    /// Which, each with its reason.
    pub untouched: Option<Vec<Untouched>>,
    /// Moves that did not pass, and every rule that says no.
    pub refused: Option<Vec<Refusal>>,
    /// What no placement of these pods goes below.
    pub lower_bound_per_hour: Option<MicroDollars>,
}

/// A person's word on a plan, as it was taken or would be.
#[derive(Debug, Serialize, JsonSchema)]
pub struct Word {
    /// Whether nothing was written.
    pub dry_run: bool,
    /// The plan.
    pub plan_id: String,
    /// Where it is now, or would be.
    pub state: &'static str,
    /// Where it is shown.
    pub href: String,
}
