//! The answer, and a sentence for each node that stays.

use super::account::Account;
use super::desk::{Desk, Standing};
use super::outlook::Outlook;
use crate::eligibility::Blocked;
use crate::placement::{NodeId, Pods};
use domain::decision::{CONTRACT_VERSION, DecisionAnswer, DecisionType, Untouched, WhyNot};
use domain::money::MicroDollars;

/// How many sentences the list of the rejected has at the most.
const REJECTED_MAX: usize = 24;

/// What made the answer.
pub(crate) const ENGINE: &str = concat!("cloudoptim-planning/", env!("CARGO_PKG_VERSION"));

/// Makes the answer of what lies on the desk.
pub(crate) fn answer(desk: Desk<'_>, account: Option<&Account>) -> DecisionAnswer {
    let before: i64 = desk.nodes.iter().map(|node| node.price).sum();
    let saving: i64 = desk.planned.iter().map(|planned| planned.answer.saving_per_hour.0).sum();
    // The bound is never above what the moves come to: it is proven, and its program may have stopped early.
    let bound = MicroDollars(desk.outlook.cost.min(before - saving));
    let untouched: Vec<Untouched> = (0..desk.nodes.len()).filter(|id| !desk.nodes[*id].gone).map(|id| untouched(&desk, id)).collect();
    let unreached = desk.nodes.iter().any(|node| !node.reached);
    let mut reasons = vec![headline(&desk, before, saving, bound)];
    reasons.extend(account.map(Account::sentences).unwrap_or_default());
    DecisionAnswer {
        version: CONTRACT_VERSION,
        request_id: desk.request.request_id.clone(),
        engine: ENGINE.to_owned(),
        estimated_saving: MicroDollars(saving),
        cost_before: MicroDollars(before),
        cost_after: MicroDollars(before - saving),
        lower_bound: bound,
        reasons,
        rejected: rejected(&desk),
        untouched,
        cursor: if unreached { last_reached(&desk) } else { None },
        execution_plan: desk.planned.into_iter().map(|planned| planned.answer).collect(),
    }
}

fn headline(desk: &Desk<'_>, before: i64, saving: i64, bound: MicroDollars) -> String {
    let method = match desk.request.decision_type {
        DecisionType::SpotOptimize => "moves to, from and between spot pools",
        DecisionType::BinPack => "fewer or cheaper nodes for the same pods",
        DecisionType::Rightsize => "nodes of a size that fits",
    };
    let (moves, before, after) = (desk.planned.len(), MicroDollars(before), MicroDollars(before - saving));
    format!("{method}: {moves} moves take the cost from {before} to {after} per hour; no placement costs less than {bound}")
}

/// What a node costs beyond what its pods are worth at the bound.
pub(super) fn excess(desk: &Desk<'_>, worth: &Outlook, id: NodeId) -> i64 {
    if desk.node(id).price.is_none() {
        return 0;
    }
    let pods: Pods = desk.node(id).pods.iter().map(|p| (p.class as usize, p.count)).filter(|(c, _)| desk.index.classes[*c].moves).collect();
    desk.nodes[id].price - worth.value(&pods, desk.nodes[id].capacity)
}

fn untouched(desk: &Desk<'_>, id: NodeId) -> Untouched {
    let why = reason(&desk.nodes[id]);
    Untouched { node: desk.node(id).name.clone(), code: why.code, object: why.object, why: why.why }
}

fn reason(node: &Standing) -> Blocked {
    if let Some(blocked) = &node.blocked {
        return blocked.clone();
    }
    if !node.reached {
        return Blocked::new(WhyNot::NotReached, "the work granted for this answer ended before it; the next answer begins here");
    }
    let optimal = || Blocked::new(WhyNot::Optimal, "no method of this decision found anything cheaper for its pods");
    node.note.clone().unwrap_or_else(optimal)
}

/// Near misses: what was worth a look and not a move, the dearest nodes first.
fn rejected(desk: &Desk<'_>) -> Vec<String> {
    let near =
        |node: &Standing| node.blocked.is_none() && !node.gone && node.note.as_ref().is_some_and(|note| note.code != WhyNot::Optimal);
    let mut ids: Vec<NodeId> = (0..desk.nodes.len()).filter(|id| near(&desk.nodes[*id])).collect();
    ids.sort_by_key(|id| (std::cmp::Reverse(excess(desk, &desk.outlook, *id)), *id));
    ids.truncate(REJECTED_MAX);
    ids.into_iter().map(|id| format!("{}: {}", desk.node(id).name, reason(&desk.nodes[id]).why)).collect()
}

/// The node after which the next answer begins.
fn last_reached(desk: &Desk<'_>) -> Option<domain::ids::NodeName> {
    let nodes = desk.nodes.len();
    let ends = (0..nodes).find(|id| desk.nodes[*id].reached && !desk.nodes[(*id + 1) % nodes].reached);
    ends.map(|id| desk.node(id).name.clone())
}
