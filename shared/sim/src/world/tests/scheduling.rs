//! Laws of the scheduler: a truth table for each of its rules.

use super::support::{Small, small};
use crate::world::{NodeSpec, PodShape, Volume, WorkloadSpec};
use domain::node::Taint;
use domain::offering::CapacityType;
use domain::pod::{Operator, Requirement, Selector};
use domain::scheduling::{
    HostPort, NAME_FIELD, NodeOperator, NodeRequirement, NodeTerm, PodTerm, Scheduling, Spread, Toleration, Weighted,
};
use std::collections::BTreeMap;

const ZONE: &str = "topology.kubernetes.io/zone";
const HOSTNAME: &str = "kubernetes.io/hostname";

/// A cluster of such nodes, given as name and zone letter.
fn cluster(nodes: &[(&str, &str)]) -> Small {
    let mut s = small(0);
    for (name, zone) in nodes {
        add(&mut s, name, zone, |_| {});
    }
    s
}

fn add(s: &mut Small, name: &str, zone: &str, edit: impl FnOnce(&mut NodeSpec)) {
    let mut spec = NodeSpec::new("m6i.large", &format!("us-east-1{zone}"), CapacityType::Spot);
    spec.name = Some(name.to_owned().try_into().unwrap());
    edit(&mut spec);
    let id = s.world.add_node(&s.id, spec);
    s.nodes.push(id);
}

fn asking(edit: impl FnOnce(&mut Scheduling)) -> PodShape {
    let mut shape = PodShape::default();
    edit(&mut shape.scheduling);
    shape
}

impl Small {
    fn run(&self, name: &str, replicas: u32, pod: PodShape) {
        self.world.judge_bindings(&self.id);
        self.world.add_deployment(&self.id, WorkloadSpec { pod, ..WorkloadSpec::new(name, replicas) });
        assert_eq!(self.world.misplaced(&self.id), Vec::<String>::new(), "the plain count agrees");
    }

    /// Where the pods of an app are: a sorted list of nodes, `-` for none.
    fn places(&self, app: &str) -> Vec<String> {
        let of = self.pods().into_iter().filter(|pod| pod.labels.get("app").is_some_and(|label| label == app));
        let mut places: Vec<String> = of.map(|pod| pod.node.map_or_else(|| "-".to_owned(), |node| node.to_string())).collect();
        places.sort();
        places
    }

    fn place(&self, app: &str) -> String {
        self.places(app).first().cloned().unwrap()
    }
}

fn only(app: &str) -> Option<Selector> {
    Some(Selector { match_labels: BTreeMap::from([("app".to_owned(), app.to_owned())]), match_expressions: Vec::new() })
}

fn term(key: &str, app: &str) -> PodTerm {
    PodTerm { topology_key: key.to_owned(), selector: only(app), namespaces: Vec::new(), any_namespace: false }
}

fn spread(key: &str, app: &str, max_skew: u32) -> Spread {
    Spread {
        topology_key: key.to_owned(),
        max_skew,
        hard: true,
        selector: only(app),
        min_domains: None,
        honor_affinity: true,
        honor_taints: false,
    }
}

fn taint(value: &str, effect: &str) -> Taint {
    Taint { key: "k".to_owned(), value: value.to_owned(), effect: effect.to_owned(), time_added: None }
}

#[tokio::test]
async fn resources_of_every_kind_and_the_number_of_pods_must_be_left() {
    let mut s = small(0);
    add(&mut s, "n", "a", |node| {
        node.extended = BTreeMap::from([("nvidia.com/gpu".to_owned(), 2)]);
        node.pods_max = 4;
    });
    let gpu = |count| PodShape { extended: BTreeMap::from([("nvidia.com/gpu".to_owned(), count)]), ..PodShape::default() };
    s.run("two", 1, gpu(2));
    s.run("one", 1, gpu(1));
    s.run("other", 1, PodShape { extended: BTreeMap::from([("example.com/x".to_owned(), 1)]), ..PodShape::default() });
    s.run("large", 1, PodShape { memory_bytes: 1 << 40, ..PodShape::default() });
    s.run("none", 3, PodShape { extended: BTreeMap::from([("example.com/x".to_owned(), 0)]), ..PodShape::default() });
    s.run("full", 1, PodShape { cpu_millis: 0, memory_bytes: 0, ..PodShape::default() });
    assert_eq!((s.place("two"), s.place("one"), s.place("other"), s.place("large")), ("n".into(), "-".into(), "-".into(), "-".into()));
    assert_eq!((s.places("none"), s.place("full")), (vec!["n".to_owned(); 3], "-".into()));
}

