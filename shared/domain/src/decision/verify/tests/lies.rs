//! Each lie by itself, and the rule that says no.

use super::*;

/// What a lie changes.
type Lie = fn(&mut DecisionRequest, &mut DecisionAnswer);

fn all_refused(lies: &[(&str, Lie, Rule)]) {
    for (what, lie, rule) in lies {
        let (mut request, mut answer) = (asked(), answered());
        lie(&mut request, &mut answer);
        let rules = verdict(&request, answer);
        assert!(rules.contains(rule), "{what}: {rules:?}");
    }
}

/// The one offering of the honest answer.
fn second(answer: &mut DecisionAnswer) -> &mut Offering {
    &mut answer.execution_plan[1].launch[0].offerings[0]
}

#[test]
fn an_answer_to_something_else_is_refused() {
    all_refused(&[
        ("another version", |_, a| a.version = 2, Rule::WrongVersion),
        ("another request", |_, a| a.request_id = "r-2".to_owned(), Rule::WrongRequest),
    ]);
}

#[test]
fn nodes_that_are_not_there_or_are_others_are_refused() {
    all_refused(&[
        ("unknown name", |_, a| a.execution_plan[0].remove[0].name = id("node-9"), Rule::UnknownNode),
        ("unknown node stays", |_, a| a.untouched[0].node = id("node-9"), Rule::UnknownNode),
        ("unknown cursor", |_, a| a.cursor = Some(id("node-9")), Rule::UnknownNode),
        ("another uid", |_, a| a.execution_plan[0].remove[0].uid = id("uid-9"), Rule::OtherNode),
        ("another instance", |_, a| a.execution_plan[0].remove[0].instance = id("i-00000009"), Rule::OtherNode),
        ("no instance", |r, _| r.snapshot.nodes[0].instance = None, Rule::OtherNode),
        ("twice in a move", |_, a| a.execution_plan[0].remove.push(identity(0)), Rule::NamedTwice),
        ("twice in the plan", |_, a| a.execution_plan[1].remove[0] = identity(0), Rule::NamedTwice),
        ("goes and stays", |_, a| a.untouched.push(stays(0)), Rule::NamedTwice),
        ("stays twice", |_, a| a.untouched.push(stays(3)), Rule::NamedTwice),
        ("too many", |r, _| r.constraints.nodes_max = 2, Rule::TooManyNodes),
    ]);
}

#[test]
fn nodes_that_must_stay_are_refused() {
    all_refused(&[
        ("hands off", |r, _| r.constraints.hands_off = vec![HandsOff { node: id("node-0"), why: "busy".to_owned() }], Rule::NotEligible),
        ("a group's", |r, _| r.snapshot.nodes[0].owner = NodeOwner::AutoScalingGroup { group: "g".to_owned() }, Rule::NotEligible),
        ("Karpenter's", |r, _| r.snapshot.nodes[0].owner = NodeOwner::Karpenter { claim: "n".to_owned() }, Rule::NotEligible),
        (
            "control plane",
            |r, _| drop(r.snapshot.nodes[0].labels.insert("node-role.kubernetes.io/control-plane".to_owned(), String::new())),
            Rule::NotEligible,
        ),
        ("marked", |r, _| r.snapshot.nodes[0].do_not_disrupt = true, Rule::NotEligible),
        ("not ready", |r, _| r.snapshot.nodes[0].ready = false, Rule::NotEligible),
        ("cordoned", |r, _| r.snapshot.nodes[0].unschedulable = true, Rule::NotEligible),
        ("no price", |r, _| r.snapshot.nodes[0].price = None, Rule::NotEligible),
        ("young", |r, _| r.snapshot.nodes[0].created_at = Some(now()), Rule::NotEligible),
        ("a pod that asks", |r, _| r.snapshot.classes[0].do_not_disrupt = true, Rule::NotEligible),
        ("a pod of nobody", |r, _| r.snapshot.classes[0].controller = None, Rule::NotEligible),
        ("a local volume", |r, _| r.snapshot.classes[0].scheduling.pinned = true, Rule::NotEligible),
        ("a foreign scheduler", |r, _| r.snapshot.classes[0].scheduling.foreign_scheduler = Some("x".to_owned()), Rule::NotEligible),
        ("unknown budgets", |r, _| r.snapshot.budgets = None, Rule::NotEligible),
        ("a budget of none", |r, _| r.snapshot.budgets = Some(vec![budget("web", 8)]), Rule::NotEligible),
        ("two budgets", |r, _| r.snapshot.budgets = Some(vec![budget("a", 1), budget("b", 1)]), Rule::NotEligible),
    ]);
}

#[test]
fn daemon_sets_and_what_is_gone_hold_nobody() {
    let mut request = asked();
    request.snapshot.classes[1].do_not_disrupt = true;
    request.snapshot.classes.push(PodClass { controller: None, ..class(None, 1, false) });
    request.snapshot.nodes[0].pods.push(Placed { class: 2, count: 0 });
    assert_eq!(verdict(&request, answered()), Vec::new());
}

