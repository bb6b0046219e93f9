//! Carrying moves out on a cluster with a scheduler of its own: written from kube-scheduler's rules, sharing nothing with the
//! index, slow and plain.

use super::world::market;
use domain::decision::{DecisionRequest, Move};
use domain::offering::CapacityType;
use domain::scheduling::{PodTerm, Resources};
use domain::snapshot::{Placed, PodClass, Snapshot, SnapshotNode};
use std::collections::{BTreeMap, BTreeSet};

struct Machine {
    node: SnapshotNode,
    /// We have tainted it.
    tainted: bool,
    pods: Vec<usize>,
}

/// A cluster that runs.
pub(super) struct Running {
    classes: Vec<PodClass>,
    machines: Vec<Machine>,
    pub(super) pending: Vec<usize>,
    rng: fastrand::Rng,
    launched: usize,
    /// What was to run on each node that was launched.
    meant: BTreeMap<String, Resources>,
}

impl Running {
    pub(super) fn new(request: &DecisionRequest, seed: u64) -> Running {
        let machine = |node: &SnapshotNode| Machine {
            node: node.clone(),
            tainted: false,
            pods: node.pods.iter().flat_map(|p| std::iter::repeat_n(p.class as usize, p.count as usize)).collect(),
        };
        let snapshot = &request.snapshot;
        Running {
            classes: snapshot.classes.clone(),
            machines: snapshot.nodes.iter().map(machine).collect(),
            pending: snapshot.pending.iter().flat_map(|p| std::iter::repeat_n(p.class as usize, p.count as usize)).collect(),
            rng: fastrand::Rng::with_seed(seed),
            launched: 0,
            meant: BTreeMap::new(),
        }
    }

    pub(super) fn add(&mut self, class: usize) {
        self.pending.push(class);
    }

    /// Forgets the pending pods, and returns them.
    pub(super) fn give_up(&mut self) -> Vec<usize> {
        std::mem::take(&mut self.pending)
    }

    /// Writes what runs where into a snapshot.
    pub(super) fn write(&self, snapshot: &mut Snapshot) {
        snapshot.nodes = self
            .machines
            .iter()
            .map(|machine| {
                let mut counts: BTreeMap<usize, u32> = BTreeMap::new();
                machine.pods.iter().for_each(|class| *counts.entry(*class).or_default() += 1);
                let mut node = machine.node.clone();
                node.pods = counts.into_iter().map(|(class, count)| Placed { class: u32::try_from(class).unwrap(), count }).collect();
                node
            })
            .collect();
        snapshot.nodes.sort_by(|a, b| a.name.cmp(&b.name));
        let mut counts: BTreeMap<usize, u32> = BTreeMap::new();
        self.pending.iter().for_each(|class| *counts.entry(*class).or_default() += 1);
        snapshot.pending = counts.into_iter().map(|(class, count)| Placed { class: u32::try_from(class).unwrap(), count }).collect();
    }

    /// Tries every pending pod once, in some order, then again as long as one finds a place.
    pub(super) fn schedule(&mut self) {
        let mut moved = true;
        while moved {
            moved = false;
            let mut queue = std::mem::take(&mut self.pending);
            self.rng.shuffle(&mut queue);
            for class in queue {
                let fitting: Vec<usize> = (0..self.machines.len()).filter(|at| self.fits(class, *at)).collect();
                if fitting.is_empty() {
                    self.pending.push(class);
                    continue;
                }
                // Mostly the emptiest, as the default scoring has it; now and then any.
                let pick = if self.rng.u8(..4) == 0 {
                    fitting[self.rng.usize(..fitting.len())]
                } else {
                    fitting.into_iter().max_by_key(|at| self.free_share(*at)).unwrap()
                };
                self.machines[pick].pods.push(class);
                moved = true;
            }
        }
    }

    fn used(&self, at: usize) -> Resources {
        let mut sum = Resources::default();
        self.machines[at].pods.iter().for_each(|class| sum.add(&self.classes[*class].requests, 1));
        sum
    }

