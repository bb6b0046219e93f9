//! All routes, in one table: what each takes and gives, who may use it, and what handles it. The router and the published contract
//! are both made from it, so that neither can say what the other does not.

use crate::{Deps, auth, problem};
use axum::Router;
use axum::extract::DefaultBodyLimit;
use axum::middleware::from_fn_with_state;
use axum::routing::{MethodRouter, get, post};
use http::Method;
use std::sync::Arc;

pub mod contract;
pub mod decide;
pub mod health;
pub mod outcomes;
pub mod predict;

/// Who may use a route.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Access {
    /// Whoever can reach us.
    Everyone,
    /// Whoever has a key.
    Key,
}

/// What a route takes and gives.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Form {
    /// A decision request, and its answer.
    Decision,
    /// A question for chances, and the chances.
    Prediction,
    /// Outcomes of predictions, and how many were kept.
    Outcomes,
    /// Nothing, and how good predictions were.
    Calibration,
    /// Nothing, and the state of the server.
    Health,
    /// Nothing, and the published contract.
    Contract,
}

/// A route.
pub struct Route {
    /// Its method.
    pub method: Method,
    /// Its path.
    pub path: &'static str,
    /// Who may use it.
    pub access: Access,
    /// What it takes and gives.
    pub form: Form,
    /// What it does, in one sentence.
    pub summary: &'static str,
    handler: fn() -> MethodRouter<Arc<Deps>>,
}

/// Every route. There are no others.
pub static TABLE: [Route; 8] = [
    Route {
        method: Method::POST,
        path: "/api/v1/ml/decision/spot-optimize",
        access: Access::Key,
        form: Form::Decision,
        summary: "On-demand to spot, spot to better spot, and back to on-demand where spot is too risky.",
        handler: || post(decide::spot_optimize),
    },
    Route {
        method: Method::POST,
        path: "/api/v1/ml/decision/bin-pack",
        access: Access::Key,
        form: Form::Decision,
        summary: "Fewer or cheaper nodes for the same pods.",
        handler: || post(decide::bin_pack),
    },
    Route {
        method: Method::POST,
        path: "/api/v1/ml/decision/rightsize",
        access: Access::Key,
        form: Form::Decision,
        summary: "Nodes of a size that fits what they carry, one for one.",
        handler: || post(decide::rightsize),
    },
    Route {
        method: Method::POST,
        path: "/api/v1/ml/predict/spot-interruption",
        access: Access::Key,
        form: Form::Prediction,
        summary: "The chance that an instance of a spot pool is taken back within a horizon, for each pool.",
        handler: || post(predict::spot_interruption),
    },
    Route {
        method: Method::POST,
        path: "/api/v1/ml/outcomes",
        access: Access::Key,
        form: Form::Outcomes,
        summary: "Tells what became of predictions: how many instances of a pool were interrupted within the horizon.",
        handler: || post(outcomes::keep),
    },
    Route {
        method: Method::GET,
        path: "/api/v1/ml/predict/calibration",
        access: Access::Key,
        form: Form::Calibration,
        summary: "How good predictions were, for each horizon: Brier score and reliability table, made from the outcomes that were told.",
        handler: || get(outcomes::calibration),
    },
    Route {
        method: Method::GET,
        path: "/api/v1/ml/health",
        access: Access::Everyone,
        form: Form::Health,
        summary: "Whether the server runs, and what it speaks.",
        handler: || get(health::show),
    },
    Route {
        method: Method::GET,
        path: "/api/v1/ml/openapi.json",
        access: Access::Everyone,
        form: Form::Contract,
        summary: "This document.",
        handler: || get(contract::show),
    },
];

/// Who may use a route; `None`: it is closed. HEAD is GET without the body.
pub fn access(method: &Method, path: &str) -> Option<Access> {
    let method = if *method == Method::HEAD { &Method::GET } else { method };
    TABLE.iter().find(|route| route.method == *method && route.path == path).map(|route| route.access)
}

/// The decision server.
pub fn router(deps: Arc<Deps>) -> Router {
    let open = TABLE.iter().fold(Router::new(), |router, route| router.route(route.path, (route.handler)()));
    open.route_layer(from_fn_with_state(Arc::clone(&deps), auth::guard))
        .layer(DefaultBodyLimit::max(deps.limits.wire_bytes_max))
        .layer(from_fn_with_state(problem::MANNERS, problem::render))
        .with_state(deps)
}
