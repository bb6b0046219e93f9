//! Signing in and out.

use crate::Deps;
use crate::ask::{Act, Answer, form, pairs};
use crate::failure::Failure;
use crate::session::{hash_of, holding};
use askama::Template;
use axum::extract::{Request, State};
use axum::response::{Html, IntoResponse, Redirect, Response};
use http::{StatusCode, Uri, header};
use std::sync::Arc;

#[derive(Template)]
#[template(path = "sign_in.html")]
struct Door<'a> {
    next: &'a str,
    wrong: bool,
}

/// Only pages of ours are gone back to: an address of another site in the link must not be followed.
fn inside(next: Option<&String>) -> &str {
    let fine = |path: &&String| path.starts_with("/console") && !path.contains(['\\', '\n', '\r']) && !path.starts_with("/console/sign");
    next.filter(fine).map_or("/console", String::as_str)
}

fn page(status: StatusCode, next: &str, wrong: bool) -> Answer {
    let html = Door { next, wrong }.render().map_err(|error| Failure::Internal(error.to_string()))?;
    Ok((status, Html(html)).into_response())
}

/// `GET /console/sign-in`.
///
/// # Errors
/// The page cannot be made.
pub async fn show(uri: Uri) -> Answer {
    let query = pairs(uri.query().unwrap_or_default().as_bytes());
    page(StatusCode::OK, inside(query.get("next")), false)
}

/// `POST /console/sign-in`.
///
/// # Errors
/// Keys cannot be read.
pub async fn enter(State(deps): State<Arc<Deps>>, request: Request) -> Answer {
    let (parts, body) = request.into_parts();
    let fields = form(&parts.headers, body).await?;
    let next = inside(fields.get("next"));
    let now = deps.clock.now();
    let Some(hash) = fields.get("key").and_then(|key| hash_of(key)) else {
        return page(StatusCode::UNAUTHORIZED, next, true);
    };
    let Some(key) = holding(&*deps.registry, &hash, now).await? else {
        return page(StatusCode::UNAUTHORIZED, next, true);
    };
    tracing::info!(customer.id = %key.customer, by = key.label, "Somebody signed in to the console");
    let cookie = deps.sessions.begin(&hash, (deps.ids)(), now);
    Ok(([(header::SET_COOKIE, cookie)], Redirect::to(next)).into_response())
}

/// `POST /console/sign-out`.
pub async fn leave(act: Act) -> Response {
    ([(header::SET_COOKIE, act.ask.deps.sessions.end())], Redirect::to("/console/sign-in")).into_response()
}
