//! What is judged while it happens, because it cannot be seen afterwards: where pods are bound.

use super::World;
use super::state::{Pod, State};
use crate::checkers::placement;
use domain::ids::{ClusterId, NodeName};
use domain::pod::Controller;
use std::collections::BTreeMap;

/// How many pods wait for a node, by namespace and controller (or, without one, by name). Pods that are made anew have other names,
/// so this is what can be compared.
pub type Pending = BTreeMap<String, usize>;

/// What waits now and did not before, in words.
pub fn newly_pending(before: &Pending, after: &Pending) -> Vec<String> {
    let more = after.iter().filter_map(|(who, count)| {
        let had = before.get(who).copied().unwrap_or(0);
        (*count > had).then(|| format!("{who}: {count} pods wait for a node, {had} did before"))
    });
    more.collect()
}

fn whose(pod: &Pod) -> String {
    match &pod.controller {
        Some(Controller { kind, name }) => format!("{kind} {}/{name}", pod.pod.namespace),
        None => format!("Pod {}", pod.pod),
    }
}

impl World {
    /// Pods that wait for a node, counted by what makes them.
    pub fn pending(&self, cluster: &ClusterId) -> Pending {
        self.with(|state| {
            let mut pending = Pending::new();
            for (_, pod) in state.clusters[state.known(cluster)].pods.unbound().filter(|(_, pod)| pod.active()) {
                *pending.entry(whose(pod)).or_default() += 1;
            }
            pending
        })
    }

    /// From now on judges every binding of the scheduler, pod by pod. Slow: for clusters of some hundred pods.
    pub fn judge_bindings(&self, cluster: &ClusterId) {
        self.with(|state| {
            let cluster = state.known(cluster);
            state.clusters[cluster].judged = true;
        });
    }

    /// The constraints that bindings have violated since they are judged. Each in a sentence.
    pub fn misplaced(&self, cluster: &ClusterId) -> Vec<String> {
        self.with(|state| state.clusters[state.known(cluster)].misplaced.clone())
    }
}

impl State {
    /// A pod is about to be bound.
    pub(crate) fn judge_binding(&mut self, cluster: usize, key: u64, node: &NodeName) {
        let Some(kube) = self.clusters.get_mut(cluster).filter(|kube| kube.judged) else { return };
        let (Some(pod), Some(node)) = (kube.pods.get(&key), kube.nodes.get(node)) else { return };
        let mut broken = placement::broken(kube, pod, node);
        kube.misplaced.append(&mut broken);
    }
}
