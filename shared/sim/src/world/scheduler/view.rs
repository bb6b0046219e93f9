//! The picture of a cluster that the scheduler decides by. It is drawn once for all pods that wait, and kept up to date as they are
//! bound.

use super::super::spec::PodShape;
use super::super::state::{Kube, Node, Pod};
use super::rules::Rules;
use super::tally::{Tally, Topology};
use domain::ids::{NodeName, Zone};
use domain::scheduling::HostPort;
use std::collections::HashMap;
use std::sync::Arc;

/// Pods of one class on a node.
#[derive(Debug, Clone, Copy)]
pub(super) struct Here {
    pub(super) class: usize,
    pub(super) all: u32,
    /// Of them, those that were not asked to go.
    pub(super) staying: u32,
}

/// A node, and what is on it.
pub(super) struct Spot<'a> {
    pub(super) node: &'a Node,
    pub(super) cpu_left: i64,
    pub(super) memory_left: i64,
    pub(super) pods_left: i64,
    pub(super) extended_used: HashMap<&'a str, u64>,
    /// What is asked for, pods without requests counted with a little: scores go by this.
    pub(super) cpu_asked: u64,
    pub(super) memory_asked: u64,
    pub(super) ports: Vec<&'a HostPort>,
    pub(super) here: Vec<Here>,
}

/// What a pod without a request is counted with when nodes are compared (kube-scheduler: 100m and 200 MB).
const CPU_AT_LEAST: u64 = 100;
const MEMORY_AT_LEAST: u64 = 200 << 20;

fn at_least(request: u64, least: u64) -> u64 {
    if request == 0 { least } else { request }
}

pub(super) fn asked(shape: &PodShape) -> (u64, u64) {
    (at_least(shape.cpu_millis, CPU_AT_LEAST), at_least(shape.memory_bytes, MEMORY_AT_LEAST))
}

pub(super) fn signed(amount: u64) -> i64 {
    i64::try_from(amount).unwrap_or(i64::MAX)
}

impl<'a> Spot<'a> {
    fn new(node: &'a Node) -> Spot<'a> {
        Spot {
            node,
            cpu_left: signed(node.cpu_millis),
            memory_left: signed(node.memory_bytes),
            pods_left: i64::from(node.pods_max),
            extended_used: HashMap::new(),
            cpu_asked: 0,
            memory_asked: 0,
            ports: Vec::new(),
            here: Vec::new(),
        }
    }

    fn take(&mut self, class: usize, shape: &'a PodShape, staying: bool) {
        self.cpu_left -= signed(shape.cpu_millis);
        self.memory_left -= signed(shape.memory_bytes);
        self.pods_left -= 1;
        for (name, amount) in &shape.extended {
            *self.extended_used.entry(name).or_default() += amount;
        }
        let (cpu, memory) = asked(shape);
        self.cpu_asked += cpu;
        self.memory_asked += memory;
        self.ports.extend(&shape.scheduling.host_ports);
        let staying = u32::from(staying);
        match self.here.iter_mut().find(|here| here.class == class) {
            Some(here) => {
                here.all += 1;
                here.staying += staying;
            }
            None => self.here.push(Here { class, all: 1, staying }),
        }
    }
}

/// Pods that are alike for the scheduler.
#[derive(Clone, Copy)]
pub(super) struct Class<'a> {
    pub(super) namespace: &'a str,
    pub(super) shape: &'a PodShape,
    /// A controller makes them: the default spread applies.
    pub(super) controlled: bool,
}

/// The picture.
pub(super) struct View<'a> {
    pub(super) kube: &'a Kube,
    pub(super) spots: Vec<Spot<'a>>,
    pub(super) classes: Vec<Class<'a>>,
    class_of: HashMap<(usize, bool), usize>,
    pub(super) topologies: Vec<Topology>,
    pub(super) tallies: Vec<Tally>,
    pub(super) rules: Vec<Option<Arc<Rules>>>,
    /// Tallies of the terms that classes of pods impose on others, by class and term.
    pub(super) imposed: HashMap<(usize, usize), usize>,
    /// Volumes that were made while this picture was in use.
    pub(super) made: HashMap<(&'a str, &'a str), (Zone, NodeName)>,
}

impl<'a> View<'a> {
    /// The cluster as it is; `waiting` are the pods to be scheduled, for their classes.
    pub(super) fn of(kube: &'a Kube, waiting: &[u64]) -> View<'a> {
        let mut view = View {
            kube,
            spots: Vec::with_capacity(kube.nodes.len()),
            classes: Vec::new(),
            class_of: HashMap::new(),
            topologies: Vec::new(),
            tallies: Vec::new(),
            rules: Vec::new(),
            imposed: HashMap::new(),
            made: HashMap::new(),
        };
        for node in kube.nodes.values() {
            let mut spot = Spot::new(node);
            for (_, pod) in kube.pods.on(&node.name).filter(|(_, pod)| !pod.finished()) {
                let class = view.class(pod);
                spot.take(class, &pod.shape, pod.deletion_at.is_none());
            }
            view.spots.push(spot);
        }
        for pod in waiting.iter().filter_map(|key| kube.pods.get(key)) {
            view.class(pod);
        }
        view.rules = vec![None; view.classes.len()];
        view
    }

    pub(super) fn class(&mut self, pod: &'a Pod) -> usize {
        let controlled = pod.workload.is_some();
        let next = self.classes.len();
        // The shape belongs to one workload or one bare pod, and with it to one namespace.
        let class = *self.class_of.entry((Arc::as_ptr(&pod.shape).addr(), controlled)).or_insert(next);
        if class == next {
            self.classes.push(Class { namespace: &pod.pod.namespace, shape: &pod.shape, controlled });
        }
        class
    }

    /// The topology of a label.
    pub(super) fn topology(&mut self, key: &str) -> usize {
        if let Some(known) = self.topologies.iter().position(|topology| topology.key == key) {
            return known;
        }
        self.topologies.push(Topology::new(key, self.spots.iter().map(|spot| spot.node)));
        self.topologies.len() - 1
    }

    pub(super) fn domain(&self, topology: usize, node: usize) -> Option<u32> {
        self.topologies.get(topology)?.of.get(node).copied().flatten()
    }

    /// Enters that a pod was bound.
    pub(super) fn bind(&mut self, pod: &'a Pod, node: usize) {
        let class = self.class(pod);
        for tally in &mut self.tallies {
            if let Some(topology) = self.topologies.get(tally.topology) {
                tally.add(topology, node, class, 1);
            }
        }
        if let Some(spot) = self.spots.get_mut(node) {
            spot.take(class, &pod.shape, true);
            let at = (spot.node.zone.clone(), spot.node.name.clone());
            for claim in &pod.claims {
                self.made.entry((&pod.pod.namespace, claim)).or_insert_with(|| at.clone());
            }
        }
    }
}
