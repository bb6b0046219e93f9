//! What we may do in a cluster, capability by capability, as it was when it was last looked at. It is the optimizer that looks: it calls as
//! whoever acts, and this function cannot take that role.

use super::clusters::own;
use crate::Deps;
use crate::auth::Caller;
use crate::extract::{Dry, NewId, Params};
use crate::problem::Problem;
use crate::trail::before;
use crate::view::would;
use crate::wishes::{problem as refused, who, wishes};
use axum::Json;
use axum::extract::{Path, State};
use axum::response::{IntoResponse, Response};
use domain::Timestamp;
use domain::decision::DecisionType;
use domain::ids::ClusterId;
use domain::permissions::{CAPABILITIES, Capability, Checklist, asked_key, key};
use domain::ports::Trust;
use http::{StatusCode, header};
use schemars::JsonSchema;
use serde::Serialize;
use serde_json::json;
use std::sync::Arc;

type Api = State<Arc<Deps>>;

/// A right, and whether we have it.
#[derive(Debug, Serialize, JsonSchema)]
pub struct RightHeld {
    /// In RBAC's words.
    right: String,
    /// `null`: it is not known.
    held: Option<bool>,
}

/// Something that we do, and whether we may.
#[derive(Debug, Serialize, JsonSchema)]
pub struct CapabilityHeld {
    /// The role of `infra/customer/rbac.yaml` that grants it is called `cloudoptim-` and this.
    capability: &'static str,
    /// Whether every right of it is there; `null`: it is not known.
    complete: Option<bool>,
    /// What happens without it.
    without: &'static str,
    /// What it takes.
    rights: Vec<RightHeld>,
}

/// What we may do in a cluster.
#[derive(Debug, Serialize, JsonSchema)]
pub struct Permissions {
    cluster_id: ClusterId,
    /// When it was looked; `null`: never yet.
    looked_at: Option<Timestamp>,
    /// How old that is, in seconds.
    age_s: Option<i64>,
    /// When somebody last asked for a look; a later `looked_at` has answered it.
    asked_at: Option<Timestamp>,
    /// Whom the role trusts that acts in AWS.
    role: Option<Trust>,
    /// Why the cluster could not be asked, where it could not.
    why: Option<String>,
    /// Each capability.
    capabilities: Vec<CapabilityHeld>,
}

/// A look that was asked for.
#[derive(Debug, Serialize, JsonSchema)]
pub struct LookAsked {
    /// `queued`.
    status: &'static str,
    cluster_id: ClusterId,
    /// Where what is found is shown.
    href: String,
}

fn held(capability: &Capability, list: Option<&Checklist>) -> CapabilityHeld {
    let missing = list.and_then(|list| list.missing.as_ref());
    let rights: Vec<RightHeld> = capability
        .rights()
        .iter()
        .map(|right| RightHeld { right: right.to_string(), held: missing.map(|missing| !missing.contains(right)) })
        .collect();
    let complete = missing.map(|_| rights.iter().all(|right| right.held == Some(true)));
    CapabilityHeld { capability: capability.name, complete, without: capability.without, rights }
}

async fn asked(deps: &Deps, caller: &Caller, cluster: &ClusterId) -> Result<Option<Timestamp>, Problem> {
    let kept = deps.registry.config(&caller.customer, &asked_key(cluster)).await?;
    Ok(kept.and_then(|value| serde_json::from_value(value).ok()))
}

/// `GET /api/v1/admin/clusters/{id}/permissions`.
///
/// # Errors
/// 404 where the cluster is not the caller's.
pub async fn show(State(deps): Api, caller: Caller, Path(id): Path<String>) -> Result<Json<Permissions>, Problem> {
    let cluster = own(&deps, &caller, &id).await?;
    let kept = deps.registry.config(&caller.customer, &key(&cluster.id)).await?;
    let list: Option<Checklist> = kept.map(serde_json::from_value).transpose().map_err(Problem::internal)?;
    let now = deps.clock.now();
    Ok(Json(Permissions {
        looked_at: list.as_ref().map(|list| list.at),
        age_s: list.as_ref().map(|list| now.duration_since(list.at).as_secs().max(0)),
        asked_at: asked(&deps, &caller, &cluster.id).await?,
        capabilities: CAPABILITIES.iter().map(|capability| held(capability, list.as_ref())).collect(),
        role: list.as_ref().map(|list| list.role.clone()),
        why: list.and_then(|list| list.why),
        cluster_id: cluster.id,
    }))
}

/// `POST /api/v1/admin/clusters/{id}/permissions`: the next round looks again, and one is asked for now that only records.
///
/// # Errors
/// 404 where the cluster is not the caller's, 409 while the kill switch is on.
pub async fn look(
    State(deps): Api,
    caller: Caller,
    Path(id): Path<String>,
    NewId(new): NewId,
    Params(dry): Params<Dry>,
) -> Result<Response, Problem> {
    let cluster = own(&deps, &caller, &id).await?;
    let href = format!("/api/v1/admin/clusters/{}/permissions", cluster.id);
    let answer = LookAsked { status: "queued", cluster_id: cluster.id.clone(), href: href.clone() };
    if dry.dry_run {
        return Ok(would(answer));
    }
    let was = asked(&deps, &caller, &cluster.id).await?;
    deps.registry.put_config(&caller.customer, &asked_key(&cluster.id), &json!(deps.clock.now())).await?;
    wishes(&deps).ask_round(&who(&caller), &cluster.id, &new, vec![DecisionType::BinPack], true).await.map_err(refused)?;
    let response = (StatusCode::ACCEPTED, [(header::LOCATION, href)], Json(answer)).into_response();
    Ok(before(response, json!({ "asked_at": was })))
}
