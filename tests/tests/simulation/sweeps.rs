//! The sweeper over many clusters.

use domain::SignedDuration;
use domain::ports::{Clock, Registry};
use runtime::deadline::Budget;
use sim::clock::SimClock;
use sim::world::{ClusterSpec, World};
use sweeper::handle;
use tests::system::System;

const CLUSTERS: u64 = 200;
/// A call of EC2 or of an API server.
const CALL: SignedDuration = SignedDuration::from_millis(500);

async fn a_house() -> System {
    let clock = SimClock::new();
    let world = World::new(clock.clone(), 3);
    let system = System::around(clock, world, CALL);
    for number in 0..CLUSTERS {
        let name = format!("c-{number:03}");
        system.world.add_cluster(ClusterSpec::new("acme", &name, "123456789012", "us-east-1"));
        system.register("acme", &name, "123456789012", "us-east-1").await;
    }
    system.clock.sleep(SignedDuration::from_hours(1)).await;
    system
}

/// One after the other they would take five minutes, and the last would never be seen.
#[tokio::test(start_paused = true)]
async fn all_clusters_are_seen_within_their_minute() {
    let system = a_house().await;
    let swept = handle(&system.ports, Budget::lasting(&*system.clock, SignedDuration::from_secs(45))).await.unwrap();
    assert_eq!(swept.refreshed as u64, CLUSTERS);
    assert_eq!(system.counts.of("sweeps"), 1, "it was not out of time");
}

/// Where the time is too short for all of them, each has its turn.
#[tokio::test(start_paused = true)]
async fn no_cluster_is_always_among_the_last() {
    let system = a_house().await;
    let began = system.clock.now();
    let mut refreshed = 0;
    for _minute in 0..20 {
        refreshed += handle(&system.ports, Budget::lasting(&*system.clock, SignedDuration::from_secs(1))).await.unwrap().refreshed;
        system.clock.sleep(SignedDuration::from_secs(58)).await;
    }
    assert!(system.counts.of("sweeps") > 20, "the time is meant to be too short");
    let clusters = system.store.every_cluster().await.unwrap();
    let unseen: Vec<_> = clusters.iter().filter(|cluster| cluster.seen_at.is_none_or(|seen| seen < began)).map(|c| &c.id).collect();
    assert!(unseen.is_empty(), "{refreshed} looks, and none at {unseen:?}");
}
