//! Laws of what is remembered of containers.

use super::Store;
use super::make::{cluster_id, customer_id};
use domain::usage::{ContainerRef, Usage};
use domain::workload::{WorkloadKind, WorkloadRef};
use planning::rightsizing::fold::fold;

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
