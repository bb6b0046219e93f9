//! The cluster as it is, or as it would be: changes are written down and can be taken back.

use super::compile::{HOSTNAME, amounts};
use super::template::Template;
use super::{CPU, Index, MEMORY, PODS, VOLUMES, VOLUMES_MAX};
use domain::node::Taint;
use domain::scheduling::NAME_FIELD;
use std::collections::{BTreeMap, BTreeSet};

mod counts;

use counts::Count;

/// A node of a state: those of the snapshot by their place in it, then those launched.
pub type NodeId = usize;

/// A point in the list of changes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Mark(usize);

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

#[derive(Debug, Clone, Copy)]
enum Change {
    Placed(usize, NodeId),
    Taken(usize, NodeId),
    Closed(NodeId),
    Added(NodeId),
}

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

/// A node as it enters a state.
pub(super) struct Entry<'e> {
    pub(super) name: &'e str,
    pub(super) labels: &'e BTreeMap<String, String>,
    pub(super) taints: &'e [Taint],
    pub(super) zone: Option<&'e str>,
    pub(super) free: Vec<i64>,
    pub(super) open: bool,
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

    pub(super) fn enter(&mut self, entry: Entry<'_>) -> NodeId {
        let id = self.nodes.len();
        let signature = self.signature(&entry);
        let mut domains = Vec::with_capacity(self.index.keys.len());
        for (key, known) in self.index.keys.iter().zip(&mut self.domains) {
            domains.push(match entry.labels.get(*key) {
                Some(value) => {
                    let fresh = known.len();
                    *known.entry(value.clone()).or_insert(fresh)
                }
                None => NOWHERE,
            });
        }
        let whole = [entry.free[CPU].max(1), entry.free[MEMORY].max(1)];
        self.free.extend(entry.free);
        let largest = &mut self.signatures[signature].largest;
        largest.iter_mut().zip(whole).for_each(|(most, whole)| *most = whole.max(*most));
        self.nodes.push(Node { signature, open: entry.open, domains, whole, pods: Vec::new() });
        self.seen(id, 1);
        if entry.open {
            let score = self.score(id);
            self.signatures[signature].order.insert((score, id));
        }
        id
    }

    /// Adds a node like the template. Its DaemonSets' pods are on it from the beginning.
    pub fn launch(&mut self, template: &Template) -> NodeId {
        let name = format!("{}.{}", template.name, self.nodes.len());
        let mut labels = template.labels.clone();
        if let Some(host) = labels.get_mut(HOSTNAME) {
            host.clone_from(&name);
        }
        let entry = Entry {
            name: &name,
            labels: &labels,
            taints: &template.taints,
            zone: Some(template.zone.as_str()),
            free: template.allocatable.clone(),
            open: true,
        };
        let id = self.enter(entry);
        self.changes.push(Change::Added(id));
        for (class, count) in &template.companions {
            for _ in 0..*count {
                self.place(*class, id);
            }
        }
        id
    }

    /// Lets no more pods onto a node.
    pub fn close(&mut self, node: NodeId) {
        if self.nodes[node].open {
            let score = self.score(node);
            self.signatures[self.nodes[node].signature].order.remove(&(score, node));
            self.nodes[node].open = false;
            self.changes.push(Change::Closed(node));
        }
    }

    /// Takes a node out for good: its domains count no more. Only when nothing that moves is left on it; not taken back.
    pub fn retire(&mut self, node: NodeId) {
        self.close(node);
        for (class, count) in std::mem::take(&mut self.nodes[node].pods) {
            self.shift(class, node, -i64::from(count));
        }
        self.seen(node, -1);
        self.changes.clear();
    }

    /// Puts a pod on a node, whether it fits or not.
    pub fn place(&mut self, class: usize, node: NodeId) {
        self.shift(class, node, 1);
        self.changes.push(Change::Placed(class, node));
    }

    /// Takes a pod off a node.
    pub fn take(&mut self, class: usize, node: NodeId) {
        self.shift(class, node, -1);
        self.changes.push(Change::Taken(class, node));
    }

    /// Closes a node and takes off all that a drain moves; returns it.
    pub fn empty(&mut self, node: NodeId) -> Vec<(usize, u32)> {
        self.close(node);
        let moving: Vec<(usize, u32)> = self.moving(node);
        for (class, count) in &moving {
            for _ in 0..*count {
                self.take(*class, node);
            }
        }
        moving
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

    /// Makes every change so far final.
    pub fn commit(&mut self) {
        self.changes.clear();
    }

    /// How many nodes were asked so far whether a pod fits: the measure of work.
    pub fn work(&self) -> u64 {
        self.work
    }

    /// Where to roll back to.
    pub fn mark(&self) -> Mark {
        Mark(self.changes.len())
    }

    /// Takes back every change since the mark.
    pub fn rollback(&mut self, mark: Mark) {
        while self.changes.len() > mark.0 {
            match self.changes.pop() {
                Some(Change::Placed(class, node)) => self.shift(class, node, -1),
                Some(Change::Taken(class, node)) => self.shift(class, node, 1),
                Some(Change::Closed(node)) => {
                    self.nodes[node].open = true;
                    let score = self.score(node);
                    self.signatures[self.nodes[node].signature].order.insert((score, node));
                }
                Some(Change::Added(node)) => {
                    self.close_silently(node);
                    self.seen(node, -1);
                    self.nodes.pop();
                    self.free.truncate(node * self.index.dims);
                }
                None => return,
            }
        }
    }

    fn close_silently(&mut self, node: NodeId) {
        let score = self.score(node);
        self.signatures[self.nodes[node].signature].order.remove(&(score, node));
    }

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

    fn shift(&mut self, class: usize, node: NodeId, by: i64) {
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
    fn seen(&mut self, node: NodeId, by: i64) {
        for counter in 0..self.counts.len() {
            let domain = self.nodes[node].domains[self.index.counters[counter].key];
            if self.index.counters[counter].seen_by.is_some() && domain != NOWHERE && self.counts_for(counter, node) {
                self.counts[counter].node(domain, by);
            }
        }
    }

    /// Whether kube-scheduler would let a pod of the class onto the node now.
    pub fn fits(&mut self, class: usize, node: NodeId) -> bool {
        self.work += 1;
        self.judge(class, node, None)
    }

    /// The same, with the topology spread of one counter left aside.
    pub(super) fn judge(&self, class: usize, node: NodeId, aside: Option<usize>) -> bool {
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
    pub(super) fn gets_along(&self, class: usize, node: NodeId, asked: impl Fn(usize) -> bool) -> bool {
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

    /// The domain of a node for a counter.
    pub(super) fn domain(&self, counter: usize, node: NodeId) -> usize {
        self.nodes[node].domains[self.index.counters[counter].key]
    }

    /// Whether each domain of a counter is a single node.
    pub(super) fn single(&self, counter: usize) -> bool {
        self.index.keys[self.index.counters[counter].key] == HOSTNAME
    }

    /// Pods of a counter in all domains.
    pub(super) fn total(&self, counter: usize) -> i64 {
        self.counts[counter].total()
    }

    /// The domains that can be the emptiest when `more` pods are added.
    pub(super) fn emptiest(&self, counter: usize, min_domains: u32, more: i64) -> Vec<usize> {
        self.counts[counter].up_to(min_domains, more)
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

    fn signature(&mut self, entry: &Entry<'_>) -> usize {
        let mut text = format!("{}|", entry.zone.unwrap_or_default());
        let wide = self.index.keys.iter().filter(|key| **key != HOSTNAME);
        for key in self.index.labels.iter().chain(wide) {
            if let Some(value) = entry.labels.get(*key) {
                text.push_str(&format!("{key}={value},"));
            }
        }
        for taint in entry.taints {
            text.push_str(&format!("|{}={}:{}", taint.key, taint.value, taint.effect));
        }
        if let Some(known) = self.known.get(&text) {
            return *known;
        }
        let classes = &self.index.snapshot.classes;
        let tolerates: Vec<bool> = classes.iter().map(|class| class.scheduling.tolerates(entry.taints)).collect();
        let selects: Vec<bool> = classes
            .iter()
            .zip(&self.index.classes)
            .map(|(class, compiled)| compiled.named || class.scheduling.selects_node(entry.name, entry.labels))
            .collect();
        let attaches = |zones: &Option<Vec<domain::ids::Zone>>| {
            zones.as_ref().is_none_or(|zones| zones.iter().any(|zone| Some(zone.as_str()) == entry.zone))
        };
        let allows = classes
            .iter()
            .enumerate()
            .map(|(id, class)| tolerates[id] && selects[id] && attaches(&class.scheduling.volume_zones))
            .collect();
        self.signatures.push(Signature { allows, selects, tolerates, largest: [1; 2], order: BTreeSet::new() });
        self.known.insert(text, self.signatures.len() - 1);
        self.signatures.len() - 1
    }
}
