//! Nodes: what is known of one, who owns it, and what it can be replaced by.

use crate::ids::{ClusterId, CustomerId, InstanceId, InstanceKey, NodeName, NodeUid};
use crate::offering::{Offering, Pool};
use jiff::Timestamp;
use serde::{Deserialize, Serialize};

/// A taint, as in `node.spec.taints`.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct Taint {
    /// The key.
    pub key: String,
    /// The value; empty where there is none.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub value: String,
    /// `NoSchedule`, `PreferNoSchedule` or `NoExecute`.
    pub effect: String,
    /// When the taint was added, as the API server prints it; kept so that a patch can test the list unchanged.
    #[serde(rename = "timeAdded", default, skip_serializing_if = "Option::is_none")]
    pub time_added: Option<String>,
}

/// The key of the taint that we put on a node before it is drained.
pub const DISRUPTION_TAINT: &str = "cloudoptim.io/disrupted";
/// The label that takes a node out of the target groups of load balancers (a well-known Kubernetes label).
pub const EXCLUDE_FROM_LOAD_BALANCERS: &str = "node.kubernetes.io/exclude-from-external-load-balancers";
/// The annotation in which a cordon of ours names the plan that did it; only such a cordon is taken back by us.
pub const CORDONED_BY: &str = "cloudoptim.io/cordoned-by";

/// Whether the annotations of a node ask that it be left alone. Karpenter also takes a time ("30m") instead of `true`: whatever
/// is not `false` counts.
pub fn left_alone(annotations: &std::collections::BTreeMap<String, String>) -> bool {
    let set = |key: &str, says: fn(&str) -> bool| annotations.get(key).is_some_and(|value| says(value));
    set("karpenter.sh/do-not-disrupt", |value| value != "false")
        || set("cluster-autoscaler.kubernetes.io/scale-down-disabled", |value| value == "true")
}

/// A node to act on. Identity is the uid and the provider id; the name only makes the URL.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct NodeTarget {
    /// The name of the Node object.
    pub name: NodeName,
    /// The uid it had when it was last seen. `None`: never seen; the first read fills it in.
    pub uid: Option<NodeUid>,
    /// The instance behind it.
    pub instance: InstanceId,
    /// The taints it had when it was last seen. A cordon tests them, so that it needs no read before its patch.
    #[serde(default)]
    pub taints: Vec<Taint>,
}

/// Who replaces a node that goes away.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(tag = "kind", rename_all = "kebab-case")]
pub enum NodeOwner {
    /// A plain Auto Scaling group: we cordon and drain, the group replaces.
    AutoScalingGroup {
        /// Name of the group.
        group: String,
    },
    /// An EKS managed node group: its own handler replaces; we cordon and drain.
    ManagedNodeGroup {
        /// Name of the node group.
        group: String,
    },
    /// Karpenter has its own handler: hands off, record only.
    Karpenter {
        /// Name of the NodeClaim or NodePool.
        claim: String,
    },
    /// Nobody else: we replace.
    CloudOptim,
}

/// How an instance is made. Complete, so that a launch reads nothing first.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(tag = "kind", rename_all = "kebab-case")]
pub enum NodeTemplate {
    /// An EC2 launch template; type, subnet and market are overridden per offering.
    LaunchTemplate {
        /// `lt-...`.
        id: String,
        /// A version number; never `$Latest`, which could change between two tries of one client token.
        version: String,
    },
    /// The settings of an instance of the cluster, copied when it was last seen.
    Clone {
        /// The instance they were copied from.
        from: InstanceId,
        /// Machine image.
        image: String,
        /// Security groups.
        security_groups: Vec<String>,
        /// Name or ARN of the instance profile, where it has one.
        instance_profile: Option<String>,
        /// Key pair, where it has one.
        key_name: Option<String>,
        /// User data as EC2 returns it (base64). It makes the node join: without it the launch is refused.
        user_data: Option<String>,
        /// Root volume: device name and size in GiB, where they are known.
        root_volume: Option<RootVolume>,
        /// Tags to repeat, ours and `kubernetes.io/cluster/*` among them.
        tags: Vec<(String, String)>,
    },
}

