//! The scheduler: it puts pending pods on nodes with room.

mod node_rules;

pub(crate) use node_rules::selects;

use super::state::{Kube, Node, Pod, State};
use domain::ids::NodeName;
use std::collections::BTreeMap;

/// What is left on a node.
#[derive(Debug, Clone, Copy)]
struct Room {
    cpu: u64,
    memory: u64,
    pods: u32,
}

fn takes(kube: &Kube, node: &Node, pod: &Pod) -> bool {
    let asks = &pod.shape.scheduling;
    let open = node.ready && !node.unschedulable;
    open && node_rules::tolerates(node, asks) && selects(node, asks) && kube.reaches_volumes(pod, node)
}

fn rooms(kube: &Kube) -> BTreeMap<NodeName, Room> {
    let full = |node: &Node| Room { cpu: node.cpu_millis, memory: node.memory_bytes, pods: node.pods_max };
    let mut rooms: BTreeMap<NodeName, Room> = kube.nodes.values().map(|node| (node.name.clone(), full(node))).collect();
    for pod in kube.pods.values().filter(|pod| !pod.finished()) {
        if let Some(room) = pod.node.as_ref().and_then(|node| rooms.get_mut(node)) {
            room.take(pod);
        }
    }
    rooms
}

impl Room {
    fn take(&mut self, pod: &Pod) {
        self.cpu = self.cpu.saturating_sub(pod.shape.cpu_millis);
        self.memory = self.memory.saturating_sub(pod.shape.memory_bytes);
        self.pods = self.pods.saturating_sub(1);
    }

    fn fits(&self, pod: &Pod) -> bool {
        self.cpu >= pod.shape.cpu_millis && self.memory >= pod.shape.memory_bytes && self.pods >= 1
    }
}

impl State {
    /// Binds what can be bound: higher priorities first, then older pods, each to the node with the most CPU left and, among
    /// equals, the first by name.
    pub(crate) fn schedule(&mut self, cluster: usize, at_once: bool) {
        let Some(kube) = self.clusters.get(cluster) else { return };
        let pending = kube.pods.unbound().filter(|(_, pod)| pod.active());
        let mut pending: Vec<(i32, u64)> = pending.map(|(key, pod)| (-pod.shape.priority, key)).collect();
        if pending.is_empty() {
            return;
        }
        pending.sort_unstable();
        let mut rooms = rooms(kube);
        let mut bound: Vec<(u64, NodeName)> = Vec::new();
        for (_, key) in pending {
            let Some(pod) = kube.pods.get(&key) else { continue };
            let mut best: Option<(&NodeName, u64)> = None;
            for (name, room) in &rooms {
                let fits = room.fits(pod) && kube.nodes.get(name).is_some_and(|node| takes(kube, node, pod));
                if fits && best.is_none_or(|(_, cpu)| room.cpu > cpu) {
                    best = Some((name, room.cpu));
                }
            }
            let Some(name) = best.map(|(name, _)| name.clone()) else { continue };
            if let Some(room) = rooms.get_mut(&name) {
                room.take(pod);
            }
            bound.push((key, name));
        }
        for (key, node) in bound {
            self.bind(cluster, key, &node, at_once);
        }
    }
}
