//! What one class of pods asks, worked out once for all nodes: what never changes while pods are bound, and which counts matter.

use super::node_rules::{means, reluctance, selects, term_means, tolerates, tolerates_cordon};
use super::tally::{Counting, Tally};
use super::view::{Class, View};
use domain::pod::Selector;
use domain::scheduling::{PodTerm, Spread};
use std::sync::Arc;

/// A hard spread constraint.
#[derive(Debug)]
pub(super) struct Even {
    pub(super) tally: usize,
    pub(super) max_skew: u32,
    pub(super) min_domains: u32,
    /// 1 where the pod itself counts.
    pub(super) own: u32,
}

/// A soft spread constraint.
#[derive(Debug)]
pub(super) struct Soft {
    pub(super) tally: usize,
    pub(super) max_skew: u32,
}

/// What a class asks.
#[derive(Debug)]
pub(super) struct Rules {
    /// By node: whether the node itself is fit. Everything else comes on top.
    pub(super) allowed: Vec<bool>,
    /// By node: weights of the preferred node terms that mean it. Empty: nothing is preferred.
    pub(super) liked: Vec<i64>,
    /// By node: how many soft taints it has. Empty: none anywhere.
    pub(super) disliked: Vec<i64>,
    /// Pods that must be in the node's domain, a tally for each term.
    pub(super) together: Vec<usize>,
    /// The pods of the class are what they themselves look for.
    pub(super) own_kind: bool,
    /// Pods that must not be in the node's domain.
    pub(super) apart: Vec<usize>,
    /// Pods that are liked (or not) in the node's domain, with weights.
    pub(super) pulls: Vec<(i64, usize)>,
    pub(super) even: Vec<Even>,
    pub(super) soft: Vec<Soft>,
    /// Own constraints leave nodes without their labels out of the comparison; the default ones do not.
    pub(super) soft_is_own: bool,
}

impl Rules {
    /// Whether pods that are bound can make room for a pod of this class: a neighbour it waits for, or a fuller domain elsewhere.
    pub(super) fn may_open(&self) -> bool {
        !self.together.is_empty() || !self.even.is_empty()
    }
}

/// The weight of a required affinity of pods that are there, when nodes are compared (kube-scheduler's default).
const HARD_WEIGHT: i64 = 1;

/// The label of a node's name, and of its zone.
const HOSTNAME: &str = "kubernetes.io/hostname";
const ZONE: &str = "topology.kubernetes.io/zone";

/// Whether a term of a pod in this namespace means a pod of another class.
fn term_selects(term: &PodTerm, namespace: &str, other: &Class<'_>) -> bool {
    let there = if term.any_namespace {
        true
    } else if term.namespaces.is_empty() {
        namespace == other.namespace
    } else {
        term.namespaces.iter().any(|named| named == other.namespace)
    };
    there && means(term.selector.as_ref(), &other.shape.labels)
}

impl<'a> View<'a> {
    /// What a class asks; worked out at the first question.
    pub(super) fn rules_of(&mut self, class: usize) -> Arc<Rules> {
        if let Some(Some(rules)) = self.rules.get(class) {
            return rules.clone();
        }
        let rules = Arc::new(self.work_out(class));
        if let Some(slot) = self.rules.get_mut(class) {
            *slot = Some(rules.clone());
        }
        rules
    }

    fn work_out(&mut self, class: usize) -> Rules {
        let of = self.classes[class];
        let asks = &of.shape.scheduling;
        let allowed = self.by_node(|spot| {
            let open = !spot.unschedulable || tolerates_cordon(asks);
            spot.ready && open && tolerates(spot, asks) && selects(spot, asks)
        });
        let mut liked = Vec::new();
        if !asks.preferred_nodes.is_empty() {
            liked =
                self.by_node(|node| asks.preferred_nodes.iter().filter(|p| term_means(&p.term, node)).map(|p| i64::from(p.weight)).sum());
        }
        let mut disliked: Vec<i64> = Vec::new();
        if self.spots.iter().any(|spot| !spot.node.taints.is_empty()) {
            disliked = self.by_node(|node| i64::try_from(reluctance(node, asks)).unwrap_or(i64::MAX));
        }
        let own_kind = asks.affinity.iter().all(|term| term_selects(term, of.namespace, &of));
        let all: Vec<bool> =
            self.classes.iter().map(|other| asks.affinity.iter().all(|term| term_selects(term, of.namespace, other))).collect();
        let together = asks.affinity.iter().map(|term| self.tally(&term.topology_key, all.clone(), Vec::new(), Counting::All)).collect();
        let mut apart: Vec<usize> = asks.anti_affinity.iter().map(|term| self.tally_term(term, of.namespace)).collect();
        apart.extend(self.forbidden_by_others(&of));
        let pulls = self.pulls(&of);
        let even = asks.spread.iter().filter(|spread| spread.hard);
        let hard: Vec<&Spread> = even.collect();
        let even = hard.iter().map(|spread| self.even(spread, &hard, &of)).collect();
        let soft = self.soft(&of);
        Rules { allowed, liked, disliked, together, own_kind, apart, pulls, even, soft, soft_is_own: !asks.spread.is_empty() }
    }

    fn by_node<T>(&self, of: impl Fn(&super::super::state::Node) -> T) -> Vec<T> {
        self.spots.iter().map(|spot| of(spot.node)).collect()
    }

