//! The life of pods.

use super::agenda::Due;
use super::happened::{Cause, What};
use super::spec::PodShape;
use super::state::{Kube, Pod, State};
use domain::ids::NodeName;
use domain::pod::{Controller, PodDetail, PodPhase, PodRef, PodView};
use domain::scheduling::{Resources, Scheduling};
use domain::sizing::ContainerState;
use jiff::SignedDuration;
use std::collections::BTreeMap;
use std::sync::Arc;

/// What a new pod is made of.
#[derive(Debug, Clone)]
pub(crate) struct PodBirth {
    pub(crate) namespace: String,
    pub(crate) name: String,
    pub(crate) workload: Option<usize>,
    pub(crate) controller: Option<Controller>,
    pub(crate) ordinal: u32,
    pub(crate) shape: Arc<PodShape>,
    pub(crate) mirror: bool,
}

impl Pod {
    pub(crate) fn view(&self) -> PodView {
        PodView {
            pod: self.pod.clone(),
            node: self.node.clone(),
            phase: self.phase,
            ready: self.ready,
            controller: self.controller.clone(),
            mirror: self.mirror,
            empty_dir: self.shape.empty_dir,
            deletion_at: self.deletion_at,
            grace_s: self.shape.grace_s,
            priority: self.shape.priority,
            do_not_disrupt: self.shape.do_not_disrupt,
            labels: self.shape.labels.clone(),
            cpu_millis: self.shape.cpu_millis,
            memory_bytes: self.shape.memory_bytes,
        }
    }
}

impl Pod {
    fn detail(&self, containers: Vec<ContainerState>) -> PodDetail {
        let shape = &self.shape;
        let requests = Resources { cpu_millis: shape.cpu_millis, memory_bytes: shape.memory_bytes, extended: shape.extended.clone() };
        let scheduling = Scheduling { volume_zones: None, pinned: false, volumes: 0, ..shape.scheduling.clone() };
        PodDetail { view: self.view(), requests, scheduling, claims: self.claims.clone(), started_at: self.bound_at, containers }
    }
}

impl Kube {
    /// Every pod with what it asks of a node.
    pub(crate) fn details(&self) -> impl Iterator<Item = PodDetail> {
        self.pods.values().map(|pod| pod.detail(self.containers_of(pod).containers))
    }
}

impl State {
    /// Makes a pod that waits for a node.
    pub(crate) fn new_pod(&mut self, cluster: usize, birth: PodBirth) -> u64 {
        let key = self.serial();
        let pod = Pod {
            pod: PodRef { namespace: birth.namespace, name: birth.name, uid: self.pod_uid() },
            workload: birth.workload,
            controller: birth.controller,
            ordinal: birth.ordinal,
            shape: birth.shape,
            node: None,
            phase: PodPhase::Pending,
            ready: false,
            mirror: birth.mirror,
            deletion_at: None,
            deletion_grace_s: 0,
            ends_at: None,
            created_at: self.now,
            bound_at: None,
            claims: Vec::new(),
            annotations: BTreeMap::new(),
            rv: 0,
        };
        if let Some(kube) = self.clusters.get_mut(cluster) {
            kube.pods.insert(key, pod);
            kube.claim(key);
            kube.pod_changed(key, "ADDED");
        }
        key
    }

    /// Puts a pod on a node. `at_once`: it has been ready there for long.
    pub(crate) fn bind(&mut self, cluster: usize, key: u64, node: &NodeName, at_once: bool) {
        let now = self.now;
        let Some(kube) = self.clusters.get_mut(cluster) else { return };
        let since = kube.nodes.get(node).map(|node| node.created_at).filter(|_| at_once);
        let Some(pod) = kube.pods.bind(key, node) else { return };
        pod.bound_at = Some(since.unwrap_or(now));
        pod.phase = PodPhase::Running;
        pod.ready = at_once && !pod.shape.never_ready;
        let (ready, start) = (pod.ready || pod.shape.never_ready, SignedDuration::from_secs(pod.shape.start_s.into()));
        kube.provision(key);
        kube.pod_changed(key, "MODIFIED");
        if !ready {
            self.plan(self.after(start), Due::PodReady(cluster, key));
        }
    }

