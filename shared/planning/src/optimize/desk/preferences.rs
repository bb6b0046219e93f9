//! What pods prefer and would lose by a move: a soft constraint has a price, and is no wall.
//!
//! Looked at are preferences for nodes, which a move can take away for good. Of those between pods kube-scheduler makes the best
//! wherever they land.

use super::Desk;
use crate::placement::{Index, NodeId};
use domain::snapshot::SnapshotNode;
use std::collections::BTreeMap;

/// What the loss of a preference counts, in thousandths of an eviction by its weight: one of 100, the most that there is, counts as
/// one eviction more. What is preferred so is worth a move to whoever wrote it, and not more.
const PER_WEIGHT: i64 = 10;

/// Preferences: how many nodes meet each.
#[derive(Debug, Default)]
pub(crate) struct Preferences {
    /// By class and place of the term in its list.
    met: BTreeMap<(usize, usize), u32>,
}

fn meets(index: &Index<'_>, (class, term): (usize, usize), node: &SnapshotNode) -> bool {
    index.snapshot.classes[class].scheduling.preferred_nodes[term].term.holds(node.name.as_str(), &node.labels)
}

impl Preferences {
    pub(super) fn new(index: &Index<'_>) -> Preferences {
        let mut met = BTreeMap::new();
        for (class, spec) in index.snapshot.classes.iter().enumerate().filter(|(class, _)| index.classes[*class].moves) {
            for term in 0..spec.scheduling.preferred_nodes.len() {
                let open = index.snapshot.nodes.iter().filter(|node| node.ready && !node.unschedulable);
                let count = open.filter(|node| meets(index, (class, term), node)).count();
                met.insert((class, term), u32::try_from(count).unwrap_or(u32::MAX));
            }
        }
        Preferences { met }
    }
}

impl Desk<'_> {
    /// What pods of these nodes would lose if they went and these items came, in thousandths of an eviction. Without a launch, what
    /// some other node has is not lost.
    pub(super) fn lost(&self, remove: &[NodeId], launch: &[usize]) -> i64 {
        let mut lost = 0;
        for (key, met) in &self.preferences.met {
            let going: Vec<NodeId> =
                remove.iter().copied().filter(|node| *node < self.nodes.len() && meets(self.index, *key, self.node(*node))).collect();
            let pods: i64 = going.iter().map(|node| i64::from(self.state.count(key.0, *node))).sum();
            if pods > 0 && !self.kept(*key, *met > u32::try_from(going.len()).unwrap_or(u32::MAX), remove, launch) {
                let preferred = &self.index.snapshot.classes[key.0].scheduling.preferred_nodes[key.1];
                lost += pods * i64::from(preferred.weight) * PER_WEIGHT;
            }
        }
        lost
    }

    fn kept(&self, (class, term): (usize, usize), elsewhere: bool, remove: &[NodeId], launch: &[usize]) -> bool {
        if launch.is_empty() {
            return elsewhere;
        }
        let kind = remove.first().map_or(0, |node| self.nodes[*node].kind);
        let term = &self.index.snapshot.classes[class].scheduling.preferred_nodes[term].term;
        // What was not looked at yet is made before it is weighed for the last time.
        launch.iter().any(|item| self.rooms.known(kind, *item).is_none_or(|room| term.holds(&room.template.name, &room.template.labels)))
    }
}
