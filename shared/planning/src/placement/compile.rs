//! From a snapshot to an index.

use super::terms::{Class, Counter, Seen, SpreadRule};
use super::{Index, PODS, VOLUMES};
use domain::pod::Selector;
use domain::scheduling::{HostPort, NAME_FIELD, PodTerm, Resources, Spread};
use domain::snapshot::{PodClass, Snapshot};
use std::collections::BTreeSet;

/// The label of the host's name: no two nodes share a value.
pub(crate) const HOSTNAME: &str = "kubernetes.io/hostname";
/// The label of the zone.
pub(crate) const ZONE: &str = "topology.kubernetes.io/zone";
/// The zone's label before Kubernetes 1.17.
const ZONE_OLD: &str = "failure-domain.beta.kubernetes.io/zone";

impl<'a> Index<'a> {
    /// Compiles a snapshot: work grows with classes times terms, not with pods.
    pub fn new(snapshot: &'a Snapshot) -> Index<'a> {
        let mut extended: BTreeSet<&str> = BTreeSet::new();
        for class in &snapshot.classes {
            extended.extend(class.requests.extended.keys().map(String::as_str));
        }
        let extended: Vec<&str> = extended.into_iter().collect();
        let mut compiler = Compiler { snapshot, keys: Vec::new(), counters: Vec::new(), owned: Vec::new() };
        let rules: Vec<Rules> = (0..snapshot.classes.len()).map(|class| compiler.rules(class)).collect();
        let (keys, counters, owned) = (compiler.keys, compiler.counters, compiler.owned);
        let mut classes: Vec<Class> = Vec::with_capacity(rules.len());
        for (number, (class, rules)) in snapshot.classes.iter().zip(rules).enumerate() {
            let mut forbids = rules.forbids;
            forbids.extend(owned.iter().filter(|term| selects(term.term, term.namespace, class)).map(|term| term.owners));
            forbids.sort_unstable();
            forbids.dedup();
            let scheduling = &class.scheduling;
            let touches_zone = |counter: &usize| is_zone(keys[counters[*counter].key]);
            let named = looks_at(class).any(|key| key == HOSTNAME || key == NAME_FIELD);
            let zonal = scheduling.volume_zones.is_some()
                || looks_at(class).any(is_zone)
                || forbids.iter().chain(&rules.requires).chain(rules.spreads.iter().map(|s| &s.counter)).any(touches_zone);
            let ports = colliding(&snapshot.classes, &scheduling.host_ports);
            classes.push(Class {
                need: amounts(&class.requests, scheduling.volumes, &extended),
                feeds: counters.iter().enumerate().filter(|(_, c)| c.fed_by.contains(&number)).map(|(id, _)| id).collect(),
                forbids,
                requires: rules.requires,
                first_may: rules.first_may,
                spreads: rules.spreads,
                ports,
                named,
                zonal,
                unknowable: scheduling.affinity.iter().any(|term| term.any_namespace),
                moves: class.moves(),
            });
        }
        let labels = snapshot.classes.iter().flat_map(looks_at).filter(|key| *key != HOSTNAME && *key != NAME_FIELD).collect();
        Index { snapshot, dims: VOLUMES + 1 + extended.len(), extended, classes, keys, counters, labels }
    }
}

/// Whether a label stands for the zone.
pub(crate) fn is_zone(key: &str) -> bool {
    key == ZONE || key == ZONE_OLD || key == "topology.ebs.csi.aws.com/zone"
}

/// What pods of this size take, by dimension.
pub(crate) fn amounts(requests: &Resources, volumes: u32, extended: &[&str]) -> Vec<i64> {
    let whole = |amount: u64| i64::try_from(amount).unwrap_or(i64::MAX / 4);
    let mut need = vec![whole(requests.cpu_millis), whole(requests.memory_bytes), 1, i64::from(volumes)];
    need.extend(extended.iter().map(|name| whole(requests.extended.get(*name).copied().unwrap_or(0))));
    debug_assert!(need[PODS] == 1);
    need
}

/// The labels of nodes that a class selects by.
fn looks_at(class: &PodClass) -> impl Iterator<Item = &str> {
    let scheduling = &class.scheduling;
    let terms = scheduling.required_nodes.iter().flat_map(|term| term.0.iter().map(|need| need.key.as_str()));
    // The pods of a DaemonSet name their node each; which nodes the DaemonSet wants stands in the rest.
    let daemon = class.daemon;
    scheduling.node_selector.keys().map(String::as_str).chain(terms).filter(move |key| !(daemon && *key == NAME_FIELD))
}

fn colliding(classes: &[PodClass], own: &[HostPort]) -> Vec<usize> {
    if own.is_empty() {
        return Vec::new();
    }
    let meets = |other: &PodClass| other.scheduling.host_ports.iter().any(|port| own.iter().any(|mine| mine.collides(port)));
    classes.iter().enumerate().filter(|(_, other)| meets(other)).map(|(id, _)| id).collect()
}

/// Whether a term of a pod in `namespace` selects pods of this class.
pub(crate) fn selects(term: &PodTerm, namespace: &str, class: &PodClass) -> bool {
    let there = term.any_namespace
        || if term.namespaces.is_empty() { class.namespace == namespace } else { term.namespaces.contains(&class.namespace) };
    there && term.selector.as_ref().is_some_and(|selector| selector.selects(&class.labels))
}

struct Rules {
    forbids: Vec<usize>,
    requires: Vec<usize>,
    first_may: bool,
    spreads: Vec<SpreadRule>,
}

/// An anti-affinity term that somebody has: what it selects keeps away from its owners.
struct Owned<'a> {
    term: &'a PodTerm,
    namespace: &'a str,
    /// The counter of its owners.
    owners: usize,
}

