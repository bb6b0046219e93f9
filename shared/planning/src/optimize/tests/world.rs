//! Small clusters, by hand and by seed.

use crate::optimize::{Market, Offer};
use domain::Timestamp;
use domain::catalog::{Arch, Hypervisor, TypeInfo};
use domain::decision::{CONTRACT_VERSION, ClusterState, Constraints, DecisionRequest, DecisionType};
use domain::ids::{ClusterId, InstanceId, InstanceType, NodeName, NodeUid, Region, SubnetId, Zone};
use domain::market::{PriceSource, Quote};
use domain::money::MicroDollars;
use domain::node::{NodeOwner, Taint};
use domain::offering::{CapacityType, Pool};
use domain::pod::{Controller, PodBudget, Selector};
use domain::policy::OptimizationPolicy;
use domain::scheduling::{HostPort, PodTerm, Resources, Scheduling, Spread, Toleration};
use domain::snapshot::{Placed, PodClass, SNAPSHOT_VERSION, Snapshot, SnapshotNode, Subnet};
use std::collections::BTreeMap;

pub(crate) const GIB: u64 = 1 << 30;
pub(crate) const ZONES: [&str; 3] = ["us-east-1a", "us-east-1b", "us-east-1c"];

pub(crate) fn noon() -> Timestamp {
    "2026-01-15T12:00:00Z".parse().unwrap()
}

pub(crate) fn zone(name: &str) -> Zone {
    Zone::parse(name).unwrap()
}

fn quote(price: i64) -> Quote {
    Quote { price_per_hour: MicroDollars(price), source: PriceSource::Observed { at: noon() } }
}

/// Three families in six sizes: on-demand at EC2's prices of 2025 in us-east-1, spot at about 40 % of them.
pub(crate) fn market() -> &'static Market {
    static MARKET: std::sync::LazyLock<Market> = std::sync::LazyLock::new(make_market);
    &MARKET
}

fn make_market() -> Market {
    let mut market = Market::default();
    let sizes = [("large", 2_u32), ("xlarge", 4), ("2xlarge", 8), ("4xlarge", 16), ("8xlarge", 32), ("12xlarge", 48)];
    for (family, gib_per_core, per_core) in [("c6i", 2_u64, 42_500_i64), ("m6i", 4, 48_000), ("r6i", 8, 63_000)] {
        for (size, vcpu) in sizes {
            let name = InstanceType::parse(format!("{family}.{size}")).unwrap();
            let memory = u64::from(vcpu) * gib_per_core * GIB;
            let info = TypeInfo {
                name: name.clone(),
                arch: Arch::Amd64,
                vcpu,
                memory_bytes: memory,
                allocatable_cpu_millis: u64::from(vcpu) * 1_000 - 70,
                allocatable_memory_bytes: memory - memory / 10,
                pods_max: if vcpu <= 2 {
                    29
                } else if vcpu <= 16 {
                    58
                } else {
                    234
                },
                category: family[..1].to_owned(),
                generation: 6,
                current: true,
                gpu_count: 0,
                accelerator_count: 0,
                nvme_bytes: 0,
                flex: false,
                hypervisor: Hypervisor::Nitro,
                coremark: None,
            };
            for (at, zone_name) in ZONES.iter().enumerate() {
                let price = per_core * i64::from(vcpu);
                let pool = |capacity| Pool { instance_type: name.clone(), zone: zone(zone_name), capacity };
                let offer = |capacity, price, cost| Offer {
                    pool: pool(capacity),
                    quote: Some(quote(price)),
                    interruption_cost_per_hour: MicroDollars(cost),
                    risk: None,
                };
                market.offers.push(offer(CapacityType::OnDemand, price, 0));
                market.offers.push(offer(CapacityType::Spot, price * (38 + at as i64) / 100, 1_000));
            }
            market.types.insert(name, info);
        }
    }
    market
}

/// A class of pods of a ReplicaSet.
pub(crate) fn class(name: &str, cpu_millis: u64, gib: u64) -> PodClass {
    PodClass {
        namespace: "shop".to_owned(),
        controller: Some(Controller { kind: "ReplicaSet".to_owned(), name: name.to_owned() }),
        labels: BTreeMap::from([("app".to_owned(), name.to_owned())]),
        requests: Resources::new(cpu_millis, gib * GIB),
        scheduling: Scheduling::default(),
        priority: 0,
        grace_s: 30,
        do_not_disrupt: false,
        daemon: false,
        mirror: false,
        empty_dir: false,
        arches: vec![Arch::Amd64],
        usage: None,
    }
}

