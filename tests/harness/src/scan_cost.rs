//! What scans ask of AWS and of the clusters' API servers: one by hand, and those of the schedule in the hours after it.

use crate::system::System;
use domain::SignedDuration;
use domain::ids::{ClusterId, CustomerId};
use domain::offering::CapacityType;
use domain::policy::TrafficSource;
use domain::ports::estate::{BalancerKind, Behind, LoadBalancer, NatGateway};
use domain::ports::{Clock, Registry, Watchbooks};
use domain::tenant::Cluster;
use domain::watch::{PARTS, ScanOrder};
use execution::waste::{Scanned, Scanner, Settings};
use planning::looks::PAGES_OF_PODS;
use sim::clock::SimClock;
use sim::store::MemoryNotices;
use sim::world::{ClusterSpec, NodeSpec, ServiceSpec, WorkloadSpec, World};
use std::collections::BTreeMap;
use std::sync::Arc;

/// Requests that EC2 gives an account per second for calls that only read (EC2 API throttling limits, refill of the bucket), and what
/// Elastic Load Balancing gives (its page of the same name).
const ACCOUNT_PER_SECOND: f64 = 20.0;
const BALANCING_PER_SECOND: f64 = 10.0;
/// Scans come once an hour.
const HOUR_S: f64 = 3_600.0;
/// One by hand, and six of the schedule: in these every part has its turn. The rest of a day asks less.
const SCANS: u32 = 7;
const ACCOUNT: &str = "111122223333";
const REGION: &str = "us-east-1";

/// Requests of one scan of one cluster.
#[derive(Debug, Clone, Copy)]
pub struct Cost {
    /// How many clusters were scanned, all of one account.
    pub clusters: u32,
    /// Of its API server, in the mean.
    pub kubernetes: f64,
    /// Of its API server, in the scan that asked most.
    pub kubernetes_max: f64,
    /// Of EC2, in the mean.
    pub ec2: f64,
    /// Of EC2, in the scan that asked most.
    pub ec2_max: f64,
    /// Of Auto Scaling, which has a rate of its own, in the mean.
    pub auto_scaling: f64,
    /// Of Elastic Load Balancing, which has a rate of its own, in the mean. Each cluster has a load balancer, and all are listed.
    pub balancing: f64,
}

impl Cost {
    /// Percent of what EC2 gives the account in an hour, if all clusters were scanned by hand in it.
    pub fn account_share_percent(&self) -> f64 {
        self.ec2_max * f64::from(self.clusters) / (ACCOUNT_PER_SECOND * HOUR_S) * 100.0
    }

    /// Percent of what Elastic Load Balancing gives the account in an hour, in the mean.
    pub fn balancing_share_percent(&self) -> f64 {
        self.balancing * f64::from(self.clusters) / (BALANCING_PER_SECOND * HOUR_S) * 100.0
    }
}

/// What a scan asked, by name of the call. One list is one request up to 500 objects or 1,000 instances; a group's members take two.
fn weighed(calls: &BTreeMap<&'static str, u64>, before: &BTreeMap<&'static str, u64>) -> [f64; 4] {
    let made = |names: &[(&str, f64)]| {
        let one = |name: &str| calls.get(name).copied().unwrap_or(0) - before.get(name).copied().unwrap_or(0);
        names.iter().map(|(name, weight)| one(name) as f64 * weight).sum::<f64>()
    };
    // A world of two hundred full clusters is not held in memory: a list of pods is counted with the pages that it would have.
    let pods = f64::from(PAGES_OF_PODS);
    let lists = ["nodes", "persistent_volumes", "services", "endpoints", "traffic", "claims"].map(|name| (name, 1.0));
    let kubernetes = made(&lists) + made(&[("pods", pods), ("pods_in_detail", pods)]);
    let ec2 = ["instances", "volumes", "addresses", "nat_gateways", "route_tables", "end_forbidden"].map(|name| (name, 1.0));
    [kubernetes, made(&ec2), made(&[("members", 2.0)]), made(&[("balancer_requests", 1.0)])]
}

