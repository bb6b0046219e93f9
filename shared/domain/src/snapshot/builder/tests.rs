use super::*;
use crate::ids::{PodUid, Zone};
use crate::pod::{PodPhase, PodRef, PodView, Selector};
use crate::scheduling::{NodeOperator, NodeRequirement, NodeTerm, PodTerm, Resources};
use std::collections::BTreeSet;

mod laws;

fn labels(pairs: &[(&str, &str)]) -> BTreeMap<String, String> {
    pairs.iter().map(|(key, value)| ((*key).to_owned(), (*value).to_owned())).collect()
}

fn select(pairs: &[(&str, &str)]) -> Selector {
    Selector { match_labels: labels(pairs), match_expressions: Vec::new() }
}

fn budget(namespace: &str, selector: Selector) -> PodBudget {
    PodBudget {
        namespace: namespace.into(),
        name: "b".into(),
        selector: Some(selector),
        disruptions_allowed: 1,
        current_healthy: 1,
        desired_healthy: 1,
        expected_pods: 1,
    }
}

fn pod(name: &str, node: Option<&str>, own: &[(&str, &str)]) -> PodDetail {
    let requests = Resources::new(100, 1 << 20);
    PodDetail {
        view: PodView {
            pod: PodRef { namespace: "shop".into(), name: name.into(), uid: PodUid::parse(name).unwrap() },
            node: node.map(|node| NodeName::parse(node).unwrap()),
            phase: PodPhase::Running,
            ready: true,
            controller: Some(Controller { kind: "ReplicaSet".into(), name: "web".into() }),
            mirror: false,
            empty_dir: false,
            deletion_at: None,
            grace_s: 30,
            priority: 0,
            do_not_disrupt: false,
            labels: labels(own),
            cpu_millis: requests.cpu_millis,
            memory_bytes: requests.memory_bytes,
        },
        requests,
        scheduling: Scheduling::default(),
        claims: Vec::new(),
        started_at: None,
        containers: Vec::new(),
    }
}

fn apart(selector: Selector) -> PodTerm {
    PodTerm { topology_key: "kubernetes.io/hostname".into(), selector: Some(selector), namespaces: Vec::new(), any_namespace: false }
}

/// Reads as often as the builder asks for.
fn grouped(mut builder: SnapshotBuilder, pods: &[PodDetail]) -> Grouped {
    for _ in 0..3 {
        pods.iter().for_each(|pod| builder.pod(pod.clone()));
        if !builder.needs_another_pass() {
            return builder.finish(|_| Some(Arch::Amd64));
        }
        builder.restart();
    }
    panic!("three passes are not enough");
}

fn builder() -> SnapshotBuilder {
    SnapshotBuilder::new(&[], Some(Vec::new()))
}

#[test]
fn labels_that_no_selector_looks_at_split_no_class() {
    let pods = [pod("a", Some("n-1"), &[("app", "web"), ("leader", "yes")]), pod("b", Some("n-1"), &[("app", "web"), ("leader", "no")])];
    let found = grouped(builder(), &pods);
    assert_eq!(found.classes.len(), 1);
    assert_eq!(found.classes[0].labels, labels(&[("app", "web")]), "the default spread looks at what they share");
    let found = grouped(SnapshotBuilder::new(&[budget("shop", select(&[("leader", "yes")]))], None), &pods);
    assert_eq!(found.classes.len(), 2);
    let found = grouped(SnapshotBuilder::new(&[budget("other", select(&[("leader", "yes")]))], None), &pods);
    assert_eq!(found.classes.len(), 1, "a budget looks at its own namespace only");
}

#[test]
fn a_selector_counts_wherever_in_the_list_it_stands() {
    let mut last = pod("z", Some("n-2"), &[("app", "db")]);
    last.view.controller = None;
    last.scheduling.anti_affinity = vec![apart(select(&[("leader", "yes")]))];
    let pods = [pod("a", Some("n-1"), &[("leader", "yes")]), pod("b", Some("n-1"), &[("leader", "no")]), last];
    assert_eq!(grouped(builder(), &pods).classes.len(), 3);
}

#[test]
fn every_pod_of_a_daemon_set_is_alike_though_each_names_its_node() {
    let daemon = |node: &str| {
        let mut pod = pod(&format!("agent-{node}"), Some(node), &[]);
        pod.view.controller = Some(Controller { kind: "DaemonSet".into(), name: "agent".into() });
        let need = |key: &str, value: &str| NodeRequirement { key: key.into(), operator: NodeOperator::In, values: vec![value.into()] };
        pod.scheduling.required_nodes = vec![NodeTerm(vec![need(NAME_FIELD, node), need("kubernetes.io/arch", "arm64")])];
        pod
    };
    let found = grouped(builder(), &[daemon("n-1"), daemon("n-2")]);
    assert_eq!(found.classes.len(), 1);
    assert!(found.classes[0].daemon && !found.classes[0].moves());
    assert_eq!(found.classes[0].scheduling.required_nodes[0].0.len(), 1, "what else it requires stays");
    assert_eq!(found.classes[0].arches, [Arch::Amd64, Arch::Arm64], "where it runs, and what it names");
    let mut scheduling =
        Scheduling { required_nodes: vec![NodeTerm(daemon("n").scheduling.required_nodes[0].0[..1].to_vec())], ..Scheduling::default() };
    forget_own_node(&mut scheduling);
    assert!(scheduling.required_nodes.is_empty());
}

