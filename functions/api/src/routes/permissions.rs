//! What we may do in a cluster and in its account, capability by capability, as it was when it was last looked at. It is the scanner that
//! looks: it calls as whoever acts, and this function cannot take that role.

use super::clusters::own;
use crate::Deps;
use crate::auth::Caller;
use crate::desk::Desk;
use crate::extract::{Dry, Params};
use crate::problem::Problem;
use crate::trail::before;
use crate::view::would;
use crate::wishes::{problem as refused, who, wishes};
use axum::Json;
use axum::extract::Path;
use axum::response::{IntoResponse, Response};
use domain::Timestamp;
use domain::ids::ClusterId;
use domain::permissions::account::{ACCOUNT_CAPABILITIES, AccountCapability};
use domain::permissions::{CAPABILITIES, Capability, Checklist, Right, asked_key, key};
use domain::ports::Trust;
use http::{StatusCode, header};
use schemars::JsonSchema;
use serde::Serialize;
use serde_json::json;

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

/// An action of AWS, and whether the role that acts has it.
#[derive(Debug, Serialize, JsonSchema)]
pub struct GrantHeld {
    /// In IAM's words.
    action: &'static str,
    /// The statement of `infra/customer/cloudformation.yaml` that grants it; that of Terraform has the same name.
    statement: &'static str,
    /// `null`: it is not known.
    held: Option<bool>,
    /// Why it is not known, where it was asked about.
    why: Option<String>,
}

/// Something that we do in the account, and whether we may.
#[derive(Debug, Serialize, JsonSchema)]
pub struct AccountCapabilityHeld {
    /// Its name.
    capability: &'static str,
    /// Whether every grant of it is there; `null`: it is not known.
    complete: Option<bool>,
    /// What happens without it.
    without: &'static str,
    /// What it takes.
    grants: Vec<GrantHeld>,
}

/// What we may do in a cluster and in its account.
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
    /// Each capability in the cluster.
    capabilities: Vec<CapabilityHeld>,
    /// Each capability in the account.
    account: Vec<AccountCapabilityHeld>,
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
    let held = |right: Right| RightHeld { right: right.to_string(), held: list.and_then(|list| list.holds_right(&right)) };
    CapabilityHeld {
        capability: capability.name,
        complete: list.and_then(|list| list.allows(capability)),
        without: capability.without,
        rights: capability.rights().into_iter().map(held).collect(),
    }
}

fn granted(capability: &AccountCapability, list: Option<&Checklist>) -> AccountCapabilityHeld {
    let grants = capability.grants().into_iter().map(|grant| {
        let found = list.and_then(|list| list.found(&grant));
        GrantHeld {
            action: grant.action,
            statement: grant.statement,
            held: found.and_then(|found| found.held),
            why: found.and_then(|found| found.why.clone()),
        }
    });
    AccountCapabilityHeld {
        capability: capability.name,
        complete: list.and_then(|list| list.grants(capability)),
        without: capability.without,
        grants: grants.collect(),
    }
}

async fn asked(deps: &Deps, caller: &Caller, cluster: &ClusterId) -> Result<Option<Timestamp>, Problem> {
    let kept = deps.registry.config(&caller.customer, &asked_key(cluster)).await?;
    Ok(kept.and_then(|value| serde_json::from_value(value).ok()))
}

/// `GET /api/v1/admin/clusters/{id}/permissions`.
///
/// # Errors
/// 404 where the cluster is not the caller's.
pub async fn show(Desk(deps): Desk, caller: Caller, Path(id): Path<String>) -> Result<Json<Permissions>, Problem> {
    let cluster = own(&deps, &caller, &id).await?;
    let kept = deps.registry.config(&caller.customer, &key(&cluster.id)).await?;
    let list: Option<Checklist> = kept.map(serde_json::from_value).transpose().map_err(Problem::internal)?;
    let now = deps.clock.now();
    Ok(Json(Permissions {
        looked_at: list.as_ref().map(|list| list.at),
        age_s: list.as_ref().map(|list| now.duration_since(list.at).as_secs().max(0)),
        asked_at: asked(&deps, &caller, &cluster.id).await?,
        capabilities: CAPABILITIES.iter().map(|capability| held(capability, list.as_ref())).collect(),
        account: ACCOUNT_CAPABILITIES.iter().map(|capability| granted(capability, list.as_ref())).collect(),
        role: list.as_ref().map(|list| list.role.clone()),
        why: list.and_then(|list| list.why),
        cluster_id: cluster.id,
    }))
}

/// `POST /api/v1/admin/clusters/{id}/permissions`: the next scan looks again, and one is asked for now.
///
/// # Errors
/// 404 where the cluster is not the caller's, 409 while the kill switch is on.
pub async fn look(Desk(deps): Desk, caller: Caller, Path(id): Path<String>, Params(dry): Params<Dry>) -> Result<Response, Problem> {
    let cluster = own(&deps, &caller, &id).await?;
    let href = format!("/api/v1/admin/clusters/{}/permissions", cluster.id);
    let answer = LookAsked { status: "queued", cluster_id: cluster.id.clone(), href: href.clone() };
    if dry.dry_run {
        return Ok(would(answer));
    }
    let was = wishes(&deps).ask_look(&who(&caller), &cluster.id).await.map_err(refused)?;
    let response = (StatusCode::ACCEPTED, [(header::LOCATION, href)], Json(answer)).into_response();
    Ok(before(response, json!({ "asked_at": was })))
}
