//! Signing in and out.

use crate::Deps;
use crate::ask::{Act, Answer, form, pairs};
use crate::failure::Failure;
use crate::session::{Ground, hash_of, holding, registered};
use askama::Template;
use axum::extract::{Request, State};
use axum::response::{Html, IntoResponse, Redirect, Response};
use domain::Timestamp;
use domain::ids::CustomerId;
use http::{StatusCode, Uri, header};
use runtime::web::caller::looks_like_a_token;
use runtime::web::issuer::Untold;
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
    let ground = match fields.get("key").map(|key| key.trim()) {
        Some(token) if looks_like_a_token(token) => by_token(&deps, token, now).await?,
        Some(key) => by_key(&deps, key, now).await?,
        None => None,
    };
    let Some(ground) = ground else {
        return page(StatusCode::UNAUTHORIZED, next, true);
    };
    let cookie = deps.sessions.begin(&ground, (deps.ids)(), now);
    Ok(([(header::SET_COOKIE, cookie)], Redirect::to(next)).into_response())
}

async fn by_key(deps: &Deps, key: &str, now: Timestamp) -> Result<Option<Ground>, Failure> {
    let Some(hash) = hash_of(key) else { return Ok(None) };
    let Some(key) = holding(&*deps.registry, &hash, now).await? else { return Ok(None) };
    tracing::info!(customer.id = %key.customer, by = key.label, "Somebody signed in to the console");
    Ok(Some(Ground::Key(hash)))
}

/// A token of the issuer that is set, judged as the API judges it.
async fn by_token(deps: &Deps, token: &str, now: Timestamp) -> Result<Option<Ground>, Failure> {
    let Some(issuer) = &deps.issuer else { return Ok(None) };
    let claims = match issuer.judge(token, now).await {
        Ok(claims) => claims,
        Err(Untold::Refused(why)) => {
            tracing::info!(why, "A token was not taken at the door");
            return Ok(None);
        }
        Err(Untold::Unavailable(why)) => return Err(Failure::Down(why)),
    };
    let Ok(customer) = CustomerId::parse(&claims.customer) else { return Ok(None) };
    if !registered(&*deps.registry, &customer).await? {
        return Ok(None);
    }
    tracing::info!(customer.id = %customer, by = claims.subject, "Somebody signed in to the console with a token");
    Ok(Some(Ground::Token(Box::new(claims))))
}

/// `POST /console/sign-out`.
pub async fn leave(act: Act) -> Response {
    ([(header::SET_COOKIE, act.ask.deps.sessions.end())], Redirect::to("/console/sign-in")).into_response()
}
