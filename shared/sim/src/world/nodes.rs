//! Node objects: how they change and go.

use super::agenda::Due;
use super::happened::{By, Cause, What};
use super::state::{Kube, Node, Pod, State};
use crate::http::kubernetes::render;
use domain::ids::{InstanceId, NodeName, NodeUid};
use domain::node::{CORDONED_BY, DISRUPTION_TAINT, EXCLUDE_FROM_LOAD_BALANCERS, NodeView, Taint};
use domain::pod::PodPhase;
use serde_json::Value;

/// How many changes a served cluster keeps for watches.
const LOG_MAX: usize = 20_000;

/// What Kubernetes itself puts on an unschedulable node.
const UNSCHEDULABLE_TAINT: &str = "node.kubernetes.io/unschedulable";
/// Says that somebody else had made the node unschedulable before us.
const UNSCHEDULABLE_BEFORE: &str = "cloudoptim.io/unschedulable-before";
/// Says that somebody else had taken the node out of load balancers before us.
const EXCLUDED_BEFORE: &str = "cloudoptim.io/excluded-before";
const NO_SCHEDULE: &str = "NoSchedule";

fn taint(key: &str) -> Taint {
    Taint { key: key.to_owned(), value: String::new(), effect: NO_SCHEDULE.to_owned(), time_added: None }
}

impl Node {
    pub(crate) fn view(&self) -> NodeView {
        NodeView {
            name: self.name.clone(),
            uid: self.uid.clone(),
            provider_id: self.provider_id(),
            labels: self.labels.clone(),
            cordoned_by: self.annotations.get(CORDONED_BY).cloned(),
            taints: self.taints.clone(),
            unschedulable: self.unschedulable,
            ready: self.ready,
            cpu_millis: self.cpu_millis,
            memory_bytes: self.memory_bytes,
            pods_max: self.pods_max,
            extended: self.extended.clone(),
            do_not_disrupt: domain::node::left_alone(&self.annotations),
            created_at: Some(self.created_at),
        }
    }

    /// Puts on what a cordon of ours leaves on a node. A first cordon also notes how others had left it.
    pub(crate) fn cordon(&mut self, plan: &str) {
        if !self.annotations.contains_key(CORDONED_BY) {
            let excluded = self.labels.contains_key(EXCLUDE_FROM_LOAD_BALANCERS);
            for (note, holds) in [(UNSCHEDULABLE_BEFORE, self.unschedulable), (EXCLUDED_BEFORE, excluded)] {
                if holds {
                    self.annotations.insert(note.to_owned(), "true".to_owned());
                }
            }
        }
        self.unschedulable = true;
        if !self.taints.iter().any(|taint| taint.key == DISRUPTION_TAINT && taint.effect == NO_SCHEDULE) {
            self.taints.push(taint(DISRUPTION_TAINT));
        }
        self.labels.insert(EXCLUDE_FROM_LOAD_BALANCERS.to_owned(), "true".to_owned());
        self.annotations.insert(CORDONED_BY.to_owned(), plan.to_owned());
    }

    /// Takes a cordon of ours off again, and leaves what others did. Without one of ours: no change.
    pub(crate) fn uncordon(&mut self) {
        if self.annotations.remove(CORDONED_BY).is_none() {
            return;
        }
        self.taints.retain(|taint| taint.key != DISRUPTION_TAINT);
        if self.annotations.remove(UNSCHEDULABLE_BEFORE).is_none() {
            self.unschedulable = false;
        }
        if self.annotations.remove(EXCLUDED_BEFORE).is_none() {
            self.labels.remove(EXCLUDE_FROM_LOAD_BALANCERS);
        }
    }

    /// The node controller's part: an unschedulable node has its taint, and no other has. Says whether it had something to do.
    fn taint_unschedulable(&mut self) -> bool {
        let has = self.taints.iter().any(|taint| taint.key == UNSCHEDULABLE_TAINT);
        match (self.unschedulable, has) {
            (true, false) => self.taints.push(taint(UNSCHEDULABLE_TAINT)),
            (false, true) => self.taints.retain(|taint| taint.key != UNSCHEDULABLE_TAINT),
            (true, true) | (false, false) => {}
        }
        self.unschedulable != has
    }

    fn same_as(&self, other: &Node) -> bool {
        self.unschedulable == other.unschedulable
            && self.taints == other.taints
            && self.labels == other.labels
            && self.annotations == other.annotations
    }
}

impl Kube {
    fn changed(&mut self, resource: &'static str, kind: &'static str, object: impl FnOnce(&Kube, u64) -> Option<Value>) -> u64 {
        self.rv += 1;
        let rv = self.rv;
        if self.served
            && let Some(object) = object(self, rv)
        {
            self.log.push_back(super::state::Change { rv, resource, kind, object });
            if self.log.len() > LOG_MAX
                && let Some(oldest) = self.log.pop_front()
            {
                self.log_from = oldest.rv;
            }
        }
        rv
    }

    /// Gives a node that was added or changed a new version.
    pub(crate) fn node_changed(&mut self, name: &NodeName, kind: &'static str) {
        let next = self.rv + 1;
        if let Some(node) = self.nodes.get_mut(name) {
            node.rv = next;
        }
        self.changed("nodes", kind, |kube, _| kube.nodes.get(name).map(render::node));
    }

