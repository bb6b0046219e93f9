//! From a request to its answer.

use super::ask::Ask;
use super::status::{Refusal, json};
use super::{Api, list, mutate, render, watch};
use crate::world::state::{Kube, Scaler, Sort, State, Workload};
use axum::response::Response;
use domain::ids::NodeName;
use domain::workload::ScaleKind;
use serde_json::{Value, json};

pub(super) fn sort(resource: &str) -> Option<Sort> {
    match resource {
        "deployments" => Some(Sort::Deployment),
        "statefulsets" => Some(Sort::StatefulSet),
        "daemonsets" => Some(Sort::DaemonSet),
        _ => None,
    }
}

/// What a request is counted as: the word of the port, where there is one.
fn counted(ask: &Ask) -> &'static str {
    match (ask.verb, ask.resource.as_str(), ask.subresource.as_deref()) {
        ("list", "nodes", _) if ask.group.is_empty() => "nodes",
        ("list", "nodes", _) => "usage",
        ("get", "nodes", _) => "node",
        ("patch", "nodes", _) => "patch_node",
        ("delete", "nodes", _) => "delete_node",
        ("list", "pods", _) => "pods",
        ("list", "persistentvolumeclaims", _) => "claims",
        ("create", "pods", Some("eviction")) => "evict",
        ("delete", "pods", _) => "delete_pod",
        ("list", "poddisruptionbudgets", _) => "pod_budgets",
        ("list", "daemonsets", _) => "daemon_sets",
        ("list", "services", _) => "services",
        ("list", "endpointslices", _) => "endpoints",
        ("get", "services", Some("proxy")) => "traffic",
        ("get", _, Some("scale")) => "replicas",
        ("patch", _, Some("scale")) => "scale",
        ("watch", _, _) => "watch",
        _ => "other_http",
    }
}

pub(super) fn answer(api: &Api, ask: &Ask) -> Result<Response, Refusal> {
    let denied =
        api.world.call(counted(ask), |state| state.clusters[api.cluster].denied.contains(&format!("{} {}", ask.verb, ask.right())));
    if denied {
        return Err(ask.forbidden());
    }
    if ask.verb == "watch" {
        return watch::answer(api, ask);
    }
    api.world.with(|state| match ask.verb {
        "list" => list::answer(api, state, ask),
        "get" => get(state, api.cluster, ask).map(|object| json(200, &object)),
        _ => mutate::answer(state, api.cluster, ask),
    })
}

fn get(state: &State, cluster: usize, ask: &Ask) -> Result<Value, Refusal> {
    let kube = &state.clusters[cluster];
    let missing = || Refusal::not_found(&ask.resource, ask.name());
    match (ask.group.as_str(), ask.resource.as_str(), ask.subresource.as_deref()) {
        ("", "nodes", None) => find_node(kube, ask.name()).map(render::node).ok_or_else(missing),
        ("", "pods", None) => {
            let key = state.find_pod(cluster, ask.namespace(), ask.name());
            key.and_then(|key| kube.pods.get(&key)).map(|pod| render::pod(pod, kube)).ok_or_else(missing)
        }
        // The proxy of a Service: what is behind it here is a Prometheus.
        ("", "services", Some("proxy")) => {
            let place = format!("{}/{}", ask.namespace(), ask.name());
            let told = kube.services.traffic.as_ref().filter(|(there, _)| *there == place && ask.query.contains_key("query"));
            told.map(|(_, flows)| render::services::vector(flows)).ok_or_else(missing)
        }
        ("", "namespaces", None) => namespaces(kube).into_iter().find(|n| n["metadata"]["name"] == ask.name()).ok_or_else(missing),
        ("apps", "replicasets", None) => {
            let sets = list::replica_sets(kube);
            let wanted = |set: &Value| set["metadata"]["name"] == ask.name() && set["metadata"]["namespace"] == ask.namespace();
            sets.into_iter().find(wanted).ok_or_else(missing)
        }
        ("apps", resource, sub) => {
            let (index, workload) = find_workload(kube, resource, ask).ok_or_else(missing)?;
            match sub {
                None => Ok(render::workload(index, workload, kube)),
                Some("scale") => Ok(render::scale(index, workload, kube)),
                Some(_) => Err(Refusal::no_such_page()),
            }
        }
        ("autoscaling" | "keda.sh" | "batch", _, None) => {
            find_scaler(kube, ask).map(|(_, scaler)| render::scaler::scaler(scaler)).ok_or_else(missing)
        }
        ("policy", "poddisruptionbudgets", None) => {
            let wanted = |b: &&crate::world::state::Budget| b.spec.name == ask.name() && b.spec.namespace == ask.namespace();
            kube.budgets.iter().find(wanted).map(|b| render::budget(b, kube, state.now)).ok_or_else(missing)
        }
        _ => Err(Refusal::no_such_page()),
    }
}

/// The kind of an autoscaler by its plural.
pub(super) fn scaler_kind(resource: &str) -> Option<ScaleKind> {
    [ScaleKind::HorizontalPodAutoscaler, ScaleKind::ScaledObject, ScaleKind::CronJob].into_iter().find(|kind| kind.resource() == resource)
}

pub(super) fn find_scaler<'a>(kube: &'a Kube, ask: &Ask) -> Option<(usize, &'a Scaler)> {
    let kind = scaler_kind(&ask.resource)?;
    let wanted = |s: &Scaler| s.target.kind == kind && s.target.name == ask.name() && s.target.namespace == ask.namespace();
    kube.scalers.iter().enumerate().find(|(_, scaler)| wanted(scaler))
}

pub(super) fn find_node<'a>(kube: &'a Kube, name: &str) -> Option<&'a crate::world::state::Node> {
    NodeName::parse(name).ok().and_then(|name| kube.nodes.get(&name))
}

pub(super) fn find_workload<'a>(kube: &'a Kube, resource: &str, ask: &Ask) -> Option<(usize, &'a Workload)> {
    let sort = sort(resource)?;
    let wanted = |w: &Workload| w.sort == sort && w.name == ask.name() && w.namespace == ask.namespace();
    kube.workloads.iter().enumerate().find(|(_, workload)| wanted(workload))
}

/// Every namespace that something is in, and the ones that are always there.
pub(super) fn namespaces(kube: &Kube) -> Vec<Value> {
    let mut names: std::collections::BTreeSet<&str> = ["default", "kube-system"].into();
    names.extend(kube.pods.values().map(|pod| pod.pod.namespace.as_str()));
    names.extend(kube.workloads.iter().map(|workload| workload.namespace.as_str()));
    let phase = |name: &str| if kube.terminating_namespaces.contains(name) { "Terminating" } else { "Active" };
    let object = |name: &str| {
        json!({
            "apiVersion": "v1", "kind": "Namespace",
            "metadata": {"name": name, "uid": format!("{}-{name}", kube.spec.id), "annotations": kube.notes.get(name)},
            "status": {"phase": phase(name)},
        })
    };
    names.into_iter().map(object).collect()
}
