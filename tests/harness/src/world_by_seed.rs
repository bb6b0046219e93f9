//! A world drawn from one seed: its size, its workloads, its faults, and what happens to it. Seeds draw the odds, too, so that
//! some worlds are calm and some are terrible.

use crate::plans::{BySeed, endable, savings_are_true};
use crate::system::System;
use domain::SignedDuration;
use domain::ids::{ClusterId, InstanceId, InstanceType, Zone};
use domain::interruption::SPOT_NOTICE;
use domain::node::NodeOwner;
use domain::offering::{CapacityType, Pool};
use domain::policy::RebalancePolicy;
use domain::ports::Registry;
use sim::checkers::{Rest, Watch, at_rest};
use sim::clock::SimClock;
use sim::faults::{ALL, Fault};
use sim::store::Which;
use sim::world::{Allows, ClusterSpec, NodeSpec, PdbSpec, Timing, WorkloadSpec, World};
use std::cell::RefCell;

const CUSTOMER: &str = "acme";
const CLUSTER: &str = "shop";
const ACCOUNT: &str = "123456789012";
const REGION: &str = "us-east-1";

/// Runs one seed in a runtime of its own whose time is virtual.
///
/// # Errors
/// The law that was broken.
pub fn run(seed: u64) -> Result<(), String> {
    run_changed(seed, |_| {})
}

/// The same in a system that was changed before anything happens: for mutants.
///
/// # Errors
/// The law that was broken.
pub fn run_changed(seed: u64, change: impl FnOnce(&mut System)) -> Result<(), String> {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_time().start_paused(true).build().map_err(|e| e.to_string())?;
    runtime.block_on(one(seed, SignedDuration::ZERO, change))
}

/// The same in a world whose calls take time, so that workers who are at one plan at once get in each other's way: without that, each
/// is done before the next one begins.
///
/// # Errors
/// The law that was broken.
pub fn run_side_by_side(seed: u64, change: impl FnOnce(&mut System)) -> Result<(), String> {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_time().start_paused(true).build().map_err(|e| e.to_string())?;
    runtime.block_on(one(seed, SignedDuration::from_millis(50), |system| {
        system.together = true;
        change(system);
    }))
}

async fn one(seed: u64, delay: SignedDuration, change: impl FnOnce(&mut System)) -> Result<(), String> {
    let mut rng = fastrand::Rng::with_seed(seed);
    let clock = SimClock::new();
    let world = World::new(clock.clone(), seed);
    let cluster = world.add_cluster(ClusterSpec::new(CUSTOMER, CLUSTER, ACCOUNT, REGION));
    let nodes = populate(&world, &cluster, &mut rng);
    let mut system = System::around(clock, world, delay);
    let (customer, _) = system.register(CUSTOMER, CLUSTER, ACCOUNT, REGION).await;
    // In every fourth world messages are worked on side by side: two workers on one plan are nothing special there.
    system.together = seed % 4 == 3;
    change(&mut system);
    if rng.u8(..4) == 0 {
        let mut record = system.store.cluster(&customer, &cluster).await.map_err(|e| e.to_string())?.ok_or("no cluster")?;
        record.policy.interruption.rebalance = RebalancePolicy::ReplaceThenDrain;
        record.version += 1;
        system.store.put_cluster(&record, Some(record.version - 1)).await.map_err(|e| e.to_string())?;
    }
    let mut plans = BySeed::join(&mut system, &customer, &cluster, seed).await;
    let watch = RefCell::new(Watch::over(&system.world, &cluster));
    let broken = RefCell::new(None);
    let asks = RefCell::new(plans.as_mut());
    let check = |system: &System| {
        let mut watch = watch.borrow_mut();
        let planned = asks.borrow().as_ref().map_or(Ok(()), |plans| plans.look(system, &mut watch));
        if let Err(law) = planned.and_then(|()| watch.look(&system.world, &cluster)) {
            broken.borrow_mut().get_or_insert(law);
        }
    };
    inject(&system, &mut rng);
    let mut noticed = Vec::new();
    for _ in 0..rng.usize(1..=3) {
        let victim = nodes[rng.usize(..nodes.len())].clone();
        happen(&system, &victim, &mut rng, &mut noticed);
        watch.borrow_mut().noticed(&victim);
        if let Some(plans) = asks.borrow_mut().as_mut() {
            plans.ask(&system);
        }
        system.run(SignedDuration::from_secs(rng.i64(0..150)), check).await;
    }
    system.run(SignedDuration::from_secs(rng.i64(60..1200)), check).await;
    // Safety is over: the faults stop, and everything pending must end.
    system.gate.script(|_| None);
    // Ten minutes in any case, so that the sweep finds what was lost; then for as long as anything is under way.
    for turn in 0..24 {
        system.run(SignedDuration::from_mins(10), check).await;
        if turn > 0 && system.quiet() {
            break;
        }
    }
    if asks.borrow().is_some() {
        // Rounds go on, as the schedule's do: one enters what has ended meanwhile. Where it finds a plan that was decided and never
        // opened, because whoever decided had died, it opens that one, and the next enters it. There is no third.
        for _ in 0..2 {
            asks.borrow_mut().as_mut().iter_mut().for_each(|plans| plans.last(&system));
            for _ in 0..12 {
                system.run(SignedDuration::from_mins(10), check).await;
                if system.quiet() {
                    break;
                }
            }
        }
    }
    if let Some(law) = broken.into_inner() {
        return Err(law);
    }
    if system.optimizer.is_some() {
        savings_are_true(&system)?;
    }
    crate::told::told(&system)?;
    let dead = system.queue.dead_letters();
    // What was given up as often as SQS gives up is found again by the sweep, unless it was only a hint.
    let interrupted: Vec<InstanceId> = noticed.into_iter().filter(|_| dead.is_empty()).collect();
    at_rest(&Rest { world: &system.world, store: &system.store, cluster: &cluster, noticed: &interrupted })
}

