//! The published contract.

use axum::response::IntoResponse;
use http::header;

/// The document as it is checked in: a test holds it and the handlers to each other.
const DOCUMENT: &str = include_str!("../../openapi.json");

/// This document.
pub async fn show() -> impl IntoResponse {
    ([(header::CONTENT_TYPE, "application/json")], DOCUMENT)
}
