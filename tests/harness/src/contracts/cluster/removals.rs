//! Laws of deletions.

use super::Scene;
use domain::ids::{NodeUid, PodUid};
use domain::node::NodeTarget;
use domain::pod::PodRef;
use domain::ports::{ClusterError, EvictError};

pub(super) async fn a_deletion_goes_past_a_budget(scene: &Scene<'_>) {
    let pods = scene.deployed("doomed", 1).await;
    scene.stage.budget("doomed-budget", "doomed", 0);
    assert!(matches!(scene.cluster.evict(&pods[0].pod).await, Err(EvictError::Budget(_))));
    scene.cluster.delete_pod(&pods[0].pod, 0).await.unwrap();
    assert!(scene.pods("doomed").await.iter().any(|pod| pod.pod == pods[0].pod), "a grace of 0 is made 1: it is not gone at once");
    scene.stage.pass(2);
    assert!(!scene.pods("doomed").await.iter().any(|pod| pod.pod == pods[0].pod));
    scene.cluster.delete_pod(&pods[0].pod, 1).await.unwrap();
}

pub(super) async fn a_namesake_of_a_pod_is_not_deleted(scene: &Scene<'_>) {
    let pods = scene.deployed("spared", 1).await;
    let namesake = PodRef { uid: PodUid::parse("another-uid").unwrap(), ..pods[0].pod.clone() };
    scene.cluster.delete_pod(&namesake, 1).await.unwrap();
    assert!(scene.pods("spared").await[0].deletion_at.is_none());
}

pub(super) async fn a_node_is_removed_once_and_never_a_namesake(scene: &Scene<'_>) {
    let node = scene.stage.node(Vec::new());
    let target = scene.target(&node).await;
    let stale = NodeTarget { uid: Some(NodeUid::parse("another-uid").unwrap()), ..target.clone() };
    scene.cluster.delete_node(&stale).await.unwrap();
    assert_eq!(Some(scene.view(&node).await.uid), target.uid);
    scene.cluster.delete_node(&target).await.unwrap();
    assert!(matches!(scene.cluster.node(&node).await, Err(ClusterError::Gone)));
    scene.cluster.delete_node(&target).await.unwrap();
    scene.cluster.delete_node(&NodeTarget { uid: None, ..target }).await.unwrap();
}
