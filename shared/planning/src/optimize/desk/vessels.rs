//! What the bound is reckoned with: what the pods take, and everything that they could be in.

use super::Desk;
use crate::optimize::bound::Vessel;
use crate::placement::{CPU, MEMORY, PODS, Pods};
use domain::decision::DecisionType;
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
    pub(super) fn vessels(&mut self) -> Vec<Vessel> {
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
}
