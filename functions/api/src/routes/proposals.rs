//! Plans of the optimizer: why they are, and a person's word on them.

use super::optimization::became;
use crate::Deps;
use crate::auth::Caller;
use crate::extract::{Dry, NewId, Params};
use crate::problem::Problem;
use crate::view;
use axum::Json;
use axum::extract::{Path, State};
use axum::response::{IntoResponse, Response};
use domain::SignedDuration;
use domain::ids::PlanId;
use domain::optimization::{Proposal, ProposalState, Round};
use domain::plan::Outcome;
use domain::ports::{Change, StoreError};
use http::StatusCode;
use serde_json::{Value, json};
use std::sync::Arc;

type Api = State<Arc<Deps>>;

async fn find(deps: &Deps, caller: &Caller, id: &str) -> Result<Proposal, Problem> {
    let absent = || Problem::absent("plan");
    let id = PlanId::parse(id).map_err(|_| absent())?;
    deps.optimizations.proposal(&caller.customer, &id).await?.ok_or_else(absent)
}

/// `GET /api/v1/optimization/plans/{id}`: why a plan is, node by node, and why all other nodes are left as they are.
///
/// # Errors
/// 404 where it is not the caller's.
pub async fn show(State(deps): Api, caller: Caller, Path(id): Path<String>) -> Result<Json<Value>, Problem> {
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
    Ok(Json(view::without_user_data(json!({
        "plan_id": plan.key.plan,
        "cluster_id": plan.key.cluster,
        "optimization_id": proposal.run,
        "kind": plan.kind,
        "status": became.word,
        "state": proposal.state,
        "why": plan.reason,
        "evidence": plan.evidence,
        "estimated_savings_per_hour": plan.expected_saving,
        "actual_savings_per_hour": became.saved,
        "nodes": plan.stakes.as_ref().map(|stakes| &stakes.nodes),
        "decided_on": plan.stakes.as_ref().map(|stakes| json!({
            "snapshot_at": stakes.snapshot_at,
            "least_saving_per_hour": stakes.saving_min,
            "overhead_per_hour": stakes.overhead_per_hour,
        })),
        "steps": plan.steps.iter().map(|step| json!({ "action": step.action.to_string(), "after": step.after })).collect::<Vec<_>>(),
        "progress": record.as_ref().map(view::steps),
        "blocked": record.as_ref().map(|record| &record.progress.blocked),
        "deadline": plan.deadline,
        "untouched_counts": run.as_ref().map(|run| &run.untouched_counts),
        "untouched": run.as_ref().map(|run| &run.untouched),
        "refused": run.as_ref().map(|run| &run.refused),
        "lower_bound_per_hour": run.as_ref().map(|run| run.lower_bound),
    }))))
}

/// `POST /api/v1/optimization/plans/{id}/approve`: the next round looks at the cluster again, and opens the plan if it still holds.
///
/// # Errors
/// 404 where it is not the caller's, 409 where nobody is asked about it.
pub async fn approve(
    State(deps): Api,
    caller: Caller,
    Path(id): Path<String>,
    NewId(new): NewId,
    Params(dry): Params<Dry>,
) -> Result<Response, Problem> {
    let proposal = find(&deps, &caller, &id).await?;
    let now = deps.clock.now();
    match &proposal.state {
        ProposalState::Waiting { until } if now <= *until => {}
        // The same word twice: the round is asked for once more, in case the first message was lost.
        ProposalState::Approved { .. } => {}
        ProposalState::Waiting { .. }
        | ProposalState::Recommended
        | ProposalState::Rejected { .. }
        | ProposalState::Expired
        | ProposalState::Stale { .. }
        | ProposalState::Opened
        | ProposalState::Ended { .. } => return Err(not_asked(&proposal)),
    }
    if let Some(halt) = deps.registry.halted(&caller.customer, &proposal.plan.key.cluster).await? {
        let detail = format!("{} is stopped: {}. Lift the stop with POST /api/v1/admin/halt, then ask again.", halt.scope, halt.reason);
        return Err(Problem::new(StatusCode::CONFLICT, "halted", detail));
    }
    if dry.dry_run {
        return Ok(Json(json!({ "dry_run": true, "plan_id": id, "state": "approved" })).into_response());
    }
    if matches!(proposal.state, ProposalState::Waiting { .. }) {
        put(&deps, &proposal, ProposalState::Approved { by: caller.label.clone(), at: now }).await?;
    }
    let round = Round {
        customer: caller.customer.clone(),
        cluster: proposal.plan.key.cluster.clone(),
        round: format!("a-{new}"),
        asked_by: format!("api key {}", caller.label),
        types: proposal.plan.stakes.iter().map(|stakes| stakes.decision).collect(),
        dry_run: false,
    };
    // The word is written: a lost message only makes the plan begin with the next round of the schedule.
    if let Err(error) = deps.rounds.ask(&round).await {
        tracing::warn!(%error, plan.id = %id, "A plan was approved and its round not asked for; the schedule's next one takes it up");
    }
    Ok(accepted(&id, "approved"))
}