struct Compiler<'a> {
    snapshot: &'a Snapshot,
    keys: Vec<&'a str>,
    counters: Vec<Counter>,
    owned: Vec<Owned<'a>>,
}

impl<'a> Compiler<'a> {
    fn key(&mut self, name: &'a str) -> usize {
        self.keys.iter().position(|known| *known == name).unwrap_or_else(|| {
            self.keys.push(name);
            self.keys.len() - 1
        })
    }

    fn counter(&mut self, counter: Counter) -> usize {
        self.counters.iter().position(|known| *known == counter).unwrap_or_else(|| {
            self.counters.push(counter);
            self.counters.len() - 1
        })
    }

    fn selected(&self, wanted: impl Fn(&PodClass) -> bool) -> Vec<usize> {
        self.snapshot.classes.iter().enumerate().filter(|(_, class)| wanted(class)).map(|(id, _)| id).collect()
    }

    fn rules(&mut self, number: usize) -> Rules {
        let class = &self.snapshot.classes[number];
        let scheduling = &class.scheduling;
        let mut forbids = Vec::new();
        for term in &scheduling.anti_affinity {
            let key = self.key(&term.topology_key);
            let fed_by = self.selected(|other| selects(term, &class.namespace, other));
            forbids.push(self.counter(Counter { key, seen_by: None, owners: false, fed_by }));
            let same = self.owned.iter().find(|owned| owned.term == term && owned.namespace == class.namespace).map(|owned| owned.owners);
            if let Some(owners) = same {
                self.counters[owners].fed_by.push(number);
            } else {
                // Not shared with an equal counter: it grows with each further owner.
                self.counters.push(Counter { key, seen_by: None, owners: true, fed_by: vec![number] });
                self.owned.push(Owned { term, namespace: &class.namespace, owners: self.counters.len() - 1 });
            }
        }
        // As kube-scheduler counts: a pod stands for the affinity only if it matches all of its terms.
        let all = |other: &PodClass| scheduling.affinity.iter().all(|term| selects(term, &class.namespace, other));
        let mut requires = Vec::new();
        for term in &scheduling.affinity {
            let key = self.key(&term.topology_key);
            let fed_by = self.selected(all);
            requires.push(self.counter(Counter { key, seen_by: None, owners: false, fed_by }));
        }
        let hard: Vec<&Spread> = scheduling.spread.iter().filter(|spread| spread.hard).collect();
        let keys: Vec<usize> = hard.iter().map(|spread| self.key(&spread.topology_key)).collect();
        let spreads = hard.iter().zip(&keys).map(|(spread, key)| self.spread(number, spread, *key, &keys)).collect();
        Rules { forbids, requires, first_may: all(class), spreads }
    }

    fn spread(&mut self, number: usize, spread: &Spread, key: usize, keys: &[usize]) -> SpreadRule {
        let class = &self.snapshot.classes[number];
        let counted = |selector: &Selector, other: &PodClass| other.namespace == class.namespace && selector.selects(&other.labels);
        let fed_by = match &spread.selector {
            Some(selector) => self.selected(|other| counted(selector, other)),
            None => Vec::new(),
        };
        let own = fed_by.contains(&number);
        let seen = Seen { class: number, honor_affinity: spread.honor_affinity, honor_taints: spread.honor_taints, keys: keys.to_vec() };
        let counter = self.counter(Counter { key, seen_by: Some(seen), owners: false, fed_by });
        SpreadRule { counter, max_skew: spread.max_skew.max(1), min_domains: spread.min_domains.unwrap_or(1), own }
    }
}
