//! Requests that change something.

use super::ask::Ask;
use super::route::{find_node, find_scaler, find_workload};
use super::status::{Refusal, json, success};
use super::{patch, render};
use crate::world::By;
use crate::world::evictions::Answer;
use crate::world::state::State;
use axum::response::Response;
use domain::ids::PodUid;
use domain::sizing::Sizes;
use domain::workload::{ScaleKind, WorkloadKind, WorkloadRef};
use serde_json::{Value, json};

pub(super) fn answer(state: &mut State, cluster: usize, ask: &Ask) -> Result<Response, Refusal> {
    match (ask.verb, ask.group.as_str(), ask.resource.as_str(), ask.subresource.as_deref()) {
        ("patch", "", "nodes", None) => patch_node(state, cluster, ask),
        ("delete", "", "nodes", None) => delete_node(state, cluster, ask),
        ("create", "", "pods", Some("eviction")) => evict(state, cluster, ask),
        ("delete", "", "pods", None) => delete_pod(state, cluster, ask),
        ("patch", "", "pods", Some("resize")) => resize(state, cluster, ask),
        ("patch", "autoscaling" | "keda.sh" | "batch", _, None) => patch_scaler(state, cluster, ask),
        ("patch", "apps", _, None) => patch_workload(state, cluster, ask),
        ("patch", "apps", _, Some("scale")) => patch_scale(state, cluster, ask),
        ("create", "authorization.k8s.io", "selfsubjectaccessreviews", None) => Ok(review(state, cluster, ask)),
        _ => Err(Refusal::no_such_page()),
    }
}

fn patch_node(state: &mut State, cluster: usize, ask: &Ask) -> Result<Response, Refusal> {
    let missing = || Refusal::not_found("nodes", ask.name());
    let node = find_node(&state.clusters[cluster], ask.name()).ok_or_else(missing)?;
    let (name, before) = (node.name.clone(), render::node(node));
    let after = patch::apply(ask, &before)?;
    let read = |path: &str| after.pointer(path).cloned().unwrap_or_default();
    let invalid = |error: serde_json::Error| Refusal::new(422, "Invalid", format!("Node {:?} is invalid: {error}", ask.name()));
    let labels = serde_json::from_value::<Option<_>>(read("/metadata/labels")).map_err(invalid)?.unwrap_or_default();
    let annotations = serde_json::from_value::<Option<_>>(read("/metadata/annotations")).map_err(invalid)?.unwrap_or_default();
    let taints = serde_json::from_value::<Option<Vec<_>>>(read("/spec/taints")).map_err(invalid)?.unwrap_or_default();
    let unschedulable = read("/spec/unschedulable").as_bool().unwrap_or_default();
    if ask.dry() {
        return Ok(json(200, &after));
    }
    state.edit_node(cluster, &name, By::Us, |node| {
        node.labels = labels;
        node.annotations = annotations;
        node.taints = taints;
        node.unschedulable = unschedulable;
    });
    find_node(&state.clusters[cluster], ask.name()).map(|node| json(200, &render::node(node))).ok_or_else(missing)
}

/// The uid that a deletion demands.
fn wanted_uid<'a>(options: &'a Value, path: &str) -> Option<&'a str> {
    options.pointer(path).and_then(Value::as_str)
}

fn delete_node(state: &mut State, cluster: usize, ask: &Ask) -> Result<Response, Refusal> {
    let missing = || Refusal::not_found("nodes", ask.name());
    let uid = find_node(&state.clusters[cluster], ask.name()).ok_or_else(missing)?.uid.clone();
    if let Some(wanted) = wanted_uid(&ask.body, "/preconditions/uid").filter(|wanted| *wanted != uid.as_str()) {
        return Err(Refusal::other_uid("nodes", ask.name(), wanted, uid.as_str()));
    }
    if !ask.dry() {
        state.remove_node(cluster, &uid, By::Us);
    }
    Ok(success(200))
}

fn grace(options: &Value, path: &str, ask: &Ask) -> Option<u32> {
    let asked = options.pointer(path).and_then(Value::as_u64).and_then(|grace| u32::try_from(grace).ok());
    asked.or_else(|| ask.query.get("gracePeriodSeconds").and_then(|grace| grace.parse().ok()))
}

fn pod_uid(uid: &str) -> Result<PodUid, Refusal> {
    PodUid::parse(uid).map_err(|error| Refusal::bad_request(error.to_string()))
}

