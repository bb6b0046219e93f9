use super::{Outlook, Step, cut};
use crate::optimize::Effort;
use crate::optimize::desk::Desk;
use crate::optimize::tests::world::{class, daemon, market, node, random, request};
use crate::placement::Index;
use domain::decision::{DecisionRequest, DecisionType};
use domain::offering::CapacityType::{OnDemand, Spot};

/// The bounds of all steps, and what the nodes cost.
fn steps(request: &DecisionRequest) -> ([i64; 4], i64) {
    let index = Index::new(&request.snapshot);
    let mut desk = Desk::new(request, market(), &index, &Effort::default(), None);
    let least = (*desk.outlook).clone();
    let bought = least.next(&mut desk, Step::Bought);
    let stays = bought.next(&mut desk, Step::Stays);
    let constraints: Outlook = stays.next(&mut desk, Step::Constraints);
    let before = desk.nodes.iter().map(|node| node.price).sum();
    ([least.cost, bought.cost, stays.cost, constraints.cost], before)
}

#[test]
fn no_step_is_dearer_than_the_cluster_as_it_is() {
    for seed in 0..60 {
        let asked = random(seed, DecisionType::BinPack);
        let (steps, before) = steps(&asked);
        assert!(steps.is_sorted(), "seed {seed}: {steps:?}");
        assert!(steps[3] <= before, "seed {seed}: {steps:?} of {before}");
    }
}

#[test]
fn two_large_pods_on_one_core_too_many_need_two_nodes_and_the_bound_knows_it() {
    // Nine cores each: CPU alone fits eighteen of nineteen cores; but a node of 16 cores holds one, and 32 cores cost no less.
    let classes = vec![daemon("logs"), class("big", 9_000, 4)];
    let nodes = (0..4).map(|at| node(at, "c6i.4xlarge", OnDemand, &[(0, 1), (1, 1)])).collect();
    let mut asked = request(DecisionType::BinPack, classes, nodes);
    asked.requirements.vcpu_max = 16;
    let (steps, before) = steps(&asked);
    assert!(steps[0] > before * 99 / 100, "{steps:?} of {before}");
}

#[test]
fn a_node_that_must_stay_has_its_price() {
    let classes = vec![daemon("logs"), class("web", 1_000, 2)];
    let mut nodes: Vec<_> = (0..4).map(|at| node(at, "m6i.4xlarge", OnDemand, &[(0, 1), (1, 1)])).collect();
    nodes[0].do_not_disrupt = true;
    let (steps, before) = steps(&request(DecisionType::BinPack, classes, nodes));
    // It holds the pods of the others: it is all that is left to pay.
    assert!(steps[1] < before / 8, "{steps:?} of {before}");
    assert_eq!(steps[2], before / 4, "{steps:?} of {before}");
}

#[test]
fn pods_that_keep_apart_have_their_price_and_so_has_the_way_nodes_are_bought() {
    let mut apart = class("web", 200, 1);
    apart.scheduling.host_ports.push(domain::scheduling::HostPort { ip: String::new(), protocol: "TCP".to_owned(), port: 80 });
    let classes = vec![daemon("logs"), apart];
    let nodes = (0..4).map(|at| node(at, "m6i.xlarge", OnDemand, &[(0, 1), (1, 1)])).collect();
    let (alone, _) = steps(&request(DecisionType::BinPack, classes.clone(), nodes));
    assert!(alone[3] > alone[2] * 2, "{alone:?}");
    let classes = vec![daemon("logs"), class("web", 1_000, 2)];
    let nodes = (0..12).map(|at| node(at, "m6i.xlarge", if at == 0 { Spot } else { OnDemand }, &[(0, 1), (1, 3)])).collect();
    let (mixed, _) = steps(&request(DecisionType::BinPack, classes, nodes));
    assert!(mixed[1] > mixed[0], "{mixed:?}");
}

#[test]
fn a_spot_node_that_stays_takes_pods_of_on_demand_nodes_into_the_room_beside_its_own_and_no_more() {
    let classes = vec![daemon("logs"), class("web", 1_000, 2), class("job", 1_000, 2)];
    // Each holds three of these pods: eight nodes for 24 of on-demand nodes, and four spot nodes with so many of their own.
    let bought = |spot: usize, own: u32| {
        let there = |at| (at, if at < spot { Spot } else { OnDemand }, if at < spot { (2, own) } else { (1, 3) });
        let nodes = (0..8 + spot).map(there).map(|(at, capacity, pods)| node(at, "m6i.xlarge", capacity, &[(0, 1), pods])).collect();
        steps(&request(DecisionType::BinPack, classes.clone(), nodes)).0[1]
    };
    let (alone, full, half, empty) = (bought(0, 0), bought(4, 3), bought(4, 1), bought(4, 0));
    assert!(full > alone, "full spot nodes take nothing off: {full} with them, {alone} without");
    assert!(half < full && half < alone, "half full they take some: {half} of {full}");
    assert!(empty < half, "empty they take most: {empty} of {half}");
}

#[test]
fn requests_are_cut_down_and_never_up() {
    assert_eq!([0, 1, 2, 3, 4].map(|grain| cut(1_023, grain)), [1_023, 1_016, 992, 896, 512]);
    assert_eq!([0, 1, 2, 3, 4].map(|grain| cut(64, grain)), [64; 5]);
    assert_eq!(cut(0, 4), 0);
}
