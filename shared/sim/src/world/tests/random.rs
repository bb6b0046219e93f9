//! Laws of random clusters.

use super::support::Hands;
use crate::clock::EPOCH;
use crate::world::World;
use crate::world::random::Scale;
use std::sync::{Arc, Mutex};

fn world(seed: u64, scale: &Scale) -> (Arc<World>, domain::ids::ClusterId) {
    World::random(Arc::new(Hands(Mutex::new(EPOCH))), seed, scale)
}

#[test]
fn one_seed_makes_one_cluster() {
    let look = |seed| {
        let (world, id) = world(seed, &Scale::default());
        (world.nodes(&id), world.pods(&id), world.budgets(&id))
    };
    assert_eq!(look(7), look(7));
    assert_ne!(look(7).0.len(), look(8).0.len());
}

#[test]
fn the_scheduler_of_random_clusters_breaks_no_rule_as_a_plain_count_sees_it() {
    for seed in 0..300 {
        let (world, id) = world(seed, &Scale { judged: true, ..Scale::default() });
        let wrong = world.misplaced(&id);
        assert!(wrong.is_empty(), "seed {seed}: {wrong:?}");
    }
}
