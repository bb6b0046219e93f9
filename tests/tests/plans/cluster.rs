//! A random cluster that may be made cheaper, in a system that may do it.

use super::market::{Eyes, Real, stock};
use domain::SignedDuration;
use domain::ids::{ClusterId, CustomerId, InstanceType};
use domain::node::NodeOwner;
use domain::optimization::Round;
use domain::plan::precondition::{CLUSTER_TAG, PROTECT_TAG};
use domain::policy::{ClusterPolicy, DisruptionBudget, Mode};
use domain::ports::Rounds;
use execution::optimize::Lookout;
use harness::plans::{allow, optimizer};
use harness::system::System;
use sim::clock::SimClock;
use sim::world::random::{Scale, filling};
use sim::world::{Allows, ClusterSpec, Filling, Timing, Volume, World};
use std::sync::Arc;

/// The name of the cluster.
pub(crate) const CLUSTER: &str = "shop";

/// One cluster in so many has its accounts drawn up: they change no plan, which the planner's own laws hold.
const ACCOUNTED_EVERY: u64 = 50;

/// A system around a random cluster.
pub(crate) struct Scene {
    pub(crate) system: System,
    pub(crate) customer: CustomerId,
    pub(crate) cluster: ClusterId,
    pub(crate) planner: Arc<Real>,
    /// How many nodes may be out of service at once.
    pub(crate) allowed: usize,
}

/// A world without a cluster's pods and nodes yet.
pub(crate) fn bare(seed: u64) -> (Arc<SimClock>, Arc<World>, ClusterId) {
    let clock = SimClock::new();
    let world = World::new(clock.clone(), seed);
    let cluster = world.add_cluster(ClusterSpec::new("acme", CLUSTER, "123456789012", super::market::REGION));
    (clock, world, cluster)
}

/// The cluster of a seed.
pub(crate) async fn scene(seed: u64, eyes: Option<Eyes>) -> Scene {
    let mut rng = fastrand::Rng::with_seed(seed);
    let (clock, world, cluster) = bare(seed);
    world.fill(&cluster, filled(&mut rng));
    let join = Some(SignedDuration::from_secs(rng.i64(20..=150)));
    let describe_lag = SignedDuration::from_secs(rng.choice([0, 0, 5, 60]).unwrap_or(0));
    world.set_timing(Timing { join, describe_lag, ..Timing::default() });
    let planner = Real::new(stock(&world, &mut rng), eyes, seed.is_multiple_of(ACCOUNTED_EVERY));
    let mut system = System::around(clock, world, SignedDuration::ZERO);
    let (customer, _) = system.register("acme", CLUSTER, "123456789012", super::market::REGION).await;
    let mut policy = ClusterPolicy::default();
    drawn(&mut policy, &mut rng);
    let allowed = policy.budget.allowed(system.world.nodes(&cluster).len());
    allow(&system, &customer, &cluster, |now| *now = policy).await;
    let real = optimizer(&system, planner.clone());
    system.optimizer = Some(execution::optimize::Optimizer { surveyor: Arc::new(Lookout::new(system.ports.clone())), ..real });
    Scene { system, customer, cluster, planner, allowed }
}

/// Small enough that ten thousand are carried out in minutes; some have room, some are nearly full, some have pods that wait.
fn filled(rng: &mut fastrand::Rng) -> Filling {
    let asked_percent = rng.choice([(20, 50), (40, 75), (60, 95), (80, 110)]).unwrap_or((20, 50));
    let constrained_percent = rng.choice([10, 30, 30, 60]).unwrap_or(30);
    let mut filling = filling(rng, &Scale { nodes: (3, 20), pods: (10, 110), constrained_percent, asked_percent, judged: false });
    let mixed = rng.u8(..4) == 0;
    for node in &mut filling.nodes {
        if !mixed && node.pool.instance_type.as_str() == "m7g.xlarge" {
            node.pool.instance_type = InstanceType::parse("m6i.xlarge").unwrap();
        }
        match rng.u8(..50) {
            0 => {}
            1 => drop(node.tags.insert(PROTECT_TAG.to_owned(), "true".to_owned())),
            _ => drop(node.tags.insert(CLUSTER_TAG.to_owned(), CLUSTER.to_owned())),
        }
    }
    if rng.u8(..3) > 0 {
        unblock(&mut filling);
    }
    if filling.nodes.len() < 10 {
        one_port(&mut filling);
    }
    for daemons in &mut filling.daemon_sets {
        if rng.u8(..4) == 0 {
            daemons.pod.scheduling.node_selector.insert("example.com/team".to_owned(), "red".to_owned());
        }
    }
    filling
}

