//! All routes, in one table with who may use each; and the router that is built for it.

use crate::extract::BODY_BYTES_MAX;
use crate::{Deps, auth, idempotency, problem};
use axum::Router;
use axum::extract::DefaultBodyLimit;
use axum::middleware::from_fn_with_state;
use axum::routing::{get, post};
use domain::tenant::Role;
use http::Method;
use std::sync::Arc;

pub mod actions;
pub mod clusters;
pub mod events;
pub mod halt;
pub mod health;
pub mod k8s;
pub mod ml;
pub mod notifications;
pub mod office_hours;
pub mod operations;
pub mod optimization;
pub mod proposals;
pub mod savings;
pub mod scanner;
pub mod sizes;

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

/// Every route. One that is not in here is closed, whatever the router says.
pub static TABLE: &[(Method, &str, Access)] = &[
    (Method::GET, "/health", Access::Everyone),
    (Method::GET, "/api/v1/admin/clusters", READ),
    (Method::POST, "/api/v1/admin/clusters", MANAGE),
    (Method::GET, "/api/v1/admin/clusters/{id}", READ),
    (Method::PUT, "/api/v1/admin/clusters/{id}", MANAGE),
    (Method::DELETE, "/api/v1/admin/clusters/{id}", MANAGE),
    (Method::POST, "/api/v1/admin/halt", MANAGE),
    (Method::GET, "/api/v1/admin/savings", READ),
    (Method::POST, "/api/v1/optimization/trigger", ACT),
    (Method::GET, "/api/v1/optimization/history", READ),
    (Method::GET, "/api/v1/optimization/status/{id}", READ),
    (Method::GET, "/api/v1/optimization/sizes", READ),
    (Method::GET, "/api/v1/optimization/plans/{id}", READ),
    (Method::POST, "/api/v1/optimization/plans/{id}/approve", ACT),
    (Method::POST, "/api/v1/optimization/plans/{id}/reject", ACT),
    (Method::POST, "/api/v1/optimization/plans/{id}/cancel", ACT),
    (Method::GET, "/api/v1/office-hours", READ),
    (Method::PUT, "/api/v1/office-hours", MANAGE),
    (Method::GET, "/api/v1/office-hours/{cluster_id}", READ),
    (Method::POST, "/api/v1/office-hours/{cluster_id}/approve", ACT),
    (Method::POST, "/api/v1/office-hours/{cluster_id}/wake", ACT),
    (Method::GET, "/api/v1/events/spot-warnings", READ),
    (Method::GET, "/api/v1/events/history", READ),
    (Method::POST, "/api/v1/events/process", ACT),
    (Method::GET, "/api/v1/k8s/{cluster_id}/nodes", READ),
    (Method::GET, "/api/v1/k8s/{cluster_id}/pods", READ),
    (Method::GET, "/api/v1/k8s/{cluster_id}/metrics", READ),
    (Method::POST, "/api/v1/k8s/{cluster_id}/nodes/drain", ACT),
    (Method::POST, "/api/v1/k8s/{cluster_id}/nodes/cordon", ACT),
    (Method::POST, "/api/v1/k8s/{cluster_id}/nodes/uncordon", ACT),
    (Method::POST, "/api/v1/k8s/{cluster_id}/scale", ACT),
    (Method::GET, "/api/v1/notifications/targets", READ),
    (Method::POST, "/api/v1/notifications/targets", MANAGE),
    (Method::GET, "/api/v1/notifications/targets/{id}", READ),
    (Method::PUT, "/api/v1/notifications/targets/{id}", MANAGE),
    (Method::DELETE, "/api/v1/notifications/targets/{id}", MANAGE),
    (Method::POST, "/api/v1/notifications/targets/{id}/test", ACT),
    (Method::GET, "/api/v1/notifications/targets/{id}/deliveries", READ),
    (Method::POST, "/api/v1/notifications/targets/{id}/deliveries/replay", ACT),
    (Method::POST, "/api/v1/ml/decision/{kind}", ACT),
    (Method::POST, "/api/v1/ml/predict/{what}", READ),
    (Method::GET, "/api/v1/ml/predict/{what}", READ),
    (Method::GET, "/api/v1/ml/health", READ),
    (Method::GET, "/api/v1/ml/openapi.json", READ),
    (Method::POST, "/api/v1/scanner/scan", ACT),
    (Method::GET, "/api/v1/scanner/ghosts", READ),
    (Method::POST, "/api/v1/scanner/terminate/{id}", ACT),
    (Method::GET, "/api/v1/operations/{id}", READ),
    (Method::GET, "/api/v1/plans/{cluster_id}/{plan_id}", READ),
];