fn evict(state: &mut State, cluster: usize, ask: &Ask) -> Result<Response, Refusal> {
    let uid = wanted_uid(&ask.body, "/deleteOptions/preconditions/uid").map(pod_uid).transpose()?;
    let grace = grace(&ask.body, "/deleteOptions/gracePeriodSeconds", ask);
    const NO: &str = "Cannot evict pod as it would violate the pod's disruption budget.";
    match state.evict(cluster, (ask.namespace(), ask.name()), uid.as_ref(), grace, ask.dry()) {
        Answer::Accepted => Ok(success(201)),
        Answer::NotFound => Err(Refusal::not_found("pods", ask.name())),
        Answer::OtherUid => {
            let wanted = uid.as_ref().map(PodUid::as_str).unwrap_or_default();
            let why = format!("the UID in the precondition ({wanted}) does not match the UID in record");
            Err(Refusal::conflict("pods", ask.name(), &why))
        }
        Answer::NoRoom(budget) => {
            let (name, needs, has) = (budget.name, budget.desired_healthy, budget.current_healthy);
            let cause = format!("The disruption budget {name} needs {needs} healthy pods and has {has} currently");
            Err(Refusal::new(429, "TooManyRequests", NO).cause("DisruptionBudget", &cause))
        }
        Answer::Behind(wait) => {
            let cause = "The disruption budget is still being processed by the server.";
            Err(Refusal::new(429, "TooManyRequests", NO).cause("DisruptionBudget", cause).retry_after(wait.as_secs()))
        }
        Answer::Many => {
            let why = "This pod has more than one PodDisruptionBudget, which the eviction subresource does not support.";
            Err(Refusal::new(500, "InternalError", why))
        }
        Answer::NamespaceGoing => {
            let namespace = ask.namespace();
            let why = format!("unable to create new content in namespace {namespace} because it is being terminated");
            let cause = format!("namespace {namespace} is being terminated");
            Err(Refusal::new(403, "Forbidden", why).cause("NamespaceTerminating", &cause))
        }
    }
}

fn delete_pod(state: &mut State, cluster: usize, ask: &Ask) -> Result<Response, Refusal> {
    let uid = wanted_uid(&ask.body, "/preconditions/uid").map(pod_uid).transpose()?;
    let at = (ask.namespace(), ask.name());
    let found = |state: &State| {
        let key = state.find_pod(cluster, at.0, at.1)?;
        let kube = &state.clusters[cluster];
        kube.pods.get(&key).map(|pod| (pod.pod.uid.clone(), render::pod(pod, kube)))
    };
    let (is, before) = found(state).ok_or_else(|| Refusal::not_found("pods", ask.name()))?;
    if let Some(wanted) = uid.as_ref().filter(|wanted| **wanted != is) {
        return Err(Refusal::other_uid("pods", ask.name(), wanted.as_str(), is.as_str()));
    }
    if !ask.dry() {
        state.delete_pod(cluster, at, Some(&is), grace(&ask.body, "/gracePeriodSeconds", ask));
    }
    let after = found(state).filter(|(uid, _)| *uid == is).map_or(before, |(_, object)| object);
    Ok(json(200, &after))
}

fn scalable(resource: &str, ask: &Ask) -> Option<WorkloadRef> {
    let kind = match resource {
        "deployments" => WorkloadKind::Deployment,
        "statefulsets" => WorkloadKind::StatefulSet,
        _ => return None,
    };
    Some(WorkloadRef { kind, namespace: ask.namespace().to_owned(), name: ask.name().to_owned() })
}

fn wanted_replicas(after: &Value) -> Option<u32> {
    after.pointer("/spec/replicas").and_then(Value::as_u64).and_then(|replicas| u32::try_from(replicas).ok())
}

fn patch_scale(state: &mut State, cluster: usize, ask: &Ask) -> Result<Response, Refusal> {
    let missing = || Refusal::not_found(&ask.resource, ask.name());
    let workload = scalable(&ask.resource, ask).ok_or_else(Refusal::no_such_page)?;
    let shown = |state: &State| {
        let kube = &state.clusters[cluster];
        find_workload(kube, &ask.resource, ask).map(|(index, workload)| render::scale(index, workload, kube))
    };
    let after = patch::apply(ask, &shown(state).ok_or_else(missing)?)?;
    let replicas = wanted_replicas(&after).ok_or_else(|| Refusal::new(422, "Invalid", "spec.replicas: must be a number of at least 0"))?;
    if ask.dry() {
        return Ok(json(200, &after));
    }
    state.scale(cluster, &workload, replicas).ok_or_else(missing)?;
    shown(state).map(|scale| json(200, &scale)).ok_or_else(missing)
}

