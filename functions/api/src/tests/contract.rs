//! The published contract is the table of routes.

use super::support::Bench;
use crate::routes::TABLE;
use http::StatusCode;
use serde_json::Value;
use std::collections::BTreeSet;

/// `UPDATE=1` at compile time writes the document anew.
#[test]
fn the_document_that_is_checked_in_is_the_one_that_the_table_makes() {
    let path = concat!(env!("CARGO_MANIFEST_DIR"), "/openapi.json");
    let made = crate::openapi::openapi().unwrap();
    if option_env!("UPDATE").is_some() {
        std::fs::write(path, &made).unwrap();
    }
    assert_eq!(std::fs::read_to_string(path).unwrap(), made, "UPDATE=1 cargo test --workspace --lib contract writes openapi.json anew");
}

#[test]
fn the_document_lists_the_routes_of_the_table_and_each_has_a_name_of_its_own() {
    let document: Value = serde_json::from_str(&crate::openapi::openapi().unwrap()).unwrap();
    let paths = document["paths"].as_object().unwrap().iter();
    let operations: Vec<(String, String, &Value)> = paths
        .flat_map(|(path, item)| item.as_object().unwrap().iter().map(move |(method, one)| (method.to_uppercase(), path.clone(), one)))
        .collect();
    let listed: BTreeSet<(String, String)> = operations.iter().map(|(method, path, _)| (method.clone(), path.clone())).collect();
    let open: BTreeSet<(String, String)> = TABLE.iter().map(|route| (route.method.to_string(), route.path.to_owned())).collect();
    assert_eq!((listed, operations.len()), (open, TABLE.iter().count()));
    let names: BTreeSet<&str> = operations.iter().map(|(_, _, one)| one["operationId"].as_str().unwrap()).collect();
    assert_eq!(names.len(), TABLE.iter().count());
}

#[tokio::test]
async fn the_document_and_its_page_are_served_without_a_key_and_name_no_other_server() {
    let bench = Bench::new().await;
    let served = bench.get("", "/api/v1/openapi.json").await;
    assert_eq!((served.status, served.text), (StatusCode::OK, crate::openapi::openapi().unwrap()));
    let page = bench.get("", "/api/v1/docs").await;
    assert_eq!(page.header("content-type"), "text/html; charset=utf-8");
    assert!(page.header("content-security-policy").contains("default-src 'none'"));
    assert!(!page.text.contains("http://") && !page.text.contains("https://") && !page.text.contains("src="), "it works offline");
}
