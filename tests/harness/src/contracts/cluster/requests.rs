//! Laws of the sizes of workloads.

use super::Scene;
use domain::ports::ClusterError;
use domain::sizing::{ContainerSizes, InPlace, Sizes, WorkloadView};
use domain::workload::{WorkloadKind, WorkloadRef};

fn named(name: &str) -> WorkloadRef {
    WorkloadRef { kind: WorkloadKind::Deployment, namespace: "default".to_owned(), name: name.to_owned() }
}

/// What the stage's pods ask for.
const FIRST: Sizes = Sizes { cpu_request: Some(250), cpu_limit: None, memory_request: Some(256 << 20), memory_limit: None };

async fn patch(scene: &Scene<'_>, view: &WorkloadView, sizes: Sizes) -> Result<(), ClusterError> {
    let wanted = [ContainerSizes { container: view.containers[0].container.clone(), sizes }];
    scene.cluster.patch_requests(&view.workload, &view.version, &wanted).await
}

pub(super) async fn a_template_is_listed_as_it_is_read(scene: &Scene<'_>) {
    scene.deployed("sized", 2).await;
    let read = scene.cluster.workload(&named("sized")).await.unwrap();
    assert_eq!((read.containers[0].sizes, read.replicas, read.settled(), read.managed_by.clone()), (FIRST, 2, true, None));
    let listed = scene.cluster.workloads().await.unwrap();
    assert_eq!(listed.into_iter().find(|view| view.workload == named("sized")), Some(read));
    assert!(matches!(scene.cluster.workload(&named("nobody")).await, Err(ClusterError::Gone)));
}

pub(super) async fn new_sizes_are_rolled_out_and_can_be_put_back(scene: &Scene<'_>) {
    let before = scene.deployed("rolled", 3).await;
    let view = scene.cluster.workload(&named("rolled")).await.unwrap();
    let wanted = Sizes { cpu_request: Some(100), cpu_limit: Some(200), memory_request: Some(128 << 20), memory_limit: Some(128 << 20) };
    patch(scene, &view, wanted).await.unwrap();
    assert!(!scene.cluster.workload(&named("rolled")).await.unwrap().settled());
    scene.stage.pass(120);
    let after = scene.cluster.workload(&named("rolled")).await.unwrap();
    assert_eq!((after.containers[0].sizes, after.settled(), after.updated), (wanted, true, 3));
    let pods = scene.cluster.containers().await.unwrap();
    let now: Vec<_> = pods.into_iter().filter(|pod| pod.workload() == Some(named("rolled"))).collect();
    assert_eq!(now.len(), 3);
    for pod in now {
        assert!(before.iter().all(|old| old.pod.uid != pod.pod.uid), "every pod is a new one");
        assert_eq!(pod.containers[0].sizes, wanted);
    }
    // Limits that were not there before are taken off again.
    patch(scene, &after, FIRST).await.unwrap();
    scene.stage.pass(120);
    assert_eq!(scene.cluster.workload(&named("rolled")).await.unwrap().containers[0].sizes, FIRST);
}

pub(super) async fn a_patch_over_what_was_not_read_is_refused(scene: &Scene<'_>) {
    scene.deployed("raced", 1).await;
    let view = scene.cluster.workload(&named("raced")).await.unwrap();
    let wanted = |cpu| Sizes { cpu_request: Some(cpu), ..FIRST };
    patch(scene, &view, wanted(300)).await.unwrap();
    assert!(matches!(patch(scene, &view, wanted(400)).await, Err(ClusterError::Conflict)));
    assert_eq!(scene.cluster.workload(&named("raced")).await.unwrap().containers[0].sizes, wanted(300));
    let impossible = Sizes { memory_limit: Some(1 << 20), ..FIRST };
    let view = scene.cluster.workload(&named("raced")).await.unwrap();
    assert!(matches!(patch(scene, &view, impossible).await, Err(ClusterError::Refused(_))));
}

pub(super) async fn use_is_told_per_container(scene: &Scene<'_>) {
    let pods = scene.deployed("used", 2).await;
    let samples = scene.cluster.container_usage().await.unwrap();
    for pod in pods {
        let sample = samples.iter().find(|sample| sample.pod == pod.pod.name && sample.namespace == pod.pod.namespace).unwrap();
        assert_eq!((sample.cpu_nanos, sample.memory_bytes >> 20), (150_000_000, 153));
    }
}

pub(super) async fn a_kill_for_lack_of_memory_is_told_with_its_name(scene: &Scene<'_>) {
    let pods = scene.deployed("killed", 1).await;
    let kill = async || {
        let all = scene.cluster.containers().await.unwrap();
        all.into_iter().find(|pod| pod.pod.uid == pods[0].pod.uid).unwrap().containers[0].oom.clone()
    };
    assert_eq!(kill().await, None);
    scene.stage.kill_for_memory(&pods[0].pod);
    let first = kill().await.unwrap();
    assert_eq!((first.request, first.limit), (FIRST.memory_request, None));
    assert_eq!(kill().await.unwrap().name(), first.name(), "seen twice, it is the same");
    scene.stage.pass(30);
    scene.stage.kill_for_memory(&pods[0].pod);
    assert_ne!(kill().await.unwrap().name(), first.name());
}

pub(super) async fn an_autoscaler_is_told_with_what_it_works_on(scene: &Scene<'_>) {
    scene.deployed("scaling", 1).await;
    scene.stage.autoscale("scaling", false, true);
    let found = scene.cluster.autoscalers().await.unwrap();
    let one = found.iter().find(|one| one.scales(&named("scaling"))).unwrap();
    assert_eq!((one.cpu, one.memory), (false, true));
}

pub(super) async fn a_pod_is_resized_in_place_where_the_cluster_can(scene: &Scene<'_>) {
    let pods = scene.deployed("in-place", 1).await;
    let view = scene.cluster.workload(&named("in-place")).await.unwrap();
    let sizes = Sizes { memory_request: Some(512 << 20), ..FIRST };
    let wanted = [ContainerSizes { container: view.containers[0].container.clone(), sizes }];
    assert_eq!(scene.cluster.resize_in_place(&pods[0].pod, &wanted).await.unwrap(), InPlace::Unsupported);
    scene.stage.resizes_in_place();
    assert_eq!(scene.cluster.resize_in_place(&pods[0].pod, &wanted).await.unwrap(), InPlace::Accepted);
    let all = scene.cluster.containers().await.unwrap();
    let now = all.into_iter().find(|pod| pod.pod.uid == pods[0].pod.uid).expect("it is the same pod");
    assert_eq!(now.containers[0].sizes, sizes);
}
