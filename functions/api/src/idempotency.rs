//! Idempotency keys: a POST that is repeated with its key is done once, and answered the same.

use crate::Deps;
use crate::auth::Caller;
use crate::extract::{BODY_BYTES_MAX, NewId};
use crate::problem::{Problem, too_large};
use axum::body::{Body, to_bytes};
use axum::extract::{Request, State};
use axum::middleware::Next;
use axum::response::Response;
use data_encoding::HEXLOWER;
use domain::ids::CustomerId;
use domain::ports::IdempotencyState;
use http::header::{CACHE_CONTROL, CONTENT_TYPE, ETAG, HeaderName, HeaderValue, LOCATION};
use http::{HeaderMap, Method, StatusCode};
use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};
use std::sync::Arc;

/// Largest answer that is kept: an item of the table holds 400 kB.
const ANSWER_BYTES_MAX: usize = 350_000;

/// An answer as it is kept.
#[derive(Debug, Serialize, Deserialize)]
struct Kept {
    headers: Vec<(String, String)>,
    body: String,
}

/// Headers that are part of an answer; all others are made anew.
const KEPT_HEADERS: [HeaderName; 3] = [CONTENT_TYPE, LOCATION, ETAG];

/// Gives every POST an id for what it makes, and sees to it that one with an `Idempotency-Key` is done once.
///
/// # Errors
/// 409 while the same request is under way, 422 where the key was used for another one.
pub async fn once(State(deps): State<Arc<Deps>>, mut request: Request, next: Next) -> Result<Response, Problem> {
    let caller = request.extensions().get::<Caller>().cloned();
    let (&Method::POST, Some(caller)) = (request.method(), caller) else {
        return Ok(next.run(request).await);
    };
    let Some(key) = key_of(request.headers())? else {
        request.extensions_mut().insert(NewId(format!("{:032x}", (deps.ids)())));
        return Ok(next.run(request).await);
    };
    let (mut parts, body) = request.into_parts();
    let body = to_bytes(body, BODY_BYTES_MAX).await.map_err(|_| too_large())?;
    let target = parts.uri.path_and_query().map_or_else(String::new, ToString::to_string);
    let fingerprint = fingerprint(&parts.method, &target, &body);
    match deps.idempotency.begin(&caller.customer, &key, &fingerprint, deps.clock.now()).await? {
        IdempotencyState::New => {}
        IdempotencyState::InFlight => {
            let detail = "The same request is under way. Ask again after the time in Retry-After.";
            return Err(Problem::new(StatusCode::CONFLICT, "idempotency-in-flight", detail).retry_after(2));
        }
        IdempotencyState::Mismatch => {
            let detail = "This Idempotency-Key was used for another request. Choose a new key for each request.";
            return Err(Problem::new(StatusCode::UNPROCESSABLE_ENTITY, "idempotency-mismatch", detail));
        }
        IdempotencyState::Done(status, kept) => return replay(status, &kept),
    }
    // If we die after the effect and before the answer is kept, the repeated request makes the same id, and finds the effect.
    let id = hash(&[b"id", caller.customer.as_str().as_bytes(), key.as_bytes()]);
    parts.extensions.insert(NewId(id.chars().take(32).collect()));
    let response = next.run(Request::from_parts(parts, Body::from(body))).await;
    keep(&deps, &caller.customer, &key, response).await
}

fn key_of(headers: &HeaderMap) -> Result<Option<String>, Problem> {
    let Some(value) = headers.get("idempotency-key") else {
        return Ok(None);
    };
    let key = value.to_str().unwrap_or_default();
    if (1..=128).contains(&key.len()) && key.bytes().all(|b| b.is_ascii_graphic()) {
        return Ok(Some(key.to_owned()));
    }
    let detail = "An Idempotency-Key has 1 to 128 visible ASCII characters; a random UUID is best.";
    Err(Problem::new(StatusCode::BAD_REQUEST, "idempotency-key-malformed", detail))
}

/// What tells one request from another.
pub(crate) fn fingerprint(method: &Method, target: &str, body: &[u8]) -> String {
    hash(&[method.as_str().as_bytes(), target.as_bytes(), body])
}

/// SHA-256 in hex, each part with its length, so that no two lists of parts look alike.
fn hash(parts: &[&[u8]]) -> String {
    let mut hash = Sha256::new();
    for part in parts {
        hash.update((part.len() as u64).to_be_bytes());
        hash.update(part);
    }
    HEXLOWER.encode(&hash.finalize())
}

/// Keeps a success. A failure is not kept: what was in the way may be gone when the request comes again.
async fn keep(deps: &Deps, customer: &CustomerId, key: &str, response: Response) -> Result<Response, Problem> {
    if !response.status().is_success() {
        if let Err(error) = deps.idempotency.release(customer, key).await {
            tracing::warn!(%error, "An idempotency key was not let go; it falls free by itself");
        }
        return Ok(response);
    }
    let (parts, body) = response.into_parts();
    let body = to_bytes(body, ANSWER_BYTES_MAX).await.map_err(Problem::internal)?;
    let text = String::from_utf8_lossy(&body).into_owned();
    let secret = parts.headers.get(CACHE_CONTROL).is_some_and(|value| value == "no-store");
    let kept = Kept { headers: headers_of(&parts.headers), body: if secret { without_secret(&text) } else { text } };
    let kept = serde_json::to_string(&kept).map_err(Problem::internal)?;
    // The request is done: an answer that cannot be kept must not make it look undone.
    if let Err(error) = deps.idempotency.finish(customer, key, parts.status.as_u16(), &kept, deps.clock.now()).await {
        tracing::warn!(%error, "An answer was not kept");
    }
    Ok(Response::from_parts(parts, Body::from(body)))
}

/// What may be kept of an answer that shows a secret: all but the secret. Whoever lost it rotates it, or asks for another.
pub(crate) fn without_secret(body: &str) -> String {
    let mut body: serde_json::Value = serde_json::from_str(body).unwrap_or_default();
    if let Some(secret) = body.get_mut("secret") {
        *secret = "(shown once; rotate it to get another)".into();
    }
    // Whoever has the address of an upload may put a file there.
    if body.get("upload_id").is_some()
        && let Some(url) = body.get_mut("url")
    {
        *url = "(shown once; ask for another upload)".into();
    }
    body.to_string()
}

fn headers_of(headers: &HeaderMap) -> Vec<(String, String)> {
    let text = |name: &HeaderName| Some((name.to_string(), headers.get(name)?.to_str().ok()?.to_owned()));
    KEPT_HEADERS.iter().filter_map(text).collect()
}

fn replay(status: u16, kept: &str) -> Result<Response, Problem> {
    let kept: Kept = serde_json::from_str(kept).map_err(Problem::internal)?;
    let mut response = Response::new(Body::from(kept.body));
    *response.status_mut() = StatusCode::from_u16(status).map_err(Problem::internal)?;
    for (name, value) in kept.headers {
        if let (Ok(name), Ok(value)) = (HeaderName::try_from(name), HeaderValue::try_from(value)) {
            response.headers_mut().insert(name, value);
        }
    }
    response.headers_mut().insert("idempotency-replayed", HeaderValue::from_static("true"));
    Ok(response)
}