/// A cluster with a ghost beside its nodes, a gateway, a load balancer, and a Service that is called from another zone.
fn furnish(world: &World, name: &str, nodes: u32) {
    let id = world.add_cluster(ClusterSpec::new("acme", name, ACCOUNT, REGION));
    let node = |zone: &str| world.add_node(&id, NodeSpec::new("m6i.large", zone, CapacityType::OnDemand));
    let standing: Vec<_> = (0..nodes).map(|n| node(["us-east-1a", "us-east-1b"][n as usize % 2])).collect();
    world.lose_node(&node("us-east-1b"));
    for (workload, on) in [("web", &standing[..2]), ("cart", &standing[..1])] {
        let mut spec = WorkloadSpec::new(workload, 2);
        spec.on = on.to_vec();
        world.add_deployment(&id, spec);
    }
    world.put_service(&id, ServiceSpec::new("web"));
    world.tell_traffic(&id, "watch/prometheus:9090", Vec::new());
    let tags = BTreeMap::from([(format!("kubernetes.io/cluster/{name}"), "owned".to_owned())]);
    let created_at = Some(world.clock().now() - SignedDuration::from_hours(48));
    world.add_nat_gateway(NatGateway { id: format!("nat-{name}"), available: true, routed: true, created_at, tags: tags.clone() });
    let (id, name) = (format!("arn:{name}"), format!("lb-{name}"));
    let balancer = LoadBalancer { id, name, kind: BalancerKind::Network, active: true, created_at, tags };
    world.put_balancer(balancer, Behind { groups: 1, any: true });
}

/// Scans so many clusters of one account once by hand and then each hour for a quarter of a day.
///
/// # Panics
/// If a scan does not find the ghost, or a part of a cluster is never looked at.
pub async fn measure(clusters: u32, nodes: u32) -> Cost {
    let clock = SimClock::new();
    let world = World::new(clock.clone(), 1);
    (0..clusters).for_each(|n| furnish(&world, &format!("c-{n}"), nodes));
    let system = System::around(clock, world, SignedDuration::ZERO);
    let source = TrafficSource { namespace: "watch".to_owned(), service: "prometheus".to_owned(), port: 9_090, query: None };
    for n in 0..clusters {
        let (customer, id) = system.register("acme", &format!("c-{n}"), ACCOUNT, REGION).await;
        let mut cluster: Cluster = system.store.cluster(&customer, &id).await.unwrap().unwrap();
        cluster.policy.waste.traffic = Some(Box::new(source.clone()));
        cluster.version += 1;
        system.store.put_cluster(&cluster, Some(cluster.version - 1)).await.unwrap();
    }
    let scanner = Scanner {
        ports: system.ports.clone(),
        findings: system.store.clone(),
        notices: Arc::new(MemoryNotices::default()),
        scans: system.queue.clone(),
        inspector: None,
        settings: Settings { ghosts: true, volumes: true, network: true },
    };
    let customer = CustomerId::parse("acme").unwrap();
    let (mut sum, mut most) = ([0.0_f64; 4], [0.0_f64; 4]);
    for scan in 0..SCANS {
        for n in 0..clusters {
            let cluster = ClusterId::parse(format!("c-{n}")).unwrap();
            let order = ScanOrder { customer: customer.clone(), cluster, asked_by: "bench".to_owned(), whole: scan == 0 };
            let before = system.world.calls();
            let scanned = scanner.scan(&order).await.unwrap();
            assert!(matches!(scanned, Scanned::Finished { standing: 1.., opened: 0 }), "{scanned:?}");
            let asked = weighed(&system.world.calls(), &before);
            for (at, count) in asked.into_iter().enumerate() {
                sum[at] += count;
                most[at] = most[at].max(count);
            }
        }
        system.clock.sleep(SignedDuration::from_hours(1)).await;
    }
    let book = system.store.watchbook(&customer, &ClusterId::parse("c-0").unwrap()).await.unwrap();
    assert_eq!((book.nodes, book.running, book.watches.len()), (nodes, nodes + 1, 1));
    assert_eq!(book.next.len(), PARTS.len(), "every part was looked at");
    let mean = |at: usize| sum[at] / f64::from(clusters * SCANS);
    Cost {
        clusters,
        kubernetes: mean(0),
        kubernetes_max: most[0],
        ec2: mean(1),
        ec2_max: most[1],
        auto_scaling: mean(2),
        balancing: mean(3),
    }
}
