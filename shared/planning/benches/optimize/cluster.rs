//! A large cluster out of a seed: thirty pods on a node, in 120 shapes, 25 % of them with constraints and 30 % with preferences of
//! their own.

use domain::catalog::{Arch, Hypervisor, TypeInfo};
use domain::decision::{CONTRACT_VERSION, ClusterState, Constraints, DecisionRequest, DecisionType};
use domain::ids::{ClusterId, InstanceId, InstanceType, NodeName, NodeUid, Region, SubnetId, Zone};
use domain::market::{PriceSource, Quote};
use domain::money::MicroDollars;
use domain::node::NodeOwner;
use domain::offering::{CapacityType, Pool};
use domain::pod::{Controller, PodBudget, Selector};
use domain::policy::OptimizationPolicy;
use domain::scheduling::{PodTerm, Resources, Scheduling, Spread, Toleration, Weighted};
use domain::snapshot::{Placed, PodClass, SNAPSHOT_VERSION, Snapshot, SnapshotNode, Subnet};
use planning::optimize::{Market, Offer};
use std::collections::BTreeMap;

const GIB: u64 = 1 << 30;
const ZONES: [&str; 3] = ["us-east-1a", "us-east-1b", "us-east-1c"];
const SHAPES: u32 = 120;
const HOST: &str = "kubernetes.io/hostname";
const ZONE: &str = "topology.kubernetes.io/zone";

fn zone(at: usize) -> Zone {
    Zone::parse(ZONES[at % 3]).expect("a zone")
}

fn quote(price: i64) -> Quote {
    let at = "2026-01-15T12:00:00Z".parse().expect("a time");
    Quote { price_per_hour: MicroDollars(price), source: PriceSource::Observed { at } }
}

/// Three categories in five generations and seven sizes, with the ratios of price that EC2 has between them.
pub(crate) fn market() -> Market {
    let mut market = Market::default();
    let sizes = [("large", 2_u32), ("xlarge", 4), ("2xlarge", 8), ("4xlarge", 16), ("8xlarge", 32), ("12xlarge", 48), ("24xlarge", 96)];
    for (category, gib, per_core) in [("c", 2_u64, 42_500_i64), ("m", 4, 48_000), ("r", 8, 63_000)] {
        for (generation, letter, percent) in [(5, "", 100), (6, "i", 100), (6, "a", 90), (7, "i", 105), (7, "a", 120)] {
            for (size, vcpu) in sizes {
                let name = InstanceType::parse(format!("{category}{generation}{letter}.{size}")).expect("a type");
                let memory = u64::from(vcpu) * gib * GIB;
                for at in 0..3 {
                    let price = per_core * i64::from(vcpu) * percent / 100;
                    for (capacity, price) in [(CapacityType::OnDemand, price), (CapacityType::Spot, price * (35 + 3 * at) / 100)] {
                        let place = usize::try_from(at).expect("0 to 2");
                        market.offers.push(Offer {
                            pool: Pool { instance_type: name.clone(), zone: zone(place), capacity },
                            quote: Some(quote(price)),
                            interruption_cost_per_hour: MicroDollars(500),
                            risk: None,
                        });
                    }
                }
                market.types.insert(name.clone(), info(name, category, generation, vcpu, memory));
            }
        }
    }
    market
}

fn info(name: InstanceType, category: &str, generation: u32, vcpu: u32, memory: u64) -> TypeInfo {
    TypeInfo {
        name,
        arch: Arch::Amd64,
        vcpu,
        memory_bytes: memory,
        allocatable_cpu_millis: u64::from(vcpu) * 1_000 - 90,
        allocatable_memory_bytes: memory - memory / 12,
        pods_max: match vcpu {
            0..=2 => 29,
            3..=15 => 58,
            16..=31 => 234,
            _ => 737,
        },
        category: category.to_owned(),
        generation,
        current: true,
        gpu_count: 0,
        accelerator_count: 0,
        nvme_bytes: 0,
        flex: false,
        hypervisor: Hypervisor::Nitro,
        coremark: None,
    }
}

fn selector(name: &str) -> Option<Selector> {
    Some(Selector { match_labels: BTreeMap::from([("app".to_owned(), name.to_owned())]), match_expressions: Vec::new() })
}

fn term(app: &str, key: &str) -> PodTerm {
    PodTerm { topology_key: key.to_owned(), selector: selector(app), namespaces: Vec::new(), any_namespace: false }
}

fn liked(app: &str, key: &str) -> Weighted<PodTerm> {
    Weighted { weight: 100, term: term(app, key) }
}

