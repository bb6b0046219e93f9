//! Every answer that any test here gets is held to the published contract: its status, its headers, its type and its body.

use super::support::Answer;
use boon::{Compiler, SchemaIndex, Schemas};
use http::Method;
use serde_json::Value;
use std::collections::BTreeMap;
use std::sync::LazyLock;

/// Where the document stands for the validator. Nothing is fetched.
const PLACE: &str = "https://contract.invalid/openapi.json";

/// The contract, ready to be held against.
struct Contract {
    document: Value,
    schemas: Schemas,
    bodies: BTreeMap<String, SchemaIndex>,
}

static CONTRACT: LazyLock<Contract> = LazyLock::new(|| {
    let document: Value = serde_json::from_str(&crate::openapi::openapi().unwrap()).unwrap();
    let (mut compiler, mut schemas, mut bodies) = (Compiler::new(), Schemas::new(), BTreeMap::new());
    compiler.enable_format_assertions();
    compiler.add_resource(PLACE, document.clone()).unwrap();
    for (path, item) in document["paths"].as_object().unwrap() {
        for (method, operation) in item.as_object().unwrap() {
            for (status, response) in operation["responses"].as_object().unwrap() {
                let (pointer, response) = match response["$ref"].as_str() {
                    Some(of) => (of.trim_start_matches('#').to_owned(), document.pointer(of.trim_start_matches('#')).unwrap()),
                    None => (format!("/paths/{}/{method}/responses/{status}", escaped(path)), response),
                };
                for media in response["content"].as_object().into_iter().flat_map(|content| content.keys()) {
                    let place = format!("{pointer}/content/{}/schema", escaped(media));
                    let index = compiler.compile(&format!("{PLACE}#{}", place.replace('{', "%7B").replace('}', "%7D")), &mut schemas);
                    bodies.insert(format!("{method} {path} {status} {media}"), index.unwrap());
                }
            }
        }
    }
    Contract { document, schemas, bodies }
});

/// As a part of a JSON pointer.
fn escaped(text: &str) -> String {
    text.replace('~', "~0").replace('/', "~1")
}

/// A path, and its parts.
type Parted = (&'static str, Vec<&'static str>);

/// The path of the contract that a path is one of: of those that fit, the one with the fewest names to be filled in.
fn template(path: &str) -> Option<&'static str> {
    /// The paths of so many parts, each with its parts, those with the fewest names first.
    static BY_PARTS: LazyLock<BTreeMap<usize, Vec<Parted>>> = LazyLock::new(|| {
        let mut all: BTreeMap<usize, Vec<Parted>> = BTreeMap::new();
        for route in crate::routes::TABLE.iter() {
            let parts: Vec<&str> = route.path.split('/').collect();
            all.entry(parts.len()).or_default().push((route.path, parts));
        }
        all.values_mut().for_each(|paths| paths.sort_by_key(|(path, _)| path.matches('{').count()));
        all
    });
    let given: Vec<&str> = path.split('/').collect();
    let fits = |parts: &[&str]| parts.iter().zip(&given).all(|(part, given)| part.starts_with('{') || part == given);
    BY_PARTS.get(&given.len())?.iter().find(|(_, parts)| fits(parts)).map(|(path, _)| *path)
}

/// Panics where an answer is not what the contract says.
pub(crate) fn to_the_contract(method: &Method, path: &str, answer: &Answer) {
    if method.as_str().bytes().any(|letter| letter.is_ascii_lowercase()) {
        // Methods are spelled in capitals; `get` is none that a path takes.
        return;
    }
    let method = method.as_str().to_ascii_lowercase();
    let Some(path) = template(path) else { return };
    let operation = &CONTRACT.document["paths"][path][&method];
    if operation.is_null() {
        // HEAD, and methods that a path does not take.
        return;
    }
    let asked = format!("{method} {path}");
    let response = &operation["responses"][answer.status.as_str()];
    assert!(!response.is_null(), "{asked}: the contract knows no {}: {}", answer.status, answer.text);
    let response = response["$ref"].as_str().map_or(response, |of| CONTRACT.document.pointer(of.trim_start_matches('#')).unwrap());
    for (name, header) in response["headers"].as_object().into_iter().flatten() {
        let header = CONTRACT.document.pointer(header["$ref"].as_str().unwrap().trim_start_matches('#')).unwrap();
        assert!(header["required"] != true || !answer.header(name).is_empty(), "{asked}: {} without {name}", answer.status);
    }
    let media = answer.header("content-type").split(';').next().unwrap();
    let Some(body) = CONTRACT.bodies.get(&format!("{asked} {} {media}", answer.status.as_str())) else {
        assert!(response["content"].is_null() && answer.text.is_empty(), "{asked}: {} with {media}: {}", answer.status, answer.text);
        return;
    };
    if media.ends_with("json") && !media.contains("ndjson") {
        let text = answer.json();
        let held = CONTRACT.schemas.validate(&text, *body);
        assert!(held.is_ok(), "{asked}: {}\n{}\n{:#}", answer.status, answer.text, held.unwrap_err());
    }
}

#[test]
fn an_answer_that_is_not_what_the_contract_says_is_found_out() {
    let answer = |status: u16, media: &'static str, text: &str| {
        let mut headers = http::HeaderMap::new();
        headers.insert("content-type", http::HeaderValue::from_static(media));
        for name in ["ratelimit", "ratelimit-policy"] {
            headers.insert(name, http::HeaderValue::from_static("x"));
        }
        Answer { status: http::StatusCode::from_u16(status).unwrap(), headers, text: text.to_owned() }
    };
    let held = |answer: Answer| std::panic::catch_unwind(|| to_the_contract(&Method::GET, "/api/v1/plans", &answer)).is_ok();
    assert!(held(answer(200, "application/json", r#"{ "items": [], "next_cursor": null }"#)));
    for bad in [
        answer(200, "application/json", r#"{ "items": [] }"#),
        answer(200, "application/json", r#"{ "items": [{}], "next_cursor": null }"#),
        answer(200, "text/html", r#"{ "items": [], "next_cursor": null }"#),
        answer(203, "application/json", r#"{ "items": [], "next_cursor": null }"#),
        answer(400, "application/problem+json", r#"{ "code": "invalid-limit" }"#),
        answer(
            404,
            "application/problem+json",
            r#"{ "type": "urn:cloudoptim:problem:x", "title": "", "status": 404, "detail": "", "instance": "", "code": "x" }"#,
        ),
    ] {
        assert!(!held(bad));
    }
}
