//! All routes, in one table with who may use each; and the router that is made from it.

use crate::extract::BODY_BYTES_MAX;
use crate::{Deps, auth, idempotency, problem, trail};
use axum::Router;
use axum::extract::DefaultBodyLimit;
use axum::middleware::from_fn_with_state;
use axum::routing::MethodRouter;
use domain::tenant::Role;
use http::Method;
use schemars::{JsonSchema, Schema, SchemaGenerator};
use std::sync::Arc;

pub mod actions;
pub mod audit;
pub mod clusters;
pub mod config;
pub mod contract;
pub mod customers;
pub mod events;
pub mod halt;
pub mod health;
pub mod k8s;
pub mod keys;
pub mod ml;
pub mod notifications;
pub mod office_hours;
pub mod operations;
pub mod optimization;
pub mod proposals;
pub mod savings;
pub mod scanner;
pub mod sizes;
mod table;

pub use table::TABLE;

/// Who may use a route.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Access {
    /// Whoever can reach us.
    Everyone,
    /// Keys with this role or a higher one.
    Needs(Role),
}

const READ: Access = Access::Needs(Role::Viewer);
const ACT: Access = Access::Needs(Role::Operator);
const MANAGE: Access = Access::Needs(Role::Admin);

/// A route.
pub struct Route {
    /// Its method.
    pub method: Method,
    /// Its path.
    pub path: &'static str,
    /// Who may use it.
    pub access: Access,
    /// What it does, in one sentence.
    pub does: &'static str,
    /// Parameters of its query.
    pub asks: &'static [&'static str],
    /// The schema of its body.
    pub takes: Option<fn(&mut SchemaGenerator) -> Schema>,
    /// Whether it is handed on to the decision server. Asking that one changes nothing, and its answers are larger than what is
    /// kept for a repeated request.
    pub passed_on: bool,
    handler: fn() -> MethodRouter<Arc<Deps>>,
}

impl Route {
    const fn new(
        method: Method,
        path: &'static str,
        access: Access,
        handler: fn() -> MethodRouter<Arc<Deps>>,
        does: &'static str,
    ) -> Route {
        Route { method, path, access, does, asks: &[], takes: None, passed_on: false, handler }
    }

    const fn takes<T: JsonSchema>(mut self) -> Route {
        self.takes = Some(|schemas| schemas.subschema_for::<T>());
        self
    }

    const fn asks(mut self, names: &'static [&'static str]) -> Route {
        self.asks = names;
        self
    }

    const fn passed_on(mut self) -> Route {
        self.passed_on = true;
        self
    }
}

/// Who may use a route; `None`: it is closed. HEAD is GET without the body.
pub fn access(method: &Method, path: &str) -> Option<Access> {
    let method = if *method == Method::HEAD { &Method::GET } else { method };
    TABLE.iter().find(|route| route.method == *method && route.path == path).map(|route| route.access)
}

/// The REST API.
pub fn router(deps: Arc<Deps>) -> Router {
    let add = |router: Router<Arc<Deps>>, route: &Route| router.route(route.path, (route.handler)());
    let ours = TABLE.iter().filter(|route| !route.passed_on).fold(Router::new(), add);
    let ours = ours
        .route_layer(from_fn_with_state(Arc::clone(&deps), trail::note))
        .route_layer(from_fn_with_state(Arc::clone(&deps), idempotency::once));
    let all = TABLE.iter().filter(|route| route.passed_on).fold(ours, add);
    all.route_layer(from_fn_with_state(Arc::clone(&deps), auth::guard))
        .layer(DefaultBodyLimit::max(BODY_BYTES_MAX))
        .layer(from_fn_with_state(problem::MANNERS, problem::render))
        .with_state(deps)
}
