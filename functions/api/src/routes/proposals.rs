//! Plans of the optimizer: why they are, and a person's word on them.

use super::optimization::became;
use crate::Deps;
use crate::auth::Caller;
use crate::desk::Desk;
use crate::extract::{Dry, NewId, Params};
use crate::problem::Problem;
use crate::trail::before;
use crate::view;
use crate::view::plans::{DecidedOn, PlannedStep, ProposalView, Word};
use crate::wishes::{problem, who, wishes};
use axum::Json;
use axum::extract::Path;
use axum::response::{IntoResponse, Response};
use domain::ids::PlanId;
use domain::optimization::{Proposal, ProposalState};
use http::{StatusCode, header};
use serde_json::{Value, json};

async fn find(deps: &Deps, caller: &Caller, id: &str) -> Result<Proposal, Problem> {
    let absent = || Problem::absent("plan");
    let id = PlanId::parse(id).map_err(|_| absent())?;
    deps.optimizations.proposal(&caller.customer, &id).await?.ok_or_else(absent)
}

/// `GET /api/v1/optimization/plans/{id}`: why a plan is, node by node, and why all other nodes are left as they are.
///
/// # Errors
/// 404 where it is not the caller's.
pub async fn show(Desk(deps): Desk, caller: Caller, Path(id): Path<String>) -> Result<Json<Value>, Problem> {
    let proposal = find(&deps, &caller, &id).await?;
    let run = deps.optimizations.run(&caller.customer, &proposal.run).await?;
    let record = match proposal.state {
        ProposalState::Opened | ProposalState::Ended { .. } => deps.journal.load(&proposal.plan.key).await?,
        ProposalState::Recommended
        | ProposalState::Waiting { .. }
        | ProposalState::Approved { .. }
        | ProposalState::Rejected { .. }
        | ProposalState::Expired
        | ProposalState::Stale { .. } => None,
    };
    let became = became(&deps, Some(&proposal)).await?;
    let plan = &proposal.plan;
    let view = ProposalView {
        plan_id: plan.key.plan.clone(),
        cluster_id: plan.key.cluster.clone(),
        optimization_id: proposal.run.clone(),
        kind: plan.kind,
        status: became.word,
        state: proposal.state.clone(),
        why: plan.reason.clone(),
        evidence: plan.evidence.clone(),
        estimated_savings_per_hour: plan.expected_saving,
        actual_savings_per_hour: became.saved,
        nodes: plan.stakes.as_ref().map(|stakes| stakes.nodes.clone()),
        decided_on: plan.stakes.as_ref().map(|stakes| DecidedOn {
            snapshot_at: stakes.snapshot_at,
            least_saving_per_hour: stakes.saving_min,
            overhead_per_hour: stakes.overhead_per_hour,
        }),
        steps: plan.steps.iter().map(|step| PlannedStep { action: step.action.to_string(), after: step.after.clone() }).collect(),
        progress: record.as_ref().map(view::steps),
        blocked: record.as_ref().map(|record| record.progress.blocked.clone()),
        deadline: plan.deadline,
        untouched_counts: run.as_ref().map(|run| run.untouched_counts.clone()),
        untouched: run.as_ref().map(|run| run.untouched.clone()),
        refused: run.as_ref().map(|run| run.refused.clone()),
        lower_bound_per_hour: run.as_ref().map(|run| run.lower_bound),
    };
    Ok(Json(view::without_user_data(serde_json::to_value(view).map_err(Problem::internal)?)))
}

/// `POST /api/v1/optimization/plans/{id}/approve`: the next round looks at the cluster again, and opens the plan if it still holds.
///
/// # Errors
/// 404 where it is not the caller's, 409 where nobody is asked about it.
pub async fn approve(
    Desk(deps): Desk,
    caller: Caller,
    Path(id): Path<String>,
    NewId(new): NewId,
    Params(dry): Params<Dry>,
) -> Result<Response, Problem> {
    let was = wishes(&deps).approve(&who(&caller), &id, &new, dry.dry_run).await.map_err(problem)?.state;
    Ok(before(word(dry.dry_run, &id, "approved"), json!(was)))
}

/// `POST /api/v1/optimization/plans/{id}/reject`.
///
/// # Errors
/// 404 where it is not the caller's, 409 where nobody is asked about it.
pub async fn reject(Desk(deps): Desk, caller: Caller, Path(id): Path<String>, Params(dry): Params<Dry>) -> Result<Response, Problem> {
    let was = wishes(&deps).reject(&who(&caller), &id, dry.dry_run).await.map_err(problem)?.state;
    let word = Word { dry_run: dry.dry_run, href: href(&id), plan_id: id, state: "rejected" };
    Ok(before(Json(word).into_response(), json!(was)))
}

/// `POST /api/v1/optimization/plans/{id}/cancel`: what is under way is stopped and taken back, unless it is behind its point of no
/// return; what waits is rejected.
///
/// # Errors
/// 404 where it is not the caller's, 409 where it is over or behind its point of no return.
pub async fn cancel(Desk(deps): Desk, caller: Caller, Path(id): Path<String>, Params(dry): Params<Dry>) -> Result<Response, Problem> {
    let (wishes, who) = (wishes(&deps), who(&caller));
    let was = wishes.proposal(&who, &id).await.map_err(problem)?.state;
    if matches!(was, ProposalState::Waiting { .. } | ProposalState::Approved { .. }) {
        return reject(Desk(deps), caller, Path(id), Params(dry)).await;
    }
    wishes.cancel(&who, &id, dry.dry_run).await.map_err(problem)?;
    Ok(before(word(dry.dry_run, &id, "cancelled"), json!(was)))
}

fn href(id: &str) -> String {
    format!("/api/v1/optimization/plans/{id}")
}

/// What is done later is followed at the plan's own place.
fn word(dry_run: bool, id: &str, state: &'static str) -> Response {
    let word = Json(Word { dry_run, plan_id: id.to_owned(), state, href: href(id) });
    if dry_run { word.into_response() } else { (StatusCode::ACCEPTED, [(header::LOCATION, href(id))], word).into_response() }
}
