//! What keeps nodes where they are, whatever a method would make of them.

use super::Desk;
use crate::eligibility::{Blocked, workload};
use crate::optimize::Effort;
use crate::optimize::market::Market;
use crate::placement::{NodeId, arch_of, runs_on};
use domain::decision::WhyNot;
use domain::offering::CapacityType;

impl Desk<'_> {
    /// Blocks nodes with pods that kube-scheduler could put where their images do not run.
    pub(super) fn trap(&mut self) {
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
    pub(super) fn commit_hours(&mut self, market: &Market) {
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
    pub(super) fn reach(&mut self, effort: &Effort) {
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