    fn free_share(&self, at: usize) -> u64 {
        let (whole, used) = (&self.machines[at].node.allocatable, self.used(at));
        let share = |whole: u64, used: u64| whole.saturating_sub(used) * 100 / whole.max(1);
        share(whole.cpu_millis, used.cpu_millis) + share(whole.memory_bytes / 1024, used.memory_bytes / 1024)
    }

    fn fits(&self, class: usize, at: usize) -> bool {
        let (pod, machine) = (&self.classes[class], &self.machines[at]);
        let node = &machine.node;
        let mut used = self.used(at);
        used.add(&pod.requests, 1);
        let zones = &pod.scheduling.volume_zones;
        node.ready
            && !node.unschedulable
            && !machine.tainted
            && machine.pods.len() < node.pods_max as usize
            && node.allocatable.covers(&used)
            && pod.scheduling.allows_node(node.name.as_str(), &node.labels, &node.taints)
            && zones.as_ref().is_none_or(|zones| zones.iter().any(|zone| Some(zone.as_str()) == node.zone()))
            && !self.ports_taken(pod, at)
            && self.affine(pod, at)
            && self.apart(pod, at)
            && pod.scheduling.spread.iter().filter(|s| s.hard).all(|s| self.spread(pod, s, at))
    }

    fn ports_taken(&self, pod: &PodClass, at: usize) -> bool {
        let others = self.machines[at].pods.iter().flat_map(|class| &self.classes[*class].scheduling.host_ports);
        let own = &pod.scheduling.host_ports;
        others.into_iter().any(|other| own.iter().any(|mine| mine.collides(other)))
    }

    fn domain(&self, at: usize, key: &str) -> Option<&String> {
        self.machines[at].node.labels.get(key)
    }

    /// All pods with the machine they are on.
    fn everywhere(&self) -> impl Iterator<Item = (usize, &PodClass)> {
        self.machines
            .iter()
            .enumerate()
            .flat_map(|(at, machine)| machine.pods.iter().map(move |class| (at, *class)))
            .map(|(at, class)| (at, &self.classes[class]))
    }

    fn affine(&self, pod: &PodClass, at: usize) -> bool {
        let terms = &pod.scheduling.affinity;
        let all = |other: &PodClass| terms.iter().all(|term| selects(term, pod, other));
        let nobody =
            !self.everywhere().any(|(on, other)| all(other) && terms.iter().any(|term| self.domain(on, &term.topology_key).is_some()));
        terms.iter().all(|term| {
            let Some(here) = self.domain(at, &term.topology_key) else { return false };
            self.everywhere().any(|(on, other)| all(other) && self.domain(on, &term.topology_key) == Some(here)) || (nobody && all(pod))
        })
    }

    fn apart(&self, pod: &PodClass, at: usize) -> bool {
        self.everywhere().all(|(on, other)| {
            let together = |key: &str| self.domain(at, key).is_some() && self.domain(at, key) == self.domain(on, key);
            let mine = pod.scheduling.anti_affinity.iter().any(|term| selects(term, pod, other) && together(&term.topology_key));
            let theirs = other.scheduling.anti_affinity.iter().any(|term| selects(term, other, pod) && together(&term.topology_key));
            !mine && !theirs
        })
    }

    fn spread(&self, pod: &PodClass, spread: &domain::scheduling::Spread, at: usize) -> bool {
        let Some(here) = self.domain(at, &spread.topology_key) else { return false };
        let keys: Vec<&String> = pod.scheduling.spread.iter().filter(|s| s.hard).map(|s| &s.topology_key).collect();
        let counts = |on: usize| {
            let node = &self.machines[on].node;
            keys.iter().all(|key| node.labels.contains_key(*key))
                && (!spread.honor_affinity || pod.scheduling.selects_node(node.name.as_str(), &node.labels))
                && (!spread.honor_taints || (pod.scheduling.tolerates(&node.taints) && !self.machines[on].tainted))
        };
        let selected =
            |other: &PodClass| other.namespace == pod.namespace && spread.selector.as_ref().is_some_and(|s| s.selects(&other.labels));
        let mut domains: BTreeMap<&String, u32> = BTreeMap::new();
        for on in (0..self.machines.len()).filter(|on| counts(*on)) {
            let matching = self.machines[on].pods.iter().filter(|class| selected(&self.classes[**class])).count();
            *domains.entry(self.domain(on, &spread.topology_key).unwrap()).or_default() += u32::try_from(matching).unwrap();
        }
        let few = domains.len() < spread.min_domains.unwrap_or(1) as usize;
        let least = if few { 0 } else { domains.values().copied().min().unwrap_or(0) };
        domains.get(here).copied().unwrap_or(0) + u32::from(selected(pod)) <= least + spread.max_skew
    }

