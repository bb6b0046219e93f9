//! Services and their endpoints: where connections go.

use super::all;
use crate::call::Api;
use domain::ids::Zone;
use domain::ports::ClusterError;
use domain::ports::inventory::{EndpointView, ServiceView};
use serde::Deserialize;
use slim::{Meta, nullable};
use std::collections::BTreeMap;

/// The label by which an EndpointSlice names its Service.
const OF_SERVICE: &str = "kubernetes.io/service-name";
/// The annotation that asked for topology hints before `trafficDistribution`, under its present and its former name.
const TOPOLOGY_MODE: [&str; 2] = ["service.kubernetes.io/topology-mode", "service.kubernetes.io/topology-aware-hints"];

/// A v1 Service.
#[derive(Debug, Default, Deserialize)]
#[serde(default)]
struct Service {
    metadata: Meta,
    spec: ServiceSpec,
}

#[derive(Debug, Default, Deserialize)]
#[serde(default, rename_all = "camelCase")]
struct ServiceSpec {
    #[serde(rename = "type", deserialize_with = "nullable")]
    kind: String,
    #[serde(rename = "clusterIP", deserialize_with = "nullable")]
    cluster_ip: String,
    #[serde(deserialize_with = "nullable")]
    selector: BTreeMap<String, String>,
    traffic_distribution: Option<String>,
    internal_traffic_policy: Option<String>,
}

impl Service {
    fn view(self) -> ServiceView {
        let (spec, annotations) = (self.spec, self.metadata.annotations);
        let near = spec.traffic_distribution.filter(|word| word.starts_with("Prefer")).map(|word| format!("trafficDistribution: {word}"));
        let local = spec.internal_traffic_policy.filter(|word| word == "Local").map(|word| format!("internalTrafficPolicy: {word}"));
        let hinted = || {
            let mode = TOPOLOGY_MODE.iter().find_map(|key| Some((key, annotations.get(*key)?)));
            mode.filter(|(_, word)| word.eq_ignore_ascii_case("auto")).map(|(key, word)| format!("{key}: {word}"))
        };
        ServiceView {
            keeps_near: near.or(local).or_else(hinted),
            balanced: spec.kind == "LoadBalancer",
            spread: spec.kind != "ExternalName" && !spec.cluster_ip.is_empty() && spec.cluster_ip != "None",
            selector: spec.selector,
            namespace: self.metadata.namespace,
            name: self.metadata.name,
        }
    }
}

/// A discovery.k8s.io/v1 EndpointSlice.
#[derive(Debug, Default, Deserialize)]
#[serde(default)]
struct Slice {
    metadata: Meta,
    #[serde(deserialize_with = "nullable")]
    endpoints: Vec<Endpoint>,
}

#[derive(Debug, Default, Deserialize)]
#[serde(default, rename_all = "camelCase")]
struct Endpoint {
    #[serde(deserialize_with = "nullable")]
    conditions: Conditions,
    target_ref: Option<Target>,
    zone: Option<String>,
}

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
struct Conditions {
    ready: Option<bool>,
}

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
struct Target {
    kind: String,
    name: String,
}

impl Slice {
    fn view(self) -> Option<Vec<EndpointView>> {
        let service = self.metadata.labels.get(OF_SERVICE)?.clone();
        let namespace = self.metadata.namespace;
        let row = |endpoint: Endpoint| EndpointView {
            namespace: namespace.clone(),
            service: service.clone(),
            pod: endpoint.target_ref.filter(|target| target.kind == "Pod").map(|target| target.name),
            zone: endpoint.zone.and_then(|zone| Zone::parse(zone).ok()),
            // "nil indicates an unknown condition, which consumers should interpret as ready" (API reference).
            ready: endpoint.conditions.ready.unwrap_or(true),
        };
        Some(self.endpoints.into_iter().map(row).collect())
    }
}

/// Every Service.
pub(crate) async fn services(api: &Api) -> Result<Vec<ServiceView>, ClusterError> {
    all(api, "/api/v1/services", |service: Service| Some(service.view())).await
}

/// Every endpoint of every Service. A slice that names no Service is somebody's own.
pub(crate) async fn endpoints(api: &Api) -> Result<Vec<EndpointView>, ClusterError> {
    Ok(all(api, "/apis/discovery.k8s.io/v1/endpointslices", |slice: Slice| Some(slice.view().unwrap_or_default())).await?.concat())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn service(spec: &str, annotations: &str) -> ServiceView {
        let json = format!(r#"{{"metadata":{{"namespace":"shop","name":"web","annotations":{annotations}}},"spec":{spec}}}"#);
        serde_json::from_str::<Service>(&json).unwrap().view()
    }

    #[test]
    fn what_keeps_connections_near_is_read_in_all_its_forms() {
        let near = |spec: &str, annotations: &str| service(spec, annotations).keeps_near;
        assert_eq!(near(r#"{"trafficDistribution":"PreferSameZone"}"#, "{}").as_deref(), Some("trafficDistribution: PreferSameZone"));
        assert_eq!(near(r#"{"internalTrafficPolicy":"Local"}"#, "null").as_deref(), Some("internalTrafficPolicy: Local"));
        assert!(near("{}", r#"{"service.kubernetes.io/topology-mode":"Auto"}"#).is_some());
        assert!(near("{}", r#"{"service.kubernetes.io/topology-aware-hints":"auto"}"#).is_some());
        assert_eq!(near(r#"{"internalTrafficPolicy":"Cluster"}"#, r#"{"service.kubernetes.io/topology-mode":"Disabled"}"#), None);
    }

    #[test]
    fn only_a_service_with_an_address_of_its_own_is_spread() {
        let spread = |spec: &str| service(spec, "{}").spread;
        assert!(spread(r#"{"type":"ClusterIP","clusterIP":"10.0.0.1"}"#));
        assert!(!spread(r#"{"type":"ClusterIP","clusterIP":"None"}"#));
        assert!(!spread(r#"{"type":"ExternalName","externalName":"example.com"}"#));
        assert!(service(r#"{"type":"LoadBalancer","clusterIP":"10.0.0.1"}"#, "{}").balanced);
    }

    #[test]
    fn an_endpoint_without_a_word_on_readiness_is_ready_and_what_is_no_pod_has_none() {
        let json = r#"{"metadata":{"namespace":"shop","labels":{"kubernetes.io/service-name":"web"}},"endpoints":[
            {"conditions":{},"targetRef":{"kind":"Pod","name":"web-1"},"zone":"us-east-1a"},
            {"conditions":{"ready":false},"targetRef":{"kind":"Node","name":"n"},"zone":"?"}]}"#;
        let rows = serde_json::from_str::<Slice>(json).unwrap().view().unwrap();
        assert_eq!((rows[0].ready, rows[0].pod.as_deref(), rows[0].zone.is_some()), (true, Some("web-1"), true));
        assert_eq!((rows[1].ready, rows[1].pod.as_deref(), rows[1].zone.is_some()), (false, None, false));
        assert_eq!(serde_json::from_str::<Slice>(r#"{"endpoints":null}"#).unwrap().view(), None);
    }
}
