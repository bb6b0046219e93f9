//! Reading the corpus: `tests/attacks/*.json`, a case on each line.

use serde_json::{Map, Value, json};
use std::path::PathBuf;

fn folder() -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("attacks")
}

/// The cases of a file. `{"long": [head, unit, times, tail]}` stands for a long text.
pub fn cases(name: &str) -> Vec<Value> {
    let text = std::fs::read_to_string(folder().join(name)).unwrap_or_else(|error| panic!("tests/attacks/{name}: {error}"));
    let Value::Array(cases) = whole(serde_json::from_str(&text).unwrap()) else { panic!("{name} is no list") };
    cases
}

/// The files of cases.
pub const FILES: [&str; 5] = ["addresses.json", "events.json", "requests.json", "servers.json", "tokens.json"];

fn whole(value: Value) -> Value {
    match value {
        Value::Object(fields) if fields.contains_key("long") => {
            let [head, unit, times, tail] = fields["long"].as_array().unwrap().as_slice() else { panic!("{fields:?}") };
            let text = |part: &Value| part.as_str().unwrap().to_owned();
            json!(text(head) + &text(unit).repeat(usize::try_from(times.as_u64().unwrap()).unwrap()) + &text(tail))
        }
        Value::Object(fields) => Value::Object(fields.into_iter().map(|(name, value)| (name, whole(value))).collect::<Map<_, _>>()),
        Value::Array(items) => Value::Array(items.into_iter().map(whole).collect()),
        other => other,
    }
}

/// A case in one short line.
pub fn told(case: &Value) -> String {
    case.to_string().chars().take(300).collect()
}
