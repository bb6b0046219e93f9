//! The configuration of a customer: what holds for all its clusters.

use super::customers::find;
use super::versions::{matching, stale};
use crate::Deps;
use crate::auth::Caller;
use crate::desk::Office;
use crate::extract::{Body, Dry, Params};
use crate::problem::{self, Problem};
use crate::register::{Wrong, fields};
use crate::trail::before;
use crate::view::would;
use axum::Json;
use axum::extract::Path;
use axum::response::{IntoResponse, Response};
use domain::ids::CustomerId;
use domain::policy::ClusterPolicy;
use domain::ports::StoreError;
use http::{HeaderMap, header};
use runtime::web::caller::hash;
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

/// Under which key it is kept.
const KEY: &str = "settings";

/// The configuration.
#[derive(Debug, Default, Serialize, Deserialize, schemars::JsonSchema)]
#[schemars(rename = "CustomerConfig", deny_unknown_fields)]
pub struct Settings {
    /// The policy of a cluster that is registered without one. Clusters that are registered keep theirs.
    #[serde(default)]
    pub default_policy: Option<ClusterPolicy>,
}

/// The policy of clusters that are registered without one.
///
/// # Errors
/// The table did not answer.
pub(super) async fn default_policy(deps: &Deps, customer: &CustomerId) -> Result<Option<ClusterPolicy>, Problem> {
    let stored = deps.registry.config(customer, KEY).await?.unwrap_or_else(|| json!({}));
    let settings: Settings = serde_json::from_value(stored).map_err(Problem::internal)?;
    Ok(settings.default_policy)
}

fn answer(value: &Value) -> Response {
    ([(header::ETAG, tag(value))], Json(value)).into_response()
}

/// The ETag of a value that has no version: what it says.
pub(super) fn tag(value: &Value) -> String {
    format!("\"{}\"", hash(&value.to_string()).chars().take(16).collect::<String>())
}

/// `GET /api/v1/admin/customers/{id}/config`.
///
/// # Errors
/// 404 for another customer's.
pub async fn show(Office(deps): Office, caller: Caller, Path(id): Path<String>) -> Result<Response, Problem> {
    let customer = find(&deps, &caller, &id).await?;
    Ok(answer(&deps.registry.config(&customer.id, KEY).await?.unwrap_or_else(|| json!(Settings::default()))))
}

/// `PUT /api/v1/admin/customers/{id}/config`: replaces it.
///
/// # Errors
/// 404, 412, 428; 422 for a policy that is none.
pub async fn replace(
    Office(deps): Office,
    caller: Caller,
    Path(id): Path<String>,
    headers: HeaderMap,
    Params(dry): Params<Dry>,
    Body(settings): Body<Settings>,
) -> Result<Response, Problem> {
    let customer = find(&deps, &caller, &id).await?;
    let was = deps.registry.config(&customer.id, KEY).await?;
    let seen = was.clone().unwrap_or_else(|| json!(Settings::default()));
    matching(&headers, &tag(&seen))?;
    if let Some(Err(detail)) = settings.default_policy.as_ref().map(fields::policy) {
        return Err(problem::fields(&[Wrong { field: "default_policy", detail }]));
    }
    let to = json!(settings);
    if dry.dry_run {
        return Ok(would(to));
    }
    match deps.registry.swap_config(&customer.id, KEY, &to, was.as_ref()).await {
        Ok(()) => Ok(before(answer(&to), seen)),
        Err(StoreError::Conflict) => Err(stale()),
        Err(error) => Err(error.into()),
    }
}
