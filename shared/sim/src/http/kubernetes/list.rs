//! Lists, with selectors and pages.

use super::ask::Ask;
use super::render;
use super::route::{namespaces, scaler_kind, sort};
use super::status::{Refusal, json};
use crate::world::state::{Kube, Sort, State};
use axum::response::Response;
use serde_json::{Value, json};

pub(super) mod pods;

pub(super) fn answer(api: &super::Api, state: &mut State, ask: &Ask) -> Result<Response, Refusal> {
    if ask.group.is_empty() && ask.resource == "pods" {
        return pods::answer(api, state, ask);
    }
    let cluster = api.cluster;
    let kube = &state.clusters[cluster];
    let (kind, mut items) = objects(state, cluster, ask)?;
    items.retain(|item| in_namespace(item, ask) && selected(item, ask));
    items.sort_by_cached_key(place);
    if let Some(after) = ask.query.get("continue").filter(|token| !token.is_empty()) {
        let after = place_of(after)?;
        items.retain(|item| place(item) > after);
    }
    let mut metadata = json!({"resourceVersion": kube.rv.to_string()});
    let limit = ask.query.get("limit").and_then(|limit| limit.parse::<usize>().ok()).filter(|limit| *limit > 0);
    if let Some(limit) = limit.filter(|limit| items.len() > *limit) {
        metadata["remainingItemCount"] = json!(items.len() - limit);
        items.truncate(limit);
        let last = items.last().map(place).unwrap_or_default();
        metadata["continue"] = json!(token_of(&last));
    }
    items.iter_mut().for_each(nameless);
    let version = match ask.group.as_str() {
        "" => "v1".to_owned(),
        "metrics.k8s.io" => "metrics.k8s.io/v1beta1".to_owned(),
        "autoscaling" => "autoscaling/v2".to_owned(),
        group => format!("{group}/v1"),
    };
    Ok(listed(&format!("{kind}List"), &version, metadata, items))
}

/// The items go in as they are: `json!` would copy each of them.
fn listed(kind: &str, version: &str, metadata: Value, items: Vec<Value>) -> Response {
    let mut list = json!({"kind": kind, "apiVersion": version});
    list["metadata"] = metadata;
    list["items"] = Value::Array(items);
    json(200, &list)
}

/// Items of a list do not say what they are: the list does.
fn nameless(item: &mut Value) {
    if let Some(fields) = item.as_object_mut() {
        fields.remove("kind");
        fields.remove("apiVersion");
    }
}

/// The token that leads to what stands behind a place.
fn token_of(place: &str) -> String {
    data_encoding::BASE64URL_NOPAD.encode(place.as_bytes())
}

fn place_of(token: &str) -> Result<String, Refusal> {
    let place = data_encoding::BASE64URL_NOPAD.decode(token.as_bytes()).ok().and_then(|bytes| String::from_utf8(bytes).ok());
    place.ok_or_else(|| Refusal::bad_request("continue key is not valid"))
}

/// All objects of a kind.
fn objects(state: &State, cluster: usize, ask: &Ask) -> Result<(&'static str, Vec<Value>), Refusal> {
    let kube = &state.clusters[cluster];
    Ok(match (ask.group.as_str(), ask.resource.as_str()) {
        ("", "nodes") => ("Node", kube.nodes.values().map(render::node).collect()),
        ("", "persistentvolumeclaims") => ("PersistentVolumeClaim", render::volumes::claims(kube)),
        ("", "persistentvolumes") => ("PersistentVolume", render::volumes::volumes(kube)),
        ("", "services") => ("Service", render::services::services(kube)),
        ("discovery.k8s.io", "endpointslices") => ("EndpointSlice", render::services::slices(kube)),
        ("storage.k8s.io", "storageclasses") => ("StorageClass", render::volumes::classes(state.now)),
        ("", "namespaces") => ("Namespace", namespaces(kube)),
        ("policy", "poddisruptionbudgets") => {
            ("PodDisruptionBudget", kube.budgets.iter().map(|budget| render::budget(budget, kube, state.now)).collect())
        }
        ("autoscaling" | "keda.sh" | "batch", resource) => {
            let kind = scaler_kind(resource).ok_or_else(Refusal::no_such_page)?;
            let of = kube.scalers.iter().filter(|scaler| scaler.target.kind == kind);
            let mut items: Vec<Value> = of.map(render::scaler::scaler).collect();
            if ask.group == "autoscaling" {
                items.extend(kube.sizing.autoscalers.iter().map(render::autoscaler));
            }
            if items.is_empty() && ask.group == "keda.sh" {
                return Err(Refusal::no_such_page());
            }
            (render::scaler::word(kind), items)
        }
        ("apps", "replicasets") => ("ReplicaSet", replica_sets(kube)),
        ("apps", resource) => {
            let sort = sort(resource).ok_or_else(Refusal::no_such_page)?;
            let of = kube.workloads.iter().enumerate().filter(|(_, workload)| workload.sort == sort);
            (render::kind(sort), of.map(|(index, workload)| render::workload(index, workload, kube)).collect())
        }
        ("metrics.k8s.io", "nodes") => {
            let usage = state.usage(cluster).into_iter();
            let metrics = usage.map(|u| render::node_metrics(u.name.as_str(), u.cpu_millis, u.memory_bytes, state.now));
            ("NodeMetrics", metrics.collect())
        }
        ("metrics.k8s.io", "pods") => {
            let running = kube.pods.values().filter(|pod| pod.ready);
            ("PodMetrics", running.map(|pod| render::pod_metrics(pod, kube, state.now)).collect())
        }
        _ => return Err(Refusal::no_such_page()),
    })
}

pub(super) fn replica_sets(kube: &Kube) -> Vec<Value> {
    let of = kube.workloads.iter().enumerate().filter(|(_, workload)| workload.sort == Sort::Deployment);
    of.map(|(index, workload)| render::replica_set(index, workload, kube)).collect()
}

/// Where an object stands in a list: by namespace, then by name.
fn place(item: &Value) -> String {
    let part = |key: &str| item["metadata"][key].as_str().unwrap_or_default();
    format!("{}/{}", part("namespace"), part("name"))
}

pub(super) fn in_namespace(item: &Value, ask: &Ask) -> bool {
    ask.namespace.as_ref().is_none_or(|namespace| item["metadata"]["namespace"] == namespace.as_str())
}

/// Whether the field and label selectors of a request select an object.
pub(super) fn selected(item: &Value, ask: &Ask) -> bool {
    let terms = |key: &str| ask.query.get(key).map(String::as_str).unwrap_or_default().split(',').filter(|term| !term.is_empty());
    let field = |path: &str| item.pointer(&format!("/{}", path.replace('.', "/"))).and_then(Value::as_str).unwrap_or_default();
    let label = |key: &str| item["metadata"]["labels"][key].as_str();
    terms("fieldSelector").all(|term| match compared(term) {
        Some((path, equal, value)) => (field(path) == value) == equal,
        None => false,
    }) && terms("labelSelector").all(|term| match compared(term) {
        Some((key, equal, value)) => (label(key) == Some(value)) == equal,
        None => term.strip_prefix('!').map_or_else(|| label(term).is_some(), |key| label(key).is_none()),
    })
}

fn compared(term: &str) -> Option<(&str, bool, &str)> {
    if let Some((key, value)) = term.split_once("!=") {
        return Some((key, false, value));
    }
    term.split_once('=').map(|(key, value)| (key, true, value.trim_start_matches('=')))
}
