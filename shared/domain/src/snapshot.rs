//! A snapshot: everything a decision is made from, as it was seen at one time. Pods are grouped by equivalence class, so that
//! 5,000 nodes and 150,000 pods fit, gzip-encoded, into one call of 6 MB (the most that AWS Lambda takes in a request).

use crate::catalog::Arch;
use crate::decision::ClusterState;
use crate::ids::{ClusterId, InstanceId, NodeName, NodeUid, Region, SubnetId, Zone};
use crate::market::Quote;
use crate::money::MicroDollars;
use crate::node::{NodeOwner, Taint};
use crate::offering::{CapacityType, Pool};
use crate::pod::{Controller, PodBudget};
use crate::scheduling::{Resources, Scheduling};
use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

mod builder;

pub use builder::{Grouped, OnNode, SnapshotBuilder};

/// The version of this form. A reader refuses versions that it does not know.
pub const SNAPSHOT_VERSION: u32 = 1;

/// A cluster as it was seen.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct Snapshot {
    /// See [`SNAPSHOT_VERSION`].
    pub version: u32,
    /// The cluster.
    pub cluster: ClusterId,
    /// Its Region.
    pub region: Region,
    /// When the oldest part of it was read.
    pub taken_at: Timestamp,
    /// Where nodes can be launched.
    pub subnets: Vec<Subnet>,
    /// All nodes, by name.
    pub nodes: Vec<SnapshotNode>,
    /// The classes that `Placed::class` points into. Finished pods are in none.
    pub classes: Vec<PodClass>,
    /// Pods that no node has taken yet.
    #[serde(default)]
    pub pending: Vec<Placed>,
    /// All PodDisruptionBudgets; `None`: they could not be read, and then no pod may be moved.
    pub budgets: Option<Vec<PodBudget>>,
    /// What was read when, and what is missing.
    pub parts: Vec<Part>,
}

impl Snapshot {
    /// How many pods are in it, those that wait for a node among them.
    pub fn pod_count(&self) -> u64 {
        self.nodes.iter().flat_map(|node| &node.pods).chain(&self.pending).map(|placed| u64::from(placed.count)).sum()
    }

    /// What a node's pods request, all together.
    pub fn requested(&self, node: &SnapshotNode) -> Resources {
        let mut sum = Resources::default();
        for placed in &node.pods {
            if let Some(class) = self.classes.get(placed.class as usize) {
                sum.add(&class.requests, u64::from(placed.count));
            }
        }
        sum
    }

    /// The cluster in a few figures, for people.
    pub fn state(&self) -> ClusterState {
        let count = |number: usize| u32::try_from(number).unwrap_or(u32::MAX);
        let bought = |capacity| self.nodes.iter().filter(|node| node.pool.as_ref().is_some_and(|pool| pool.capacity == capacity)).count();
        let cost: MicroDollars = self.nodes.iter().filter_map(|node| node.price).map(|quote| quote.price_per_hour).sum();
        ClusterState {
            cluster_id: self.cluster.clone(),
            node_count: count(self.nodes.len()),
            total_cpu: self.nodes.iter().map(|node| node.allocatable.cpu_millis).sum::<u64>() as f64 / 1000.0,
            total_memory: self.nodes.iter().map(|node| node.allocatable.memory_bytes).sum::<u64>() as f64 / f64::from(1 << 30),
            pod_count: u32::try_from(self.pod_count()).unwrap_or(u32::MAX),
            spot_node_count: count(bought(CapacityType::Spot)),
            on_demand_node_count: count(bought(CapacityType::OnDemand)),
            current_cost_per_hour: cost.0 as f64 / 1_000_000.0,
        }
    }
}

/// One part of a snapshot.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct Part {
    /// `nodes`, `pods`, `budgets`, `volumes`, `workloads`, `usage`, `instances`, `prices`.
    pub name: String,
    /// When it was read.
    pub taken_at: Timestamp,
    /// What is missing of it and why, in one sentence; `None`: it is whole.
    pub gap: Option<String>,
}

/// A subnet in which nodes of the cluster can be launched.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct Subnet {
    /// Its id.
    pub id: SubnetId,
    /// Its zone.
    pub zone: Zone,
}

