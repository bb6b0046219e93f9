//! What pods prefer of the pods beside them, and would lose by a move: preferred affinity and anti-affinity between pods, and spreads
//! that are scheduled anyway.
//!
//! Counted is what a move makes impossible, or leaves to luck: onto a launched node all pods of a move may come together. Pods of a
//! node that goes without a launch are put by kube-scheduler where they like it best; they lose what no other node has.

use super::Desk;
use crate::placement::{HOSTNAME, Index, NodeId, selects};
use domain::pod::Selector;
use domain::snapshot::PodClass;
use std::collections::BTreeMap;

/// The weight of a spread that is scheduled anyway: kube-scheduler's scoring counts spreads as much as preferences of the most weight
/// (`defaultPlugins`: both plugins have weight 2, their scores reach 100).
const SPREAD_WEIGHT: i64 = 100;

/// How pods want to lie with those that a preference selects.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Wish {
    /// With one of them.
    Near,
    /// With none of them.
    Apart,
    /// With no more than so many of them beyond the emptiest domain.
    Spread(i64),
}

/// A preference of a class for its neighbours.
#[derive(Debug)]
pub(super) struct Neighbours {
    class: usize,
    wish: Wish,
    /// 1 to 100.
    pub(super) weight: i64,
    /// The classes that are selected.
    of: Vec<usize>,
    /// By node: its domain; `None` where it lacks the label.
    domains: Vec<Option<usize>>,
    /// By value of the label.
    values: BTreeMap<String, usize>,
    /// By domain: pods that are selected.
    pods: Vec<i64>,
    /// By domain: nodes that take pods.
    open: Vec<i64>,
    /// Each node is a domain of its own.
    hosts: bool,
}

/// The preferences of all classes that move.
pub(super) fn all(index: &Index<'_>) -> Vec<Neighbours> {
    let mut found = Vec::new();
    for (class, spec) in index.snapshot.classes.iter().enumerate().filter(|(class, _)| index.classes[*class].moves) {
        let scheduling = &spec.scheduling;
        let near = scheduling.preferred_affinity.iter().map(|term| (Wish::Near, term));
        let apart = scheduling.preferred_anti_affinity.iter().map(|term| (Wish::Apart, term));
        for (wish, term) in near.chain(apart) {
            let of = chosen(index, |other| selects(&term.term, &spec.namespace, other));
            found.push(Neighbours::new(index, (class, wish, term.weight.into()), &term.term.topology_key, of));
        }
        for spread in scheduling.spread.iter().filter(|spread| !spread.hard) {
            let counted = |selector: &Selector, other: &PodClass| other.namespace == spec.namespace && selector.selects(&other.labels);
            let of = chosen(index, |other| spread.selector.as_ref().is_some_and(|selector| counted(selector, other)));
            let wish = Wish::Spread(i64::from(spread.max_skew.max(1)));
            found.push(Neighbours::new(index, (class, wish, SPREAD_WEIGHT), &spread.topology_key, of));
        }
    }
    found.retain(|one| !one.of.is_empty());
    found
}

fn chosen(index: &Index<'_>, wanted: impl Fn(&PodClass) -> bool) -> Vec<usize> {
    index.snapshot.classes.iter().enumerate().filter(|(_, class)| wanted(class)).map(|(id, _)| id).collect()
}

impl Neighbours {
    fn new(index: &Index<'_>, (class, wish, weight): (usize, Wish, i64), key: &str, of: Vec<usize>) -> Neighbours {
        let nodes = &index.snapshot.nodes;
        let mut values: BTreeMap<String, usize> = BTreeMap::new();
        let (mut pods, mut open) = (Vec::new(), Vec::new());
        let mut domains = Vec::with_capacity(nodes.len());
        for node in nodes {
            let fresh = values.len();
            let domain = node.labels.get(key).map(|value| *values.entry(value.clone()).or_insert(fresh));
            if let Some(domain) = domain {
                pods.resize(values.len(), 0);
                open.resize(values.len(), 0);
                let selected = node.pods.iter().filter(|placed| of.contains(&(placed.class as usize)));
                pods[domain] += selected.map(|placed| i64::from(placed.count)).sum::<i64>();
                open[domain] += i64::from(node.ready && !node.unschedulable);
            }
            domains.push(domain);
        }
        Neighbours { class, wish, weight, of, domains, values, pods, open, hosts: key == HOSTNAME }
    }

    /// The pod itself, where it is among the selected.
    fn own(&self) -> i64 {
        i64::from(self.of.contains(&self.class))
    }

