//! What is free on each node, and what is counted in each domain.

use super::{NOWHERE, NodeId, State};
use crate::placement::compile::HOSTNAME;
use crate::placement::{CPU, MEMORY, PODS};

impl State<'_> {
    /// How free a node is: the mean of the free shares of CPU and memory, as kube-scheduler's `LeastAllocated` has it, in
    /// thousandths. Below zero where nothing more fits.
    pub(super) fn score(&self, node: NodeId) -> i64 {
        let free = &self.free[node * self.index.dims..];
        if free[PODS] <= 0 || (free[CPU] <= 0 && free[MEMORY] <= 0) {
            return -1;
        }
        let whole = self.nodes[node].whole;
        let share = |dim: usize| free[dim].max(0).saturating_mul(1_000) / whole[dim];
        i64::midpoint(share(CPU), share(MEMORY))
    }

    pub(super) fn shift(&mut self, class: usize, node: NodeId, by: i64) {
        let dims = self.index.dims;
        let open = self.nodes[node].open;
        let before = if open { self.score(node) } else { 0 };
        for (free, need) in self.free[node * dims..(node + 1) * dims].iter_mut().zip(&self.index.classes[class].need) {
            *free -= need * by;
        }
        let pods = &mut self.nodes[node].pods;
        match pods.iter_mut().find(|(known, _)| *known == class) {
            Some((_, count)) => *count = u32::try_from(i64::from(*count) + by).unwrap_or(0),
            None => pods.push((class, u32::try_from(by).unwrap_or(0))),
        }
        for counter in &self.index.classes[class].feeds {
            let domain = self.nodes[node].domains[self.index.counters[*counter].key];
            if domain != NOWHERE && self.counts_for(*counter, node) {
                self.counts[*counter].shift(domain, by);
            }
        }
        if open {
            let after = self.score(node);
            if after != before {
                let order = &mut self.signatures[self.nodes[node].signature].order;
                order.remove(&(before, node));
                order.insert((after, node));
            }
        }
    }

    /// Whether a node makes a domain for the counter.
    fn counts_for(&self, counter: usize, node: NodeId) -> bool {
        let Some(seen) = &self.index.counters[counter].seen_by else {
            return true;
        };
        let signature = &self.signatures[self.nodes[node].signature];
        seen.keys.iter().all(|key| self.nodes[node].domains[*key] != NOWHERE)
            && (!seen.honor_affinity || signature.selects[seen.class])
            && (!seen.honor_taints || signature.tolerates[seen.class])
    }

    /// Makes the node's domains known to topology spreads, or forgotten.
    pub(super) fn seen(&mut self, node: NodeId, by: i64) {
        for counter in 0..self.counts.len() {
            let domain = self.nodes[node].domains[self.index.counters[counter].key];
            if self.index.counters[counter].seen_by.is_some() && domain != NOWHERE && self.counts_for(counter, node) {
                self.counts[counter].node(domain, by);
            }
        }
    }

    /// The domain of a node for a counter.
    pub(in crate::placement) fn domain(&self, counter: usize, node: NodeId) -> usize {
        self.nodes[node].domains[self.index.counters[counter].key]
    }

    /// Whether each domain of a counter is a single node.
    pub(in crate::placement) fn single(&self, counter: usize) -> bool {
        self.index.keys[self.index.counters[counter].key] == HOSTNAME
    }

    /// Pods of a counter in all domains.
    pub(in crate::placement) fn total(&self, counter: usize) -> i64 {
        self.counts[counter].total()
    }

    /// The domains that can be the emptiest when `more` pods are added.
    pub(in crate::placement) fn emptiest(&self, counter: usize, min_domains: u32, more: i64) -> Vec<usize> {
        self.counts[counter].up_to(min_domains, more)
    }
}
