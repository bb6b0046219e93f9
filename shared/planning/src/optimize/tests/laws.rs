use super::execution::Running;
use super::world::{GIB, class, daemon, market, node, random, request, term};
use crate::optimize::{Effort, Offer, decide};
use domain::decision::verify::{self, Reference, Refusal};
use domain::decision::{DecisionAnswer, DecisionRequest, DecisionType, WhyNot};
use domain::ids::InstanceType;
use domain::money::MicroDollars;
use domain::node::NodeOwner;
use domain::offering::CapacityType::{OnDemand, Spot};
use domain::scheduling::{NodeOperator, NodeRequirement, NodeTerm, Weighted};
use domain::snapshot::Placed;
use std::collections::BTreeSet;

fn answer(request: &DecisionRequest) -> DecisionAnswer {
    decide(request, market(), &Effort::default())
}

/// How many random clusters are carried out; the environment may ask for more.
fn seeds() -> u64 {
    option_env!("PLANS").and_then(|text| text.parse().ok()).unwrap_or(1_000)
}

fn code(answer: &DecisionAnswer, node: &str) -> Option<WhyNot> {
    answer.untouched.iter().find(|untouched| untouched.node.as_str() == node).map(|untouched| untouched.code)
}

#[test]
fn an_empty_node_goes_and_nothing_moves() {
    let classes = vec![daemon("logs"), class("web", 1_000, 2)];
    let nodes = vec![node(0, "m6i.large", OnDemand, &[(0, 1)]), node(1, "m6i.large", OnDemand, &[(0, 1), (1, 1)])];
    let found = answer(&request(DecisionType::BinPack, classes, nodes));
    assert_eq!(found.execution_plan.len(), 1, "{found:#?}");
    assert_eq!(found.execution_plan[0].remove[0].name.as_str(), "node-00000");
    assert_eq!((found.execution_plan[0].pods_moved, found.execution_plan[0].launch.len()), (0, 0));
    assert_eq!(found.estimated_saving, MicroDollars(96_000));
}

#[test]
fn a_node_whose_pods_fit_elsewhere_goes() {
    let classes = vec![daemon("logs"), class("web", 500, 1)];
    let nodes = (0..4).map(|at| node(at, "m6i.xlarge", OnDemand, &[(0, 1), (1, 3)])).collect();
    let found = answer(&request(DecisionType::BinPack, classes, nodes));
    assert!(found.cost_after.0 <= found.cost_before.0 / 2, "{found:#?}");
    assert!(found.lower_bound <= found.cost_after);
}

#[test]
fn a_node_that_is_too_large_becomes_a_smaller_one() {
    let classes = vec![daemon("logs"), class("web", 1_000, 2)];
    let nodes = vec![node(0, "m6i.4xlarge", OnDemand, &[(0, 1), (1, 1)])];
    let found = answer(&request(DecisionType::Rightsize, classes, nodes));
    let launch = &found.execution_plan[0].launch[0];
    assert_eq!(launch.offerings[0].pool.instance_type.as_str(), "c6i.large", "{found:#?}");
    assert_eq!((launch.pods, launch.needs.cpu_millis, launch.needs.memory_bytes), (2, 1_100, 2 * GIB + GIB / 8));
}

#[test]
fn what_pods_prefer_and_would_lose_weighs_as_much_as_another_eviction() {
    let node = || vec![node(0, "m6i.2xlarge", OnDemand, &[(0, 1), (1, 3)])];
    let plain = class("web", 1_000, 2);
    let mut liked = plain.clone();
    let need = NodeRequirement {
        key: "node.kubernetes.io/instance-type".to_owned(),
        operator: NodeOperator::In,
        values: vec!["m6i.2xlarge".to_owned()],
    };
    liked.scheduling.preferred_nodes = vec![Weighted { weight: 100, term: NodeTerm(vec![need]) }];
    let plan = |class| answer(&request(DecisionType::Rightsize, vec![daemon("logs"), class], node()));
    assert_eq!(plan(plain).execution_plan.len(), 1);
    let stays = plan(liked);
    assert_eq!(code(&stays, "node-00000"), Some(WhyNot::NotWorthIt), "{stays:#?}");
}

#[test]
fn replicas_that_prefer_to_be_apart_are_put_together_only_for_more_than_another_eviction() {
    // The pods of a small node fit onto a large one that others manage, where there is one of them already.
    let plan = |apart: bool| {
        let (mut web, rest) = (class("web", 100, 1), class("rest", 100, 1));
        if apart {
            web.scheduling.preferred_anti_affinity = vec![Weighted { weight: 100, term: term("web", "kubernetes.io/hostname") }];
        }
        let mut nodes = vec![node(0, "c6i.large", OnDemand, &[(0, 1), (1, 1), (2, 1)])];
        nodes.push(node(1, "m6i.4xlarge", OnDemand, &[(0, 1), (1, 1), (2, 12)]));
        nodes[1].owner = NodeOwner::ManagedNodeGroup { group: "workers".to_owned() };
        answer(&request(DecisionType::BinPack, vec![daemon("logs"), web, rest], nodes))
    };
    assert_eq!(plan(false).execution_plan.len(), 1, "{:#?}", plan(false));
    assert!(plan(true).execution_plan.is_empty(), "{:#?}", plan(true));
}

