//! The spot market of a world: prices that wander around their mean and sometimes jump, pools that run dry, and pools that are taken
//! back. Nothing moves until [`World::open_market`] is called.

mod walk;

use super::World;
use super::agenda::Due;
use super::catalog::TypeSpec;
use super::state::State;
use domain::decision::Commitment;
use domain::ids::{ClusterId, InstanceId, InstanceType};
use domain::money::MicroDollars;
use domain::offering::{CapacityType, Pool};
use jiff::{SignedDuration, Timestamp};
use std::collections::{BTreeMap, BTreeSet};
use walk::Walk;

/// How a market moves.
#[derive(Debug, Clone)]
pub struct MarketSpec {
    /// How often prices change.
    pub step: SignedDuration,
    /// How much history there is when it opens.
    pub history: SignedDuration,
    /// The mean of spot prices, in per cent of the on-demand price, at least and at most.
    pub mean_percent: (u32, u32),
    /// How far a price goes in a step, as a part of itself.
    pub volatility: f64,
    /// Which part of its distance from the mean a price loses in a step.
    pub reversion: f64,
    /// The chance of a jump in a step.
    pub jump_chance: f64,
    /// How far a jump goes up, as a part of the price.
    pub jump: f64,
    /// The chance that a pool runs dry in a step.
    pub shortage_chance: f64,
    /// For how many steps at most it stays so.
    pub shortage_steps: u32,
    /// The chance that a pool with instances is taken back in a step.
    pub strike_chance: f64,
}

impl Default for MarketSpec {
    /// Calm: hourly changes of 2 %, a jump of 40 % a week, a shortage of up to 6 hours a fortnight, and a strike a month.
    fn default() -> MarketSpec {
        MarketSpec {
            step: SignedDuration::from_hours(1),
            history: SignedDuration::from_hours(24 * 14),
            mean_percent: (25, 55),
            volatility: 0.02,
            reversion: 0.05,
            jump_chance: 1.0 / 168.0,
            jump: 0.4,
            shortage_chance: 1.0 / 336.0,
            shortage_steps: 6,
            strike_chance: 1.0 / 720.0,
        }
    }
}

/// An open market.
#[derive(Debug)]
pub(crate) struct Market {
    spec: MarketSpec,
    seed: u64,
    begins: Timestamp,
    walks: BTreeMap<Pool, Walk>,
}

/// A warning that the market made: to be delivered to whom it may concern.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Warning {
    /// When it was sent.
    pub at: Timestamp,
    /// The instance.
    pub instance: InstanceId,
    /// The body, as EventBridge delivers it.
    pub body: String,
}

/// Of instances in one pool, so many of 100 are taken back together (Spot-and-Scoot: 92 % within three minutes).
const TOGETHER_PERCENT: u32 = 92;
/// Within so many seconds.
const TOGETHER_S: i64 = 180;

impl World {
    /// Tells the world of instance types: what a launched instance of one offers, and what it costs.
    pub fn add_types(&self, types: impl IntoIterator<Item = TypeSpec>) {
        self.with(|state| state.types.extend(types.into_iter().map(|spec| (spec.name.clone(), spec))));
    }

    /// Reserves instances in the account and the Region of a cluster.
    pub fn reserve(&self, cluster: &ClusterId, commitment: Commitment) {
        self.with(|state| {
            let at = state.known(cluster);
            let spec = state.clusters.get(at).map(|kube| (kube.spec.account.clone(), kube.spec.region.clone()));
            state.reserved.extend(spec.map(|(account, region)| (account, region, commitment)));
        });
    }

    /// Opens the spot market. All that is random in it comes from the seed.
    pub fn open_market(&self, spec: MarketSpec, seed: u64) {
        self.with(|state| {
            let begins = state.now.checked_sub(spec.history).unwrap_or(Timestamp::MIN);
            let first = state.after(spec.step);
            if spec.strike_chance > 0.0 {
                state.plan(first, Due::Strikes);
            }
            state.market = Some(Market { spec, seed, begins, walks: BTreeMap::new() });
        });
    }

    /// Takes a spot pool back: one instance now, and nearly all others within three minutes. The warnings are for
    /// [`World::take_warnings`].
    pub fn strike(&self, pool: &Pool) {
        self.with(|state| state.strike(pool));
    }

    /// The warnings that the market made and nobody has taken yet, oldest first.
    pub fn take_warnings(&self) -> Vec<Warning> {
        self.with(|state| std::mem::take(&mut state.warnings))
    }

    /// An hour of a type on demand.
    pub fn on_demand_price(&self, instance_type: &InstanceType) -> MicroDollars {
        self.with(|state| state.type_of(instance_type).on_demand)
    }

    /// An hour of a pool now.
    pub fn price(&self, pool: &Pool) -> MicroDollars {
        self.with(|state| state.price(pool))
    }

    /// Whether a pool is dry because the market says so.
    pub fn short(&self, pool: &Pool) -> bool {
        self.with(|state| state.short(pool))
    }

