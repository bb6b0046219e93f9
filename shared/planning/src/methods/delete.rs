//! Nodes whose pods fit elsewhere. Several go in one move, so that the pods of one are not put onto the next.

use crate::eligibility::Blocked;
use crate::optimize::desk::{Desk, Draft};
use crate::placement::NodeId;
use domain::decision::WhyNot;

/// How many nodes go in one move at the most: a move is carried out whole or not at all.
const BATCH: usize = 4;

/// After so many nodes in a row whose pods found no room, the cluster is taken to be full: those behind have more pods for their
/// cost. Each miss asks every node, so without an end the work would grow with the square of the cluster.
const MISSES: usize = 128;

/// The part of all work that is for removals, one in so many: the other methods have their turn.
const SHARE: u64 = 5;

/// Plans removals, those first that save most for the disruption.
pub(super) fn apply(desk: &mut Desk<'_>) {
    let mut order = desk.candidates();
    order.retain(|node| !desk.state.moving(*node).is_empty());
    order.sort_by_key(|node| {
        let disruption = (1_000 + desk.nodes[*node].evictions).max(1);
        (std::cmp::Reverse(desk.nodes[*node].cost.saturating_mul(1_000) / disruption), *node)
    });
    let (mut at, mut misses) = (0, 0);
    let end = desk.state.work().saturating_add(desk.work_max / SHARE);
    while at < order.len() && misses < MISSES && desk.state.work() < end {
        let taken = batch(desk, &order, &mut at, &mut misses);
        settle(desk, &taken);
    }
}

/// Gathers nodes that can go together; `at` moves on behind the last that was looked at.
fn batch(desk: &mut Desk<'_>, order: &[NodeId], at: &mut usize, misses: &mut usize) -> Vec<NodeId> {
    let mut taken = Vec::new();
    let mark = desk.state.mark();
    let most = BATCH.min(desk.nodes_max.max(1));
    while *at < order.len() && taken.len() < most && *misses < MISSES {
        let node = order[*at];
        *at += 1;
        if desk.tired() {
            desk.nodes[node].reached = false;
            continue;
        }
        if let Err(why) = desk.weigh(desk.weight(&[node], &[]), &[node], &[]) {
            desk.forgo(draft(desk, &[node]), &why);
            desk.note(node, why);
            continue;
        }
        let before = desk.state.mark();
        let pods = desk.state.empty(node);
        match desk.state.settle(&pods) {
            Ok(()) => {
                taken.push(node);
                *misses = 0;
            }
            Err(class) => {
                *misses += 1;
                desk.state.rollback(before);
                let name = crate::eligibility::workload(&desk.index.snapshot.classes[class]);
                desk.note(node, Blocked::by(WhyNot::NoPlace, name.clone(), format!("{name} fits nowhere else in the cluster")));
            }
        }
    }
    desk.state.rollback(mark);
    taken
}

/// Plans the batch if it holds however the scheduler chooses; if not, each half of it by itself.
fn settle(desk: &mut Desk<'_>, taken: &[NodeId]) {
    if taken.is_empty() {
        return;
    }
    let draft = draft(desk, taken);
    match desk.prove(&draft).and_then(|()| desk.plan(&draft)) {
        Ok(()) => {}
        Err(why) => match taken {
            [only] => {
                desk.forgo(draft, &why);
                desk.note(*only, why);
            }
            _ => {
                let (front, back) = taken.split_at(taken.len() / 2);
                settle(desk, front);
                settle(desk, back);
            }
        },
    }
}

fn draft(desk: &Desk<'_>, nodes: &[NodeId]) -> Draft {
    let names: Vec<&str> = nodes.iter().map(|node| desk.node(*node).name.as_str()).collect();
    let why = format!("the pods of {} fit on the other nodes", names.join(", "));
    Draft { remove: nodes.to_vec(), launch: Vec::new(), why }
}
