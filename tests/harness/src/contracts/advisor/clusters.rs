//! Clusters by seed, as a decision server is asked about them.

use domain::Timestamp;
use domain::catalog::Arch;
use domain::decision::{CONTRACT_VERSION, ClusterState, Constraints, DecisionRequest, DecisionType};
use domain::ids::{InstanceType, Region, Zone};
use domain::market::{PriceSource, Quote};
use domain::node::NodeOwner;
use domain::offering::{CapacityType, Pool};
use domain::pod::{Controller, PodBudget, Selector};
use domain::policy::OptimizationPolicy;
use domain::scheduling::{Resources, Scheduling};
use domain::snapshot::{Placed, PodClass, SNAPSHOT_VERSION, Snapshot, SnapshotNode, Subnet};
use fastrand::Rng;
use planning::public_data::Catalogue;
use std::collections::BTreeMap;

const MIB: u64 = 1 << 20;
const TYPES: [&str; 6] = ["m6i.xlarge", "m6i.2xlarge", "c6i.2xlarge", "r6i.xlarge", "m5.2xlarge", "m6i.4xlarge"];

/// The zones of the cluster.
pub fn zones() -> [&'static str; 3] {
    ["us-east-1a", "us-east-1b", "us-east-1c"]
}

/// How large a cluster is.
#[derive(Debug, Clone, Copy)]
pub struct Shape {
    /// Nodes.
    pub nodes: usize,
    /// Kinds of pods.
    pub classes: usize,
    /// Pods per node, as far as they fit.
    pub pods_per_node: u32,
}

/// A cluster of up to twenty nodes, half empty, with something of everything that holds pods in place.
pub fn small(seed: u64, kind: DecisionType) -> DecisionRequest {
    let nodes = Rng::with_seed(seed).usize(1..20);
    cluster(seed, kind, Shape { nodes, classes: 12, pods_per_node: 8 })
}

/// The time of every snapshot.
fn now() -> Timestamp {
    "2026-11-01T12:00:00Z".parse().unwrap()
}

fn id<T: TryFrom<String>>(text: impl Into<String>) -> T
where
    T::Error: std::fmt::Debug,
{
    text.into().try_into().unwrap()
}

/// A cluster by seed.
pub fn cluster(seed: u64, kind: DecisionType, shape: Shape) -> DecisionRequest {
    let mut rng = Rng::with_seed(seed);
    let classes: Vec<PodClass> = (0..shape.classes).map(|index| class(index, &mut rng)).collect();
    let nodes: Vec<SnapshotNode> = (0..shape.nodes).map(|index| node(index, &classes, shape.pods_per_node, &mut rng)).collect();
    let on_spot = |node: &&SnapshotNode| node.pool.as_ref().is_some_and(|pool| pool.capacity == CapacityType::Spot);
    let spot = u32::try_from(nodes.iter().filter(on_spot).count()).unwrap();
    let count = u32::try_from(nodes.len()).unwrap();
    let cost: i64 = nodes.iter().filter_map(|node| node.price).map(|quote| quote.price_per_hour.0).sum();
    DecisionRequest {
        version: CONTRACT_VERSION,
        request_id: format!("seed-{seed}-{}", kind.as_str()),
        cluster_id: id("c-1"),
        decision_type: kind,
        cluster_state: ClusterState {
            cluster_id: id("c-1"),
            node_count: count,
            total_cpu: nodes.iter().map(|node| node.allocatable.cpu_millis as f64 / 1000.0).sum(),
            total_memory: nodes.iter().map(|node| node.allocatable.memory_bytes as f64 / (1024 * MIB) as f64).sum(),
            pod_count: nodes.iter().flat_map(|node| &node.pods).map(|placed| placed.count).sum(),
            spot_node_count: spot,
            on_demand_node_count: count - spot,
            current_cost_per_hour: cost as f64 / 1e6,
        },
        snapshot: Snapshot {
            version: SNAPSHOT_VERSION,
            cluster: id("c-1"),
            region: id("us-east-1"),
            taken_at: now(),
            subnets: zones().map(|zone| Subnet { id: id(format!("subnet-{zone}")), zone: id(zone) }).to_vec(),
            nodes,
            classes,
            pending: Vec::new(),
            budgets: Some(vec![budget("app-1", 1), budget("app-2", 50)]),
            parts: Vec::new(),
        },
        requirements: OptimizationPolicy::default(),
        constraints: Constraints { now: Some(now()), nodes_max: (count / 3).max(1), ..Constraints::default() },
    }
}

/// Wants so many of fifty pods healthy.
fn budget(app: &str, desired_healthy: i32) -> PodBudget {
    let selector = Selector { match_labels: BTreeMap::from([("app".to_owned(), app.to_owned())]), match_expressions: Vec::new() };
    PodBudget {
        namespace: "shop".to_owned(),
        name: app.to_owned(),
        selector: Some(selector),
        disruptions_allowed: 1,
        current_healthy: 50,
        desired_healthy,
        expected_pods: 50,
    }
}

