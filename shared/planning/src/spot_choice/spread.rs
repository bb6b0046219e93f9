//! Several nodes over several pools.

use super::{Commitments, Ranked, Ranking, Reason, SpotPolicy};
use domain::money::MicroDollars;
use domain::offering::{CapacityType, Offering, Pool};
use std::collections::BTreeMap;

/// What a workload or a cluster stands on.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Held {
    /// Nodes in all.
    pub nodes: u32,
    /// On-demand nodes.
    pub on_demand: u32,
    /// Nodes per spot pool.
    pub pools: BTreeMap<Pool, u32>,
}

impl Held {
    fn add(&mut self, pool: &Pool) {
        self.nodes = self.nodes.saturating_add(1);
        match pool.capacity {
            CapacityType::OnDemand => self.on_demand = self.on_demand.saturating_add(1),
            CapacityType::Spot => {
                let held = self.pools.entry(pool.clone()).or_default();
                *held = held.saturating_add(1);
            }
        }
    }

    fn of(&self, pool: &Pool) -> u32 {
        self.pools.get(pool).copied().unwrap_or_default()
    }
}

/// What stands before the new nodes come. A new node counts once in each, whatever number of replicas it takes.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Holdings {
    /// Nodes on which the workload has replicas.
    pub workload: Held,
    /// Nodes of the cluster.
    pub cluster: Held,
}

/// So many of one offering.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Pick {
    /// Where.
    pub offering: Offering,
    /// How many nodes, at least one.
    pub count: u32,
}

/// How nodes are spread.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Spread {
    /// What to launch, in the order of the ranking.
    pub picks: Vec<Pick>,
    /// How many nodes found no place, and why.
    pub unplaced: Option<(u32, Reason)>,
}

struct Spreading<'a> {
    ranked: &'a [Ranked],
    policy: &'a SpotPolicy,
    held: Holdings,
    commitments: Commitments,
    /// Most nodes of one spot pool: of the workload, of the cluster.
    caps: (u32, u32),
    counts: Vec<u32>,
}

/// Spreads `count` nodes over the offerings of a ranking.
///
/// What commitments pay for is used up first; then the on-demand floor is filled; then spot is spread over the pools that are
/// nearly as good as the best ([`SpotPolicy::spread_within_percent`]), more to the cheaper (the next node goes where effective
/// cost times nodes held is least); where these are full, the next best pools, and on-demand at last.
///
/// # Guarantees
/// No spot pool gets a node that lifts it above its share of the workload's or the cluster's nodes, counted with the new ones;
/// one node is always allowed. The floors hold wherever enough new nodes come to fill them. Every node is picked, or counted
/// in `unplaced`. Time: `count` times the length of the ranking.
pub fn spread(ranking: &Ranking, count: u32, held: &Holdings, commitments: &Commitments, policy: &SpotPolicy) -> Spread {
    let after = |held: &Held| held.nodes.saturating_add(count);
    let (workload, cluster) = (after(&held.workload), after(&held.cluster));
    let missing = |floor: u32, held: &Held| floor.saturating_sub(held.on_demand);
    let floor = missing(policy.on_demand_floor_workload.of(workload), &held.workload)
        .max(missing(policy.on_demand_floor_cluster.of(cluster), &held.cluster));
    let mut spreading = Spreading {
        ranked: &ranking.ranked,
        policy,
        held: held.clone(),
        commitments: commitments.clone(),
        caps: (SpotPolicy::cap(policy.pool_percent_max_workload, workload), SpotPolicy::cap(policy.pool_percent_max_cluster, cluster)),
        counts: vec![0; ranking.ranked.len()],
    };
    let (mut left, mut on_demand) = (count, 0);
    let mut unplaced = None;
    while left > 0 {
        match spreading.next(on_demand < floor) {
            Ok(at) => on_demand += u32::from(spreading.take(at) == Some(CapacityType::OnDemand)),
            Err(reason) => {
                unplaced = Some((left, reason));
                break;
            }
        }
        left -= 1;
    }
    let picked = ranking.ranked.iter().zip(spreading.counts).filter(|(_, count)| *count > 0);
    Spread { picks: picked.map(|(one, count)| Pick { offering: one.offering.clone(), count }).collect(), unplaced }
}

impl Spreading<'_> {
    /// Where the next node goes.
    fn next(&self, floor: bool) -> Result<usize, Reason> {
        if let Some(at) = self.best(|one| self.on_demand(one) && self.price_now(one) == MicroDollars(0)) {
            return Ok(at);
        }
        let on_demand = self.best(|one| self.on_demand(one));
        if floor {
            return on_demand.ok_or(Reason::OnDemandFloor);
        }
        let ceiling = on_demand.and_then(|at| self.ranked.get(at)).map(|one| self.price_now(one));
        // Spot that is expected to cost more than on-demand is no bargain.
        let bargain = |one: &Ranked| ceiling.is_none_or(|ceiling| one.cost.effective() < ceiling);
        let spot = || self.ranked.iter().enumerate().filter(|(_, one)| !self.on_demand(one) && bargain(one));
        let open = || spot().filter(|(_, one)| self.full(one).is_none());
        let best = spot().map(|(_, one)| one.cost.effective().0).min().unwrap_or_default();
        let near = i128::from(best) * i128::from(100 + u64::from(self.policy.spread_within_percent)) / 100;
        let weight = |one: &Ranked| {
            let nodes = i128::from(self.held.workload.of(&one.offering.pool)) + 1;
            i128::from(one.cost.effective().0) * nodes
        };
        let spread = open().filter(|(_, one)| i128::from(one.cost.effective().0) <= near).min_by_key(|(at, one)| (weight(one), *at));
        let next = spread.or_else(|| open().next()).map(|(at, _)| at);
        next.or(on_demand).ok_or_else(|| spot().find_map(|(_, one)| self.full(one)).unwrap_or(Reason::NothingLeft))
    }

    fn take(&mut self, at: usize) -> Option<CapacityType> {
        let (one, count) = (self.ranked.get(at)?, self.counts.get_mut(at)?);
        *count += 1;
        let pool = &one.offering.pool;
        self.held.workload.add(pool);
        self.held.cluster.add(pool);
        self.commitments.take(pool, one.hour);
        Some(pool.capacity)
    }

    /// Which share of the pool is used up.
    fn full(&self, one: &Ranked) -> Option<Reason> {
        let pool = &one.offering.pool;
        if self.held.workload.of(pool) >= self.caps.0 {
            return Some(Reason::PoolShareWorkload);
        }
        (self.held.cluster.of(pool) >= self.caps.1).then_some(Reason::PoolShareCluster)
    }

    fn best(&self, wanted: impl Fn(&Ranked) -> bool) -> Option<usize> {
        let wanted = self.ranked.iter().enumerate().filter(|(_, one)| wanted(one));
        wanted.min_by_key(|(at, one)| (self.price_now(one), *at)).map(|(at, _)| at)
    }

    fn on_demand(&self, one: &Ranked) -> bool {
        one.offering.pool.capacity == CapacityType::OnDemand
    }

    /// The price with the commitments that are left by now.
    fn price_now(&self, one: &Ranked) -> MicroDollars {
        self.commitments.price_of_one_more(&one.offering.pool, one.hour)
    }
}
