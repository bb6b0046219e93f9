//! Objects of the world as the API server prints them.

use crate::world::spec::{Allows, PodShape};
use crate::world::state::{Budget, Kube, Node, Pod, Sort, Workload};
use domain::sizing::AutoscalerView;
use jiff::Timestamp;
use serde_json::{Map, Value, json};

mod ask;
mod pod;
pub(crate) mod scaler;
pub(crate) mod services;
pub(crate) mod volumes;

pub(crate) use pod::pod;

/// Times in objects have whole seconds.
pub(crate) fn time(at: Timestamp) -> String {
    Timestamp::from_second(at.as_second()).unwrap_or(at).to_string()
}

fn truth(yes: bool) -> &'static str {
    if yes { "True" } else { "False" }
}

fn resources(cpu_millis: u64, memory_bytes: u64) -> Value {
    json!({"cpu": format!("{cpu_millis}m"), "memory": memory_bytes.to_string()})
}

/// Requests and limits of a container.
fn sizes(shape: &PodShape) -> Value {
    let mut limits = Map::new();
    if let Some(cpu) = shape.cpu_limit {
        limits.insert("cpu".to_owned(), json!(format!("{cpu}m")));
    }
    if let Some(memory) = shape.memory_limit {
        limits.insert("memory".to_owned(), json!(memory.to_string()));
    }
    let mut sizes = json!({"requests": resources(shape.cpu_millis, shape.memory_bytes)});
    if !limits.is_empty() {
        sizes["limits"] = json!(limits);
    }
    sizes
}

/// A HorizontalPodAutoscaler.
pub(crate) fn autoscaler(of: &AutoscalerView) -> Value {
    let metric =
        |name: &str| json!({"type": "Resource", "resource": {"name": name, "target": {"type": "Utilization", "averageUtilization": 80}}});
    let mut metrics: Vec<Value> =
        [(of.cpu, "cpu"), (of.memory, "memory")].into_iter().filter(|(on, _)| *on).map(|(_, name)| metric(name)).collect();
    if metrics.is_empty() {
        metrics.push(json!({"type": "External", "external": {"metric": {"name": "queue"}, "target": {"type": "Value", "value": "1"}}}));
    }
    json!({
        "metadata": {"namespace": of.namespace, "name": of.name, "uid": format!("hpa-{}-{}", of.namespace, of.name), "resourceVersion": "1"},
        "spec": {"minReplicas": 1, "scaleTargetRef": {"apiVersion": "apps/v1", "kind": of.kind, "name": of.name}, "maxReplicas": 10, "metrics": metrics},
    })
}

/// A Node.
pub(crate) fn node(node: &Node) -> Value {
    let mut spec = Map::from_iter([("providerID".to_owned(), json!(node.provider_id()))]);
    if node.unschedulable {
        spec.insert("unschedulable".to_owned(), json!(true));
    }
    if !node.taints.is_empty() {
        spec.insert("taints".to_owned(), json!(node.taints));
    }
    let mut metadata = json!({
        "name": node.name, "uid": node.uid, "resourceVersion": node.rv.to_string(),
        "creationTimestamp": time(node.created_at), "labels": node.labels,
    });
    put_annotations(&mut metadata, &node.annotations);
    let status = if node.dead { "Unknown" } else { truth(node.ready) };
    let mut amounts = resources(node.cpu_millis, node.memory_bytes);
    amounts["pods"] = json!(node.pods_max.to_string());
    for (name, amount) in &node.extended {
        amounts[name] = json!(amount.to_string());
    }
    json!({
        "apiVersion": "v1", "kind": "Node", "metadata": metadata, "spec": spec,
        "status": {
            "allocatable": amounts, "capacity": amounts,
            "conditions": [{"type": "Ready", "status": status, "reason": if node.ready { "KubeletReady" } else { "NodeStatusUnknown" }}],
            "addresses": [{"type": "Hostname", "address": node.name}, {"type": "InternalDNS", "address": node.name}],
            "nodeInfo": {"kubeletVersion": "v1.36.0", "operatingSystem": "linux", "architecture": node.labels.get("kubernetes.io/arch").map_or("amd64", String::as_str)},
        },
    })
}

fn put_annotations(metadata: &mut Value, annotations: &std::collections::BTreeMap<String, String>) {
    if !annotations.is_empty() {
        metadata["annotations"] = json!(annotations);
    }
}

/// The word for the kind of a workload.
pub(crate) fn kind(sort: Sort) -> &'static str {
    match sort {
        Sort::Deployment => "Deployment",
        Sort::StatefulSet => "StatefulSet",
        Sort::DaemonSet => "DaemonSet",
        Sort::Job => "Job",
    }
}