fn spread(app: &str, key: &str, max_skew: u32, hard: bool) -> Spread {
    Spread {
        topology_key: key.to_owned(),
        max_skew,
        hard,
        selector: selector(app),
        min_domains: None,
        honor_affinity: true,
        honor_taints: false,
    }
}

fn class(random: &mut fastrand::Rng, number: u32) -> PodClass {
    let name = format!("app-{number}");
    let cpu = [50, 100, 100, 150, 200, 250, 300, 500][random.usize(..8)];
    let mib = [128, 256, 256, 384, 512, 768, 1_024, 2_048][random.usize(..8)];
    let mut scheduling = Scheduling::default();
    match number % 20 {
        0 => scheduling.anti_affinity.push(term(&name, HOST)),
        1 | 2 => scheduling.spread.push(spread(&name, ZONE, 5, true)),
        3 => scheduling.volume_zones = Some(vec![zone(random.usize(..3))]),
        4 => {
            scheduling.node_selector.insert("team".to_owned(), "red".to_owned());
        }
        // What their owners prefer: company, solitude, and to be spread more evenly than by default.
        5 => scheduling.preferred_affinity.push(liked(&format!("app-{}", number + 1), HOST)),
        6 => scheduling.preferred_affinity.push(liked(&format!("app-{}", number - 1), ZONE)),
        7 | 8 => scheduling.preferred_anti_affinity.push(liked(&name, HOST)),
        9 => scheduling.spread.push(spread(&name, HOST, 1, false)),
        10 => scheduling.spread.push(spread(&name, ZONE, 1, false)),
        _ => {}
    }
    if scheduling.spread.is_empty() {
        // As a snapshot has it from kube-scheduler's own defaults.
        scheduling.spread = vec![spread(&name, HOST, 3, false), spread(&name, ZONE, 5, false)];
    }
    PodClass {
        namespace: "shop".to_owned(),
        controller: Some(Controller { kind: "ReplicaSet".to_owned(), name: name.clone() }),
        labels: BTreeMap::from([("app".to_owned(), name)]),
        requests: Resources::new(cpu, mib << 20),
        scheduling,
        priority: 0,
        grace_s: 30,
        // One in twenty asks to be left alone, on few nodes each.
        do_not_disrupt: number == SHAPES - 1,
        daemon: false,
        mirror: false,
        empty_dir: false,
        arches: vec![Arch::Amd64],
        usage: None,
    }
}

fn daemon() -> PodClass {
    PodClass {
        namespace: "kube-system".to_owned(),
        controller: Some(Controller { kind: "DaemonSet".to_owned(), name: "logs".to_owned() }),
        labels: BTreeMap::new(),
        requests: Resources::new(150, 200 << 20),
        scheduling: Scheduling {
            tolerations: vec![Toleration { key: None, exists: true, value: String::new(), effect: None }],
            ..Scheduling::default()
        },
        priority: 2_000_001_000,
        grace_s: 30,
        do_not_disrupt: false,
        daemon: true,
        mirror: false,
        empty_dir: false,
        arches: vec![Arch::Amd64],
        usage: None,
    }
}

/// How a cluster is filled.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Make {
    /// How many nodes.
    pub(crate) nodes: usize,
    /// What is being decided.
    pub(crate) decision: DecisionType,
    /// Of the dice.
    pub(crate) seed: u64,
    /// How many pods are tried on a node.
    pub(crate) pods: (u32, u32),
    /// At most this part of a node is requested, in percent: between the two, node by node.
    pub(crate) fill: (u64, u64),
    /// Whether every fifth node is a spot node.
    pub(crate) spot: bool,
}

/// Whether the class may be on the node, and how many of it at the most.
fn allowed(class: u32, number: usize, spec: &PodClass, red: bool) -> u32 {
    match class % 20 {
        0 => 1,
        3 => u32::from(spec.scheduling.volume_zones.as_ref().is_none_or(|zones| zones[0] == zone(number))) * 5,
        4 => u32::from(red) * 5,
        _ if class == SHAPES - 1 => u32::from(number % 50 == 7),
        _ => 5,
    }
}