#[tokio::test]
async fn taints_repel_what_does_not_tolerate_key_value_and_effect() {
    let tolerate = |key: Option<&str>, exists, value: &str, effect: Option<&str>| Toleration {
        key: key.map(str::to_owned),
        exists,
        value: value.to_owned(),
        effect: effect.map(str::to_owned),
    };
    for (taints, toleration, fits) in [
        (vec![], None, true),
        (vec![taint("v", "PreferNoSchedule")], None, true),
        (vec![taint("v", "NoSchedule")], None, false),
        (vec![taint("v", "NoExecute")], None, false),
        (vec![taint("v", "NoSchedule")], Some(tolerate(Some("k"), false, "v", None)), true),
        (vec![taint("v", "NoSchedule")], Some(tolerate(Some("k"), false, "w", None)), false),
        (vec![taint("v", "NoSchedule")], Some(tolerate(Some("k"), true, "", Some("NoSchedule"))), true),
        (vec![taint("v", "NoExecute")], Some(tolerate(Some("k"), true, "", Some("NoSchedule"))), false),
        (vec![taint("v", "NoExecute")], Some(tolerate(Some("other"), true, "", None)), false),
        (vec![taint("v", "NoExecute"), taint("w", "NoSchedule")], Some(tolerate(None, true, "", None)), true),
        (vec![taint("v", "NoExecute"), taint("w", "NoSchedule")], Some(tolerate(Some("k"), false, "v", None)), false),
    ] {
        let mut s = small(0);
        add(&mut s, "n", "a", |node| node.taints.clone_from(&taints));
        s.run("web", 1, asking(|asks| asks.tolerations.extend(toleration.clone())));
        assert_eq!(s.place("web") == "n", fits, "{taints:?} {toleration:?}");
    }
}

#[tokio::test]
async fn a_required_node_term_is_met_operator_by_operator() {
    use NodeOperator::{DoesNotExist, Exists, Gt, In, Lt, NotIn};
    for (key, operator, values, fits) in [
        ("disks", In, vec!["2", "3"], true),
        ("disks", In, vec!["4"], false),
        ("none", In, vec!["4"], false),
        ("disks", NotIn, vec!["4"], true),
        ("disks", NotIn, vec!["3"], false),
        ("none", NotIn, vec!["3"], true),
        ("disks", Exists, vec![], true),
        ("none", Exists, vec![], false),
        ("disks", DoesNotExist, vec![], false),
        ("none", DoesNotExist, vec![], true),
        ("disks", Gt, vec!["2"], true),
        ("disks", Gt, vec!["3"], false),
        ("disks", Lt, vec!["10"], true),
        ("disks", Lt, vec!["3"], false),
        ("none", Lt, vec!["3"], false),
        ("disks", Gt, vec!["x"], false),
        (NAME_FIELD, In, vec!["n"], true),
        (NAME_FIELD, NotIn, vec!["n"], false),
    ] {
        let mut s = small(0);
        add(&mut s, "n", "a", |node| {
            node.labels.insert("disks".to_owned(), "3".to_owned());
        });
        let need = NodeRequirement { key: key.to_owned(), operator, values: values.iter().map(|v| (*v).to_owned()).collect() };
        s.run("web", 1, asking(|asks| asks.required_nodes = vec![NodeTerm(vec![need])]));
        assert_eq!(s.place("web") == "n", fits, "{key} {operator:?} {values:?}");
    }
}