/// A Deployment, StatefulSet or DaemonSet.
pub(crate) fn workload(index: usize, workload: &Workload, kube: &Kube) -> Value {
    let mut metadata = json!({
        "namespace": workload.namespace, "name": workload.name, "uid": workload.uid, "resourceVersion": workload.rv.to_string(),
        "creationTimestamp": time(workload.created_at), "labels": workload.labels,
    });
    put_annotations(&mut metadata, &workload.annotations);
    let pods = || kube.pods.values().filter(|pod| pod.workload == Some(index) && pod.active());
    let (have, ready) = (pods().count(), pods().filter(|pod| pod.ready).count());
    let mut spec = json!({
        "selector": {"matchLabels": workload.shape.labels},
        "template": {
            "metadata": {"labels": workload.shape.labels},
            "spec": {"containers": [{
                "name": "main", "image": "example.com/app:1",
                "resources": sizes(&workload.shape),
            }]},
        },
    });
    let status = match workload.sort {
        Sort::Deployment | Sort::StatefulSet | Sort::Job => {
            spec["replicas"] = json!(workload.replicas);
            let (_, updated, _) = kube.counts(index);
            json!({"replicas": have, "readyReplicas": ready, "availableReplicas": ready, "updatedReplicas": updated})
        }
        Sort::DaemonSet => json!({"currentNumberScheduled": have, "desiredNumberScheduled": have, "numberReady": ready}),
    };
    if workload.sort == Sort::StatefulSet && workload.deletes_volumes {
        spec["persistentVolumeClaimRetentionPolicy"] = json!({"whenDeleted": "Retain", "whenScaled": "Delete"});
    }
    json!({"apiVersion": "apps/v1", "kind": kind(workload.sort), "metadata": metadata, "spec": spec, "status": status})
}

/// The ReplicaSet of a Deployment.
pub(crate) fn replica_set(index: usize, of: &Workload, kube: &Kube) -> Value {
    let mut set = workload(index, of, kube);
    set["kind"] = json!("ReplicaSet");
    set["metadata"]["name"] = json!(of.controller().name);
    set["metadata"]["ownerReferences"] =
        json!([{"apiVersion": "apps/v1", "kind": "Deployment", "name": of.name, "uid": of.uid, "controller": true}]);
    set
}

/// The scale subresource of a workload.
pub(crate) fn scale(index: usize, workload: &Workload, kube: &Kube) -> Value {
    let have = kube.pods.values().filter(|pod| pod.workload == Some(index) && pod.active()).count();
    json!({
        "apiVersion": "autoscaling/v1", "kind": "Scale",
        "metadata": {
            "namespace": workload.namespace, "name": workload.name, "uid": workload.uid,
            "resourceVersion": workload.rv.to_string(), "creationTimestamp": time(workload.created_at),
        },
        "spec": {"replicas": workload.replicas}, "status": {"replicas": have},
    })
}

/// A PodDisruptionBudget with its counts.
pub(crate) fn budget(budget: &Budget, kube: &Kube, now: Timestamp) -> Value {
    let counts = budget.count(kube);
    let (field, amount) = match budget.spec.allows {
        Allows::MinAvailable(n) => ("minAvailable", json!(n)),
        Allows::MinAvailablePercent(p) => ("minAvailable", json!(format!("{p}%"))),
        Allows::MaxUnavailable(n) => ("maxUnavailable", json!(n)),
        Allows::MaxUnavailablePercent(p) => ("maxUnavailable", json!(format!("{p}%"))),
    };
    let mut spec = json!({field: amount});
    if let Some(selector) = &budget.spec.selector {
        spec["selector"] = selector_json(selector);
    }
    if budget.spec.always_allow_unhealthy {
        spec["unhealthyPodEvictionPolicy"] = json!("AlwaysAllow");
    }
    let behind = budget.behind_until.is_some_and(|until| until > now);
    json!({
        "apiVersion": "policy/v1", "kind": "PodDisruptionBudget",
        "metadata": {
            "namespace": budget.spec.namespace, "name": budget.spec.name, "uid": budget.uid, "resourceVersion": kube.rv.to_string(),
            "creationTimestamp": time(budget.created_at), "generation": if behind { 2 } else { 1 },
        },
        "spec": spec,
        "status": {
            "observedGeneration": 1, "disruptionsAllowed": counts.disruptions_allowed, "currentHealthy": counts.current_healthy,
            "desiredHealthy": counts.desired_healthy, "expectedPods": counts.expected_pods,
        },
    })
}

/// A selector without the parts that are empty.
fn selector_json(selector: &domain::pod::Selector) -> Value {
    let mut printed = Map::new();
    if !selector.match_labels.is_empty() {
        printed.insert("matchLabels".to_owned(), json!(selector.match_labels));
    }
    if !selector.match_expressions.is_empty() {
        printed.insert("matchExpressions".to_owned(), json!(selector.match_expressions));
    }
    Value::Object(printed)
}

/// What a node uses, as metrics-server prints it.
pub(crate) fn node_metrics(name: &str, cpu_millis: u64, memory_bytes: u64, now: Timestamp) -> Value {
    json!({
        "metadata": {"name": name}, "timestamp": time(now), "window": "20s",
        "usage": {"cpu": format!("{}n", cpu_millis * 1_000_000), "memory": format!("{}Ki", memory_bytes / 1024)},
    })
}

/// What a pod uses.
pub(crate) fn pod_metrics(pod: &Pod, kube: &Kube, now: Timestamp) -> Value {
    let (cpu, memory) = kube.used(pod);
    json!({
        "metadata": {"name": pod.pod.name, "namespace": pod.pod.namespace}, "timestamp": time(now), "window": "20s",
        "containers": [{"name": "main", "usage": {"cpu": format!("{}n", cpu * 1_000_000), "memory": format!("{}Ki", memory / 1024)}}],
    })
}