/// Takes away what forbids moving pods at all: what is left to try is where they go.
fn unblock(filling: &mut Filling) {
    filling.cordoned.clear();
    filling.bare_pods.clear();
    filling.budgets.retain(|budget| !budget.name.ends_with("-again"));
    for budget in &mut filling.budgets {
        if let Allows::MaxUnavailable(_) | Allows::MinAvailable(_) = budget.allows {
            budget.allows = Allows::MaxUnavailable(1);
        }
    }
    filling.nodes.iter_mut().for_each(|node| node.owner = NodeOwner::CloudOptim);
    let workloads = filling.deployments.iter_mut().chain(&mut filling.stateful_sets).chain(&mut filling.jobs);
    for workload in workloads {
        workload.pod.do_not_disrupt = false;
        if workload.pod.volume == Some(Volume::Local) {
            workload.pod.volume = Some(Volume::Zonal);
        }
    }
}

/// Whoever wants a port of the node wants the same one: in a small cluster there are soon no more nodes for it.
fn one_port(filling: &mut Filling) {
    let workloads = filling.deployments.iter_mut().chain(&mut filling.stateful_sets).chain(&mut filling.jobs);
    for port in workloads.flat_map(|workload| &mut workload.pod.scheduling.host_ports) {
        (port.ip, port.protocol, port.port) = (String::new(), "TCP".to_owned(), 8080);
    }
}

/// What the customer allows.
fn drawn(policy: &mut ClusterPolicy, rng: &mut fastrand::Rng) {
    policy.budget = DisruptionBudget { nodes_percent_max: rng.choice([10, 34, 50, 100]).unwrap_or(34), nodes_max: rng.u32(2..=8) };
    let optimization = &mut policy.optimization;
    // One answer at a time: where all levers are allowed, the later ones seldom get their turn.
    let turn = rng.u8(..5);
    let mode = |turns: [u8; 3]| if turns.contains(&turn) { Mode::Auto } else { Mode::Observe };
    (optimization.spot, optimization.bin_packing, optimization.rightsizing) = (mode([0, 1, 1]), mode([0, 2, 3]), mode([0, 3, 4]));
    optimization.saving_percent_min = rng.u32(1..=15);
    optimization.saving_per_hour_min.0 = rng.choice([0, 1_000, 5_000]).unwrap_or(0);
    optimization.spot_pools_min = rng.u32(1..=5);
    optimization.pool_share_percent_max = rng.choice([33, 100]).unwrap_or(33);
    optimization.on_demand_percent_min = rng.choice([0, 0, 0, 40]).unwrap_or(0);
    optimization.arm64 = rng.bool();
    optimization.node_age_min_minutes = rng.choice([0, 60]).unwrap_or(60);
    optimization.cool_down_minutes = rng.choice([5, 60]).unwrap_or(60);
}

impl Scene {
    /// Asks for a round of this name.
    pub(crate) async fn ask(&self, round: &str, dry_run: bool) {
        let (customer, cluster) = (self.customer.clone(), self.cluster.clone());
        let asked_by = "a law".to_owned();
        let round = Round { customer, cluster, round: round.to_owned(), asked_by, types: Vec::new(), dry_run, nodes: None };
        self.system.queue.ask(&round).await.unwrap();
    }
}
