//! Laws of the index from instances to nodes.

use super::make::{cluster, cluster_id, customer_id, instance_key, node};
use super::{Store, at};
use domain::ids::AccountId;
use domain::ports::StoreError;

pub(super) async fn a_node_is_found_by_its_instance(store: &dyn Store) {
    let found = node("routes", "prod", "444444444444", 1);
    assert_eq!(store.route(&found.key).await.unwrap(), None);
    store.put_nodes(&found.customer, &found.cluster, std::slice::from_ref(&found)).await.unwrap();
    assert_eq!(store.route(&found.key).await.unwrap(), Some(found));
    assert_eq!(store.route(&instance_key("444444444445", 1)).await.unwrap(), None, "instance ids are unique within an account only");
}

pub(super) async fn a_refresh_replaces_the_nodes_of_its_cluster_only(store: &dyn Store) {
    let (owner, prod, test) = (customer_id("refresh"), cluster_id("prod"), cluster_id("test"));
    let make = |cluster: &str, n| node("refresh", cluster, "444444444444", n);
    store.put_nodes(&owner, &prod, &[make("prod", 10), make("prod", 11)]).await.unwrap();
    store.put_nodes(&owner, &test, &[make("test", 12)]).await.unwrap();
    let mut changed = make("prod", 11);
    changed.cpu_millis = 9;
    // The same node twice in one look counts once.
    store.put_nodes(&owner, &prod, &[make("prod", 13), make("prod", 11), changed.clone()]).await.unwrap();
    assert_eq!(store.nodes(&owner, &prod).await.unwrap(), [changed.clone(), make("prod", 13)]);
    assert_eq!(store.route(&make("prod", 10).key).await.unwrap(), None, "a node that is gone is forgotten");
    assert_eq!(store.route(&changed.key).await.unwrap(), Some(changed));
    assert_eq!(store.nodes(&owner, &test).await.unwrap(), [make("test", 12)]);
    assert_eq!(store.nodes(&customer_id("refresh-2"), &prod).await.unwrap(), []);
    store.put_nodes(&owner, &prod, &[]).await.unwrap();
    assert_eq!(store.nodes(&owner, &prod).await.unwrap(), []);
}

pub(super) async fn two_hundred_nodes_are_replaced(store: &dyn Store) {
    let (owner, prod) = (customer_id("many"), cluster_id("prod"));
    let make = |range: std::ops::Range<u32>| range.map(|n| node("many", "prod", "555555555555", n)).collect::<Vec<_>>();
    store.put_nodes(&owner, &prod, &make(0..200)).await.unwrap();
    assert_eq!(store.nodes(&owner, &prod).await.unwrap(), make(0..200));
    store.put_nodes(&owner, &prod, &make(60..230)).await.unwrap();
    assert_eq!(store.nodes(&owner, &prod).await.unwrap(), make(60..230));
}

pub(super) async fn an_instance_of_two_clusters_leads_to_the_newer_look(store: &dyn Store) {
    let older = node("moved", "prod", "666666666666", 1);
    let mut newer = node("moved-2", "prod", "666666666666", 1);
    newer.seen_at = at("2026-11-23T12:10:00Z");
    store.put_nodes(&newer.customer, &newer.cluster, std::slice::from_ref(&newer)).await.unwrap();
    store.put_nodes(&older.customer, &older.cluster, std::slice::from_ref(&older)).await.unwrap();
    assert_eq!(store.route(&older.key).await.unwrap(), Some(newer.clone()));
    // And no refresh of one removes what the other one said.
    store.put_nodes(&newer.customer, &newer.cluster, &[]).await.unwrap();
    assert_eq!(store.route(&older.key).await.unwrap(), Some(older));
}

pub(super) async fn nodes_of_another_cluster_are_refused(store: &dyn Store) {
    let foreign = node("victim", "prod", "777777777777", 1);
    let answer = store.put_nodes(&customer_id("thief"), &cluster_id("prod"), std::slice::from_ref(&foreign)).await;
    assert!(matches!(answer, Err(StoreError::Refused(_))), "{answer:?}");
    assert_eq!(store.route(&foreign.key).await.unwrap(), None);
}

pub(super) async fn clusters_are_found_by_account(store: &dyn Store) {
    let (one, two) = (cluster("accounts", "prod", "888888888888"), cluster("accounts-2", "prod", "888888888888"));
    let elsewhere = cluster("accounts", "test", "999999999999");
    for new in [&two, &one, &elsewhere] {
        store.put_cluster(new, None).await.unwrap();
    }
    assert_eq!(store.clusters_of(&one.account).await.unwrap(), [one.clone(), two.clone()]);
    assert_eq!(store.clusters_of(&AccountId::parse("000000000000").unwrap()).await.unwrap(), []);
    // A cluster whose role moves to another account moves with it.
    let mut moved = one.clone();
    moved.account = elsewhere.account.clone();
    moved.version = 2;
    store.put_cluster(&moved, Some(1)).await.unwrap();
    assert_eq!(store.clusters_of(&one.account).await.unwrap(), [two]);
    assert_eq!(store.clusters_of(&elsewhere.account).await.unwrap(), [moved, elsewhere]);
}
