//! What a move takes away of what pods prefer of their neighbours.
//!
//! Counted is what a move makes impossible, or leaves to luck: onto a launched node all pods of a move may come together. Pods of a
//! node that goes without a launch are put by kube-scheduler where they like it best; they lose what no other node has.

use super::{Neighbours, Places, Tally, Term, Wish, count, takes_pods};
use crate::optimize::desk::Desk;
use crate::placement::{HOSTNAME, NodeId, is_zone};
use domain::snapshot::SnapshotNode;
use std::collections::BTreeMap;

/// A domain that a move changes: selected pods, and nodes that take pods.
#[derive(Debug, Clone, Copy)]
struct Changed {
    domain: usize,
    was: i64,
    is: i64,
    was_open: i64,
    is_open: i64,
}

impl Desk<'_> {
    /// Where the pods of these nodes come to.
    pub(in crate::optimize::desk) fn places<'m>(&self, remove: &'m [NodeId], launch: &[usize]) -> Places<'m> {
        let kind = remove.first().map_or(0, |node| self.nodes[*node].kind);
        let value = |key: &str, item: usize| -> Option<&str> {
            if is_zone(key) {
                return Some(self.shelf.items[item].pool.zone.as_str());
            }
            self.rooms.known(kind, item).and_then(|room| room.template.labels.get(key)).map(String::as_str)
        };
        let come = |topology: &super::Topology| -> Vec<Option<usize>> {
            if topology.key == HOSTNAME {
                return vec![None; launch.len()];
            }
            let mut values: Vec<Option<&str>> = launch.iter().map(|item| value(&topology.key, *item)).collect();
            values.sort_unstable();
            values.dedup();
            values.into_iter().map(|value| value.and_then(|value| topology.values.get(value).copied())).collect()
        };
        Places { remove, come: self.preferences.neighbours.topologies.iter().map(come).collect() }
    }
}

impl Neighbours {
    /// What the pods of a move lose, by weight.
    pub(in crate::optimize::desk) fn lost(&self, nodes: &[SnapshotNode], places: &Places<'_>) -> i64 {
        let mut sums = vec![0; self.groups];
        let mut pods: BTreeMap<usize, i64> = BTreeMap::new();
        for node in places.remove {
            self.there[*node].iter().for_each(|(group, pods)| sums[*group] += pods);
            let choosy = nodes[*node].pods.iter().filter(|placed| !self.terms[placed.class as usize].is_empty());
            choosy.for_each(|placed| *pods.entry(placed.class as usize).or_default() += i64::from(placed.count));
        }
        let mut lost = 0;
        for (class, pods) in pods {
            for term in &self.terms[class] {
                let moving = sums[self.tallies[term.tally].group];
                lost += term.weight * self.lonely(nodes, places, term, (class, pods, moving));
            }
        }
        lost
    }

    /// How many pods of a class lose what they prefer: of so many, where so many of the selected move.
    fn lonely(&self, nodes: &[SnapshotNode], places: &Places<'_>, term: &Term, (class, pods, moving): (usize, i64, i64)) -> i64 {
        let tally = &self.tallies[term.tally];
        let come = &places.come[tally.topology];
        if self.stays(term, places, moving) {
            return 0;
        }
        let mut changed = self.changed(nodes, tally, places.remove);
        let had = |others: bool| -> i64 {
            let domains = &self.topologies[tally.topology].domains;
            let has = |node: &&NodeId| domains[**node].is_some_and(|domain| (tally.in_domain(domain) - term.own > 0) == others);
            places.remove.iter().filter(has).map(|node| on(&nodes[*node], class)).sum()
        };
        let gone: i64 = changed.iter().map(|one| one.was - one.is).sum();
        let elsewhere =
            |domain: usize| changed.iter().find(|one| one.domain == domain).map_or_else(|| tally.in_domain(domain), |one| one.is);
        let joined = || moving + come.iter().flatten().map(|domain| elsewhere(*domain)).sum::<i64>();
        match (term.wish, come.as_slice()) {
            (Wish::Near, []) if tally.all - gone > 0 => 0,
            (Wish::Near, [_, ..]) if joined() - term.own > 0 => 0,
            (Wish::Near, _) => had(true),
            (Wish::Apart, []) => {
                let had = had(false);
                if had == 0 { 0 } else { (had - tally.empty(&changed)).max(0) }
            }
            // Of those that are among the selected one may stay at each place.
            (Wish::Apart, _) => (joined() - count(come.len()) * term.own).clamp(0, had(false)),
            (Wish::Spread(_), []) => 0,
            (Wish::Spread(most), _) => {
                let fresh = tally.join(&mut changed, come, moving, &self.topologies[tally.topology].open);
                let before: i64 = changed.iter().map(|one| beyond(one.was, tally.least(&[], &[]), most)).sum();
                let least = tally.least(&changed, &fresh);
                let after: i64 = changed.iter().map(|one| one.is).chain(fresh).map(|pods| beyond(pods, least, most)).sum();
                (after - before).clamp(0, pods)
            }
        }
    }