/// Replicas, labels, annotations and the requests of the pods can be changed; other fields of the patch have no effect.
fn patch_workload(state: &mut State, cluster: usize, ask: &Ask) -> Result<Response, Refusal> {
    let missing = || Refusal::not_found(&ask.resource, ask.name());
    let kube = &state.clusters[cluster];
    let (index, workload) = find_workload(kube, &ask.resource, ask).ok_or_else(missing)?;
    let after = patch::apply(ask, &render::workload(index, workload, kube))?;
    let wanted = wanted_sizes(&after, "/spec/template/spec/containers/0/resources")?;
    if ask.dry() {
        return Ok(json(200, &after));
    }
    if let (Some(workload), Some(replicas)) = (scalable(&ask.resource, ask), wanted_replicas(&after)) {
        state.scale(cluster, &workload, replicas);
    }
    state.edit_workload(cluster, index, |workload| {
        let texts = |path: &str| serde_json::from_value(after.pointer(path).cloned().unwrap_or_else(|| json!({}))).unwrap_or_default();
        workload.labels = texts("/metadata/labels");
        workload.annotations = texts("/metadata/annotations");
    });
    state.size_workload(cluster, index, &wanted);
    let kube = &state.clusters[cluster];
    find_workload(kube, &ask.resource, ask).map(|(i, w)| json(200, &render::workload(i, w, kube))).ok_or_else(missing)
}

/// Requests and limits as a patch left them. A container without requests asks for its limits.
fn wanted_sizes(after: &Value, path: &str) -> Result<Sizes, Refusal> {
    let amount =
        |part: &str, name: &str| after.pointer(&format!("{path}/{part}/{name}")).and_then(Value::as_str).and_then(patch::milli_units);
    let bytes = |part: &str| amount(part, "memory").map(|thousandths| thousandths / 1000);
    let sizes = Sizes {
        cpu_request: amount("requests", "cpu").or_else(|| amount("limits", "cpu")),
        cpu_limit: amount("limits", "cpu"),
        memory_request: bytes("requests").or_else(|| bytes("limits")),
        memory_limit: bytes("limits"),
    };
    match sizes.valid() {
        Err(why) if !why.ends_with("nothing") => Err(Refusal::new(422, "Invalid", why)),
        Ok(()) | Err(_) => Ok(sizes),
    }
}

/// The resize subresource of a pod, where the cluster has it.
fn resize(state: &mut State, cluster: usize, ask: &Ask) -> Result<Response, Refusal> {
    if !state.clusters[cluster].sizing.in_place {
        return Err(Refusal::no_such_page());
    }
    let missing = || Refusal::not_found("pods", ask.name());
    let key = state.find_pod(cluster, ask.namespace(), ask.name()).ok_or_else(missing)?;
    let kube = &state.clusters[cluster];
    let before = kube.pods.get(&key).map(|pod| render::pod(pod, kube)).ok_or_else(missing)?;
    let after = patch::apply(ask, &before)?;
    let wanted = wanted_sizes(&after, "/spec/containers/0/resources")?;
    if !ask.dry() {
        state.resize_pod(cluster, (ask.namespace(), ask.name()), None, &wanted).ok_or_else(missing)?;
    }
    Ok(json(200, &after))
}

/// The size and the annotations of an autoscaler can be changed.
fn patch_scaler(state: &mut State, cluster: usize, ask: &Ask) -> Result<Response, Refusal> {
    let missing = || Refusal::not_found(&ask.resource, ask.name());
    let (index, scaler) = find_scaler(&state.clusters[cluster], ask).ok_or_else(missing)?;
    let after = patch::apply(ask, &render::scaler::scaler(scaler))?;
    let size = render::scaler::size(scaler.target.kind, &after);
    if scaler.target.kind == ScaleKind::HorizontalPodAutoscaler && size.is_none_or(|size| size == 0) {
        return Err(Refusal::new(422, "Invalid", "spec.minReplicas: must be a number of at least 1"));
    }
    if ask.dry() {
        return Ok(json(200, &after));
    }
    let texts = after.pointer("/metadata/annotations").cloned().unwrap_or_else(|| json!({}));
    let mut annotations: std::collections::BTreeMap<String, String> = serde_json::from_value(texts).unwrap_or_default();
    annotations.remove(render::scaler::PAUSED_REPLICAS);
    state.edit_scaler(cluster, index, |scaler| (scaler.size, scaler.annotations) = (size, annotations));
    let found = find_scaler(&state.clusters[cluster], ask);
    found.map(|(_, scaler)| json(200, &render::scaler::scaler(scaler))).ok_or_else(missing)
}

/// What the caller may do: everything that is not denied.
fn review(state: &State, cluster: usize, ask: &Ask) -> Response {
    let attribute = |key: &str| ask.body.pointer(&format!("/spec/resourceAttributes/{key}")).and_then(Value::as_str).unwrap_or_default();
    let right = match attribute("subresource") {
        "" => attribute("resource").to_owned(),
        sub => format!("{}/{sub}", attribute("resource")),
    };
    let allowed = !state.clusters[cluster].denied.contains(&format!("{} {right}", attribute("verb")));
    let spec = ask.body.get("spec").cloned().unwrap_or_default();
    let body = json!({
        "kind": "SelfSubjectAccessReview", "apiVersion": "authorization.k8s.io/v1", "metadata": {},
        "spec": spec, "status": {"allowed": allowed},
    });
    json(201, &body)
}
