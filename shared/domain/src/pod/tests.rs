use super::*;

/// A running pod of a ReplicaSet, with nothing special about it.
pub(super) fn pod(name: &str) -> PodView {
    PodView {
        pod: PodRef { namespace: "default".to_owned(), name: name.to_owned(), uid: PodUid::parse(format!("uid-{name}")).unwrap() },
        node: None,
        phase: PodPhase::Running,
        ready: true,
        controller: owner("ReplicaSet", "web"),
        mirror: false,
        empty_dir: false,
        deletion_at: None,
        grace_s: 30,
        priority: 0,
        do_not_disrupt: false,
        labels: labels(&[("app", "web")]),
        cpu_millis: 100,
        memory_bytes: 1 << 20,
    }
}

pub(super) fn owner(kind: &str, name: &str) -> Option<Controller> {
    Some(Controller { kind: kind.to_owned(), name: name.to_owned() })
}

fn labels(pairs: &[(&str, &str)]) -> BTreeMap<String, String> {
    pairs.iter().map(|(k, v)| ((*k).to_owned(), (*v).to_owned())).collect()
}

fn selector(json: serde_json::Value) -> Selector {
    serde_json::from_value(json).unwrap()
}

fn budget(selector: Option<Selector>) -> PodBudget {
    PodBudget {
        namespace: "default".to_owned(),
        name: "web".to_owned(),
        selector,
        disruptions_allowed: 1,
        current_healthy: 3,
        desired_healthy: 2,
        expected_pods: 3,
    }
}

#[test]
fn an_empty_selector_selects_everything_and_a_null_one_nothing() {
    assert!(selector(serde_json::json!({})).selects(&labels(&[])));
    assert!(budget(Some(Selector::default())).covers(&pod("a")));
    assert!(!budget(None).covers(&pod("a")));
}

#[test]
fn match_labels_must_all_be_equal() {
    let both = selector(serde_json::json!({"matchLabels": {"app": "web", "tier": "front"}}));
    assert!(both.selects(&labels(&[("app", "web"), ("tier", "front"), ("more", "x")])));
    assert!(!both.selects(&labels(&[("app", "web")])));
    assert!(!both.selects(&labels(&[("app", "web"), ("tier", "back")])));
}

#[test]
fn each_operator_means_what_the_api_server_means() {
    let with = |operator: &str, values: &[&str]| {
        selector(serde_json::json!({"matchExpressions": [{"key": "app", "operator": operator, "values": values}]}))
    };
    // Selected with app=web, with app=db, without the label.
    let table = [
        ("In", &["web", "api"][..], [true, false, false]),
        ("In", &[], [false, false, false]),
        ("NotIn", &["web"], [false, true, true]),
        ("NotIn", &[], [true, true, true]),
        ("Exists", &[], [true, true, false]),
        ("DoesNotExist", &[], [false, false, true]),
    ];
    for (operator, values, wanted) in table {
        let found = [&[("app", "web")][..], &[("app", "db")], &[]].map(|l| with(operator, values).selects(&labels(l)));
        assert_eq!(found, wanted, "{operator} {values:?}");
    }
}

#[test]
fn labels_and_expressions_must_both_hold() {
    let both = selector(serde_json::json!({
        "matchLabels": {"app": "web"},
        "matchExpressions": [{"key": "canary", "operator": "DoesNotExist"}],
    }));
    assert!(both.selects(&labels(&[("app", "web")])));
    assert!(!both.selects(&labels(&[("app", "web"), ("canary", "")])));
}

#[test]
fn an_operator_that_we_do_not_know_is_refused_and_not_taken_for_another() {
    assert!(serde_json::from_str::<Requirement>(r#"{"key": "app", "operator": "Gt", "values": ["1"]}"#).is_err());
}

#[test]
fn a_budget_covers_pods_of_its_own_namespace_only() {
    let mut elsewhere = pod("a");
    elsewhere.pod.namespace = "other".to_owned();
    let all = budget(Some(Selector::default()));
    assert!(all.covers(&pod("a")) && !all.covers(&elsewhere));
}

#[test]
fn a_budget_that_wants_all_its_pods_never_allows_an_eviction() {
    // expected, desired: never?
    for (expected, desired, never) in [(3, 2, false), (3, 3, true), (3, 4, true), (1, 1, true), (1, 0, false), (0, 0, false), (0, 1, false)]
    {
        let of = PodBudget { expected_pods: expected, desired_healthy: desired, ..budget(None) };
        assert_eq!(of.never_allows(), never, "{desired} of {expected}");
    }
}

#[test]
fn a_budget_without_room_just_now_is_not_one_that_never_allows() {
    assert!(!PodBudget { disruptions_allowed: 0, current_healthy: 2, ..budget(None) }.never_allows());
}

#[test]
fn a_pod_is_finished_when_all_its_containers_have_ended() {
    let of = |phase| PodView { phase, ..pod("a") }.finished();
    assert!(of(PodPhase::Succeeded) && of(PodPhase::Failed));
    assert!(!of(PodPhase::Pending) && !of(PodPhase::Running) && !of(PodPhase::Unknown));
}
