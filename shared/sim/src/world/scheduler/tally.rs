//! Counts of pods per topology domain, kept up to date while pods are bound.

use super::super::state::Node;
use std::collections::HashMap;

/// The domains that one label makes of the nodes: equal values, one domain.
#[derive(Debug)]
pub(super) struct Topology {
    pub(super) key: String,
    /// By node; `None`: it has no such label, and is in no domain.
    pub(super) of: Vec<Option<u32>>,
    pub(super) domains: usize,
}

impl Topology {
    pub(super) fn new<'a>(key: &str, nodes: impl Iterator<Item = &'a Node>) -> Topology {
        let mut known: HashMap<&'a str, u32> = HashMap::new();
        let of = nodes.map(|node| {
            let next = u32::try_from(known.len()).unwrap_or(u32::MAX);
            node.labels.get(key).map(|value| *known.entry(value.as_str()).or_insert(next))
        });
        let of: Vec<Option<u32>> = of.collect();
        Topology { key: key.to_owned(), of, domains: known.len() }
    }
}

/// Which pods count.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Counting {
    /// All that are on a node.
    All,
    /// Those that were not asked to go: so spread constraints count.
    Staying,
}

/// How many pods of some classes are in each domain of a topology.
#[derive(Debug)]
pub(super) struct Tally {
    pub(super) topology: usize,
    /// By class: whether its pods count.
    pub(super) counted: Vec<bool>,
    /// By node: whether it is looked at; empty: all are.
    pub(super) included: Vec<bool>,
    counts: Vec<u32>,
    /// By domain: whether a node that is looked at is in it.
    there: Vec<bool>,
    pub(super) domains: usize,
    total: u64,
    floor: u32,
    at_floor: usize,
}

impl Tally {
    /// A tally in which nothing is counted yet.
    pub(super) fn new(topology: (usize, &Topology), counted: Vec<bool>, included: Vec<bool>) -> Tally {
        let (index, topology) = topology;
        let mut there = vec![false; topology.domains];
        for (node, domain) in topology.of.iter().enumerate() {
            if let Some(domain) = domain.filter(|_| included.is_empty() || included.get(node) == Some(&true)) {
                there[domain as usize] = true;
            }
        }
        let domains = there.iter().filter(|there| **there).count();
        let counts = vec![0; topology.domains];
        Tally { topology: index, counted, included, counts, there, domains, total: 0, floor: 0, at_floor: domains }
    }

    /// Counts so many pods of a class on a node.
    pub(super) fn add(&mut self, topology: &Topology, node: usize, class: usize, times: u32) {
        let looked_at = self.included.is_empty() || self.included.get(node) == Some(&true);
        if times == 0 || !looked_at || self.counted.get(class) != Some(&true) {
            return;
        }
        let Some(domain) = topology.of.get(node).copied().flatten() else { return };
        let count = &mut self.counts[domain as usize];
        let at_floor = *count == self.floor;
        *count += times;
        self.total += u64::from(times);
        if at_floor {
            self.at_floor -= 1;
            if self.at_floor == 0 {
                self.find_floor();
            }
        }
    }

    fn find_floor(&mut self) {
        let counts = || self.counts.iter().zip(&self.there).filter(|(_, there)| **there).map(|(count, _)| *count);
        self.floor = counts().min().unwrap_or(0);
        self.at_floor = counts().filter(|count| *count == self.floor).count();
    }

    pub(super) fn in_domain(&self, domain: u32) -> u32 {
        self.counts.get(domain as usize).copied().unwrap_or(0)
    }

    /// Whether nothing was counted anywhere.
    pub(super) fn empty(&self) -> bool {
        self.total == 0
    }

    /// The count of the emptiest domain; zero where there are fewer domains than there must be.
    pub(super) fn floor(&self, min_domains: u32) -> u32 {
        if self.domains < min_domains as usize { 0 } else { self.floor }
    }
}