/// A class of a DaemonSet that runs everywhere.
pub(crate) fn daemon(name: &str) -> PodClass {
    let mut class = class(name, 100, 0);
    class.controller = Some(Controller { kind: "DaemonSet".to_owned(), name: name.to_owned() });
    class.requests = Resources::new(100, GIB / 8);
    class.daemon = true;
    class.scheduling.tolerations = vec![Toleration { key: None, exists: true, value: String::new(), effect: None }];
    class
}

pub(crate) fn selector(app: &str) -> Option<Selector> {
    Some(Selector { match_labels: BTreeMap::from([("app".to_owned(), app.to_owned())]), match_expressions: Vec::new() })
}

pub(crate) fn term(app: &str, key: &str) -> PodTerm {
    PodTerm { topology_key: key.to_owned(), selector: selector(app), namespaces: Vec::new(), any_namespace: false }
}

pub(crate) fn spread(app: &str, key: &str) -> Spread {
    Spread {
        topology_key: key.to_owned(),
        max_skew: 1,
        hard: true,
        selector: selector(app),
        min_domains: None,
        honor_affinity: true,
        honor_taints: false,
    }
}

/// A node of a type of the market, with these pods.
pub(crate) fn node(number: usize, instance_type: &str, capacity: CapacityType, pods: &[(u32, u32)]) -> SnapshotNode {
    node_in(number, instance_type, ZONES[number % 3], capacity, pods)
}

pub(crate) fn node_in(number: usize, instance_type: &str, zone_name: &str, capacity: CapacityType, pods: &[(u32, u32)]) -> SnapshotNode {
    let market = market();
    let pool = Pool { instance_type: InstanceType::parse(instance_type).unwrap(), zone: zone(zone_name), capacity };
    let info = &market.types[&pool.instance_type];
    let name = format!("node-{number:05}");
    SnapshotNode {
        name: NodeName::parse(name.clone()).unwrap(),
        uid: NodeUid::parse(format!("uid-{number}")).unwrap(),
        instance: Some(InstanceId::parse(format!("i-{number:017x}")).unwrap()),
        owner: NodeOwner::CloudOptim,
        labels: BTreeMap::from([
            ("kubernetes.io/hostname".to_owned(), name),
            ("kubernetes.io/arch".to_owned(), "amd64".to_owned()),
            ("topology.kubernetes.io/zone".to_owned(), zone_name.to_owned()),
            ("node.kubernetes.io/instance-type".to_owned(), instance_type.to_owned()),
        ]),
        taints: Vec::new(),
        unschedulable: false,
        ready: true,
        do_not_disrupt: false,
        allocatable: Resources::new(info.allocatable_cpu_millis, info.allocatable_memory_bytes),
        pods_max: info.pods_max,
        usage: None,
        price: market.offer(&pool).and_then(|offer| offer.quote),
        pool: Some(pool),
        created_at: Some("2026-01-01T00:00:00Z".parse().unwrap()),
        last_pod_event_at: None,
        pods: pods.iter().map(|(class, count)| Placed { class: *class, count: *count }).collect(),
    }
}

pub(crate) fn request(decision_type: DecisionType, classes: Vec<PodClass>, nodes: Vec<SnapshotNode>) -> DecisionRequest {
    let cluster = ClusterId::parse("demo").unwrap();
    let subnets =
        ZONES.iter().enumerate().map(|(at, name)| Subnet { id: SubnetId::parse(format!("subnet-{at}")).unwrap(), zone: zone(name) });
    DecisionRequest {
        version: CONTRACT_VERSION,
        request_id: "request".to_owned(),
        cluster_id: cluster.clone(),
        decision_type,
        cluster_state: ClusterState {
            cluster_id: cluster.clone(),
            node_count: u32::try_from(nodes.len()).unwrap(),
            total_cpu: 0.0,
            total_memory: 0.0,
            pod_count: 0,
            spot_node_count: 0,
            on_demand_node_count: 0,
            current_cost_per_hour: 0.0,
        },
        constraints: Constraints { now: Some(noon()), nodes_max: u32::try_from(nodes.len()).unwrap(), ..Constraints::default() },
        snapshot: Snapshot {
            version: SNAPSHOT_VERSION,
            cluster,
            region: Region::parse("us-east-1").unwrap(),
            taken_at: noon(),
            subnets: subnets.collect(),
            nodes,
            classes,
            pending: Vec::new(),
            budgets: Some(Vec::new()),
            parts: Vec::new(),
        },
        requirements: OptimizationPolicy::default(),
    }
}

