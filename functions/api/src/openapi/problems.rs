//! Problems, status by status: which a route can answer, and with which codes.

use crate::problem::{CODES, MEDIA_TYPE};
use crate::routes::{Access, IfMatch, Route};
use domain::tenant::Role;
use http::Method;
use serde_json::{Map, Value, json};

/// What a problem of another server is called: its codes are its own.
const FOREIGN: &str = "ForeignProblem";

/// Statuses of the problems that a route can answer.
pub(crate) fn statuses(route: &Route) -> impl Iterator<Item = u16> {
    CODES.iter().map(|(status, ..)| *status).filter(|status| can(route, *status))
}

fn can(route: &Route, status: u16) -> bool {
    let closed = route.access != Access::Everyone;
    let body = route.takes.is_some();
    let writes = route.method != Method::GET;
    let asks = !route.asks.is_empty() || route.dry;
    let names = route.path.contains('{') || body || route.asks.iter().any(|name| name.starts_with("cluster_id") || *name == "customer_id");
    match status {
        400 => asks || body || route.method == Method::POST || route.path.contains('{') || route.foreign,
        401 | 429 => closed,
        403 => closed && (writes || route.access != Access::Needs(Role::Viewer)),
        404 => closed && (names || route.foreign),
        405 => false,
        409 => writes || route.calls_cluster,
        412 => route.if_match != IfMatch::Never,
        413 => body || route.foreign || route.method == Method::POST,
        415 => body || route.foreign,
        // Names in a query are held to what names are.
        422 => body || route.foreign || route.method == Method::POST || route.asks.contains(&"node"),
        428 => route.if_match == IfMatch::Must,
        500 | 503 => closed,
        502 => route.calls_cluster || route.foreign,
        504 => route.foreign,
        _ => false,
    }
}

/// The response of a route with a status.
pub(super) fn name(route: &Route, status: u16) -> String {
    // What is said before a request is handed on is ours.
    let ours = [401, 403, 429].contains(&status) || !route.foreign;
    if ours { format!("Problem{status}") } else { format!("{FOREIGN}{status}") }
}

/// The schemas of problems: of all, and of each status with its codes.
pub(super) fn schemas() -> Map<String, Value> {
    let mut schemas = Map::new();
    schemas.insert("Problem".to_owned(), problem());
    // Another server owes us no more than RFC 9457 does: every member may be missing.
    schemas.insert(
        FOREIGN.to_owned(),
        json!({ "type": "object", "properties": { "status": { "type": "integer" }, "detail": { "type": "string" } } }),
    );
    for (status, _, codes) in CODES {
        let types: Vec<String> = codes.iter().map(|code| format!("urn:cloudoptim:problem:{code}")).collect();
        let properties = json!({ "status": { "const": status }, "code": { "enum": codes }, "type": { "enum": types } });
        let schema = json!({ "allOf": [{ "$ref": "#/components/schemas/Problem" }], "properties": properties });
        schemas.insert(format!("Problem{status}"), schema);
    }
    schemas
}

fn problem() -> Value {
    let field = json!({
        "type": "object",
        "required": ["field", "detail"],
        "properties": { "field": { "type": "string" }, "detail": { "type": "string" } },
    });
    json!({
        "type": "object",
        "required": ["type", "title", "status", "detail", "instance", "code"],
        "properties": {
            "type": { "type": "string", "description": "`urn:cloudoptim:problem:` and the code." },
            "title": { "type": "string" },
            "status": { "type": "integer" },
            "detail": { "type": "string", "description": "What is wrong and what to do, for a person." },
            "instance": { "type": "string", "description": "The path that was called." },
            "code": { "type": "string", "description": "For programs. Never changes its meaning." },
            "errors": { "type": "array", "items": field, "description": "Field by field, where fields are wrong." },
        },
    })
}

/// The responses, named by the routes that have them.
pub(super) fn responses() -> Map<String, Value> {
    let mut responses = Map::new();
    for (status, says, _) in CODES {
        let headers = match status {
            401 => json!({ "WWW-Authenticate": { "$ref": "#/components/headers/WWW-Authenticate" } }),
            409 | 429 | 503 => json!({ "Retry-After": { "$ref": "#/components/headers/Retry-After" } }),
            _ => json!({}),
        };
        for (name, schema) in [(format!("Problem{status}"), format!("Problem{status}")), (format!("{FOREIGN}{status}"), FOREIGN.to_owned())]
        {
            let content = json!({ MEDIA_TYPE: { "schema": { "$ref": format!("#/components/schemas/{schema}") } } });
            responses.insert(name, json!({ "description": says, "headers": headers, "content": content }));
        }
    }
    responses
}
