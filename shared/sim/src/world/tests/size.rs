//! How quick the world is.

use super::support::Hands;
use crate::clock::EPOCH;
use crate::world::random::{Scale, large};
use crate::world::{ClusterSpec, World};
use std::sync::{Arc, Mutex};
use std::time::Instant;

#[test]
#[expect(clippy::print_stdout, reason = "figures for the table of benches")]
fn a_world_of_5_000_nodes_and_150_000_pods_is_filled_and_scheduled_in_seconds() {
    for (nodes, pods) in [(500, 15_000), (5_000, 150_000)] {
        let began = Instant::now();
        let world = World::new(Arc::new(Hands(Mutex::new(EPOCH))), 1);
        let id = world.add_cluster(ClusterSpec::new("acme", "c-1", "123456789012", "us-east-1"));
        world.fill(&id, large(nodes, pods, 120, 1));
        let took = began.elapsed().as_secs_f64();
        println!("BENCH sim_fill_{nodes}_nodes_s {took:.2} s <= 60");
        assert_eq!(world.pods(&id).len(), pods as usize);
        assert!(world.pending(&id).is_empty());
    }
}

#[test]
#[expect(clippy::print_stdout, reason = "figures for the table of benches")]
fn random_clusters_are_made_quickly() {
    let began = Instant::now();
    let mut pods = 0;
    for seed in 0..1_000 {
        let (world, id) = World::random(Arc::new(Hands(Mutex::new(EPOCH))), seed, &Scale::default());
        pods += world.pods(&id).len();
    }
    println!("BENCH sim_random_cluster_ms {:.2} ms <= 20", began.elapsed().as_secs_f64());
    assert!(pods > 100_000);
}
