use super::*;
use crate::ids::{InstanceId, NodeUid, PodUid};
use crate::node::NodeTarget;
use crate::plan::Progress;
use crate::plan::Urgency;
use crate::plan::progress::tests::{action, plan_of, step};
use crate::pod::{Controller, PodPhase, PodRef, Selector};

fn name(of: &str) -> NodeName {
    NodeName::parse(of).unwrap()
}

fn node(of: &str) -> NodeView {
    NodeView {
        name: name(of),
        uid: NodeUid::parse(format!("uid-{of}")).unwrap(),
        provider_id: "aws:///us-east-1a/i-12345678".to_owned(),
        labels: std::collections::BTreeMap::new(),
        cordoned_by: None,
        taints: Vec::new(),
        unschedulable: false,
        ready: true,
        cpu_millis: 2000,
        memory_bytes: 1 << 33,
        pods_max: 29,
        extended: std::collections::BTreeMap::new(),
        do_not_disrupt: false,
        created_at: None,
    }
}

fn nodes(count: usize) -> Vec<NodeView> {
    (0..count).map(|n| node(&format!("n-{n}"))).collect()
}

fn pod(of: &str) -> PodView {
    PodView {
        pod: PodRef { namespace: "default".to_owned(), name: of.to_owned(), uid: PodUid::parse(of).unwrap() },
        node: None,
        phase: PodPhase::Running,
        ready: true,
        controller: Some(Controller { kind: "ReplicaSet".to_owned(), name: "web".to_owned() }),
        mirror: false,
        empty_dir: false,
        deletion_at: None,
        grace_s: 30,
        priority: 0,
        do_not_disrupt: false,
        labels: std::collections::BTreeMap::new(),
        cpu_millis: 0,
        memory_bytes: 0,
    }
}

fn pod_budget(of: &str, desired: i32) -> PodBudget {
    PodBudget {
        namespace: "default".to_owned(),
        name: of.to_owned(),
        selector: Some(Selector::default()),
        disruptions_allowed: 0,
        current_healthy: 3,
        desired_healthy: desired,
        expected_pods: 3,
    }
}

/// An open plan that drains a node.
fn open(of: &str, kind: PlanKind) -> PlanRecord {
    let target = NodeTarget { name: name(of), uid: None, instance: InstanceId::parse("i-12345678").unwrap(), taints: Vec::new() };
    let mut plan = plan_of(vec![step(Action::Cordon { node: target }, &[])]);
    plan.kind = kind;
    let progress = Progress::new(&plan, Urgency::Normal, None);
    PlanRecord { plan, progress }
}

fn rules(of: &str, around: Surroundings<'_>) -> Vec<Rule> {
    let notes = may_disrupt(&name(of), around);
    assert!(notes.iter().all(|n| !n.why.is_empty() && !n.object.is_empty()), "a refusal names its object and says why");
    notes.into_iter().map(|n| n.rule).collect()
}

fn around<'a>(nodes: &'a [NodeView], pods: &'a [PodView]) -> Surroundings<'a> {
    Surroundings { nodes, pods, pod_budgets: None, open_plans: &[], budget: DisruptionBudget::default() }
}

#[test]
fn a_quiet_node_with_movable_pods_may_be_disrupted() {
    assert_eq!(rules("n-0", around(&nodes(2), &[pod("a")])), []);
}

#[test]
fn a_node_that_is_not_there_is_not_disrupted() {
    assert_eq!(rules("other", around(&nodes(2), &[])), [Rule::NodeUnknown]);
}

#[test]
fn a_node_of_the_control_plane_is_not_disrupted() {
    for label in ["node-role.kubernetes.io/control-plane", "node-role.kubernetes.io/master"] {
        let mut all = nodes(2);
        all[0].labels.insert(label.to_owned(), String::new());
        assert_eq!(rules("n-0", around(&all, &[])), [Rule::ControlPlane]);
        assert_eq!(rules("n-1", around(&all, &[])), []);
    }
}

#[test]
fn no_more_nodes_than_the_budget_are_in_disruption_at_once() {
    let all = nodes(20);
    let plans = [open("n-0", PlanKind::Drain), open("n-1", PlanKind::Cordon)];
    let with = |open_plans| Surroundings { open_plans, ..around(&all, &[]) };
    assert_eq!(rules("n-2", with(&plans[..1])), [], "10 % of 20 are two");
    assert_eq!(rules("n-2", with(&plans)), [Rule::DisruptionBudget]);
    assert_eq!(rules("n-1", with(&plans)), [], "a node in disruption already is not counted against itself");
}

#[test]
fn rescues_and_plans_that_are_over_do_not_count_against_the_budget() {
    let all = nodes(5);
    let mut over = open("n-1", PlanKind::Drain);
    over.progress.outcome = Some(super::super::Outcome::Succeeded);
    let plans = [open("n-0", PlanKind::Rescue), over];
    assert_eq!(rules("n-2", Surroundings { open_plans: &plans, ..around(&all, &[]) }), []);
}

#[test]
fn two_plans_for_one_node_count_once() {
    let all = nodes(20);
    let plans = [open("n-0", PlanKind::Drain), open("n-0", PlanKind::Cordon)];
    assert_eq!(rules("n-2", Surroundings { open_plans: &plans, ..around(&all, &[]) }), []);
}

