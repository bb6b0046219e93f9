//! All routes, in one table with who may use each; and the router and the published contract that are built from the handlers.

use crate::{Deps, auth, problem};
use axum::Router;
use axum::extract::DefaultBodyLimit;
use axum::middleware::{from_fn, from_fn_with_state};
use http::Method;
use std::sync::Arc;
use utoipa::OpenApi;
use utoipa::openapi::security::{ApiKey, ApiKeyValue, HttpAuthScheme, HttpBuilder, SecurityScheme};
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

pub mod contract;
pub mod decide;
pub mod health;
pub mod predict;

/// Who may use a route.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Access {
    /// Whoever can reach us.
    Everyone,
    /// Whoever has a key.
    Key,
}

/// Every route. One that is not in here is closed, whatever the router says.
pub static TABLE: [(Method, &str, Access); 6] = [
    (Method::GET, "/api/v1/ml/health", Access::Everyone),
    (Method::GET, "/api/v1/ml/openapi.json", Access::Everyone),
    (Method::POST, "/api/v1/ml/decision/spot-optimize", Access::Key),
    (Method::POST, "/api/v1/ml/decision/bin-pack", Access::Key),
    (Method::POST, "/api/v1/ml/decision/rightsize", Access::Key),
    (Method::POST, "/api/v1/ml/predict/spot-interruption", Access::Key),
];

/// Who may use a route; `None`: it is closed. HEAD is GET without the body.
pub fn access(method: &Method, path: &str) -> Option<Access> {
    let method = if *method == Method::HEAD { &Method::GET } else { method };
    TABLE.iter().find(|(m, p, _)| m == method && *p == path).map(|(_, _, access)| *access)
}

#[derive(OpenApi)]
#[openapi(info(
    title = "CloudOptim decision server",
    description = "What is asked of the decision server, and what it answers. Money is in millionths of a US dollar per hour. Bodies of \
                   6 MB at most, plain or packed with gzip. The same request may be sent again: asking changes nothing.",
    license(name = "Apache-2.0", identifier = "Apache-2.0")
))]
struct Contract;

fn handlers() -> OpenApiRouter<Arc<Deps>> {
    OpenApiRouter::with_openapi(Contract::openapi())
        .routes(routes!(decide::spot_optimize))
        .routes(routes!(decide::bin_pack))
        .routes(routes!(decide::rightsize))
        .routes(routes!(predict::spot_interruption))
        .routes(routes!(health::show))
        .routes(routes!(contract::show))
}

/// The published contract: OpenAPI 3.1, made from the handlers and the types of the domain, as text.
///
/// # Errors
/// None in practice: the document is JSON by construction.
pub fn openapi() -> Result<String, serde_json::Error> {
    let mut document = handlers().into_openapi();
    let components = document.components.get_or_insert_default();
    let key = SecurityScheme::ApiKey(ApiKey::Header(ApiKeyValue::new("x-api-key")));
    let bearer = SecurityScheme::Http(HttpBuilder::new().scheme(HttpAuthScheme::Bearer).build());
    components.security_schemes.extend([("api_key".to_owned(), key.into()), ("bearer".to_owned(), bearer.into())]);
    let mut text = document.to_pretty_json()?;
    text.push('\n');
    // Links of the code's own pages lead nowhere in the document.
    Ok(text.replace("[`", "`").replace("`]", "`"))
}

/// The decision server.
pub fn router(deps: Arc<Deps>) -> Router {
    let (router, _) = handlers().split_for_parts();
    router
        .route_layer(from_fn_with_state(Arc::clone(&deps), auth::guard))
        .layer(DefaultBodyLimit::max(deps.limits.wire_bytes_max))
        .layer(from_fn(problem::render))
        .with_state(deps)
}
