//! Groups pods by equivalence class while they come in. What is held grows with the classes and the nodes, not with the pods.
//!
//! Which labels count is known only when every selector was seen, and selectors stand in the pods themselves. So classes are kept
//! fine at first, by all labels; where that makes too many of them, labels that tell most pods apart and that no selector is
//! known to look at are dropped. Should one of those be looked at after all, [`SnapshotBuilder::needs_another_pass`] says so: the
//! list is read once more, and this time the label is kept.

use super::{Placed, PodClass};
use crate::catalog::Arch;
use crate::ids::NodeName;
use crate::pod::{ClaimView, Controller, PodBudget, PodDetail};
use crate::ports::PodSink;
use crate::scheduling::{NAME_FIELD, Scheduling};
use jiff::{SignedDuration, Timestamp};
use labels::Labels;
use std::collections::{BTreeMap, HashMap};

mod defaults;
mod fingerprint;
mod labels;
mod volumes;

use volumes::Volumes;

/// Classes that are held before labels are looked through for what tells too many pods apart. A cluster of 5,000 nodes has some
/// hundred kinds of pod.
const CLASSES_BEFORE_COARSER: usize = 4_096;

/// What runs on one node.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct OnNode {
    /// Its pods, by class.
    pub pods: Vec<Placed>,
    /// When a pod was last bound to it or asked to leave it, as far as is known.
    pub last_pod_event_at: Option<Timestamp>,
}

/// All pods, grouped.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Grouped {
    /// The classes, by namespace and controller.
    pub classes: Vec<PodClass>,
    /// Pods that no node has taken yet.
    pub pending: Vec<Placed>,
    /// The others, by node.
    pub nodes: BTreeMap<NodeName, OnNode>,
}

/// Takes the pods of a cluster one by one. Read budgets and claims before it is made.
#[derive(Debug)]
pub struct SnapshotBuilder {
    volumes: Volumes,
    labels: Labels,
    classes: Vec<PodClass>,
    /// Classes by fingerprint: those that share one are compared.
    by_fingerprint: HashMap<u64, Vec<u32>>,
    nodes: HashMap<NodeName, Tally>,
    pending: BTreeMap<u32, u32>,
    coarser_at: usize,
}

#[derive(Debug, Default)]
struct Tally {
    pods: BTreeMap<u32, u32>,
    last: Option<Timestamp>,
}

impl SnapshotBuilder {
    /// `claims` is `None` where they could not be read: pods with volumes then count as bound to where they are.
    pub fn new(budgets: &[PodBudget], claims: Option<Vec<ClaimView>>) -> Self {
        let mut labels = Labels::default();
        for budget in budgets {
            labels.look(Some(&budget.namespace), budget.selector.as_ref());
        }
        Self {
            volumes: Volumes::new(claims),
            labels,
            classes: Vec::new(),
            by_fingerprint: HashMap::new(),
            nodes: HashMap::new(),
            pending: BTreeMap::new(),
            coarser_at: CLASSES_BEFORE_COARSER,
        }
    }

    /// Whether a selector turned out to look at a label that had been dropped by then. If so: [`PodSink::restart`], and read the
    /// pods once more. What was learned of selectors is kept, so that it seldom takes more than two passes.
    pub fn needs_another_pass(&self) -> bool {
        self.labels.missed()
    }

    /// How many classes there are at the moment.
    pub fn class_count(&self) -> usize {
        self.classes.len()
    }

    /// The pods, grouped. `arch_of` tells what a node runs on: images that run there are known to be built for it.
    pub fn finish(mut self, arch_of: impl Fn(&NodeName) -> Option<Arch>) -> Grouped {
        defaults::spread(&mut self.classes, &mut self.labels);
        self.regroup();
        for (node, tally) in &self.nodes {
            let Some(arch) = arch_of(node) else { continue };
            for class in tally.pods.keys() {
                if let Some(class) = self.classes.get_mut(*class as usize).filter(|class| !class.arches.contains(&arch)) {
                    class.arches.push(arch);
                }
            }
        }
        for class in &mut self.classes {
            class.arches.extend(named_arches(&class.scheduling));
            class.arches.sort_unstable();
            class.arches.dedup();
        }
        self.in_order()
    }

    /// Sorted, so that the same cluster makes the same snapshot whatever order its pods came in.
    fn in_order(self) -> Grouped {
        let mut order: Vec<(u64, u32, PodClass)> =
            self.classes.into_iter().zip(0..).map(|(class, old)| (fingerprint::of(&class), old, class)).collect();
        order.sort_by(|(print_a, _, a), (print_b, _, b)| {
            (&a.namespace, &a.controller, print_a).cmp(&(&b.namespace, &b.controller, print_b))
        });
        let renamed: HashMap<u32, u32> = order.iter().zip(0..).map(|((_, old, _), new)| (*old, new)).collect();
        let placed = |counts: BTreeMap<u32, u32>| {
            let mut placed: Vec<Placed> =
                counts.into_iter().filter_map(|(class, count)| Some(Placed { class: renamed.get(&class).copied()?, count })).collect();
            placed.sort_unstable();
            placed
        };
        Grouped {
            pending: placed(self.pending),
            nodes: self
                .nodes
                .into_iter()
                .map(|(name, tally)| (name, OnNode { pods: placed(tally.pods), last_pod_event_at: tally.last }))
                .collect(),
            classes: order.into_iter().map(|(_, _, class)| class).collect(),
        }
    }

