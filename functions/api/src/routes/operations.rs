//! What became of commands: operations, and the plans behind them with their audit rows.

use super::clusters::own;
use crate::Deps;
use crate::auth::Caller;
use crate::desk::Desk;
use crate::extract::Params;
use crate::paging::{Page, Paging};
use crate::problem::Problem;
use crate::view;
use crate::view::plans::{OperationDetail, OperationShort, PlanDetail, PlanShort};
use axum::Json;
use axum::extract::Path;
use domain::ids::{ClusterId, PlanId};
use domain::plan::{PlanKey, PlanRecord};
use http::StatusCode;
use serde::Deserialize;
use serde_json::{Value, json};

/// Reads of the table for one page at most: a filter that fits nothing must not read a whole history.
const READS_MAX: usize = 10;

/// Which operations, or which plans.
#[derive(Debug, Default, Deserialize)]
pub struct Filter {
    cluster_id: Option<String>,
    kind: Option<String>,
    state: Option<String>,
}

/// How far a plan can be, in one word; see [`view::status`].
pub const STATES: [&str; 8] = ["pending", "running", "unwinding", "succeeded", "rolled_back", "cancelled", "expired", "parked"];

/// A filter that was understood.
struct Wanted {
    cluster: Option<ClusterId>,
    kind: Option<String>,
    state: Option<String>,
}

impl Filter {
    async fn read(self, deps: &Deps, caller: &Caller) -> Result<Wanted, Problem> {
        if self.state.as_deref().is_some_and(|state| !STATES.contains(&state)) {
            let detail = format!("`state` is one of {}.", STATES.join(", "));
            return Err(Problem::new(StatusCode::BAD_REQUEST, "unknown-state", detail));
        }
        let cluster = match &self.cluster_id {
            Some(id) => Some(own(deps, caller, id).await?.id),
            None => None,
        };
        Ok(Wanted { cluster, kind: self.kind, state: self.state })
    }
}

impl Wanted {
    fn fits(&self, record: &PlanRecord, kind: &str) -> bool {
        self.cluster.as_ref().is_none_or(|cluster| record.plan.key.cluster == *cluster)
            && self.kind.as_deref().is_none_or(|wanted| wanted == kind)
            && self.state.as_deref().is_none_or(|wanted| wanted == view::status(&record.progress))
    }
}

/// `GET /api/v1/operations`: commands, newest first.
///
/// # Errors
/// 404 where `cluster_id` is not the caller's, 400 for a state that is none.
pub async fn operations(
    Desk(deps): Desk,
    caller: Caller,
    Params(filter): Params<Filter>,
    paging: Paging,
) -> Result<Json<Page<OperationShort>>, Problem> {
    let wanted = filter.read(&deps, &caller).await?;
    let mut after = paging.after.clone();
    let mut items = Vec::new();
    for _ in 0..READS_MAX {
        let read = deps.trail.operations(&caller.customer, after.as_deref(), paging.limit).await?;
        after = read.next;
        for (operation, record) in &read.items {
            if wanted.fits(record, &operation.kind) {
                items.push(OperationShort::of(operation, record));
            }
        }
        if after.is_none() || !items.is_empty() {
            break;
        }
    }
    Ok(Json(Page::of(items, after.as_deref())))
}

/// `GET /api/v1/operations/{id}`. Its state is the state of its plan: nothing is stored twice.
///
/// # Errors
/// 404 where it is not the caller's.
pub async fn operation(Desk(deps): Desk, caller: Caller, Path(id): Path<String>) -> Result<Json<OperationDetail>, Problem> {
    let absent = || Problem::absent("operation");
    // The form of a plan id is that of an operation's, too; what does not have it is not asked for.
    PlanId::parse(id.as_str()).map_err(|_| absent())?;
    let operation = deps.journal.operation(&caller.customer, &id).await?.ok_or_else(absent)?;
    let record = deps.journal.load(&operation.plan).await?.ok_or_else(absent)?;
    Ok(Json(OperationDetail {
        head: OperationShort::of(&operation, &record),
        steps: view::steps(&record),
        outcome: record.progress.outcome,
        reason: record.plan.reason,
        deadline: record.plan.deadline,
    }))
}

fn word(record: &PlanRecord) -> String {
    json!(record.plan.kind).as_str().unwrap_or_default().to_owned()
}

/// `GET /api/v1/plans`: plans of all kinds, whoever asked for them, newest first.
///
/// # Errors
/// 404 where `cluster_id` is not the caller's, 400 for a state that is none.
pub async fn plans(
    Desk(deps): Desk,
    caller: Caller,
    Params(filter): Params<Filter>,
    paging: Paging,
) -> Result<Json<Page<PlanShort>>, Problem> {
    let wanted = filter.read(&deps, &caller).await?;
    let mut after = paging.after.clone();
    let mut items = Vec::new();
    for _ in 0..READS_MAX {
        let read = deps.trail.plans(&caller.customer, after.as_deref(), paging.limit).await?;
        after = read.next;
        items.extend(read.items.iter().filter(|record| wanted.fits(record, &word(record))).map(PlanShort::of));
        if after.is_none() || !items.is_empty() {
            break;
        }
    }
    Ok(Json(Page::of(items, after.as_deref())))
}

/// `GET /api/v1/plans/{cluster_id}/{plan_id}`.
///
/// # Errors
/// 404 where it is not the caller's.
pub async fn plan(Desk(deps): Desk, caller: Caller, Path((cluster, plan)): Path<(String, String)>) -> Result<Json<Value>, Problem> {
    let absent = || Problem::absent("plan");
    let cluster = own(&deps, &caller, &cluster).await?;
    let plan = PlanId::parse(plan).map_err(|_| absent())?;
    let key = PlanKey { customer: caller.customer.clone(), cluster: cluster.id, plan };
    let record = deps.journal.load(&key).await?.ok_or_else(absent)?;
    let audit = deps.journal.audit(&key).await?;
    let PlanRecord { plan, progress } = record;
    let view = PlanDetail { status: view::status(&progress), plan, progress, audit };
    Ok(Json(view::without_user_data(serde_json::to_value(view).map_err(Problem::internal)?)))
}
