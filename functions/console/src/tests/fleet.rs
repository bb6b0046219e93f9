//! What is read of many clusters: kept, gone round step by step, and of this moment where a form has changed something.

use super::support::{Bench, cluster, customer};
use crate::fleet::{FRESH, STALE, STEP, fleet};
use domain::ids::ClusterId;
use domain::ports::{Clock, Registry};
use domain::{SignedDuration, Timestamp};
use std::collections::BTreeMap;

const CLUSTERS: usize = 3 * STEP - 10;

fn id(number: usize) -> ClusterId {
    ClusterId::parse(format!("c-{number:04}")).unwrap()
}

async fn many() -> Bench {
    let bench = Bench::empty().await;
    for number in 0..CLUSTERS {
        let one = domain::tenant::Cluster { id: id(number), ..cluster(bench.clock.now()) };
        bench.store.put_cluster(&one, None).await.unwrap();
    }
    bench
}

/// How many of what is kept was read when.
async fn ages(bench: &Bench) -> BTreeMap<Timestamp, usize> {
    let fleet = fleet(&bench.deps, &customer("acme")).await.unwrap();
    assert_eq!(fleet.at, fleet.clusters.iter().map(|brief| brief.at).min().unwrap(), "as old as the oldest of it");
    assert!(fleet.clusters.windows(2).all(|pair| pair[0].cluster.id < pair[1].cluster.id), "each once, in order");
    fleet.clusters.iter().fold(BTreeMap::new(), |mut ages, brief| {
        *ages.entry(brief.at).or_default() += 1;
        ages
    })
}

/// Somebody looks; what is read behind that is done a moment later.
async fn looked(bench: &Bench) {
    bench.clock.sleep(FRESH).await;
    ages(bench).await;
    bench.clock.sleep(FRESH - SignedDuration::from_secs(1)).await;
}

#[tokio::test(start_paused = true)]
async fn a_large_fleet_is_gone_round_step_by_step_and_is_as_old_as_the_oldest_of_it() {
    let bench = many().await;
    let began = bench.clock.now();
    assert_eq!(ages(&bench).await, BTreeMap::from([(began, CLUSTERS)]), "the first look is waited for");
    for left in [CLUSTERS - STEP, CLUSTERS - 2 * STEP] {
        looked(&bench).await;
        assert_eq!(ages(&bench).await.get(&began), Some(&left), "one step is read anew, and no more");
    }
    looked(&bench).await;
    assert_eq!(ages(&bench).await.get(&began), None, "once round");
}

#[tokio::test(start_paused = true)]
async fn who_comes_back_after_a_while_is_shown_what_was_and_soon_all_of_now() {
    let bench = many().await;
    let began = bench.clock.now();
    ages(&bench).await;
    bench.clock.sleep(STALE - SignedDuration::from_secs(1)).await;
    assert_eq!(ages(&bench).await, BTreeMap::from([(began, CLUSTERS)]), "shown with its age, and not waited for");
    bench.clock.sleep(SignedDuration::from_secs(10)).await;
    assert_eq!(ages(&bench).await.get(&began), None, "read to its end behind that");
    bench.clock.sleep(STALE).await;
    let now = bench.clock.now();
    assert_eq!(ages(&bench).await, BTreeMap::from([(now, CLUSTERS)]), "too old to be shown");
}

#[tokio::test(start_paused = true)]
async fn what_a_form_changes_is_seen_at_once_and_nothing_else_is_read_for_it() {
    let bench = many().await;
    let (began, acme) = (bench.clock.now(), customer("acme"));
    ages(&bench).await;
    bench.clock.sleep(SignedDuration::from_secs(1)).await;
    let mut renamed = domain::tenant::Cluster { id: id(7), ..cluster(began) };
    (renamed.name, renamed.version) = ("another".to_owned(), 2);
    bench.store.put_cluster(&renamed, Some(1)).await.unwrap();
    bench.store.delete_cluster(&acme, &id(9)).await.unwrap();
    for number in [7, 9] {
        bench.deps.fleets.changed(&acme, &id(number));
    }
    assert_eq!(ages(&bench).await, BTreeMap::from([(began, CLUSTERS - 2), (bench.clock.now(), 1)]));
    let fleet = fleet(&bench.deps, &acme).await.unwrap();
    assert_eq!(fleet.find(&id(7)).map(|brief| brief.cluster.name.as_str()), Some("another"));
    assert!(fleet.find(&id(9)).is_none(), "it is gone");
}

#[tokio::test(start_paused = true)]
async fn clusters_come_and_go_as_the_walk_comes_by() {
    let bench = many().await;
    let acme = customer("acme");
    ages(&bench).await;
    bench.store.delete_cluster(&acme, &id(0)).await.unwrap();
    bench.store.put_cluster(&domain::tenant::Cluster { id: id(9_999), ..cluster(bench.clock.now()) }, None).await.unwrap();
    for _ in 0..3 {
        looked(&bench).await;
    }
    let fleet = fleet(&bench.deps, &acme).await.unwrap();
    assert!(fleet.find(&id(0)).is_none() && fleet.find(&id(9_999)).is_some());
    assert_eq!((fleet.clusters.len(), fleet.more), (CLUSTERS, false));
}
