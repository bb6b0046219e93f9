//! The desk on which a decision is made: the cluster, the market, what is planned so far, and what was learned of each node.

use super::Effort;
use super::market::Market;
use super::outlook::Outlook;
use super::shelf::Shelf;
use super::worth::Scales;
use crate::eligibility::{Blocked, Eligibility};
use crate::placement::{Index, NodeId, Pods, State};
use domain::decision::DecisionRequest;
use domain::offering::{CapacityType, Pool};
use domain::policy::OptimizationPolicy;
use domain::snapshot::SnapshotNode;
use std::collections::BTreeMap;
use std::rc::Rc;

mod bars;
mod forgone;
mod join;
mod launch;
mod neighbours;
mod play;
mod preferences;
mod standing;
mod vessels;

pub(crate) use forgone::Forgone;
use join::Crowd;
pub(crate) use launch::Rooms;
pub(crate) use play::{Draft, Planned};
use preferences::Preferences;
pub(crate) use standing::Standing;
use standing::stand;

/// The desk. See the module.
pub(crate) struct Desk<'a> {
    pub(crate) request: &'a DecisionRequest,
    pub(crate) policy: &'a OptimizationPolicy,
    pub(crate) index: &'a Index<'a>,
    /// The cluster after everything that is planned.
    pub(crate) state: State<'a>,
    /// The cluster as it is: what all moves together are proven on.
    origin: State<'a>,
    pub(crate) shelf: Shelf,
    pub(crate) nodes: Vec<Standing>,
    pub(crate) rooms: Rooms,
    pub(crate) scales: Scales<'a>,
    /// What the pods could cost at the least, and what each is worth then.
    pub(crate) outlook: Rc<Outlook>,
    /// How many nodes may go with this answer.
    pub(crate) nodes_max: usize,
    /// Pods that no node takes: a launched node may get them.
    pub(crate) pending: Pods,
    pub(crate) planned: Vec<Planned>,
    /// Moves that were planned and are left to the next answers.
    pub(crate) late: Vec<Planned>,
    /// What another plan of the portfolio would come to beyond this one, the moves that were put off with each: micro-dollars per hour.
    pub(crate) beyond: i64,
    /// Moves that were found and not planned, each with its reason.
    pub(crate) forgone: Vec<Forgone>,
    /// Those of the planned that are sure together.
    crowd: Crowd,
    /// Spot nodes by pool, launches counted.
    pub(crate) spot: BTreeMap<Pool, u32>,
    /// By class: pods on on-demand nodes at the least, and all of them.
    pub(crate) on_demand: Vec<(u32, u32)>,
    /// What pods prefer.
    preferences: Preferences,
    /// Where the work must end.
    pub(crate) work_max: u64,
}

impl<'a> Desk<'a> {
    /// A desk; the outlook is made where none is known of this request.
    pub(crate) fn new(
        request: &'a DecisionRequest,
        market: &Market,
        index: &'a Index<'a>,
        effort: &Effort,
        outlook: Option<Rc<Outlook>>,
    ) -> Desk<'a> {
        let (policy, snapshot) = (&request.requirements, &request.snapshot);
        let shelf = Shelf::new(market, snapshot, policy);
        let mut state = State::new(index);
        let pending = wait(&mut state, &request.snapshot.pending);
        let mut origin = State::new(index);
        wait(&mut origin, &request.snapshot.pending);
        let mut rooms = Rooms::default();
        let eligibility = Eligibility::new(snapshot, &request.constraints, policy);
        let nodes: Vec<Standing> = snapshot.nodes.iter().map(|node| stand(node, market, policy, index, &eligibility, &mut rooms)).collect();
        let cluster_cost: i64 = nodes.iter().map(|node| node.cost).sum();
        let cluster_disruption = nodes.iter().map(|node| 1_000 + node.evictions).sum();
        let mut desk = Desk {
            request,
            policy,
            index,
            state,
            origin,
            shelf,
            nodes,
            rooms,
            scales: Scales { policy, cluster_cost, cluster_disruption },
            outlook: Rc::new(Outlook::default()),
            nodes_max: request.constraints.nodes_max as usize,
            pending,
            planned: Vec::new(),
            late: Vec::new(),
            beyond: 0,
            forgone: Vec::new(),
            crowd: Crowd::default(),
            spot: BTreeMap::new(),
            on_demand: vec![(0, 0); snapshot.classes.len()],
            preferences: Preferences::new(index),
            work_max: effort.work,
        };
        desk.count();
        desk.trap();
        desk.commit_hours(market);
        desk.reach(effort);
        desk.outlook = outlook.unwrap_or_else(|| Rc::new(Outlook::least(&mut desk)));
        desk
    }

    /// The node of the snapshot.
    pub(crate) fn node(&self, id: NodeId) -> &'a SnapshotNode {
        &self.index.snapshot.nodes[id]
    }

    /// Nodes that a method may still take, by place.
    pub(crate) fn candidates(&self) -> Vec<NodeId> {
        let open = |node: &Standing| node.blocked.is_none() && !node.gone && !node.put_off && node.reached;
        self.nodes.iter().enumerate().filter(|(_, node)| open(node)).map(|(id, _)| id).collect()
    }

    /// What the plan saves per hour, all in.
    pub(crate) fn saving(&self) -> i64 {
        self.planned.iter().map(|planned| planned.net).sum()
    }

    /// What the plan comes to in the end, once the moves that were put off are made, too: price per hour.
    pub(crate) fn in_the_end(&self) -> i64 {
        self.planned.iter().chain(&self.late).map(|planned| planned.answer.saving_per_hour.0).sum()
    }

    /// Whether the work that was granted is done.
    pub(crate) fn tired(&self) -> bool {
        self.state.work() >= self.work_max
    }

    /// Remembers why a node was not moved.
    pub(crate) fn note(&mut self, node: NodeId, why: Blocked) {
        self.nodes[node].note = Some(why);
    }

    /// Counts spot nodes by pool, and pods on on-demand nodes.
    fn count(&mut self) {
        for node in &self.index.snapshot.nodes {
            let Some(pool) = &node.pool else { continue };
            let spot = pool.capacity == CapacityType::Spot;
            if spot {
                *self.spot.entry(pool.clone()).or_default() += 1;
            }
            for placed in &node.pods {
                let (on_demand, all) = &mut self.on_demand[placed.class as usize];
                *on_demand += if spot { 0 } else { placed.count };
                *all += placed.count;
            }
        }
    }
}

/// Places the pending pods that fit; returns the others.
fn wait(state: &mut State<'_>, pending: &[domain::snapshot::Placed]) -> Pods {
    let mut left = Pods::new();
    for placed in pending {
        let class = placed.class as usize;
        for done in 0..placed.count {
            match state.roomiest(class) {
                Some(node) => state.place(class, node),
                None => {
                    left.push((class, placed.count - done));
                    break;
                }
            }
        }
    }
    state.commit();
    left
}
