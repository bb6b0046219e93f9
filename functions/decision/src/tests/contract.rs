//! The published contract is what the handlers do.

use super::support::question;
use crate::routes::TABLE;
use serde_json::Value;
use std::collections::BTreeSet;

fn document() -> Value {
    serde_json::from_str(&crate::openapi::openapi().unwrap()).unwrap()
}

/// `UPDATE=1` writes the document anew.
#[test]
fn the_document_that_is_checked_in_is_the_one_that_the_handlers_make() {
    let path = concat!(env!("CARGO_MANIFEST_DIR"), "/openapi.json");
    let made = crate::openapi::openapi().unwrap();
    if option_env!("UPDATE").is_some() {
        std::fs::write(path, &made).unwrap();
    }
    assert_eq!(std::fs::read_to_string(path).unwrap(), made, "UPDATE=1 cargo test -p decision writes openapi.json anew");
}

#[test]
fn the_document_lists_the_routes_of_the_table_and_no_other() {
    let document = document();
    let paths = document["paths"].as_object().unwrap().iter();
    let listed: BTreeSet<(String, String)> =
        paths.flat_map(|(path, item)| item.as_object().unwrap().keys().map(|method| (method.to_uppercase(), path.clone()))).collect();
    let open: BTreeSet<(String, String)> = TABLE.iter().map(|route| (route.method.to_string(), route.path.to_owned())).collect();
    assert_eq!(listed, open);
}

/// What does not fit the schema, by the words that the document uses: `$ref`, `type`, `properties`, `required`, `items`, `oneOf`, `anyOf`,
/// `const`, `enum`, `additionalProperties`.
fn misfits(document: &Value, schema: &Value, value: &Value, at: &str) -> Vec<String> {
    if let Some(name) = schema["$ref"].as_str() {
        let schema = document.pointer(name.trim_start_matches('#')).unwrap_or_else(|| panic!("{name} is nowhere"));
        return misfits(document, schema, value, at);
    }
    if let Some(all) = schema["allOf"].as_array() {
        return all.iter().flat_map(|schema| misfits(document, schema, value, at)).collect();
    }
    if let Some(ways) = schema["oneOf"].as_array().or_else(|| schema["anyOf"].as_array()) {
        let fits = ways.iter().filter(|schema| misfits(document, schema, value, at).is_empty()).count();
        return if fits == 1 { Vec::new() } else { vec![format!("{at} fits {fits} of {} ways", ways.len())] };
    }
    if schema.get("const").is_some_and(|only| only != value) {
        return vec![format!("{at} is not {}", schema["const"])];
    }
    let kind = match value {
        Value::Null => "null",
        Value::Bool(_) => "boolean",
        Value::Number(number) if number.is_f64() => "number",
        Value::Number(_) => "integer",
        Value::String(_) => "string",
        Value::Array(_) => "array",
        Value::Object(_) => "object",
    };
    let named = &schema["type"];
    let kinds: Vec<&str> = named.as_str().into_iter().chain(named.as_array().into_iter().flatten().filter_map(Value::as_str)).collect();
    let fits = kinds.is_empty() || kinds.contains(&kind) || (kind == "integer" && kinds.contains(&"number"));
    if !fits {
        return vec![format!("{at} is {kind}, not {kinds:?}")];
    }
    if schema["enum"].as_array().is_some_and(|values| !values.contains(value)) {
        return vec![format!("{at} is none of {}", schema["enum"])];
    }
    match value {
        Value::Array(items) => {
            let each = items.iter().enumerate();
            each.flat_map(|(index, item)| misfits(document, &schema["items"], item, &format!("{at}[{index}]"))).collect()
        }
        Value::Object(fields) => {
            let required = schema["required"].as_array().into_iter().flatten().filter_map(Value::as_str);
            let missing = required.filter(|name| !fields.contains_key(*name)).map(|name| format!("{at}.{name} is missing"));
            let each = fields.iter().flat_map(|(name, value)| {
                let known = schema["properties"].get(name).or_else(|| schema.get("additionalProperties"));
                known.map_or_else(|| vec![format!("{at}.{name} is unknown")], |s| misfits(document, s, value, &format!("{at}.{name}")))
            });
            missing.chain(each).collect()
        }
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) => Vec::new(),
    }
}

