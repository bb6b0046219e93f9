//! What is asked of the decision server, and what it answers. The published contract (OpenAPI) says the same.
//!
//! The server ranks and proposes; it has no rights on any cluster, and nothing that it answers is done before the safety check
//! has agreed ([`crate::plan::check`]).

use crate::ids::{ClusterId, InstanceId, InstanceType, NodeName, NodeUid, Zone};
use crate::money::MicroDollars;
use crate::offering::{CapacityType, Offering, Pool};
use crate::policy::OptimizationPolicy;
use crate::scheduling::Resources;
use crate::snapshot::Snapshot;
use jiff::Timestamp;
use serde::{Deserialize, Serialize};

mod outcomes;
pub mod verify;

pub use outcomes::{Calibration, INSTANCES_MAX, JUDGED_DAYS, Kept, OUTCOMES_MAX, PredictionOutcome, Reliability, outcome_id};

/// The version of this contract. Grows when a field changes its meaning; new fields do not count.
pub const CONTRACT_VERSION: u32 = 1;

/// What is to be decided.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(rename_all = "snake_case")]
pub enum DecisionType {
    /// On-demand to spot, spot to better spot, and back to on-demand where spot is too risky.
    SpotOptimize,
    /// Fewer or cheaper nodes for the same pods: m nodes become n.
    BinPack,
    /// Nodes of a size that fits what they carry, one for one.
    Rightsize,
}

impl DecisionType {
    /// The word for it in paths, tables and the API.
    pub fn as_str(self) -> &'static str {
        match self {
            DecisionType::SpotOptimize => "spot_optimize",
            DecisionType::BinPack => "bin_pack",
            DecisionType::Rightsize => "rightsize",
        }
    }

    /// The path below `/api/v1/ml/decision/`.
    pub fn path(self) -> &'static str {
        match self {
            DecisionType::SpotOptimize => "spot-optimize",
            DecisionType::BinPack => "bin-pack",
            DecisionType::Rightsize => "rightsize",
        }
    }
}

/// The cluster in a few figures, as the product brief lists them.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct ClusterState {
    /// The cluster.
    pub cluster_id: ClusterId,
    /// Nodes.
    pub node_count: u32,
    /// Allocatable CPU, cores.
    pub total_cpu: f64,
    /// Allocatable memory, GiB.
    pub total_memory: f64,
    /// Pods that are not finished.
    pub pod_count: u32,
    /// Spot nodes.
    pub spot_node_count: u32,
    /// On-demand nodes.
    pub on_demand_node_count: u32,
    /// What the nodes with a known price cost, US dollars per hour: for people; decisions use the snapshot.
    pub current_cost_per_hour: f64,
}

/// One request.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct DecisionRequest {
    /// See [`CONTRACT_VERSION`].
    pub version: u32,
    /// Id of the request: the answer repeats it.
    pub request_id: String,
    /// The cluster.
    pub cluster_id: ClusterId,
    /// What is to be decided.
    pub decision_type: DecisionType,
    /// The cluster in a few figures.
    pub cluster_state: ClusterState,
    /// The cluster in full.
    pub snapshot: Snapshot,
    /// What the customer wants.
    pub requirements: OptimizationPolicy,
    /// What must be left alone.
    pub constraints: Constraints,
}

/// What the core knows and the snapshot does not say.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(default)]
pub struct Constraints {
    /// When the decision is made for: prices and cool-downs are judged at this time.
    pub now: Option<Timestamp>,
    /// How many nodes may be taken out of service by the answer, all moves together.
    pub nodes_max: u32,
    /// Nodes that are not to be touched now, with the reason (in a plan already, in cool-down, blocked by the safety check).
    pub hands_off: Vec<HandsOff>,
    /// Pools that had no capacity, or lost a node, not long ago.
    pub avoid: Vec<Pool>,
    /// Live prices that the core knows of, where they are newer than what the server has.
    pub prices: Vec<PoolPrice>,
    /// Commitments that are paid for in any case.
    pub commitments: Vec<Commitment>,
    /// Where to begin: the node after which the last answer stopped, so that none is starved.
    pub cursor: Option<NodeName>,
    /// Whether the reasons shall say what became of all the saving that the bound leaves, by what stands in its way. It costs the
    /// server as much again as the decision itself, so that it is asked for where somebody reads it.
    pub account: bool,
}

/// A node that is not to be touched.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct HandsOff {
    /// The node.
    pub node: NodeName,
    /// Why, in one sentence.
    pub why: String,
}

/// The price of a pool.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct PoolPrice {
    /// The pool.
    pub pool: Pool,
    /// Per hour.
    pub per_hour: MicroDollars,
    /// As of when.
    pub as_of: Timestamp,
}

/// On-demand hours of a type (and zone) that are paid for whether they are used or not.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct Commitment {
    /// The type.
    pub instance_type: InstanceType,
    /// The zone, where it is bound to one.
    pub zone: Option<Zone>,
    /// How many instances it pays for at a time, in this cluster.
    pub count: u32,
}

/// A node named so that it cannot be mistaken for a namesake.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct NodeIdentity {
    /// Name of the Node object.
    pub name: NodeName,
    /// Its uid.
    pub uid: NodeUid,
    /// Its instance.
    pub instance: InstanceId,
}