#[tokio::test]
async fn of_several_node_terms_one_must_hold_and_an_empty_one_never_does() {
    let s = cluster(&[("n", "a")]);
    let zone = |value: &str| {
        NodeTerm(vec![NodeRequirement { key: ZONE.to_owned(), operator: NodeOperator::In, values: vec![format!("us-east-1{value}")] }])
    };
    s.run("either", 1, asking(|asks| asks.required_nodes = vec![zone("b"), zone("a")]));
    s.run("empty", 1, asking(|asks| asks.required_nodes = vec![NodeTerm::default()]));
    s.run("selector", 1, asking(|asks| asks.node_selector = BTreeMap::from([(ZONE.to_owned(), "us-east-1b".to_owned())])));
    assert_eq!((s.place("either"), s.place("empty"), s.place("selector")), ("n".into(), "-".into(), "-".into()));
}

#[tokio::test]
async fn the_first_pod_of_a_group_that_looks_for_its_own_kind_may_go_anywhere_and_the_others_follow() {
    let s = cluster(&[("a1", "a"), ("b1", "b"), ("b2", "b")]);
    s.run("group", 6, asking(|asks| asks.affinity.push(term(ZONE, "group"))));
    let zones = s.places("group");
    assert!(zones.iter().all(|n| n.starts_with('a')) || zones.iter().all(|n| n.starts_with('b')), "{zones:?}");
    s.run("lonely", 1, asking(|asks| asks.affinity.push(term(ZONE, "nobody"))));
    s.run("unlabelled", 1, asking(|asks| asks.affinity.push(term("no-such-label", "unlabelled"))));
    assert_eq!((s.place("lonely"), s.place("unlabelled")), ("-".into(), "-".into()));
}

#[tokio::test]
async fn a_pod_that_waits_for_its_neighbour_follows_it_at_once() {
    let s = cluster(&[("a1", "a"), ("b1", "b")]);
    s.run("follower", 1, asking(|asks| asks.affinity.push(term(HOSTNAME, "leader"))));
    assert_eq!(s.place("follower"), "-");
    s.run("leader", 1, asking(|asks| asks.node_selector = BTreeMap::from([(ZONE.to_owned(), "us-east-1b".to_owned())])));
    assert_eq!(s.place("follower"), "b1");
}

#[tokio::test]
async fn anti_affinity_holds_in_both_directions_and_within_its_namespaces() {
    let s = cluster(&[("n", "a")]);
    s.run("loner", 2, asking(|asks| asks.anti_affinity.push(term(HOSTNAME, "loner"))));
    assert_eq!(s.places("loner"), ["-", "n"]);
    let s = cluster(&[("n", "a")]);
    s.run("hater", 1, asking(|asks| asks.anti_affinity.push(term(ZONE, "web"))));
    s.run("web", 1, PodShape::default());
    assert_eq!(s.place("web"), "-", "the pod that is there does not want it");
    s.world.add_deployment(&s.id, WorkloadSpec { namespace: "other".into(), ..WorkloadSpec::new("web", 1) });
    assert_eq!(s.places("web"), ["-", "n"], "a term without namespaces means its own");
    let any = PodTerm { any_namespace: true, ..term(ZONE, "web") };
    s.run("recluse", 1, asking(|asks| asks.anti_affinity.push(any)));
    assert_eq!(s.place("recluse"), "-");
}

#[tokio::test]
async fn hard_spread_keeps_the_skew_and_counts_the_pod_itself_only_if_it_is_meant() {
    let s = cluster(&[("a1", "a"), ("b1", "b"), ("c1", "c")]);
    s.run("web", 3, asking(|asks| asks.spread.push(spread(ZONE, "web", 1))));
    assert_eq!(s.places("web"), ["a1", "b1", "c1"]);
    s.world.human_cordons(&s.id, &"c1".to_owned().try_into().unwrap());
    s.run("more", 3, asking(|asks| asks.spread.push(spread(ZONE, "more", 1))));
    assert_eq!(s.places("more"), ["-", "a1", "b1"], "a cordoned zone is still a domain, and it is empty");
    s.run("guest", 2, asking(|asks| asks.spread.push(spread(ZONE, "more", 1))));
    assert!(!s.places("guest").contains(&"-".to_owned()), "who is not meant adds nothing to the skew");
}