    /// Begins a tally, and counts what is there.
    fn tally(&mut self, key: &str, counted: Vec<bool>, included: Vec<bool>, counting: Counting) -> usize {
        let index = self.topology(key);
        let topology = &self.topologies[index];
        let mut tally = Tally::new((index, topology), counted, included);
        for (node, spot) in self.spots.iter().enumerate() {
            for here in &spot.here {
                let times = if counting == Counting::All { here.all } else { here.staying };
                tally.add(topology, node, here.class, times);
            }
        }
        self.tallies.push(tally);
        self.tallies.len() - 1
    }

    /// Counts the pods that a term means.
    fn tally_term(&mut self, term: &PodTerm, namespace: &str) -> usize {
        let counted = self.classes.iter().map(|other| term_selects(term, namespace, other)).collect();
        self.tally(&term.topology_key, counted, Vec::new(), Counting::All)
    }

    /// Counts the pods of a class that has a term about others, where the term's domains are.
    fn tally_owners(&mut self, owner: usize, number: usize, term: &PodTerm) -> usize {
        if let Some(known) = self.imposed.get(&(owner, number)) {
            return *known;
        }
        let counted = (0..self.classes.len()).map(|class| class == owner).collect();
        let tally = self.tally(&term.topology_key, counted, Vec::new(), Counting::All);
        self.imposed.insert((owner, number), tally);
        tally
    }

    /// Anti-affinity holds in both directions: where pods are that do not want this one.
    fn forbidden_by_others(&mut self, of: &Class<'a>) -> Vec<usize> {
        let mut found = Vec::new();
        for owner in 0..self.classes.len() {
            let Class { namespace, shape, .. } = self.classes[owner];
            for (number, term) in shape.scheduling.anti_affinity.iter().enumerate() {
                if term_selects(term, namespace, of) {
                    found.push(self.tally_owners(owner, number, term));
                }
            }
        }
        found
    }

    /// What the pod likes of others, and what others like of it.
    fn pulls(&mut self, of: &Class<'a>) -> Vec<(i64, usize)> {
        let mut found = Vec::new();
        for preferred in &of.shape.scheduling.preferred_affinity {
            found.push((i64::from(preferred.weight), self.tally_term(&preferred.term, of.namespace)));
        }
        for preferred in &of.shape.scheduling.preferred_anti_affinity {
            found.push((-i64::from(preferred.weight), self.tally_term(&preferred.term, of.namespace)));
        }
        for owner in 0..self.classes.len() {
            let Class { namespace, shape, .. } = self.classes[owner];
            let asks = &shape.scheduling;
            let likes = asks.preferred_affinity.iter().map(|p| (i64::from(p.weight), &p.term));
            let dislikes = asks.preferred_anti_affinity.iter().map(|p| (-i64::from(p.weight), &p.term));
            let needs = asks.affinity.iter().map(|term| (HARD_WEIGHT, term));
            for (number, (weight, term)) in likes.chain(dislikes).chain(needs).enumerate() {
                if term_selects(term, namespace, of) {
                    let number = asks.anti_affinity.len() + number;
                    found.push((weight, self.tally_owners(owner, number, term)));
                }
            }
        }
        found
    }

    /// Nodes that make domains for a spread constraint.
    fn included(&self, spread: &Spread, of: &Class<'a>, keys: &[&Spread]) -> Vec<bool> {
        let asks = &of.shape.scheduling;
        self.by_node(|node| {
            keys.iter().all(|other| node.labels.contains_key(&other.topology_key))
                && (!spread.honor_affinity || selects(node, asks))
                && (!spread.honor_taints || (node.ready && tolerates(node, asks)))
        })
    }

    fn counted_in(&self, namespace: &str, selector: Option<&Selector>) -> Vec<bool> {
        self.classes.iter().map(|other| other.namespace == namespace && means(selector, &other.shape.labels)).collect()
    }

    fn even(&mut self, spread: &Spread, hard: &[&Spread], of: &Class<'a>) -> Even {
        let counted = self.counted_in(of.namespace, spread.selector.as_ref());
        let included = self.included(spread, of, hard);
        let tally = self.tally(&spread.topology_key, counted, included, Counting::Staying);
        let own = u32::from(means(spread.selector.as_ref(), &of.shape.labels));
        Even { tally, max_skew: spread.max_skew, min_domains: spread.min_domains.unwrap_or(1), own }
    }

    /// The pod's own soft constraints; where it has no constraint at all and a controller, those that every cluster has.
    fn soft(&mut self, of: &Class<'a>) -> Vec<Soft> {
        let asks = &of.shape.scheduling;
        if !asks.spread.is_empty() {
            let soft: Vec<&Spread> = asks.spread.iter().filter(|spread| !spread.hard).collect();
            let one = |spread: &&Spread| {
                let counted = self.counted_in(of.namespace, spread.selector.as_ref());
                let included = self.included(spread, of, &soft);
                Soft { tally: self.tally(&spread.topology_key, counted, included, Counting::Staying), max_skew: spread.max_skew }
            };
            return soft.iter().map(one).collect();
        }
        if !of.controlled || of.shape.labels.is_empty() {
            return Vec::new();
        }
        let selector = Selector { match_labels: of.shape.labels.clone(), match_expressions: Vec::new() };
        let counted = self.counted_in(of.namespace, Some(&selector));
        let mut one = |key: &str, max_skew| Soft { tally: self.tally(key, counted.clone(), Vec::new(), Counting::Staying), max_skew };
        vec![one(HOSTNAME, 3), one(ZONE, 5)]
    }
}