/// Two to five nodes, some workloads, some budgets, some shortages.
fn populate(world: &World, cluster: &ClusterId, rng: &mut fastrand::Rng) -> Vec<InstanceId> {
    let mut timing = Timing { describe_lag: SignedDuration::from_secs(rng.choice([0, 0, 5, 60, 250]).unwrap_or(0)), ..Timing::default() };
    if rng.u8(..10) == 0 {
        timing.join = None;
    } else {
        timing.join = Some(SignedDuration::from_secs(rng.i64(20..200)));
    }
    world.set_timing(timing);
    let zones = ["us-east-1a", "us-east-1b", "us-east-1c"];
    let mut nodes = Vec::new();
    for _ in 0..rng.usize(2..=5) {
        let zone = zones[rng.usize(..zones.len())];
        let kind = *rng.choice(&["m6i.large", "m6i.xlarge", "c6i.xlarge"]).unwrap_or(&"m6i.large");
        let capacity = if rng.u8(..5) == 0 { CapacityType::OnDemand } else { CapacityType::Spot };
        let mut spec = NodeSpec::new(kind, zone, capacity);
        spec.owner = match rng.u8(..8) {
            0 => NodeOwner::AutoScalingGroup { group: "workers".to_owned() },
            1 => NodeOwner::ManagedNodeGroup { group: "managed".to_owned() },
            2 => NodeOwner::Karpenter { claim: "default".to_owned() },
            _ => NodeOwner::CloudOptim,
        };
        nodes.push(world.add_node(cluster, endable(spec, CLUSTER)));
    }
    for index in 0..rng.u32(1..=4) {
        let mut spec = WorkloadSpec::new(&format!("app-{index}"), rng.u32(1..=4));
        spec.pod.grace_s = rng.choice([1, 30, 60, 300]).unwrap_or(30);
        spec.pod.exit_s = rng.u32(0..40);
        spec.pod.do_not_disrupt = rng.u8(..12) == 0;
        spec.pod.never_ready = rng.u8(..16) == 0;
        spec.on = nodes.clone();
        let name = spec.name.clone();
        world.add_deployment(cluster, spec);
        if rng.bool() {
            let allows = if rng.bool() { Allows::MinAvailable(rng.u32(0..4)) } else { Allows::MaxUnavailable(rng.u32(0..2)) };
            world.add_pdb(cluster, PdbSpec::new(&name, allows));
        }
    }
    for zone in zones {
        for capacity in [CapacityType::Spot, CapacityType::OnDemand] {
            if rng.u8(..4) == 0 {
                let instance_type = InstanceType::parse("m6i.large").unwrap();
                world.set_capacity(&Pool { instance_type, zone: Zone::parse(zone).unwrap(), capacity }, rng.u32(0..2));
            }
        }
    }
    nodes
}

/// Draws the odds of this world's faults.
fn inject(system: &System, rng: &mut fastrand::Rng) {
    let fails = rng.choice([0.0, 0.01, 0.05, 0.15, 0.3]).unwrap_or(0.0);
    let crashes = rng.choice([0.0, 0.0, 0.01, 0.04]).unwrap_or(0.0);
    let mut dice = rng.fork();
    system.gate.script(move |_| {
        let roll = dice.f64();
        if roll < crashes {
            return dice.choice([Fault::CrashBefore, Fault::CrashAfter]);
        }
        (roll < crashes + fails).then(|| ALL[dice.usize(..5)])
    });
}

/// One thing that AWS does, and what it says of it: perhaps twice, late, never, or in another order.
fn happen(system: &System, victim: &InstanceId, rng: &mut fastrand::Rng, noticed: &mut Vec<InstanceId>) {
    let world = &system.world;
    if !world.instance(victim).is_some_and(|i| i.state.live()) {
        return;
    }
    match rng.u8(..8) {
        0 => send(system, &world.rebalance(victim), rng),
        1 => {
            let rebalance = world.rebalance(victim);
            let warning = world.interrupt(victim, SPOT_NOTICE);
            send(system, &warning, rng);
            send(system, &rebalance, rng);
            noticed.push(victim.clone());
        }
        2 => {
            // The notice never comes: only the sweep can find it.
            world.interrupt(victim, SPOT_NOTICE);
        }
        3 => {
            world.human_terminates(victim);
            send(system, &world.state_change(victim), rng);
        }
        _ => {
            let warning = world.interrupt(victim, SPOT_NOTICE);
            send(system, &warning, rng);
            noticed.push(victim.clone());
        }
    }
}

/// Delivers a body one to three times, each perhaps late.
fn send(system: &System, body: &str, rng: &mut fastrand::Rng) {
    let copies = if rng.u8(..4) == 0 { rng.usize(2..=3) } else { 1 };
    for copy in 0..copies {
        let delay = if copy == 0 { rng.i64(0..3) } else { rng.i64(0..300) };
        system.queue.put(Which::Interruptions, body.to_owned(), SignedDuration::from_secs(delay));
    }
}
