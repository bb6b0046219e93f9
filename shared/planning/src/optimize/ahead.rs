//! The answers after this one: what they would come to if nothing changed but by them. Found by carrying each out in thought, its pods
//! where kube-scheduler's default scoring has them.
//!
//! It is a forecast for the account, never a plan: each of these answers is made anew when its time comes.

use super::desk::Desk;
use super::market::Market;
use super::outlook::Outlook;
use super::{Effort, planned};
use crate::placement::{Index, NodeId, State, Template};
use domain::decision::{DecisionRequest, WhyNot};
use domain::ids::{InstanceId, NodeName, NodeUid};
use domain::offering::Offering;
use domain::scheduling::Resources;
use domain::snapshot::{Placed, Snapshot, SnapshotNode};
use std::collections::BTreeMap;
use std::rc::Rc;

/// So many answers are looked ahead at the most.
const ANSWERS_MAX: usize = 8;

/// So many nodes are looked at in all: for a large cluster the answers ahead would take more than the answer.
const NODES_MAX: usize = 2_000;

/// What lies ahead.
#[derive(Debug, Default)]
pub(crate) struct Ahead {
    /// What the answers that were looked at save, with the moves that the last of them puts off: price per hour.
    pub(crate) saving: i64,
    /// How many nodes they move.
    pub(crate) nodes: usize,
    /// What the last of them finds and does not make: by the reason and the object named with it, what it would save, and its nodes.
    pub(crate) prices: BTreeMap<(WhyNot, Option<String>), (i64, usize)>,
}

impl Ahead {
    /// Looks ahead from a desk on which everything is planned. Its state is used up.
    pub(crate) fn of(desk: &mut Desk<'_>, market: &Market, effort: &Effort) -> Ahead {
        let mut left = ANSWERS_MAX.min(NODES_MAX / desk.nodes.len().max(1));
        let outlook = Rc::clone(&desk.outlook);
        let mut request = next(desk, market, left);
        let mut at_once = Ahead::default();
        at_once.end(desk);
        let mut ahead = Ahead::default();
        while let Some(asked) = request {
            left -= 1;
            request = ahead.answer(&asked, market, effort, &outlook, left);
        }
        // What is found from here, and what is found on the way: moves of the one may be in the way of the other's.
        if ahead.found() > at_once.found() { ahead } else { at_once }
    }

    /// All that was found.
    fn found(&self) -> i64 {
        self.saving + self.prices.values().map(|(saving, _)| saving).sum::<i64>()
    }

    /// Makes one more answer; the request of the next, if there is one.
    fn answer(
        &mut self,
        request: &DecisionRequest,
        market: &Market,
        effort: &Effort,
        outlook: &Rc<Outlook>,
        left: usize,
    ) -> Option<DecisionRequest> {
        let index = Index::new(&request.snapshot);
        let mut desk = planned(request, market, &index, effort, Some(Rc::clone(outlook)));
        for made in &desk.planned {
            self.saving += made.answer.saving_per_hour.0;
            self.nodes += made.draft.remove.len();
        }
        let later = next(&desk, market, left);
        if later.is_none() {
            self.end(&mut desk);
        }
        later
    }

    fn end(&mut self, last: &mut Desk<'_>) {
        for late in &last.late {
            self.saving += late.answer.saving_per_hour.0;
            self.nodes += late.draft.remove.len();
        }
        // Another plan would begin with less, and come to more in the end.
        self.saving += last.beyond;
        self.prices = last.prices();
    }
}

/// The request as it is after what the desk plans; `None`: nothing is planned, or no further answer is looked at.
fn next(desk: &Desk<'_>, market: &Market, left: usize) -> Option<DecisionRequest> {
    if desk.planned.is_empty() || left == 0 {
        return None;
    }
    let snapshot = &desk.request.snapshot;
    let moves: Vec<(Vec<NodeId>, Vec<Offering>)> = desk
        .planned
        .iter()
        .map(|made| (made.draft.remove.clone(), made.answer.launch.iter().filter_map(|spec| spec.offerings.first()).cloned().collect()))
        .collect();
    let nodes = carried_out(desk.index, market, &moves, left)?;
    Some(DecisionRequest { snapshot: Snapshot { nodes, ..snapshot.clone() }, ..desk.request.clone() })
}

/// The nodes as they are after moves, each of which empties nodes and launches others, made one after the other. `None`: the pods find
/// no places. `mark` tells the names of the new nodes from those of other answers.
pub fn carried_out(index: &Index<'_>, market: &Market, moves: &[(Vec<NodeId>, Vec<Offering>)], mark: usize) -> Option<Vec<SnapshotNode>> {
    let snapshot = index.snapshot;
    let mut state = State::new(index);
    let mut fresh: Vec<(NodeId, SnapshotNode)> = Vec::new();
    for (gone, launch) in moves {
        let model = gone.first().and_then(|node| snapshot.nodes.get(*node))?;
        for offering in launch {
            let info = market.types.get(&offering.pool.instance_type)?;
            let template = index.template(model, info, &offering.pool.zone, offering.pool.capacity);
            let id = state.launch(&template);
            fresh.push((id, launched(&template, model, offering, market, (mark, fresh.len()))?));
        }
        let mut pods: BTreeMap<usize, u32> = BTreeMap::new();
        for (class, count) in gone.iter().flat_map(|node| state.empty(*node)) {
            *pods.entry(class).or_default() += count;
        }
        state.settle(&pods.into_iter().collect::<Vec<_>>()).ok()?;
        gone.iter().for_each(|node| state.retire(*node));
    }
    let gone: std::collections::BTreeSet<NodeId> = moves.iter().flat_map(|(gone, _)| gone.iter().copied()).collect();
    let old = snapshot.nodes.iter().enumerate().filter(|(id, _)| !gone.contains(id)).map(|(id, node)| (id, node.clone()));
    let mut nodes: Vec<SnapshotNode> =
        old.chain(fresh).map(|(id, node)| SnapshotNode { pods: pods(snapshot, &state, id), ..node }).collect();
    nodes.sort_by(|a, b| a.name.cmp(&b.name));
    Some(nodes)
}

fn launched(
    template: &Template,
    model: &SnapshotNode,
    offering: &Offering,
    market: &Market,
    (mark, number): (usize, usize),
) -> Option<SnapshotNode> {
    let pool = &offering.pool;
    let info = market.types.get(&pool.instance_type)?;
    let name = format!("ahead-{mark:03}-{number:05}");
    let mut labels = template.labels.clone();
    labels.insert("kubernetes.io/hostname".to_owned(), name.clone());
    Some(SnapshotNode {
        uid: NodeUid::parse(format!("uid-{name}")).ok()?,
        instance: Some(InstanceId::parse(format!("i-{mark:05x}{number:012x}")).ok()?),
        name: NodeName::parse(name).ok()?,
        pool: Some(pool.clone()),
        labels,
        taints: template.taints.clone(),
        allocatable: Resources::new(info.allocatable_cpu_millis, info.allocatable_memory_bytes),
        pods_max: info.pods_max,
        price: market.offer(pool).and_then(|offer| offer.quote),
        ..model.clone()
    })
}

fn pods(snapshot: &Snapshot, state: &State<'_>, id: NodeId) -> Vec<Placed> {
    let classes = (0..).zip(&snapshot.classes).map(|(class, _)| class);
    let placed = classes.map(|class: u32| Placed { class, count: state.count(class as usize, id) });
    placed.filter(|placed| placed.count > 0).collect()
}
