//! Laws of random clusters.

use super::support::Hands;
use crate::checkers::{Voluntary, placement};
use crate::clock::EPOCH;
use crate::world::World;
use crate::world::random::Scale;
use domain::ports::Clock;
use jiff::SignedDuration;
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
    for seed in 0..150 {
        let (world, id) = world(seed, &Scale { judged: true, ..Scale::default() });
        let wrong = world.misplaced(&id);
        assert!(wrong.is_empty(), "seed {seed}: {wrong:?}");
    }
}

#[test]
fn what_waits_in_a_random_cluster_fits_nowhere_as_a_plain_count_sees_it() {
    let mut waiting = 0;
    for seed in 0..150 {
        let (world, id) = world(seed, &Scale { asked_percent: (50, 120), ..Scale::default() });
        waiting += world.pending_pods(&id).len();
        leaves_nothing_that_fits(&world, seed);
    }
    assert!(waiting > 100, "{waiting} pods waited: too few to say anything");
}

fn leaves_nothing_that_fits(world: &World, seed: u64) {
    world.with(|state| {
        let kube = &state.clusters[0];
        for (_, pod) in kube.pods.unbound().filter(|(_, pod)| pod.active()) {
            let fits = kube.nodes.values().find(|node| placement::broken(kube, pod, node).is_empty());
            assert!(fits.is_none(), "seed {seed}: {} waits and would fit on {}", pod.pod, fits.unwrap().name);
        }
    });
}

#[tokio::test]
async fn draining_random_nodes_never_leads_to_a_binding_that_breaks_a_rule() {
    let mut moved = 0;
    for seed in 0..60 {
        let clock = Arc::new(Hands(Mutex::new(EPOCH)));
        let (world, id) = World::random(clock.clone(), seed, &Scale::default());
        let mut watch = Voluntary::over(&world, &id);
        let api = world.cluster(&id).unwrap();
        for node in world.nodes(&id).into_iter().step_by(3) {
            world.human_cordons(&id, &node.name);
            for pod in api.pods(Some(&node.name)).await.unwrap() {
                moved += usize::from(api.evict(&pod.pod).await.is_ok());
            }
            clock.sleep(SignedDuration::from_secs(7)).await;
        }
        clock.sleep(SignedDuration::from_secs(120)).await;
        watch.look(&world).unwrap_or_else(|law| panic!("seed {seed}: {law}"));
        leaves_nothing_that_fits(&world, seed);
    }
    assert!(moved > 1_000, "{moved} pods were moved: too few to say anything");
}
