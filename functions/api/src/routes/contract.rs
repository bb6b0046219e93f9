//! The published contract, and a page to read it: all of it comes from here, so that it works without any other server.

use axum::response::IntoResponse;
use http::header;

/// The document as it is checked in: a test holds it and the table of routes to each other.
const DOCUMENT: &str = include_str!("../../openapi.json");
/// The page.
const PAGE: &str = include_str!("../../docs.html");
/// The page's own code may run, and it may ask us; nothing else.
const ONLY_OURS: &str = "default-src 'none'; script-src 'unsafe-inline'; style-src 'unsafe-inline'; connect-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'";

/// `GET /api/v1/openapi.json`.
pub async fn document() -> impl IntoResponse {
    ([(header::CONTENT_TYPE, "application/json")], DOCUMENT)
}

/// `GET /api/v1/docs`.
pub async fn page() -> impl IntoResponse {
    ([(header::CONTENT_TYPE, "text/html; charset=utf-8"), (header::CONTENT_SECURITY_POLICY, ONLY_OURS)], PAGE)
}