#[test]
fn a_budget_of_no_nodes_forbids_everything() {
    let budget = DisruptionBudget { nodes_percent_max: 100, nodes_max: 0 };
    assert_eq!(rules("n-0", Surroundings { budget, ..around(&nodes(3), &[]) }), [Rule::DisruptionBudget]);
}

#[test]
fn a_pod_that_asks_to_be_left_alone_is() {
    let shy = PodView { do_not_disrupt: true, ..pod("shy") };
    assert_eq!(rules("n-0", around(&nodes(2), &[pod("a"), shy])), [Rule::DoNotDisrupt]);
}

#[test]
fn a_pod_that_nobody_would_make_anew_forbids_it() {
    assert_eq!(rules("n-0", around(&nodes(2), &[PodView { controller: None, ..pod("naked") }])), [Rule::NoController]);
}

#[test]
fn finished_static_and_daemon_pods_forbid_nothing() {
    let shy = || PodView { do_not_disrupt: true, controller: None, ..pod("shy") };
    let pods = [
        PodView { phase: PodPhase::Succeeded, ..shy() },
        PodView { phase: PodPhase::Failed, ..shy() },
        PodView { mirror: true, ..shy() },
        PodView { controller: Some(Controller { kind: "DaemonSet".to_owned(), name: "logs".to_owned() }), ..shy() },
    ];
    assert_eq!(rules("n-0", around(&nodes(2), &pods)), []);
}

#[test]
fn only_a_budget_that_can_never_allow_it_forbids_it() {
    let (all, pods) = (nodes(2), [pod("a")]);
    let with = |budgets: &[PodBudget]| rules("n-0", Surroundings { pod_budgets: Some(budgets), ..around(&all, &pods) });
    assert_eq!(with(&[pod_budget("tight", 2)]), [], "no room just now is the drain's to wait for");
    assert_eq!(with(&[pod_budget("all", 3)]), [Rule::PodBudgetNeverAllows]);
    assert_eq!(with(&[PodBudget { selector: None, ..pod_budget("null", 3) }]), []);
    assert_eq!(with(&[pod_budget("one", 1), pod_budget("two", 1)]), [Rule::ManyPodBudgets]);
}

#[test]
fn budgets_that_could_not_be_read_forbid_nothing() {
    assert_eq!(rules("n-0", around(&nodes(2), &[pod("a")])), []);
}

#[test]
fn every_reason_is_told_and_not_only_the_first() {
    let mut all = nodes(1);
    all[0].labels.insert("node-role.kubernetes.io/control-plane".to_owned(), String::new());
    let pods = [PodView { do_not_disrupt: true, ..pod("shy") }, PodView { controller: None, ..pod("naked") }];
    let budget = DisruptionBudget { nodes_percent_max: 10, nodes_max: 0 };
    let found = rules("n-0", Surroundings { budget, ..around(&all, &pods) });
    assert_eq!(found, [Rule::ControlPlane, Rule::DisruptionBudget, Rule::DoNotDisrupt, Rule::NoController]);
}

fn notes(steps: Vec<super::super::Step>) -> usize {
    let notes = lint(&plan_of(steps));
    assert!(notes.iter().all(|n| n.rule == Rule::Malformed));
    notes.len()
}

#[test]
fn a_rescue_is_well_formed() {
    let steps = vec![step(action('L', 0), &[]), step(action('A', 0), &[0]), step(action('C', 0), &[]), step(action('D', 0), &[2])];
    assert_eq!(notes(steps), 0);
}

#[test]
fn a_plan_needs_a_step() {
    assert_eq!(notes(Vec::new()), 1);
}

#[test]
fn a_step_waits_for_earlier_ones_only() {
    assert_eq!(notes(vec![step(action('C', 0), &[0])]), 1);
    assert_eq!(notes(vec![step(action('C', 0), &[1]), step(action('D', 0), &[])]), 1);
    assert_eq!(notes(vec![step(action('C', 0), &[9])]), 1);
    let mut soft = step(action('C', 0), &[]);
    soft.after_unless_forced = vec![0];
    assert_eq!(notes(vec![soft]), 1);
}

#[test]
fn what_is_awaited_is_launched_before() {
    assert_eq!(notes(vec![step(action('C', 0), &[]), step(action('A', 0), &[0])]), 1, "a cordon launches nothing");
    assert_eq!(notes(vec![step(action('L', 0), &[]), step(action('A', 0), &[])]), 1, "it would be awaited before it is launched");
    assert_eq!(notes(vec![step(action('A', 7), &[])]), 2, "there is no such step");
}

#[test]
fn a_launch_needs_an_offering() {
    let Action::LaunchNode { template, replaces, .. } = action('L', 0) else { panic!() };
    assert_eq!(notes(vec![step(Action::LaunchNode { template, offerings: Vec::new(), replaces }, &[])]), 1);
}

#[test]
fn what_cannot_be_taken_back_stands_last() {
    assert_eq!(notes(vec![step(action('T', 0), &[]), step(action('C', 0), &[])]), 1);
    assert_eq!(notes(vec![step(action('C', 0), &[]), step(action('T', 0), &[0]), step(action('T', 0), &[1])]), 0);
}