    /// Whether a launched node runs all the pods that it was launched for.
    pub(super) fn as_meant(&self, node: &str) -> bool {
        let at = self.machines.iter().position(|machine| machine.node.name.as_str() == node).unwrap();
        self.meant.get(node).is_some_and(|needs| self.used(at).covers(needs))
    }

    /// Carries a move out with the first offering of each launch: capacity was there.
    pub(super) fn carry_out_first(&mut self, planned: &Move) {
        let mut first = planned.clone();
        first.launch.iter_mut().for_each(|launch| launch.offerings.truncate(1));
        self.carry_out(&first);
    }

    /// Carries a move out: launch one of the offerings, taint, evict one by one, take the empty nodes away.
    pub(super) fn carry_out(&mut self, planned: &Move) {
        let gone: BTreeSet<&str> = planned.remove.iter().map(|node| node.name.as_str()).collect();
        let model = self.machines.iter().find(|machine| gone.contains(machine.node.name.as_str())).unwrap().node.clone();
        for launch in &planned.launch {
            let offering = &launch.offerings[self.rng.usize(..launch.offerings.len())];
            let name = self.launch(&model, offering);
            self.meant.insert(name, launch.needs.clone());
        }
        self.schedule();
        let going: Vec<usize> = (0..self.machines.len()).filter(|at| gone.contains(self.machines[*at].node.name.as_str())).collect();
        going.iter().for_each(|at| self.machines[*at].tainted = true);
        let mut queue: Vec<(usize, usize)> = Vec::new();
        for at in &going {
            let moving = |class: &&usize| self.classes[**class].moves();
            queue.extend(self.machines[*at].pods.iter().filter(moving).map(|class| (*at, *class)));
        }
        self.rng.shuffle(&mut queue);
        for (at, class) in queue {
            let place = self.machines[at].pods.iter().position(|other| *other == class).unwrap();
            self.machines[at].pods.remove(place);
            self.pending.push(class);
            self.schedule();
        }
        self.machines.retain(|machine| !gone.contains(machine.node.name.as_str()));
        self.schedule();
    }

    fn launch(&mut self, model: &SnapshotNode, offering: &domain::offering::Offering) -> String {
        let number = 50_000 + self.launched;
        self.launched += 1;
        let capacity: CapacityType = offering.pool.capacity;
        assert!(market().offer(&offering.pool).is_some());
        let mut node = super::world::node_in(number, offering.pool.instance_type.as_str(), offering.pool.zone.as_str(), capacity, &[]);
        for (key, value) in &model.labels {
            node.labels.entry(key.clone()).or_insert_with(|| value.clone());
        }
        node.taints.clone_from(&model.taints);
        let daemons = (0..self.classes.len()).filter(|class| {
            let class = &self.classes[*class];
            class.daemon && class.scheduling.allows_node(node.name.as_str(), &node.labels, &node.taints)
        });
        let pods = daemons.collect();
        let name = node.name.to_string();
        self.machines.push(Machine { node, tainted: false, pods });
        name
    }
}

fn selects(term: &PodTerm, owner: &PodClass, other: &PodClass) -> bool {
    let there = if term.namespaces.is_empty() { other.namespace == owner.namespace } else { term.namespaces.contains(&other.namespace) };
    (term.any_namespace || there) && term.selector.as_ref().is_some_and(|selector| selector.selects(&other.labels))
}
