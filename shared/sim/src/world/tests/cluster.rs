//! Laws of the Kubernetes side.

use super::support::{mark, plan_id, small};
use crate::world::{Allows, NodeSpec, PdbSpec, PodShape, What, WorkloadSpec};
use domain::node::{DISRUPTION_TAINT, EXCLUDE_FROM_LOAD_BALANCERS};
use domain::offering::CapacityType;
use domain::ports::{ClusterError, EvictError};
use domain::workload::{WorkloadKind, WorkloadRef};
use jiff::SignedDuration;

#[tokio::test]
async fn a_budget_without_room_refuses_until_the_evicted_pod_is_ready_elsewhere() {
    let s = small(2);
    s.deploy("web", 2);
    s.guard("web", Allows::MaxUnavailable(1));
    let pods = s.pods();
    s.api.evict(&pods[0].pod).await.unwrap();
    assert!(matches!(s.api.evict(&pods[1].pod).await, Err(EvictError::Budget(_))));
    s.pass(3).await;
    assert!(matches!(s.api.evict(&pods[1].pod).await, Err(EvictError::Budget(_))), "bound is not ready");
    s.pass(5).await;
    s.api.evict(&pods[1].pod).await.unwrap();
    assert!(!s.whats().iter().any(|what| matches!(what, What::BudgetViolated { .. })));
}

#[tokio::test]
async fn a_pod_under_two_budgets_can_never_be_evicted() {
    let s = small(1);
    s.deploy("web", 3);
    s.guard("web", Allows::MaxUnavailable(1));
    s.world.add_pdb(&s.id, PdbSpec { name: "other".into(), ..PdbSpec::new("web", Allows::MaxUnavailable(2)) });
    assert!(matches!(s.api.evict(&s.pods()[0].pod).await, Err(EvictError::ManyBudgets)));
}

#[tokio::test]
async fn a_budget_that_is_behind_asks_for_ten_seconds() {
    let s = small(1);
    s.deploy("web", 3);
    s.guard("web", Allows::MaxUnavailable(1));
    s.world.budget_behind(&s.id, "default", "web", SignedDuration::from_secs(5));
    let pod = s.pods()[0].pod.clone();
    assert!(matches!(s.api.evict(&pod).await, Err(EvictError::BudgetBehind(wait)) if wait.as_secs() == 10));
    s.pass(6).await;
    s.api.evict(&pod).await.unwrap();
}

#[tokio::test]
async fn a_pending_pod_goes_whatever_its_budget_says() {
    let s = small(0);
    s.world.add_deployment(&s.id, WorkloadSpec::new("web", 1));
    s.guard("web", Allows::MinAvailable(1));
    s.api.evict(&s.pods()[0].pod).await.unwrap();
}

#[tokio::test]
async fn an_unready_pod_goes_only_while_the_others_suffice() {
    let s = small(2);
    let sick = PodShape { never_ready: true, ..PodShape::default() };
    s.world.add_deployment(&s.id, WorkloadSpec { pod: sick, ..WorkloadSpec::new("sick", 1) });
    s.guard("sick", Allows::MinAvailable(1));
    let pod = s.pods()[0].pod.clone();
    assert!(matches!(s.api.evict(&pod).await, Err(EvictError::Budget(_))));
    s.world.add_pdb(&s.id, PdbSpec { namespace: "away".into(), ..PdbSpec::new("sick", Allows::MinAvailable(1)) });
    assert!(matches!(s.api.evict(&pod).await, Err(EvictError::Budget(_))), "a budget of another namespace covers nothing here");
}

#[tokio::test]
async fn budgets_count_as_the_disruption_controller_does() {
    let s = small(2);
    s.deploy("web", 5);
    for (allows, desired, expected) in [
        (Allows::MinAvailable(2), 2, 5),
        (Allows::MinAvailablePercent(50), 3, 5),
        (Allows::MaxUnavailable(1), 4, 5),
        (Allows::MaxUnavailablePercent(30), 3, 5),
    ] {
        s.guard("web", allows);
        let counts = s.world.budgets(&s.id).pop().unwrap();
        assert_eq!((counts.desired_healthy, counts.expected_pods, counts.current_healthy), (desired, expected, 5), "{allows:?}");
        assert_eq!(counts.disruptions_allowed, 5 - desired);
    }
}

#[tokio::test]
async fn an_eviction_with_the_uid_of_a_namesake_touches_nothing() {
    let s = small(1);
    s.deploy("web", 1);
    let mut pod = s.pods()[0].pod.clone();
    pod.uid = "other".to_owned().try_into().unwrap();
    s.api.evict(&pod).await.unwrap();
    s.api.delete_pod(&pod, 1).await.unwrap();
    assert!(s.pods()[0].deletion_at.is_none());
}

#[tokio::test]
async fn a_terminating_pod_vanishes_after_its_exit_or_its_grace_whichever_is_shorter() {
    let s = small(2);
    let slow = PodShape { grace_s: 60, exit_s: 300, ..PodShape::default() };
    s.world.add_bare_pod(&s.id, "slow", slow, Some(&s.nodes[0]));
    let pod = s.pods()[0].pod.clone();
    s.api.evict(&pod).await.unwrap();
    s.pass(59).await;
    assert_eq!(s.pods().len(), 1);
    s.api.delete_pod(&pod, 30).await.unwrap();
    s.pass(1).await;
    assert!(s.pods().is_empty(), "a later grace never lengthens");
}

