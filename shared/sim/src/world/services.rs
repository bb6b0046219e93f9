//! Services of a cluster, the endpoints behind them, and what flows to them.

use super::World;
use super::state::{Kube, Pod};
use domain::ids::ClusterId;
use domain::ports::inventory::{EndpointView, Flow, ServiceView};
use std::collections::BTreeMap;

/// A Service.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ServiceSpec {
    /// Its namespace.
    pub namespace: String,
    /// Its name.
    pub name: String,
    /// Labels of its pods.
    pub selector: BTreeMap<String, String>,
    /// `type: LoadBalancer`.
    pub balanced: bool,
    /// `clusterIP: None`.
    pub headless: bool,
    /// `trafficDistribution`.
    pub distribution: Option<String>,
}

impl ServiceSpec {
    /// A Service in the namespace `default` over the pods labelled `app: <app>`, named after them.
    pub fn new(app: &str) -> ServiceSpec {
        ServiceSpec {
            namespace: "default".to_owned(),
            name: app.to_owned(),
            selector: BTreeMap::from([("app".to_owned(), app.to_owned())]),
            balanced: false,
            headless: false,
            distribution: None,
        }
    }

    fn view(&self) -> ServiceView {
        ServiceView {
            namespace: self.namespace.clone(),
            name: self.name.clone(),
            balanced: self.balanced,
            spread: !self.headless,
            selector: self.selector.clone(),
            keeps_near: self.distribution.as_ref().map(|word| format!("trafficDistribution: {word}")),
        }
    }
}

/// What a cluster has of them.
#[derive(Debug, Default)]
pub(crate) struct Services {
    pub(crate) all: Vec<ServiceSpec>,
    /// Where a source of metrics is, as `<namespace>/<service>:<port>`, and what it tells.
    pub(crate) traffic: Option<(String, Vec<Flow>)>,
}

impl Kube {
    pub(crate) fn service_views(&self) -> Vec<ServiceView> {
        self.services.all.iter().map(ServiceSpec::view).collect()
    }

    /// The pods behind a Service, as its EndpointSlice lists them: on a node, and not over.
    pub(crate) fn behind_service<'a>(&'a self, service: &'a ServiceSpec) -> impl Iterator<Item = &'a Pod> {
        let selected = |pod: &Pod| service.selector.iter().all(|(key, value)| pod.shape.labels.get(key) == Some(value));
        self.pods.values().filter(move |pod| {
            !service.selector.is_empty() && pod.pod.namespace == service.namespace && pod.node.is_some() && !pod.finished() && selected(pod)
        })
    }

    pub(crate) fn endpoint_views(&self) -> Vec<EndpointView> {
        let row = |service: &ServiceSpec, pod: &Pod| EndpointView {
            namespace: service.namespace.clone(),
            service: service.name.clone(),
            pod: Some(pod.pod.name.clone()),
            zone: pod.node.as_ref().and_then(|node| self.nodes.get(node)).map(|node| node.zone.clone()),
            ready: pod.ready && pod.deletion_at.is_none(),
        };
        self.services.all.iter().flat_map(|service| self.behind_service(service).map(|pod| row(service, pod))).collect()
    }
}

impl World {
    /// Adds a Service, or has it otherwise.
    ///
    /// # Panics
    /// If the cluster was not added.
    pub fn put_service(&self, cluster: &ClusterId, service: ServiceSpec) {
        self.with(|state| {
            let cluster = state.known(cluster);
            let services = &mut state.clusters[cluster].services.all;
            services.retain(|there| (&there.namespace, &there.name) != (&service.namespace, &service.name));
            services.push(service);
        });
    }

    /// Removes a Service.
    ///
    /// # Panics
    /// If the cluster was not added.
    pub fn remove_service(&self, cluster: &ClusterId, namespace: &str, name: &str) {
        self.with(|state| {
            let cluster = state.known(cluster);
            state.clusters[cluster].services.all.retain(|there| there.namespace != namespace || there.name != name);
        });
    }

    /// Puts a source of metrics into a cluster, and says what it tells of traffic.
    ///
    /// # Panics
    /// If the cluster was not added.
    pub fn tell_traffic(&self, cluster: &ClusterId, source: &str, flows: Vec<Flow>) {
        self.with(|state| {
            let cluster = state.known(cluster);
            state.clusters[cluster].services.traffic = Some((source.to_owned(), flows));
        });
    }
}