/// The root volume of a cloned node.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct RootVolume {
    /// `/dev/xvda` and the like.
    pub device: String,
    /// Size in GiB.
    pub size_gib: u32,
    /// `gp3` and the like.
    pub volume_type: String,
    /// Whether it is encrypted.
    pub encrypted: bool,
}

/// The index item that leads from an instance to its cluster and node. Every refresh writes it; a notice reads one.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct NodeRecord {
    /// Account, Region and instance id.
    pub key: InstanceKey,
    /// The customer.
    pub customer: CustomerId,
    /// The cluster.
    pub cluster: ClusterId,
    /// The Node object.
    pub target: NodeTarget,
    /// The pool that the instance came from.
    pub pool: Pool,
    /// CPU that pods can have, in thousandths of a core.
    pub cpu_millis: u64,
    /// Memory that pods can have, in bytes.
    pub memory_bytes: u64,
    /// Who replaces it.
    pub owner: NodeOwner,
    /// How a replacement is made, where this is ours to do.
    pub template: Option<NodeTemplate>,
    /// Ranked offerings for a replacement, best first: the standing advice.
    pub advice: Vec<Offering>,
    /// When this was written. A look that finds the same some hours later leaves it; when a cluster was last looked at, the cluster says.
    pub seen_at: Timestamp,
}

/// A node as the API server shows it, slimmed down.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct NodeView {
    /// Name of the Node object.
    pub name: NodeName,
    /// Its uid.
    pub uid: NodeUid,
    /// `spec.providerID`, for example `aws:///us-east-1a/i-0123456789abcdef0`; empty until the cloud provider set it.
    pub provider_id: String,
    /// Labels.
    pub labels: std::collections::BTreeMap<String, String>,
    /// Annotations that we read: ours only.
    pub cordoned_by: Option<String>,
    /// Taints.
    pub taints: Vec<Taint>,
    /// `spec.unschedulable`.
    pub unschedulable: bool,
    /// Whether the Ready condition is exactly `True`; a node without the condition is not ready.
    pub ready: bool,
    /// Allocatable CPU in thousandths of a core.
    pub cpu_millis: u64,
    /// Allocatable memory in bytes.
    pub memory_bytes: u64,
    /// How many pods fit.
    pub pods_max: u32,
    /// What else pods can have of it, by name, in whole units: `nvidia.com/gpu`, `ephemeral-storage` (bytes).
    #[serde(default)]
    pub extended: std::collections::BTreeMap<String, u64>,
    /// Whether an annotation asks that it be left alone (`karpenter.sh/do-not-disrupt`,
    /// `cluster-autoscaler.kubernetes.io/scale-down-disabled`).
    #[serde(default)]
    pub do_not_disrupt: bool,
    /// When the object was made.
    pub created_at: Option<Timestamp>,
}

impl NodeView {
    /// The instance id and zone out of the provider id. `None` for other clouds, Fargate, and malformed ids: such a node
    /// is never acted on.
    pub fn instance(&self) -> Option<InstanceId> {
        let path = self.provider_id.strip_prefix("aws:///")?;
        let (zone, instance) = path.split_once('/')?;
        // Some kubelets leave the zone out; one that is none says that the rest is not to be believed either.
        let plausible = zone.bytes().all(|b| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'-');
        InstanceId::parse(instance).ok().filter(|_| plausible)
    }

    /// The node as something to act on, if it stands for an EC2 instance.
    pub fn target(&self) -> Option<NodeTarget> {
        Some(NodeTarget { name: self.name.clone(), uid: Some(self.uid.clone()), instance: self.instance()?, taints: self.taints.clone() })
    }
}

/// What a node uses, from metrics.k8s.io.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct NodeUsage {
    /// Name of the Node object.
    pub name: NodeName,
    /// CPU in use, thousandths of a core.
    pub cpu_millis: u64,
    /// Memory in use, bytes.
    pub memory_bytes: u64,
}
