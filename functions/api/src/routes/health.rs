//! Whether the function runs. Asks nothing of anybody: a throttled table must not make a load balancer take us away.

use axum::Json;
use serde_json::{Value, json};

/// `GET /health`.
pub async fn show() -> Json<Value> {
    Json(json!({ "status": "ok", "service": "cloudoptim", "version": env!("CARGO_PKG_VERSION") }))
}