#[test]
fn an_on_demand_node_moves_to_spot_with_enough_pools_to_fall_back_on() {
    let classes = vec![daemon("logs"), class("web", 1_000, 2)];
    let nodes = vec![node(0, "m6i.xlarge", OnDemand, &[(0, 1), (1, 3)])];
    let found = answer(&request(DecisionType::SpotOptimize, classes.clone(), nodes.clone()));
    let offerings = &found.execution_plan[0].launch[0].offerings;
    assert!(offerings.len() >= 5 && offerings.iter().all(|offering| offering.pool.capacity == Spot), "{found:#?}");
    let mut few = request(DecisionType::SpotOptimize, classes, nodes);
    few.requirements.spot_pools_min = 100;
    assert_eq!(code(&answer(&few), "node-00000"), Some(WhyNot::Policy));
}

#[test]
fn the_share_of_replicas_that_the_policy_keeps_on_demand_stays_there() {
    let classes = vec![daemon("logs"), class("web", 1_000, 2)];
    let nodes = (0..4).map(|at| node(at, "m6i.xlarge", OnDemand, &[(0, 1), (1, 3)])).collect();
    let mut half = request(DecisionType::SpotOptimize, classes, nodes);
    half.requirements.on_demand_percent_min = 50;
    let found = answer(&half);
    assert_eq!(found.execution_plan.len(), 2, "{found:#?}");
    assert_eq!(found.untouched.iter().filter(|untouched| untouched.code == WhyNot::Policy).count(), 2);
}

#[test]
fn no_more_nodes_go_than_may_and_the_next_answer_says_so() {
    let classes = vec![daemon("logs"), class("web", 500, 1)];
    let nodes = (0..10).map(|at| node(at, "m6i.xlarge", OnDemand, &[(0, 1), (1, 2)])).collect();
    let mut two = request(DecisionType::BinPack, classes, nodes);
    two.constraints.nodes_max = 2;
    let found = answer(&two);
    assert_eq!(found.execution_plan.iter().map(|planned| planned.remove.len()).sum::<usize>(), 2);
    assert!(found.untouched.iter().any(|untouched| untouched.code == WhyNot::BudgetUsedUp));
}

#[test]
fn with_little_effort_every_node_has_its_turn() {
    let classes = vec![daemon("logs"), class("big", 3_000, 12)];
    let nodes: Vec<_> = (0..12).map(|at| node(at, "m6i.xlarge", OnDemand, &[(0, 1), (1, 1)])).collect();
    let mut turn = request(DecisionType::BinPack, classes, nodes);
    let mut reached = BTreeSet::new();
    for _ in 0..12 {
        let found = decide(&turn, market(), &Effort { work: 300 });
        let looked = found.untouched.iter().filter(|untouched| untouched.code != WhyNot::NotReached);
        reached.extend(looked.map(|untouched| untouched.node.clone()));
        turn.constraints.cursor = found.cursor;
    }
    assert_eq!(reached.len(), 12);
}

#[test]
fn every_node_is_in_a_move_or_has_its_reason_and_the_cost_never_rises() {
    for seed in 0..150 {
        for kind in [DecisionType::BinPack, DecisionType::SpotOptimize, DecisionType::Rightsize] {
            let asked = random(seed, kind);
            let found = answer(&asked);
            let moved = found.execution_plan.iter().flat_map(|planned| &planned.remove).map(|node| node.name.clone());
            let mut named: Vec<_> = moved.chain(found.untouched.iter().map(|untouched| untouched.node.clone())).collect();
            named.sort();
            let all: Vec<_> = asked.snapshot.nodes.iter().map(|node| node.name.clone()).collect();
            assert_eq!(named, all, "seed {seed}");
            assert!(found.cost_after <= found.cost_before, "seed {seed}");
            assert!(found.lower_bound <= found.cost_after, "seed {seed}");
            assert_eq!(found, answer(&asked), "seed {seed}: the same question, another answer");
        }
    }
}

/// Whether the core believes an answer, by what this market knows.
fn believed(asked: &DecisionRequest, found: &DecisionAnswer) -> Result<(), Vec<Refusal>> {
    let price = |name: &InstanceType| {
        let sold = |offer: &&Offer| offer.pool.instance_type == *name && offer.pool.capacity == OnDemand;
        market().offers.iter().find(sold)?.quote.map(|quote| quote.price_per_hour)
    };
    let known = Reference { type_of: &|name| market().types.get(name).cloned(), on_demand: &|_, name| price(name) };
    verify::answer(asked, found.clone(), known).map(drop)
}

#[test]
fn what_is_answered_is_believed() {
    for seed in 0..300 {
        for kind in [DecisionType::BinPack, DecisionType::SpotOptimize, DecisionType::Rightsize] {
            let asked = random(seed, kind);
            believed(&asked, &answer(&asked)).unwrap_or_else(|why| panic!("seed {seed} {kind:?}: {why:#?}"));
        }
    }
}

