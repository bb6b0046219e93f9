//! What a customer allows, per cluster.

use serde::{Deserialize, Serialize};

/// How far a capability may go by itself.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
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
#[serde(rename_all = "kebab-case")]
pub enum AtDeadline {
    /// Delete them with the time that is left as their grace, at least one second: better a short goodbye than none.
    Delete,
    /// Leave them to the kubelet; budgets are never passed over.
    Leave,
}

/// How interruptions of a cluster's nodes are handled.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
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
#[serde(default, deny_unknown_fields)]
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

/// Everything a customer can set for one cluster.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct ClusterPolicy {
    /// Interruption handling.
    pub interruption: InterruptionPolicy,
    /// Disruption budget of voluntary work.
    pub budget: DisruptionBudget,
    /// The launch template for replacements, where one is named; else nodes are cloned.
    pub launch_template: Option<LaunchTemplate>,
}

/// A launch template of the customer.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct LaunchTemplate {
    /// `lt-...`.
    pub id: String,
    /// A version number.
    pub version: String,
}

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
    fn a_misspelt_policy_is_refused_and_not_silently_defaulted() {
        assert!(serde_json::from_str::<ClusterPolicy>(r#"{"interuption":{}}"#).is_err());
        assert_eq!(serde_json::from_str::<ClusterPolicy>("{}").unwrap(), ClusterPolicy::default());
    }
}