#[test]
fn launches_that_cannot_or_may_not_be_are_refused() {
    all_refused(&[
        ("nowhere", |_, a| a.execution_plan[1].launch[0].offerings.clear(), Rule::NoOffering),
        ("unknown subnet", |_, a| second(a).subnet = id("subnet-z"), Rule::UnknownSubnet),
        ("another zone", |_, a| second(a).subnet = id("subnet-b"), Rule::UnknownSubnet),
        ("unknown type", |_, a| second(a).pool.instance_type = id("x9.large"), Rule::UnknownType),
        ("no spot", |r, _| r.requirements.capacity = vec![CapacityType::OnDemand], Rule::NotAllowed),
        ("other families", |r, _| r.requirements.families = vec!["c".to_owned(), "m7i".to_owned()], Rule::NotAllowed),
        ("never this family", |r, _| r.requirements.families_never = vec!["m6i".to_owned()], Rule::NotAllowed),
        ("never this type", |r, _| r.requirements.families_never = vec!["m6i.large".to_owned()], Rule::NotAllowed),
        ("burstable unasked", |_, a| second(a).pool.instance_type = id("t3.large"), Rule::NotAllowed),
        ("too large", |_, a| second(a).pool.instance_type = id("m6i.32xlarge"), Rule::NotAllowed),
        ("too small", |_, a| second(a).pool.instance_type = id("m6i.medium"), Rule::NotAllowed),
        ("images of amd64", |_, a| second(a).pool.instance_type = id("m6g.large"), Rule::NotAllowed),
        ("a surge too high", |r, _| r.requirements.surge_per_hour_max = Some(MicroDollars(39_999)), Rule::NotAllowed),
        ("thousands of nodes", |_, a| a.execution_plan[1].launch = vec![launch("m6i.large", CapacityType::Spot, 1); 500], Rule::TooMuch),
        ("thousands of offerings", |_, a| a.execution_plan[1].launch[0].offerings = vec![second(a).clone(); 500], Rule::TooMuch),
        ("nothing goes", |_, a| a.execution_plan[0].remove.clear(), Rule::TooMuch),
    ]);
    let (mut request, mut answer) = (asked(), answered());
    second(&mut answer).pool.instance_type = id("m6g.large");
    request.snapshot.classes[0].arches = vec![Arch::Amd64, Arch::Arm64];
    assert_eq!(verdict(&request, answer.clone()), Vec::new());
    request.requirements.arm64 = false;
    assert_eq!(verdict(&request, answer), vec![Rule::NotAllowed]);
}

#[test]
fn prices_that_cannot_be_are_refused() {
    all_refused(&[
        ("none", |_, a| second(a).price_per_hour = None, Rule::WrongPrice),
        ("negative", |_, a| second(a).price_per_hour = Some(MicroDollars(-40_000)), Rule::WrongPrice),
        ("nothing", |_, a| second(a).price_per_hour = Some(MicroDollars(0)), Rule::WrongPrice),
        ("next to nothing", |_, a| second(a).price_per_hour = Some(MicroDollars(1)), Rule::WrongPrice),
        ("beyond all", |_, a| second(a).price_per_hour = Some(MicroDollars(i64::MAX)), Rule::WrongPrice),
        ("twice on-demand", |_, a| second(a).price_per_hour = Some(MicroDollars(192_000)), Rule::WrongPrice),
        (
            "far below what the core knows",
            |r, _| {
                let pool = pool("m6i.large", CapacityType::Spot);
                r.constraints.prices = vec![PoolPrice { pool, per_hour: MicroDollars(130_000), as_of: now() }];
            },
            Rule::WrongPrice,
        ),
        (
            "a bad one behind a good one",
            |_, a| {
                let mut bad = second(a).clone();
                bad.price_per_hour = Some(MicroDollars(-1));
                a.execution_plan[1].launch[0].offerings.push(bad);
            },
            Rule::WrongPrice,
        ),
    ]);
}

#[test]
fn savings_and_sums_that_the_prices_do_not_bear_out_are_refused() {
    all_refused(&[
        ("inflated", |_, a| a.execution_plan[1].saving_per_hour = MicroDollars(170_000), Rule::WrongSaving),
        ("absurd", |_, a| a.execution_plan[1].saving_per_hour = MicroDollars(i64::MAX), Rule::WrongSaving),
        ("negative", |_, a| a.execution_plan[0].saving_per_hour = MicroDollars(-1), Rule::WrongSaving),
        ("most negative", |_, a| a.execution_plan[0].saving_per_hour = MicroDollars(i64::MIN), Rule::WrongSaving),
        ("nothing", |_, a| a.execution_plan[0].saving_per_hour = MicroDollars(0), Rule::WrongSaving),
        ("another total", |_, a| a.estimated_saving = MicroDollars(300_000), Rule::WrongSum),
        ("after does not follow", |_, a| a.cost_after = MicroDollars(1), Rule::WrongSum),
        (
            "another before",
            |_, a| {
                a.cost_before = MicroDollars(900_000);
                a.cost_after = MicroDollars(652_000);
            },
            Rule::WrongSum,
        ),
        ("a negative bound", |_, a| a.lower_bound = MicroDollars(-1), Rule::WrongSum),
        ("a move that earns", |_, a| a.execution_plan[0].cost_once = MicroDollars(-1), Rule::WrongSum),
        ("more pods than there are", |_, a| a.execution_plan[0].pods_moved = 13, Rule::WrongSum),
    ]);
}

