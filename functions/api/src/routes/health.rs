//! Whether the function runs. Asks nothing of anybody: a throttled table must not make a load balancer take us away.

use axum::Json;
use schemars::JsonSchema;
use serde::Serialize;

/// That it runs.
#[derive(Debug, Serialize, JsonSchema)]
pub struct Health {
    status: &'static str,
    service: &'static str,
    version: &'static str,
}

/// `GET /health`.
pub async fn show() -> Json<Health> {
    Json(Health { status: "ok", service: "cloudoptim", version: env!("CARGO_PKG_VERSION") })
}
