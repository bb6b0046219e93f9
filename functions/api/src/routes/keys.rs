//! API keys: made, listed, taken back. A key is shown once; what is kept is its hash.

use super::customers::whose;
use crate::auth::Caller;
use crate::desk::Office;
use crate::extract::{Body, Dry, NewId, Params};
use crate::paging::{Page, Paging};
use crate::problem::Problem;
use crate::trail::before;
use crate::view::would;
use axum::Json;
use axum::extract::Path;
use axum::response::{IntoResponse, Response};
use domain::ids::CustomerId;
use domain::tenant::{ApiKey, Role};
use domain::{SignedDuration, Timestamp};
use http::{StatusCode, header};
use runtime::web::caller::hash;
use schemars::JsonSchema;
use secrecy::{ExposeSecret, SecretString};
use serde::{Deserialize, Serialize};
use serde_json::json;

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
    #[schemars(length(min = 1, max = 100))]
    label: String,
    /// `viewer`, `operator` or `admin`.
    role: Role,
    /// Days until it stops working, 1 to 366; 90 where it is left out.
    #[schemars(range(min = 1, max = 366))]
    expires_in_days: Option<u32>,
    /// Another customer than the caller's: for whoever runs this control plane.
    customer_id: Option<String>,
}

/// Whose keys.
#[derive(Debug, Deserialize)]
pub struct Filter {
    customer_id: Option<String>,
}

/// A key, as it is shown. Has no `Debug`: it may hold the key itself, once.
#[derive(Serialize, JsonSchema)]
#[schemars(rename = "Key")]
pub struct KeyView {
    key_id: String,
    customer_id: CustomerId,
    label: String,
    role: Role,
    created_at: Option<Timestamp>,
    expires_at: Option<Timestamp>,
    revoked: bool,
    /// Whether it may be used now.
    works: bool,
    /// The key itself, in the answer that makes it, and in no other.
    #[serde(skip_serializing_if = "Option::is_none")]
    secret: Option<String>,
}

fn shown(key: &ApiKey, now: Timestamp) -> KeyView {
    KeyView {
        key_id: key.id.clone(),
        customer_id: key.customer.clone(),
        label: key.label.clone(),
        role: key.role,
        created_at: key.created_at,
        expires_at: key.expires_at,
        revoked: key.revoked,
        works: key.works(now),
        secret: None,
    }
}

/// `GET /api/v1/admin/keys`.
///
/// # Errors
/// 404 for another customer's.
pub async fn list(
    Office(deps): Office,
    caller: Caller,
    Params(filter): Params<Filter>,
    paging: Paging,
) -> Result<Json<Page<KeyView>>, Problem> {
    let customer = whose(&deps, &caller, filter.customer_id.as_deref()).await?;
    let found = deps.registry.api_keys(&customer, paging.after.as_deref(), paging.limit).await?;
    let now = deps.clock.now();
    Ok(Json(Page::of(found.items.iter().map(|key| shown(key, now)).collect(), found.next.as_deref())))
}

/// `GET /api/v1/admin/keys/{id}`.
///
/// # Errors
/// 404 where it is not the caller's.
pub async fn show(
    Office(deps): Office,
    caller: Caller,
    Path(id): Path<String>,
    Params(filter): Params<Filter>,
) -> Result<Json<KeyView>, Problem> {
    let customer = whose(&deps, &caller, filter.customer_id.as_deref()).await?;
    let key = deps.registry.named_key(&customer, &id).await?.ok_or_else(|| Problem::absent("key"))?;
    Ok(Json(shown(&key, deps.clock.now())))
}

/// `POST /api/v1/admin/keys`. The key is in this answer, as `secret`, and in no other.
///
/// # Errors
/// 404 for another customer, 409 where there are too many, 422 for fields.
pub async fn create(
    Office(deps): Office,
    caller: Caller,
    NewId(new_id): NewId,
    Params(dry): Params<Dry>,
    Body(new): Body<New>,
) -> Result<Response, Problem> {
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
    let now = deps.clock.now();
    let mut key = ApiKey {
        id: format!("k-{new_id}"),
        hash: String::new(),
        customer,
        role: new.role,
        label,
        expires_at: now.checked_add(SignedDuration::from_hours(i64::from(days) * 24)).ok(),
        revoked: false,
        created_at: Some(now),
    };
    if dry.dry_run {
        return Ok(would(shown(&key, now)));
    }
    // The answer of a first try was lost with its secret: that key is of no use to anybody and stops working.
    if let Some(lost) = deps.registry.named_key(&key.customer, &key.id).await? {
        deps.registry.put_api_key(&ApiKey { revoked: true, ..lost }).await?;
    }
    let secret = SecretString::from(format!("co_{:032x}{:032x}", (deps.ids)(), (deps.ids)()));
    key.hash = hash(secret.expose_secret());
    deps.registry.put_api_key(&key).await?;
    let body = KeyView { secret: Some(secret.expose_secret().to_owned()), ..shown(&key, now) };
    let place = format!("/api/v1/admin/keys/{}", key.id);
    Ok((StatusCode::CREATED, [(header::LOCATION, place), (header::CACHE_CONTROL, "no-store".to_owned())], Json(body)).into_response())
}

/// `DELETE /api/v1/admin/keys/{id}`: it stops working with the next request, and stays in the list.
///
/// # Errors
/// 404 where it is not the caller's.
pub async fn revoke(
    Office(deps): Office,
    caller: Caller,
    Path(id): Path<String>,
    Params(filter): Params<Filter>,
    Params(dry): Params<Dry>,
) -> Result<Response, Problem> {
    let customer = whose(&deps, &caller, filter.customer_id.as_deref()).await?;
    let key = deps.registry.named_key(&customer, &id).await?.ok_or_else(|| Problem::absent("key"))?;
    let was = shown(&key, deps.clock.now());
    if dry.dry_run {
        return Ok(would(was));
    }
    deps.registry.put_api_key(&ApiKey { revoked: true, ..key }).await?;
    Ok(before(StatusCode::NO_CONTENT.into_response(), json!(was)))
}
