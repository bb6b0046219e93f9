//! Nodes and what they use, as they are shown.

use domain::ids::{InstanceId, NodeName};
use domain::node::NodeView;
use schemars::JsonSchema;
use serde::Serialize;

/// A node as it is now.
#[derive(Debug, Serialize, JsonSchema)]
pub struct ClusterNode {
    /// What the API server shows.
    #[serde(flatten)]
    pub node: NodeView,
    /// The instance behind it; `null` where it stands for none.
    pub instance_id: Option<InstanceId>,
}

/// What a node has, and what it uses.
#[derive(Debug, Serialize, JsonSchema)]
pub struct NodeMetrics {
    /// Its name.
    pub name: NodeName,
    /// Whether it is ready.
    pub ready: bool,
    /// Whether it takes no new pods.
    pub unschedulable: bool,
    /// CPU that pods can have, in thousandths of a core.
    pub cpu_millis_allocatable: u64,
    /// CPU in use; `null`: not known.
    pub cpu_millis_used: Option<u64>,
    /// Memory that pods can have, in bytes.
    pub memory_bytes_allocatable: u64,
    /// Memory in use; `null`: not known.
    pub memory_bytes_used: Option<u64>,
}

/// What all nodes have, and what they use.
#[derive(Debug, Serialize, JsonSchema)]
pub struct Totals {
    /// Nodes.
    pub nodes: usize,
    /// Those that are ready.
    pub nodes_ready: usize,
    /// CPU that pods can have, in thousandths of a core.
    pub cpu_millis_allocatable: u64,
    /// CPU in use; `null`: not known.
    pub cpu_millis_used: Option<u64>,
    /// Memory that pods can have, in bytes.
    pub memory_bytes_allocatable: u64,
    /// Memory in use; `null`: not known.
    pub memory_bytes_used: Option<u64>,
}

/// Use of a cluster, as it is now.
#[derive(Debug, Serialize, JsonSchema)]
pub struct ClusterMetrics {
    /// Node by node.
    pub nodes: Vec<NodeMetrics>,
    /// All together.
    pub totals: Totals,
    /// Why there is no usage, where there is none.
    pub note: Option<String>,
}
