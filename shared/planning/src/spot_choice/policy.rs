//! What a customer allows of spot.

use domain::SignedDuration;
use domain::catalog::TypeInfo;
use serde::{Deserialize, Serialize};
use std::collections::BTreeSet;

/// What makes a type one that a cluster seldom wants, however cheap it is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Trait {
    /// Its cores run on credits: at full load it is slower than it looks.
    Burstable,
    /// Of a previous generation: slower cores at a price that is no better, and AWS adds no more of them.
    PreviousGeneration,
    /// A whole machine: minutes slower to boot, and one interruption takes it all.
    Metal,
    /// It has GPUs or other accelerators, which the pods have not asked for.
    Accelerated,
}

impl Trait {
    /// Every trait, in the order in which a type is refused for it.
    pub const ALL: [Trait; 4] = [Trait::Burstable, Trait::PreviousGeneration, Trait::Metal, Trait::Accelerated];

    /// Whether a type has it. Accelerators that the pods ask for are none.
    pub(super) fn of(self, info: &TypeInfo, gpus: u32) -> bool {
        match self {
            Trait::Burstable => info.burstable(),
            Trait::PreviousGeneration => !info.current,
            Trait::Metal => info.metal(),
            Trait::Accelerated => info.accelerated() && gpus == 0,
        }
    }
}

/// A part that stays on on-demand: whichever of the two is more.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Floor {
    /// At least this many.
    pub count: u32,
    /// And at least this share, in percent, rounded up.
    pub percent: u32,
}

impl Floor {
    /// How many of `total` stay on on-demand; never more than all of them.
    pub fn of(self, total: u32) -> u32 {
        let share = (u64::from(total) * u64::from(self.percent)).div_ceil(100);
        u32::try_from(share).unwrap_or(u32::MAX).max(self.count).min(total)
    }
}

/// What a customer allows of spot, per cluster. Where a default is an own choice and not a peer's, it says so.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct SpotPolicy {
    /// Types with these traits are refused. All four by default: what Karpenter leaves out unless nothing else fits (GPUs and whole
    /// machines), and what is cheap because it is slow.
    pub refused_traits: BTreeSet<Trait>,
    /// What of each workload stays on on-demand. None by default.
    pub on_demand_floor_workload: Floor,
    /// What of the cluster's nodes stays on on-demand. None by default.
    pub on_demand_floor_cluster: Floor,
    /// The largest share of a workload in one spot pool, percent; one node is always allowed. 25: what a Deployment's own rollout
    /// may take away at once (`maxUnavailable`), for a pool goes at once too: nine of ten interruptions in company come within 3 minutes.
    pub pool_percent_max_workload: u32,
    /// The same for all nodes of the cluster. 20 (own choice): five pools, which is the least flexibility, fill a cluster.
    pub pool_percent_max_cluster: u32,
    /// How many types must be cheaper before a spot node is replaced by spot. 15, as in Karpenter: with fewer, a node walks down
    /// the ladder of prices into ever scarcer pools.
    pub flexibility_spot_to_spot: u32,
    /// How many spot pools there must be for anything else that goes to spot. 5, the number below which Karpenter warns.
    pub flexibility: u32,
    /// Nodes are spread over the pools that are at most this much dearer than the best, percent. 20 (own choice).
    pub spread_within_percent: u32,
    /// Pools of a higher risk are refused, percent of the risk score. 100: none is.
    pub risk_percent_max: u32,
    /// How much dearer a pool of risk 1 counts than one of risk 0, percent of its price. 20 (own choice): the savings are the same
    /// in every band of the Spot Advisor (medians of us-east-1: 62 to 67 %), so calm is nearly free, and worth a fifth.
    pub risk_premium_percent: u32,
    /// What one interruption costs, in minutes of the cheapest on-demand price. 60 (own choice): two nodes run side by side for some
    /// minutes, and pods start again with cold caches.
    pub interruption_cost_minutes: u32,
    /// How long spot must have been without trouble before what fell back to on-demand returns, minutes. 30 (own choice): ten times
    /// Karpenter's memory of a shortage, which is too short against going back and forth.
    pub quiet_minutes: u32,
}

impl Default for SpotPolicy {
    fn default() -> Self {
        SpotPolicy {
            refused_traits: Trait::ALL.into(),
            on_demand_floor_workload: Floor::default(),
            on_demand_floor_cluster: Floor::default(),
            pool_percent_max_workload: 25,
            pool_percent_max_cluster: 20,
            flexibility_spot_to_spot: 15,
            flexibility: 5,
            spread_within_percent: 20,
            risk_percent_max: 100,
            risk_premium_percent: 20,
            interruption_cost_minutes: 60,
            quiet_minutes: 30,
        }
    }
}

impl SpotPolicy {
    /// The quiet time as a duration.
    pub fn quiet(&self) -> SignedDuration {
        SignedDuration::from_mins(i64::from(self.quiet_minutes))
    }

    /// How many of `total` may be in one spot pool at this share; at least one.
    pub(super) fn cap(percent: u32, total: u32) -> u32 {
        u32::try_from(u64::from(total) * u64::from(percent) / 100).unwrap_or(u32::MAX).max(1)
    }
}
