//! What scans ask of AWS and of the clusters' API servers.

use crate::system::System;
use domain::SignedDuration;
use domain::ids::{ClusterId, CustomerId};
use domain::offering::CapacityType;
use domain::ports::Watchbooks;
use domain::watch::ScanOrder;
use execution::waste::{Scanned, Scanner, Settings};
use sim::clock::SimClock;
use sim::store::MemoryNotices;
use sim::world::{ClusterSpec, NodeSpec, World};
use std::sync::Arc;

/// Requests that EC2 gives an account per second for calls that only read (EC2 API throttling limits, refill of the bucket).
const ACCOUNT_PER_SECOND: f64 = 20.0;
/// Scans come once an hour.
const HOUR_S: f64 = 3_600.0;

/// Requests of one scan of one cluster, in the mean.
#[derive(Debug, Clone, Copy)]
pub struct Cost {
    /// How many clusters were scanned, all of one account.
    pub clusters: u32,
    /// Of its API server.
    pub kubernetes: f64,
    /// Of EC2.
    pub ec2: f64,
    /// Of Auto Scaling, which has a rate of its own.
    pub auto_scaling: f64,
}

impl Cost {
    /// Percent of what EC2 gives the account in an hour.
    pub fn account_share_percent(&self) -> f64 {
        self.ec2 * f64::from(self.clusters) / (ACCOUNT_PER_SECOND * HOUR_S) * 100.0
    }
}

/// Scans so many clusters of one account once, all that there is to look at, each with a ghost beside its nodes.
///
/// # Panics
/// If a scan does not find the ghost.
pub async fn measure(clusters: u32, nodes: u32) -> Cost {
    let clock = SimClock::new();
    let world = World::new(clock.clone(), 1);
    let (account, region) = ("111122223333", "us-east-1");
    for n in 0..clusters {
        let id = world.add_cluster(ClusterSpec::new("acme", &format!("c-{n}"), account, region));
        for _ in 0..nodes {
            world.add_node(&id, NodeSpec::new("m6i.large", "us-east-1a", CapacityType::OnDemand));
        }
        let ghost = world.add_node(&id, NodeSpec::new("m6i.large", "us-east-1b", CapacityType::OnDemand));
        world.lose_node(&ghost);
    }
    let system = System::around(clock, world, SignedDuration::ZERO);
    for n in 0..clusters {
        system.register("acme", &format!("c-{n}"), account, region).await;
    }
    let scanner = Scanner {
        ports: system.ports.clone(),
        findings: system.store.clone(),
        notices: Arc::new(MemoryNotices::default()),
        scans: system.queue.clone(),
        settings: Settings { ghosts: true, volumes: true, network: true },
    };
    let before = system.world.calls();
    let customer = CustomerId::parse("acme").unwrap();
    for n in 0..clusters {
        let cluster = ClusterId::parse(format!("c-{n}")).unwrap();
        let order = ScanOrder { customer: customer.clone(), cluster, asked_by: "bench".to_owned(), whole: true };
        assert_eq!(scanner.scan(&order).await.unwrap(), Scanned::Finished { standing: 1, opened: 0 });
    }
    let after = system.world.calls();
    // One list is one request up to 500 nodes or 1,000 instances; a group's members take two.
    let mean = |names: &[&str]| {
        let made = |name: &&str| after.get(name).copied().unwrap_or(0) - before.get(name).copied().unwrap_or(0);
        names.iter().map(made).sum::<u64>() as f64 / f64::from(clusters)
    };
    let book = system.store.watchbook(&customer, &ClusterId::parse("c-0").unwrap()).await.unwrap();
    assert_eq!((book.nodes, book.running, book.watches.len()), (nodes, nodes + 1, 1));
    Cost {
        clusters,
        kubernetes: mean(&["nodes", "persistent_volumes", "claims", "pods", "pods_in_detail"]),
        ec2: mean(&["instances", "volumes", "addresses", "nat_gateways", "end_forbidden"]),
        auto_scaling: 2.0 * mean(&["members"]),
    }
}
