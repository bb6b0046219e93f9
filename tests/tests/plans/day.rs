//! Plans are stable: through a day in which load and spot prices move, nothing is done that is undone for less than the policy asks.

use super::cluster::{CLUSTER, bare};
use super::lineage::Lineage;
use super::market::{FAMILIES, sell, spot_pools};
use async_trait::async_trait;
use decision::planner::Planner;
use decision::{Engine, Knowledge};
use domain::decision::{DecisionAnswer, DecisionRequest, PredictRequest, Prediction, PredictionOutcome};
use domain::ids::{ClusterId, InstanceType, Zone};
use domain::market::{PricePoint, PriceSeries};
use domain::money::MicroDollars;
use domain::node::NodeOwner;
use domain::offering::{CapacityType, Pool};
use domain::plan::precondition::CLUSTER_TAG;
use domain::policy::Mode;
use domain::ports::{Advisor, AdvisorError, Clock, Cloud};
use domain::tenant::AwsScope;
use domain::{SignedDuration, Timestamp};
use execution::optimize::{Lookout, Optimizer};
use harness::plans::{allow, optimizer, savings_are_true};
use harness::system::System;
use sim::checkers::Voluntary;
use sim::world::random::{Scale, filling};
use sim::world::{Daily, MarketSpec, World};
use std::collections::{BTreeMap, BTreeSet};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};

/// How long the prices of the past are that the planner knows.
const HISTORY: SignedDuration = SignedDuration::from_hours(24 * 14);
/// How often the optimizer looks.
const EVERY: SignedDuration = SignedDuration::from_mins(10);
const DAY: SignedDuration = SignedDuration::from_hours(24);
/// How many moves of a cluster of ten to sixteen nodes a day may have, in the mean: the load doubles and halves, and what the autoscaler
/// launches in between has to go again.
const MOVES_MAX: usize = 60;

/// Our own decision server without its wire, with spot prices as they are by the time of each round.
struct Informed {
    world: Arc<World>,
    scope: AwsScope,
    known: Mutex<Option<(Timestamp, Arc<Knowledge>)>>,
}

impl Informed {
    async fn known(&self, now: Timestamp) -> Arc<Knowledge> {
        if let Some((at, known)) = &*self.known.lock().unwrap()
            && *at == now
        {
            return known.clone();
        }
        let pools: Vec<Pool> = spot_pools().collect();
        let types: BTreeSet<InstanceType> = pools.iter().map(|pool| pool.instance_type.clone()).collect();
        let zones: BTreeSet<Zone> = pools.into_iter().map(|pool| pool.zone).collect();
        let (types, zones): (Vec<_>, Vec<_>) = (types.into_iter().collect(), zones.into_iter().collect());
        let mut points: BTreeMap<Pool, Vec<PricePoint>> = BTreeMap::new();
        for price in self.world.spot_prices(&self.scope, &types, &zones, now - HISTORY).await.unwrap() {
            points.entry(price.pool).or_default().push(PricePoint { at: price.since, price_per_hour: price.price_per_hour });
        }
        let series = points.into_iter().map(|(pool, points)| (pool, PriceSeries::from(points))).collect();
        let known = Arc::new(Knowledge { series, spot_read_at: Some(now), ..Knowledge::day_zero() });
        *self.known.lock().unwrap() = Some((now, known.clone()));
        known
    }
}

#[async_trait]
impl Advisor for Informed {
    async fn decide(&self, request: &DecisionRequest) -> Result<DecisionAnswer, AdvisorError> {
        let now = request.constraints.now.unwrap_or(request.snapshot.taken_at);
        let mut request = request.clone();
        // Nobody reads the accounts of a hundred rounds of a day.
        request.constraints.account = false;
        Ok(Planner::default().decide(&request, &*self.known(now).await))
    }

    async fn predict(&self, request: &PredictRequest) -> Result<Vec<Prediction>, AdvisorError> {
        Ok(Planner::default().predict(request, &*self.known(self.world.clock().now()).await))
    }

