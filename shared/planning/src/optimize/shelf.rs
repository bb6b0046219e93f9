//! What the policy lets a launch choose from, cheapest first.

use super::market::Market;
use domain::catalog::{Arch, TypeInfo};
use domain::decision::capacity_allowed;
use domain::ids::{SubnetId, Zone};
use domain::money::MicroDollars;
use domain::offering::{CapacityType, Offering, Pool};
use domain::policy::OptimizationPolicy;
use domain::snapshot::Snapshot;
use std::collections::BTreeMap;

/// One thing that may be launched.
#[derive(Debug, Clone)]
pub(crate) struct Item {
    pub(crate) info: TypeInfo,
    pub(crate) pool: Pool,
    pub(crate) subnet: SubnetId,
    /// What it costs per hour.
    pub(crate) price: MicroDollars,
    /// Price, what a node costs besides, and what its interruptions cost.
    pub(crate) cost: i64,
}

impl Item {
    pub(crate) fn offering(&self) -> Offering {
        Offering { pool: self.pool.clone(), subnet: self.subnet.clone(), price_per_hour: Some(self.price) }
    }
}

/// Everything that may be launched, the cheapest first.
#[derive(Debug, Default)]
pub(crate) struct Shelf {
    pub(crate) items: Vec<Item>,
    /// Offers that had to be left out because their price is not known.
    pub(crate) unpriced: usize,
}

/// The categories that are launched where the policy names no families: what serves ordinary pods.
const ORDINARY: [&str; 3] = ["c", "m", "r"];

/// Whether the policy lets this type be launched.
pub(crate) fn type_allowed(policy: &OptimizationPolicy, info: &TypeInfo) -> bool {
    let named = |list: &[String]| list.iter().any(|name| name == info.family() || *name == info.category || name == info.name.as_str());
    let asked_for = if policy.families.is_empty() {
        // Full speed all of the time, for whatever pods there are: no credits, no shares, no accelerators, no whole machines.
        ORDINARY.contains(&info.category.as_str()) && info.current && !info.burstable() && !info.accelerated() && !info.metal()
    } else {
        named(&policy.families)
    };
    asked_for
        && !named(&policy.families_never)
        && (policy.vcpu_min..=policy.vcpu_max).contains(&info.vcpu)
        && (policy.arm64 || info.arch != Arch::Arm64)
}

impl Shelf {
    /// What may be launched into the cluster's subnets.
    pub(crate) fn new(market: &Market, snapshot: &Snapshot, policy: &OptimizationPolicy) -> Shelf {
        let mut subnets: BTreeMap<&Zone, &SubnetId> = BTreeMap::new();
        for subnet in &snapshot.subnets {
            subnets.entry(&subnet.zone).or_insert(&subnet.id);
        }
        let mut shelf = Shelf::default();
        for offer in &market.offers {
            let (Some(subnet), Some(info)) = (subnets.get(&offer.pool.zone), market.types.get(&offer.pool.instance_type)) else {
                continue;
            };
            if !capacity_allowed(&policy.capacity, offer.pool.capacity)
                || !type_allowed(policy, info)
                || market.unavailable.contains(&offer.pool)
            {
                continue;
            }
            let Some(quote) = offer.quote else {
                shelf.unpriced += 1;
                continue;
            };
            if quote.price_per_hour.0 <= 0 {
                continue;
            }
            let risk = match offer.pool.capacity {
                CapacityType::Spot => offer.interruption_cost_per_hour,
                CapacityType::OnDemand => MicroDollars(0),
            };
            shelf.items.push(Item {
                info: info.clone(),
                pool: offer.pool.clone(),
                subnet: (*subnet).clone(),
                price: quote.price_per_hour,
                cost: (quote.price_per_hour + policy.node_overhead_per_hour + risk).0,
            });
        }
        shelf.items.sort_by(|a, b| (a.cost, &a.pool).cmp(&(b.cost, &b.pool)));
        shelf
    }
}
