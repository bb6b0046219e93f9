//! Nodes on which nothing runs that a drain would move: they go without anybody noticing.

use crate::eligibility::Blocked;
use crate::optimize::desk::{Desk, Draft};
use domain::decision::WhyNot;

/// Plans the removal of empty nodes, the dearest first. The last node that takes pods stays.
pub(super) fn apply(desk: &mut Desk<'_>) {
    let mut empty = desk.candidates();
    empty.retain(|node| desk.state.moving(*node).is_empty());
    empty.sort_by_key(|node| (std::cmp::Reverse(desk.nodes[*node].cost), *node));
    let mut open = (0..desk.nodes.len()).filter(|node| desk.state.is_open(*node)).count();
    for node in empty {
        if open <= 1 {
            desk.note(node, Blocked::new(WhyNot::Policy, "it is the last node that takes pods; a cluster without one starts nothing"));
            continue;
        }
        let name = &desk.node(node).name;
        let draft = Draft { remove: vec![node], launch: Vec::new(), why: format!("nothing runs on {name} that would have to move") };
        if let Err(why) = desk.weigh(desk.weight(&[node], &[]), &[node], &[]) {
            desk.forgo(draft, &why);
            desk.note(node, why);
            continue;
        }
        match desk.plan(&draft) {
            Ok(()) => open -= 1,
            Err(why) => desk.note(node, why),
        }
    }
}