    fn class(&mut self, class: PodClass) -> u32 {
        let candidates = self.by_fingerprint.entry(fingerprint::of(&class)).or_default();
        let known = candidates.iter().find(|index| self.classes.get(**index as usize) == Some(&class));
        if let Some(known) = known {
            return *known;
        }
        let index = u32::try_from(self.classes.len()).unwrap_or(u32::MAX);
        candidates.push(index);
        self.classes.push(class);
        index
    }

    /// Makes classes coarser by labels that tell too many pods apart, until half as many are left or no such label is.
    fn coarsen(&mut self) {
        let goal = self.classes.len() / 2;
        while self.classes.len() > goal && self.labels.drop_most_distinct(&self.classes) {
            self.regroup();
        }
        self.coarser_at = CLASSES_BEFORE_COARSER.max(self.classes.len() * 2);
    }

    /// Projects the labels of all classes onto those that are kept by now, and joins what became alike.
    fn regroup(&mut self) {
        let classes = std::mem::take(&mut self.classes);
        self.by_fingerprint.clear();
        let mut renamed = Vec::with_capacity(classes.len());
        for mut class in classes {
            self.labels.project(&class.namespace, &mut class.labels);
            renamed.push(self.class(class));
        }
        let rename = |counts: &mut BTreeMap<u32, u32>| {
            for (class, count) in std::mem::take(counts) {
                if let Some(new) = renamed.get(class as usize) {
                    let sum = counts.entry(*new).or_default();
                    *sum = sum.saturating_add(count);
                }
            }
        };
        self.nodes.values_mut().for_each(|tally| rename(&mut tally.pods));
        rename(&mut self.pending);
    }

    fn class_of(&mut self, pod: PodDetail) -> PodClass {
        let PodDetail { view, requests, mut scheduling, claims, started_at: _, containers: _ } = pod;
        let controller = match view.mirror {
            // The controller of a static pod is its node: that would be a class for each node.
            true => Some(Controller { kind: "Node".into(), name: "node".into() }),
            false => view.controller,
        };
        let daemon = controller.as_ref().is_some_and(|owner| owner.kind == "DaemonSet");
        if daemon {
            forget_own_node(&mut scheduling);
        }
        self.labels.look_all(&view.pod.namespace, &scheduling);
        self.volumes.put(&view.pod.namespace, &claims, &mut scheduling);
        let mut labels = view.labels;
        self.labels.project(&view.pod.namespace, &mut labels);
        PodClass {
            namespace: view.pod.namespace,
            controller,
            labels,
            requests,
            scheduling,
            priority: view.priority,
            grace_s: view.grace_s,
            do_not_disrupt: view.do_not_disrupt,
            daemon,
            mirror: view.mirror,
            empty_dir: view.empty_dir,
            arches: Vec::new(),
            usage: None,
        }
    }
}

impl PodSink for SnapshotBuilder {
    fn pod(&mut self, pod: PodDetail) {
        let (finished, asked_to_go) = (pod.view.finished(), asked_to_go_at(&pod));
        if let Some(node) = &pod.view.node {
            let last = pod.started_at.max(asked_to_go);
            match self.nodes.get_mut(node) {
                Some(tally) => tally.last = tally.last.max(last),
                None => {
                    self.nodes.insert(node.clone(), Tally { pods: BTreeMap::new(), last });
                }
            }
        }
        if finished {
            return;
        }
        let node = pod.view.node.clone();
        if node.is_none() && asked_to_go.is_some() {
            return;
        }
        let class = self.class_of(pod);
        let class = self.class(class);
        let counts = match &node {
            Some(node) => self.nodes.get_mut(node).map(|tally| &mut tally.pods),
            None => Some(&mut self.pending),
        };
        if let Some(counts) = counts {
            let count = counts.entry(class).or_default();
            *count = count.saturating_add(1);
        }
        if self.classes.len() > self.coarser_at {
            self.coarsen();
        }
    }

    fn restart(&mut self) {
        self.labels.next_pass();
        self.classes.clear();
        self.by_fingerprint.clear();
        self.nodes.clear();
        self.pending.clear();
        self.coarser_at = CLASSES_BEFORE_COARSER;
    }
}

/// When a pod was asked to go. The API server stamps it with when its grace ends.
fn asked_to_go_at(pod: &PodDetail) -> Option<Timestamp> {
    let grace = SignedDuration::from_secs(i64::from(pod.view.grace_s));
    pod.view.deletion_at.map(|at| at.checked_sub(grace).unwrap_or(at))
}

/// The DaemonSet controller writes the node of each pod into its affinity: that would be a class for each node.
fn forget_own_node(scheduling: &mut Scheduling) {
    for term in &mut scheduling.required_nodes {
        let had = term.0.len();
        term.0.retain(|need| need.key != NAME_FIELD);
        if term.0.is_empty() && had > 0 {
            // What is left of this alternative holds for every node.
            scheduling.required_nodes.clear();
            return;
        }
    }
}

/// What a pod's own constraints say it runs on.
fn named_arches(scheduling: &Scheduling) -> Vec<Arch> {
    const KEY: &str = "kubernetes.io/arch";
    let terms = scheduling.required_nodes.iter().flat_map(|term| &term.0);
    let needed = terms.filter(|need| need.key == KEY && need.operator == crate::scheduling::NodeOperator::In).flat_map(|need| &need.values);
    let names = scheduling.node_selector.get(KEY).into_iter().chain(needed);
    names.filter_map(|name| [Arch::Amd64, Arch::Arm64].into_iter().find(|arch| arch.as_str() == name)).collect()
}

#[cfg(test)]
mod tests;
