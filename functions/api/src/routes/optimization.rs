//! Optimising: asking for a round, and what came of rounds.

use super::clusters::own;
use crate::Deps;
use crate::auth::Caller;
use crate::extract::{Body, Dry, NewId, Params};
use crate::paging::{Paging, page};
use crate::problem::{self, Problem};
use crate::register::Wrong;
use crate::view;
use crate::wishes::{problem as refused, who, wishes};
use axum::Json;
use axum::extract::{Path, State};
use axum::response::{IntoResponse, Response};
use domain::decision::DecisionType;
use domain::ids::RunId;
use domain::money::MicroDollars;
use domain::optimization::{Proposal, ProposalState, Run};
use domain::plan::stakes::saved;
use http::{StatusCode, header};
use serde::Deserialize;
use serde_json::{Value, json};
use std::sync::Arc;

type Api = State<Arc<Deps>>;

/// Every type, in the order of a round.
const TYPES: [DecisionType; 3] = [DecisionType::SpotOptimize, DecisionType::BinPack, DecisionType::Rightsize];

/// Which cluster, and what is to be decided.
#[derive(Debug, Deserialize, schemars::JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Trigger {
    cluster_id: String,
    #[serde(default)]
    optimization_type: Option<String>,
    #[serde(default, rename = "dryRun", alias = "dry_run")]
    dry_run: bool,
}

/// `POST /api/v1/optimization/trigger`: asks for a round of one cluster now. With `dryRun` it is decided and recorded, and nothing
/// is proposed or done.
///
/// # Errors
/// 404 for a cluster that is not the caller's, 422 for a type that is none, 409 while the kill switch is on.
pub async fn trigger(
    State(deps): Api,
    caller: Caller,
    NewId(new): NewId,
    Params(dry): Params<Dry>,
    Body(body): Body<Trigger>,
) -> Result<Response, Problem> {
    let types = types(body.optimization_type.as_deref())?;
    let cluster = own(&deps, &caller, &body.cluster_id).await?;
    let dry = body.dry_run || dry.dry_run;
    let round = wishes(&deps).ask_round(&who(&caller), &cluster.id, &new, types.clone(), dry).await.map_err(refused)?;
    let runs: Vec<Value> = types
        .into_iter()
        .map(|decision| {
            let run = round.run(decision);
            json!({ "optimization_type": decision, "optimization_id": run, "href": href(&run) })
        })
        .collect();
    let first = runs.first().and_then(|run| run["href"].as_str()).unwrap_or_default().to_owned();
    let body = json!({ "status": "queued", "cluster_id": cluster.id, "dry_run": round.dry_run, "optimizations": runs });
    Ok((StatusCode::ACCEPTED, [(header::LOCATION, first)], Json(body)).into_response())
}

fn types(asked: Option<&str>) -> Result<Vec<DecisionType>, Problem> {
    let Some(asked) = asked else {
        return Ok(TYPES.to_vec());
    };
    let found = TYPES.into_iter().find(|decision| [decision.as_str(), decision.path()].contains(&asked));
    let wrong = || Wrong {
        field: "optimization_type",
        detail: "spot_optimize, bin_pack or rightsize; all of them where it is left out".to_owned(),
    };
    found.map(|decision| vec![decision]).ok_or_else(|| problem::fields(&[wrong()]))
}

fn href(run: &RunId) -> String {
    format!("/api/v1/optimization/status/{run}")
}

/// Which runs.
#[derive(Debug, Deserialize)]
pub struct Filter {
    cluster_id: Option<String>,
}

/// Reads of the table for one page at most: a filter that fits nothing must not read a whole history.
const READS_MAX: usize = 10;

/// `GET /api/v1/optimization/history`: runs, newest first, each with its figures and why not more was done.
///
/// # Errors
/// 404 where `cluster_id` is not the caller's.
pub async fn history(State(deps): Api, caller: Caller, Params(filter): Params<Filter>, paging: Paging) -> Result<Json<Value>, Problem> {
    let cluster = match &filter.cluster_id {
        Some(id) => Some(own(&deps, &caller, id).await?.id),
        None => None,
    };
    let mut after = paging.after.clone();
    let mut items: Vec<Value> = Vec::new();
    for _ in 0..READS_MAX {
        let read = deps.optimizations.runs(&caller.customer, after.as_deref(), paging.limit).await?;
        items.extend(read.items.iter().filter(|run| cluster.as_ref().is_none_or(|id| run.cluster == *id)).map(short));
        after = read.next;
        if after.is_none() || !items.is_empty() {
            break;
        }
    }
    Ok(page(&items, after.as_deref()))
}

