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
use std::collections::HashMap;
use std::sync::{Arc, LazyLock};

pub mod actions;
pub mod audit;
pub mod billing;
pub mod clusters;
pub mod config;
pub mod contract;
pub mod customers;
pub mod events;
pub mod findings;
pub mod halt;
pub mod health;
pub mod k8s;
pub mod keys;
pub mod ml;
pub mod notifications;
pub mod office_hours;
pub mod operations;
pub mod optimization;
pub mod permissions;
pub mod proposals;
pub mod savings;
pub mod scanner;
pub mod sizes;
mod table;
mod versions;

pub use table::{TABLE, Table};

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

/// How a schema is made.
pub type Schemas = fn(&mut SchemaGenerator) -> Schema;

/// What a route answers where all goes well, with one status.
#[derive(Debug, Clone, Copy)]
pub struct Given {
    /// The status.
    pub status: u16,
    /// The type of the body.
    pub media: &'static str,
    /// The schema of the body; `None`: of JSON there is no body, and of all else it is text.
    pub schema: Option<Schemas>,
}

/// What a route answers in JSON.
const JSON: &str = "application/json";

/// Whether a request must name the version that it was made for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum IfMatch {
    /// It has none.
    Never,
    /// It may.
    May,
    /// It must.
    Must,
}

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
    pub takes: Option<Schemas>,
    /// What it answers where all goes well.
    pub gives: [Option<Given>; 4],
    /// Whether its answer has an ETag.
    pub tagged: bool,
    /// Whether it can be asked with `dryRun`, which makes all checks and writes nothing.
    pub dry: bool,
    /// Whether a request names the version that it was made for.
    pub if_match: IfMatch,
    /// Whether a cluster is called for it, which may not answer.
    pub calls_cluster: bool,
    /// Whether it is handed on to the decision server. Asking that one changes nothing, and its answers are larger than what is
    /// kept for a repeated request.
    pub passed_on: bool,
    /// Whether the decision server answers it: bodies, statuses and problems are that one's.
    pub foreign: bool,
    handler: fn() -> MethodRouter<Arc<Deps>>,
}

/// The schema of a type, where the document that is checked in is held against this table. What ships serves the document, and does not bear
/// what makes it.
const fn schema<T: JsonSchema>() -> Option<Schemas> {
    if cfg!(test) { Some(|schemas| schemas.subschema_for::<T>()) } else { None }
}

impl Route {
    const fn new(
        method: Method,
        path: &'static str,
        access: Access,
        handler: fn() -> MethodRouter<Arc<Deps>>,
        does: &'static str,
    ) -> Route {
        let gives = [None; 4];
        let (takes, tagged, dry, if_match, calls_cluster) = (None, false, false, IfMatch::Never, false);
        let (passed_on, foreign) = (false, false);
        Route { method, path, access, does, asks: &[], takes, gives, tagged, dry, if_match, calls_cluster, passed_on, foreign, handler }
    }

    const fn given(mut self, given: Given) -> Route {
        let mut at = 0;
        while self.gives[at].is_some() {
            at += 1;
        }
        self.gives[at] = Some(given);
        self
    }

    /// 200 with this body.
    const fn gives<T: JsonSchema>(self) -> Route {
        self.given(Given { status: 200, media: JSON, schema: schema::<T>() })
    }

    /// 200 with a text.
    const fn prints(self, media: &'static str) -> Route {
        self.given(Given { status: 200, media, schema: None })
    }

    /// 201 with this body, and where it is now.
    const fn makes<T: JsonSchema>(self) -> Route {
        self.given(Given { status: 201, media: JSON, schema: schema::<T>() })
    }

    /// 202 with this body, and where what comes of it is shown.
    const fn accepts<T: JsonSchema>(self) -> Route {
        self.given(Given { status: 202, media: JSON, schema: schema::<T>() })
    }

    /// 204.
    const fn ends(self) -> Route {
        self.given(Given { status: 204, media: JSON, schema: None })
    }

    /// Takes `dryRun`, and answers 200 with this body then.
    const fn dry<T: JsonSchema>(mut self) -> Route {
        self.dry = true;
        self.gives::<T>()
    }

    /// Takes `dryRun`, and answers with what it always does.
    const fn dry_run(mut self) -> Route {
        self.dry = true;
        self
    }

    /// Its answers have an ETag.
    const fn tagged(mut self) -> Route {
        self.tagged = true;
        self
    }

    const fn if_match(mut self, if_match: IfMatch) -> Route {
        self.if_match = if_match;
        self
    }

    const fn calls_cluster(mut self) -> Route {
        self.calls_cluster = true;
        self
    }

    const fn takes<T: JsonSchema>(mut self) -> Route {
        self.takes = schema::<T>();
        self
    }

    const fn asks(mut self, names: &'static [&'static str]) -> Route {
        self.asks = names;
        self
    }

    const fn passed_on(mut self) -> Route {
        self.passed_on = true;
        self.foreign()
    }

    const fn foreign(mut self) -> Route {
        self.foreign = true;
        self
    }
}

/// The routes of each path: every request asks, and whoever floods us asks most.
static BY_PATH: LazyLock<HashMap<&str, Vec<&Route>>> = LazyLock::new(|| {
    let mut all: HashMap<&str, Vec<&Route>> = HashMap::new();
    for route in TABLE.iter() {
        all.entry(route.path).or_default().push(route);
    }
    all
});

/// Who may use a route; `None`: it is closed. HEAD is GET without the body.
pub fn access(method: &Method, path: &str) -> Option<Access> {
    let method = if *method == Method::HEAD { &Method::GET } else { method };
    BY_PATH.get(path)?.iter().find(|route| route.method == *method).map(|route| route.access)
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