fn node(random: &mut fastrand::Rng, market: &Market, classes: &[PodClass], number: usize, make: &Make) -> SnapshotNode {
    let types = ["m5.xlarge", "m5.2xlarge", "m5.2xlarge", "c5.2xlarge", "r5.xlarge", "m6i.4xlarge"];
    let spot = make.spot && number % 5 == 4;
    let capacity = if spot { CapacityType::Spot } else { CapacityType::OnDemand };
    let pool =
        Pool { instance_type: InstanceType::parse(types[random.usize(..types.len())]).expect("a type"), zone: zone(number), capacity };
    let info = &market.types[&pool.instance_type];
    let red = number.is_multiple_of(7);
    let name = format!("node-{number:05}");
    let mut labels = BTreeMap::from([
        ("kubernetes.io/hostname".to_owned(), name.clone()),
        ("kubernetes.io/arch".to_owned(), "amd64".to_owned()),
        ("topology.kubernetes.io/zone".to_owned(), pool.zone.to_string()),
    ]);
    if red {
        labels.insert("team".to_owned(), "red".to_owned());
    }
    let fill = random.u64(make.fill.0..=make.fill.1);
    let mut left = Resources::new(info.allocatable_cpu_millis * fill / 100, info.allocatable_memory_bytes * fill / 100);
    let mut pods: BTreeMap<u32, u32> = BTreeMap::from([(0, 1)]);
    let wanted = random.u32(make.pods.0..=make.pods.1);
    for _ in 0..wanted {
        let class = random.u32(1..u32::try_from(classes.len()).expect("few"));
        let spec = &classes[class as usize];
        let there = pods.entry(class).or_default();
        if *there < allowed(class, number, spec, red) && left.covers(&spec.requests) {
            left.take(&spec.requests, 1);
            *there += 1;
        }
    }
    pods.retain(|_, count| *count > 0);
    SnapshotNode {
        name: NodeName::parse(name).expect("a name"),
        uid: NodeUid::parse(format!("uid-{number}")).expect("a uid"),
        instance: Some(InstanceId::parse(format!("i-{number:017x}")).expect("an id")),
        price: market.offer(&pool).and_then(|offer| offer.quote),
        owner: if number % 40 == 3 { NodeOwner::ManagedNodeGroup { group: "workers".to_owned() } } else { NodeOwner::CloudOptim },
        labels,
        taints: Vec::new(),
        unschedulable: false,
        ready: number % 200 != 11,
        do_not_disrupt: false,
        allocatable: Resources::new(info.allocatable_cpu_millis, info.allocatable_memory_bytes),
        pods_max: info.pods_max,
        usage: None,
        pool: Some(pool),
        created_at: Some("2026-01-01T00:00:00Z".parse().expect("a time")),
        last_pod_event_at: None,
        pods: pods.into_iter().map(|(class, count)| Placed { class, count }).collect(),
    }
}

/// The request for a cluster of so many nodes, thirty pods on each.
pub(crate) fn request(nodes: usize, decision: DecisionType, seed: u64) -> DecisionRequest {
    make(&Make { nodes, decision, seed, pods: (10, 50), fill: (90, 90), spot: true })
}

/// The request for a cluster that is made so.
pub(crate) fn make(make: &Make) -> DecisionRequest {
    let (nodes, decision_type) = (make.nodes, make.decision);
    let mut random = fastrand::Rng::with_seed(make.seed);
    let market = market();
    let mut classes = vec![daemon()];
    classes.extend((1..SHAPES).map(|number| class(&mut random, number)));
    let cluster = ClusterId::parse("bench").expect("an id");
    let count = u32::try_from(nodes).expect("few");
    let budget = PodBudget {
        namespace: "shop".to_owned(),
        name: "app-10".to_owned(),
        selector: selector("app-10"),
        disruptions_allowed: 3,
        current_healthy: 100,
        desired_healthy: 97,
        expected_pods: 100,
    };
    let nodes = (0..nodes).map(|number| node(&mut random, &market, &classes, number, make)).collect();
    DecisionRequest {
        version: CONTRACT_VERSION,
        request_id: "bench".to_owned(),
        cluster_id: cluster.clone(),
        decision_type,
        cluster_state: ClusterState {
            cluster_id: cluster.clone(),
            node_count: count,
            total_cpu: 0.0,
            total_memory: 0.0,
            pod_count: 30 * count,
            spot_node_count: 0,
            on_demand_node_count: 0,
            current_cost_per_hour: 0.0,
        },
        snapshot: Snapshot {
            version: SNAPSHOT_VERSION,
            cluster,
            region: Region::parse("us-east-1").expect("a Region"),
            taken_at: "2026-01-15T12:00:00Z".parse().expect("a time"),
            subnets: (0..3).map(|at| Subnet { id: SubnetId::parse(format!("subnet-{at}")).expect("an id"), zone: zone(at) }).collect(),
            nodes,
            classes,
            pending: Vec::new(),
            budgets: Some(vec![budget]),
            parts: Vec::new(),
        },
        requirements: OptimizationPolicy::default(),
        constraints: Constraints { nodes_max: count, ..Constraints::default() },
    }
}
