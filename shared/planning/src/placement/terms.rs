//! What the constraints of pods are compiled to: numbers per domain, and what they must be.

/// What is counted per domain of a topology key.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Counter {
    /// Index of the key.
    pub(crate) key: usize,
    /// The class whose view of the nodes decides which domains there are: a topology spread. `None`: every node counts.
    pub(crate) seen_by: Option<Seen>,
    /// It counts the pods that have an anti-affinity term, not those that the term selects.
    pub(crate) owners: bool,
    /// The classes whose pods are counted.
    pub(crate) fed_by: Vec<usize>,
}

/// Which nodes make domains of a topology spread.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Seen {
    /// Whose selectors and tolerations are asked.
    pub(crate) class: usize,
    /// Only nodes that its selector and affinity allow.
    pub(crate) honor_affinity: bool,
    /// Only nodes whose taints it tolerates.
    pub(crate) honor_taints: bool,
    /// Nodes that lack one of these keys make no domain.
    pub(crate) keys: Vec<usize>,
}

/// A hard topology spread of a class.
#[derive(Debug, Clone)]
pub(crate) struct SpreadRule {
    /// Its counter.
    pub(crate) counter: usize,
    /// By how much a domain may exceed the emptiest.
    pub(crate) max_skew: u32,
    /// Fewer domains than these: the emptiest counts as zero.
    pub(crate) min_domains: u32,
    /// Whether the pod counts itself.
    pub(crate) own: bool,
}

/// A class of pods, compiled.
#[derive(Debug, Clone)]
pub(crate) struct Class {
    /// What one pod takes, by dimension.
    pub(crate) need: Vec<i64>,
    /// Counters that grow by one where such a pod is placed.
    pub(crate) feeds: Vec<usize>,
    /// Counters that must be zero in the domain of the node.
    pub(crate) forbids: Vec<usize>,
    /// Counters that must be above zero in the domain of the node.
    pub(crate) requires: Vec<usize>,
    /// It matches its own affinity: the first of its kind may go anywhere.
    pub(crate) first_may: bool,
    /// Hard topology spreads.
    pub(crate) spreads: Vec<SpreadRule>,
    /// Classes with whose host ports its own collide.
    pub(crate) ports: Vec<usize>,
    /// It names a host: its nodes are looked up one by one.
    pub(crate) named: bool,
    /// Its place depends on the zone, be it for its own sake or for that of pods that keep away from it.
    pub(crate) zonal: bool,
    /// Its affinity cannot be judged: it is placed nowhere.
    pub(crate) unknowable: bool,
    /// A drain moves such pods.
    pub(crate) moves: bool,
}