#[test]
fn static_pods_are_alike_on_every_node() {
    let image = |node: &str| {
        let mut pod = pod(&format!("proxy-{node}"), Some(node), &[]);
        pod.view.mirror = true;
        pod.view.controller = Some(Controller { kind: "Node".into(), name: node.into() });
        pod
    };
    assert_eq!(grouped(builder(), &[image("n-1"), image("n-2")]).classes.len(), 1);
}

#[test]
fn a_finished_pod_is_in_no_class_but_its_node_was_busy() {
    let mut job = pod("job", Some("n-1"), &[]);
    job.view.phase = PodPhase::Succeeded;
    job.started_at = Some(Timestamp::from_second(1000).unwrap());
    let mut leaving = pod("old", Some("n-2"), &[]);
    leaving.view.deletion_at = Some(Timestamp::from_second(2030).unwrap());
    let mut never = pod("never", None, &[]);
    never.view.deletion_at = leaving.view.deletion_at;
    let found = grouped(builder(), &[job, leaving, never, pod("waits", None, &[])]);
    let node = |name: &str| &found.nodes[&NodeName::parse(name).unwrap()];
    assert!(node("n-1").pods.is_empty());
    assert_eq!(node("n-1").last_pod_event_at.unwrap().as_second(), 1000);
    assert_eq!(node("n-2").last_pod_event_at.unwrap().as_second(), 2000, "when it was asked to go, not when its grace ends");
    assert_eq!(node("n-2").pods[0].count, 1, "it is there until it is gone");
    assert_eq!(found.pending, [Placed { class: 0, count: 1 }]);
}

#[test]
fn claims_bind_pods_to_zones_and_what_is_not_known_to_where_it_is() {
    let zone = |name: &str| Zone::parse(name).unwrap();
    let claim = |name: &str, zones: Option<Vec<Zone>>, local| ClaimView { namespace: "shop".into(), name: name.into(), zones, local };
    let claims = vec![
        claim("a", Some(vec![zone("us-east-1a")]), false),
        claim("ab", Some(vec![zone("us-east-1b"), zone("us-east-1a")]), false),
        claim("free", None, false),
        claim("disk", None, true),
    ];
    let of = |claims: Option<Vec<ClaimView>>, names: &[&str]| {
        let mut pod = pod("db", Some("n-1"), &[]);
        pod.claims = names.iter().map(|name| (*name).to_owned()).collect();
        grouped(SnapshotBuilder::new(&[], claims), &[pod]).classes.remove(0).scheduling
    };
    let all = || Some(claims.clone());
    assert_eq!(of(all(), &["ab", "free"]).volume_zones, Some(vec![zone("us-east-1a"), zone("us-east-1b")]));
    assert_eq!(of(all(), &["ab", "a"]).volume_zones, Some(vec![zone("us-east-1a")]));
    assert_eq!((of(all(), &["free"]).volume_zones, of(all(), &["free"]).volumes), (None, 1));
    assert!(of(all(), &["disk"]).pinned && !of(all(), &["a"]).pinned);
    assert!(of(all(), &["made-a-moment-ago"]).pinned);
    assert!(of(None, &["a"]).pinned && !of(None, &[]).pinned);
}

#[test]
fn pods_that_name_no_spread_get_the_schedulers_own_as_a_preference() {
    let of = |kind: &str, own: &[(&str, &str)]| {
        let mut pod = pod("a", Some("n-1"), own);
        pod.view.controller = Some(Controller { kind: kind.into(), name: "web".into() });
        grouped(builder(), &[pod]).classes.remove(0).scheduling.spread
    };
    let spread = of("ReplicaSet", &[("app", "web"), ("pod-template-hash", "abc")]);
    assert!(spread.iter().all(|s| !s.hard && s.selector == Some(select(&[("pod-template-hash", "abc")]))));
    assert_eq!(spread.iter().map(|s| s.max_skew).collect::<Vec<_>>(), [3, 5]);
    let own = [("app", "db"), ("statefulset.kubernetes.io/pod-name", "db-0"), ("controller-revision-hash", "x")];
    assert_eq!(of("StatefulSet", &own)[0].selector, Some(select(&[("app", "db")])));
    assert!(of("Job", &[("app", "web")]).is_empty() && of("DaemonSet", &[("app", "web")]).is_empty());
}
