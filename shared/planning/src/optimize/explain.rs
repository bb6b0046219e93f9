//! The answer, and a sentence for each node that stays.

use super::desk::{Desk, Standing};
use crate::eligibility::Blocked;
use crate::placement::{CPU, MEMORY, NodeId, PODS, Pods};
use domain::decision::{CONTRACT_VERSION, DecisionAnswer, DecisionType, Untouched, WhyNot};
use domain::money::MicroDollars;
use std::collections::BTreeMap;

/// How many sentences the list of the rejected has at the most.
const REJECTED_MAX: usize = 24;

/// What made the answer.
pub(crate) const ENGINE: &str = concat!("cloudoptim-planning/", env!("CARGO_PKG_VERSION"));

/// Makes the answer of what lies on the desk.
pub(crate) fn answer(desk: Desk<'_>) -> DecisionAnswer {
    let before: i64 = desk.nodes.iter().map(|node| node.price).sum();
    let saving: i64 = desk.planned.iter().map(|planned| planned.answer.saving_per_hour.0).sum();
    let bound = MicroDollars(bound(&desk).0.min(before - saving));
    let untouched: Vec<Untouched> = (0..desk.nodes.len()).filter(|id| !desk.nodes[*id].gone).map(|id| untouched(&desk, id)).collect();
    let unreached = desk.nodes.iter().any(|node| !node.reached);
    let mut reasons = vec![headline(&desk, before, saving, bound)];
    reasons.extend(gap(&desk, &untouched));
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

/// What the nodes that stay cost beyond what their pods are worth at the bound, by the reason for which they stay.
fn gap(desk: &Desk<'_>, untouched: &[Untouched]) -> Vec<String> {
    let mut by_code: BTreeMap<WhyNot, (i64, usize)> = BTreeMap::new();
    let stays = (0..desk.nodes.len()).filter(|id| !desk.nodes[*id].gone);
    for (id, untouched) in stays.zip(untouched) {
        let lost = excess(desk, id);
        let entry = by_code.entry(untouched.code).or_default();
        *entry = (entry.0 + lost, entry.1 + 1);
    }
    let mut sorted: Vec<_> = by_code.into_iter().filter(|(_, (lost, _))| *lost > 0).collect();
    sorted.sort_by_key(|(code, (lost, _))| (std::cmp::Reverse(*lost), *code));
    sorted.into_iter().map(|(code, (lost, nodes))| format!("{}: {nodes} nodes, {} per hour", word(code), MicroDollars(lost))).collect()
}

/// What a node costs beyond what its pods are worth at the bound.
fn excess(desk: &Desk<'_>, id: NodeId) -> i64 {
    if desk.node(id).price.is_none() {
        return 0;
    }
    let pods: Pods = desk.node(id).pods.iter().map(|p| (p.class as usize, p.count)).filter(|(c, _)| desk.index.classes[*c].moves).collect();
    desk.nodes[id].price - desk.worth.bound(&desk.index.demand(&pods)).0
}

/// The word of a code, as the contract spells it.
fn word(code: WhyNot) -> String {
    serde_json::to_value(code).ok().and_then(|value| value.as_str().map(str::to_owned)).unwrap_or_default()
}

/// The bound: the value of the pods on nodes with a known price, less what the free room of the others could take for nothing.
fn bound(desk: &Desk<'_>) -> MicroDollars {
    let mut sum = desk.demand();
    for node in desk.index.snapshot.nodes.iter().filter(|node| node.price.is_none()) {
        let pods: Pods = node.pods.iter().map(|p| (p.class as usize, p.count)).filter(|(c, _)| !desk.index.classes[*c].moves).collect();
        let fixed = desk.index.demand(&pods);
        let whole = |amount: u64| i64::try_from(amount).unwrap_or(i64::MAX / 4);
        sum[CPU] -= whole(node.allocatable.cpu_millis) - fixed[CPU];
        sum[MEMORY] -= whole(node.allocatable.memory_bytes) - fixed[MEMORY];
        sum[PODS] -= i64::from(node.pods_max) - fixed[PODS];
    }
    desk.worth.bound(&sum)
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
    ids.sort_by_key(|id| (std::cmp::Reverse(excess(desk, *id)), *id));
    ids.truncate(REJECTED_MAX);
    ids.into_iter().map(|id| format!("{}: {}", desk.node(id).name, reason(&desk.nodes[id]).why)).collect()
}

/// The node after which the next answer begins.
fn last_reached(desk: &Desk<'_>) -> Option<domain::ids::NodeName> {
    let nodes = desk.nodes.len();
    let ends = (0..nodes).find(|id| desk.nodes[*id].reached && !desk.nodes[(*id + 1) % nodes].reached);
    ends.map(|id| desk.node(id).name.clone())
}
