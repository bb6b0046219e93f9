//! Which offering replaces a lost node: the standing advice, and the choice at the moment of loss.

use domain::ids::{InstanceType, SubnetId};
use domain::node::NodeRecord;
use domain::offering::{CapacityType, Offering, Pool};

/// What a cluster is known to run on: a type through a subnet, and how large a node of it is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Known {
    /// Type, zone and capacity type.
    pub pool: Pool,
    /// A subnet of the cluster in that zone.
    pub subnet: SubnetId,
    /// Allocatable CPU of a node of the type, thousandths of a core.
    pub cpu_millis: u64,
    /// Allocatable memory of a node of the type, bytes.
    pub memory_bytes: u64,
}

/// How many offerings a piece of advice holds: enough to survive correlated shortages, few enough for one item.
pub const ADVICE_MAX: usize = 16;

/// Ranks replacements for a node, best first: spot before on-demand; the same type elsewhere and other types here before the
/// pool that is being lost; larger types only as large as needed. Made at every refresh, so that a notice finds it ready.
pub fn standing_advice(node: &NodeRecord, known: &[Known]) -> Vec<Offering> {
    let mut types: Vec<(&InstanceType, u64, u64)> = known
        .iter()
        .filter(|k| k.cpu_millis >= node.cpu_millis && k.memory_bytes >= node.memory_bytes)
        .map(|k| (&k.pool.instance_type, k.cpu_millis, k.memory_bytes))
        .collect();
    types.push((&node.pool.instance_type, node.cpu_millis, node.memory_bytes));
    types.sort_by_key(|(name, cpu, memory)| (*cpu, *memory, *name));
    types.dedup_by_key(|(name, _, _)| *name);

    let mut subnets: Vec<(&domain::ids::Zone, &SubnetId)> = known.iter().map(|k| (&k.pool.zone, &k.subnet)).collect();
    subnets.sort();
    subnets.dedup_by_key(|(zone, _)| *zone);

    let mut ranked: Vec<(Rank, Offering)> = Vec::new();
    for (size, (instance_type, _, _)) in types.iter().enumerate() {
        for (zone, subnet) in &subnets {
            for capacity in [CapacityType::Spot, CapacityType::OnDemand] {
                let pool = Pool { instance_type: (*instance_type).clone(), zone: (*zone).clone(), capacity };
                let rank = Rank {
                    on_demand: capacity == CapacityType::OnDemand,
                    lost_pool: capacity == CapacityType::Spot && pool == node.pool,
                    size,
                    // Volumes are zonal: a pod with one can only follow within its zone.
                    other_zone: **zone != node.pool.zone,
                };
                ranked.push((rank, Offering { pool, subnet: (*subnet).clone(), price_per_hour: None }));
            }
        }
    }
    ranked.sort_by(|(a, x), (b, y)| a.cmp(b).then_with(|| x.pool.cmp(&y.pool)));
    keep_both_kinds(ranked.into_iter().map(|(_, offering)| offering).collect(), node.pool.capacity)
}

#[derive(PartialEq, Eq, PartialOrd, Ord)]
struct Rank {
    on_demand: bool,
    lost_pool: bool,
    size: usize,
    other_zone: bool,
}

/// Cuts to [`ADVICE_MAX`], with room for on-demand; an on-demand node is replaced by on-demand only.
fn keep_both_kinds(ranked: Vec<Offering>, lost: CapacityType) -> Vec<Offering> {
    let (spot, on_demand): (Vec<_>, Vec<_>) = ranked.into_iter().partition(|o| o.pool.capacity == CapacityType::Spot);
    let spot_max = match lost {
        CapacityType::Spot => ADVICE_MAX * 3 / 4,
        CapacityType::OnDemand => 0,
    };
    let mut kept: Vec<Offering> = spot.into_iter().take(spot_max).collect();
    let room = ADVICE_MAX - kept.len();
    kept.extend(on_demand.into_iter().take(room));
    kept
}

/// The choice at the moment of loss: the advice in its order without the pools to avoid; those come last, spot before
/// on-demand no more, for a shortage may have passed and no node at all is worse than a refusal.
pub fn choose(advice: &[Offering], avoid: &[Pool]) -> Vec<Offering> {
    let (shunned, good): (Vec<_>, Vec<_>) = advice.iter().cloned().partition(|offering| avoid.contains(&offering.pool));
    good.into_iter().chain(shunned).collect()
}

#[cfg(test)]
mod tests;
