//! The checked-in folders, and what a reader must not lose.

use serde_json::Value;
use std::fs;
use std::path::PathBuf;

/// What a field of a later version is called here, and holds.
const LATER: (&str, &str) = ("of_a_later_version", "something");

fn folder() -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("golden")
}

/// The present version.
pub(crate) const PRESENT: &str = env!("CARGO_PKG_VERSION");

/// A file of every version, with the version.
pub(crate) fn all(name: &str) -> Vec<(String, Value)> {
    let versions = fs::read_dir(folder()).expect("there are golden files");
    let mut found: Vec<(String, Value)> = versions
        .map(|entry| {
            let version = entry.expect("an entry can be read").file_name().to_string_lossy().into_owned();
            let path = folder().join(&version).join(name);
            let text = fs::read_to_string(&path).unwrap_or_else(|error| panic!("{}: {error}", path.display()));
            (version, serde_json::from_str(&text).unwrap_or_else(|error| panic!("{}: {error}", path.display())))
        })
        .collect();
    found.sort_by(|a, b| a.0.cmp(&b.0));
    assert!(found.iter().any(|(version, _)| version == PRESENT), "UPDATE=1 writes tests/golden/{PRESENT}");
    found
}

/// Writes a file of the present version, where that was asked for.
pub(crate) fn write_if_asked(name: &str, made: impl FnOnce() -> Value) {
    let asked = std::env::var_os("UPDATE").is_some();
    if asked {
        let folder = folder().join(PRESENT);
        fs::create_dir_all(&folder).unwrap();
        fs::write(folder.join(name), serde_json::to_string_pretty(&made()).unwrap() + "\n").unwrap();
    }
}

/// What stood there then and does not stand there any more, as JSON pointers.
pub(crate) fn lost(then: &Value, now: &Value) -> Vec<String> {
    let mut found = Vec::new();
    compare(then, now, "", &mut found);
    found
}

fn compare(then: &Value, now: &Value, at: &str, found: &mut Vec<String>) {
    match (then, now) {
        (Value::Object(then), Value::Object(now)) => {
            for (name, value) in then {
                compare(value, now.get(name).unwrap_or(&Value::Null), &format!("{at}/{name}"), found);
            }
        }
        (Value::Array(then), Value::Array(now)) if then.len() == now.len() => {
            for (index, (then, now)) in then.iter().zip(now).enumerate() {
                compare(then, now, &format!("{at}/{index}"), found);
            }
        }
        (then, now) if then == now => {}
        (then, now) => found.push(format!("{at}: {then} is {now}")),
    }
}

/// Copies with a field of a later version in one object each. An object with one field may be an enum's variant, which has none.
pub(crate) fn with_a_later_field(value: &Value) -> Vec<(String, Value)> {
    let mut places = Vec::new();
    objects(value, "", &mut places);
    places.into_iter().map(|place| (place.clone(), add(value.clone(), &place))).collect()
}

fn add(mut value: Value, place: &str) -> Value {
    if let Some(Value::Object(object)) = value.pointer_mut(place) {
        object.insert(LATER.0.to_owned(), Value::String(LATER.1.to_owned()));
    }
    value
}

fn objects(value: &Value, at: &str, found: &mut Vec<String>) {
    match value {
        Value::Object(fields) => {
            if fields.len() > 1 {
                found.push(at.to_owned());
            }
            for (name, field) in fields {
                objects(field, &format!("{at}/{}", name.replace('~', "~0").replace('/', "~1")), found);
            }
        }
        Value::Array(items) => items.iter().enumerate().for_each(|(index, item)| objects(item, &format!("{at}/{index}"), found)),
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) => {}
    }
}

/// The same value as a later version would write it: a field more in every object that can be read with one.
pub(crate) fn of_a_later_version(value: &Value, reads: impl Fn(&Value) -> bool) -> Value {
    let mut later = value.clone();
    let mut places = Vec::new();
    objects(value, "", &mut places);
    for place in places {
        let with = add(later.clone(), &place);
        if reads(&with) {
            later = with;
        }
    }
    later
}
