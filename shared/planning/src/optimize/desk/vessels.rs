//! What the bound is reckoned with: what the pods take, and everything that they could be in.

use super::Desk;
use crate::optimize::bound::Vessel;
use crate::placement::{CPU, MEMORY, NodeId, PODS, Pods};
use domain::decision::DecisionType;
use domain::ids::Zone;
use domain::offering::CapacityType;

impl Desk<'_> {
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
    pub(crate) fn vessels(&mut self) -> Vec<Vessel> {
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
        let priced = (0..self.nodes.len()).filter(|id| self.node(*id).price.is_some());
        vessels.extend(priced.map(|id| self.vessel(id, true)));
        vessels
    }

    /// A node as a vessel for pods that move: `whole`, as if none were on it, or what is free now.
    pub(crate) fn vessel(&self, id: NodeId, whole: bool) -> Vessel {
        let node = self.node(id);
        let split = |moves: bool| -> Vec<i64> {
            let these = |placed: &&domain::snapshot::Placed| self.index.classes[placed.class as usize].moves == moves;
            let pods: Pods = node.pods.iter().filter(these).map(|placed| (placed.class as usize, placed.count)).collect();
            self.index.demand(&pods)
        };
        let (fixed, moving) = (split(false), split(true));
        let most = |amount: u64| i64::try_from(amount).unwrap_or(i64::MAX / 4);
        let amount = |dim: usize, all: i64| {
            let room = all - fixed[dim];
            // A node may hold more than it should; what is there fits there.
            if whole { room.max(moving[dim]) } else { room - moving[dim] }
        };
        Vessel {
            cpu: amount(CPU, most(node.allocatable.cpu_millis)),
            memory: amount(MEMORY, most(node.allocatable.memory_bytes)),
            pods: amount(PODS, i64::from(node.pods_max)),
            cost: self.nodes[id].price,
        }
    }

    /// What all pods that move take, less what nodes without a known price could take for nothing.
    pub(crate) fn demand_on_priced(&self) -> Vec<i64> {
        let mut sum = self.demand();
        for id in (0..self.nodes.len()).filter(|id| self.node(*id).price.is_none()) {
            let vessel = self.vessel(id, true);
            sum[CPU] -= vessel.cpu;
            sum[MEMORY] -= vessel.memory;
            sum[PODS] -= vessel.pods;
        }
        sum
    }

    /// Whether what is launched must be bought as what it stands for, and there are both ways.
    pub(crate) fn keeps_bought(&self) -> bool {
        match self.request.decision_type {
            DecisionType::BinPack | DecisionType::Rightsize => self.bought().len() > 1,
            DecisionType::SpotOptimize => false,
        }
    }

    /// What the nodes would cost, each replaced by the cheapest that holds its pods.
    pub(crate) fn one_for_one(&mut self) -> i64 {
        let bought = self.bought();
        let keeps = self.keeps_bought();
        let mut sum = 0;
        for id in 0..self.nodes.len() {
            let (kind, own) = (self.nodes[id].kind, self.nodes[id].price);
            let moves = |placed: &domain::snapshot::Placed| self.index.classes[placed.class as usize].moves;
            let there = self.node(id).pods.iter().filter(|placed| moves(placed));
            let pods: Pods = there.map(|placed| (placed.class as usize, placed.count)).collect();
            if self.nodes[id].blocked.is_some() || pods.is_empty() {
                sum += own;
                continue;
            }
            let demand = self.index.demand(&pods);
            let (mut least, theirs) = (own, self.nodes[id].capacity);
            for capacity in bought.iter().copied().filter(|capacity| !keeps || *capacity == theirs) {
                let front = self.front(kind, capacity, None);
                let holds = front.iter().copied().find(|item| self.holds(kind, *item, &pods, &demand));
                least = holds.map_or(least, |item| least.min(self.shelf.items[item].price.0));
            }
            sum += least;
        }
        sum
    }

    /// Whether pods of a class may lie on a node of this kind and item; the item's zone counts where the pod must stay in one.
    pub(crate) fn admits(&self, kind: usize, item: usize, class: usize, zone: Option<&Zone>) -> bool {
        let Some(room) = self.rooms.known(kind, item) else { return true };
        let scheduling = &self.index.snapshot.classes[class].scheduling;
        zone.is_none_or(|zone| *zone == room.template.zone)
            && scheduling.allows_node(&room.template.name, &room.template.labels, &room.template.taints)
    }

    /// How this decision may buy: as it likes if it is about spot, else as the nodes are that may go.
    pub(crate) fn bought(&self) -> Vec<CapacityType> {
        let there = |capacity: &CapacityType| self.nodes.iter().any(|node| node.blocked.is_none() && node.capacity == *capacity);
        let all = [CapacityType::OnDemand, CapacityType::Spot].into_iter();
        match self.request.decision_type {
            DecisionType::SpotOptimize => all.collect(),
            DecisionType::BinPack | DecisionType::Rightsize => all.filter(there).collect(),
        }
    }
}