    /// Whether a preference surely stays as it is: most moves change little.
    fn stays(&self, term: &Term, places: &Places<'_>, moving: i64) -> bool {
        let tally = &self.tallies[term.tally];
        let domains = &self.topologies[tally.topology].domains;
        match (places.come[tally.topology].as_slice(), term.wish) {
            ([], Wish::Spread(_)) => true,
            // Out of a domain into the same.
            ([Some(only)], _) if places.remove.iter().all(|node| domains[*node] == Some(*only)) => true,
            (come, Wish::Spread(most)) => come.iter().all(Option::is_none) && moving <= most * count(come.len()),
            (_, Wish::Near | Wish::Apart) => false,
        }
    }

    fn changed(&self, nodes: &[SnapshotNode], tally: &Tally, remove: &[NodeId]) -> Vec<Changed> {
        let topology = &self.topologies[tally.topology];
        let mut changed: Vec<Changed> = Vec::new();
        for node in remove {
            let Some(domain) = topology.domains[*node] else { continue };
            let there = &self.there[*node];
            let pods = there.binary_search_by_key(&tally.group, |(group, _)| *group).map_or(0, |at| there[at].1);
            let open = takes_pods(&nodes[*node]);
            if let Some(known) = changed.iter_mut().find(|known| known.domain == domain) {
                known.is -= pods;
                known.is_open -= open;
            } else {
                let (was, was_open) = (tally.in_domain(domain), topology.open[domain]);
                changed.push(Changed { domain, was, is: was - pods, was_open, is_open: was_open - open });
            }
        }
        changed
    }
}

impl Tally {
    /// Domains that take pods and have none of the selected.
    fn empty(&self, changed: &[Changed]) -> i64 {
        let was = changed.iter().filter(|one| one.was_open > 0 && one.was == 0).count();
        let is = changed.iter().filter(|one| one.is_open > 0 && one.is == 0).count();
        self.with.get(&0).copied().unwrap_or(0) - count(was) + count(is)
    }

    /// The fewest that any domain has.
    fn least(&self, changed: &[Changed], fresh: &[i64]) -> i64 {
        let gone = |pods: i64| count(changed.iter().filter(|one| one.was_open > 0 && one.was == pods).count());
        let unchanged = self.with.iter().find(|(pods, domains)| **domains > gone(**pods)).map(|(pods, _)| *pods);
        let is = changed.iter().filter(|one| one.is_open > 0).map(|one| one.is);
        unchanged.into_iter().chain(is).chain(fresh.iter().copied()).min().unwrap_or(0)
    }

    /// Lets the pods of a move come to their domains, as many to each; gives what new domains have then.
    fn join(&self, changed: &mut Vec<Changed>, come: &[Option<usize>], moving: i64, open: &[i64]) -> Vec<i64> {
        let places = count(come.len()).max(1);
        let mut fresh = Vec::new();
        for (at, domain) in come.iter().enumerate() {
            let pods = moving / places + i64::from(count(at) < moving % places);
            let Some(domain) = *domain else {
                fresh.push(pods);
                continue;
            };
            if let Some(known) = changed.iter_mut().find(|known| known.domain == domain) {
                known.is += pods;
                known.is_open += 1;
            } else {
                let (was, was_open) = (self.in_domain(domain), open[domain]);
                changed.push(Changed { domain, was, is: was + pods, was_open, is_open: was_open + 1 });
            }
        }
        fresh
    }
}

fn beyond(pods: i64, least: i64, most: i64) -> i64 {
    (pods - least - most).max(0)
}

/// How many pods of a class are on a node.
fn on(node: &SnapshotNode, class: usize) -> i64 {
    node.pods.iter().filter(|placed| placed.class as usize == class).map(|placed| i64::from(placed.count)).sum()
}
