use super::Eligibility;
use crate::optimize::tests::world::{class, node, request, selector};
use domain::decision::{DecisionRequest, DecisionType, HandsOff, WhyNot};
use domain::node::{DISRUPTION_TAINT, NodeOwner, Taint};
use domain::offering::CapacityType::OnDemand;
use domain::pod::PodBudget;

fn one() -> DecisionRequest {
    request(DecisionType::BinPack, vec![class("web", 500, 1)], vec![node(0, "m6i.large", OnDemand, &[(0, 1)])])
}

/// The reason after one thing was changed.
fn after(change: impl Fn(&mut DecisionRequest)) -> Option<WhyNot> {
    let mut request = one();
    change(&mut request);
    let judge = Eligibility::new(&request.snapshot, &request.constraints, &request.requirements);
    judge.node(&request.snapshot.nodes[0]).err().map(|blocked| blocked.code)
}

fn budget(name: &str, allowed: i32, desired: i32) -> PodBudget {
    PodBudget {
        namespace: "shop".to_owned(),
        name: name.to_owned(),
        selector: selector("web"),
        disruptions_allowed: allowed,
        current_healthy: 3,
        desired_healthy: desired,
        expected_pods: 3,
    }
}

#[test]
fn a_node_with_nothing_against_it_may_go() {
    assert_eq!(after(|_| {}), None);
    assert_eq!(after(|r| r.snapshot.budgets = Some(vec![budget("spare-one", 1, 2)])), None);
}

#[test]
fn each_reason_has_its_code() {
    let off = |r: &mut DecisionRequest| HandsOff { node: r.snapshot.nodes[0].name.clone(), why: "in a plan".to_owned() };
    assert_eq!(after(|r| r.constraints.hands_off = vec![off(r)]), Some(WhyNot::HandsOff));
    let label = "node-role.kubernetes.io/control-plane".to_owned();
    assert_eq!(after(|r| drop(r.snapshot.nodes[0].labels.insert(label.clone(), String::new()))), Some(WhyNot::ControlPlane));
    assert_eq!(after(|r| r.snapshot.nodes[0].owner = NodeOwner::Karpenter { claim: "c".to_owned() }), Some(WhyNot::NotOurs));
    assert_eq!(after(|r| r.snapshot.nodes[0].instance = None), Some(WhyNot::NotOurs));
    assert_eq!(after(|r| r.snapshot.nodes[0].do_not_disrupt = true), Some(WhyNot::DoNotDisrupt));
    assert_eq!(after(|r| r.snapshot.nodes[0].ready = false), Some(WhyNot::NotReady));
    assert_eq!(after(|r| r.snapshot.nodes[0].unschedulable = true), Some(WhyNot::NotReady));
    assert_eq!(after(|r| r.snapshot.nodes[0].price = None), Some(WhyNot::PriceUnknown));
    assert_eq!(after(|r| r.snapshot.nodes[0].created_at = Some(r.snapshot.taken_at)), Some(WhyNot::CoolDown));
    assert_eq!(after(|r| r.snapshot.nodes[0].created_at = None), Some(WhyNot::CoolDown));
    assert_eq!(after(|r| r.snapshot.classes[0].do_not_disrupt = true), Some(WhyNot::PodDoNotDisrupt));
    assert_eq!(after(|r| r.snapshot.classes[0].controller = None), Some(WhyNot::NoController));
    assert_eq!(after(|r| r.snapshot.classes[0].scheduling.pinned = true), Some(WhyNot::Pinned));
    let foreign = Some("volcano".to_owned());
    assert_eq!(after(|r| r.snapshot.classes[0].scheduling.foreign_scheduler.clone_from(&foreign)), Some(WhyNot::ForeignScheduler));
    assert_eq!(after(|r| r.snapshot.budgets = None), Some(WhyNot::PodBudgetsUnknown));
    assert_eq!(after(|r| r.snapshot.budgets = Some(vec![budget("all", 0, 3)])), Some(WhyNot::PodBudget));
    assert_eq!(after(|r| r.snapshot.budgets = Some(vec![budget("none-now", 0, 2)])), Some(WhyNot::PodBudget));
    assert_eq!(after(|r| r.snapshot.budgets = Some(vec![budget("a", 1, 2), budget("b", 1, 2)])), Some(WhyNot::ManyPodBudgets));
}

#[test]
fn a_cordon_of_our_own_is_told_from_somebody_elses() {
    let why = |ours: bool| {
        let mut request = one();
        let node = &mut request.snapshot.nodes[0];
        node.unschedulable = true;
        let taint = |key: &str| Taint { key: key.to_owned(), value: String::new(), effect: "NoSchedule".to_owned(), time_added: None };
        node.taints = vec![taint(if ours { DISRUPTION_TAINT } else { "node.kubernetes.io/unschedulable" })];
        let judge = Eligibility::new(&request.snapshot, &request.constraints, &request.requirements);
        judge.node(&request.snapshot.nodes[0]).unwrap_err().why
    };
    assert!(why(true).starts_with("we have cordoned it ourselves"), "{}", why(true));
    assert!(why(false).starts_with("somebody has cordoned it"), "{}", why(false));
}
