//! The ways to make a cluster cheaper, one a file. Each looks at what the ones before have left, and plans what it finds on the desk.

mod delete;
mod empty;
mod repack;
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
    /// Some nodes become several that are bought as they were.
    Repack,
    /// One node becomes one that is bought so.
    Change(CapacityType, CapacityType),
}

impl Method {
    /// The plans to be tried for a decision, each a row of methods. The first row is the gentlest; the best plan wins.
    pub(crate) fn portfolio(decision: DecisionType) -> Vec<Vec<Method>> {
        use CapacityType::{OnDemand, Spot};
        let gather = Method::Gather(replace::GATHER_MAX);
        match decision {
            DecisionType::BinPack => vec![
                vec![Method::Empty, Method::Delete, gather, Method::Repack],
                // A node that is filled by a removal is in the way of a better replacement.
                vec![Method::Empty, gather, Method::Repack, Method::Delete],
            ],
            DecisionType::Rightsize => vec![vec![Method::Gather(1)]],
            DecisionType::SpotOptimize => {
                vec![vec![Method::Change(OnDemand, Spot), Method::Change(Spot, Spot), Method::Change(Spot, OnDemand)]]
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
            Method::Repack => {
                repack::apply(desk, CapacityType::OnDemand);
                repack::apply(desk, CapacityType::Spot);
            }
            Method::Change(from, to) => replace::apply(desk, from, to, 1),
        }
    }
}
