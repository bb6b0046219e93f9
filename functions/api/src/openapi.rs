//! The published contract: OpenAPI 3.1, made from the table of routes, the bodies that its handlers read, and the views that they
//! answer with. Made where it is held against the one that is checked in, and which is served.

use crate::routes::{Access, IfMatch, Route, TABLE};
use domain::tenant::Role;
use http::Method;
use runtime::web::openapi::{About, document};
use schemars::SchemaGenerator;
use schemars::generate::{Contract, SchemaSettings};
use serde_json::{Map, Value, json};

mod answers;
mod problems;

pub(crate) use problems::statuses;

const ABOUT: &str = "Cuts the cost of Kubernetes clusters on AWS from outside them. Errors are problem documents (RFC 9457) whose `code` never \
                     changes its meaning. Lists come in pages: `limit`, `cursor`, and `next_cursor` in the answer. A POST with an \
                     `Idempotency-Key` is done once. `dryRun` makes all checks and writes nothing. Another customer's things look as if \
                     they were not there. Money is in millionths of a US dollar.";

/// The document, as it is checked in.
///
/// # Errors
/// None in practice: the document is JSON by construction.
pub(crate) fn openapi() -> Result<String, serde_json::Error> {
    let (mut read, mut shown) = (generator(Contract::Deserialize), generator(Contract::Serialize));
    let mut paths: Map<String, Value> = Map::new();
    for route in TABLE {
        let item = paths.entry(route.path.to_owned()).or_insert_with(|| json!({}));
        item[route.method.as_str().to_ascii_lowercase()] = operation(route, &mut read, &mut shown);
    }
    let (mut schemas, shown) = (read.take_definitions(true), shown.take_definitions(true));
    let others = answers::told_apart(&schemas, &shown);
    for (name, schema) in shown {
        let name = if others.contains(&name) { answers::shown(&name) } else { name };
        schemas.insert(name, answers::renamed(schema, &others));
    }
    for item in paths.values_mut() {
        for operation in item.as_object_mut().into_iter().flat_map(Map::values_mut) {
            let responses = operation["responses"].take();
            operation["responses"] = answers::renamed(responses, &others);
        }
    }
    schemas.extend(problems::schemas());
    let about = About {
        title: "CloudOptim",
        version: env!("CARGO_PKG_VERSION"),
        description: ABOUT,
        bearer: json!({ "type": "http", "scheme": "bearer", "description": "An API key, or a token of the issuer that is set." }),
    };
    let components = json!({ "schemas": schemas, "responses": problems::responses(), "headers": answers::headers() });
    document(&about, paths, components)
}

fn generator(contract: Contract) -> SchemaGenerator {
    let settings = SchemaSettings::draft2020_12().with(|settings| {
        settings.definitions_path = "/components/schemas".into();
        settings.meta_schema = None;
        settings.contract = contract;
    });
    settings.into_generator()
}

fn operation(route: &Route, read: &mut SchemaGenerator, shown: &mut SchemaGenerator) -> Value {
    let mut responses = answers::responses(route, shown);
    responses.extend(statuses(route).map(|status| {
        let reference = json!({ "$ref": format!("#/components/responses/{}", problems::name(route, status)) });
        (status.to_string(), reference)
    }));
    let mut operation = json!({
        "summary": route.does,
        "operationId": name(route),
        "parameters": parameters(route),
        "responses": responses,
    });
    if let Some(takes) = route.takes {
        let schema: Value = takes(read).into();
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

fn parameters(route: &Route) -> Vec<Value> {
    let mut parameters: Vec<Value> = named(route.path).map(|name| parameter(name, "path", true)).collect();
    parameters.extend(route.asks.iter().map(|name| match name.strip_suffix('!') {
        // How much the decision server lists at a time is its own word.
        None if route.foreign && *name == "limit" => json!({
            "name": name, "in": "query", "required": false, "schema": { "type": "integer", "minimum": 1 },
        }),
        Some(name) => parameter(name, "query", true),
        None => parameter(name, "query", false),
    }));
    if route.dry {
        parameters.push(parameter("dryRun", "query", false));
    }
    if route.method == Method::POST && !route.passed_on {
        parameters.push(parameter("Idempotency-Key", "header", false));
    }
    match route.if_match {
        IfMatch::Never => {}
        IfMatch::May => parameters.push(parameter("If-Match", "header", false)),
        IfMatch::Must => parameters.push(parameter("If-Match", "header", true)),
    }
    parameters
}

/// A month of the calendar.
const MONTH: &str = "^[0-9]{4}-(0[1-9]|1[0-2])$";

fn parameter(name: &str, place: &str, required: bool) -> Value {
    let schema = match name {
        "limit" => json!({ "type": "integer", "minimum": 1, "maximum": crate::paging::LIMIT_MAX }),
        "hours" => json!({ "type": "integer", "minimum": 1, "maximum": 744 }),
        "dryRun" | "force" => json!({ "type": "boolean" }),
        "format" => json!({ "enum": ["json", "ndjson", "csv"] }),
        "month" => json!({ "type": "string", "pattern": MONTH }),
        "Idempotency-Key" => json!({ "type": "string", "pattern": "^[!-~]{1,128}$" }),
        "cursor" => json!({ "type": "string", "pattern": "^[A-Za-z0-9_-]+$" }),
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
