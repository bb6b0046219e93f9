//! What stands in a cluster's API besides nodes and pods, as far as waste is looked for in it.

use super::ClusterError;
use crate::ids::Zone;
use crate::policy::TrafficSource;
use async_trait::async_trait;
use std::collections::BTreeMap;

/// A PersistentVolume.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PersistentVolume {
    /// Its name.
    pub name: String,
    /// The EBS volume behind it (`vol-...`), where it is one.
    pub volume: Option<String>,
    /// Whether its reclaim policy is `Retain`: its volume is to stay when the claim goes.
    pub retain: bool,
}

/// A Service, as far as it says where connections go.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ServiceView {
    /// Its namespace.
    pub namespace: String,
    /// Its name.
    pub name: String,
    /// Whether it asks for a load balancer outside of the cluster (`type: LoadBalancer`).
    pub balanced: bool,
    /// Whether the cluster spreads connections over its endpoints: it has a virtual address, and is neither headless nor a name.
    pub spread: bool,
    /// Labels of the pods behind it; empty: it does not choose them by labels.
    pub selector: BTreeMap<String, String>,
    /// What keeps its connections near already, in its own words: `trafficDistribution: PreferClose`.
    pub keeps_near: Option<String>,
}

/// One pod behind a Service. A Service of two address families has two rows for a pod.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct EndpointView {
    /// Namespace of the Service and of the pod.
    pub namespace: String,
    /// The Service.
    pub service: String,
    /// The pod; `None`: it is something else, outside of the cluster for one.
    pub pod: Option<String>,
    /// Where it is.
    pub zone: Option<Zone>,
    /// Whether connections are led to it.
    pub ready: bool,
}

/// What a workload and a Service exchange.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Flow {
    /// Namespace and name of the workload that calls.
    pub from: (String, String),
    /// Namespace and name of the Service that is called.
    pub to: (String, String),
    /// Bytes per day, both ways together.
    pub bytes_per_day: u64,
}

/// Lists of one cluster's API.
#[async_trait]
pub trait Inventory: Send + Sync {
    /// Every PersistentVolume.
    async fn persistent_volumes(&self) -> Result<Vec<PersistentVolume>, ClusterError>;
    /// Every Service.
    async fn services(&self) -> Result<Vec<ServiceView>, ClusterError>;
    /// Every endpoint of every EndpointSlice of a Service.
    async fn endpoints(&self) -> Result<Vec<EndpointView>, ClusterError>;
    /// What workloads sent to Services in the last day, as a source of metrics in the cluster tells it.
    /// [`ClusterError::Forbidden`] where the source may not be asked, [`ClusterError::Gone`] where it is not there.
    async fn traffic(&self, source: &TrafficSource) -> Result<Vec<Flow>, ClusterError>;
}
