//! All pages, and what can be done on them.

use crate::failure::Failure;
use crate::pages::*;
use crate::{Deps, assets, trail};
use axum::Router;
use axum::extract::Request;
use axum::middleware::{Next, from_fn, from_fn_with_state};
use axum::response::Response;
use axum::routing::{any, get, post};
use http::{HeaderValue, header};
use std::sync::Arc;

/// Every page that can be opened without naming something: what tests and benchmarks walk through.
pub const PAGES: [&str; 19] = [
    "/console",
    "/console/cost",
    "/console/clusters",
    "/console/plans",
    "/console/decisions",
    "/console/blockers",
    "/console/savings",
    "/console/waste",
    "/console/rightsizing",
    "/console/office-hours",
    "/console/interruptions",
    "/console/predictions",
    "/console/pricing",
    "/console/models",
    "/console/gaps",
    "/console/history",
    "/console/config",
    "/console/keys",
    "/console/health",
];

/// Every form: none is taken without its token.
pub const FORMS: [&str; 29] = [
    "/console/plans/approve",
    "/console/plans/reject",
    "/console/plans/cancel",
    "/console/plans/approve-chosen",
    "/console/waste/end",
    "/console/models/upload",
    "/console/models/uploads",
    "/console/models/activate",
    "/console/models/shadow",
    "/console/models/shadow-end",
    "/console/models/remove",
    "/console/models/rollback",
    "/console/models/engine",
    "/console/gaps/fill",
    "/console/gaps/undo",
    "/console/gaps/refresh",
    "/console/gaps/schedule",
    "/console/keys/create",
    "/console/keys/revoke",
    "/console/clusters/round",
    "/console/clusters/look",
    "/console/waste/scan",
    "/console/waste/dismiss",
    "/console/office-hours/wake",
    "/console/office-hours/approve",
    "/console/config/mode",
    "/console/config/halt",
    "/console/config/test",
    "/console/sign-out",
];

/// Nothing but our own files, no script or style that stands in a page, and no frame around us. What a page may connect to comes last.
const POLICY: &str = "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; form-action 'self'; frame-ancestors 'none'; base-uri 'none'; connect-src 'self'";

/// One origin more that the script of a page may send files to: a handler puts it beside its answer.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Connects(HeaderValue);

impl Connects {
    /// To this origin, as the decision server names it. `None`: it is none, or nothing but an origin, over TLS or on this machine, could
    /// stand in a policy as this does.
    pub(crate) fn to(origin: &str) -> Option<Connects> {
        let host = match origin.strip_prefix("https://") {
            Some(host) => host,
            None => origin.strip_prefix("http://").filter(|host| host.starts_with("127.0.0.1:"))?,
        };
        let sound = |b: u8| b.is_ascii_lowercase() || b.is_ascii_digit() || b".-:".contains(&b);
        if host.is_empty() || !host.bytes().all(sound) {
            return None;
        }
        HeaderValue::try_from(format!("{POLICY} {origin}")).ok().map(Connects)
    }
}

/// The console.
pub fn router(deps: Arc<Deps>) -> Router {
    Router::new()
        .route("/console", get(overview::show))
        .route("/console/", get(overview::home))
        .route("/console/cost", get(cost::show))
        .route("/console/clusters", get(clusters::list))
        .route("/console/clusters/{id}", get(cluster::show))
        .route("/console/clusters/round", post(cluster::round))
        .route("/console/clusters/look", post(rights::look))
        .route("/console/plans", get(plans::list))
        .route("/console/plans/{id}", get(plan::show))
        .route("/console/plans/approve", post(plan::approve))
        .route("/console/plans/reject", post(plan::reject))
        .route("/console/plans/cancel", post(plan::cancel))
        .route("/console/plans/approve-chosen", post(plans::approve_chosen))
        .route("/console/decisions", get(decisions::list))
        .route("/console/decisions/{id}", get(decisions::show))
        .route("/console/blockers", get(blockers::show))
        .route("/console/savings", get(savings::show))
        .route("/console/waste", get(waste::show))
        .route("/console/waste/scan", post(waste::scan))
        .route("/console/waste/dismiss", post(waste::dismiss))
        .route("/console/waste/end", post(waste::end))
        .route("/console/rightsizing", get(rightsizing::show))
        .route("/console/office-hours", get(hours::show))
        .route("/console/office-hours/wake", post(hours::wake))
        .route("/console/office-hours/approve", post(hours::approve))
        .route("/console/interruptions", get(interruptions::show))
        .route("/console/predictions", get(predictions::show))
        .route("/console/pricing", get(pricing::show))
        .route("/console/models", get(models::show))
        .route("/console/models/upload", post(models::upload))
        .route("/console/models/uploads", post(models::begin))
        .route("/console/models/activate", post(models::activate))
        .route("/console/models/shadow", post(models::shadow))
        .route("/console/models/shadow-end", post(models::shadow_end))
        .route("/console/models/remove", post(models::remove))
        .route("/console/models/rollback", post(models::rollback))
        .route("/console/models/engine", post(models::engine))
        .route("/console/gaps", get(gaps::show))
        .route("/console/gaps/fill", post(gaps::fill))
        .route("/console/gaps/undo", post(gaps::undo))
        .route("/console/gaps/refresh", post(gaps::read))
        .route("/console/gaps/schedule", post(schedule::set))
        .route("/console/keys", get(keys::show))
        .route("/console/keys/create", post(keys::create))
        .route("/console/keys/revoke", post(keys::revoke))
        .route("/console/history", get(history::show))
        .route("/console/config", get(config::show))
        .route("/console/config/mode", post(config::mode))
        .route("/console/config/halt", post(config::halt))
        .route("/console/config/test", post(config::test))
        .route("/console/health", get(health::show))
        .route("/console/sign-in", get(door::show).post(door::enter))
        .route("/console/sign-out", post(door::leave))
        .route("/console/assets/{version}/{name}", get(assets::show))
        // What is no page of ours is said to be none, by a page.
        .route("/console/{*rest}", any(nowhere))
        .layer(from_fn_with_state(Arc::clone(&deps), trail::note))
        .layer(from_fn(guarded))
        .with_state(deps)
}

/// An address that leads to no page.
async fn nowhere() -> Failure {
    Failure::Absent("page")
}

/// What every answer says about itself. Pages hold a customer's figures: nobody on the way keeps them.
async fn guarded(request: Request, next: Next) -> Response {
    let mut response = next.run(request).await;
    let policy = response.extensions_mut().remove::<Connects>().map_or(HeaderValue::from_static(POLICY), |Connects(policy)| policy);
    let headers = response.headers_mut();
    headers.insert(header::CONTENT_SECURITY_POLICY, policy);
    headers.insert(header::X_CONTENT_TYPE_OPTIONS, HeaderValue::from_static("nosniff"));
    headers.insert(header::REFERRER_POLICY, HeaderValue::from_static("same-origin"));
    headers.insert("cross-origin-opener-policy", HeaderValue::from_static("same-origin"));
    headers.entry(header::CACHE_CONTROL).or_insert(HeaderValue::from_static("no-store"));
    response
}