#[tokio::test]
async fn too_few_domains_count_as_an_empty_one() {
    let two = || cluster(&[("a1", "a"), ("b1", "b")]);
    let at_least = |count| Spread { min_domains: Some(count), ..spread(ZONE, "web", 1) };
    let s = two();
    s.run("web", 4, asking(|asks| asks.spread.push(at_least(2))));
    assert!(!s.places("web").contains(&"-".to_owned()));
    let s = two();
    s.run("web", 4, asking(|asks| asks.spread.push(at_least(3))));
    assert_eq!(s.places("web"), ["-", "-", "a1", "b1"]);
}

#[tokio::test]
async fn which_nodes_make_domains_is_the_constraints_choice() {
    let in_a_or_b = |asks: &mut Scheduling, honor| {
        let values = vec!["us-east-1a".to_owned(), "us-east-1b".to_owned()];
        asks.required_nodes = vec![NodeTerm(vec![NodeRequirement { key: ZONE.to_owned(), operator: NodeOperator::In, values }])];
        asks.spread.push(Spread { honor_affinity: honor, ..spread(ZONE, "web", 1) });
    };
    for (honor, waiting) in [(true, 0), (false, 2)] {
        let s = cluster(&[("a1", "a"), ("b1", "b"), ("c1", "c")]);
        s.run("web", 4, asking(|asks| in_a_or_b(asks, honor)));
        assert_eq!(s.world.pending_pods(&s.id).len(), waiting, "affinity {honor}");
    }
    for (honor, waiting) in [(true, 0), (false, 2)] {
        let mut s = cluster(&[("a1", "a"), ("b1", "b")]);
        add(&mut s, "c1", "c", |node| node.taints.push(taint("v", "NoSchedule")));
        s.run("web", 4, asking(|asks| asks.spread.push(Spread { honor_taints: honor, ..spread(ZONE, "web", 1) })));
        assert_eq!(s.world.pending_pods(&s.id).len(), waiting, "taints {honor}");
    }
}

#[tokio::test]
async fn a_node_without_the_label_of_a_hard_spread_takes_no_pod_of_it() {
    let mut s = small(0);
    add(&mut s, "plain", "a", |_| {});
    s.run("web", 1, asking(|asks| asks.spread.push(spread("rack", "web", 1))));
    assert_eq!(s.place("web"), "-");
    add(&mut s, "racked", "a", |node| {
        node.labels.insert("rack".to_owned(), "1".to_owned());
    });
    assert_eq!(s.place("web"), "racked");
}

#[tokio::test]
async fn a_port_is_taken_by_address_protocol_and_number() {
    let port = |ip: &str, protocol: &str, port| HostPort { ip: ip.to_owned(), protocol: protocol.to_owned(), port };
    for (other, fits) in [
        (port("", "TCP", 80), false),
        (port("0.0.0.0", "TCP", 80), false),
        (port("10.0.0.1", "TCP", 80), false),
        (port("10.0.0.2", "TCP", 80), true),
        (port("10.0.0.1", "UDP", 80), true),
        (port("10.0.0.1", "TCP", 81), true),
    ] {
        let s = cluster(&[("n", "a")]);
        s.run("first", 1, asking(|asks| asks.host_ports.push(port("10.0.0.1", "TCP", 80))));
        s.run("second", 1, asking(|asks| asks.host_ports.push(other.clone())));
        assert_eq!(s.place("second") == "n", fits, "{other:?}");
    }
}

#[tokio::test]
async fn a_volume_stays_where_its_first_pod_was() {
    for (volume, others) in [(Volume::Zonal, "b2"), (Volume::Local, "-")] {
        let s = cluster(&[("a1", "a"), ("b1", "b"), ("b2", "b")]);
        let mut pod = asking(|asks| asks.node_selector = BTreeMap::new());
        pod.volume = Some(volume);
        s.world.add_stateful_set(&s.id, WorkloadSpec { pod, on: vec![s.nodes[1].clone()], ..WorkloadSpec::new("db", 1) });
        let claims = s.api.claims().await.unwrap();
        assert_eq!((claims[0].name.as_str(), claims[0].local), ("data-db-0", volume == Volume::Local));
        assert_eq!(claims[0].zones.as_ref().unwrap()[0].as_str(), "us-east-1b");
        s.world.human_cordons(&s.id, &"b1".to_owned().try_into().unwrap());
        s.api.evict(&s.pods()[0].pod).await.unwrap();
        s.pass(10).await;
        assert_eq!(s.place("db"), others, "{volume:?}");
    }
}