    /// Gives a pod that was added or changed a new version.
    pub(crate) fn pod_changed(&mut self, key: u64, kind: &'static str) {
        let next = self.rv + 1;
        if let Some(pod) = self.pods.get_mut(&key) {
            pod.rv = next;
        }
        self.changed("pods", kind, |kube, _| kube.pods.get(&key).map(|pod| render::pod(pod, kube)));
    }

    /// Removes a pod object.
    pub(crate) fn drop_pod(&mut self, key: u64) -> Option<Pod> {
        self.pod_changed(key, "DELETED");
        self.pods.remove(&key)
    }

    /// Keys of the pods bound to a node.
    pub(crate) fn pods_on(&self, node: &NodeName) -> Vec<u64> {
        self.pods.on(node).map(|(key, _)| key).collect()
    }
}

impl State {
    /// Lets the node controller of a cluster do its part.
    pub(crate) fn taint_nodes(&mut self, cluster: usize) {
        let Some(kube) = self.clusters.get_mut(cluster) else { return };
        let changed: Vec<NodeName> = kube.nodes.values_mut().filter_map(|n| n.taint_unschedulable().then(|| n.name.clone())).collect();
        for name in changed {
            kube.node_changed(&name, "MODIFIED");
        }
    }

    /// Changes the parts of a node that callers may change. Says whether anything changed.
    pub(crate) fn edit_node(&mut self, cluster: usize, name: &NodeName, by: By, edit: impl FnOnce(&mut Node)) -> bool {
        let Some(kube) = self.clusters.get_mut(cluster) else { return false };
        let Some(node) = kube.nodes.get_mut(name) else { return false };
        let before = node.clone();
        edit(node);
        let after = node.clone();
        if after.same_as(&before) {
            return false;
        }
        kube.node_changed(name, "MODIFIED");
        let (node, uid) = (name.clone(), after.uid);
        match (before.unschedulable, after.unschedulable) {
            (false, true) => {
                self.note(Some(cluster), What::Cordoned { node, uid, by, plan: after.annotations.get(CORDONED_BY).cloned() });
            }
            (true, false) => self.note(Some(cluster), What::Uncordoned { node, uid, by }),
            (true, true) | (false, false) => {}
        }
        self.soon(cluster);
        true
    }

    /// The instance behind a node is gone: its pods die, and later the object goes.
    pub(crate) fn node_dies(&mut self, cluster: usize, instance: &InstanceId) {
        let Some(kube) = self.clusters.get_mut(cluster) else { return };
        let Some(node) = kube.nodes.values_mut().find(|node| node.instance == *instance) else { return };
        node.ready = false;
        node.dead = true;
        let (name, uid) = (node.name.clone(), node.uid.clone());
        kube.node_changed(&name, "MODIFIED");
        for key in kube.pods_on(&name) {
            self.pod_dies(cluster, key, &name);
        }
        self.plan(self.after(self.timing.node_removed), Due::NodeRemoved(cluster, uid));
    }

    /// A pod's process dies with its node; its object stays until the node's goes.
    fn pod_dies(&mut self, cluster: usize, key: u64, node: &NodeName) {
        let Some(kube) = self.clusters.get_mut(cluster) else { return };
        let Some(pod) = kube.pods.get_mut(&key) else { return };
        let (was_healthy, ran, asked) = (pod.healthy(), pod.phase == PodPhase::Running, pod.deletion_at.is_some());
        let cut = ran && pod.ends_at.is_some();
        pod.ready = false;
        pod.ends_at = None;
        let (gone, controller) = (pod.pod.clone(), pod.controller.clone());
        let moves = !pod.mirror && controller.as_ref().is_none_or(|c| c.kind != "DaemonSet");
        kube.pod_changed(key, "MODIFIED");
        if ran && !asked && moves {
            self.note(Some(cluster), What::PodLost { pod: gone, node: node.clone(), controller });
        } else if cut && moves {
            self.note(Some(cluster), What::PodCut { pod: gone, node: node.clone() });
        }
        if was_healthy {
            self.check_budgets(cluster, key, Cause::Lost);
        }
    }

    pub(crate) fn cloud_removes_node(&mut self, cluster: usize, uid: &NodeUid) {
        self.remove_node(cluster, uid, By::Aws);
    }

    /// Removes a Node object, and the pods that are bound to it with it.
    pub(crate) fn remove_node(&mut self, cluster: usize, uid: &NodeUid, by: By) {
        let Some(kube) = self.clusters.get_mut(cluster) else { return };
        let Some(name) = kube.nodes.values().find(|node| node.uid == *uid).map(|node| node.name.clone()) else { return };
        let bound = kube.pods_on(&name);
        kube.node_changed(&name, "DELETED");
        let alive = kube.nodes.remove(&name).is_some_and(|node| !node.dead);
        for key in bound {
            if alive {
                self.pod_dies(cluster, key, &name);
            }
            self.clusters.get_mut(cluster).and_then(|kube| kube.drop_pod(key));
        }
        self.note(Some(cluster), What::NodeRemoved { node: name, uid: uid.clone(), by });
        self.soon(cluster);
    }
}
