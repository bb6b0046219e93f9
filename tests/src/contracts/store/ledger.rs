//! Laws of the ledger.

use super::make::{NOON, baseline, cluster_id, customer_id, hour};
use super::{Store, at};
use domain::SignedDuration;

pub(super) async fn a_baseline_is_frozen_once(store: &dyn Store) {
    let (customer, cluster) = (customer_id("frozen"), cluster_id("prod"));
    assert_eq!(store.baseline(&customer, &cluster).await.unwrap(), None);
    let first = baseline("frozen", "prod", 100);
    assert_eq!(store.freeze(&first).await.unwrap(), first);
    assert_eq!(store.freeze(&baseline("frozen", "prod", 999)).await.unwrap(), first, "what was frozen holds");
    assert_eq!(store.baseline(&customer, &cluster).await.unwrap(), Some(first));
    assert_eq!(store.baseline(&customer, &cluster_id("pro")).await.unwrap(), None);
}

pub(super) async fn an_hour_is_closed_once_and_hours_are_listed_oldest_first(store: &dyn Store) {
    let (customer, cluster) = (customer_id("hours"), cluster_id("prod"));
    store.freeze(&baseline("hours", "prod", 1)).await.unwrap();
    let begins = |n: i64| at(NOON) + SignedDuration::from_hours(n);
    for n in [2, 0, 1] {
        assert!(store.close(&hour("hours", "prod", begins(n), n)).await.unwrap());
    }
    assert!(!store.close(&hour("hours", "prod", begins(1), 99)).await.unwrap(), "what is closed is closed");
    let all = store.hours(&customer, &cluster, begins(0), 10).await.unwrap();
    assert_eq!(all, [0, 1, 2].map(|n| hour("hours", "prod", begins(n), n)));
    assert_eq!(store.hours(&customer, &cluster, begins(1), 1).await.unwrap(), [hour("hours", "prod", begins(1), 1)]);
    assert_eq!(store.hours(&customer, &cluster, begins(3), 10).await.unwrap(), []);
    assert_eq!(store.hours(&customer_id("hour"), &cluster, begins(0), 10).await.unwrap(), []);
}
