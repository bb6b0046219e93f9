//! Laws of cordons.

use super::{Scene, taint};
use domain::ids::{InstanceId, NodeUid, PlanId};
use domain::node::{DISRUPTION_TAINT, EXCLUDE_FROM_LOAD_BALANCERS, NodeTarget, NodeView};
use domain::ports::{ClusterError, Cordon};

fn plan(id: &str) -> PlanId {
    PlanId::parse(id).unwrap()
}

fn mark(id: &str) -> Cordon {
    Cordon { plan: plan(id) }
}

fn tainted(view: &NodeView) -> bool {
    view.taints.iter().any(|taint| taint.key == DISRUPTION_TAINT && taint.effect == "NoSchedule")
}

/// Whether the node has all marks of this plan's cordon, each once.
fn cordoned(view: &NodeView, by: &str) -> bool {
    view.unschedulable
        && view.taints.iter().filter(|taint| taint.key == DISRUPTION_TAINT).count() == 1
        && tainted(view)
        && view.labels.get(EXCLUDE_FROM_LOAD_BALANCERS).is_some_and(|value| value == "true")
        && view.cordoned_by.as_deref() == Some(by)
}

/// Whether the node has none of the marks.
fn free(view: &NodeView) -> bool {
    !view.unschedulable && !tainted(view) && !view.labels.contains_key(EXCLUDE_FROM_LOAD_BALANCERS) && view.cordoned_by.is_none()
}

pub(super) async fn a_cordon_leaves_its_four_marks_and_other_taints(scene: &Scene<'_>) {
    for taints in [vec![], vec![taint("one"), taint("two")]] {
        let node = scene.stage.node(taints.clone());
        let target = scene.target(&node).await;
        let patched = scene.cluster.cordon(&target, &mark("p-1")).await.unwrap();
        assert!(patched.changed && Some(&patched.uid) == target.uid.as_ref());
        let view = scene.view(&node).await;
        assert!(cordoned(&view, "p-1"), "{view:?}");
        assert!(taints.iter().all(|taint| view.taints.contains(taint)), "{view:?}");
        assert!(scene.cluster.uncordon(&target, Some(&plan("p-1"))).await.unwrap().changed);
        let view = scene.view(&node).await;
        assert!(free(&view), "{view:?}");
        assert!(taints.iter().all(|taint| view.taints.contains(taint)), "{view:?}");
    }
}

pub(super) async fn a_cordon_that_is_there_changes_nothing(scene: &Scene<'_>) {
    let node = scene.stage.node(Vec::new());
    let before = scene.target(&node).await;
    assert!(scene.cluster.cordon(&before, &mark("p-1")).await.unwrap().changed);
    let after = scene.target(&node).await;
    for target in [before, after] {
        let again = scene.cluster.cordon(&target, &mark("p-1")).await.unwrap();
        assert!(!again.changed);
        assert_eq!(Some(again.uid), target.uid);
    }
    assert!(cordoned(&scene.view(&node).await, "p-1"));
}

pub(super) async fn a_cordon_needs_no_fresh_look_at_the_taints(scene: &Scene<'_>) {
    let node = scene.stage.node(vec![taint("real")]);
    for remembered in [vec![], vec![taint("long-gone")]] {
        let target = NodeTarget { taints: remembered, ..scene.target(&node).await };
        assert!(scene.cluster.cordon(&target, &mark("p-1")).await.unwrap().changed);
        let view = scene.view(&node).await;
        assert!(cordoned(&view, "p-1") && view.taints.contains(&taint("real")), "{view:?}");
        assert!(!view.taints.contains(&taint("long-gone")), "what is remembered is not brought back");
        scene.cluster.uncordon(&target, None).await.unwrap();
    }
}

