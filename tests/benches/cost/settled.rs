//! The clusters whose month is counted.

use super::month::{PODS_PER_NODE, REGION};
use super::wires::Wires;
use domain::Timestamp;
use domain::ids::{ClusterId, InstanceId};
use domain::offering::CapacityType;
use domain::ports::{Registry, Usages};
use domain::usage::{ContainerRef, Usage};
use domain::workload::{WorkloadKind, WorkloadRef};
use harness::system::{a_cluster, a_customer};
use planning::rightsizing::fold::fold;
use sim::world::{ClusterSpec, NodeSpec, WorkloadSpec, World};
use std::sync::Arc;

/// So many clusters of so many nodes, registered: their names, and all their instances.
pub async fn settle(
    (world, table, wires): (&Arc<World>, &aws::Table, &Wires),
    many: usize,
    nodes: usize,
    now: Timestamp,
) -> (Vec<ClusterId>, Vec<InstanceId>) {
    let mut clusters = Vec::new();
    let mut all = Vec::new();
    let usage = watched(now.as_second());
    for number in 0..many {
        let (customer, name, account) =
            (format!("customer-{number}"), format!("cluster-{number}"), format!("{:012}", 111_122_223_333 + number));
        let id = world.add_cluster(ClusterSpec::new(&customer, &name, &account, REGION));
        let zones = ["us-east-1a", "us-east-1b", "us-east-1c"];
        let kinds = [CapacityType::Spot, CapacityType::OnDemand];
        let made: Vec<InstanceId> =
            (0..nodes).map(|n| world.add_node(&id, NodeSpec::new("m6i.2xlarge", zones[n % 3], kinds[n % 2]))).collect();
        for workload in 0..nodes {
            let replicas = u32::try_from(PODS_PER_NODE).expect("it is small");
            let mut spec = WorkloadSpec::new(&format!("web-{workload}"), replicas);
            (spec.pod.cpu_millis, spec.pod.memory_bytes) = (200, 512 << 20);
            spec.on = made.clone();
            world.add_deployment(&id, spec);
        }
        let customer = domain::ids::CustomerId::parse(customer).expect("it is a name");
        table.put_customer(&a_customer(&customer, now)).await.expect("the table takes it");
        let mut cluster = a_cluster(&customer, &id, &account, REGION, now);
        let (endpoint, authority) = wires.serve(world, &id).await;
        (cluster.k8s_api_endpoint, cluster.k8s_ca, cluster.eks_cluster_name) = (endpoint, Some(authority), Some(name));
        table.put_cluster(&cluster, None).await.expect("the table takes it");
        let usages: Vec<(ContainerRef, Usage)> = (0..nodes).map(|n| (container(&format!("web-{n}")), usage.clone())).collect();
        table.put_usages(&customer, &id, &usages).await.expect("the table takes it");
        all.extend(made);
        clusters.push(id);
    }
    (clusters, all)
}

fn container(workload: &str) -> ContainerRef {
    let workload = WorkloadRef { kind: WorkloadKind::Deployment, namespace: "default".to_owned(), name: workload.to_owned() };
    ContainerRef { workload, container: "main".to_owned() }
}

/// What is remembered of a container whose three pods were watched for a week, with a daily rhythm and noise: what is kept grows for
/// eight days, and is paid for by its size.
fn watched(now_s: i64) -> Usage {
    let mut random = fastrand::Rng::with_seed(7);
    let mut usage = Usage::default();
    for round in 0..1_008 {
        let at_s = now_s - (1_008 - round) * 600;
        let busy = if (8..20).contains(&(at_s / 3_600 % 24)) { 900 } else { 90 };
        let mut sample = || {
            let cpu = 100 + random.u64(..=busy);
            (cpu * 1_000_000, (200 + cpu / 3 + random.u64(..50)) << 20)
        };
        fold(&mut usage, &[sample(), sample(), sample()], at_s);
    }
    usage
}
