mod decisions;
mod laws;
mod others;
mod scopes;
mod zones;

use super::*;
use domain::office_hours::{Dialect, Spec};
use serde_json::Value;
use std::collections::BTreeMap;

fn golden(file: &str) -> Value {
    let path = format!("{}/../../conformance/{file}.json", env!("CARGO_MANIFEST_DIR"));
    serde_json::from_str(&std::fs::read_to_string(path).unwrap()).unwrap()
}

fn at(text: &str) -> Timestamp {
    text.parse().unwrap()
}

/// A Deployment `shop/web` that was made long ago.
fn web(size: u32) -> Scalable {
    Scalable {
        target: ScaleRef { kind: ScaleKind::Deployment, namespace: "shop".to_owned(), name: "web".to_owned() },
        uid: "u-1".to_owned(),
        created_at: Some(at("2020-01-01T00:00:00Z")),
        size: Some(size),
        annotations: BTreeMap::new(),
        labels: BTreeMap::new(),
        owner: None,
        deletes_volumes: false,
        size_max: None,
        scales: None,
        cpu_millis: 500,
        memory_bytes: 1 << 30,
    }
}

fn up_at(uptime: &str) -> OfficeHoursPolicy {
    let spec = Spec::try_from(uptime.to_owned()).unwrap();
    OfficeHoursPolicy { cluster: Rules { uptime: Some(spec), ..Rules::default() }, lead_s: 0, ..OfficeHoursPolicy::default() }
}

fn on<'a>(object: &'a Scalable, policy: &'a OfficeHoursPolicy, now: &str) -> Situation<'a> {
    Situation { object, scaled: None, scaler: None, namespace: None, policy, customer: None, asleep: None, forced_up: false, now: at(now) }
}

fn annotated(value: &Value) -> BTreeMap<String, String> {
    serde_json::from_value(value.clone()).unwrap()
}

fn python(text: &str) -> Option<Spec> {
    Some(Spec::parse(text, Dialect::Python, domain::office_hours::Defaults::default()).unwrap())
}