#[test]
fn a_commitment_pays_for_one_instance_and_not_for_two() {
    let (mut request, mut answer) = (asked(), answered());
    *second(&mut answer) = Offering { price_per_hour: Some(MicroDollars(96_000)), ..second(&mut answer).clone() };
    second(&mut answer).pool.capacity = CapacityType::OnDemand;
    answer.execution_plan[1].saving_per_hour = MicroDollars(192_000);
    answer.estimated_saving = MicroDollars(288_000);
    answer.cost_after = MicroDollars(96_000);
    assert_eq!(verdict(&request, answer.clone()), vec![Rule::WrongSaving]);
    request.constraints.commitments = vec![Commitment { instance_type: id("m6i.large"), zone: None, count: 1 }];
    assert_eq!(verdict(&request, answer.clone()), Vec::new());
    let again = answer.execution_plan[1].launch[0].clone();
    answer.execution_plan[1].launch.push(again);
    assert_eq!(verdict(&request, answer), vec![Rule::WrongSaving]);
}

#[test]
fn only_spot_may_give_way_to_something_dearer() {
    let (mut request, mut answer) = (asked(), answered());
    request.snapshot.nodes[1].pool = Some(pool("m6i.large", CapacityType::Spot));
    request.snapshot.nodes[1].price = Some(Quote { price_per_hour: MicroDollars(40_000), source: PriceSource::Observed { at: now() } });
    answer.execution_plan = vec![Move {
        remove: vec![identity(1)],
        launch: vec![launch("m6i.large", CapacityType::OnDemand, 96_000)],
        saving_per_hour: MicroDollars(-56_000),
        pods_moved: 2,
        ..answer.execution_plan[1].clone()
    }];
    answer.estimated_saving = MicroDollars(-56_000);
    answer.cost_before = MicroDollars(328_000);
    answer.cost_after = MicroDollars(384_000);
    assert_eq!(verdict(&request, answer.clone()), vec![Rule::WrongSaving]);
    request.decision_type = DecisionType::SpotOptimize;
    assert_eq!(verdict(&request, answer.clone()), Vec::new());
    request.snapshot.nodes[1].pool = Some(pool("m6i.large", CapacityType::OnDemand));
    assert_eq!(verdict(&request, answer), vec![Rule::WrongSaving]);
}

#[test]
fn a_pod_of_one_move_may_land_where_another_makes_room() {
    let mut request = asked();
    for (node, pods) in [(0, 1), (1, 1), (2, 2), (3, 4)] {
        request.snapshot.nodes[node].pods[0].count = pods;
    }
    let mut answer = answered();
    assert_eq!(verdict(&request, answer.clone()), Vec::new(), "the new node is large enough for the pods of both moves");
    answer.execution_plan[1].launch[0].needs = Resources::new(1_200, 3 * GIB);
    assert_eq!(verdict(&request, answer), vec![Rule::NoRoom; 2], "it takes its own alone, and what stays is full");
}

#[test]
fn pods_without_a_place_are_refused() {
    all_refused(&[
        ("a node that is too small", |_, a| a.execution_plan[1].launch[0].needs = Resources::new(2_100, GIB), Rule::NoRoom),
        ("more pods than addresses", |_, a| a.execution_plan[1].launch[0].pods = 30, Rule::NoRoom),
        (
            "a GPU from nowhere",
            |_, a| {
                a.execution_plan[1].launch[0].needs.extended.insert("nvidia.com/gpu".to_owned(), 1);
            },
            Rule::NoRoom,
        ),
        (
            "needs that leave pods out",
            |r, a| {
                a.execution_plan[1].launch[0].needs = Resources::new(600, GIB);
                r.snapshot.nodes[3].pods[0].count = 3;
            },
            Rule::NoRoom,
        ),
        ("everything onto a full node", |r, _| r.snapshot.nodes[3].pods[0].count = 3, Rule::NoRoom),
        (
            "onto a node that may not",
            |r, _| {
                r.snapshot.classes[0].scheduling.node_selector.insert("disk".to_owned(), "ssd".to_owned());
            },
            Rule::NoRoom,
        ),
    ]);
}