/// A run in a list.
fn short(run: &Run) -> Value {
    json!({
        "optimization_id": run.id,
        "href": href(&run.id),
        "cluster_id": run.cluster,
        "optimization_type": run.decision,
        "mode": run.mode,
        "status": run.status,
        "why": run.why,
        "asked_by": run.asked_by,
        "executed_at": run.at,
        "snapshot_at": run.snapshot_at,
        "recommendations": run.recommendations.len(),
        "refused": run.refused.len(),
        "estimated_savings_per_hour": run.estimated_saving,
        "cost_before_per_hour": run.cost_before,
        "cost_after_per_hour": run.cost_after,
        "lower_bound_per_hour": run.lower_bound,
        "untouched_counts": run.untouched_counts,
    })
}

/// `GET /api/v1/optimization/status/{id}`: one run with its plans, what they have really saved, and each node that was left as it is.
///
/// # Errors
/// 404 where it is not the caller's, or is not decided yet.
pub async fn status(State(deps): Api, caller: Caller, Path(id): Path<String>) -> Result<Json<Value>, Problem> {
    let absent = || Problem::absent("optimization");
    let id = RunId::parse(id).map_err(|_| absent())?;
    let run = deps.optimizations.run(&caller.customer, &id).await?.ok_or_else(absent)?;
    let mut plans = Vec::with_capacity(run.recommendations.len());
    let (mut actual, mut ended) = (MicroDollars::default(), true);
    for recommendation in &run.recommendations {
        let proposal = deps.optimizations.proposal(&caller.customer, &recommendation.plan).await?;
        let became = became(&deps, proposal.as_ref()).await?;
        actual = actual + became.saved;
        ended &= became.over;
        plans.push(json!({
            "plan_id": recommendation.plan,
            "href": proposal.as_ref().map(|_| format!("/api/v1/optimization/plans/{}", recommendation.plan)),
            "remove": recommendation.remove,
            "launch": recommendation.launch,
            "why": recommendation.why,
            "estimated_savings_per_hour": recommendation.saving_per_hour,
            "actual_savings_per_hour": became.saved,
            "status": became.word,
        }));
    }
    let mut shown = short(&run);
    shown["recommendations"] = json!(plans);
    shown["refused"] = json!(run.refused);
    shown["actual_savings_per_hour"] = json!(actual);
    shown["completed"] = json!(ended);
    shown["engine"] = json!(run.engine);
    shown["reasons"] = json!(run.reasons);
    shown["rejected"] = json!(run.rejected);
    shown["untouched"] = json!(run.untouched);
    Ok(Json(shown))
}

/// What became of a proposal.
pub(super) struct Became {
    pub(super) word: &'static str,
    pub(super) saved: MicroDollars,
    pub(super) over: bool,
}

/// Asks the journal where a plan is under way: what it has done so far is all that it has saved.
pub(super) async fn became(deps: &Deps, proposal: Option<&Proposal>) -> Result<Became, Problem> {
    let still = |word, over| Became { word, saved: MicroDollars::default(), over };
    let Some(proposal) = proposal else {
        return Ok(still("observed", true));
    };
    match &proposal.state {
        ProposalState::Ended { outcome, saved_per_hour, .. } => {
            Ok(Became { word: view::outcome(outcome), saved: *saved_per_hour, over: true })
        }
        ProposalState::Opened => match deps.journal.load(&proposal.plan.key).await? {
            Some(record) => Ok(Became {
                word: view::status(&record.progress),
                saved: saved(&record.plan, &record.progress),
                over: record.progress.outcome.is_some(),
            }),
            None => Ok(still("pending", false)),
        },
        state @ (ProposalState::Recommended
        | ProposalState::Waiting { .. }
        | ProposalState::Approved { .. }
        | ProposalState::Rejected { .. }
        | ProposalState::Expired
        | ProposalState::Stale { .. }) => Ok(still(state.as_str(), !state.open())),
    }
}
