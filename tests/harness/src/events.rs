//! The bodies of `events/`, and what their manifest says of them.

use serde_json::Value;
use std::path::PathBuf;

fn folder() -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../../events/interruption")
}

/// A file of the folder.
///
/// # Panics
/// If there is none of this name.
pub fn file(name: &str) -> String {
    std::fs::read_to_string(folder().join(name)).unwrap_or_else(|error| panic!("events/interruption/{name}: {error}"))
}

/// The body of a case, by its name without `.json`.
///
/// # Panics
/// If there is no such case.
pub fn body(case: &str) -> String {
    file(&format!("{case}.json"))
}

/// One case of the manifest.
#[derive(Debug, Clone)]
pub struct Case {
    /// Its file.
    pub file: String,
    /// `eventbridge`, `sqs_body`, `sns_body`, `lambda_sqs_event`, `lambda_direct`.
    pub form: String,
    /// What the body is.
    pub kind: String,
    /// The instances that must be acted on.
    pub instances: Vec<String>,
    /// What it must lead to.
    pub action: String,
    /// What becomes of the message.
    pub message: String,
}

/// All cases of the manifest.
///
/// # Panics
/// If the manifest cannot be read.
pub fn manifest() -> Vec<Case> {
    let manifest: Value = serde_json::from_str(&file("manifest.json")).unwrap();
    let text = |case: &Value, key: &str| case[key].as_str().unwrap().to_owned();
    let case = |case: &Value| Case {
        file: text(case, "file"),
        form: text(case, "form"),
        kind: text(case, "kind"),
        instances: case["instances"].as_array().unwrap().iter().map(|i| i.as_str().unwrap().to_owned()).collect(),
        action: text(case, "action"),
        message: text(case, "message"),
    };
    manifest["cases"].as_array().unwrap().iter().map(case).collect()
}

/// The ordered sequences: name and cases.
///
/// # Panics
/// If the file cannot be read.
pub fn sequences() -> Vec<(String, Vec<String>)> {
    let all: Vec<Value> = serde_json::from_str(&file("sequences.json")).unwrap();
    let names = |value: &Value| value.as_array().unwrap().iter().map(|e| e.as_str().unwrap().to_owned()).collect();
    all.iter().map(|s| (s["name"].as_str().unwrap().to_owned(), names(&s["events"]))).collect()
}
