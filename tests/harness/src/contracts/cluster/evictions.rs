//! Laws of evictions.

use super::Scene;
use domain::ids::PodUid;
use domain::pod::{PodRef, PodView};
use domain::ports::EvictError;

fn namesake(pod: &PodView) -> PodRef {
    PodRef { uid: PodUid::parse("another-uid").unwrap(), ..pod.pod.clone() }
}

pub(super) async fn an_evicted_pod_goes_and_going_twice_is_no_error(scene: &Scene<'_>) {
    let pods = scene.deployed("leaver", 1).await;
    scene.cluster.evict(&pods[0].pod).await.unwrap();
    let leaving = scene.pods("leaver").await.into_iter().find(|pod| pod.pod == pods[0].pod).unwrap();
    assert!(leaving.deletion_at.is_some());
    scene.cluster.evict(&pods[0].pod).await.unwrap();
    scene.stage.pass(3);
    assert!(!scene.pods("leaver").await.iter().any(|pod| pod.pod == pods[0].pod));
    scene.cluster.evict(&pods[0].pod).await.unwrap();
}

pub(super) async fn a_namesake_is_not_evicted(scene: &Scene<'_>) {
    let pods = scene.deployed("twin", 1).await;
    scene.cluster.evict(&namesake(&pods[0])).await.unwrap();
    assert!(scene.pods("twin").await[0].deletion_at.is_none());
}

pub(super) async fn a_budget_without_room_refuses_and_says_so(scene: &Scene<'_>) {
    let pods = scene.deployed("tight", 2).await;
    scene.stage.budget("tight-budget", "tight", 1);
    scene.cluster.evict(&pods[0].pod).await.unwrap();
    match scene.cluster.evict(&pods[1].pod).await {
        Err(EvictError::Budget(text)) => assert!(text.contains("tight-budget"), "{text}"),
        other => panic!("{other:?}"),
    }
    assert!(scene.pods("tight").await.iter().any(|pod| pod.pod == pods[1].pod && pod.deletion_at.is_none()));
}

pub(super) async fn a_budget_that_is_being_counted_is_not_a_refusal(scene: &Scene<'_>) {
    let pods = scene.deployed("behind", 3).await;
    scene.stage.budget("behind-budget", "behind", 1);
    scene.stage.budget_is_behind("behind-budget");
    match scene.cluster.evict(&pods[0].pod).await {
        Err(EvictError::BudgetBehind(wait)) => assert!((1..=60).contains(&wait.as_secs())),
        other => panic!("{other:?}"),
    }
    scene.stage.pass(61);
    scene.cluster.evict(&pods[0].pod).await.unwrap();
}

pub(super) async fn two_budgets_on_a_pod_are_told(scene: &Scene<'_>) {
    let pods = scene.deployed("double", 3).await;
    scene.stage.budget("double-one", "double", 1);
    scene.stage.budget("double-two", "double", 2);
    assert!(matches!(scene.cluster.evict(&pods[0].pod).await, Err(EvictError::ManyBudgets)));
}

pub(super) async fn a_namespace_that_goes_is_told(scene: &Scene<'_>) {
    let node = scene.stage.node(Vec::new());
    scene.stage.deployment("going", "last", 1, &node);
    let pods = scene.pods("last").await;
    scene.stage.namespace_goes("going");
    assert!(matches!(scene.cluster.evict(&pods[0].pod).await, Err(EvictError::NamespaceTerminating)));
}

/// As many as fit on a large node.
pub(super) async fn a_burst_of_evictions_is_taken_whole(scene: &Scene<'_>) {
    let pods = scene.deployed("burst", 110).await;
    let asked = futures::future::join_all(pods.iter().map(|pod| scene.cluster.evict(&pod.pod))).await;
    assert!(asked.iter().all(Result::is_ok), "{asked:?}");
    scene.stage.pass(3);
    let left = scene.pods("burst").await;
    assert!(!pods.iter().any(|old| left.iter().any(|new| new.pod == old.pod)));
}
