//! Whether the server runs, and what it speaks. Asks nothing of anybody.

use crate::Deps;
use axum::Json;
use axum::extract::State;
use domain::decision::CONTRACT_VERSION;
use serde::Serialize;
use std::sync::Arc;

/// The state of the server.
#[derive(Debug, Serialize, schemars::JsonSchema)]
pub struct Health {
    /// `ok`.
    status: &'static str,
    /// Name and version of the engine that decides.
    engine: String,
    /// The version of the contract that is spoken.
    contract_version: u32,
}

/// Whether the server runs, and what it speaks.
pub async fn show(State(deps): State<Arc<Deps>>) -> Json<Health> {
    Json(Health { status: "ok", engine: deps.engine.name(), contract_version: CONTRACT_VERSION })
}
