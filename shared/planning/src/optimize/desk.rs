//! The desk on which a decision is made: the cluster, the market, what is planned so far, and what was learned of each node.

use super::Effort;
use super::bound::{Vessel, Worth, worth};
use super::market::Market;
use super::shelf::Shelf;
use super::worth::{Scales, eviction};
use crate::eligibility::{Blocked, Eligibility, workload};
use crate::placement::{CPU, Index, Kind, MEMORY, NodeId, PODS, Pods, State, arch_of, runs_on};
use domain::decision::{DecisionRequest, DecisionType, WhyNot};
use domain::money::MicroDollars;
use domain::offering::{CapacityType, Pool};
use domain::policy::OptimizationPolicy;
use domain::snapshot::SnapshotNode;
use std::collections::BTreeMap;

mod join;
mod launch;
mod play;

use join::Crowd;
pub(crate) use join::later;
pub(crate) use launch::Rooms;
pub(crate) use play::{Draft, Planned};

/// What is known of a node of the snapshot.
#[derive(Debug, Clone)]
pub(crate) struct Standing {
    /// Price per hour.
    pub(crate) price: i64,
    /// All in: price, overhead, what its interruptions cost. Zero where the price is not known.
    pub(crate) cost: i64,
    /// Evictions that emptying it takes, in thousandths.
    pub(crate) evictions: i64,
    /// How it was bought.
    pub(crate) capacity: CapacityType,
    /// How it is made: index of the kind.
    pub(crate) kind: usize,
    /// Why it may not be moved.
    pub(crate) blocked: Option<Blocked>,
    /// Why it was not moved, as far as a method has looked.
    pub(crate) note: Option<Blocked>,
    /// It goes.
    pub(crate) gone: bool,
    /// It could go, but not together with the others that do.
    pub(crate) put_off: bool,
    /// This answer got as far as it.
    pub(crate) reached: bool,
}

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
    /// What resources are worth at the bound.
    pub(crate) worth: Worth,
    /// How many more nodes may go.
    pub(crate) left: usize,
    /// Pods that no node takes: a launched node may get them.
    pub(crate) pending: Pods,
    pub(crate) planned: Vec<Planned>,
    /// Those of the planned that are sure together.
    crowd: Crowd,
    /// Spot nodes by pool, launches counted.
    pub(crate) spot: BTreeMap<Pool, u32>,
    /// By class: pods on on-demand nodes at the least, and all of them.
    pub(crate) on_demand: Vec<(u32, u32)>,
    /// Where the work must end.
    pub(crate) work_max: u64,
}

