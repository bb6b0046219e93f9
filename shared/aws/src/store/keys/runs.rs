//! Keys of runs, of the proposals that they lead to, and of what stands between rounds.

use super::{Key, instant, key};
use domain::Timestamp;
use domain::ids::{ClusterId, CustomerId, PlanId, RunId};
use domain::plan::PlanKey;

/// A run of the optimizer.
pub(in crate::store) fn run(customer: &CustomerId, id: &RunId) -> Key {
    key(format!("T#{customer}#RUN#{id}"), "RUN")
}

/// The index partition of a customer's runs.
pub(in crate::store) fn runs(customer: &CustomerId) -> String {
    format!("T#{customer}#RUNS")
}

/// The runs of a round that lead to nothing.
pub(in crate::store) fn round_runs(customer: &CustomerId, round: &str) -> Key {
    key(format!("T#{customer}#RUN#{round}"), TOGETHER)
}

/// The sort key of runs that were written together.
pub(in crate::store) const TOGETHER: &str = "RUNS";

/// Where a run stands in it: those of one round side by side, directly behind [`round_place`].
pub(in crate::store) fn run_place(at: Timestamp, id: &RunId) -> String {
    let (kind, round) = id.as_str().rsplit_once('-').unwrap_or((id.as_str(), ""));
    format!("{}#{kind}", round_place(at, round))
}

/// Where the runs stand that a round has written together.
pub(in crate::store) fn round_place(at: Timestamp, round: &str) -> String {
    format!("{}#{round}", instant(at))
}

/// A proposal.
pub(in crate::store) fn proposal(customer: &CustomerId, plan: &PlanId) -> Key {
    key(format!("T#{customer}#PROPOSAL#{plan}"), "PROPOSAL")
}

/// The partition of the marks of a cluster's proposals from which something may still come.
pub(in crate::store) fn proposed(customer: &CustomerId, cluster: &ClusterId) -> String {
    format!("T#{customer}#PROPOSED#{cluster}")
}

/// The mark of one.
pub(in crate::store) fn proposed_mark(of: &PlanKey) -> Key {
    key(proposed(&of.customer, &of.cluster), of.plan.as_str())
}

/// What stands between the rounds of a cluster.
pub(in crate::store) fn standing(customer: &CustomerId, cluster: &ClusterId) -> Key {
    key(format!("T#{customer}#STANDING"), cluster.as_str())
}