/// The first is a DaemonSet's; of the others one in eight has something against being moved.
fn class(index: usize, rng: &mut Rng) -> PodClass {
    let daemon = index == 0;
    let odd = if daemon { 0 } else { rng.u8(0..48) };
    let kind = if daemon { "DaemonSet" } else { "ReplicaSet" };
    let mut scheduling = Scheduling::default();
    match odd {
        1 => scheduling.pinned = true,
        2 => scheduling.foreign_scheduler = Some("batch-scheduler".to_owned()),
        3..6 => drop(scheduling.node_selector.insert("topology.kubernetes.io/zone".to_owned(), zones()[rng.usize(0..3)].to_owned())),
        _ => {}
    }
    PodClass {
        namespace: "shop".to_owned(),
        controller: (odd != 6).then(|| Controller { kind: kind.to_owned(), name: format!("app-{index}") }),
        labels: BTreeMap::from([("app".to_owned(), format!("app-{index}"))]),
        requests: Resources::new(rng.u64(1..8) * 50, rng.u64(1..8) * 128 * MIB),
        scheduling,
        priority: 0,
        grace_s: 30,
        do_not_disrupt: odd == 7,
        daemon,
        mirror: false,
        empty_dir: rng.bool(),
        arches: if rng.bool() { vec![Arch::Amd64] } else { vec![Arch::Amd64, Arch::Arm64] },
        usage: None,
    }
}

fn node(index: usize, classes: &[PodClass], pods: u32, rng: &mut Rng) -> SnapshotNode {
    let catalogue = Catalogue::embedded();
    let region: Region = id("us-east-1");
    let instance_type: InstanceType = id(TYPES[rng.usize(0..TYPES.len())]);
    let zone: Zone = id(zones()[rng.usize(0..3)]);
    let capacity = if rng.u8(0..4) == 0 { CapacityType::Spot } else { CapacityType::OnDemand };
    let info = catalogue.get(&instance_type).unwrap();
    let quote = match capacity {
        CapacityType::OnDemand => catalogue.on_demand_quote(&region, &instance_type),
        CapacityType::Spot => catalogue.spot_estimate(&region, &instance_type),
    };
    let odd = rng.u8(0..40);
    let name = format!("ip-10-{}-{}-{}.ec2.internal", index / 65_536, index / 256 % 256, index % 256);
    let labels = [
        ("kubernetes.io/hostname", name.as_str()),
        ("kubernetes.io/arch", info.arch.as_str()),
        ("kubernetes.io/os", "linux"),
        ("node.kubernetes.io/instance-type", instance_type.as_str()),
        ("topology.kubernetes.io/region", "us-east-1"),
        ("topology.kubernetes.io/zone", zone.as_str()),
        ("karpenter.sh/capacity-type", capacity.as_str()),
        ("team", "shop"),
    ];
    SnapshotNode {
        name: id(name.clone()),
        uid: id(format!("{:08x}-0000-4000-8000-{:012x}", rng.u32(..), index)),
        instance: Some(id(format!("i-{:08x}{index:09x}", rng.u32(..)))),
        pool: Some(Pool { instance_type: instance_type.clone(), zone: zone.clone(), capacity }),
        owner: if odd == 0 { NodeOwner::AutoScalingGroup { group: "asg".to_owned() } } else { NodeOwner::CloudOptim },
        labels: labels.into_iter().map(|(key, value)| (key.to_owned(), value.to_owned())).collect(),
        taints: Vec::new(),
        unschedulable: odd == 1,
        ready: odd != 2,
        do_not_disrupt: odd == 3,
        allocatable: Resources::new(info.allocatable_cpu_millis, info.allocatable_memory_bytes),
        pods_max: info.pods_max,
        usage: None,
        price: quote.filter(|_| odd != 4).map(|quote| Quote { source: PriceSource::Observed { at: now() }, ..quote }),
        created_at: if odd == 5 { Some(now()) } else { "2026-10-01T00:00:00Z".parse().ok() },
        last_pod_event_at: None,
        pods: fill(classes, &zone, info.allocatable_cpu_millis, info.allocatable_memory_bytes, pods, rng),
    }
}

/// One DaemonSet's pod, and others as long as they fit.
fn fill(classes: &[PodClass], zone: &Zone, cpu_millis: u64, memory_bytes: u64, pods: u32, rng: &mut Rng) -> Vec<Placed> {
    let mut free = Resources::new(cpu_millis, memory_bytes);
    free.take(&classes[0].requests, 1);
    let mut placed = BTreeMap::from([(0_usize, 1_u32)]);
    for _ in 0..pods {
        let index = rng.usize(1..classes.len());
        let zoned = classes[index].scheduling.node_selector.get("topology.kubernetes.io/zone");
        if free.covers(&classes[index].requests) && zoned.is_none_or(|wanted| wanted == zone.as_str()) {
            free.take(&classes[index].requests, 1);
            *placed.entry(index).or_default() += 1;
        }
    }
    placed.into_iter().map(|(index, count)| Placed { class: u32::try_from(index).unwrap(), count }).collect()
}
