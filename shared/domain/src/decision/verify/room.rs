//! Whether what comes is large enough for what has to move. Sums and single pods are looked at here; the exact placement is the
//! planner's work, and the API server's in the end.

use super::nodes::Nodes;
use super::offerings::moved_classes;
use super::{Reference, Refusals, Rule};
use crate::decision::{DecisionAnswer, DecisionRequest, LaunchSpec, Move};
use crate::ids::InstanceType;
use crate::scheduling::Resources;
use crate::snapshot::{PodClass, SnapshotNode};
use std::collections::BTreeMap;

/// What pods ask of the disk of a node.
const DISK: &str = "ephemeral-storage";
/// GPUs, as the plugin of their vendor names them.
const GPU: &str = "nvidia.com/gpu";

/// What a node of a type can hold.
#[derive(Clone, Default)]
struct Size {
    room: Resources,
    pods: u32,
}

pub(super) fn check(request: &DecisionRequest, answer: &DecisionAnswer, known: Reference<'_>, nodes: &Nodes<'_>, refusals: &mut Refusals) {
    let sizes = Sizes::new(known, nodes);
    let mut staying: Vec<(&SnapshotNode, Resources)> =
        nodes.staying().filter(|node| node.ready && !node.unschedulable).map(|node| (node, free(request, node))).collect();
    // Roomiest first: whoever looks for a place finds it soon.
    staying.sort_by_key(|(_, free)| std::cmp::Reverse(free.cpu_millis));
    // All moves together, for they are made in any order: a pod of one may land where another makes more room than its own pods take.
    let (mut room, mut need) = (Resources::default(), Resources::default());
    staying.iter().for_each(|(_, free)| room.add(free, 1));
    let mut spare = Vec::with_capacity(answer.execution_plan.len());
    for step in &answer.execution_plan {
        let (mut come, moved) = (Resources::default(), moved(request, nodes, step));
        step.launch.iter().for_each(|launch| come.add(&launch.needs, 1));
        room.add(&come, 1);
        need.add(&moved, 1);
        come.take(&moved, 1);
        spare.push(come);
    }
    if !room.covers(&need) {
        refusals.add(Rule::NoRoom, "moves", "the pods that the moves displace have no room on what comes and what stays".to_owned());
    }
    for (index, step) in answer.execution_plan.iter().enumerate() {
        let object = format!("move {index}");
        step.launch.iter().for_each(|launch| fits(launch, &sizes, &object, refusals));
        for class in moved_classes(request, nodes, step) {
            let new = step.launch.iter().any(|launch| launch.needs.covers(&class.requests));
            let stays = || staying.iter().any(|(node, free)| takes(node, free, class));
            if !new && !stays() && !spare.iter().any(|spare| spare.covers(&class.requests)) {
                let why = format!("no node has room for a single pod of {}/{}", class.namespace, name(class));
                refusals.add(Rule::NoRoom, &object, why);
            }
        }
    }
}

fn name(class: &PodClass) -> &str {
    class.controller.as_ref().map_or("?", |controller| &controller.name)
}

fn takes(node: &SnapshotNode, free: &Resources, class: &PodClass) -> bool {
    free.covers(&class.requests) && class.scheduling.allows_node(node.name.as_str(), &node.labels, &node.taints)
}

/// What is to run on a launched node must fit on each of the types that it may be.
fn fits(launch: &LaunchSpec, sizes: &Sizes<'_>, object: &str, refusals: &mut Refusals) {
    for offering in &launch.offerings {
        let name = &offering.pool.instance_type;
        let mut size = sizes.of(name);
        // How large its root volume will be is the template's business.
        if let Some(disk) = launch.needs.extended.get(DISK) {
            size.room.extended.insert(DISK.to_owned(), *disk);
        }
        if !size.room.covers(&launch.needs) || size.pods < launch.pods {
            let why = format!(
                "{name} has no room for {} pods with {} mCPU and {} bytes of memory",
                launch.pods, launch.needs.cpu_millis, launch.needs.memory_bytes
            );
            return refusals.add(Rule::NoRoom, object, why);
        }
    }
}

/// What the pods of the nodes that go ask for, DaemonSets' and static ones left out.
fn moved(request: &DecisionRequest, nodes: &Nodes<'_>, step: &Move) -> Resources {
    let mut sum = Resources::default();
    for node in step.remove.iter().filter_map(|identity| nodes.get(&identity.name)) {
        for placed in &node.pods {
            if let Some(class) = request.snapshot.classes.get(placed.class as usize).filter(|class| class.moves()) {
                sum.add(&class.requests, placed.count.into());
            }
        }
    }
    sum
}

/// What is not asked for yet on a node.
fn free(request: &DecisionRequest, node: &SnapshotNode) -> Resources {
    let mut free = node.allocatable.clone();
    for placed in &node.pods {
        if let Some(class) = request.snapshot.classes.get(placed.class as usize) {
            free.take(&class.requests, placed.count.into());
        }
    }
    free
}

/// Sizes of types: as the catalogue works them out, or as a running node shows them, whichever is larger.
struct Sizes<'a> {
    known: Reference<'a>,
    seen: BTreeMap<&'a InstanceType, Size>,
    /// The most pods of any node: a cluster whose network plugin hands out prefixes allows more than the catalogue says.
    pods: u32,
}

impl<'a> Sizes<'a> {
    fn new(known: Reference<'a>, nodes: &Nodes<'a>) -> Sizes<'a> {
        let mut seen: BTreeMap<&InstanceType, Size> = BTreeMap::new();
        for (pool, node) in nodes.all().filter_map(|node| Some((node.pool.as_ref()?, node))) {
            let size = seen.entry(&pool.instance_type).or_default();
            size.room.cpu_millis = size.room.cpu_millis.max(node.allocatable.cpu_millis);
            size.room.memory_bytes = size.room.memory_bytes.max(node.allocatable.memory_bytes);
            size.pods = size.pods.max(node.pods_max);
            for (name, amount) in &node.allocatable.extended {
                let most = size.room.extended.entry(name.clone()).or_default();
                *most = (*most).max(*amount);
            }
        }
        let pods = nodes.all().map(|node| node.pods_max).max().unwrap_or(0);
        Sizes { known, seen, pods }
    }

    fn of(&self, name: &InstanceType) -> Size {
        let mut size = self.seen.get(name).cloned().unwrap_or_default();
        if let Some(info) = (self.known.type_of)(name) {
            size.room.cpu_millis = size.room.cpu_millis.max(info.allocatable_cpu_millis);
            size.room.memory_bytes = size.room.memory_bytes.max(info.allocatable_memory_bytes);
            size.pods = size.pods.max(info.pods_max).max(self.pods);
            size.room.extended.entry(GPU.to_owned()).or_insert_with(|| info.gpu_count.into());
        }
        size
    }
}
