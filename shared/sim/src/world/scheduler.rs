//! The scheduler: it puts pending pods on nodes, by kube-scheduler's rules, written anew here so that plans are judged by something
//! that shares no code with what made them.
//!
//! Filters: readiness, cordons, taints, node selector, required node affinity, resources and pod count, host ports, volumes,
//! pod affinity and anti-affinity, hard topology spread. Scores: the emptiest node, preferred affinities, soft spread (the default
//! constraints included), soft taints. As in life, only some of the fitting nodes of a large cluster are compared. There is no
//! preemption: a pod that finds no node waits, whatever its priority.

mod filter;
mod node_rules;
mod rules;
mod score;
mod tally;
mod view;

pub(crate) use node_rules::{means, selects, tolerates, tolerates_cordon};

use super::state::{Kube, Pod, State};
use domain::ids::NodeName;
use rules::Rules;
use view::View;

/// From how many nodes on only some are compared, and how many at least (kube-scheduler).
const COMPARED_AT_LEAST: usize = 100;
/// How many are compared at most: as with a small `percentageOfNodesToScore`, for the sake of large worlds.
const COMPARED_AT_MOST: usize = 150;
/// How often pods that wait for others are tried again in one go.
const PASSES_MAX: usize = 16;

/// How many fitting nodes are enough: half of them, less one per cent for each 125 nodes, within these limits.
fn enough(nodes: usize) -> usize {
    if nodes < COMPARED_AT_LEAST {
        return nodes;
    }
    let percent = 50_usize.saturating_sub(nodes / 125).max(5);
    (nodes * percent / 100).clamp(COMPARED_AT_LEAST, COMPARED_AT_MOST)
}

/// Chooses nodes for pods, one after the other.
struct Round<'a> {
    view: View<'a>,
    /// Where the search for nodes begins.
    start: usize,
    /// By class: it found no node, and pods that are bound cannot change that.
    hopeless: Vec<bool>,
    bound: Vec<(u64, NodeName)>,
}

impl<'a> Round<'a> {
    /// Tries a pod. Says whether it may be tried again once others are bound.
    fn place(&mut self, key: u64, pod: &'a Pod) -> bool {
        let class = self.view.class(pod);
        if self.hopeless.get(class) == Some(&true) {
            return false;
        }
        let rules = self.view.rules_of(class);
        let Some(node) = self.choose(pod, &rules) else {
            let again = rules.may_open();
            if let Some(hopeless) = self.hopeless.get_mut(class).filter(|_| !again && pod.claims.is_empty()) {
                *hopeless = true;
            }
            return again;
        };
        self.view.bind(pod, node);
        if let Some(spot) = self.view.spots.get(node) {
            self.bound.push((key, spot.node.name.clone()));
        }
        false
    }

    fn choose(&mut self, pod: &Pod, rules: &Rules) -> Option<usize> {
        let all = self.view.spots.len();
        let wanted = if pod.shape.scheduling.foreign_scheduler.is_some() { 1 } else { enough(all) };
        let mut found = Vec::new();
        let mut looked_at = 0;
        while looked_at < all && found.len() < wanted {
            let node = (self.start + looked_at) % all;
            looked_at += 1;
            if self.view.fits(pod, rules, node) {
                found.push(node);
            }
        }
        if wanted < all {
            self.start = (self.start + looked_at) % all.max(1);
        }
        self.view.best(pod, rules, &found)
    }
}

/// Finds nodes for the pods that wait: higher priorities first, then older pods.
fn decide(kube: &Kube, mut waiting: Vec<(i32, u64)>) -> (Vec<(u64, NodeName)>, usize) {
    waiting.sort_unstable();
    let mut waiting: Vec<u64> = waiting.into_iter().map(|(_, key)| key).collect();
    let view = View::of(kube, &waiting);
    let hopeless = vec![false; view.classes.len()];
    let mut round = Round { view, start: kube.search_from, hopeless, bound: Vec::new() };
    for _ in 0..PASSES_MAX {
        let before = round.bound.len();
        waiting.retain(|key| kube.pods.get(key).is_some_and(|pod| round.place(*key, pod)));
        if waiting.is_empty() || round.bound.len() == before {
            break;
        }
    }
    (round.bound, round.start)
}

impl State {
    /// Binds what can be bound.
    pub(crate) fn schedule(&mut self, cluster: usize, at_once: bool) {
        let Some(kube) = self.clusters.get_mut(cluster) else { return };
        let pending = kube.pods.unbound().filter(|(_, pod)| pod.active());
        let pending: Vec<(i32, u64)> = pending.map(|(key, pod)| (-pod.shape.priority, key)).collect();
        if pending.is_empty() || kube.nodes.is_empty() {
            return;
        }
        let (bound, search_from) = decide(kube, pending);
        kube.search_from = search_from;
        for (key, node) in bound {
            self.judge_binding(cluster, key, &node);
            self.bind(cluster, key, &node, at_once);
        }
    }
}
