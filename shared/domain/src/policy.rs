//! What a customer allows, per cluster.

use crate::decision::{Commitment, DecisionType};
use crate::money::MicroDollars;
use crate::offering::CapacityType;
use crate::office_hours::OfficeHoursPolicy;
use crate::sizing::WorkloadPolicy;
use serde::{Deserialize, Serialize};

/// How far a capability may go by itself.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(rename_all = "lowercase")]
pub enum Mode {
    /// Look and record.
    Observe,
    /// Also say what should be done.
    Recommend,
    /// Do what a person has approved.
    Approve,
    /// Do it.
    Auto,
}

/// What a rebalance recommendation leads to. It is a hint, often minutes or hours early, often wrong.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(rename_all = "kebab-case")]
pub enum RebalancePolicy {
    /// Record it, and avoid the pool for a while.
    Ignore,
    /// Let no new pods onto the node.
    Cordon,
    /// Launch a replacement, wait until it is ready, then drain.
    ReplaceThenDrain,
}

/// What happens to pods that are still there when the instance is about to be taken.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(rename_all = "kebab-case")]
pub enum AtDeadline {
    /// Delete them with the time that is left as their grace, at least one second: better a short goodbye than none.
    Delete,
    /// Leave them to the kubelet; budgets are never passed over.
    Leave,
}

/// How interruptions of a cluster's nodes are handled.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[cfg_attr(feature = "schema", schemars(deny_unknown_fields))]
#[serde(default)]
pub struct InterruptionPolicy {
    /// `auto` from registration on: the instance goes in any case, and doing nothing is the only choice that loses pods.
    pub mode: Mode,
    /// See [`RebalancePolicy`]. `ignore` by default: peers that drain on every recommendation churn.
    pub rebalance: RebalancePolicy,
    /// See [`AtDeadline`].
    pub at_deadline: AtDeadline,
    /// How many replacements for rebalance recommendations may be started in a cluster per hour: the guard against storms.
    pub rebalances_per_hour_max: u32,
}

impl Default for InterruptionPolicy {
    fn default() -> Self {
        InterruptionPolicy {
            mode: Mode::Auto,
            rebalance: RebalancePolicy::Ignore,
            at_deadline: AtDeadline::Delete,
            rebalances_per_hour_max: 5,
        }
    }
}

/// How many nodes may be in disruption at once. Interruptions are not ours to refuse and do not count against it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[cfg_attr(feature = "schema", schemars(deny_unknown_fields))]
#[serde(default)]
pub struct DisruptionBudget {
    /// At most this share of the nodes, in percent; at least one node is always allowed.
    pub nodes_percent_max: u32,
    /// And never more than this many.
    pub nodes_max: u32,
}

impl Default for DisruptionBudget {
    fn default() -> Self {
        DisruptionBudget { nodes_percent_max: 10, nodes_max: 5 }
    }
}

impl DisruptionBudget {
    /// How many nodes of `total` may be in disruption at once.
    pub fn allowed(&self, total: usize) -> usize {
        if total == 0 {
            return 0;
        }
        let share = total.saturating_mul(self.nodes_percent_max as usize) / 100;
        share.max(1).min(self.nodes_max as usize)
    }
}

/// How a cluster is made cheaper.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[cfg_attr(feature = "schema", schemars(deny_unknown_fields))]
#[serde(default)]
pub struct OptimizationPolicy {
    /// Moves to and between spot pools. `observe` after registration.
    pub spot: Mode,
    /// Fewer or cheaper nodes for the same pods.
    pub bin_packing: Mode,
    /// Nodes of a fitting size.
    pub rightsizing: Mode,
    /// Which capacity types may be launched; empty: both.
    pub capacity: Vec<CapacityType>,
    /// Instance families that may be launched (`m6i`, or `m` for all of a category); empty: all of the categories c, m and r.
    pub families: Vec<String>,
    /// Families or types that must not be launched.
    pub families_never: Vec<String>,
    /// Whether arm64 may be launched for pods whose images are known to run on it.
    pub arm64: bool,
    /// The largest node, in vCPUs.
    pub vcpu_max: u32,
    /// The smallest node, in vCPUs: very small nodes are eaten up by DaemonSets.
    pub vcpu_min: u32,
    /// What a node costs besides its price, per hour: its root volume, its address, its share of everybody's attention.
    pub node_overhead_per_hour: MicroDollars,
    /// A move must save at least this share of what the nodes that go cost, in percent.
    pub saving_percent_min: u32,
    /// And at least this much per hour.
    pub saving_per_hour_min: MicroDollars,
    /// And pay back what it costs once within this time, in minutes.
    pub payback_minutes_max: u32,
    /// A node younger than this is not moved, in minutes: no plan undoes the one before.
    pub node_age_min_minutes: u32,
    /// A workload is not moved again within this time, in minutes.
    pub cool_down_minutes: u32,
    /// At least this share of a workload's replicas stays on on-demand nodes, in percent.
    pub on_demand_percent_min: u32,
    /// At most this share of the cluster's spot nodes comes from one pool, in percent (one node is always allowed).
    pub pool_share_percent_max: u32,
    /// How many spot pools must be open to a move to spot at the least.
    pub spot_pools_min: u32,
    /// A snapshot older than this is not acted on, in seconds.
    pub snapshot_age_max_s: u32,
    /// At most this much may be added to the cluster's cost per hour while moves are under way.
    pub surge_per_hour_max: Option<MicroDollars>,
    /// When plans may be carried out; empty: at any time.
    pub windows: Vec<Window>,
    /// On-demand hours that are paid for in any case and that EC2 does not tell of (savings plans, reservations of another account),
    /// as far as they are meant for this cluster. Nodes that use them stay.
    pub commitments: Vec<Commitment>,
}

