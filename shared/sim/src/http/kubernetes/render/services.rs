//! Services and EndpointSlices as the API server prints them, and a Prometheus behind its proxy.

use crate::world::services::ServiceSpec;
use crate::world::state::{Kube, Pod};
use domain::ports::inventory::Flow;
use serde_json::{Value, json};

pub(crate) fn services(kube: &Kube) -> Vec<Value> {
    let print = |service: &ServiceSpec| {
        let mut spec = json!({
            "type": if service.balanced { "LoadBalancer" } else { "ClusterIP" },
            "clusterIP": if service.headless { "None" } else { "10.100.0.1" },
            "internalTrafficPolicy": "Cluster", "selector": service.selector,
        });
        if let Some(word) = &service.distribution {
            spec["trafficDistribution"] = json!(word);
        }
        json!({
            "apiVersion": "v1", "kind": "Service", "spec": spec,
            "metadata": {"namespace": service.namespace, "name": service.name, "uid": format!("service-{}-{}", service.namespace, service.name)},
        })
    };
    kube.services.all.iter().map(print).collect()
}

/// One slice per Service.
pub(crate) fn slices(kube: &Kube) -> Vec<Value> {
    let endpoint = |pod: &Pod| {
        let node = pod.node.as_ref().and_then(|node| kube.nodes.get(node));
        json!({
            "addresses": ["10.0.0.1"], "nodeName": node.map(|node| node.name.as_str()), "zone": node.map(|node| node.zone.as_str()),
            "conditions": {"ready": pod.ready && pod.deletion_at.is_none(), "serving": pod.ready, "terminating": pod.deletion_at.is_some()},
            "targetRef": {"kind": "Pod", "namespace": pod.pod.namespace, "name": pod.pod.name, "uid": pod.pod.uid.as_str()},
        })
    };
    let print = |service: &ServiceSpec| {
        json!({
            "apiVersion": "discovery.k8s.io/v1", "kind": "EndpointSlice", "addressType": "IPv4",
            "metadata": {
                "namespace": service.namespace, "name": format!("{}-x7k2p", service.name),
                "labels": {"kubernetes.io/service-name": service.name},
            },
            "endpoints": kube.behind_service(service).map(endpoint).collect::<Vec<_>>(), "ports": [],
        })
    };
    kube.services.all.iter().map(print).collect()
}

/// An instant vector.
pub(crate) fn vector(flows: &[Flow]) -> Value {
    let sample = |flow: &Flow| {
        json!({
            "metric": {
                "source_workload_namespace": flow.from.0, "source_workload": flow.from.1,
                "destination_service_namespace": flow.to.0, "destination_service_name": flow.to.1,
            },
            "value": [1_700_000_000.25, flow.bytes_per_day.to_string()],
        })
    };
    json!({"status": "success", "data": {"resultType": "vector", "result": flows.iter().map(sample).collect::<Vec<_>>()}})
}
