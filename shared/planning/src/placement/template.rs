//! What a node that is launched will look like.

use super::compile::{HOSTNAME, amounts, is_zone};
use super::{CPU, Index, MEMORY, PODS, VOLUMES, VOLUMES_MAX};
use domain::catalog::{Arch, TypeInfo};
use domain::ids::Zone;
use domain::node::{DISRUPTION_TAINT, Taint};
use domain::offering::CapacityType;
use domain::scheduling::NAME_FIELD;
use domain::snapshot::{PodClass, SnapshotNode};
use std::collections::BTreeMap;

/// Labels that say how a node was bought. Whoever sets them does it by his own rules: a node that is bought otherwise has none.
const CAPACITY_LABELS: [&str; 4] =
    ["karpenter.sh/capacity-type", "eks.amazonaws.com/capacityType", "node.kubernetes.io/lifecycle", "node-role.kubernetes.io/spot"];
/// Labels that hold the name of the type.
const TYPE_LABELS: [&str; 2] = ["node.kubernetes.io/instance-type", "beta.kubernetes.io/instance-type"];
/// Labels that hold the instruction set.
const ARCH_LABELS: [&str; 2] = ["kubernetes.io/arch", "beta.kubernetes.io/arch"];

/// The name of the disk among resources.
const DISK: &str = "ephemeral-storage";

/// Nodes that are made alike: a node launched for one can stand in for another.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct Kind {
    /// Labels that some pod looks at, without those that follow from instance and zone.
    labels: BTreeMap<String, String>,
    /// Taints, without those that come and go.
    taints: Vec<(String, String, String)>,
    /// What its static pods take, by dimension.
    fixed: Vec<i64>,
    /// Its disk, where any pod asks for disk.
    disk: Option<u64>,
    /// How it was bought: labels may follow from it.
    spot: bool,
}

/// A node to be.
#[derive(Debug, Clone)]
pub struct Template {
    /// A name that no node has.
    pub name: String,
    /// Labels.
    pub labels: BTreeMap<String, String>,
    /// Taints.
    pub taints: Vec<Taint>,
    /// Its zone.
    pub zone: Zone,
    /// What is allocatable, by dimension, before its companions.
    pub allocatable: Vec<i64>,
    /// Pods that will be there by themselves: DaemonSets' and static ones.
    pub companions: Vec<(usize, u32)>,
}

impl Template {
    /// What is left for pods that move there, by dimension.
    pub fn room(&self, index: &Index<'_>) -> Vec<i64> {
        let taken = index.demand(&self.companions);
        self.allocatable.iter().zip(taken).map(|(whole, taken)| whole - taken).collect()
    }
}

/// Whether a taint comes and goes with the state of the node.
fn passing(taint: &Taint) -> bool {
    taint.key.starts_with("node.kubernetes.io/")
        || taint.key == DISRUPTION_TAINT
        || taint.key.starts_with("node.cloudprovider.kubernetes.io/")
}

/// Whether a label follows from instance and zone.
fn follows(key: &str) -> bool {
    key == HOSTNAME || is_zone(key) || TYPE_LABELS.contains(&key) || ARCH_LABELS.contains(&key) || CAPACITY_LABELS.contains(&key)
}

