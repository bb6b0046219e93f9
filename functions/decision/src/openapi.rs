//! The published contract: OpenAPI 3.1, made from the table of routes and the types of the domain.

use crate::problem::{Document, MEDIA_TYPE};
use crate::routes::{Access, Route, TABLE};
use runtime::web::openapi::{About, document};
use schemars::generate::SchemaSettings;
use schemars::{JsonSchema, SchemaGenerator};
use serde_json::{Map, Value, json};

const ABOUT: &str = "What is asked of the decision server, and what it answers. Money is in millionths of a US dollar per hour. Bodies \
                     have 6 MB at most as they travel, plain or packed with gzip. Asking changes nothing, and an outcome counts once under its id: the same request may be sent \
                     again. Readers pass over fields that they do not know.";
const PACKING: &str = "JSON, plain or with `Content-Encoding: gzip`; or the same JSON packed, as `application/gzip`, for gateways that take \
                       what calls itself JSON for text.";

/// What can go wrong where something is asked, by status.
const PROBLEMS: [(&str, &str); 9] = [
    ("400", "The body or the query cannot be read."),
    ("401", "The key is missing or wrong."),
    ("404", "There is no such model, upload or filling."),
    ("409", "It does not fit what is so now, or somebody else changed it at the same time."),
    ("413", "The body is too large."),
    ("415", "The body is not JSON, or packed in another way."),
    (
        "422",
        "Another version or path, a request that contradicts itself, a model or an upload that does not fit, or an answer that is too large to travel.",
    ),
    ("500", "A fault of the server."),
    ("503", "There is no table here, or it cannot be used now. Decisions and chances need none."),
];

/// What can go wrong besides where a request names the version that it was made for.
const STALE: [(&str, &str); 2] =
    [("412", "It is another version by now."), ("428", "The version that is meant must be named as If-Match.")];

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
    let mut paths = Map::new();
    for route in TABLE {
        let method = route.method.as_str().to_ascii_lowercase();
        let of_path = paths.entry(route.path.to_owned()).or_insert_with(|| json!({}));
        of_path[method] = operation(route, &mut schemas);
    }
    let about = About {
        title: "CloudOptim decision server",
        version: env!("CARGO_PKG_VERSION"),
        description: ABOUT,
        bearer: json!({ "type": "http", "scheme": "bearer" }),
    };
    document(&about, paths, json!({ "schemas": schemas.take_definitions(true) }))
}

fn operation(route: &Route, schemas: &mut SchemaGenerator) -> Value {
    let mut operation = json!({ "summary": route.summary, "operationId": name(route) });
    let mut responses = Map::new();
    let good = json!({ "description": "Packed with gzip where the caller takes that.", "content": { "application/json": { "schema": Value::from((route.gives)(schemas)) } } });
    responses.insert("200".to_owned(), good);
    if let Some(takes) = route.takes {
        let content = json!({ "application/json": { "schema": Value::from(takes(schemas)) }, "application/gzip": {} });
        operation["requestBody"] = json!({ "description": PACKING, "required": true, "content": content });
    }
    let parameters = parameters(route);
    if !parameters.is_empty() {
        operation["parameters"] = Value::Array(parameters);
    }
    if route.access == Access::Key {
        let stale: &[(&str, &str)] = if route.versioned { &STALE } else { &[] };
        for (status, description) in PROBLEMS.iter().chain(stale) {
            let schema = self::schema::<Document>(schemas);
            responses.insert((*status).to_owned(), json!({ "description": description, "content": { MEDIA_TYPE: { "schema": schema } } }));
        }
    }
    operation["responses"] = Value::Object(responses);
    operation["security"] = match route.access {
        Access::Key => json!([{ "api_key": [] }, { "bearer": [] }]),
        Access::Everyone => json!([]),
    };
    operation
}

fn schema<T: JsonSchema>(schemas: &mut SchemaGenerator) -> Value {
    schemas.subschema_for::<T>().into()
}

/// What stands in the path in braces, and behind the question mark.
fn parameters(route: &Route) -> Vec<Value> {
    let text = json!({ "type": "string" });
    let in_path = route.path.split('/').filter_map(|part| part.strip_prefix('{')?.strip_suffix('}'));
    let in_path = in_path.map(|name| json!({ "name": name, "in": "path", "required": true, "schema": text }));
    let asked = route.asks.iter().map(|name| json!({ "name": name, "in": "query", "required": false, "schema": text }));
    let version = route.versioned.then(|| json!({ "name": "If-Match", "in": "header", "required": true, "schema": text }));
    in_path.chain(asked).chain(version).collect()
}

/// `post_decision_spot_optimize` of `POST /api/v1/ml/decision/spot-optimize`.
fn name(route: &Route) -> String {
    let path = route.path.trim_start_matches("/api/v1/ml/").trim_end_matches(".json");
    let word: String = path.chars().map(|c| if c.is_ascii_alphanumeric() { c } else { '_' }).collect();
    format!(
        "{}_{}",
        route.method.as_str().to_ascii_lowercase(),
        word.split('_').filter(|part| !part.is_empty()).collect::<Vec<_>>().join("_")
    )
}