    fn beyond(&self, pods: i64, least: i64) -> i64 {
        match self.wish {
            Wish::Spread(most) => (pods - least - most).max(0),
            Wish::Near | Wish::Apart => 0,
        }
    }
}

/// Domains as they are when nodes have gone.
struct After {
    /// Selected pods that stay, by domain.
    pods: Vec<i64>,
    /// Nodes that stay and take pods, by domain.
    open: Vec<i64>,
    /// Selected pods that look for a place.
    moving: i64,
}

impl After {
    /// The fewest that any domain has.
    fn least(&self) -> i64 {
        let there = self.pods.iter().zip(&self.open).filter(|(_, open)| **open > 0);
        there.map(|(pods, _)| *pods).min().unwrap_or(0)
    }
}

impl Desk<'_> {
    /// How many pods of these nodes would lose the preference if they went and these items came.
    pub(super) fn lonely(&self, of: &Neighbours, remove: &[NodeId], launch: &[usize]) -> i64 {
        let there = |node: &NodeId| *node < of.domains.len();
        let count = |class: usize, node: NodeId| i64::from(self.state.count(class, node));
        let all: i64 = remove.iter().copied().filter(there).map(|node| count(of.class, node)).sum();
        if all == 0 {
            return 0;
        }
        let mut after = After { pods: of.pods.clone(), open: of.open.clone(), moving: 0 };
        for node in remove.iter().copied().filter(there) {
            let moving: i64 = of.of.iter().filter(|class| self.index.classes[**class].moves).map(|class| count(*class, node)).sum();
            after.moving += moving;
            if let Some(domain) = of.domains[node] {
                after.pods[domain] -= moving;
                after.open[domain] -= i64::from(self.node(node).ready && !self.node(node).unschedulable);
            }
        }
        let (had, excess) = self.before(of, remove);
        match (of.wish, launch) {
            (Wish::Near, []) => {
                if after.pods.iter().any(|pods| *pods > 0) {
                    0
                } else {
                    had
                }
            }
            (Wish::Near, _) => {
                if self.joined(of, &after, launch) - of.own() > 0 {
                    0
                } else {
                    had
                }
            }
            (Wish::Apart, []) => {
                let free = after.pods.iter().zip(&after.open).filter(|(pods, open)| **pods <= 0 && **open > 0).count();
                (had - i64::try_from(free).unwrap_or(i64::MAX)).max(0)
            }
            (Wish::Apart, _) => {
                let places = if of.hosts { i64::try_from(launch.len()).unwrap_or(i64::MAX) } else { 1 };
                // Of those that are among the selected one may stay at each place.
                (self.joined(of, &after, launch) - places * of.own()).clamp(0, had)
            }
            (Wish::Spread(_), []) => 0,
            (Wish::Spread(_), _) => {
                let each = self.joined(of, &after, launch) / if of.hosts { i64::try_from(launch.len()).unwrap_or(1) } else { 1 };
                (of.beyond(each, after.least()) - excess).clamp(0, all)
            }
        }
    }

    /// How many pods of these nodes have what they prefer now; and of a spread, how many are too many.
    fn before(&self, of: &Neighbours, remove: &[NodeId]) -> (i64, i64) {
        let least = of.pods.iter().zip(&of.open).filter(|(_, open)| **open > 0).map(|(pods, _)| *pods).min().unwrap_or(0);
        let (mut had, mut excess) = (0, BTreeMap::new());
        for node in remove.iter().copied().filter(|node| *node < of.domains.len()) {
            let Some(domain) = of.domains[node] else { continue };
            let pods = i64::from(self.state.count(of.class, node));
            let others = of.pods[domain] - of.own() > 0;
            had += match of.wish {
                Wish::Near if others => pods,
                Wish::Apart if !others => pods,
                Wish::Near | Wish::Apart | Wish::Spread(_) => 0,
            };
            excess.insert(domain, of.beyond(of.pods[domain], least));
        }
        (had, excess.into_values().sum())
    }

    /// How many selected pods there are where the pods of a move come to, if all of them come to the launched nodes: on those, or in
    /// their domain.
    fn joined(&self, of: &Neighbours, after: &After, launch: &[usize]) -> i64 {
        let zone = launch.first().map(|item| self.shelf.items[*item].pool.zone.as_str());
        let domain = zone.filter(|_| !of.hosts).and_then(|zone| of.values.get(zone));
        after.moving + domain.map_or(0, |domain| after.pods[*domain])
    }
}

#[cfg(test)]
mod tests;
