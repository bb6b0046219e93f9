//! Laws of scaling.

use super::Scene;
use domain::ports::ClusterError;
use domain::workload::{WorkloadKind, WorkloadRef};

fn named(name: &str) -> WorkloadRef {
    WorkloadRef { kind: WorkloadKind::Deployment, namespace: "default".to_owned(), name: name.to_owned() }
}

pub(super) async fn a_workload_is_scaled_and_read_back(scene: &Scene<'_>) {
    scene.deployed("scaled", 2).await;
    assert_eq!(scene.cluster.replicas(&named("scaled")).await.unwrap(), 2);
    for replicas in [5, 5, 0] {
        scene.cluster.scale(&named("scaled"), replicas).await.unwrap();
        assert_eq!(scene.cluster.replicas(&named("scaled")).await.unwrap(), replicas);
    }
    scene.stage.pass(10);
    assert!(scene.pods("scaled").await.is_empty());
}

pub(super) async fn a_workload_that_is_not_there_is_gone(scene: &Scene<'_>) {
    assert!(matches!(scene.cluster.replicas(&named("nobody")).await, Err(ClusterError::Gone)));
    assert!(matches!(scene.cluster.scale(&named("nobody"), 1).await, Err(ClusterError::Gone)));
}
