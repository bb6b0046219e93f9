//! Laws of what sleeps.

use super::make::{NOON, cluster_id, customer_id};
use super::{Store, at};
use domain::office_hours::Asleep;
use domain::workload::{ScaleKind, ScaleRef};

fn row(customer: &str, cluster: &str, name: &str, original: Option<u32>) -> Asleep {
    Asleep {
        customer: customer_id(customer),
        cluster: cluster_id(cluster),
        target: ScaleRef { kind: ScaleKind::Deployment, namespace: "shop".to_owned(), name: name.to_owned() },
        uid: format!("uid of {name}"),
        original,
        downtime_replicas: 0,
        decided_at: at(NOON),
        seen_at: None,
    }
}

pub(super) async fn what_sleeps_is_read_as_written_until_it_is_removed(store: &dyn Store) {
    let (customer, cluster) = (customer_id("nights"), cluster_id("prod"));
    let [web, mut api] = [row("nights", "prod", "web", Some(3)), row("nights", "prod", "api", None)];
    for row in [&web, &api, &row("nights", "other", "web", Some(9)), &row("nights-2", "prod", "web", Some(9))] {
        store.put_asleep(row).await.unwrap();
    }
    assert_eq!(store.asleep(&customer, &cluster).await.unwrap(), [api.clone(), web.clone()], "one cluster's, by name");
    api.seen_at = Some(at(NOON));
    store.put_asleep(&api).await.unwrap();
    assert_eq!(store.asleep(&customer, &cluster).await.unwrap(), [api.clone(), web.clone()], "the newer row stays");
    for _twice in 0..2 {
        store.remove_asleep(&customer, &cluster, &api.target).await.unwrap();
    }
    assert_eq!(store.asleep(&customer, &cluster).await.unwrap(), [web]);
}
