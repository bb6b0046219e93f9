//! Pods and their disruption budgets, slimmed to what decisions need, and the law of which pods a drain moves.

use crate::ids::{NodeName, PodUid, Zone};
use crate::scheduling::{Resources, Scheduling};
use crate::sizing::ContainerState;
use crate::workload::{WorkloadKind, WorkloadRef};
use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

pub mod filter;

/// Where a pod is in its life (`status.phase`).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub enum PodPhase {
    /// Not all containers have been started.
    Pending,
    /// Bound to a node and running.
    Running,
    /// All containers ended well.
    Succeeded,
    /// All containers ended, one of them badly.
    Failed,
    /// The node does not answer, or the server is newer than we are.
    Unknown,
}

/// The object that owns a pod and would make it anew (`ownerReferences` with `controller: true`).
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct Controller {
    /// `ReplicaSet`, `DaemonSet`, `StatefulSet`, `Job`, `Node` (static pods) and the like.
    pub kind: String,
    /// Its name.
    pub name: String,
}

impl Controller {
    /// The Deployment or StatefulSet that it is, or that made it. The ReplicaSet of a Deployment is called after it, with the hash of the
    /// template behind the last hyphen.
    pub fn workload(&self, namespace: &str) -> Option<WorkloadRef> {
        let (kind, name) = match self.kind.as_str() {
            "ReplicaSet" => (WorkloadKind::Deployment, self.name.rsplit_once('-')?.0),
            "StatefulSet" => (WorkloadKind::StatefulSet, self.name.as_str()),
            _ => return None,
        };
        Some(WorkloadRef { kind, namespace: namespace.to_owned(), name: name.to_owned() })
    }
}

/// What names one pod: the uid is the identity, a namesake with another uid is another pod.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct PodRef {
    /// Its namespace.
    pub namespace: String,
    /// Its name.
    pub name: String,
    /// Its uid.
    pub uid: PodUid,
}

impl std::fmt::Display for PodRef {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{}/{}", self.namespace, self.name)
    }
}

/// A pod as the API server shows it, slimmed down.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct PodView {
    /// Namespace, name and uid.
    pub pod: PodRef,
    /// The node it is bound to.
    pub node: Option<NodeName>,
    /// Its phase.
    pub phase: PodPhase,
    /// Whether its Ready condition is `True`.
    pub ready: bool,
    /// Its controller; `None`: nobody would make it anew.
    pub controller: Option<Controller>,
    /// Whether it has the annotation `kubernetes.io/config.mirror`: the image of a static pod.
    pub mirror: bool,
    /// Whether it mounts an `emptyDir`.
    pub empty_dir: bool,
    /// When it was asked to go, where it was.
    pub deletion_at: Option<Timestamp>,
    /// `terminationGracePeriodSeconds`; Kubernetes' default is 30.
    pub grace_s: u32,
    /// Scheduling priority; higher is more important.
    pub priority: i32,
    /// Whether an annotation asks that it be left alone (`karpenter.sh/do-not-disrupt: "true"`,
    /// `cluster-autoscaler.kubernetes.io/safe-to-evict: "false"`).
    pub do_not_disrupt: bool,
    /// Labels: budgets select by them.
    pub labels: BTreeMap<String, String>,
    /// CPU requested by all containers, thousandths of a core.
    pub cpu_millis: u64,
    /// Memory requested by all containers, bytes.
    pub memory_bytes: u64,
}

impl PodView {
    /// The workload that made it, if it is a Deployment or a StatefulSet.
    pub fn workload(&self) -> Option<WorkloadRef> {
        self.controller.as_ref()?.workload(&self.pod.namespace)
    }

    /// Whether all its containers have ended.
    pub fn finished(&self) -> bool {
        match self.phase {
            PodPhase::Succeeded | PodPhase::Failed => true,
            PodPhase::Pending | PodPhase::Running | PodPhase::Unknown => false,
        }
    }
}

/// A pod with what it asks of a node: what a snapshot is made of.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PodDetail {
    /// The pod.
    pub view: PodView,
    /// What it requests, all container kinds and overhead counted as kube-scheduler counts them.
    pub requests: Resources,
    /// What it asks of a node besides. Volumes are not in it yet: only their claims are known at this point.
    pub scheduling: Scheduling,
    /// Names of the PersistentVolumeClaims that it mounts, in its namespace.
    pub claims: Vec<String>,
    /// When it was bound or started, whichever is known: the newest such time of a node says how settled it is.
    pub started_at: Option<Timestamp>,
    /// Its containers, without those of its start.
    pub containers: Vec<ContainerState>,
}

/// Where the volume of a claim can be attached.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ClaimView {
    /// Namespace of the claim.
    pub namespace: String,
    /// Its name.
    pub name: String,
    /// Zones in which the volume can be attached; `None`: anywhere, or not provisioned yet.
    pub zones: Option<Vec<Zone>>,
    /// The volume exists on one node only.
    pub local: bool,
}

/// One requirement of a label selector (`matchExpressions`).
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct Requirement {
    /// The label.
    pub key: String,
    /// How it is compared.
    pub operator: Operator,
    /// With what.
    #[serde(default)]
    pub values: Vec<String>,
}

/// The operators of a label selector.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub enum Operator {
    /// The label has one of the values.
    In,
    /// The label is missing or has none of the values.
    NotIn,
    /// The label is there.
    Exists,
    /// The label is missing.
    DoesNotExist,
}

/// A label selector. As in policy/v1, an empty one selects every pod of its namespace.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(rename_all = "camelCase", default)]
pub struct Selector {
    /// Labels that must be equal.
    pub match_labels: BTreeMap<String, String>,
    /// Further requirements, all of which must hold.
    pub match_expressions: Vec<Requirement>,
}

impl Selector {
    /// Whether a pod with these labels is selected.
    pub fn selects(&self, labels: &BTreeMap<String, String>) -> bool {
        self.match_labels.iter().all(|(key, value)| labels.get(key) == Some(value))
            && self.match_expressions.iter().all(|need| {
                let label = labels.get(&need.key);
                match need.operator {
                    Operator::In => label.is_some_and(|value| need.values.contains(value)),
                    Operator::NotIn => label.is_none_or(|value| !need.values.contains(value)),
                    Operator::Exists => label.is_some(),
                    Operator::DoesNotExist => label.is_none(),
                }
            })
    }
}

/// A PodDisruptionBudget with its counts.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct PodBudget {
    /// Namespace.
    pub namespace: String,
    /// Name.
    pub name: String,
    /// Which pods it covers. `None` (a null selector) covers none.
    pub selector: Option<Selector>,
    /// How many pods may be evicted now.
    pub disruptions_allowed: i32,
    /// Healthy pods now.
    pub current_healthy: i32,
    /// Healthy pods needed.
    pub desired_healthy: i32,
    /// Pods counted.
    pub expected_pods: i32,
}

impl PodBudget {
    /// Whether the budget covers the pod.
    pub fn covers(&self, pod: &PodView) -> bool {
        self.covers_class(&pod.pod.namespace, &pod.labels)
    }

    /// Whether the budget covers pods of this namespace with these labels.
    pub fn covers_class(&self, namespace: &str, labels: &BTreeMap<String, String>) -> bool {
        self.namespace == namespace && self.selector.as_ref().is_some_and(|s| s.selects(labels))
    }

    /// Whether it could never allow an eviction, however healthy its pods are.
    pub fn never_allows(&self) -> bool {
        self.expected_pods > 0 && self.desired_healthy >= self.expected_pods
    }
}

#[cfg(test)]
mod tests;