/// Who may use a route; `None`: it is closed. HEAD is GET without the body.
pub fn access(method: &Method, path: &str) -> Option<Access> {
    let method = if *method == Method::HEAD { &Method::GET } else { method };
    TABLE.iter().find(|(m, p, _)| m == method && *p == path).map(|(_, _, access)| *access)
}

/// The REST API.
pub fn router(deps: Arc<Deps>) -> Router {
    Router::new()
        .route("/health", get(health::show))
        .route("/api/v1/admin/clusters", get(clusters::list).post(clusters::register))
        .route("/api/v1/admin/clusters/{id}", get(clusters::show).put(clusters::update).delete(clusters::remove))
        .route("/api/v1/admin/halt", post(halt::set))
        .route("/api/v1/admin/savings", get(savings::show))
        .route("/api/v1/optimization/trigger", post(optimization::trigger))
        .route("/api/v1/optimization/history", get(optimization::history))
        .route("/api/v1/optimization/status/{id}", get(optimization::status))
        .route("/api/v1/optimization/sizes", get(sizes::list))
        .route("/api/v1/optimization/plans/{id}", get(proposals::show))
        .route("/api/v1/optimization/plans/{id}/approve", post(proposals::approve))
        .route("/api/v1/optimization/plans/{id}/reject", post(proposals::reject))
        .route("/api/v1/optimization/plans/{id}/cancel", post(proposals::cancel))
        .route("/api/v1/office-hours", get(office_hours::rules).put(office_hours::set_rules))
        .route("/api/v1/office-hours/{cluster_id}", get(office_hours::show))
        .route("/api/v1/office-hours/{cluster_id}/approve", post(office_hours::approve))
        .route("/api/v1/office-hours/{cluster_id}/wake", post(office_hours::wake))
        .route("/api/v1/events/spot-warnings", get(events::spot_warnings))
        .route("/api/v1/events/history", get(events::history))
        .route("/api/v1/events/process", post(events::process))
        .route("/api/v1/k8s/{cluster_id}/nodes", get(k8s::nodes))
        .route("/api/v1/k8s/{cluster_id}/pods", get(k8s::pods))
        .route("/api/v1/k8s/{cluster_id}/metrics", get(k8s::metrics))
        .route("/api/v1/k8s/{cluster_id}/nodes/drain", post(actions::drain))
        .route("/api/v1/k8s/{cluster_id}/nodes/cordon", post(actions::cordon))
        .route("/api/v1/k8s/{cluster_id}/nodes/uncordon", post(actions::uncordon))
        .route("/api/v1/k8s/{cluster_id}/scale", post(actions::scale))
        .route("/api/v1/notifications/targets", get(notifications::list).post(notifications::create))
        .route("/api/v1/notifications/targets/{id}", get(notifications::show).put(notifications::update).delete(notifications::remove))
        .route("/api/v1/notifications/targets/{id}/test", post(notifications::test))
        .route("/api/v1/notifications/targets/{id}/deliveries", get(notifications::deliveries))
        .route("/api/v1/notifications/targets/{id}/deliveries/replay", post(notifications::replay))
        .route("/api/v1/scanner/scan", post(scanner::scan))
        .route("/api/v1/scanner/ghosts", get(scanner::ghosts))
        .route("/api/v1/scanner/terminate/{id}", post(scanner::terminate))
        .route("/api/v1/operations/{id}", get(operations::operation))
        .route("/api/v1/plans/{cluster_id}/{plan_id}", get(operations::plan))
        .route_layer(from_fn_with_state(Arc::clone(&deps), idempotency::once))
        // Behind the idempotency keys: asking changes nothing, and the answers are larger than what is kept for a key.
        .route("/api/v1/ml/decision/{kind}", post(ml::forward))
        .route("/api/v1/ml/predict/{what}", get(ml::forward).post(ml::forward))
        .route("/api/v1/ml/health", get(ml::forward))
        .route("/api/v1/ml/openapi.json", get(ml::forward))
        .route_layer(from_fn_with_state(Arc::clone(&deps), auth::guard))
        .layer(DefaultBodyLimit::max(BODY_BYTES_MAX))
        .layer(from_fn_with_state(problem::MANNERS, problem::render))
        .with_state(deps)
}
