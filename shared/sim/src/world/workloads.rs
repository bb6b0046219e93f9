//! Controllers: they make the pods that are missing and take away those that are too many.

use super::happened::{Cause, What};
use super::pods::PodBirth;
use super::scheduler;
use super::state::{Kube, Node, Pod, Sort, State, Workload};
use domain::ids::NodeName;
use domain::workload::{WorkloadKind, WorkloadRef};
use std::collections::{BTreeSet, HashSet};

pub(crate) fn sort_of(kind: WorkloadKind) -> Sort {
    match kind {
        WorkloadKind::Deployment => Sort::Deployment,
        WorkloadKind::StatefulSet => Sort::StatefulSet,
    }
}

impl Kube {
    /// Whether a workload has the pods that it should have: most have, most of the time.
    fn at_rest(&self, index: usize) -> bool {
        let Some(workload) = self.workloads.get(index) else { return true };
        if workload.rolling {
            return false;
        }
        let wanted = workload.replicas as usize;
        match workload.sort {
            Sort::Deployment | Sort::Job => self.pods.of_workload(index).filter(|(_, pod)| pod.active()).count() == wanted,
            Sort::StatefulSet => {
                let active = |pod: &Pod| pod.active() && pod.ordinal < workload.replicas;
                self.pods.of_workload(index).all(|(_, pod)| active(pod)) && self.pods.of_workload(index).count() == wanted
            }
            Sort::DaemonSet => false,
        }
    }
}

impl State {
    /// Controllers and then the scheduler of a cluster react to what has changed.
    pub(crate) fn settle(&mut self, cluster: usize) {
        if let Some(kube) = self.clusters.get_mut(cluster) {
            kube.settling = false;
        }
        self.taint_nodes(cluster);
        self.reconcile(cluster, false);
        self.schedule(cluster, false);
    }

    /// Lets every controller of a cluster look at its pods. `at_once`: as if it had been so for long.
    pub(crate) fn reconcile(&mut self, cluster: usize, at_once: bool) {
        for index in 0..self.clusters.get(cluster).map_or(0, |kube| kube.workloads.len()) {
            let Some(kube) = self.clusters.get(cluster) else { return };
            if kube.at_rest(index) {
                continue;
            }
            let Some(workload) = kube.workloads.get(index).cloned() else { return };
            if workload.rolling && self.roll(cluster, index, &workload) {
                continue;
            }
            match workload.sort {
                Sort::Deployment | Sort::Job => self.reconcile_deployment(cluster, index, &workload),
                Sort::StatefulSet => self.reconcile_stateful_set(cluster, index, &workload),
                Sort::DaemonSet => self.reconcile_daemon_set(cluster, index, &workload, at_once),
            }
        }
    }

    pub(super) fn birth(workload: &Workload, index: usize, name: String, ordinal: u32) -> PodBirth {
        PodBirth {
            namespace: workload.namespace.clone(),
            name,
            workload: Some(index),
            controller: Some(workload.controller()),
            ordinal,
            shape: workload.shape.clone(),
            mirror: false,
        }
    }

    fn reconcile_deployment(&mut self, cluster: usize, index: usize, workload: &Workload) {
        let Some(kube) = self.clusters.get(cluster) else { return };
        let of = kube.pods.of_workload(index).filter(|(_, pod)| pod.active());
        let mut active: Vec<(bool, bool, u64)> = of.map(|(key, pod)| (pod.node.is_some(), pod.ready, key)).collect();
        let (have, want) = (active.len(), workload.replicas as usize);
        for _ in have..want {
            let name = format!("{}-{}-{}", workload.name, workload.hash, self.suffix(5));
            self.new_pod(cluster, Self::birth(workload, index, name, 0));
        }
        // Unbound first, then those that are not ready, then the youngest: as the ReplicaSet controller chooses.
        active.sort_by_key(|(bound, ready, key)| (*bound, *ready, std::cmp::Reverse(*key)));
        for (_, _, key) in active.into_iter().take(have.saturating_sub(want)) {
            self.pod_goes(cluster, key, workload.shape.grace_s, Cause::Scaled);
        }
    }

    fn reconcile_stateful_set(&mut self, cluster: usize, index: usize, workload: &Workload) {
        let Some(kube) = self.clusters.get(cluster) else { return };
        let there: Vec<(u32, u64, bool)> = kube.pods.of_workload(index).map(|(key, pod)| (pod.ordinal, key, pod.active())).collect();
        let taken: BTreeSet<u32> = there.iter().map(|(ordinal, _, _)| *ordinal).collect();
        // A namesake is made only when the old pod is gone for good: at most one at a time.
        for ordinal in (0..workload.replicas).filter(|ordinal| !taken.contains(ordinal)) {
            self.new_pod(cluster, Self::birth(workload, index, format!("{}-{ordinal}", workload.name), ordinal));
        }
        for (_, key, _) in there.into_iter().filter(|(ordinal, _, active)| *ordinal >= workload.replicas && *active) {
            self.pod_goes(cluster, key, workload.shape.grace_s, Cause::Scaled);
        }
    }

    fn reconcile_daemon_set(&mut self, cluster: usize, index: usize, workload: &Workload, at_once: bool) {
        let Some(kube) = self.clusters.get(cluster) else { return };
        let covered: HashSet<&NodeName> = kube.pods.of_workload(index).filter_map(|(_, pod)| pod.node.as_ref()).collect();
        let selects = |node: &&Node| scheduler::selects(node, &workload.shape.scheduling);
        let bare = kube.nodes.values().filter(|node| !node.dead && !covered.contains(&node.name)).filter(selects);
        let bare: Vec<NodeName> = bare.map(|node| node.name.clone()).collect();
        for node in bare {
            let name = format!("{}-{}", workload.name, self.suffix(5));
            let key = self.new_pod(cluster, Self::birth(workload, index, name, 0));
            self.bind(cluster, key, &node, at_once);
        }
    }

    pub(crate) fn workload(&self, cluster: usize, sort: Sort, namespace: &str, name: &str) -> Option<usize> {
        let workloads = &self.clusters.get(cluster)?.workloads;
        workloads.iter().position(|w| w.sort == sort && w.namespace == namespace && w.name == name)
    }

    /// Sets the replicas of a workload. Says what they were.
    pub(crate) fn scale(&mut self, cluster: usize, of: &WorkloadRef, replicas: u32) -> Option<u32> {
        let index = self.workload(cluster, sort_of(of.kind), &of.namespace, &of.name)?;
        let kube = self.clusters.get_mut(cluster)?;
        let workload = kube.workloads.get_mut(index)?;
        let before = std::mem::replace(&mut workload.replicas, replicas);
        if before != replicas {
            kube.rv += 1;
            workload.rv = kube.rv;
            if workload.deletes_volumes {
                kube.volumes_lost += before.saturating_sub(replicas);
            }
            self.note(Some(cluster), What::Scaled { workload: of.clone(), from: before, to: replicas });
            self.soon(cluster);
        }
        Some(before)
    }
}

impl State {
    /// Changes a workload; its pods are made by the new template from now on.
    pub(crate) fn edit_workload(&mut self, cluster: usize, index: usize, edit: impl FnOnce(&mut Workload)) {
        let Some(kube) = self.clusters.get_mut(cluster) else { return };
        kube.rv += 1;
        let rv = kube.rv;
        if let Some(workload) = kube.workloads.get_mut(index) {
            edit(workload);
            workload.rv = rv;
        }
        self.soon(cluster);
    }
}
