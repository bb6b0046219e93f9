//! What a dry run answers: all checks are made, and nothing is written.

use axum::Json;
use axum::response::{IntoResponse, Response};
use schemars::JsonSchema;
use serde::Serialize;

/// What would be there, or what would go.
#[derive(Debug, Serialize, JsonSchema)]
#[schemars(rename = "Dry{T}")]
pub struct Would<T> {
    /// Always true: nothing was written.
    dry_run: bool,
    /// What would be answered; of a removal, what would go.
    result: T,
}

/// The answer to a dry run.
pub fn would<T: Serialize>(result: T) -> Response {
    Json(Would { dry_run: true, result }).into_response()
}
