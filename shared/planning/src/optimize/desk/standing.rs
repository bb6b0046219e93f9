//! What is known of a node before any method looks at it.

use super::Rooms;
use crate::eligibility::{Blocked, Eligibility};
use crate::optimize::market::Market;
use crate::optimize::worth::eviction;
use crate::placement::{Index, Kind};
use domain::money::MicroDollars;
use domain::offering::CapacityType;
use domain::policy::OptimizationPolicy;
use domain::snapshot::SnapshotNode;

/// What is known of a node of the snapshot.
#[derive(Debug, Clone)]
pub(crate) struct Standing {
    /// Price per hour.
    pub(crate) price: i64,
    /// All in: price, overhead, what its interruptions cost. Zero where the price is not known.
    pub(crate) cost: i64,
    /// Evictions that emptying it takes, in thousandths.
    pub(crate) evictions: i64,
    /// How it was bought.
    pub(crate) capacity: CapacityType,
    /// How it is made: index of the kind.
    pub(crate) kind: usize,
    /// Why it may not be moved.
    pub(crate) blocked: Option<Blocked>,
    /// Why it was not moved, as far as a method has looked.
    pub(crate) note: Option<Blocked>,
    /// It goes.
    pub(crate) gone: bool,
    /// It could go, but not together with the others that do.
    pub(crate) put_off: bool,
    /// This answer got as far as it.
    pub(crate) reached: bool,
}

pub(super) fn stand(
    node: &SnapshotNode,
    market: &Market,
    policy: &OptimizationPolicy,
    index: &Index<'_>,
    eligibility: &Eligibility<'_>,
    rooms: &mut Rooms,
) -> Standing {
    let kind: Kind = index.kind(node);
    let capacity = node.pool.as_ref().map_or(CapacityType::OnDemand, |pool| pool.capacity);
    let price = node.price.map(|quote| quote.price_per_hour);
    let risk = match (capacity, node.pool.as_ref().and_then(|pool| market.offer(pool))) {
        (CapacityType::Spot, Some(offer)) => offer.interruption_cost_per_hour,
        (CapacityType::Spot | CapacityType::OnDemand, _) => MicroDollars(0),
    };
    Standing {
        price: price.unwrap_or_default().0,
        cost: price.map_or(0, |price| (price + policy.node_overhead_per_hour + risk).0),
        evictions: evictions(index, node),
        capacity,
        kind: rooms.kind(kind, node),
        blocked: eligibility.node(node).err(),
        note: None,
        gone: false,
        put_off: false,
        reached: false,
    }
}

fn evictions(index: &Index<'_>, node: &SnapshotNode) -> i64 {
    let of = |class: usize| if index.classes[class].moves { eviction(&index.snapshot.classes[class]) } else { 0 };
    node.pods.iter().map(|placed| of(placed.class as usize) * i64::from(placed.count)).sum()
}