    /// It is not asked what its predictions were worth.
    async fn learn(&self, _outcomes: &[PredictionOutcome]) -> Result<(), AdvisorError> {
        Ok(())
    }
}

/// A day that is over.
struct Over {
    system: System,
    cluster: ClusterId,
    scope: AwsScope,
    cost: MicroDollars,
    /// Pods that waited for a node, summed up over all looks.
    waiting: usize,
}

/// Ten to sixteen nodes with room for the afternoon, half of them spot, and an autoscaler that launches on demand when pods wait.
fn populate(world: &World, cluster: &ClusterId, seed: u64, market: MarketSpec) {
    sell(world);
    let mut rng = fastrand::Rng::with_seed(seed);
    let scale = Scale { nodes: (10, 16), pods: (100, 180), constrained_percent: 30, asked_percent: (55, 70), judged: false };
    let mut filling = filling(&mut rng, &scale);
    for node in &mut filling.nodes {
        node.owner = NodeOwner::CloudOptim;
        node.tags.insert(CLUSTER_TAG.to_owned(), CLUSTER.to_owned());
        if node.pool.instance_type.as_str() == "m7g.xlarge" {
            node.pool.instance_type = InstanceType::parse("m6i.xlarge").unwrap();
        }
    }
    filling.cordoned.clear();
    world.fill(cluster, filling);
    world.open_market(market, seed);
    let pool = Pool {
        instance_type: InstanceType::parse("m6i.xlarge").unwrap(),
        zone: Zone::parse("us-east-1a").unwrap(),
        capacity: CapacityType::OnDemand,
    };
    let tags = BTreeMap::from([(CLUSTER_TAG.to_owned(), CLUSTER.to_owned())]);
    world.follow_the_day(cluster, Daily { grow: Some(pool), tags, ..Daily::default() });
}

/// Lets a day pass under the default policy, with all levers in this mode.
async fn pass(seed: u64, market: MarketSpec, mode: Mode) -> Result<Over, String> {
    let (clock, world, cluster) = bare(seed);
    populate(&world, &cluster, seed, market);
    let mut system = System::around(clock, world, SignedDuration::ZERO);
    let (customer, _) = system.register("acme", CLUSTER, "123456789012", super::market::REGION).await;
    allow(&system, &customer, &cluster, |policy| {
        let optimization = &mut policy.optimization;
        (optimization.spot, optimization.bin_packing, optimization.rightsizing) = (mode, mode, mode);
        optimization.families = FAMILIES.iter().map(|family| (*family).to_owned()).collect();
    })
    .await;
    let scope = execution::ports::Site::open(&system.ports, &customer, &cluster).await.unwrap().unwrap().scope;
    let informed = Informed { world: system.world.clone(), scope: scope.clone(), known: Mutex::default() };
    let real = optimizer(&system, Arc::new(informed));
    system.optimizer = Some(Optimizer { surveyor: Arc::new(Lookout::new(system.ports.clone())), ..real });
    let mut laws = Voluntary::over(&system.world, &cluster);
    let (began, mut broken, mut waiting) = (system.clock.now(), None, 0);
    while system.clock.now() < began + DAY {
        if mode != Mode::Observe {
            system.optimizer.as_ref().unwrap().fan_out().await.unwrap();
        }
        let look = |system: &System| {
            if let Err(law) = laws.look(&system.world) {
                broken.get_or_insert(law);
            }
        };
        system.run(EVERY, look).await;
        waiting += system.world.pending_pods(&cluster).len();
    }
    if let Some(law) = broken {
        return Err(law);
    }
    let cost = system.world.cost(&cluster, began, began + DAY);
    Ok(Over { system, cluster, scope, cost, waiting })
}

/// What a day showed.
#[derive(Debug, Default)]
struct Shown {
    moves: usize,
    wasted: usize,
    oscillations: usize,
    dearer: usize,
}