/// A node to launch: one of these offerings, best first; each has room for what is to run there.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct LaunchSpec {
    /// Where, best first. Never empty. The price is set on each.
    pub offerings: Vec<Offering>,
    /// What must fit on it, DaemonSets' pods included.
    pub needs: Resources,
    /// How many pods will run there.
    pub pods: u32,
}

/// Nodes that go, and nodes that come for them: m become n, n may be zero. A move stands for itself: it can be carried out whole
/// while no other is.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct Move {
    /// Nodes that go.
    pub remove: Vec<NodeIdentity>,
    /// Nodes that come.
    pub launch: Vec<LaunchSpec>,
    /// What it saves per hour, at the first offering of each launch.
    pub saving_per_hour: MicroDollars,
    /// What it costs once: both sides run for some minutes.
    pub cost_once: MicroDollars,
    /// How many pods have to move.
    pub pods_moved: u32,
    /// What speaks for it, for a person.
    pub why: String,
}

/// Why a node is left as it is: a stable code, and a sentence.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct Untouched {
    /// The node.
    pub node: NodeName,
    /// See [`WhyNot`].
    pub code: WhyNot,
    /// The object that stands in the way (a pod's workload, a budget, a pool), where there is one.
    pub object: Option<String>,
    /// The sentence: what would have to change.
    pub why: String,
}

/// Stable reasons for leaving a node as it is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(rename_all = "kebab-case")]
pub enum WhyNot {
    /// It is as cheap as it can be: nothing that would run its pods costs less.
    Optimal,
    /// Something cheaper exists, but the saving is not worth the disruption.
    NotWorthIt,
    /// The core said: hands off.
    HandsOff,
    /// The number of nodes that may be touched at once is used up.
    BudgetUsedUp,
    /// It is not ours: an Auto Scaling group, a managed node group or Karpenter owns it.
    NotOurs,
    /// It runs the control plane.
    ControlPlane,
    /// It, or its instance, is marked to be left alone.
    DoNotDisrupt,
    /// A pod on it asks to be left alone.
    PodDoNotDisrupt,
    /// A pod on it has no controller and would be lost.
    NoController,
    /// A PodDisruptionBudget can never, or cannot now, allow the eviction.
    PodBudget,
    /// More than one PodDisruptionBudget covers a pod on it.
    ManyPodBudgets,
    /// PodDisruptionBudgets could not be read.
    PodBudgetsUnknown,
    /// A pod on it has a volume that exists here only.
    Pinned,
    /// A pod on it is placed by a scheduler that we cannot foresee.
    ForeignScheduler,
    /// Its pods fit nowhere else within their constraints.
    NoPlace,
    /// It is not Ready, or cordoned by somebody else.
    NotReady,
    /// Its price, or the price of every alternative, is unknown.
    PriceUnknown,
    /// It is younger than the policy's least age, or was moved not long ago.
    CoolDown,
    /// The policy does not allow what would be cheaper (families, capacity types, on-demand floor).
    Policy,
    /// It is covered by a commitment that would be stranded.
    Commitment,
    /// The time for this answer was used up before it was looked at; the next one begins here.
    NotReached,
}

/// One answer.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct DecisionAnswer {
    /// See [`CONTRACT_VERSION`].
    pub version: u32,
    /// The request's id.
    pub request_id: String,
    /// What answered: name and version of the engine.
    pub engine: String,
    /// The moves, in the order in which they should be carried out, gentlest first.
    pub execution_plan: Vec<Move>,
    /// What they save per hour, all together.
    pub estimated_saving: MicroDollars,
    /// What the nodes cost per hour now; those without a known price are left out.
    pub cost_before: MicroDollars,
    /// What they cost after all moves.
    pub cost_after: MicroDollars,
    /// No placement of these pods costs less per hour, constraints left aside: a proven lower bound.
    pub lower_bound: MicroDollars,
    /// What the answer is made of, in sentences for a person.
    pub reasons: Vec<String>,
    /// Each node that is left as it is, and why.
    pub untouched: Vec<Untouched>,
    /// What was considered and rejected, in sentences; at most a few dozen.
    pub rejected: Vec<String>,
    /// Where the next request should begin.
    pub cursor: Option<NodeName>,
}

/// A question for the chance of interruption.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct PredictRequest {
    /// The Region.
    pub region: crate::ids::Region,
    /// Spot pools, by type and zone.
    pub pools: Vec<PoolName>,
    /// Within how many minutes; 1 to 43,200 (30 days).
    pub horizon_minutes: u32,
}

/// A pool by type and zone.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct PoolName {
    /// The type.
    pub instance_type: InstanceType,
    /// The zone.
    pub zone: Zone,
}

/// The chance of one pool.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct Prediction {
    /// The pool.
    pub pool: PoolName,
    /// Probability that an instance of it is interrupted within the horizon, 0 to 1; `None`: nothing is known of it.
    pub probability: Option<f64>,
    /// What it would have been without what was learnt from outcomes, 0 to 1; `None`: nothing was corrected. It is told back with the
    /// outcome, so that corrections are learnt from what was reckoned and not from what was corrected.
    #[serde(default)]
    pub uncorrected: Option<f64>,
    /// Risk score, 0 to 1.
    pub risk: Option<f64>,
    /// What it was made from, in sentences.
    pub because: Vec<String>,
}

/// Whether a node is bought as the policy's `capacity` allows.
pub fn capacity_allowed(allowed: &[CapacityType], capacity: CapacityType) -> bool {
    allowed.is_empty() || allowed.contains(&capacity)
}
