//! Laws of the ledger.

use super::make::{NOON, baseline, cluster_id, customer_id, hour};
use super::{Store, at};
use domain::SignedDuration;
use domain::money::MicroDollars;
use domain::savings::{Metered, Month};
use futures::future::join_all;

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

pub(super) async fn a_month_is_the_sum_of_its_hours_each_counted_once(store: &dyn Store) {
    let month = |text: &str| Month::parse(text).unwrap();
    let (customer, november, december) = (customer_id("billed"), month("2026-11"), month("2026-12"));
    // The last two hours of November and the first of December, each closed by four workers at once.
    let begins = |n: i64| at("2026-11-30T22:00:00Z") + SignedDuration::from_hours(n);
    for n in 0..3 {
        let one = hour("billed", "prod", begins(n), 100 + n);
        let closed = join_all((0..4).map(|_| store.close(&one))).await;
        assert_eq!(closed.iter().filter(|closed| matches!(closed, Ok(true))).count(), 1, "{closed:?}");
        assert!(!store.close(&one).await.unwrap());
    }
    assert!(store.close(&hour("billed", "test", begins(0), 1)).await.unwrap());
    assert!(store.close(&hour("billed-2", "prod", begins(0), 1)).await.unwrap());
    let row = |cluster: &str, hours: i64, cost: i64| Metered {
        cluster_id: cluster_id(cluster),
        hours: hours.unsigned_abs(),
        vcpu_hours: 8 * hours.unsigned_abs(),
        cost: MicroDollars(cost),
        expected_cost: MicroDollars(9 * hours),
        saved: MicroDollars(-2 * hours),
    };
    assert_eq!(store.metered(&customer, november).await.unwrap(), [row("prod", 2, 201), row("test", 1, 1)]);
    assert_eq!(store.metered(&customer, december).await.unwrap(), [row("prod", 1, 102)]);
    assert_eq!(store.metered(&customer, month("2026-10")).await.unwrap(), []);
    assert_eq!(store.metered(&customer_id("bille"), november).await.unwrap(), []);
}
