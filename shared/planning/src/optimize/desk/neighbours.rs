//! What pods prefer of the pods beside them: preferred affinity and anti-affinity between pods, and spreads that are scheduled anyway.
//!
//! All is counted once, as the snapshot shows it, like the evictions of a node: what is planned before does not change what a move
//! weighs. What a move takes away is in [`lost`].

use crate::placement::{HOSTNAME, Index, NodeId, ZONE, selects};
use domain::pod::Selector;
use domain::scheduling::Spread;
use domain::snapshot::{PodClass, SnapshotNode};
use std::collections::BTreeMap;

mod lost;

/// The weight of a spread that is scheduled anyway: kube-scheduler's scoring counts spreads as much as preferences of the most weight
/// (`defaultPlugins`: both plugins have weight 2, their scores reach 100).
const SPREAD_WEIGHT: i64 = 100;
/// The weight of the spreads that kube-scheduler gives to pods that name none: nobody has asked for them.
const DEFAULT_WEIGHT: i64 = 10;
/// These spreads, as a snapshot has them.
const DEFAULTS: [(&str, u32); 2] = [(HOSTNAME, 3), (ZONE, 5)];

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

/// A preference of a class.
#[derive(Debug)]
struct Term {
    wish: Wish,
    /// 1 to 100.
    weight: i64,
    /// Index of the tally.
    tally: usize,
    /// The pod itself, where it is among the selected: one or none.
    own: i64,
}

/// The domains that a label makes.
#[derive(Debug)]
struct Topology {
    key: String,
    /// By node: its domain; `None` where it lacks the label.
    domains: Vec<Option<usize>>,
    /// The domain of each value.
    values: BTreeMap<String, usize>,
    /// By domain: nodes that take pods.
    open: Vec<i64>,
}

impl Topology {
    fn of(nodes: &[SnapshotNode], key: &str) -> Topology {
        let mut all = Topology { key: key.to_owned(), domains: Vec::new(), values: BTreeMap::new(), open: Vec::new() };
        for node in nodes {
            let fresh = all.values.len();
            let domain = node.labels.get(key).map(|value| *all.values.entry(value.clone()).or_insert(fresh));
            all.open.resize(all.values.len(), 0);
            if let Some(domain) = domain {
                all.open[domain] += takes_pods(node);
            }
            all.domains.push(domain);
        }
        all
    }
}

fn takes_pods(node: &SnapshotNode) -> i64 {
    i64::from(node.ready && !node.unschedulable)
}

/// The pods of a group by the domains of a label.
#[derive(Debug)]
struct Tally {
    /// Index of the group of classes that is counted.
    group: usize,
    /// Index of the topology.
    topology: usize,
    /// Pods by domain, in the order of domains; those with none are left out.
    pods: Vec<(usize, i64)>,
    /// How many domains that take pods have so many of them.
    with: BTreeMap<i64, i64>,
    /// Pods in all domains.
    all: i64,
}

impl Tally {
    fn in_domain(&self, domain: usize) -> i64 {
        self.pods.binary_search_by_key(&domain, |(at, _)| *at).map_or(0, |at| self.pods[at].1)
    }
}

/// The preferences of all classes that move.
#[derive(Debug, Default)]
pub(super) struct Neighbours {
    /// By class.
    terms: Vec<Vec<Term>>,
    topologies: Vec<Topology>,
    tallies: Vec<Tally>,
    /// By node: pods of each group that are there, in the order of groups.
    there: Vec<Vec<(usize, i64)>>,
    groups: usize,
}

impl Neighbours {
    pub(super) fn new(index: &Index<'_>) -> Neighbours {
        let mut made = Compiler::new(index);
        for class in 0..index.classes.len() {
            let terms = if index.classes[class].moves { made.terms(class) } else { Vec::new() };
            made.all.terms.push(terms);
        }
        let Compiler { mut all, groups, .. } = made;
        all.groups = groups.len();
        all.there = there(index, &groups);
        all.tally();
        all
    }

    /// The most that a pod of a class can lose, by weight.
    pub(super) fn most(&self, class: usize) -> i64 {
        self.terms[class].iter().map(|term| term.weight).sum()
    }

    /// Counts pods by domain.
    fn tally(&mut self) {
        let mut of: Vec<Vec<usize>> = vec![Vec::new(); self.groups];
        self.tallies.iter().enumerate().for_each(|(at, tally)| of[tally.group].push(at));
        for (node, groups) in self.there.iter().enumerate() {
            for (group, pods) in groups {
                for at in &of[*group] {
                    let tally = &mut self.tallies[*at];
                    if let Some(domain) = self.topologies[tally.topology].domains[node] {
                        tally.pods.push((domain, *pods));
                    }
                }
            }
        }
        for tally in &mut self.tallies {
            let open = &self.topologies[tally.topology].open;
            summed(&mut tally.pods);
            let mut empty = count(open.iter().filter(|nodes| **nodes > 0).count());
            for (_, pods) in tally.pods.iter().filter(|(domain, _)| open[*domain] > 0) {
                *tally.with.entry(*pods).or_default() += 1;
                empty -= 1;
            }
            if empty > 0 {
                tally.with.insert(0, empty);
            }
            tally.all = tally.pods.iter().map(|(_, pods)| pods).sum();
        }
    }
}

