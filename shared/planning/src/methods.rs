//! The ways to make a cluster cheaper, one a file. Each looks at what the ones before have left, and plans what it finds on the desk.

mod delete;
mod empty;
mod replace;

use crate::optimize::desk::Desk;
use domain::decision::DecisionType;
use domain::offering::CapacityType;

/// A way to make a cluster cheaper.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Method {
    /// Nodes on which nothing runs that a drain would move.
    Empty,
    /// Nodes whose pods fit elsewhere.
    Delete,
    /// Up to so many nodes become one that is bought as they were.
    Gather(usize),
    /// One node becomes one that is bought so.
    Change(CapacityType, CapacityType),
}

impl Method {
    /// The methods for a decision, the gentlest first.
    pub(crate) fn of(decision: DecisionType) -> Vec<Method> {
        use CapacityType::{OnDemand, Spot};
        match decision {
            DecisionType::BinPack => vec![Method::Empty, Method::Delete, Method::Gather(replace::GATHER_MAX)],
            DecisionType::Rightsize => vec![Method::Gather(1)],
            DecisionType::SpotOptimize => {
                vec![Method::Change(OnDemand, Spot), Method::Change(Spot, Spot), Method::Change(Spot, OnDemand)]
            }
        }
    }

    /// Plans what it finds.
    pub(crate) fn apply(self, desk: &mut Desk<'_>) {
        match self {
            Method::Empty => empty::apply(desk),
            Method::Delete => delete::apply(desk),
            Method::Gather(most) => {
                replace::apply(desk, CapacityType::OnDemand, CapacityType::OnDemand, most);
                replace::apply(desk, CapacityType::Spot, CapacityType::Spot, most);
            }
            Method::Change(from, to) => replace::apply(desk, from, to, 1),
        }
    }
}