pub(super) async fn a_node_never_seen_is_known_by_its_instance(scene: &Scene<'_>) {
    let node = scene.stage.node(Vec::new());
    let seen = scene.target(&node).await;
    let unseen = NodeTarget { uid: None, taints: Vec::new(), ..seen.clone() };
    let other = NodeTarget { instance: InstanceId::parse("i-0aaaaaaaaaaaaaaaa").unwrap(), ..unseen.clone() };
    assert!(matches!(scene.cluster.cordon(&other, &mark("p-1")).await, Err(ClusterError::Gone)));
    assert!(free(&scene.view(&node).await));
    let patched = scene.cluster.cordon(&unseen, &mark("p-1")).await.unwrap();
    assert!(patched.changed && Some(patched.uid) == seen.uid);
}

pub(super) async fn a_namesake_is_never_touched(scene: &Scene<'_>) {
    let node = scene.stage.node(Vec::new());
    let stale = NodeTarget { uid: Some(NodeUid::parse("another-uid").unwrap()), ..scene.target(&node).await };
    assert!(matches!(scene.cluster.cordon(&stale, &mark("p-1")).await, Err(ClusterError::Gone)));
    assert!(free(&scene.view(&node).await));
    scene.cluster.cordon(&scene.target(&node).await, &mark("p-1")).await.unwrap();
    assert!(matches!(scene.cluster.uncordon(&stale, None).await, Err(ClusterError::Gone)));
    assert!(cordoned(&scene.view(&node).await, "p-1"));
}

pub(super) async fn a_plan_takes_back_its_own_cordon_only(scene: &Scene<'_>) {
    let node = scene.stage.node(Vec::new());
    let target = scene.target(&node).await;
    scene.cluster.cordon(&target, &mark("p-1")).await.unwrap();
    assert!(!scene.cluster.uncordon(&target, Some(&plan("p-2"))).await.unwrap().changed);
    assert!(cordoned(&scene.view(&node).await, "p-1"));
    assert!(scene.cluster.uncordon(&target, Some(&plan("p-1"))).await.unwrap().changed);
    assert!(!scene.cluster.uncordon(&target, Some(&plan("p-1"))).await.unwrap().changed);
}

pub(super) async fn a_later_plan_takes_a_cordon_over(scene: &Scene<'_>) {
    let node = scene.stage.node(Vec::new());
    let target = scene.target(&node).await;
    scene.cluster.cordon(&target, &mark("p-1")).await.unwrap();
    assert!(scene.cluster.cordon(&target, &mark("p-2")).await.unwrap().changed);
    assert!(cordoned(&scene.view(&node).await, "p-2"));
    assert!(!scene.cluster.uncordon(&target, Some(&plan("p-1"))).await.unwrap().changed);
    assert!(cordoned(&scene.view(&node).await, "p-2"), "what a rescue holds, an older plan's undoing does not take");
}

pub(super) async fn whoever_names_no_plan_takes_back_any_cordon_of_ours(scene: &Scene<'_>) {
    let node = scene.stage.node(Vec::new());
    let target = scene.target(&node).await;
    scene.cluster.cordon(&target, &mark("p-1")).await.unwrap();
    assert!(scene.cluster.uncordon(&target, None).await.unwrap().changed);
    assert!(free(&scene.view(&node).await));
    assert!(!scene.cluster.uncordon(&target, None).await.unwrap().changed);
}

pub(super) async fn what_a_person_cordoned_stays_cordoned(scene: &Scene<'_>) {
    let node = scene.stage.node(Vec::new());
    scene.stage.person_cordons(&node);
    scene.stage.pass(5);
    let target = scene.target(&node).await;
    for only in [None, Some(&plan("p-1"))] {
        assert!(!scene.cluster.uncordon(&target, only).await.unwrap().changed);
    }
    assert!(scene.cluster.cordon(&target, &mark("p-1")).await.unwrap().changed);
    assert!(scene.cluster.uncordon(&target, Some(&plan("p-1"))).await.unwrap().changed);
    let view = scene.view(&node).await;
    assert!(view.unschedulable && !tainted(&view) && view.cordoned_by.is_none(), "{view:?}");
}
