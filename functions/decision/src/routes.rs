//! All routes, in one table with who may use each; and the router that is made from it.

use crate::{Deps, auth, problem};
use axum::Router;
use axum::extract::DefaultBodyLimit;
use axum::middleware::from_fn_with_state;
use axum::routing::MethodRouter;
use http::Method;
use schemars::{JsonSchema, Schema, SchemaGenerator};
use std::sync::Arc;

pub mod contract;
pub mod decide;
pub mod gaps;
pub mod health;
pub mod models;
pub mod outcomes;
pub mod predict;
pub mod predictions;
pub mod pricing;
pub mod refresh;
mod table;
pub mod uploads;

pub use table::TABLE;

/// Who may use a route.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Access {
    /// Whoever can reach us.
    Everyone,
    /// Whoever has a key.
    Key,
}

/// A schema of the published contract.
pub type Shape = fn(&mut SchemaGenerator) -> Schema;

/// A route.
pub struct Route {
    /// Its method.
    pub method: Method,
    /// Its path.
    pub path: &'static str,
    /// Who may use it.
    pub access: Access,
    /// The schema of its body.
    pub takes: Option<Shape>,
    /// The schema of its answer.
    pub gives: Shape,
    /// Parameters of its query.
    pub asks: &'static [&'static str],
    /// Whether a request must name the version that it was made for.
    pub versioned: bool,
    /// What it does, in one sentence.
    pub summary: &'static str,
    handler: fn() -> MethodRouter<Arc<Deps>>,
}

impl Route {
    const fn new<Gives: JsonSchema>(
        method: Method,
        path: &'static str,
        handler: fn() -> MethodRouter<Arc<Deps>>,
        summary: &'static str,
    ) -> Route {
        let gives: Shape = |schemas| schemas.subschema_for::<Gives>();
        Route { method, path, access: Access::Key, takes: None, gives, asks: &[], versioned: false, summary, handler }
    }

    const fn takes<T: JsonSchema>(mut self) -> Route {
        self.takes = Some(|schemas| schemas.subschema_for::<T>());
        self
    }

    const fn asks(mut self, names: &'static [&'static str]) -> Route {
        self.asks = names;
        self
    }

    const fn versioned(mut self) -> Route {
        self.versioned = true;
        self
    }

    const fn open(mut self) -> Route {
        self.access = Access::Everyone;
        self
    }
}

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