    pub(crate) fn pod_ready(&mut self, cluster: usize, key: u64) {
        let Some(kube) = self.clusters.get_mut(cluster) else { return };
        let dead = |node: &NodeName| kube.nodes.get(node).is_none_or(|node| node.dead);
        let runs = kube.pods.get(&key).is_some_and(|pod| pod.active() && pod.node.as_ref().is_some_and(|node| !dead(node)));
        if let Some(pod) = kube.pods.get_mut(&key).filter(|_| runs) {
            pod.ready = true;
            let rolling = pod.workload.and_then(|index| kube.workloads.get(index)).is_some_and(|workload| workload.rolling);
            kube.pod_changed(key, "MODIFIED");
            if rolling {
                self.soon(cluster);
            }
        }
    }

    /// Asks a pod to go within this grace. A later call can only shorten it. The history is the caller's.
    pub(crate) fn pod_goes(&mut self, cluster: usize, key: u64, grace_s: u32, cause: Cause) {
        let now = self.now;
        let at = |seconds: u32| now.checked_add(SignedDuration::from_secs(seconds.into())).unwrap_or(now);
        let Some(kube) = self.clusters.get_mut(cluster) else { return };
        let Some(pod) = kube.pods.get(&key) else { return };
        let dead = pod.node.as_ref().is_some_and(|node| kube.nodes.get(node).is_none_or(|node| node.dead));
        if pod.node.is_none() || pod.finished() || pod.mirror || grace_s == 0 {
            return self.pod_vanishes(cluster, key, cause);
        }
        let ends = at(grace_s.min(pod.shape.exit_s));
        let was_healthy = pod.healthy();
        let Some(pod) = kube.pods.get_mut(&key) else { return };
        if pod.deletion_at.is_some_and(|set| set <= at(grace_s)) {
            return;
        }
        pod.deletion_at = Some(at(grace_s));
        pod.deletion_grace_s = grace_s;
        if !dead {
            let ends = pod.ends_at.map_or(ends, |set| set.min(ends));
            pod.ends_at = Some(ends);
            self.plan(ends, Due::PodGone(cluster, key));
        }
        if let Some(kube) = self.clusters.get_mut(cluster) {
            kube.pod_changed(key, "MODIFIED");
        }
        if was_healthy {
            self.check_budgets(cluster, key, cause);
        }
        self.soon(cluster);
    }

    /// The object goes at once.
    fn pod_vanishes(&mut self, cluster: usize, key: u64, cause: Cause) {
        let Some(kube) = self.clusters.get_mut(cluster) else { return };
        let was_healthy = kube.pods.get(&key).is_some_and(Pod::healthy);
        if let Some(pod) = kube.pods.get_mut(&key).filter(|_| was_healthy) {
            pod.ready = false;
            self.check_budgets(cluster, key, cause);
        }
        let Some(pod) = self.clusters.get_mut(cluster).and_then(|kube| kube.drop_pod(key)) else { return };
        if let (true, Some(node)) = (pod.mirror, pod.node.clone()) {
            // The kubelet shows its static pod to the API server anew.
            let birth = PodBirth {
                namespace: pod.pod.namespace.clone(),
                name: pod.pod.name.clone(),
                workload: None,
                controller: pod.controller.clone(),
                ordinal: 0,
                shape: pod.shape.clone(),
                mirror: true,
            };
            let again = self.new_pod(cluster, birth);
            self.bind(cluster, again, &node, true);
        }
        self.note(Some(cluster), What::PodGone { pod: pod.pod, node: pod.node });
        self.soon(cluster);
    }

    pub(crate) fn pod_gone(&mut self, cluster: usize, key: u64) {
        let due = |pod: &Pod| pod.ends_at.is_some_and(|ends| ends <= self.now);
        if !self.clusters.get(cluster).and_then(|kube| kube.pods.get(&key)).is_some_and(due) {
            return;
        }
        if let Some(pod) = self.clusters.get_mut(cluster).and_then(|kube| kube.drop_pod(key)) {
            self.note(Some(cluster), What::PodGone { pod: pod.pod, node: pod.node });
        }
        self.soon(cluster);
    }
}
