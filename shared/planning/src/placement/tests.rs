use super::{Index, State};
use crate::optimize::tests::world::{class, daemon, node, node_in, random, request, spread, term, zone};
use domain::decision::DecisionType::BinPack;
use domain::offering::CapacityType::OnDemand;
use domain::snapshot::Snapshot;

fn allowed(snapshot: &Snapshot, class: usize) -> Vec<usize> {
    let index = Index::new(snapshot);
    let mut state = State::new(&index);
    (0..snapshot.nodes.len()).filter(|node| state.fits(class, *node)).collect()
}

#[test]
fn anti_affinity_holds_in_both_directions() {
    let mut shy = class("shy", 100, 1);
    shy.scheduling.anti_affinity.push(term("loud", "kubernetes.io/hostname"));
    let nodes = vec![node(0, "m6i.large", OnDemand, &[(0, 1)]), node(1, "m6i.large", OnDemand, &[(1, 1)])];
    let snapshot = request(BinPack, vec![shy, class("loud", 100, 1)], nodes).snapshot;
    assert_eq!(allowed(&snapshot, 0), [0], "the shy keep away from the loud");
    assert_eq!(allowed(&snapshot, 1), [1], "and the loud from the shy");
}

#[test]
fn a_spread_lets_no_zone_run_ahead_of_the_emptiest() {
    let mut web = class("web", 100, 1);
    web.scheduling.spread.push(spread("web", "topology.kubernetes.io/zone"));
    let nodes =
        vec![node(0, "m6i.large", OnDemand, &[(0, 1)]), node(1, "m6i.large", OnDemand, &[(0, 1)]), node(2, "m6i.large", OnDemand, &[])];
    let mut snapshot = request(BinPack, vec![web], nodes).snapshot;
    assert_eq!(allowed(&snapshot, 0), [2]);
    // A domain whose only node takes no pods still counts as the emptiest.
    snapshot.nodes[2].unschedulable = true;
    assert_eq!(allowed(&snapshot, 0), [0_usize; 0]);
}

#[test]
fn the_first_pod_of_a_group_may_go_anywhere_and_the_next_must_follow() {
    let mut group = class("group", 100, 1);
    group.scheduling.affinity.push(term("group", "topology.kubernetes.io/zone"));
    let nodes: Vec<_> = (0..3).map(|at| node(at, "m6i.large", OnDemand, &[])).collect();
    let mut snapshot = request(BinPack, vec![group], nodes).snapshot;
    assert_eq!(allowed(&snapshot, 0), [0, 1, 2]);
    snapshot.nodes[1].pods.push(domain::snapshot::Placed { class: 0, count: 1 });
    assert_eq!(allowed(&snapshot, 0), [1]);
}

#[test]
fn a_volume_keeps_its_pod_in_its_zone() {
    let mut data = class("data", 100, 1);
    data.scheduling.volume_zones = Some(vec![zone("us-east-1b")]);
    let nodes = (0..3).map(|at| node(at, "m6i.large", OnDemand, &[])).collect();
    assert_eq!(allowed(&request(BinPack, vec![data], nodes).snapshot, 0), [1]);
}

#[test]
fn changes_are_taken_back_to_the_last_pod() {
    for seed in 0..100 {
        let snapshot = random(seed, BinPack).snapshot;
        let index = Index::new(&snapshot);
        let mut state = State::new(&index);
        let classes = snapshot.classes.len();
        let view = |state: &mut State<'_>| -> Vec<bool> {
            (0..classes)
                .flat_map(|class| (0..snapshot.nodes.len()).map(move |node| (class, node)))
                .map(|(class, node)| state.fits(class, node))
                .collect()
        };
        let before = view(&mut state);
        let mark = state.mark();
        for node in 0..snapshot.nodes.len() / 2 {
            let pods = state.empty(node);
            let _ = state.settle(&pods);
        }
        state.rollback(mark);
        assert_eq!(view(&mut state), before, "seed {seed}");
    }
}

#[test]
fn pods_are_sure_of_a_place_only_if_no_order_can_leave_one_out() {
    let classes = vec![class("small", 1_000, 1), class("large", 3_000, 1), daemon("logs")];
    // Room for one large pod, or three small ones, on each of two nodes; the node that goes has one large and two small.
    let nodes = vec![
        node_in(0, "m6i.xlarge", "us-east-1a", OnDemand, &[(2, 1), (0, 0)]),
        node_in(1, "m6i.xlarge", "us-east-1a", OnDemand, &[(2, 1)]),
        node_in(2, "m6i.2xlarge", "us-east-1a", OnDemand, &[(2, 1), (0, 2), (1, 1)]),
    ];
    let snapshot = request(BinPack, classes, nodes).snapshot;
    let index = Index::new(&snapshot);
    let mut state = State::new(&index);
    let pods = state.empty(2);
    assert!(state.sure(&pods, &[]).is_err(), "one small pod on each node leaves no room for the large one");
    assert!(state.sure(&[(1, 2)], &[]).is_ok());
}