impl Default for OptimizationPolicy {
    fn default() -> Self {
        OptimizationPolicy {
            spot: Mode::Observe,
            bin_packing: Mode::Observe,
            rightsizing: Mode::Observe,
            capacity: Vec::new(),
            families: Vec::new(),
            families_never: Vec::new(),
            arm64: true,
            vcpu_max: 96,
            vcpu_min: 2,
            // 20 GiB of gp3 at 0.08 USD per GiB and month, and one public IPv4 address at 0.005 USD per hour (AWS price lists).
            node_overhead_per_hour: MicroDollars(7_200),
            saving_percent_min: 10,
            saving_per_hour_min: MicroDollars(5_000),
            payback_minutes_max: 240,
            node_age_min_minutes: 60,
            cool_down_minutes: 60,
            on_demand_percent_min: 0,
            pool_share_percent_max: 33,
            spot_pools_min: 5,
            snapshot_age_max_s: 300,
            surge_per_hour_max: None,
            windows: Vec::new(),
            commitments: Vec::new(),
        }
    }
}

impl OptimizationPolicy {
    /// How far a decision of this type may go by itself.
    pub fn mode(&self, decision: DecisionType) -> Mode {
        match decision {
            DecisionType::SpotOptimize => self.spot,
            DecisionType::BinPack => self.bin_packing,
            DecisionType::Rightsize => self.rightsizing,
        }
    }
}

/// A weekly window in which plans may be carried out.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[cfg_attr(feature = "schema", schemars(deny_unknown_fields))]
pub struct Window {
    /// Days on which it begins: `mon` to `sun`.
    pub days: Vec<String>,
    /// When it begins, `HH:MM` on the wall clock of the zone.
    pub from: String,
    /// How long it lasts, in minutes; may reach past midnight.
    pub minutes: u32,
    /// IANA time zone, such as `Europe/Berlin`.
    pub time_zone: String,
}

/// Everything a customer can set for one cluster.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[cfg_attr(feature = "schema", schemars(deny_unknown_fields))]
#[serde(default)]
pub struct ClusterPolicy {
    /// Interruption handling.
    pub interruption: InterruptionPolicy,
    /// Disruption budget of voluntary work.
    pub budget: DisruptionBudget,
    /// The launch template for replacements, where one is named; else nodes are cloned.
    pub launch_template: Option<LaunchTemplate>,
    /// Optimisation.
    pub optimization: OptimizationPolicy,
    /// The sizes of workloads. Boxed for the same reason as office hours.
    pub workloads: Box<WorkloadPolicy>,
    /// Ghosts, volumes and the network.
    pub waste: WastePolicy,
    /// Office hours. Boxed: a cluster is held in the futures of every function, and most have none.
    pub office_hours: Box<OfficeHoursPolicy>,
}

/// A launch template of the customer.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[cfg_attr(feature = "schema", schemars(deny_unknown_fields))]
pub struct LaunchTemplate {
    /// `lt-...`.
    pub id: String,
    /// A version number.
    pub version: String,
}

mod waste;
mod window;

pub use waste::{TrafficSource, WastePolicy};
pub use window::BadWindow;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_budget_allows_one_node_of_a_small_cluster_and_never_more_than_its_cap() {
        let budget = DisruptionBudget::default();
        assert_eq!(budget.allowed(0), 0);
        assert_eq!(budget.allowed(3), 1);
        assert_eq!(budget.allowed(30), 3);
        assert_eq!(budget.allowed(1000), 5);
    }

    #[test]
    fn a_policy_that_a_later_version_has_written_is_read() {
        assert_eq!(serde_json::from_str::<ClusterPolicy>(r#"{"of_tomorrow":{}}"#).unwrap(), ClusterPolicy::default());
        assert_eq!(serde_json::from_str::<ClusterPolicy>("{}").unwrap(), ClusterPolicy::default());
    }
}
