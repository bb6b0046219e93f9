//! Clusters by seed, for tests: some dozens of nodes of several types, zones, owners, and workloads of which about a third of the
//! pods ask for something special.

mod asks;

use super::World;
use super::filling::Filling;
use super::minted;
use super::spec::{Allows, ClusterSpec, NodeSpec, PdbSpec, PodShape, WorkloadSpec};
use asks::special;
use domain::ids::ClusterId;
use domain::node::{NodeOwner, Taint};
use domain::offering::CapacityType;
use domain::ports::Clock;
use fastrand::Rng;
use jiff::SignedDuration;
use std::sync::Arc;

/// How large and how special a random cluster is.
#[derive(Debug, Clone)]
pub struct Scale {
    /// How many nodes, at least and at most.
    pub nodes: (usize, usize),
    /// How many pods, without those of DaemonSets; about.
    pub pods: (u32, u32),
    /// Of 100 workloads, how many have constraints.
    pub constrained_percent: u32,
    /// How much of the CPU is asked for, in per cent, at least and at most.
    pub asked_percent: (u64, u64),
    /// Whether the first bindings are judged too, which takes longer than all the rest.
    pub judged: bool,
}

impl Default for Scale {
    /// 5 to 40 nodes, 20 to 300 pods, 30 % of the workloads constrained, 25 to 75 % of the CPU asked for.
    fn default() -> Scale {
        Scale { nodes: (5, 40), pods: (20, 300), constrained_percent: 30, asked_percent: (25, 75), judged: false }
    }
}

const ZONES: [&str; 3] = ["us-east-1a", "us-east-1b", "us-east-1c"];
const TYPES: [&str; 9] =
    ["m6i.large", "m6i.xlarge", "m6i.2xlarge", "c6i.large", "c6i.xlarge", "r6i.large", "r6i.xlarge", "m5.xlarge", "m7g.xlarge"];
/// Namespaces of workloads.
const NAMESPACES: [&str; 3] = ["default", "shop", "batch"];
/// The taint of nodes that are set apart; some workloads tolerate it.
pub(crate) const DEDICATED: &str = "dedicated";
/// A label that some nodes have, with a team's name.
pub(crate) const TEAM: &str = "example.com/team";
/// A label with a number, for Gt and Lt.
pub(crate) const DISKS: &str = "example.com/disks";

impl World {
    /// A world with one cluster made from a seed; everything is scheduled.
    pub fn random(clock: Arc<dyn Clock>, seed: u64, scale: &Scale) -> (Arc<World>, ClusterId) {
        let world = World::new(clock, seed);
        let cluster = world.add_cluster(ClusterSpec::new("acme", "c-1", "123456789012", "us-east-1"));
        if scale.judged {
            world.judge_bindings(&cluster);
        }
        world.fill(&cluster, filling(&mut Rng::with_seed(seed), scale));
        (world, cluster)
    }
}

/// What a random cluster is filled with.
pub fn filling(rng: &mut Rng, scale: &Scale) -> Filling {
    let count = rng.usize(scale.nodes.0..=scale.nodes.1);
    let nodes: Vec<NodeSpec> = (0..count).map(|_| node(rng)).collect();
    let cordoned = (0..count).filter(|_| rng.u32(..100) < 5).collect();
    let mut filling = Filling { nodes, cordoned, ..Filling::default() };
    for index in 0..rng.u32(1..=3) {
        let mut spec = WorkloadSpec { namespace: "kube-system".to_owned(), ..WorkloadSpec::new(&format!("agent-{index}"), 0) };
        spec.pod.cpu_millis = [10, 50, 100][rng.usize(..3)];
        spec.pod.memory_bytes = rng.u64(32..=200) << 20;
        filling.daemon_sets.push(spec);
    }
    workloads(rng, scale, &mut filling);
    filling
}

/// A large cluster without constraints: so many nodes of 16 cores and so many pods of so many Deployments, half of the CPU asked for.
pub fn large(nodes: usize, pods: u32, shapes: u32, seed: u64) -> Filling {
    let mut rng = Rng::with_seed(seed);
    let mut filling = Filling::default();
    for number in 0..nodes {
        let capacity = if rng.bool() { CapacityType::Spot } else { CapacityType::OnDemand };
        filling.nodes.push(NodeSpec::new("m6i.4xlarge", ZONES[number % ZONES.len()], capacity));
    }
    let cpu: u64 = filling.nodes.iter().map(|node| node.cpu_millis).sum();
    let mean = cpu / u64::from(pods.max(1)) / 2;
    for number in 0..shapes {
        let replicas = pods / shapes + u32::from(number < pods % shapes);
        let mut spec = WorkloadSpec { pod: ordinary(&mut rng, mean), ..WorkloadSpec::new(&format!("app-{number}"), replicas) };
        NAMESPACES[rng.usize(..NAMESPACES.len())].clone_into(&mut spec.namespace);
        filling.deployments.push(spec);
    }
    filling
}

