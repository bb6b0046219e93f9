//! Laws of reading.

use super::{Scene, taint};
use domain::ids::NodeName;
use domain::pod::PodDetail;
use domain::ports::{Cluster, ClusterError, PodSink};
use std::collections::BTreeSet;
use std::sync::Arc;

/// Reads and keeps nothing.
struct Forgets;

impl PodSink for Forgets {
    fn pod(&mut self, _: PodDetail) {}
    fn restart(&mut self) {}
}

/// A list works, or a right is missing, or (metrics) nobody serves it. Nothing else is an answer of a healthy cluster.
fn answers<T>(what: &str, answer: Result<T, ClusterError>) {
    match answer {
        Ok(_) | Err(ClusterError::Forbidden(_)) => {}
        Err(ClusterError::Refused(text)) if text.contains("not served") => {}
        Err(other) => panic!("{what}: {other}"),
    }
}

pub(super) async fn every_list_answers_or_says_which_right_is_missing(cluster: &Arc<dyn Cluster>) {
    answers("nodes", cluster.nodes().await);
    answers("pods", cluster.pods(None).await);
    answers("budgets", cluster.pod_budgets().await);
    answers("daemon sets", cluster.daemon_sets().await);
    answers("usage", cluster.usage().await);
    answers("pods in detail", cluster.pods_in_detail(&mut Forgets).await);
    answers("claims", cluster.claims().await);
    answers("services", cluster.services().await);
    answers("endpoints", cluster.endpoints().await);
}

pub(super) async fn a_node_is_listed_as_it_is_read(scene: &Scene<'_>) {
    let name = scene.stage.node(vec![taint("reads")]);
    let listed = scene.cluster.nodes().await.unwrap();
    let listed = listed.into_iter().find(|node| node.name == name).unwrap();
    assert_eq!(scene.view(&name).await, listed);
    assert!(listed.ready && !listed.unschedulable && listed.cordoned_by.is_none());
    assert!(listed.cpu_millis > 0 && listed.memory_bytes > 0 && listed.pods_max > 0 && listed.created_at.is_some());
    assert!(listed.instance().is_some());
    assert_eq!(listed.taints, [taint("reads")]);
}

pub(super) async fn a_node_that_is_not_there_is_gone(scene: &Scene<'_>) {
    let nobody = NodeName::parse("no-such-node.ec2.internal").unwrap();
    assert!(matches!(scene.cluster.node(&nobody).await, Err(ClusterError::Gone)));
    assert!(scene.cluster.pods(Some(&nobody)).await.unwrap().is_empty());
}

pub(super) async fn pods_of_a_node_are_those_bound_to_it(scene: &Scene<'_>) {
    let (here, there) = (scene.stage.node(Vec::new()), scene.stage.node(Vec::new()));
    scene.stage.deployment("default", "here", 2, &here);
    scene.stage.deployment("default", "there", 3, &there);
    let on = scene.cluster.pods(Some(&here)).await.unwrap();
    assert!(on.iter().all(|pod| pod.node.as_ref() == Some(&here)));
    assert_eq!(on.iter().filter(|pod| pod.labels.get("app").is_some_and(|app| app == "here")).count(), 2);
    assert!(!on.iter().any(|pod| pod.labels.get("app").is_some_and(|app| app == "there")));
    assert_eq!(scene.pods("there").await.len(), 3);
}

pub(super) async fn a_pod_is_read_with_what_decides_about_it(scene: &Scene<'_>) {
    let node = scene.stage.node(Vec::new());
    scene.stage.odd_pod("odd", &node);
    scene.stage.mirror_pod("static", &node);
    scene.stage.deployment("default", "plain", 1, &node);
    let pods = scene.cluster.pods(Some(&node)).await.unwrap();
    let odd = pods.iter().find(|pod| pod.pod.name == "odd").unwrap();
    assert!(odd.controller.is_none() && odd.empty_dir && odd.do_not_disrupt && !odd.mirror && odd.deletion_at.is_none());
    assert_eq!((odd.grace_s, odd.priority, odd.cpu_millis, odd.memory_bytes), (7, 1000, 300, 64 << 20));
    assert_eq!(odd.labels.get("app").map(String::as_str), Some("odd"));
    let image = pods.iter().find(|pod| pod.pod.name.starts_with("static")).unwrap();
    assert!(image.mirror);
    let plain = pods.iter().find(|pod| pod.labels.get("app").is_some_and(|app| app == "plain")).unwrap();
    assert_eq!(plain.controller.as_ref().map(|owner| owner.kind.as_str()), Some("ReplicaSet"));
    assert!(plain.ready && !plain.finished() && !plain.empty_dir && !plain.do_not_disrupt && !plain.mirror);
}

/// 1,100 pods are three pages of 500.
pub(super) async fn a_long_list_is_complete_and_without_doubles(scene: &Scene<'_>) {
    let crowd = scene.deployed("crowd", 1_100).await;
    let uids: BTreeSet<_> = crowd.iter().map(|pod| pod.pod.uid.clone()).collect();
    assert_eq!(uids.len(), 1_100);
}

pub(super) async fn budgets_come_with_their_counts(scene: &Scene<'_>) {
    let pods = scene.deployed("counted", 4).await;
    scene.stage.budget("counted-budget", "counted", 1);
    let budgets = scene.cluster.pod_budgets().await.unwrap();
    let budget = budgets.iter().find(|budget| budget.name == "counted-budget").unwrap();
    assert!(pods.iter().all(|pod| budget.covers(pod)));
    assert_eq!((budget.expected_pods, budget.current_healthy, budget.desired_healthy, budget.disruptions_allowed), (4, 4, 3, 1));
    assert!(!budget.never_allows());
}

pub(super) async fn daemon_sets_are_named(scene: &Scene<'_>) {
    scene.stage.daemon_set("agent");
    assert!(scene.cluster.daemon_sets().await.unwrap().contains(&("default".to_owned(), "agent".to_owned())));
    let node = scene.stage.node(Vec::new());
    scene.stage.pass(5);
    let pods = scene.cluster.pods(Some(&node)).await.unwrap();
    assert!(pods.iter().any(|pod| pod.controller.as_ref().is_some_and(|owner| owner.kind == "DaemonSet" && owner.name == "agent")));
}

pub(super) async fn use_is_told_per_node(scene: &Scene<'_>) {
    let node = scene.stage.node(Vec::new());
    scene.stage.deployment("default", "busy", 3, &node);
    let usage = scene.cluster.usage().await.unwrap();
    let used = usage.iter().find(|used| used.name == node).unwrap();
    assert!(used.cpu_millis > 0 && used.memory_bytes > 0);
}
