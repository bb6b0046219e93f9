//! The trail of what people do here: written before a form is handled, and closed with what came of it, in the rows that the API writes.

use crate::Deps;
use crate::ask::{Ask, bytes_max, pairs};
use crate::failure::Failure;
use axum::body::{Body, to_bytes};
use axum::extract::{FromRequestParts, Request, State};
use axum::middleware::Next;
use axum::response::{IntoResponse, Response};
use domain::audit;
use http::Method;
use serde_json::Value;
use std::sync::Arc;

/// How much of a form is kept, in characters.
const OBJECT_MAX: usize = 2_048;
/// Never noted: what proves that a form is ours, the key that signs in, and the file of a model, which is kept as itself.
const SECRET: [&str; 3] = ["token", "key", "onnx"];

/// What a form has changed: a page puts it beside its answer. Never holds a secret.
#[derive(Debug, Clone)]
struct Changed {
    before: Value,
    after: Value,
}

/// Puts what was there, and what is there now, beside an answer.
pub(crate) fn changed(mut response: Response, before: Value, after: Value) -> Response {
    response.extensions_mut().insert(Changed { before, after });
    response
}

/// Notes every form of somebody who is signed in. What is not noted is not done.
pub(crate) async fn note(State(deps): State<Arc<Deps>>, request: Request, next: Next) -> Response {
    if request.method() != Method::POST {
        return next.run(request).await;
    }
    let (mut parts, body) = request.into_parts();
    let Ok(bytes) = to_bytes(body, bytes_max(parts.uri.path())).await else {
        return Failure::Refused("The form is too large.".to_owned()).into_response();
    };
    let asked = Ask::from_request_parts(&mut parts, &deps).await;
    let request = Request::from_parts(parts, Body::from(bytes.clone()));
    // Who is signed out has nothing done, and is told so by the page itself.
    let Ok(ask) = asked else { return next.run(request).await };
    let mut noted = row(&deps, &ask, &bytes);
    if let Err(error) = deps.trail.note(&noted).await {
        return Failure::from(error).into_response();
    }
    let mut response = next.run(request).await;
    noted.status = Some(response.status().as_u16());
    if let Some(Changed { before, after }) = response.extensions_mut().remove::<Changed>() {
        let said = |value: Value| Some(value).filter(|value| !value.is_null());
        (noted.before, noted.after) = (said(before), said(after));
    }
    // The form is handled: a trail that does not answer now must not make it look undone. The open row says that it was begun.
    if let Err(error) = deps.trail.note(&noted).await {
        tracing::error!(%error, id = noted.id, "The outcome of a form was not noted");
    }
    response
}

fn row(deps: &Deps, ask: &Ask, form: &[u8]) -> audit::Request {
    let fields = pairs(form).into_iter().filter(|(name, _)| !SECRET.contains(&name.as_str()));
    let fields: Vec<String> = fields.map(|(name, value)| format!("{name}={value}")).collect();
    audit::Request {
        id: format!("{:032x}", (deps.ids)()),
        customer: ask.session.customer.clone(),
        at: ask.now,
        by: ask.session.label.clone(),
        credential: "console".to_owned(),
        role: ask.session.role,
        action: format!("POST {}", ask.path),
        object: format!("{}?{}", ask.path, fields.join("&")).chars().take(OBJECT_MAX).collect(),
        before: None,
        after: None,
        status: None,
    }
}
