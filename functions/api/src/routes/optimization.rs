//! Optimising: asking for a round, and what came of rounds.

use super::clusters::own;
use crate::Deps;
use crate::auth::Caller;
use crate::desk::Desk;
use crate::extract::{Body, Dry, NewId, Params};
use crate::paging::{Page, Paging};
use crate::problem::{self, Problem};
use crate::register::Wrong;
use crate::view;
use crate::view::runs::{Planned, QueuedRun, QueuedRuns, RunDetail, RunHead, RunShort};
use crate::wishes::{problem as refused, who, wishes};
use axum::Json;
use axum::extract::Path;
use axum::response::{IntoResponse, Response};
use domain::decision::DecisionType;
use domain::ids::RunId;
use domain::money::MicroDollars;
use domain::optimization::{Proposal, ProposalState};
use domain::plan::stakes::saved;
use http::{StatusCode, header};
use serde::Deserialize;

/// Every type, in the order of a round.
const TYPES: [DecisionType; 3] = [DecisionType::SpotOptimize, DecisionType::BinPack, DecisionType::Rightsize];

/// Which cluster, and what is to be decided.
#[derive(Debug, Deserialize, schemars::JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Trigger {
    cluster_id: String,
    /// All of them where it is left out.
    #[serde(default)]
    #[schemars(extend("enum" = ["spot_optimize", "bin_pack", "rightsize", "spot-optimize", "bin-pack", null]))]
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
    Desk(deps): Desk,
    caller: Caller,
    NewId(new): NewId,
    Params(dry): Params<Dry>,
    Body(body): Body<Trigger>,
) -> Result<Response, Problem> {
    let types = types(body.optimization_type.as_deref())?;
    let cluster = own(&deps, &caller, &body.cluster_id).await?;
    let dry = body.dry_run || dry.dry_run;
    let round = wishes(&deps).ask_round(&who(&caller), &cluster.id, &new, types.clone(), dry).await.map_err(refused)?;
    let runs: Vec<QueuedRun> = types.into_iter().map(|decision| QueuedRun::of(decision, round.run(decision))).collect();
    let first = runs.first().map(|run| run.href.clone()).unwrap_or_default();
    let body = QueuedRuns { status: "queued", cluster_id: cluster.id, dry_run: round.dry_run, optimizations: runs };
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
pub async fn history(
    Desk(deps): Desk,
    caller: Caller,
    Params(filter): Params<Filter>,
    paging: Paging,
) -> Result<Json<Page<RunShort>>, Problem> {
    let cluster = match &filter.cluster_id {
        Some(id) => Some(own(&deps, &caller, id).await?.id),
        None => None,
    };
    let mut after = paging.after.clone();
    let mut items: Vec<RunShort> = Vec::new();
    for _ in 0..READS_MAX {
        let read = deps.optimizations.runs(&caller.customer, after.as_deref(), paging.limit).await?;
        items.extend(read.items.iter().filter(|run| cluster.as_ref().is_none_or(|id| run.cluster == *id)).map(RunShort::of));
        after = read.next;
        if after.is_none() || !items.is_empty() {
            break;
        }
    }
    Ok(Json(Page::of(items, after.as_deref())))
}

/// `GET /api/v1/optimization/status/{id}`: one run with its plans, what they have really saved, and each node that was left as it is.
///
/// # Errors
/// 404 where it is not the caller's, or is not decided yet.
pub async fn status(Desk(deps): Desk, caller: Caller, Path(id): Path<String>) -> Result<Json<RunDetail>, Problem> {
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
        plans.push(Planned {
            plan_id: recommendation.plan.clone(),
            href: proposal.as_ref().map(|_| format!("/api/v1/optimization/plans/{}", recommendation.plan)),
            remove: recommendation.remove.clone(),
            launch: recommendation.launch,
            why: recommendation.why.clone(),
            estimated_savings_per_hour: recommendation.saving_per_hour,
            actual_savings_per_hour: became.saved,
            status: became.word,
        });
    }
    Ok(Json(RunDetail {
        head: RunHead::of(&run),
        recommendations: plans,
        refused: run.refused,
        actual_savings_per_hour: actual,
        completed: ended,
        engine: run.engine,
        reasons: run.reasons,
        rejected: run.rejected,
        untouched: run.untouched,
    }))
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