fn node(rng: &mut Rng) -> NodeSpec {
    let capacity = if rng.bool() { CapacityType::Spot } else { CapacityType::OnDemand };
    let mut spec = NodeSpec::new(TYPES[rng.usize(..TYPES.len())], ZONES[rng.usize(..ZONES.len())], capacity);
    spec.owner = match rng.u32(..100) {
        0..=6 => NodeOwner::AutoScalingGroup { group: "workers".to_owned() },
        7..=13 => NodeOwner::ManagedNodeGroup { group: "managed".to_owned() },
        14..=20 => NodeOwner::Karpenter { claim: "general".to_owned() },
        _ => NodeOwner::CloudOptim,
    };
    spec.age = SignedDuration::from_mins(rng.i64(30..=60 * 24 * 30));
    if rng.u32(..100) < 25 {
        spec.labels.insert(TEAM.to_owned(), ["red", "blue"][rng.usize(..2)].to_owned());
    }
    if rng.u32(..100) < 40 {
        spec.labels.insert(DISKS.to_owned(), rng.u32(0..=4).to_string());
    }
    let effect = match rng.u32(..100) {
        0..=4 => "NoSchedule",
        5..=6 => "NoExecute",
        7..=9 => "PreferNoSchedule",
        _ => return spec,
    };
    spec.taints.push(Taint { key: DEDICATED.to_owned(), value: "batch".to_owned(), effect: effect.to_owned(), time_added: None });
    spec
}

/// Adds workloads until there are as many pods as there should be.
fn workloads(rng: &mut Rng, scale: &Scale, filling: &mut Filling) {
    let wanted = rng.u32(scale.pods.0..=scale.pods.1);
    let cpu: u64 = filling.nodes.iter().map(|node| node.cpu_millis).sum();
    let mean = (cpu * rng.u64(scale.asked_percent.0..=scale.asked_percent.1) / 100 / u64::from(wanted)).max(20);
    let (mut have, mut index) = (0, 0);
    while have < wanted {
        let largest = if rng.u32(..5) == 0 { 25 } else { 8 };
        let replicas = rng.u32(1..=largest).min(wanted - have);
        let mut spec = WorkloadSpec::new(&format!("app-{index}"), replicas);
        NAMESPACES[rng.usize(..NAMESPACES.len())].clone_into(&mut spec.namespace);
        spec.pod = ordinary(rng, mean);
        spec.pod.labels.insert("app".to_owned(), spec.name.clone());
        spec.pod.labels.insert("tier".to_owned(), ["front", "back"][rng.usize(..2)].to_owned());
        let constrained = rng.u32(..100) < scale.constrained_percent;
        if constrained {
            special(rng, &mut spec, index);
        }
        have += spec.replicas;
        index += 1;
        file(rng, filling, spec);
    }
}

fn file(rng: &mut Rng, filling: &mut Filling, mut spec: WorkloadSpec) {
    if rng.u32(..100) < 40 {
        budgets(rng, filling, &spec);
    }
    let stateful = spec.pod.volume.is_some();
    match rng.u32(..100) {
        _ if stateful => filling.stateful_sets.push(spec),
        0..=7 => filling.stateful_sets.push(spec),
        8..=14 => filling.jobs.push(spec),
        15..=16 => {
            spec.pod.labels.insert("bare".to_owned(), "true".to_owned());
            filling.bare_pods.push((spec.name, spec.pod));
        }
        _ => filling.deployments.push(spec),
    }
}

fn budgets(rng: &mut Rng, filling: &mut Filling, spec: &WorkloadSpec) {
    let allows = match rng.u32(..100) {
        0..=49 => Allows::MaxUnavailable(1),
        50..=64 => Allows::MaxUnavailablePercent(25),
        65..=79 => Allows::MinAvailablePercent(50),
        80..=89 => Allows::MinAvailable(spec.replicas.saturating_sub(1)),
        // These never allow anything.
        90..=94 => Allows::MinAvailable(spec.replicas),
        _ => Allows::MaxUnavailable(0),
    };
    let budget = PdbSpec { namespace: spec.namespace.clone(), ..PdbSpec::new(&spec.name, allows) };
    // Two budgets over one pod: it can never be evicted.
    if rng.u32(..100) < 4 {
        filling.budgets.push(PdbSpec { name: format!("{}-again", spec.name), ..budget.clone() });
    }
    filling.budgets.push(budget);
}

/// A pod without constraints.
fn ordinary(rng: &mut Rng, mean_cpu_millis: u64) -> PodShape {
    let cpu_millis = mean_cpu_millis * rng.u64(25..=250) / 137;
    PodShape {
        cpu_millis,
        memory_bytes: (cpu_millis * rng.u64(1..=4)) << 20,
        grace_s: rng.u32(5..=60),
        exit_s: rng.u32(0..=10),
        start_s: rng.u32(1..=20),
        priority: if rng.u32(..10) == 0 { rng.i32(-10..=1000) } else { 0 },
        empty_dir: rng.u32(..10) == 0,
        ..PodShape::default()
    }
}

/// A zone, by chance.
pub(crate) fn any_zone(rng: &mut Rng) -> String {
    minted::<domain::ids::Zone>(ZONES[rng.usize(..ZONES.len())]).to_string()
}
