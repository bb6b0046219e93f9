//! The kill switch. The executor reads it before each change.

use super::clusters::own;
use crate::Deps;
use crate::auth::Caller;
use crate::desk::Office;
use crate::extract::{Body, Dry, Params};
use crate::problem::Problem;
use crate::trail::before;
use crate::view::would;
use axum::Json;
use axum::response::{IntoResponse, Response};
use domain::ids::{ClusterId, CustomerId};
use domain::tenant::Halt;
use http::StatusCode;
use serde::{Deserialize, Serialize};
use serde_json::json;

/// What is to be stopped, and why; `null` lifts the stop. The reason must be there, so that a slip of the pen lifts nothing.
#[derive(Debug, Deserialize, schemars::JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Stop {
    /// `everything`, `customer` or `cluster <id>`.
    #[schemars(regex(pattern = "^(everything|customer|(customer|cluster)[ :] ?[A-Za-z0-9._-]{1,128})$"))]
    scope: String,
    /// Why, in 1 to 500 characters.
    #[serde(deserialize_with = "Option::deserialize")]
    #[schemars(length(min = 1, max = 500))]
    reason: Option<String>,
}

/// A stop, as it was set or lifted.
#[derive(Debug, Serialize, schemars::JsonSchema)]
#[schemars(rename = "StopSet")]
pub struct Stopped {
    scope: String,
    halted: bool,
    reason: Option<String>,
}

/// What a scope stands for.
enum Scope {
    Everything,
    Customer,
    Cluster(ClusterId),
}

/// `POST /api/v1/admin/halt`.
///
/// # Errors
/// 403 for `everything` from a customer, 404 for a cluster that is not the caller's, 422 for another scope.
pub async fn set(Office(deps): Office, caller: Caller, Params(dry): Params<Dry>, Body(stop): Body<Stop>) -> Result<Response, Problem> {
    let reason = stop.reason.as_deref().map(str::trim);
    if reason.is_some_and(|reason| reason.is_empty() || reason.len() > 500) {
        let detail = "`reason` says in 1 to 500 characters why everything stands still, or is null to go on.";
        return Err(Problem::new(StatusCode::UNPROCESSABLE_ENTITY, "invalid-reason", detail));
    }
    let (customer, cluster) = match scope(&deps, &caller, &stop.scope).await? {
        Scope::Everything => (None, None),
        Scope::Customer => (Some(&caller.customer), None),
        Scope::Cluster(id) => (Some(&caller.customer), Some(id)),
    };
    let set = Stopped { scope: stop.scope.clone(), halted: reason.is_some(), reason: reason.map(str::to_owned) };
    if dry.dry_run {
        return Ok(would(set));
    }
    let was = was(&deps, &caller, customer, cluster.as_ref()).await?;
    let words = reason.map(|reason| format!("{reason} ({})", caller.label));
    deps.registry.set_halt(customer, cluster.as_ref(), words.as_deref()).await?;
    tracing::warn!(scope = stop.scope, halted = reason.is_some(), by = caller.label, "The kill switch was used");
    Ok(before(Json(set).into_response(), json!({ "halted": was })))
}

/// The widest stop that held where this one is set: what a person met there before.
async fn was(deps: &Deps, caller: &Caller, customer: Option<&CustomerId>, cluster: Option<&ClusterId>) -> Result<Option<Halt>, Problem> {
    let nowhere = ClusterId::parse("none").map_err(Problem::internal)?;
    Ok(deps.registry.halted(customer.unwrap_or(&caller.customer), cluster.unwrap_or(&nowhere)).await?)
}

async fn scope(deps: &Deps, caller: &Caller, text: &str) -> Result<Scope, Problem> {
    let (kind, name) = text.split_once([' ', ':']).map_or((text, None), |(kind, name)| (kind, Some(name.trim())));
    match (kind, name) {
        ("everything", None) if caller.is_operator() => Ok(Scope::Everything),
        ("everything", None) => {
            let detail = "Only whoever runs this control plane can stop everything. Use the scope `customer`.";
            Err(Problem::new(StatusCode::FORBIDDEN, "forbidden", detail))
        }
        ("customer", None) => Ok(Scope::Customer),
        ("customer", Some(id)) if id == caller.customer.as_str() => Ok(Scope::Customer),
        ("customer", Some(_)) => Err(Problem::absent("customer")),
        ("cluster", Some(id)) => Ok(Scope::Cluster(own(deps, caller, id).await?.id)),
        _ => {
            let detail = "`scope` is `everything`, `customer` or `cluster <id>`.";
            Err(Problem::new(StatusCode::UNPROCESSABLE_ENTITY, "invalid-scope", detail))
        }
    }
}