/// `POST /api/v1/optimization/plans/{id}/reject`.
///
/// # Errors
/// 404 where it is not the caller's, 409 where nobody is asked about it.
pub async fn reject(State(deps): Api, caller: Caller, Path(id): Path<String>, Params(dry): Params<Dry>) -> Result<Response, Problem> {
    let proposal = find(&deps, &caller, &id).await?;
    match &proposal.state {
        ProposalState::Waiting { .. } | ProposalState::Approved { .. } => {}
        ProposalState::Recommended
        | ProposalState::Rejected { .. }
        | ProposalState::Expired
        | ProposalState::Stale { .. }
        | ProposalState::Opened
        | ProposalState::Ended { .. } => return Err(not_asked(&proposal)),
    }
    if !dry.dry_run {
        put(&deps, &proposal, ProposalState::Rejected { by: caller.label.clone(), at: deps.clock.now() }).await?;
    }
    Ok(Json(json!({ "dry_run": dry.dry_run, "plan_id": id, "state": "rejected" })).into_response())
}

/// `POST /api/v1/optimization/plans/{id}/cancel`: what is under way is stopped and taken back, unless it is behind its point of no
/// return; what waits is rejected.
///
/// # Errors
/// 404 where it is not the caller's, 409 where it is over or behind its point of no return.
pub async fn cancel(State(deps): Api, caller: Caller, Path(id): Path<String>, Params(dry): Params<Dry>) -> Result<Response, Problem> {
    let proposal = find(&deps, &caller, &id).await?;
    match &proposal.state {
        ProposalState::Waiting { .. } | ProposalState::Approved { .. } => return reject(State(deps), caller, Path(id), Params(dry)).await,
        ProposalState::Opened => {}
        ProposalState::Recommended
        | ProposalState::Rejected { .. }
        | ProposalState::Expired
        | ProposalState::Stale { .. }
        | ProposalState::Ended { .. } => return Err(not_asked(&proposal)),
    }
    let key = &proposal.plan.key;
    let Some(mut record) = deps.journal.load(key).await? else {
        let detail = "The plan is not begun yet. Ask again in a minute.";
        return Err(Problem::new(StatusCode::CONFLICT, "not-begun", detail).retry_after(60));
    };
    if record.progress.outcome.is_some() || record.progress.unwinding.is_some() {
        return Err(not_asked(&proposal));
    }
    if record.progress.past_return(&record.plan) {
        let detail = "Instances have been ended already: the plan is behind its point of no return and is finished.";
        return Err(Problem::new(StatusCode::CONFLICT, "past-return", detail));
    }
    if dry.dry_run {
        return Ok(Json(json!({ "dry_run": true, "plan_id": id, "state": "cancelled" })).into_response());
    }
    record.progress.unwinding = Some(Outcome::Cancelled { why: format!("api key {} cancelled it", caller.label) });
    record.progress.version += 1;
    match deps.journal.record(key, &Change { progress: record.progress, audit: Vec::new(), spot_event: None }).await {
        Ok(()) => {}
        Err(StoreError::Conflict) => return Err(busy()),
        Err(other) => return Err(other.into()),
    }
    if let Err(error) = deps.queue.continue_plan(key, SignedDuration::ZERO).await {
        tracing::warn!(%error, plan.id = %key, "A plan was cancelled and not announced; the sweeper takes it back");
    }
    Ok(accepted(&id, "cancelled"))
}

async fn put(deps: &Deps, proposal: &Proposal, state: ProposalState) -> Result<(), Problem> {
    let next = Proposal { state, version: proposal.version + 1, ..proposal.clone() };
    match deps.optimizations.put_proposal(&next, None).await {
        Ok(()) => Ok(()),
        Err(StoreError::Conflict) => Err(busy()),
        Err(other) => Err(other.into()),
    }
}

fn accepted(id: &str, state: &str) -> Response {
    let href = format!("/api/v1/optimization/plans/{id}");
    (StatusCode::ACCEPTED, Json(json!({ "plan_id": id, "state": state, "href": href }))).into_response()
}

fn not_asked(proposal: &Proposal) -> Problem {
    let detail = format!("This plan is {}: there is nothing to say to it any more.", proposal.state.as_str());
    Problem::new(StatusCode::CONFLICT, "nothing-to-decide", detail).with("state", json!(proposal.state.as_str()))
}

fn busy() -> Problem {
    let detail = "Somebody else changed the plan at the same time. Look at it again, and ask again.";
    Problem::new(StatusCode::CONFLICT, "changed-meanwhile", detail).retry_after(1)
}
