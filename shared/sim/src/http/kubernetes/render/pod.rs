//! Pods as the API server prints them.

use super::{ask, put_annotations, sizes, time, truth};
use crate::world::state::{Kube, Pod};
use domain::pod::PodPhase;
use serde_json::{Value, json};

fn phase(phase: PodPhase) -> &'static str {
    match phase {
        PodPhase::Pending => "Pending",
        PodPhase::Running => "Running",
        PodPhase::Succeeded => "Succeeded",
        PodPhase::Failed => "Failed",
        PodPhase::Unknown => "Unknown",
    }
}

/// A Pod.
pub(crate) fn pod(pod: &Pod, kube: &Kube) -> Value {
    let conditions = json!([
        {"type": "PodScheduled", "status": truth(pod.node.is_some())},
        {"type": "Ready", "status": truth(pod.ready)},
    ]);
    let mut status = json!({"phase": phase(pod.phase), "conditions": conditions});
    if let Some(at) = pod.bound_at {
        status["startTime"] = json!(time(at));
    }
    if let Some((times, at)) = kube.killed(pod) {
        let ended = json!({"terminated": {"reason": "OOMKilled", "exitCode": 137, "finishedAt": time(at)}});
        status["containerStatuses"] = json!([
            {"name": "main", "restartCount": times, "ready": pod.ready, "state": {"running": {"startedAt": time(at)}}, "lastState": ended},
        ]);
    }
    json!({"apiVersion": "v1", "kind": "Pod", "metadata": metadata(pod, kube), "spec": spec(pod), "status": status})
}

fn metadata(pod: &Pod, kube: &Kube) -> Value {
    let mut metadata = json!({
        "namespace": pod.pod.namespace, "name": pod.pod.name, "uid": pod.pod.uid, "resourceVersion": pod.rv.to_string(),
        "creationTimestamp": time(pod.created_at), "labels": pod.shape.labels,
    });
    let mut annotations = pod.annotations.clone();
    if pod.mirror {
        annotations.insert("kubernetes.io/config.mirror".to_owned(), "0123456789abcdef".to_owned());
    }
    if pod.shape.do_not_disrupt {
        annotations.insert("karpenter.sh/do-not-disrupt".to_owned(), "true".to_owned());
    }
    put_annotations(&mut metadata, &annotations);
    if let Some(at) = pod.deletion_at {
        metadata["deletionTimestamp"] = json!(time(at));
        metadata["deletionGracePeriodSeconds"] = json!(pod.deletion_grace_s);
    }
    if let Some(controller) = &pod.controller {
        let api = match controller.kind.as_str() {
            "ReplicaSet" | "StatefulSet" | "DaemonSet" => "apps/v1",
            "Job" => "batch/v1",
            _ => "v1",
        };
        let uid = pod.workload.and_then(|index| kube.workloads.get(index)).map_or("0-0-0-0", |w| w.uid.as_str());
        metadata["ownerReferences"] =
            json!([{"apiVersion": api, "kind": controller.kind, "name": controller.name, "uid": uid, "controller": true}]);
    }
    metadata
}

fn spec(pod: &Pod) -> Value {
    let mut asked = sizes(&pod.shape);
    for (name, amount) in &pod.shape.extended {
        asked["requests"][name] = json!(amount.to_string());
    }
    let mut container = json!({"name": "main", "image": "example.com/app:1", "resources": asked});
    let ports = ask::host_ports(&pod.shape.scheduling.host_ports);
    if !ports.is_empty() {
        container["ports"] = json!(ports);
    }
    let mut spec = json!({
        "containers": [container],
        "terminationGracePeriodSeconds": pod.shape.grace_s, "priority": pod.shape.priority, "schedulerName": "default-scheduler",
    });
    if let Some(node) = &pod.node {
        spec["nodeName"] = json!(node);
    }
    let claims = pod.claims.iter().map(|name| json!({"name": "data", "persistentVolumeClaim": {"claimName": name}}));
    let scratch = pod.shape.empty_dir.then(|| json!({"name": "scratch", "emptyDir": {}}));
    let volumes: Vec<Value> = claims.chain(scratch).collect();
    if !volumes.is_empty() {
        spec["volumes"] = json!(volumes);
    }
    ask::put(&pod.shape.scheduling, &mut spec);
    spec
}
