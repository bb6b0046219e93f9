//! Placing pods the way kube-scheduler most likely does.

use super::state::{NodeId, State};

/// Pods by class and number.
pub type Pods = Vec<(usize, u32)>;

impl State<'_> {
    /// Places all pods, the largest first, each on the node with most room, as kube-scheduler's default scoring has it. Where one
    /// finds no place the state is left half changed, and the caller rolls back.
    ///
    /// # Errors
    /// The class of the first pod that fits nowhere.
    pub fn settle(&mut self, pods: &[(usize, u32)]) -> Result<(), usize> {
        let mut sorted = pods.to_vec();
        sorted.sort_by_key(|(class, _)| (std::cmp::Reverse(self.size(*class)), *class));
        for (class, count) in sorted {
            for _ in 0..count {
                let node = self.roomiest(class).ok_or(class)?;
                self.place(class, node);
            }
        }
        Ok(())
    }

    /// How large a pod is, in thousandths of a core: 4 GiB count as one, the middle of what EC2 sells.
    fn size(&self, class: usize) -> i64 {
        let need = self.index.need(class);
        need[super::CPU].saturating_add(need[super::MEMORY] / (4 << 20))
    }

    /// The node with most room that takes a pod of the class.
    pub fn roomiest(&mut self, class: usize) -> Option<NodeId> {
        let mut best: Option<(i64, NodeId)> = None;
        for signature in 0..self.signatures.len() {
            let this = &self.signatures[signature];
            // Nodes that look alike share all domains wider than a node: one stands for all.
            let alike = this.order.last().filter(|_| this.allows[class]);
            if !alike.is_some_and(|(_, node)| self.gets_along(class, *node, |counter| !self.single(counter))) {
                continue;
            }
            let mut asked = 0;
            // Below this score even the largest node has not enough free.
            let (need, largest) = (self.index.need(class), self.signatures[signature].largest);
            let least = i64::midpoint(need[super::CPU] * 1_000 / largest[0], need[super::MEMORY].saturating_mul(1_000) / largest[1]);
            let least = (least - 1).max(0);
            let found = self.signatures[signature].order.iter().rev().find(|at| {
                asked += 1;
                best.is_some_and(|best| **at <= best) || at.0 < least || self.judge(class, at.1, None)
            });
            best = best.max(found.copied().filter(|at| at.0 >= least));
            self.work += asked;
        }
        best.map(|(_, node)| node)
    }
}
