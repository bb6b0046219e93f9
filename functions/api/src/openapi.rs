//! The published contract: OpenAPI 3.1, made from the table of routes and the bodies that its handlers read.

use crate::problem::MEDIA_TYPE;
use crate::routes::{Access, Route, TABLE};
use domain::tenant::Role;
use http::Method;
use runtime::web::openapi::{About, document};
use schemars::SchemaGenerator;
use schemars::generate::SchemaSettings;
use serde_json::{Map, Value, json};

const ABOUT: &str = "Cuts the cost of Kubernetes clusters on AWS from outside them. Errors are problem documents (RFC 9457) whose `code` never \
                     changes its meaning. Lists come in pages: `limit`, `cursor`, and `next_cursor` in the answer. A POST with an \
                     `Idempotency-Key` is done once. Another customer's things look as if they were not there. Money is in millionths of a US dollar.";

/// The document, as it is checked in.
///
/// # Errors
/// None in practice: the document is JSON by construction.
pub fn openapi() -> Result<String, serde_json::Error> {
    let settings = SchemaSettings::draft2020_12().with(|settings| {
        settings.definitions_path = "/components/schemas".into();
        settings.meta_schema = None;
    });
    let mut schemas = settings.into_generator();
    let mut paths: Map<String, Value> = Map::new();
    for route in TABLE {
        let item = paths.entry(route.path.to_owned()).or_insert_with(|| json!({}));
        item[route.method.as_str().to_ascii_lowercase()] = operation(route, &mut schemas);
    }
    let mut definitions = schemas.take_definitions(true);
    definitions.insert("Problem".to_owned(), problem());
    let about = About {
        title: "CloudOptim",
        version: env!("CARGO_PKG_VERSION"),
        description: ABOUT,
        bearer: json!({ "type": "http", "scheme": "bearer", "description": "An API key, or a token of the issuer that is set." }),
    };
    document(&about, paths, definitions)
}

fn problem() -> Value {
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
        },
    })
}

fn operation(route: &Route, schemas: &mut SchemaGenerator) -> Value {
    let mut parameters: Vec<Value> = named(route.path).map(|name| parameter(name, "path", true)).collect();
    parameters.extend(route.asks.iter().map(|name| parameter(name, "query", false)));
    if route.method == Method::POST && !route.passed_on {
        parameters.push(parameter("Idempotency-Key", "header", false));
    }
    if route.method == Method::PUT {
        parameters.push(parameter("If-Match", "header", false));
    }
    let failed = json!({
        "description": "A problem document.",
        "content": { MEDIA_TYPE: { "schema": { "$ref": "#/components/schemas/Problem" } } },
    });
    let mut operation = json!({
        "summary": route.does,
        "operationId": name(route),
        "parameters": parameters,
        "responses": { "2XX": { "description": "Done, or to be followed at the place in `Location`." }, "default": failed },
    });
    if let Some(takes) = route.takes {
        let schema: Value = takes(schemas).into();
        operation["requestBody"] = json!({ "required": true, "content": { "application/json": { "schema": schema } } });
    }
    let (security, role) = match route.access {
        Access::Everyone => (json!([]), "everyone"),
        Access::Needs(Role::Viewer) => (json!([{ "api_key": [] }, { "bearer": [] }]), "viewer"),
        Access::Needs(Role::Operator) => (json!([{ "api_key": [] }, { "bearer": [] }]), "operator"),
        Access::Needs(Role::Admin) => (json!([{ "api_key": [] }, { "bearer": [] }]), "admin"),
    };
    operation["security"] = security;
    operation["x-role"] = Value::from(role);
    operation
}

fn parameter(name: &str, place: &str, required: bool) -> Value {
    let schema = match name {
        "limit" => json!({ "type": "integer", "minimum": 1, "maximum": crate::paging::LIMIT_MAX }),
        "hours" => json!({ "type": "integer", "minimum": 1, "maximum": 744 }),
        "dryRun" | "force" => json!({ "type": "boolean" }),
        "format" => json!({ "enum": ["json", "ndjson", "csv"] }),
        _ => json!({ "type": "string" }),
    };
    json!({ "name": name, "in": place, "required": required, "schema": schema })
}

/// Names in braces.
fn named(path: &str) -> impl Iterator<Item = &str> {
    path.split('/').filter_map(|part| part.strip_prefix('{')?.strip_suffix('}'))
}

/// `get_admin_clusters_id` of `GET /api/v1/admin/clusters/{id}`.
fn name(route: &Route) -> String {
    let path = route.path.trim_start_matches("/api/v1").trim_matches('/');
    let plain: String = path.chars().map(|c| if c.is_ascii_alphanumeric() { c } else { '_' }).collect();
    let words = plain.split('_').filter(|word| !word.is_empty()).collect::<Vec<_>>().join("_");
    format!("{}_{words}", route.method.as_str().to_ascii_lowercase())
}