impl<'a> Desk<'a> {
    pub(crate) fn new(request: &'a DecisionRequest, market: &Market, index: &'a Index<'a>, effort: &Effort) -> Desk<'a> {
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
            worth: Worth::default(),
            left: request.constraints.nodes_max as usize,
            pending,
            planned: Vec::new(),
            crowd: Crowd::default(),
            spot: BTreeMap::new(),
            on_demand: vec![(0, 0); snapshot.classes.len()],
            work_max: effort.work,
        };
        desk.count();
        desk.trap();
        desk.commit_hours(market);
        desk.reach(effort);
        desk.worth = worth(&desk.vessels(), &desk.demand());
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

    /// Whether the work that was granted is done.
    pub(crate) fn tired(&self) -> bool {
        self.state.work() >= self.work_max
    }

    /// Remembers why a node was not moved.
    pub(crate) fn note(&mut self, node: NodeId, why: Blocked) {
        self.nodes[node].note = Some(why);
    }

    /// What all pods that move take, by dimension.
    pub(crate) fn demand(&self) -> Vec<i64> {
        let mut sum = vec![0; self.index.dims];
        for node in &self.index.snapshot.nodes {
            let pods: Pods = node.pods.iter().map(|p| (p.class as usize, p.count)).filter(|(c, _)| self.index.classes[*c].moves).collect();
            sum.iter_mut().zip(self.index.demand(&pods)).for_each(|(sum, more)| *sum += more);
        }
        sum
    }

    /// Everything that pods could be in, at its price: what may be launched, and what is there. Pods of DaemonSets and static pods
    /// are taken off.
    fn vessels(&mut self) -> Vec<Vessel> {
        let mut vessels = Vec::new();
        let bought = self.bought();
        for kind in 0..self.rooms.kinds() {
            for item in 0..self.shelf.items.len() {
                if !bought.contains(&self.shelf.items[item].pool.capacity) {
                    continue;
                }
                let room = self.room(kind, item);
                let (cpu, memory, pods) = (room.free[CPU], room.free[MEMORY], room.free[PODS]);
                vessels.push(Vessel { cpu, memory, pods, cost: self.shelf.items[item].price.0 });
            }
        }
        // A node without a known price is no vessel: what it could take is taken off the demand instead.
        for (id, node) in self.index.snapshot.nodes.iter().enumerate().filter(|(_, node)| node.price.is_some()) {
            let fixed: Pods =
                node.pods.iter().map(|p| (p.class as usize, p.count)).filter(|(c, _)| !self.index.classes[*c].moves).collect();
            let taken = self.index.demand(&fixed);
            let whole = |amount: u64| i64::try_from(amount).unwrap_or(i64::MAX / 4);
            vessels.push(Vessel {
                cpu: whole(node.allocatable.cpu_millis) - taken[CPU],
                memory: whole(node.allocatable.memory_bytes) - taken[MEMORY],
                pods: i64::from(node.pods_max) - taken[PODS],
                cost: self.nodes[id].price,
            });
        }
        vessels
    }

    /// How this decision may buy: as it likes if it is about spot, else as the nodes are that may go.
    fn bought(&self) -> Vec<CapacityType> {
        let there = |capacity: &CapacityType| self.nodes.iter().any(|node| node.blocked.is_none() && node.capacity == *capacity);
        let all = [CapacityType::OnDemand, CapacityType::Spot].into_iter();
        match self.request.decision_type {
            DecisionType::SpotOptimize => all.collect(),
            DecisionType::BinPack | DecisionType::Rightsize => all.filter(there).collect(),
        }
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

    /// Blocks nodes with pods that kube-scheduler could put where their images do not run.
    fn trap(&mut self) {
        let snapshot = self.index.snapshot;
        let mut trapped: Vec<bool> = vec![false; snapshot.classes.len()];
        let mut seen: Vec<(domain::catalog::Arch, NodeId)> = Vec::new();
        for (id, node) in snapshot.nodes.iter().enumerate() {
            let Some(arch) = arch_of(&node.labels).filter(|_| self.state.is_open(id)) else { continue };
            if seen.iter().any(|(known, like)| *known == arch && self.state.alike(*like, id)) {
                continue;
            }
            seen.push((arch, id));
            for (class, trapped) in trapped.iter_mut().enumerate() {
                *trapped |= self.state.allows(class, id) && !runs_on(&snapshot.classes[class], arch);
            }
        }
        for (id, node) in snapshot.nodes.iter().enumerate() {
            let moving = node.pods.iter().map(|placed| placed.class as usize).filter(|class| self.index.classes[*class].moves);
            let stuck = moving.into_iter().find(|class| trapped[*class]);
            if let Some(class) = stuck.filter(|_| self.nodes[id].blocked.is_none()) {
                let name = workload(&snapshot.classes[class]);
                let why = format!("{name} could be placed on nodes of another instruction set, which its images are not known to support");
                self.nodes[id].blocked = Some(Blocked::by(WhyNot::NoPlace, name, why));
            }
        }
    }

    /// Blocks nodes that use hours which are paid for in any case: moving them saves nothing.
    fn commit_hours(&mut self, market: &Market) {
        for commitment in &market.commitments {
            let mut hours = commitment.count;
            for id in 0..self.nodes.len() {
                let covered = self.node(id).pool.as_ref().is_some_and(|pool| {
                    pool.capacity == CapacityType::OnDemand
                        && pool.instance_type == commitment.instance_type
                        && commitment.zone.as_ref().is_none_or(|zone| *zone == pool.zone)
                });
                let taken = self.nodes[id].blocked.as_ref().is_some_and(|blocked| blocked.code == WhyNot::Commitment);
                if covered && !taken && hours > 0 {
                    hours -= 1;
                    let name = commitment.instance_type.as_str();
                    let why =
                        format!("a commitment pays for {} of {name} in any case; moving it would strand the commitment", commitment.count);
                    self.nodes[id].blocked.get_or_insert_with(|| Blocked::by(WhyNot::Commitment, name, why));
                }
            }
        }
    }

    /// Which nodes this answer gets to: from the cursor on, as far as the effort lasts. What a node takes is reckoned beforehand,
    /// so that the end does not depend on what is found.
    fn reach(&mut self, effort: &Effort) {
        let nodes = self.nodes.len();
        let cursor = self.request.constraints.cursor.as_ref();
        let start = cursor.and_then(|name| self.index.snapshot.nodes.iter().position(|node| node.name > *name)).unwrap_or(0);
        let mut reckoned = 0_u64;
        for step in 0..nodes {
            let id = (start + step) % nodes;
            if self.nodes[id].blocked.is_none() {
                let pods: u64 = self.node(id).pods.iter().map(|placed| u64::from(placed.count)).sum();
                reckoned = reckoned.saturating_add(64 + 16 * pods);
                self.nodes[id].reached = reckoned <= effort.work || step == 0;
            } else {
                self.nodes[id].reached = reckoned <= effort.work;
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

fn evictions(index: &Index<'_>, node: &SnapshotNode) -> i64 {
    let of = |class: usize| if index.classes[class].moves { eviction(&index.snapshot.classes[class]) } else { 0 };
    node.pods.iter().map(|placed| of(placed.class as usize) * i64::from(placed.count)).sum()
}

fn stand(
    node: &SnapshotNode,
    market: &Market,
    policy: &OptimizationPolicy,
    index: &Index<'_>,
    eligibility: &Eligibility<'_>,
    rooms: &mut Rooms,
) -> Standing {
    let kind: Kind = index.kind(node);
    let capacity = node.pool.as_ref().map_or(CapacityType::OnDemand, |pool| pool.capacity);
    let price = node.price.map(|quote| quote.price_per_hour);
    let risk = match (capacity, node.pool.as_ref().and_then(|pool| market.offer(pool))) {
        (CapacityType::Spot, Some(offer)) => offer.interruption_cost_per_hour,
        (CapacityType::Spot | CapacityType::OnDemand, _) => MicroDollars(0),
    };
    Standing {
        price: price.unwrap_or_default().0,
        cost: price.map_or(0, |price| (price + policy.node_overhead_per_hour + risk).0),
        evictions: evictions(index, node),
        capacity,
        kind: rooms.kind(kind, node),
        blocked: eligibility.node(node).err(),
        note: None,
        gone: false,
        put_off: false,
        reached: false,
    }
}
