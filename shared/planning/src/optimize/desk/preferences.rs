//! What pods prefer and would lose by a move: a soft constraint has a price, and is no wall.
//!
//! Looked at are preferences for nodes here, and those for pods beside them in [`super::neighbours`].

use super::Desk;
use super::neighbours::Neighbours;
use crate::eligibility::Blocked;
use crate::optimize::worth::Weight;
use crate::placement::{Index, NodeId};
use domain::snapshot::{PodClass, SnapshotNode};
use std::collections::BTreeSet;

/// What the loss of a preference counts, in thousandths of an eviction by its weight: one of 100, the most that there is, counts as
/// one eviction more. What is preferred so is worth a move to whoever wrote it, and not more.
const PER_WEIGHT: i64 = 10;

/// Preferences: how many nodes meet each.
#[derive(Debug, Default)]
pub(crate) struct Preferences {
    /// By class, then by place of the term in its list.
    met: Vec<Vec<usize>>,
    pub(super) neighbours: Neighbours,
    /// By node: the most that its pods can lose, in thousandths of an eviction.
    most: Vec<i64>,
}

fn meets(index: &Index<'_>, (class, term): (usize, usize), node: &SnapshotNode) -> bool {
    index.snapshot.classes[class].scheduling.preferred_nodes[term].term.holds(node.name.as_str(), &node.labels)
}

impl Preferences {
    pub(super) fn new(index: &Index<'_>) -> Preferences {
        let open: Vec<&SnapshotNode> = index.snapshot.nodes.iter().filter(|node| node.ready && !node.unschedulable).collect();
        let met = |(class, spec): (usize, &PodClass)| -> Vec<usize> {
            let terms = if index.classes[class].moves { spec.scheduling.preferred_nodes.len() } else { 0 };
            (0..terms).map(|term| open.iter().filter(|node| meets(index, (class, term), node)).count()).collect()
        };
        let met = index.snapshot.classes.iter().enumerate().map(met).collect();
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
        let beside = self.preferences.neighbours.lost(&self.index.snapshot.nodes, &self.places(remove, launch));
        (beside + self.lost_of_nodes(remove, launch)) * PER_WEIGHT
    }

    /// What they lose of the nodes that they prefer, by weight.
    fn lost_of_nodes(&self, remove: &[NodeId], launch: &[usize]) -> i64 {
        let nodes = || remove.iter().map(|node| self.node(*node));
        let of = |node: &'_ SnapshotNode, class: usize| -> i64 {
            node.pods.iter().filter(|placed| placed.class as usize == class).map(|placed| i64::from(placed.count)).sum()
        };
        let placed = nodes().flat_map(|node| &node.pods).map(|placed| placed.class as usize);
        let classes: BTreeSet<usize> = placed.filter(|class| !self.preferences.met[*class].is_empty()).collect();
        let mut lost = 0;
        for class in classes {
            for (term, met) in self.preferences.met[class].iter().enumerate() {
                let going: Vec<&SnapshotNode> = nodes().filter(|node| meets(self.index, (class, term), node)).collect();
                let pods: i64 = going.iter().map(|node| of(node, class)).sum();
                if pods > 0 && !self.kept((class, term), *met > going.len(), remove, launch) {
                    let preferred = &self.index.snapshot.classes[class].scheduling.preferred_nodes[term];
                    lost += pods * i64::from(preferred.weight.max(0));
                }
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