impl Shown {
    fn add(&mut self, other: &Shown) {
        self.moves += other.moves;
        self.wasted += other.wasted;
        self.oscillations += other.oscillations;
        self.dearer += other.dearer;
    }
}

async fn day(seed: u64, market: MarketSpec) -> Result<Shown, String> {
    let left = pass(seed, market.clone(), Mode::Observe).await?;
    let over = pass(seed, market, Mode::Auto).await?;
    let lineage = Lineage::of(&over.system);
    let twice = lineage.replaced_twice_for_less(&over.system, &over.scope).await;
    let back = lineage.back_and_forth(&over.system.world);
    println!(
        "day of seed {seed}: {} left as it is, {} optimised ({:.1} %); {lineage}; {} and {} pods waited at a look, summed up",
        left.cost,
        over.cost,
        over.cost.0 as f64 * 100.0 / left.cost.0 as f64,
        left.waiting,
        over.waiting,
    );
    twice.iter().chain(&back).for_each(|what| println!("  {what}"));
    savings_are_true(&over.system).or_else(|law| if law.contains("has not come to its end") { Ok(()) } else { Err(law) })?;
    let nodes = over.system.world.nodes(&over.cluster).len();
    assert!(nodes > 0, "the cluster is gone");
    let dearer = usize::from(over.cost > left.cost);
    Ok(Shown { moves: lineage.moves(), wasted: twice.len(), oscillations: back.len(), dearer })
}

/// Clusters in which every pod finds a node at noon, each in a market: calm, as most are; and wild, with prices that go 8 % an hour and
/// jump daily. Nothing is taken back: a rescue may delete pods past their budgets, and the law here is that plans never do.
fn days() -> Vec<(u64, MarketSpec)> {
    let calm = MarketSpec { strike_chance: 0.0, ..MarketSpec::default() };
    let wild = MarketSpec { volatility: 0.08, jump_chance: 1.0 / 24.0, ..calm.clone() };
    let roomy = |seed: &u64| {
        let (_, world, cluster) = bare(*seed);
        populate(&world, &cluster, *seed, calm.clone());
        world.pending(&cluster).is_empty()
    };
    let many = usize::try_from(super::seeds::number("PLAN_DAYS").unwrap_or(2)).unwrap_or(2);
    let clusters = (1..).filter(roomy).take(many);
    clusters.zip([calm.clone(), wild.clone()].into_iter().cycle()).collect()
}

#[test]
fn a_day_of_moving_load_and_prices_undoes_nothing_for_less_than_the_policys_gain() {
    let runtime = || tokio::runtime::Builder::new_current_thread().enable_time().start_paused(true).build().unwrap();
    let days = runtime().block_on(async { days() });
    let next = AtomicUsize::new(0);
    let sum: Mutex<Shown> = Mutex::default();
    std::thread::scope(|scope| {
        for _ in 0..2 {
            scope.spawn(|| {
                while let Some((seed, market)) = days.get(next.fetch_add(1, Ordering::Relaxed)) {
                    let shown = runtime().block_on(day(*seed, market.clone())).unwrap_or_else(|law| panic!("day of seed {seed}: {law}"));
                    sum.lock().unwrap().add(&shown);
                }
            });
        }
    });
    let sum = sum.into_inner().unwrap();
    println!("BENCH plan_day_moves {:.1} moves/day <= {MOVES_MAX}", sum.moves as f64 / days.len() as f64);
    println!("BENCH plan_day_replaced_twice_for_less {} nodes <= 0", sum.wasted);
    println!("BENCH plan_day_oscillations {} nodes <= 0", sum.oscillations);
    println!("BENCH plan_day_dearer {} days <= 0", sum.dearer);
    assert!(sum.moves > 0, "nothing was moved: the day says nothing");
    assert!(sum.wasted == 0 && sum.oscillations == 0 && sum.dearer == 0, "{sum:?}");
    assert!(sum.moves <= MOVES_MAX * days.len(), "{} moves in {} days", sum.moves, days.len());
}
