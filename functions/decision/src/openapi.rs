//! The published contract: OpenAPI 3.1, made from the table of routes and the types of the domain.

use crate::problem::{Document, MEDIA_TYPE};
use crate::routes::health::Health;
use crate::routes::{Access, Form, Route, TABLE};
use domain::decision::{Calibration, DecisionAnswer, DecisionRequest, Kept, PredictRequest, Prediction, PredictionOutcome};
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
const PROBLEMS: [(&str, &str); 7] = [
    ("400", "The body cannot be read."),
    ("401", "The key is missing or wrong."),
    ("413", "The body is too large."),
    ("415", "The body is not JSON, or packed in another way."),
    ("422", "Another version or path, a request that contradicts itself, or an answer that is too large to travel."),
    ("500", "A fault of the server."),
    ("503", "Outcomes of predictions are not kept here, or cannot be kept now. Nothing else needs them."),
];

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
    for route in &TABLE {
        let method = route.method.as_str().to_ascii_lowercase();
        paths.insert(route.path.to_owned(), json!({ method: operation(route, &mut schemas) }));
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
    let asked = match route.form {
        Form::Decision => Some(schema::<DecisionRequest>(schemas)),
        Form::Prediction => Some(schema::<PredictRequest>(schemas)),
        Form::Outcomes => Some(schema::<Vec<PredictionOutcome>>(schemas)),
        Form::Calibration | Form::Health | Form::Contract => None,
    };
    let given = match route.form {
        Form::Decision => schema::<DecisionAnswer>(schemas),
        Form::Prediction => schema::<Vec<Prediction>>(schemas),
        Form::Outcomes => schema::<Kept>(schemas),
        Form::Calibration => schema::<Vec<Calibration>>(schemas),
        Form::Health => schema::<Health>(schemas),
        Form::Contract => json!({ "type": "object" }),
    };
    let mut responses = Map::new();
    let good =
        json!({ "description": "Packed with gzip where the caller takes that.", "content": { "application/json": { "schema": given } } });
    responses.insert("200".to_owned(), good);
    if let Some(schema) = asked {
        let content = json!({ "application/json": { "schema": schema }, "application/gzip": {} });
        operation["requestBody"] = json!({ "description": PACKING, "required": true, "content": content });
        for (status, description) in PROBLEMS {
            let schema = self::schema::<Document>(schemas);
            responses.insert(status.to_owned(), json!({ "description": description, "content": { MEDIA_TYPE: { "schema": schema } } }));
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

/// `spot_optimize` of `/api/v1/ml/decision/spot-optimize`.
fn name(route: &Route) -> String {
    let last = route.path.rsplit('/').next().unwrap_or_default();
    last.trim_end_matches(".json").replace('-', "_")
}