/// A random cluster whose constraints hold: its pods were placed one by one where they were allowed.
pub(crate) fn random(seed: u64, decision_type: DecisionType) -> DecisionRequest {
    let mut rng = fastrand::Rng::with_seed(seed);
    let mut classes = vec![daemon("logs")];
    for at in 0..rng.usize(2..9) {
        classes.push(random_class(&mut rng, at));
    }
    let types = ["c6i.large", "m6i.large", "m6i.xlarge", "r6i.xlarge", "c6i.2xlarge", "m6i.2xlarge", "m6i.4xlarge"];
    let mut nodes = Vec::new();
    for number in 0..rng.usize(3..16) {
        let capacity = if rng.u8(..4) == 0 { CapacityType::Spot } else { CapacityType::OnDemand };
        let mut node = node(number, types[rng.usize(..types.len())], capacity, &[(0, 1)]);
        disturb(&mut rng, &mut node);
        nodes.push(node);
    }
    let mut request = request(decision_type, classes, nodes);
    let fill = rng.usize(10..90);
    let mut world = super::execution::Running::new(&request, seed);
    for _ in 0..fill {
        let class = rng.usize(1..request.snapshot.classes.len());
        world.add(class);
        world.schedule();
    }
    let pending = world.give_up();
    world.write(&mut request.snapshot);
    if rng.u8(..4) == 0 && !pending.is_empty() {
        request.snapshot.pending = vec![Placed { class: u32::try_from(pending[0]).unwrap(), count: 1 }];
    }
    if rng.bool() {
        let budget = |allowed| PodBudget {
            namespace: "shop".to_owned(),
            name: "budget".to_owned(),
            selector: selector("app-0"),
            disruptions_allowed: allowed,
            current_healthy: 5,
            desired_healthy: 4,
            expected_pods: 5,
        };
        request.snapshot.budgets = Some(vec![budget(i32::from(rng.bool()))]);
    }
    request
}

fn random_class(rng: &mut fastrand::Rng, at: usize) -> PodClass {
    let name = format!("app-{at}");
    let mut class = class(&name, [100, 250, 500, 1_000, 1_500, 3_000][rng.usize(..6)], [0, 1, 1, 2, 4, 8][rng.usize(..6)]);
    class.requests.memory_bytes = class.requests.memory_bytes.max(GIB / 4);
    let scheduling = &mut class.scheduling;
    match rng.u8(..20) {
        0 => scheduling.anti_affinity.push(term(&name, "kubernetes.io/hostname")),
        1 => scheduling.spread.push(spread(&name, "topology.kubernetes.io/zone")),
        2 => scheduling.spread.push(spread(&name, "kubernetes.io/hostname")),
        3 => scheduling.affinity.push(term(&name, "topology.kubernetes.io/zone")),
        4 => scheduling.affinity.push(term("app-0", "kubernetes.io/hostname")),
        5 => scheduling.volume_zones = Some(vec![zone(ZONES[rng.usize(..3)])]),
        6 => scheduling.host_ports.push(HostPort { ip: String::new(), protocol: "TCP".to_owned(), port: 8080 }),
        7 => {
            scheduling.node_selector.insert("team".to_owned(), "red".to_owned());
        }
        8 => scheduling.anti_affinity.push(term("app-0", "topology.kubernetes.io/zone")),
        9 => class.do_not_disrupt = rng.u8(..3) == 0,
        10 => {
            scheduling.tolerations.push(Toleration { key: Some("dedicated".to_owned()), exists: true, value: String::new(), effect: None })
        }
        _ => {}
    }
    class
}

pub(super) fn disturb(rng: &mut fastrand::Rng, node: &mut SnapshotNode) {
    match rng.u8(..12) {
        0 => node.unschedulable = true,
        1 => node.ready = false,
        2 => node.owner = NodeOwner::ManagedNodeGroup { group: "workers".to_owned() },
        3 => node.price = None,
        4 => {
            let taint = Taint { key: "dedicated".to_owned(), value: String::new(), effect: "NoSchedule".to_owned(), time_added: None };
            node.taints.push(taint);
        }
        5 | 6 => {
            node.labels.insert("team".to_owned(), "red".to_owned());
        }
        7 => node.do_not_disrupt = true,
        _ => {}
    }
}