#[tokio::test]
async fn a_stateful_pod_is_made_anew_only_when_its_namesake_is_gone() {
    let s = small(2);
    let pod = PodShape { exit_s: 10, ..PodShape::default() };
    s.world.add_stateful_set(&s.id, WorkloadSpec { pod, ..WorkloadSpec::new("db", 1) });
    s.api.evict(&s.pods()[0].pod).await.unwrap();
    s.pass(9).await;
    assert_eq!(s.pods().len(), 1);
    s.pass(2).await;
    assert_eq!((s.pods().len(), s.pods()[0].pod.name.as_str(), s.pods()[0].deletion_at), (1, "db-0", None));
}

#[tokio::test]
async fn the_scheduler_respects_cordons_taints_and_room() {
    let s = small(1);
    let cordoned = s.target(0);
    s.api.cordon(&cordoned, &mark("p-1")).await.unwrap();
    let large = PodShape { cpu_millis: 1500, ..PodShape::default() };
    s.world.add_deployment(&s.id, WorkloadSpec { pod: large, ..WorkloadSpec::new("large", 2) });
    assert_eq!(s.world.pending_pods(&s.id).len(), 2);
    s.world.add_node(&s.id, NodeSpec::new("m6i.large", "us-east-1b", CapacityType::OnDemand));
    assert_eq!(s.world.pending_pods(&s.id).len(), 1, "one of 1.5 cores fits on two");
    s.world.human_uncordons(&s.id, &cordoned.name);
    s.pass(2).await;
    assert_eq!(s.world.pending_pods(&s.id).len(), 1, "the taint still repels");
    s.api.uncordon(&cordoned, None).await.unwrap();
    s.pass(2).await;
    assert!(s.world.pending_pods(&s.id).is_empty());
}

#[tokio::test]
async fn a_cordon_is_one_change_and_only_its_own_plan_takes_it_back() {
    let s = small(1);
    let target = s.target(0);
    assert!(s.api.cordon(&target, &mark("p-1")).await.unwrap().changed);
    assert!(!s.api.cordon(&target, &mark("p-1")).await.unwrap().changed);
    let node = s.api.node(&target.name).await.unwrap();
    assert!(node.unschedulable && node.labels.contains_key(EXCLUDE_FROM_LOAD_BALANCERS));
    assert_eq!(node.taints[0].key, DISRUPTION_TAINT);
    assert!(!s.api.uncordon(&target, Some(&plan_id("p-2"))).await.unwrap().changed);
    assert!(s.api.uncordon(&target, Some(&plan_id("p-1"))).await.unwrap().changed);
    let node = s.api.node(&target.name).await.unwrap();
    assert!(!node.unschedulable && node.taints.is_empty() && node.cordoned_by.is_none());
    let stale = domain::node::NodeTarget { uid: Some("other".to_owned().try_into().unwrap()), ..target };
    assert!(matches!(s.api.cordon(&stale, &mark("p-1")).await, Err(ClusterError::Gone)));
}

#[tokio::test]
async fn daemon_and_mirror_pods_come_back_on_their_node_and_finished_pods_do_not() {
    let s = small(1);
    s.world.add_daemon_set(&s.id, WorkloadSpec::new("agent", 0));
    s.world.add_mirror_pod(&s.id, "proxy", &s.nodes[0]);
    s.world.add_finished_job(&s.id, "job", &s.nodes[0]);
    s.api.cordon(&s.target(0), &mark("p-1")).await.unwrap();
    for pod in s.pods() {
        s.api.evict(&pod.pod).await.unwrap();
    }
    s.pass(10).await;
    let kinds: Vec<String> = s.pods().into_iter().filter_map(|pod| pod.controller).map(|c| c.kind).collect();
    assert_eq!(kinds, ["Node", "DaemonSet"]);
}

#[tokio::test]
async fn scaling_makes_and_takes_pods() {
    let s = small(2);
    s.deploy("web", 1);
    let web = WorkloadRef { kind: WorkloadKind::Deployment, namespace: "default".into(), name: "web".into() };
    assert_eq!(s.api.replicas(&web).await.unwrap(), 1);
    s.api.scale(&web, 4).await.unwrap();
    s.pass(10).await;
    assert_eq!(s.pods().iter().filter(|pod| pod.ready).count(), 4);
    s.api.scale(&web, 0).await.unwrap();
    s.pass(10).await;
    assert!(s.pods().is_empty());
    let none = WorkloadRef { name: "none".into(), ..web };
    assert!(matches!(s.api.scale(&none, 1).await, Err(ClusterError::Gone)));
}

#[tokio::test]
async fn deleting_past_a_budget_is_seen_as_a_violation() {
    let s = small(2);
    s.deploy("web", 1);
    s.guard("web", Allows::MinAvailable(1));
    s.api.delete_pod(&s.pods()[0].pod, 1).await.unwrap();
    assert!(s.whats().iter().any(|what| matches!(what, What::BudgetViolated { .. })));
}