#[test]
fn what_travels_fits_the_document() {
    let document = document();
    let request = serde_json::json!({ "$ref": "#/components/schemas/DecisionRequest" });
    assert_eq!(misfits(&document, &request, &question(), "request"), Vec::<String>::new());
    let full = full();
    assert_eq!(misfits(&document, &request, &full, "request"), Vec::<String>::new());
    let mut wrong = full;
    wrong["snapshot"]["nodes"][0]["pods"][0]["count"] = serde_json::json!("one");
    assert!(!misfits(&document, &request, &wrong, "request").is_empty());
}

/// A request with something in every corner; it is read and written by the types of the domain.
fn full() -> Value {
    let mut request = question();
    let pool = serde_json::json!({ "instance_type": "m6i.large", "zone": "us-east-1a", "capacity": "spot" });
    let selector =
        serde_json::json!({ "matchLabels": { "a": "b" }, "matchExpressions": [{ "key": "k", "operator": "In", "values": ["v"] }] });
    let term = serde_json::json!({ "topology_key": "zone", "selector": selector, "namespaces": ["n"], "any_namespace": false });
    let needs = serde_json::json!([{ "key": "k", "operator": "Gt", "values": ["1"] }]);
    let amounts = serde_json::json!({ "cpu_millis": 1, "memory_bytes": 2, "extended": { "nvidia.com/gpu": 1 } });
    request["snapshot"]["classes"] = serde_json::json!([{
        "namespace": "n", "controller": { "kind": "ReplicaSet", "name": "w" }, "labels": { "a": "b" }, "requests": amounts,
        "scheduling": {
            "node_selector": { "a": "b" }, "required_nodes": [needs], "preferred_nodes": [{ "weight": 1, "term": needs }],
            "tolerations": [{ "key": "k", "exists": true, "effect": "NoSchedule" }], "affinity": [term], "anti_affinity": [term],
            "preferred_affinity": [{ "weight": 1, "term": term }], "preferred_anti_affinity": [{ "weight": 1, "term": term }],
            "spread": [{ "topology_key": "zone", "max_skew": 1, "hard": true, "selector": null, "min_domains": 2, "honor_affinity": true,
                         "honor_taints": false }],
            "host_ports": [{ "protocol": "TCP", "port": 80 }], "volume_zones": ["us-east-1a"], "pinned": true, "volumes": 1,
            "foreign_scheduler": "other",
        },
        "grace_s": 30, "arches": ["amd64", "arm64"], "usage": amounts,
    }]);
    request["snapshot"]["nodes"] = serde_json::json!([{
        "name": "node", "uid": "u", "instance": "i-12345678", "pool": pool, "owner": { "kind": "auto-scaling-group", "group": "g" },
        "labels": {}, "taints": [{ "key": "k", "effect": "NoSchedule", "timeAdded": "2026-01-01T00:00:00Z" }], "unschedulable": false,
        "ready": true, "allocatable": amounts, "pods_max": 29, "usage": null,
        "price": { "price_per_hour": 96_000, "source": { "kind": "observed", "at": "2026-01-01T00:00:00Z" } },
        "created_at": "2026-01-01T00:00:00Z", "pods": [{ "class": 0, "count": 1 }],
    }]);
    request["snapshot"]["subnets"] = serde_json::json!([{ "id": "subnet-a", "zone": "us-east-1a" }]);
    request["snapshot"]["budgets"] = serde_json::json!([{ "namespace": "n", "name": "b", "selector": selector, "disruptions_allowed": 1,
        "current_healthy": 1, "desired_healthy": 1, "expected_pods": 1 }]);
    request["snapshot"]["parts"] = serde_json::json!([{ "name": "nodes", "taken_at": "2026-01-01T00:00:00Z", "gap": null }]);
    request["requirements"]["capacity"] = serde_json::json!(["spot", "on-demand"]);
    request["requirements"]["windows"] =
        serde_json::json!([{ "days": ["mon"], "from": "22:00", "minutes": 60, "time_zone": "Europe/Berlin" }]);
    request["constraints"] = serde_json::json!({
        "now": "2026-01-01T00:00:00Z", "nodes_max": 5, "hands_off": [{ "node": "node", "why": "w" }], "avoid": [pool],
        "prices": [{ "pool": pool, "per_hour": 1, "as_of": "2026-01-01T00:00:00Z" }],
        "commitments": [{ "instance_type": "m6i.large", "zone": null, "count": 1 }], "cursor": "node",
    });
    let read: domain::decision::DecisionRequest = serde_json::from_value(request).unwrap();
    serde_json::to_value(read).unwrap()
}
