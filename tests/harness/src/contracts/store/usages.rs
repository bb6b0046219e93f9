//! Laws of what is remembered of containers.

use super::Store;
use super::make::{cluster_id, customer_id};
use domain::Timestamp;
use domain::usage::{ContainerRef, SampledRound, Usage};
use domain::workload::{WorkloadKind, WorkloadRef};
use planning::rightsizing::fold::{fold, seen};

fn container(kind: WorkloadKind, name: &str) -> ContainerRef {
    let workload = WorkloadRef { kind, namespace: "shop".to_owned(), name: name.to_owned() };
    ContainerRef { workload, container: "app".to_owned() }
}

pub(super) async fn what_is_remembered_of_containers_is_read_as_written(store: &dyn Store) {
    let (customer, cluster) = (customer_id("uses"), cluster_id("prod"));
    assert_eq!(store.usages(&customer, &cluster).await.unwrap(), []);
    let mut usage = Usage::default();
    for round in 0..600_u64 {
        assert!(fold(&mut usage, &[(round * 1_000_000, round << 20)], 1_700_000_000 + i64::try_from(round).unwrap() * 600));
    }
    // As it is read: weights are kept to within two hundredths of a percent.
    let usage = Usage::decode(&usage.encode()).unwrap();
    let many: Vec<(ContainerRef, Usage)> =
        (0..60).map(|n| (container(WorkloadKind::Deployment, &format!("w-{n:02}")), usage.clone())).collect();
    store.put_usages(&customer, &cluster, &many).await.unwrap();
    let set = (container(WorkloadKind::StatefulSet, "w-00"), Usage { resized_s: Some(7), ..Usage::default() });
    store.put_usages(&customer, &cluster, std::slice::from_ref(&set)).await.unwrap();
    let mut read = store.usages(&customer, &cluster).await.unwrap();
    read.sort_by(|a, b| a.0.cmp(&b.0));
    let mut wanted = many;
    wanted.push(set);
    wanted.sort_by(|a, b| a.0.cmp(&b.0));
    assert!(read == wanted, "{} items of {}", read.len(), wanted.len());
    assert_eq!(store.usages(&customer_id("uses-2"), &cluster).await.unwrap(), [], "another customer's are absent");
}

pub(super) async fn rounds_are_kept_in_order_until_they_are_folded_in(store: &dyn Store) {
    let (customer, cluster) = (customer_id("rounds"), cluster_id("prod"));
    let at = |n: i64| Timestamp::from_second(1_800_000_000 + n * 600).unwrap();
    let round = |n: i64| SampledRound {
        at_s: at(n).as_second(),
        seen: vec![(container(WorkloadKind::Deployment, "web"), seen(&[(5_000_000, 64 << 20), (900_000_000, u64::try_from(n).unwrap())]))],
    };
    assert_eq!(store.judged_at(&customer, &cluster).await.unwrap(), None);
    for n in [2, 0, 1, 1] {
        store.put_round(&customer, &cluster, &round(n)).await.unwrap();
    }
    assert_eq!(store.rounds(&customer, &cluster, None).await.unwrap(), [round(0), round(1), round(2)]);
    store.put_judged_at(&customer, &cluster, at(1)).await.unwrap();
    let judged = store.judged_at(&customer, &cluster).await.unwrap();
    assert_eq!(judged, Some(at(1)));
    assert_eq!(store.rounds(&customer, &cluster, judged).await.unwrap(), [round(2)], "what is folded in is not read again");
    assert_eq!(store.rounds(&customer, &cluster_id("pro"), None).await.unwrap(), []);
    assert_eq!(store.judged_at(&customer_id("rounds-2"), &cluster).await.unwrap(), None);
}
