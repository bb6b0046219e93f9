//! What pods prefer and would lose by a move: a soft constraint has a price, and is no wall.
//!
//! Looked at are preferences for nodes here, and those for pods beside them in [`super::neighbours`].

use super::Desk;
use super::neighbours::Neighbours;
use crate::eligibility::Blocked;
use crate::optimize::worth::Weight;
use crate::placement::{Index, NodeId};
use domain::snapshot::{PodClass, SnapshotNode};
use std::collections::BTreeMap;

/// What the loss of a preference counts, in thousandths of an eviction by its weight: one of 100, the most that there is, counts as
/// one eviction more. What is preferred so is worth a move to whoever wrote it, and not more.
const PER_WEIGHT: i64 = 10;

/// Preferences: how many nodes meet each.
#[derive(Debug, Default)]
pub(crate) struct Preferences {
    /// By class and place of the term in its list.
    met: BTreeMap<(usize, usize), u32>,
    pub(super) neighbours: Neighbours,
    /// By node: the most that its pods can lose, in thousandths of an eviction.
    most: Vec<i64>,
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
        let neighbours = Neighbours::new(index);
        let each = |(class, spec): (usize, &PodClass)| {
            let nodes: i64 = spec.scheduling.preferred_nodes.iter().map(|term| i64::from(term.weight.max(0))).sum();
            if index.classes[class].moves { (nodes + neighbours.most(class)) * PER_WEIGHT } else { 0 }
        };
        let each: Vec<i64> = index.snapshot.classes.iter().enumerate().map(each).collect();
        let of = |node: &SnapshotNode| node.pods.iter().map(|placed| each[placed.class as usize] * i64::from(placed.count)).sum();
        let most = index.snapshot.nodes.iter().map(of).collect();
        Preferences { met, neighbours, most }
    }

    /// The most that the pods of these nodes can lose, in thousandths of an eviction.
    pub(super) fn most(&self, nodes: &[NodeId]) -> i64 {
        nodes.iter().map(|node| self.most[*node]).sum()
    }
}

impl Desk<'_> {
    /// Weighs a move, with what its pods prefer. What they lose is worked out only where it can tip the scales.
    ///
    /// # Errors
    /// Which threshold it misses.
    pub(crate) fn weigh(&self, weight: Weight, remove: &[NodeId], launch: &[usize]) -> Result<(), Blocked> {
        self.scales.weigh(weight)?;
        if self.scales.bears(weight.losing(self.preferences.most(remove))) {
            return Ok(());
        }
        self.scales.weigh(weight.losing(self.lost(remove, launch)))
    }

    /// What pods of these nodes would lose if they went and these items came, in thousandths of an eviction. Without a launch, what
    /// some other node has is not lost.
    pub(super) fn lost(&self, remove: &[NodeId], launch: &[usize]) -> i64 {
        let nodes = &self.index.snapshot.nodes;
        let mut lost = self.preferences.neighbours.lost(nodes, &self.places(remove, launch));
        for (key, met) in &self.preferences.met {
            let going = || remove.iter().filter(|node| meets(self.index, *key, &nodes[**node]));
            let of = |node: &NodeId| nodes[*node].pods.iter().filter(|placed| placed.class as usize == key.0);
            let pods: i64 = going().flat_map(of).map(|placed| i64::from(placed.count)).sum();
            let elsewhere = || *met > u32::try_from(going().count()).unwrap_or(u32::MAX);
            if pods > 0 && !self.kept(*key, elsewhere(), remove, launch) {
                let preferred = &self.index.snapshot.classes[key.0].scheduling.preferred_nodes[key.1];
                lost += pods * i64::from(preferred.weight.max(0));
            }
        }
        lost * PER_WEIGHT
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
