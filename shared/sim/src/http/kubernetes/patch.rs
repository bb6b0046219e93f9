//! Patches, with the habits of the API server.

use super::ask::Ask;
use super::status::Refusal;
use json_patch::{Patch, PatchOperation};
use serde_json::Value;

/// Applies the patch of a request. The version and the uid that are in the result must be those of the object.
pub(super) fn apply(ask: &Ask, before: &Value) -> Result<Value, Refusal> {
    let mut after = before.clone();
    match ask.content_type.as_str() {
        "application/json-patch+json" => steps(&mut after, &ask.body)?,
        "application/merge-patch+json" => json_patch::merge(&mut after, &ask.body),
        "application/strategic-merge-patch+json" => strategic(&mut after, &ask.body),
        other => {
            let message = format!("the body of the request was in an unknown format: {other}");
            return Err(Refusal::new(415, "UnsupportedMediaType", message));
        }
    }
    let field = |object: &Value, name: &str| object["metadata"][name].as_str().unwrap_or_default().to_owned();
    let (uid, wanted) = (field(before, "uid"), field(&after, "uid"));
    if wanted != uid && !wanted.is_empty() {
        return Err(Refusal::other_uid(&ask.resource, ask.name(), &wanted, &uid));
    }
    let (version, wanted) = (field(before, "resourceVersion"), field(&after, "resourceVersion"));
    if wanted != version && !wanted.is_empty() {
        let why = "the object has been modified; please apply your changes to the latest version and try again";
        return Err(Refusal::conflict(&ask.resource, ask.name(), why));
    }
    Ok(after)
}

fn refused() -> Refusal {
    Refusal::new(422, "Invalid", "the server rejected our request due to an error in our request")
}

/// A JSON Patch, all or nothing. The server's library takes a test for `null` to hold where nothing is there.
fn steps(object: &mut Value, body: &Value) -> Result<(), Refusal> {
    let patch: Patch = serde_json::from_value(body.clone()).map_err(|error| Refusal::bad_request(error.to_string()))?;
    for step in patch.0 {
        if let PatchOperation::Test(test) = &step {
            let here = object.pointer(&test.path.to_string()).unwrap_or(&Value::Null);
            if *here != test.value {
                return Err(refused());
            }
            continue;
        }
        json_patch::patch(object, &[step]).map_err(|_| refused())?;
    }
    Ok(())
}

/// A strategic merge patch: as a merge patch, but for the lists that are merged by a key. A Node's taints are not among them.
fn strategic(object: &mut Value, patch: &Value) {
    let Value::Object(fields) = patch else {
        *object = patch.clone();
        return;
    };
    if !object.is_object() {
        *object = Value::Object(serde_json::Map::new());
    }
    let Value::Object(target) = object else { return };
    for (name, value) in fields {
        let key = match name.as_str() {
            "containers" | "initContainers" | "volumes" | "env" => Some("name"),
            "conditions" | "addresses" => Some("type"),
            _ => None,
        };
        match (key, value) {
            (_, Value::Null) => {
                target.remove(name);
            }
            (Some(key), Value::Array(items)) => {
                let slot = target.entry(name.clone()).or_insert_with(|| Value::Array(Vec::new()));
                if let Value::Array(there) = slot {
                    merge_by(key, there, items);
                }
            }
            _ => strategic(target.entry(name.clone()).or_insert(Value::Null), value),
        }
    }
}

fn merge_by(key: &str, there: &mut Vec<Value>, items: &[Value]) {
    for item in items {
        let same = |other: &Value| other[key] == item[key];
        if item["$patch"] == "delete" {
            there.retain(|other| !same(other));
            continue;
        }
        match there.iter_mut().find(|other| same(other)) {
            Some(other) => strategic(other, item),
            None => there.push(item.clone()),
        }
    }
}

/// A quantity such as `250m`, `2`, `1Gi` in thousandths.
pub(super) fn milli_units(text: &str) -> Option<u64> {
    let digits = text.trim_end_matches(|c: char| c.is_ascii_alphabetic());
    let factor: u64 = match text.strip_prefix(digits)? {
        "m" => 1,
        "" => 1000,
        "k" => 1_000_000,
        "M" => 1_000_000_000,
        "G" => 1_000_000_000_000,
        "Ki" => 1000 << 10,
        "Mi" => 1000 << 20,
        "Gi" => 1000 << 30,
        _ => return None,
    };
    digits.parse::<u64>().ok()?.checked_mul(factor)
}
