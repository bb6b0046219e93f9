//! Answers where all goes well: their bodies and their headers.

use crate::routes::{Access, Route};
use http::Method;
use schemars::SchemaGenerator;
use serde_json::{Map, Value, json};
use std::collections::BTreeSet;

/// The answers of a route, by status.
pub(super) fn responses(route: &Route, schemas: &mut SchemaGenerator) -> Map<String, Value> {
    let mut responses = Map::new();
    for given in route.gives.iter().flatten() {
        let response = responses.entry(given.status.to_string()).or_insert_with(|| response(route, given.status));
        if given.status == 204 {
            continue;
        }
        let schema: Value = match given.schema {
            Some(schema) => schema(schemas).into(),
            None => json!({ "type": "string" }),
        };
        // Two bodies of one status: what was done, and what would be.
        let before = response["content"][given.media]["schema"].take();
        response["content"][given.media]["schema"] = if before.is_null() { schema } else { json!({ "anyOf": [before, schema] }) };
    }
    responses
}

fn response(route: &Route, status: u16) -> Value {
    let description = match status {
        201 => "Made. It stands at the place in `Location`.",
        202 => "Taken. What comes of it is shown at the place in `Location`.",
        204 => "Done; there is nothing to show.",
        _ if route.dry => "Done; or, with `dryRun`, what would be done.",
        _ => "As asked for.",
    };
    let mut headers = Map::new();
    let mut add = |name: &str, component: &str| {
        headers.insert(name.to_owned(), json!({ "$ref": format!("#/components/headers/{component}") }));
    };
    if route.access != Access::Everyone {
        add("RateLimit", "RateLimit");
        add("RateLimit-Policy", "RateLimit-Policy");
    }
    if [201, 202].contains(&status) && !route.foreign {
        add("Location", "Location");
    }
    if route.tagged && status != 204 {
        // A dry run has nothing that could be tagged.
        let sure = !route.dry || status != 200;
        add("ETag", if sure { "ETag" } else { "ETag-Unless-Dry" });
    }
    if route.method == Method::POST && !route.passed_on {
        add("Idempotency-Replayed", "Idempotency-Replayed");
    }
    if headers.is_empty() { json!({ "description": description }) } else { json!({ "description": description, "headers": headers }) }
}

/// Headers, named by the answers that have them.
pub(super) fn headers() -> Value {
    let text =
        |description: &str, required: bool| json!({ "description": description, "required": required, "schema": { "type": "string" } });
    let seconds = json!({ "description": "Seconds until it is worth while to ask again.", "schema": { "type": "integer", "minimum": 1 } });
    json!({
        "RateLimit": text("What is left of this minute: `\"key\";r=<calls>;t=<seconds>` (httpapi-ratelimit-headers).", true),
        "RateLimit-Policy": text("What a minute holds: `\"key\";q=<calls>;w=60`.", true),
        "ETag": text("The version, for `If-Match`.", true),
        "ETag-Unless-Dry": text("The version, for `If-Match`; a dry run has none.", false),
        "Location": text("Where it stands.", true),
        "Idempotency-Replayed": text("`true`: this is the answer to an earlier request with the same key.", false),
        "Retry-After": seconds,
        "WWW-Authenticate": text("How to show who one is.", true),
    })
}

/// Names that stand for one thing where it is read and for another where it is shown.
pub(super) fn told_apart(read: &Map<String, Value>, shown: &Map<String, Value>) -> BTreeSet<String> {
    let mut others: BTreeSet<String> = BTreeSet::new();
    // What names another thing is another thing, too: until nothing is added.
    loop {
        let new = shown.iter().filter(|(name, schema)| {
            let there = read.get(*name);
            !others.contains(*name) && there.is_some_and(|there| *there != renamed((*schema).clone(), &others))
        });
        let new: Vec<String> = new.map(|(name, _)| name.clone()).collect();
        if new.is_empty() {
            return others;
        }
        others.extend(new);
    }
}

/// What it is called where it is shown.
pub(super) fn shown(name: &str) -> String {
    format!("{name}Shown")
}

/// A schema that names what is shown.
pub(super) fn renamed(mut schema: Value, others: &BTreeSet<String>) -> Value {
    rename(&mut schema, others);
    schema
}

fn rename(value: &mut Value, others: &BTreeSet<String>) {
    match value {
        Value::Object(fields) => {
            for (name, field) in fields {
                let of = field.as_str().and_then(|text| text.strip_prefix("#/components/schemas/")).filter(|_| name == "$ref");
                match of.filter(|of| others.contains(*of)).map(shown) {
                    Some(to) => *field = Value::from(format!("#/components/schemas/{to}")),
                    None => rename(field, others),
                }
            }
        }
        Value::Array(items) => items.iter_mut().for_each(|item| rename(item, others)),
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) => {}
    }
}
