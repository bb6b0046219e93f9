//! Whether a pod may go onto a node, as kube-scheduler would judge.

use super::{NOWHERE, NodeId, State};
use crate::placement::compile::HOSTNAME;
use domain::scheduling::NAME_FIELD;

impl State<'_> {
    /// Whether kube-scheduler would let a pod of the class onto the node now.
    pub fn fits(&mut self, class: usize, node: NodeId) -> bool {
        self.work += 1;
        self.judge(class, node, None)
    }

    /// The same, with the topology spread of one counter left aside.
    pub(in crate::placement) fn judge(&self, class: usize, node: NodeId, aside: Option<usize>) -> bool {
        let index = self.index;
        let this = &self.nodes[node];
        let compiled = &index.classes[class];
        if !this.open || compiled.unknowable || !self.signatures[this.signature].allows[class] {
            return false;
        }
        let free = &self.free[node * index.dims..(node + 1) * index.dims];
        if free.iter().zip(&compiled.need).any(|(free, need)| *need > 0 && need > free) {
            return false;
        }
        if compiled.named && !self.named(class, node) {
            return false;
        }
        if compiled.ports.iter().any(|other| this.pods.iter().any(|(known, count)| known == other && *count > 0)) {
            return false;
        }
        self.gets_along(class, node, |counter| Some(counter) != aside)
    }

    /// Whether pods elsewhere allow the class on the node, by those counters that are asked.
    pub(in crate::placement) fn gets_along(&self, class: usize, node: NodeId, asked: impl Fn(usize) -> bool) -> bool {
        let compiled = &self.index.classes[class];
        let domain = |counter: &usize| self.domain(*counter, node);
        let forbidden = |counter: &usize| asked(*counter) && self.counts[*counter].of(domain(counter)) > 0;
        if compiled.forbids.iter().any(forbidden) {
            return false;
        }
        let first = compiled.first_may && compiled.requires.iter().all(|counter| self.counts[*counter].total() == 0);
        let met = |counter: &usize| domain(counter) != NOWHERE && (first || self.counts[*counter].of(domain(counter)) > 0);
        if !compiled.requires.iter().all(|counter| !asked(*counter) || met(counter)) {
            return false;
        }
        compiled.spreads.iter().filter(|rule| asked(rule.counter)).all(|rule| {
            let at = domain(&rule.counter);
            let count = &self.counts[rule.counter];
            at != NOWHERE && count.of(at) + i64::from(rule.own) - count.least(rule.min_domains) <= i64::from(rule.max_skew)
        })
    }

    /// Asks a class that names hosts of this very node.
    fn named(&self, class: usize, node: NodeId) -> bool {
        let scheduling = &self.index.snapshot.classes[class].scheduling;
        match self.index.snapshot.nodes.get(node) {
            Some(known) => scheduling.selects_node(known.name.as_str(), &known.labels),
            // A launched node has a name that nobody knows yet; its other labels were judged with its signature.
            None => {
                let unknown = |key: &str| key == HOSTNAME || key == NAME_FIELD;
                !scheduling.node_selector.keys().any(|key| unknown(key))
                    && (scheduling.required_nodes.is_empty()
                        || scheduling.required_nodes.iter().any(|term| !term.0.iter().any(|need| unknown(&need.key))))
            }
        }
    }
}