    /// What the instances of a cluster that are pending or running cost in an hour, at the prices of now.
    pub fn cost_per_hour(&self, cluster: &ClusterId) -> MicroDollars {
        self.with(|state| {
            let cluster = state.known(cluster);
            let live = state.machines.values().filter(|m| m.cluster == Some(cluster) && m.state.live());
            let pools: Vec<Pool> = live.map(|machine| machine.pool.clone()).collect();
            pools.iter().map(|pool| state.price(pool)).sum()
        })
    }

    /// What the instances of a cluster have cost from one time to another, every price for as long as it held. Instances are paid
    /// for from their launch until they begin to end.
    pub fn cost(&self, cluster: &ClusterId, from: Timestamp, to: Timestamp) -> MicroDollars {
        self.with(|state| {
            let cluster = state.known(cluster);
            let until = to.min(state.now);
            let paid = state.machines.values().filter(|m| m.cluster == Some(cluster));
            let paid: Vec<_> = paid.map(|m| (m.pool.clone(), m.launched_at.max(from), m.stopped_at.unwrap_or(until).min(until))).collect();
            let sum: i128 = paid.into_iter().map(|(pool, from, to)| state.price_times_ms(&pool, from, to)).sum();
            MicroDollars(i64::try_from(sum / 3_600_000).unwrap_or(i64::MAX))
        })
    }
}

impl State {
    /// The prices of a pool, oldest first; the first holds since ever.
    pub(crate) fn price_points(&mut self, pool: &Pool) -> Vec<(Timestamp, MicroDollars)> {
        let on_demand = self.type_of(&pool.instance_type).on_demand;
        let start = match pool.capacity {
            CapacityType::OnDemand => on_demand,
            CapacityType::Spot => MicroDollars(on_demand.0 / 3),
        };
        if let Some(set) = self.prices.get(pool) {
            return std::iter::once((Timestamp::MIN, start)).chain(set.iter().copied()).collect();
        }
        match (pool.capacity, self.walk(pool)) {
            (CapacityType::Spot, Some(walk)) => walk.points().to_vec(),
            (CapacityType::Spot | CapacityType::OnDemand, _) => vec![(Timestamp::MIN, start)],
        }
    }

    /// The walk of a spot pool, brought up to now.
    fn walk(&mut self, pool: &Pool) -> Option<&Walk> {
        if pool.capacity != CapacityType::Spot {
            return None;
        }
        let on_demand = self.type_of(&pool.instance_type).on_demand;
        let market = self.market.as_mut()?;
        let (spec, seed, begins) = (&market.spec, market.seed, market.begins);
        let walk = market.walks.entry(pool.clone()).or_insert_with(|| Walk::new(spec, seed, pool, on_demand, begins));
        walk.go(spec, self.now);
        Some(walk)
    }

    fn price(&mut self, pool: &Pool) -> MicroDollars {
        let now = self.now;
        self.price_points(pool).iter().rev().find(|(at, _)| *at <= now).map_or(MicroDollars(0), |(_, price)| *price)
    }

    /// Whether the market says that a pool is dry.
    pub(crate) fn short(&mut self, pool: &Pool) -> bool {
        let now = self.now;
        self.walk(pool).is_some_and(|walk| walk.short_until() > now)
    }

    fn price_times_ms(&mut self, pool: &Pool, from: Timestamp, to: Timestamp) -> i128 {
        if to <= from {
            return 0;
        }
        let points = self.price_points(pool);
        let ends = points.iter().skip(1).map(|(at, _)| *at).chain([Timestamp::MAX]);
        let held = points.iter().zip(ends).map(|((at, price), end)| {
            let ms = end.min(to).as_millisecond() - (*at).max(from).as_millisecond();
            i128::from(ms.max(0)) * i128::from(price.0)
        });
        held.sum()
    }

    /// Once a step: pools that are in use may be taken back.
    pub(crate) fn strikes(&mut self) {
        let Some(market) = &self.market else { return };
        let (chance, step) = (market.spec.strike_chance, market.spec.step);
        let live = self.machines.values().filter(|m| m.state.live() && m.marked.is_none());
        let pools: BTreeSet<Pool> = live.map(|m| m.pool.clone()).filter(|pool| pool.capacity == CapacityType::Spot).collect();
        for pool in pools {
            if self.rng.f64() < chance {
                self.strike(&pool);
            }
        }
        self.plan(self.after(step), Due::Strikes);
    }

    fn strike(&mut self, pool: &Pool) {
        let live = self.machines.values().filter(|m| m.pool == *pool && m.state.live() && m.marked.is_none());
        let ids: Vec<InstanceId> = live.map(|machine| machine.id.clone()).collect();
        for (number, id) in ids.into_iter().enumerate() {
            if number == 0 {
                self.warns(&id);
            } else if self.rng.u32(..100) < TOGETHER_PERCENT {
                let later = SignedDuration::from_secs(self.rng.i64(1..=TOGETHER_S));
                self.plan(self.after(later), Due::Warn(id));
            }
        }
    }

    /// Sends the warning of an instance.
    pub(crate) fn warns(&mut self, id: &InstanceId) {
        if self.machines.get(id).is_none_or(|machine| !machine.state.live()) {
            return;
        }
        let body = self.interrupt(id, NOTICE);
        self.warnings.push(Warning { at: self.now, instance: id.clone(), body });
    }
}

/// The notice that AWS gives.
const NOTICE: SignedDuration = SignedDuration::from_secs(120);
