//! The trail of what is asked: written before a request is handled, and closed with what came of it.

use crate::Deps;
use crate::auth::Caller;
use crate::extract::NewId;
use crate::idempotency::without_secret;
use crate::problem::Problem;
use axum::body::{Body, to_bytes};
use axum::extract::{MatchedPath, Request, State};
use axum::middleware::Next;
use axum::response::Response;
use domain::audit;
use http::Method;
use serde_json::Value;
use std::sync::Arc;

/// The largest part of an answer that is kept, in bytes.
const AFTER_BYTES_MAX: usize = 32_768;
/// The largest answer of a request that changes something.
const ANSWER_BYTES_MAX: usize = 8_000_000;

/// What was there before a change: a handler puts it beside its answer. Never holds a secret.
#[derive(Debug, Clone)]
pub struct Before(pub Value);

/// Puts what was there before beside an answer.
pub fn before(mut response: Response, value: Value) -> Response {
    response.extensions_mut().insert(Before(value));
    response
}

/// Notes every request that may change something.
///
/// # Errors
/// 503 where the trail cannot be written: what is not noted is not done.
pub async fn note(State(deps): State<Arc<Deps>>, request: Request, next: Next) -> Result<Response, Problem> {
    let caller = request.extensions().get::<Caller>().cloned();
    let (Some(caller), false) = (caller, [Method::GET, Method::HEAD].contains(request.method())) else {
        return Ok(next.run(request).await);
    };
    let id = request.extensions().get::<NewId>().map_or_else(|| format!("{:032x}", (deps.ids)()), |NewId(id)| id.clone());
    let route = request.extensions().get::<MatchedPath>().map_or_else(String::new, |path| path.as_str().to_owned());
    let mut noted = audit::Request {
        id,
        customer: caller.customer,
        at: deps.clock.now(),
        by: caller.label,
        credential: caller.credential,
        role: caller.role,
        action: format!("{} {route}", request.method()),
        object: request.uri().path_and_query().map_or_else(String::new, |path| path.as_str().chars().take(2_048).collect()),
        before: None,
        after: None,
        status: None,
    };
    deps.trail.note(&noted).await?;
    let mut response = next.run(request).await;
    noted.status = Some(response.status().as_u16());
    noted.before = response.extensions_mut().remove::<Before>().map(|Before(value)| value);
    let (parts, body) = response.into_parts();
    let bytes = to_bytes(body, ANSWER_BYTES_MAX).await.map_err(Problem::internal)?;
    noted.after = kept(&bytes);
    // The request is done: a trail that does not answer now must not make it look undone. The open row says that it was begun.
    if let Err(error) = deps.trail.note(&noted).await {
        tracing::error!(%error, id = noted.id, "The outcome of a request was not noted");
    }
    Ok(Response::from_parts(parts, Body::from(bytes)))
}

/// An answer as the trail keeps it: without what is shown once.
fn kept(bytes: &[u8]) -> Option<Value> {
    if bytes.len() > AFTER_BYTES_MAX {
        return Some(Value::from(format!("({} bytes, not kept)", bytes.len())));
    }
    serde_json::from_str(&without_secret(std::str::from_utf8(bytes).ok()?)).ok().filter(|value: &Value| !value.is_null())
}