/// Some pods of one class.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct Placed {
    /// Index into [`Snapshot::classes`].
    pub class: u32,
    /// How many.
    pub count: u32,
}

/// A node in a snapshot.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct SnapshotNode {
    /// Name of the Node object.
    pub name: NodeName,
    /// Its uid.
    pub uid: NodeUid,
    /// The instance behind it; `None`: not an EC2 instance, or one we cannot see. Such a node is never moved.
    pub instance: Option<InstanceId>,
    /// What was bought.
    pub pool: Option<Pool>,
    /// Who replaces it; only nodes of [`NodeOwner::CloudOptim`] are ours to change.
    pub owner: NodeOwner,
    /// Labels, the well-known ones among them (`topology.kubernetes.io/zone`, `kubernetes.io/hostname`, ...).
    pub labels: BTreeMap<String, String>,
    /// Taints.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub taints: Vec<Taint>,
    /// `spec.unschedulable`.
    pub unschedulable: bool,
    /// Whether it is Ready.
    pub ready: bool,
    /// Whether it, or its instance, is marked to be left alone.
    #[serde(default)]
    pub do_not_disrupt: bool,
    /// What pods can have of it, all in all.
    pub allocatable: Resources,
    /// How many pods fit.
    pub pods_max: u32,
    /// What is used of it (metrics.k8s.io), where that is known.
    #[serde(default)]
    pub usage: Option<Resources>,
    /// What it costs; `None`: unknown, and then it is not moved.
    pub price: Option<Quote>,
    /// When it joined.
    pub created_at: Option<Timestamp>,
    /// When a pod was last bound to it or left it, as far as is known.
    #[serde(default)]
    pub last_pod_event_at: Option<Timestamp>,
    /// What runs on it; finished pods are left out, DaemonSets' and static pods are not.
    pub pods: Vec<Placed>,
}

impl SnapshotNode {
    /// The zone, from the pool or the well-known label.
    pub fn zone(&self) -> Option<&str> {
        match &self.pool {
            Some(pool) => Some(pool.zone.as_str()),
            None => self.labels.get("topology.kubernetes.io/zone").map(String::as_str),
        }
    }

    /// Whether it runs the control plane.
    pub fn control_plane(&self) -> bool {
        ["node-role.kubernetes.io/control-plane", "node-role.kubernetes.io/master"].iter().any(|label| self.labels.contains_key(*label))
    }
}

/// Pods that are alike in everything that placement and disruption depend on.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct PodClass {
    /// Namespace.
    pub namespace: String,
    /// Their controller; `None`: nobody would make such a pod anew, and it is not moved.
    pub controller: Option<Controller>,
    /// Labels that selectors of the cluster look at; others are dropped, so that a revision's hash does not split a class.
    pub labels: BTreeMap<String, String>,
    /// What one pod requests, all container kinds and overhead counted as kube-scheduler counts them.
    pub requests: Resources,
    /// What they ask of a node.
    #[serde(default)]
    pub scheduling: Scheduling,
    /// Scheduling priority.
    #[serde(default)]
    pub priority: i32,
    /// `terminationGracePeriodSeconds`, seconds.
    pub grace_s: u32,
    /// An annotation asks that they be left alone.
    #[serde(default)]
    pub do_not_disrupt: bool,
    /// They are of a DaemonSet: each node that allows them gets one.
    #[serde(default)]
    pub daemon: bool,
    /// They are static pods' images: bound to their node.
    #[serde(default)]
    pub mirror: bool,
    /// They mount an `emptyDir`: moving them loses it.
    #[serde(default)]
    pub empty_dir: bool,
    /// What their images are known to run on: what they run on now, and what they name.
    pub arches: Vec<Arch>,
    /// What one pod uses on average (metrics.k8s.io), where that is known.
    #[serde(default)]
    pub usage: Option<Resources>,
}

impl PodClass {
    /// Whether a drain moves such pods (as opposed to leaving them, or being forbidden by them).
    pub fn moves(&self) -> bool {
        !self.daemon && !self.mirror
    }
}