#[test]
fn moves_carried_out_leave_no_pod_without_a_place() {
    let mut moves = 0;
    for seed in 0..seeds() {
        let kind = [DecisionType::BinPack, DecisionType::SpotOptimize, DecisionType::Rightsize][usize::try_from(seed % 3).unwrap()];
        let asked = random(seed, kind);
        let found = answer(&asked);
        moves += found.execution_plan.len();
        // All of them, one after the other.
        let mut running = Running::new(&asked, seed);
        running.schedule();
        let before = running.pending.len();
        for planned in &found.execution_plan {
            running.carry_out(planned);
            assert!(running.pending.len() <= before, "seed {seed}: {planned:#?} leaves {:?} without a place", running.pending);
        }
        // And each by itself.
        for planned in &found.execution_plan {
            let mut running = Running::new(&asked, seed ^ 0xabc);
            running.schedule();
            let before = running.pending.len();
            running.carry_out(planned);
            assert!(running.pending.len() <= before, "seed {seed}: {planned:#?} alone leaves {:?} without a place", running.pending);
        }
    }
    assert!(moves > 200, "{moves}");
}

/// Random cluster 170 of the plans that are carried out: a pod that waited took the room of those that a small fallback was launched for.
#[test]
fn every_offering_of_a_launch_has_room_for_pods_that_wait_too() {
    let classes = vec![daemon("logs"), class("web", 300, 1), class("waits", 500, 2)];
    let mut asked = request(DecisionType::SpotOptimize, classes, vec![node(0, "c6i.large", OnDemand, &[(0, 1), (1, 3)])]);
    asked.snapshot.pending = vec![Placed { class: 2, count: 1 }];
    asked.requirements.spot_pools_min = 1;
    // The larger type is the cheaper one, and the smaller its fallback.
    let mut market = market().clone();
    for offer in market.offers.iter_mut().filter(|offer| offer.pool.instance_type.as_str() == "c6i.large" && offer.pool.capacity == Spot) {
        offer.quote.as_mut().unwrap().price_per_hour.0 = 37_000;
    }
    let found = decide(&asked, &market, &Effort::default());
    let planned = found.execution_plan.first().unwrap_or_else(|| panic!("{:#?}", found.untouched));
    assert_eq!(planned.launch[0].offerings[0].pool.instance_type.as_str(), "m6i.large", "{planned:#?}");
    for at in 0..planned.launch[0].offerings.len() {
        let mut only = planned.clone();
        only.launch[0].offerings = vec![planned.launch[0].offerings[at].clone()];
        let mut running = Running::new(&asked, 0);
        running.carry_out(&only);
        assert!(running.pending.len() <= 1, "{:?} leaves {:?} without a place", only.launch[0].offerings, running.pending);
    }
}

#[test]
fn a_node_that_came_out_as_meant_is_not_replaced_and_the_plans_come_to_an_end() {
    for seed in 0..100 {
        for kind in [DecisionType::BinPack, DecisionType::SpotOptimize, DecisionType::Rightsize] {
            let mut asked = random(seed, kind);
            // No help from age: what is new may be moved like anything else.
            asked.requirements.node_age_min_minutes = 0;
            let mut running = Running::new(&asked, seed);
            let mut rounds = 0;
            loop {
                let found = answer(&asked);
                if found.execution_plan.is_empty() {
                    break;
                }
                for planned in &found.execution_plan {
                    for gone in planned.remove.iter().filter(|_| !planned.launch.is_empty()) {
                        // The scheduler may put pods elsewhere; then the node is too large, and worth another look.
                        let settled = running.as_meant(gone.name.as_str());
                        assert!(!settled, "seed {seed} {kind:?}: launched, filled as meant, and replaced: {planned:#?}");
                    }
                    running.carry_out_first(planned);
                }
                running.write(&mut asked.snapshot);
                rounds += 1;
                assert!(rounds < 20, "seed {seed} {kind:?}: the plans do not come to an end");
            }
        }
    }
}

#[test]
fn what_no_single_node_can_take_becomes_several() {
    // A node of 48 cores and 192 GiB whose pods need many cores and little memory; no node may have more than 16 cores.
    let classes = vec![daemon("logs"), class("web", 1_000, 1)];
    let mut nodes = vec![node(0, "m6i.12xlarge", OnDemand, &[(0, 1), (1, 18)])];
    nodes.extend((1..4).map(|at| node(at, "c6i.2xlarge", OnDemand, &[(0, 1), (1, 6)])));
    let mut asked = request(DecisionType::BinPack, classes, nodes);
    asked.requirements.vcpu_max = 16;
    let found = answer(&asked);
    let several = found.execution_plan.iter().find(|planned| planned.launch.len() > 1);
    let several = several.unwrap_or_else(|| panic!("{found:#?}"));
    assert_eq!(several.remove[0].name.as_str(), "node-00000");
    assert!(several.saving_per_hour.0 > 1_000_000, "{several:#?}");
    assert_eq!(believed(&asked, &found), Ok(()), "no launch claims more than its node holds");
}
