//! What became of a command: the operation, and the plan behind it with its audit rows.

use super::clusters::own;
use crate::Deps;
use crate::auth::Caller;
use crate::problem::Problem;
use crate::view;
use axum::Json;
use axum::extract::{Path, State};
use domain::ids::PlanId;
use domain::plan::PlanKey;
use serde_json::{Value, json};
use std::sync::Arc;

/// `GET /api/v1/operations/{id}`. Its state is the state of its plan: nothing is stored twice.
///
/// # Errors
/// 404 where it is not the caller's.
pub async fn operation(State(deps): State<Arc<Deps>>, caller: Caller, Path(id): Path<String>) -> Result<Json<Value>, Problem> {
    let absent = || Problem::absent("operation");
    // The form of a plan id is that of an operation's, too; what does not have it is not asked for.
    PlanId::parse(id.as_str()).map_err(|_| absent())?;
    let operation = deps.journal.operation(&caller.customer, &id).await?.ok_or_else(absent)?;
    let record = deps.journal.load(&operation.plan).await?.ok_or_else(absent)?;
    Ok(Json(json!({
        "operation_id": operation.id,
        "kind": operation.kind,
        "status": view::status(&record.progress),
        "outcome": record.progress.outcome,
        "reason": record.plan.reason,
        "cluster_id": operation.plan.cluster,
        "plan_id": operation.plan.plan,
        "plan": format!("/api/v1/plans/{}/{}", operation.plan.cluster, operation.plan.plan),
        "created_at": operation.created_at,
        "deadline": record.plan.deadline,
        "steps": view::steps(&record),
    })))
}

/// `GET /api/v1/plans/{cluster_id}/{plan_id}`.
///
/// # Errors
/// 404 where it is not the caller's.
pub async fn plan(
    State(deps): State<Arc<Deps>>,
    caller: Caller,
    Path((cluster, plan)): Path<(String, String)>,
) -> Result<Json<Value>, Problem> {
    let absent = || Problem::absent("plan");
    let cluster = own(&deps, &caller, &cluster).await?;
    let plan = PlanId::parse(plan).map_err(|_| absent())?;
    let key = PlanKey { customer: caller.customer.clone(), cluster: cluster.id, plan };
    let record = deps.journal.load(&key).await?.ok_or_else(absent)?;
    let audit = deps.journal.audit(&key).await?;
    Ok(Json(view::without_user_data(json!({
        "status": view::status(&record.progress),
        "plan": record.plan,
        "progress": record.progress,
        "audit": audit,
    }))))
}
