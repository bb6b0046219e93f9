//! API keys: made, listed, taken back. A key is shown once; what is kept is its hash.

use super::customers::whose;
use crate::Deps;
use crate::auth::Caller;
use crate::extract::{Body, NewId, Params};
use crate::paging::{Paging, page};
use crate::problem::Problem;
use crate::trail::before;
use axum::Json;
use axum::extract::{Path, State};
use axum::response::{IntoResponse, Response};
use domain::tenant::{ApiKey, Role};
use domain::{SignedDuration, Timestamp};
use http::{StatusCode, header};
use runtime::web::caller::hash;
use secrecy::{ExposeSecret, SecretString};
use serde::Deserialize;
use serde_json::{Value, json};
use std::sync::Arc;

type Api = State<Arc<Deps>>;

/// How long a key works where nobody says how long.
const DAYS_DEFAULT: u32 = 90;
/// And at most.
const DAYS_MAX: u32 = 366;
/// Keys of a customer, those that were taken back included.
const KEYS_MAX: usize = 200;

/// A key to be.
#[derive(Debug, Deserialize, schemars::JsonSchema)]
#[serde(deny_unknown_fields)]
#[schemars(rename = "NewKey")]
pub struct New {
    /// What it is for, in 1 to 100 characters.
    label: String,
    /// `viewer`, `operator` or `admin`.
    #[schemars(with = "String")]
    role: Role,
    /// Days until it stops working, 1 to 366; 90 where it is left out.
    expires_in_days: Option<u32>,
    /// Another customer than the caller's: for whoever runs this control plane.
    customer_id: Option<String>,
}

/// Whose keys.
#[derive(Debug, Deserialize)]
pub struct Filter {
    customer_id: Option<String>,
}

fn shown(key: &ApiKey, now: Timestamp) -> Value {
    json!({
        "key_id": key.id,
        "customer_id": key.customer,
        "label": key.label,
        "role": key.role,
        "created_at": key.created_at,
        "expires_at": key.expires_at,
        "revoked": key.revoked,
        "works": key.works(now),
    })
}

/// `GET /api/v1/admin/keys`.
///
/// # Errors
/// 404 for another customer's.
pub async fn list(State(deps): Api, caller: Caller, Params(filter): Params<Filter>, paging: Paging) -> Result<Json<Value>, Problem> {
    let customer = whose(&deps, &caller, filter.customer_id.as_deref()).await?;
    let found = deps.registry.api_keys(&customer, paging.after.as_deref(), paging.limit).await?;
    let now = deps.clock.now();
    let items: Vec<Value> = found.items.iter().map(|key| shown(key, now)).collect();
    Ok(page(&items, found.next.as_deref()))
}

/// `GET /api/v1/admin/keys/{id}`.
///
/// # Errors
/// 404 where it is not the caller's.
pub async fn show(
    State(deps): Api,
    caller: Caller,
    Path(id): Path<String>,
    Params(filter): Params<Filter>,
) -> Result<Json<Value>, Problem> {
    let customer = whose(&deps, &caller, filter.customer_id.as_deref()).await?;
    let key = deps.registry.named_key(&customer, &id).await?.ok_or_else(|| Problem::absent("key"))?;
    Ok(Json(shown(&key, deps.clock.now())))
}

/// `POST /api/v1/admin/keys`. The key is in this answer, as `secret`, and in no other.
///
/// # Errors
/// 404 for another customer, 409 where there are too many, 422 for fields.
pub async fn create(State(deps): Api, caller: Caller, NewId(new_id): NewId, Body(new): Body<New>) -> Result<Response, Problem> {
    let customer = whose(&deps, &caller, new.customer_id.as_deref()).await?;
    let unfit = |code, detail: &str| Problem::new(StatusCode::UNPROCESSABLE_ENTITY, code, detail);
    let label = new.label.trim().to_owned();
    if !(1..=100).contains(&label.chars().count()) || label.chars().any(char::is_control) {
        return Err(unfit("invalid-label", "`label` says in 1 to 100 characters what the key is for."));
    }
    let days = new.expires_in_days.unwrap_or(DAYS_DEFAULT);
    if !(1..=DAYS_MAX).contains(&days) {
        return Err(unfit("invalid-expiry", "`expires_in_days` is a whole number from 1 to 366."));
    }
    if deps.registry.api_keys(&customer, None, KEYS_MAX).await?.items.len() >= KEYS_MAX {
        let detail = format!("There are {KEYS_MAX} keys already. Use one of them.");
        return Err(Problem::new(StatusCode::CONFLICT, "too-many-keys", detail));
    }
    let id = format!("k-{new_id}");
    // The answer of a first try was lost with its secret: that key is of no use to anybody and stops working.
    if let Some(lost) = deps.registry.named_key(&customer, &id).await? {
        deps.registry.put_api_key(&ApiKey { revoked: true, ..lost }).await?;
    }
    let secret = SecretString::from(format!("co_{:032x}{:032x}", (deps.ids)(), (deps.ids)()));
    let now = deps.clock.now();
    let key = ApiKey {
        id,
        hash: hash(secret.expose_secret()),
        customer,
        role: new.role,
        label,
        expires_at: now.checked_add(SignedDuration::from_hours(i64::from(days) * 24)).ok(),
        revoked: false,
        created_at: Some(now),
    };
    deps.registry.put_api_key(&key).await?;
    let mut body = shown(&key, now);
    if let Some(fields) = body.as_object_mut() {
        fields.insert("secret".to_owned(), Value::from(secret.expose_secret()));
    }
    let place = format!("/api/v1/admin/keys/{}", key.id);
    Ok((StatusCode::CREATED, [(header::LOCATION, place), (header::CACHE_CONTROL, "no-store".to_owned())], Json(body)).into_response())
}

/// `DELETE /api/v1/admin/keys/{id}`: it stops working with the next request, and stays in the list.
///
/// # Errors
/// 404 where it is not the caller's.
pub async fn revoke(State(deps): Api, caller: Caller, Path(id): Path<String>, Params(filter): Params<Filter>) -> Result<Response, Problem> {
    let customer = whose(&deps, &caller, filter.customer_id.as_deref()).await?;
    let key = deps.registry.named_key(&customer, &id).await?.ok_or_else(|| Problem::absent("key"))?;
    let was = shown(&key, deps.clock.now());
    deps.registry.put_api_key(&ApiKey { revoked: true, ..key }).await?;
    Ok(before(StatusCode::NO_CONTENT.into_response(), was))
}