impl Index<'_> {
    /// How a node is made, as far as any pod can tell.
    pub fn kind(&self, node: &SnapshotNode) -> Kind {
        let told = |key: &String| (self.labels.contains(key.as_str()) || self.keys.contains(&key.as_str())) && !follows(key);
        let labels = node.labels.iter().filter(|(key, _)| told(key)).map(|(key, value)| (key.clone(), value.clone())).collect();
        let mut taints: Vec<_> =
            node.taints.iter().filter(|t| !passing(t)).map(|t| (t.key.clone(), t.value.clone(), t.effect.clone())).collect();
        taints.sort();
        let fixed: Vec<(usize, u32)> = self.fixed(node).collect();
        let disk = self.extended.contains(&DISK).then(|| node.allocatable.extended.get(DISK).copied().unwrap_or(0));
        let spot = node.pool.as_ref().is_some_and(|pool| pool.capacity == CapacityType::Spot);
        Kind { labels, taints, fixed: self.demand(&fixed), disk, spot }
    }

    /// A node of this type in this zone, made like `model`.
    pub fn template(&self, model: &SnapshotNode, info: &TypeInfo, zone: &Zone, capacity: CapacityType) -> Template {
        let name = format!("new.{}.{}", info.name, zone);
        let same_capacity = model.pool.as_ref().is_some_and(|pool| pool.capacity == capacity);
        let mut labels = model.labels.clone();
        labels.retain(|key, _| same_capacity || !CAPACITY_LABELS.contains(&key.as_str()));
        for (key, value) in &mut labels {
            if key == HOSTNAME {
                // Unique for each launch: the state hands out a domain of its own for it.
                value.clone_from(&name);
            } else if is_zone(key) {
                zone.as_str().clone_into(value);
            } else if TYPE_LABELS.contains(&key.as_str()) {
                info.name.as_str().clone_into(value);
            } else if ARCH_LABELS.contains(&key.as_str()) {
                info.arch.as_str().clone_into(value);
            }
        }
        let taints: Vec<Taint> = model.taints.iter().filter(|taint| !passing(taint)).cloned().collect();
        let mut allocatable = self.amounts_of(model, info);
        allocatable[PODS] = i64::from(info.pods_max);
        allocatable[VOLUMES] = VOLUMES_MAX;
        let companions = self.companions(model, &name, &labels, &taints);
        Template { name, labels, taints, zone: zone.clone(), allocatable, companions }
    }

    /// The disk is the model's, because the launch copies it; of what plugins add, only GPUs are known to come with a type.
    fn amounts_of(&self, model: &SnapshotNode, info: &TypeInfo) -> Vec<i64> {
        let mut whole = amounts(&domain::scheduling::Resources::new(info.allocatable_cpu_millis, info.allocatable_memory_bytes), 0, &[]);
        debug_assert!(whole[CPU] >= 0 && whole[MEMORY] >= 0);
        whole.extend(self.extended.iter().map(|name| match *name {
            DISK => i64::try_from(model.allocatable.extended.get(DISK).copied().unwrap_or(0)).unwrap_or(i64::MAX / 4),
            "nvidia.com/gpu" => i64::from(info.gpu_count),
            _ => 0,
        }));
        whole
    }

    /// Pods that come with the node: one of each DaemonSet that allows it, and the model's static ones.
    fn companions(&self, model: &SnapshotNode, name: &str, labels: &BTreeMap<String, String>, taints: &[Taint]) -> Vec<(usize, u32)> {
        let classes = &self.snapshot.classes;
        let mut daemons: BTreeMap<(&str, &str), usize> = BTreeMap::new();
        for (id, class) in classes.iter().enumerate().filter(|(_, class)| class.daemon && wants(class, name, labels, taints)) {
            let owner = class.controller.as_ref().map_or("", |controller| controller.name.as_str());
            // Two revisions of one DaemonSet: the node gets one, and has room for the larger.
            let best = daemons.entry((&class.namespace, owner)).or_insert(id);
            if self.need(id)[CPU] > self.need(*best)[CPU] || self.need(id)[MEMORY] > self.need(*best)[MEMORY] {
                *best = id;
            }
        }
        daemons.into_values().map(|id| (id, 1)).chain(self.fixed(model)).collect()
    }

    /// A node's static pods.
    fn fixed(&self, node: &SnapshotNode) -> impl Iterator<Item = (usize, u32)> {
        let pods = node.pods.iter().map(|placed| (placed.class as usize, placed.count));
        pods.filter(|(class, _)| self.snapshot.classes[*class].mirror)
    }
}

/// Whether a DaemonSet puts a pod on such a node. Its controller adds tolerations for what comes and goes, and names the node in
/// each pod: both are left aside.
fn wants(class: &PodClass, name: &str, labels: &BTreeMap<String, String>, taints: &[Taint]) -> bool {
    let mut scheduling = class.scheduling.clone();
    for term in &mut scheduling.required_nodes {
        term.0.retain(|need| need.key != NAME_FIELD);
    }
    if scheduling.required_nodes.iter().any(|term| term.0.is_empty()) {
        scheduling.required_nodes.clear();
    }
    scheduling.allows_node(name, labels, taints)
}

/// Whether pods of the class are known to run on this instruction set, or nothing is known of them.
pub(crate) fn runs_on(class: &PodClass, arch: Arch) -> bool {
    class.arches.is_empty() || class.arches.contains(&arch)
}

/// The instruction set of a node, by its label.
pub(crate) fn arch_of(labels: &BTreeMap<String, String>) -> Option<Arch> {
    ARCH_LABELS.iter().find_map(|key| labels.get(*key)).and_then(|word| match word.as_str() {
        "amd64" => Some(Arch::Amd64),
        "arm64" => Some(Arch::Arm64),
        _ => None,
    })
}

/// Whether any pod looks at what follows from the type: then a type cannot stand in for another of its size.
pub(crate) fn looks_at_type(index: &Index<'_>) -> bool {
    index.labels.iter().any(|key| TYPE_LABELS.contains(key) || ARCH_LABELS.contains(key) || CAPACITY_LABELS.contains(key))
}
