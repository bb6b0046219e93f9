//! Which node came for which, over a day.

use domain::Timestamp;
use domain::ids::{InstanceId, InstanceType, Zone};
use domain::money::MicroDollars;
use domain::offering::{CapacityType, Pool};
use domain::plan::{Outcome, PlanRecord};
use domain::policy::OptimizationPolicy;
use domain::ports::Cloud;
use domain::tenant::AwsScope;
use harness::plans::voluntary;
use harness::system::System;
use sim::world::World;
use std::collections::BTreeMap;
use std::fmt;

/// The moves that were carried out, and where nodes came from.
pub(crate) struct Lineage {
    moves: Vec<PlanRecord>,
    plans: usize,
    /// By instance: the move that launched it.
    born: BTreeMap<InstanceId, usize>,
}

impl Lineage {
    /// The lineage of all nodes of a system.
    pub(crate) fn of(system: &System) -> Lineage {
        let all = voluntary(system);
        let plans = all.len();
        let mut moves: Vec<PlanRecord> = all.into_iter().filter(|record| record.progress.outcome == Some(Outcome::Succeeded)).collect();
        moves.sort_by_key(|record| record.plan.created_at);
        let launched = moves.iter().enumerate().flat_map(|(at, record)| come(record).map(move |(id, _)| (id.clone(), at)));
        let born = launched.collect();
        Lineage { moves, plans, born }
    }

    /// How many there were.
    pub(crate) fn moves(&self) -> usize {
        self.moves.len()
    }

    /// Nodes that a move had launched, and that another replaced, though at the prices of that time the gain was less than the policy
    /// asks for.
    pub(crate) async fn replaced_twice_for_less(&self, system: &System, scope: &AwsScope) -> Vec<String> {
        let policy = OptimizationPolicy::default();
        let mut found = Vec::new();
        for record in &self.moves {
            let Some(stakes) = &record.plan.stakes else { continue };
            let again: Vec<&InstanceId> = stakes.nodes.iter().map(|node| &node.instance).filter(|id| self.born.contains_key(*id)).collect();
            if again.is_empty() || come(record).next().is_none() {
                continue;
            }
            let at = record.plan.created_at;
            let mut before = 0;
            for node in &stakes.nodes {
                before += (price(&system.world, scope, &node.pool, at).await + stakes.overhead_per_hour).0;
            }
            let mut after = 0;
            for (_, pool) in come(record) {
                after += (price(&system.world, scope, pool, at).await + stakes.overhead_per_hour).0;
            }
            let least = (before * i64::from(policy.saving_percent_min) / 100).max(policy.saving_per_hour_min.0);
            if before - after < least {
                let (before, after) = (MicroDollars(before), MicroDollars(after));
                found.push(format!("{} at {at} replaced {again:?} again: {before} became {after}", record.plan.key.plan));
            }
        }
        found
    }

    /// Nodes that came for one that was bought as they are, by way of one that was bought otherwise.
    pub(crate) fn back_and_forth(&self, world: &World) -> Vec<String> {
        let mut found = Vec::new();
        for id in self.born.keys() {
            if let Some(path) = self.paths(world, id).into_iter().find(|path| path.len() > 2) {
                let words: Vec<&str> = path.iter().map(|capacity| capacity.as_str()).collect();
                found.push(format!("{id} came by way of {}", words.join(", ")));
            }
        }
        found
    }

    /// How a node and those that it came for were bought, oldest first, without repetitions.
    fn paths(&self, world: &World, id: &InstanceId) -> Vec<Vec<CapacityType>> {
        let Some(capacity) = world.instance(id).map(|instance| instance.pool.capacity) else { return Vec::new() };
        let record = self.born.get(id).and_then(|at| self.moves.get(*at));
        let before = record.and_then(|record| record.plan.stakes.as_ref()).into_iter().flat_map(|stakes| &stakes.nodes);
        let mut paths: Vec<Vec<CapacityType>> = before.flat_map(|node| self.paths(world, &node.instance)).collect();
        if paths.is_empty() {
            paths.push(Vec::new());
        }
        for path in &mut paths {
            if path.last() != Some(&capacity) {
                path.push(capacity);
            }
        }
        paths
    }
}

/// The nodes that came.
fn come(record: &PlanRecord) -> impl Iterator<Item = (&InstanceId, &Pool)> {
    (0..record.plan.steps.len()).filter_map(|step| record.progress.launched(step)).map(|(id, offering)| (id, &offering.pool))
}

/// What a pool cost at a time.
async fn price(world: &World, scope: &AwsScope, pool: &Pool, at: Timestamp) -> MicroDollars {
    if pool.capacity == CapacityType::OnDemand {
        return world.on_demand_price(&pool.instance_type);
    }
    let (types, zones): ([InstanceType; 1], [Zone; 1]) = ([pool.instance_type.clone()], [pool.zone.clone()]);
    let prices = world.spot_prices(scope, &types, &zones, at).await.unwrap_or_default();
    prices.first().map_or(MicroDollars(0), |price| price.price_per_hour)
}

impl fmt::Display for Lineage {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let go: usize = self.moves.iter().filter_map(|record| record.plan.stakes.as_ref()).map(|stakes| stakes.nodes.len()).sum();
        let again = self.moves.iter().filter_map(|record| record.plan.stakes.as_ref());
        let again = again.flat_map(|stakes| &stakes.nodes).filter(|node| self.born.contains_key(&node.instance)).count();
        let (moves, come) = (self.moves.len(), self.born.len());
        write!(f, "{moves} of {} moves carried out, {go} nodes went ({again} of them had come by a move), {come} came", self.plans)
    }
}