#[tokio::test]
async fn preferences_choose_among_nodes_that_fit_and_never_forbid() {
    let pods = |app: &str| vec![Weighted { weight: 100, term: term(ZONE, app) }];
    let s = cluster(&[("a1", "a"), ("b1", "b")]);
    s.run("anchor", 1, asking(|asks| asks.node_selector = BTreeMap::from([(ZONE.to_owned(), "us-east-1b".to_owned())])));
    s.run("near", 1, asking(|asks| asks.preferred_affinity = pods("anchor")));
    s.run("far", 1, asking(|asks| asks.preferred_anti_affinity = pods("anchor")));
    let prefers = NodeRequirement { key: ZONE.to_owned(), operator: NodeOperator::In, values: vec!["us-east-1b".to_owned()] };
    let preferred = vec![Weighted { weight: 100, term: NodeTerm(vec![prefers]) }];
    s.run("there", 1, asking(|asks| asks.preferred_nodes = preferred));
    assert_eq!((s.place("near"), s.place("far"), s.place("there")), ("b1".into(), "a1".into(), "b1".into()));
    let mut s = cluster(&[]);
    add(&mut s, "disliked", "a", |node| node.taints.push(taint("v", "PreferNoSchedule")));
    s.run("only", 1, PodShape::default());
    assert_eq!(s.place("only"), "disliked");
    add(&mut s, "free", "a", |_| {});
    s.run("choosy", 1, PodShape::default());
    assert_eq!(s.place("choosy"), "free");
}

#[tokio::test]
async fn replicas_spread_over_zones_by_default_and_a_soft_constraint_never_forbids() {
    let s = cluster(&[("a1", "a"), ("a2", "a"), ("a3", "a"), ("b1", "b")]);
    s.run("web", 4, PodShape { cpu_millis: 1, memory_bytes: 1 << 20, ..PodShape::default() });
    assert_eq!(s.places("web"), ["a1", "a2", "a3", "b1"]);
    let s = cluster(&[("a1", "a")]);
    s.run("web", 4, asking(|asks| asks.spread.push(Spread { hard: false, ..spread(ZONE, "web", 1) })));
    assert_eq!(s.places("web").len(), 4);
    assert!(s.world.pending(&s.id).is_empty());
}

#[tokio::test]
async fn higher_priorities_choose_first() {
    let mut s = small(0);
    s.run("low", 1, PodShape { cpu_millis: 1500, ..PodShape::default() });
    s.run("high", 1, PodShape { cpu_millis: 1500, priority: 10, ..PodShape::default() });
    add(&mut s, "n", "a", |_| {});
    assert_eq!((s.place("low"), s.place("high")), ("-".into(), "n".into()));
}

#[tokio::test]
async fn selectors_of_pods_know_four_operators() {
    for (operator, values, meant) in [
        (Operator::In, vec!["web"], true),
        (Operator::In, vec!["db"], false),
        (Operator::NotIn, vec!["db"], true),
        (Operator::NotIn, vec!["web"], false),
        (Operator::Exists, vec![], true),
        (Operator::DoesNotExist, vec![], false),
    ] {
        let s = cluster(&[("n", "a")]);
        s.run("web", 1, PodShape::default());
        let need = Requirement { key: "app".to_owned(), operator, values: values.iter().map(|v| (*v).to_owned()).collect() };
        let selector = Some(Selector { match_labels: BTreeMap::new(), match_expressions: vec![need] });
        let away = PodTerm { selector, ..term(HOSTNAME, "") };
        s.run("other", 1, asking(|asks| asks.anti_affinity.push(away)));
        assert_eq!(s.place("other") == "-", meant, "{operator:?} {values:?}");
    }
}
