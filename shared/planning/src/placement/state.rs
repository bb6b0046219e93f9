//! The cluster as it is, or as it would be: changes are written down and can be taken back.

use super::compile::amounts;
use super::{Index, PODS, VOLUMES, VOLUMES_MAX};
use std::collections::{BTreeMap, BTreeSet};

mod changes;
mod counts;
mod enter;
mod fits;
mod tally;

use changes::Change;
pub use changes::Mark;
use counts::Count;
use enter::Entry;

/// A node of a state: those of the snapshot by their place in it, then those launched.
pub type NodeId = usize;

/// What a node looks like to selectors, and the domains wider than a node that it is in: nodes that look alike share one.
#[derive(Debug)]
pub(super) struct Signature {
    /// By class: node selector, affinity, volume zones and taints allow it.
    pub(super) allows: Vec<bool>,
    /// By class: node selector and affinity allow it.
    selects: Vec<bool>,
    /// By class: its taints are tolerated.
    tolerates: Vec<bool>,
    /// The most CPU and memory that one of its nodes has, all in all.
    pub(super) largest: [i64; 2],
    /// Nodes that take pods, the most allocated first.
    pub(super) order: BTreeSet<(i64, NodeId)>,
}

#[derive(Debug)]
pub(super) struct Node {
    pub(super) signature: usize,
    /// It takes pods.
    pub(super) open: bool,
    /// Domain by key; [`NOWHERE`] where it lacks the label.
    domains: Vec<usize>,
    /// What is allocatable of CPU and memory.
    whole: [i64; 2],
    /// What runs there: class and number.
    pub(super) pods: Vec<(usize, u32)>,
}

/// The domain of nodes that lack the label.
pub(super) const NOWHERE: usize = usize::MAX;

/// A state of the cluster. See the module.
pub struct State<'i> {
    pub(super) index: &'i Index<'i>,
    pub(super) signatures: Vec<Signature>,
    known: BTreeMap<String, usize>,
    pub(super) nodes: Vec<Node>,
    /// What is free, by node and dimension; below zero where a node is over-committed.
    pub(super) free: Vec<i64>,
    counts: Vec<Count>,
    /// By key: the domain of each value.
    domains: Vec<BTreeMap<String, usize>>,
    changes: Vec<Change>,
    /// How many nodes were asked whether a pod fits: the measure of work.
    pub(super) work: u64,
}

impl<'i> State<'i> {
    /// The cluster as the snapshot shows it. Nodes that are not Ready or are cordoned take no pods.
    pub fn new(index: &'i Index<'i>) -> State<'i> {
        let counts = index.counters.iter().map(|_| Count::default()).collect();
        let domains = index.keys.iter().map(|_| BTreeMap::new()).collect();
        let mut state = State {
            index,
            signatures: Vec::new(),
            known: BTreeMap::new(),
            nodes: Vec::new(),
            free: Vec::new(),
            counts,
            domains,
            changes: Vec::new(),
            work: 0,
        };
        for node in &index.snapshot.nodes {
            let mut free = amounts(&node.allocatable, 0, &index.extended);
            free[PODS] = i64::from(node.pods_max);
            let attached =
                node.pods.iter().map(|placed| index.classes[placed.class as usize].need[VOLUMES] * i64::from(placed.count)).sum();
            free[VOLUMES] = VOLUMES_MAX.max(attached);
            let open = node.ready && !node.unschedulable;
            let entry = Entry { name: node.name.as_str(), labels: &node.labels, taints: &node.taints, zone: node.zone(), free, open };
            let id = state.enter(entry);
            for placed in &node.pods {
                state.shift(placed.class as usize, id, i64::from(placed.count));
            }
        }
        state
    }

    /// What a drain would move off a node.
    pub fn moving(&self, node: NodeId) -> Vec<(usize, u32)> {
        self.nodes[node].pods.iter().filter(|(class, count)| *count > 0 && self.index.classes[*class].moves).copied().collect()
    }

    /// Whether two nodes look alike to every selector.
    pub(crate) fn alike(&self, one: NodeId, other: NodeId) -> bool {
        self.nodes[one].signature == self.nodes[other].signature
    }

    /// Whether labels, taints and volumes allow a class on a node.
    pub(crate) fn allows(&self, class: usize, node: NodeId) -> bool {
        self.signatures[self.nodes[node].signature].allows[class]
    }

    /// How many pods of a class are on a node.
    pub fn count(&self, class: usize, node: NodeId) -> u32 {
        self.nodes[node].pods.iter().find(|(known, _)| *known == class).map_or(0, |(_, count)| *count)
    }

    /// Whether a node takes pods.
    pub fn is_open(&self, node: NodeId) -> bool {
        self.nodes[node].open
    }

    /// How many nodes there are, those out of service included.
    pub fn len(&self) -> usize {
        self.nodes.len()
    }

    /// Whether there is no node at all.
    pub fn is_empty(&self) -> bool {
        self.nodes.is_empty()
    }

    /// How many nodes were asked so far whether a pod fits: the measure of work.
    pub fn work(&self) -> u64 {
        self.work
    }
}
