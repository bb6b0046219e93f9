//! The sweeper over many clusters.

use domain::SignedDuration;
use domain::ports::{Clock, Registry};
use execution::roster::Roster;
use harness::system::System;
use runtime::deadline::Budget;
use sim::clock::SimClock;
use sim::world::{ClusterSpec, World};
use sweeper::handle;

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

/// Which clusters there are is read each time, and what they are every five minutes, or when somebody says that it has changed.
#[tokio::test(start_paused = true)]
async fn the_roster_has_who_is_there_now_as_they_were_five_minutes_ago_at_most() {
    let clock = SimClock::new();
    let system = System::around(clock.clone(), World::new(clock, 3), SignedDuration::ZERO);
    let (customer, first) = system.register("acme", "first", "123456789012", "us-east-1").await;
    let roster = Roster::default();
    let seen = async || {
        let all = roster.every(system.store.as_ref(), system.clock.now()).await.unwrap();
        all.into_iter().map(|cluster| (cluster.id.to_string(), cluster.node_count)).collect::<Vec<_>>()
    };
    let grow = async |nodes: u32| {
        let mut cluster = system.store.cluster(&customer, &first).await.unwrap().unwrap();
        (cluster.node_count, cluster.version) = (nodes, cluster.version + 1);
        system.store.put_cluster(&cluster, Some(cluster.version - 1)).await.unwrap();
        cluster
    };
    grow(1).await;
    assert_eq!(seen().await, [("first".to_owned(), 1)]);
    system.register("acme", "second", "123456789012", "us-east-1").await;
    let cluster = grow(2).await;
    let names: Vec<String> = seen().await.into_iter().map(|(name, _)| name).collect();
    assert_eq!((names, seen().await[0].1), (vec!["first".to_owned(), "second".to_owned()], 1), "new ones are there at once");
    roster.forget(&cluster);
    assert_eq!(seen().await[0].1, 2);
    grow(3).await;
    system.clock.sleep(SignedDuration::from_secs(299)).await;
    assert_eq!(seen().await[0].1, 2);
    system.clock.sleep(SignedDuration::from_secs(1)).await;
    assert_eq!(seen().await[0].1, 3);
    system.store.delete_cluster(&customer, &first).await.unwrap();
    assert_eq!(seen().await.len(), 1, "who is gone is gone at once");
}