/// By node: pods of each group.
fn there(index: &Index<'_>, groups: &BTreeMap<Vec<usize>, usize>) -> Vec<Vec<(usize, i64)>> {
    let mut of: Vec<Vec<usize>> = vec![Vec::new(); index.classes.len()];
    groups.iter().for_each(|(classes, group)| classes.iter().for_each(|class| of[*class].push(*group)));
    let groups = |node: &SnapshotNode| {
        let mut sum: Vec<(usize, i64)> = Vec::new();
        for placed in &node.pods {
            sum.extend(of[placed.class as usize].iter().map(|group| (*group, i64::from(placed.count))));
        }
        summed(&mut sum);
        sum
    };
    index.snapshot.nodes.iter().map(groups).collect()
}

/// Sorts counts by what is counted, each once.
fn summed(counts: &mut Vec<(usize, i64)>) {
    counts.sort_unstable_by_key(|(what, _)| *what);
    counts.dedup_by(|more, kept| {
        let same = more.0 == kept.0;
        kept.1 += if same { more.1 } else { 0 };
        same
    });
}

fn count(things: usize) -> i64 {
    i64::try_from(things).unwrap_or(i64::MAX)
}

/// Makes preferences out of a snapshot. Its work grows with terms and what they select.
struct Compiler<'i> {
    index: &'i Index<'i>,
    all: Neighbours,
    /// Groups of classes that are selected together.
    groups: BTreeMap<Vec<usize>, usize>,
    /// By group and topology.
    known: BTreeMap<(usize, usize), usize>,
    /// Classes by each of their labels.
    labelled: BTreeMap<(&'i str, &'i str), Vec<usize>>,
}

impl<'i> Compiler<'i> {
    fn new(index: &'i Index<'i>) -> Compiler<'i> {
        let mut labelled: BTreeMap<(&str, &str), Vec<usize>> = BTreeMap::new();
        for (id, class) in index.snapshot.classes.iter().enumerate() {
            class.labels.iter().for_each(|(key, value)| labelled.entry((key, value)).or_default().push(id));
        }
        Compiler { index, all: Neighbours::default(), groups: BTreeMap::new(), known: BTreeMap::new(), labelled }
    }

    fn terms(&mut self, class: usize) -> Vec<Term> {
        let spec = &self.index.snapshot.classes[class];
        let scheduling = &spec.scheduling;
        let near = scheduling.preferred_affinity.iter().map(|term| (Wish::Near, term));
        let apart = scheduling.preferred_anti_affinity.iter().map(|term| (Wish::Apart, term));
        let mut terms = Vec::new();
        for (wish, term) in near.chain(apart) {
            let of = self.chosen(term.term.selector.as_ref(), |other| selects(&term.term, &spec.namespace, other));
            terms.extend(self.term(class, wish, i64::from(term.weight), &term.term.topology_key, of));
        }
        let weight = if nobodys(&scheduling.spread) { DEFAULT_WEIGHT } else { SPREAD_WEIGHT };
        for spread in scheduling.spread.iter().filter(|spread| !spread.hard) {
            let counted = |selector: &Selector, other: &PodClass| other.namespace == spec.namespace && selector.selects(&other.labels);
            let selector = spread.selector.as_ref();
            let of = self.chosen(selector, |other| selector.is_some_and(|selector| counted(selector, other)));
            let wish = Wish::Spread(i64::from(spread.max_skew.max(1)));
            terms.extend(self.term(class, wish, weight, &spread.topology_key, of));
        }
        terms
    }

    /// The classes that are selected.
    fn chosen(&self, selector: Option<&Selector>, wanted: impl Fn(&PodClass) -> bool) -> Vec<usize> {
        let classes = &self.index.snapshot.classes;
        match selector.and_then(|selector| selector.match_labels.first_key_value()) {
            Some((key, value)) => {
                let labelled = self.labelled.get(&(key.as_str(), value.as_str()));
                labelled.into_iter().flatten().copied().filter(|id| wanted(&classes[*id])).collect()
            }
            None => (0..classes.len()).filter(|id| wanted(&classes[*id])).collect(),
        }
    }

    /// A term, unless no move can change what it stands for: it selects nobody, or those that are on every node.
    fn term(&mut self, class: usize, wish: Wish, weight: i64, key: &str, of: Vec<usize>) -> Option<Term> {
        if of.is_empty() || of.iter().any(|other| !self.index.classes[*other].moves) {
            return None;
        }
        let own = i64::from(of.contains(&class));
        let fresh = self.groups.len();
        let group = *self.groups.entry(of).or_insert(fresh);
        let topologies = &mut self.all.topologies;
        let topology = topologies.iter().position(|known| known.key == key).unwrap_or_else(|| {
            topologies.push(Topology::of(&self.index.snapshot.nodes, key));
            topologies.len() - 1
        });
        let tallies = &mut self.all.tallies;
        let tally = *self.known.entry((group, topology)).or_insert_with(|| {
            tallies.push(Tally { group, topology, pods: Vec::new(), with: BTreeMap::new(), all: 0 });
            tallies.len() - 1
        });
        Some(Term { wish, weight: weight.max(0), tally, own })
    }
}

/// Whether these are the spreads that kube-scheduler gives by itself.
fn nobodys(spreads: &[Spread]) -> bool {
    spreads.len() == DEFAULTS.len()
        && spreads.iter().zip(DEFAULTS).all(|(spread, (key, skew))| !spread.hard && spread.topology_key == key && spread.max_skew == skew)
}

/// The nodes of a move, and the domains into which its pods come.
pub(super) struct Places<'m> {
    remove: &'m [NodeId],
    /// By topology: a domain for each that differs, `None` for a new one. None at all where nothing is launched.
    come: Vec<Vec<Option<usize>>>,
}

#[cfg(test)]
mod tests;
