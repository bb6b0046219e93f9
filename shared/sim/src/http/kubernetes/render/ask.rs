//! What a pod asks of its node, as the API server prints it.

use super::selector_json;
use domain::pod::Selector;
use domain::scheduling::{HostPort, NAME_FIELD, NodeRequirement, NodeTerm, PodTerm, Scheduling, Spread, Toleration, Weighted};
use serde_json::{Map, Value, json};

pub(super) fn host_ports(ports: &[HostPort]) -> Vec<Value> {
    let print = |port: &HostPort| {
        let mut printed = json!({"containerPort": port.port, "hostPort": port.port, "protocol": port.protocol});
        if !port.ip.is_empty() {
            printed["hostIP"] = json!(port.ip);
        }
        printed
    };
    ports.iter().map(print).collect()
}

/// Into the spec of a pod.
pub(super) fn put(scheduling: &Scheduling, spec: &mut Value) {
    if !scheduling.node_selector.is_empty() {
        spec["nodeSelector"] = json!(scheduling.node_selector);
    }
    if !scheduling.tolerations.is_empty() {
        spec["tolerations"] = scheduling.tolerations.iter().map(toleration).collect();
    }
    if !scheduling.spread.is_empty() {
        spec["topologySpreadConstraints"] = scheduling.spread.iter().map(spread).collect();
    }
    if let Some(name) = &scheduling.foreign_scheduler {
        spec["schedulerName"] = json!(name);
    }
    let affinity = [
        ("nodeAffinity", node_affinity(scheduling)),
        ("podAffinity", pod_affinity(&scheduling.affinity, &scheduling.preferred_affinity)),
        ("podAntiAffinity", pod_affinity(&scheduling.anti_affinity, &scheduling.preferred_anti_affinity)),
    ];
    let affinity: Map<String, Value> = affinity.into_iter().filter_map(|(name, value)| Some((name.to_owned(), value?))).collect();
    if !affinity.is_empty() {
        spec["affinity"] = Value::Object(affinity);
    }
}

fn toleration(toleration: &Toleration) -> Value {
    let mut printed = json!({"operator": if toleration.exists { "Exists" } else { "Equal" }});
    let fields = [
        ("key", toleration.key.as_deref().unwrap_or_default()),
        ("value", toleration.value.as_str()),
        ("effect", toleration.effect.as_deref().unwrap_or_default()),
    ];
    for (name, value) in fields.into_iter().filter(|(_, value)| !value.is_empty()) {
        printed[name] = json!(value);
    }
    printed
}

fn spread(spread: &Spread) -> Value {
    let policy = |honours: bool| if honours { "Honor" } else { "Ignore" };
    let mut printed = json!({
        "topologyKey": spread.topology_key, "maxSkew": spread.max_skew,
        "whenUnsatisfiable": if spread.hard { "DoNotSchedule" } else { "ScheduleAnyway" },
        "nodeAffinityPolicy": policy(spread.honor_affinity), "nodeTaintsPolicy": policy(spread.honor_taints),
    });
    put_selector(&mut printed, spread.selector.as_ref());
    if let Some(domains) = spread.min_domains {
        printed["minDomains"] = json!(domains);
    }
    printed
}

fn put_selector(into: &mut Value, selector: Option<&Selector>) {
    if let Some(selector) = selector {
        into["labelSelector"] = selector_json(selector);
    }
}

fn node_affinity(scheduling: &Scheduling) -> Option<Value> {
    let mut printed = Map::new();
    if !scheduling.required_nodes.is_empty() {
        let terms: Vec<Value> = scheduling.required_nodes.iter().map(node_term).collect();
        printed.insert("requiredDuringSchedulingIgnoredDuringExecution".to_owned(), json!({"nodeSelectorTerms": terms}));
    }
    if !scheduling.preferred_nodes.is_empty() {
        let print = |p: &Weighted<NodeTerm>| json!({"weight": p.weight, "preference": node_term(&p.term)});
        let terms: Vec<Value> = scheduling.preferred_nodes.iter().map(print).collect();
        printed.insert("preferredDuringSchedulingIgnoredDuringExecution".to_owned(), json!(terms));
    }
    (!printed.is_empty()).then_some(Value::Object(printed))
}

/// A requirement on the name of the node is one on a field, the others are on labels.
pub(super) fn node_term(term: &NodeTerm) -> Value {
    let mut printed = Map::new();
    let print = |need: &&NodeRequirement| {
        let mut printed = json!({"key": need.key, "operator": format!("{:?}", need.operator)});
        if !need.values.is_empty() {
            printed["values"] = json!(need.values);
        }
        printed
    };
    for (list, fields) in [("matchExpressions", false), ("matchFields", true)] {
        let needs: Vec<Value> = term.0.iter().filter(|need| (need.key == NAME_FIELD) == fields).map(|need| print(&need)).collect();
        if !needs.is_empty() {
            printed.insert(list.to_owned(), json!(needs));
        }
    }
    Value::Object(printed)
}

fn pod_affinity(required: &[PodTerm], preferred: &[Weighted<PodTerm>]) -> Option<Value> {
    let mut printed = Map::new();
    if !required.is_empty() {
        let terms: Vec<Value> = required.iter().map(pod_term).collect();
        printed.insert("requiredDuringSchedulingIgnoredDuringExecution".to_owned(), json!(terms));
    }
    if !preferred.is_empty() {
        let print = |p: &Weighted<PodTerm>| json!({"weight": p.weight, "podAffinityTerm": pod_term(&p.term)});
        let terms: Vec<Value> = preferred.iter().map(print).collect();
        printed.insert("preferredDuringSchedulingIgnoredDuringExecution".to_owned(), json!(terms));
    }
    (!printed.is_empty()).then_some(Value::Object(printed))
}

fn pod_term(term: &PodTerm) -> Value {
    let mut printed = json!({"topologyKey": term.topology_key});
    put_selector(&mut printed, term.selector.as_ref());
    if !term.namespaces.is_empty() {
        printed["namespaces"] = json!(term.namespaces);
    }
    if term.any_namespace {
        printed["namespaceSelector"] = json!({});
    }
    printed
}
