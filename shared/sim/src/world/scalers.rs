//! Objects that have a size: workloads and their autoscalers, as office hours see and change them.

use super::World;
use super::state::{Kube, Scaler, Sort, State, Workload};
use domain::ids::ClusterId;
use domain::office_hours::ORIGINAL;
use domain::ports::ClusterError;
use domain::workload::{Beside, Namespace, Resize, Resized, Scalable, Scalables, ScaleKind, ScaleRef, WorkloadKind, WorkloadRef};
use std::collections::BTreeMap;

/// Everything that can be listed.
const ALL: Beside = Beside { pods: false, cron_jobs: true };

fn kind_of(sort: Sort) -> Option<WorkloadKind> {
    match sort {
        Sort::Deployment => Some(WorkloadKind::Deployment),
        Sort::StatefulSet => Some(WorkloadKind::StatefulSet),
        Sort::DaemonSet | Sort::Job => None,
    }
}

impl Workload {
    fn scalable(&self) -> Option<Scalable> {
        Some(Scalable {
            target: ScaleRef { kind: kind_of(self.sort)?.into(), namespace: self.namespace.clone(), name: self.name.clone() },
            uid: self.uid.clone(),
            created_at: Some(self.created_at),
            size: Some(self.replicas),
            annotations: self.annotations.clone(),
            labels: self.labels.clone(),
            owner: None,
            deletes_volumes: self.deletes_volumes,
            size_max: None,
            scales: None,
            cpu_millis: self.shape.cpu_millis,
            memory_bytes: self.shape.memory_bytes,
        })
    }
}

impl Scaler {
    fn scalable(&self) -> Scalable {
        Scalable {
            target: self.target.clone(),
            uid: self.uid.clone(),
            created_at: Some(self.created_at),
            size: self.size,
            annotations: self.annotations.clone(),
            labels: BTreeMap::new(),
            owner: None,
            deletes_volumes: false,
            size_max: (self.target.kind == ScaleKind::HorizontalPodAutoscaler).then_some(self.size_max),
            scales: self.scales.clone(),
            cpu_millis: 0,
            memory_bytes: 0,
        }
    }
}

impl Kube {
    pub(crate) fn scalables(&self, beside: Beside) -> Scalables {
        let names = self.workloads.iter().map(|workload| &workload.namespace).chain(self.notes.keys());
        let namespace = |name: &String| {
            let annotations = self.notes.get(name).cloned().unwrap_or_default();
            (name.clone(), Namespace { annotations, terminating: self.terminating_namespaces.contains(name) })
        };
        let asks = |pod: &&super::state::Pod| pod.annotations.get("downscaler/force-uptime").is_some_and(|value| value == "true");
        let awake = self.pods.values().filter(|pod| beside.pods && !pod.finished()).filter(asks);
        let listed = |scaler: &&Scaler| beside.cron_jobs || scaler.target.kind != ScaleKind::CronJob;
        let scalers = self.scalers.iter().filter(listed).map(Scaler::scalable);
        Scalables {
            namespaces: names.map(namespace).collect(),
            objects: self.workloads.iter().filter_map(Workload::scalable).chain(scalers).collect(),
            awake_for_pods: awake.map(|pod| pod.pod.namespace.clone()).collect(),
        }
    }
}

impl State {
    pub(crate) fn resize(&mut self, cluster: usize, target: &ScaleRef, resize: &Resize) -> Result<Resized, ClusterError> {
        let objects = self.clusters[cluster].scalables(ALL).objects;
        let before = objects.iter().find(|object| object.target == *target && object.uid == resize.uid).ok_or(ClusterError::Gone)?;
        if before.size == resize.to && before.annotations.get(ORIGINAL) == resize.note.as_ref() {
            return Ok(Resized::Done);
        }
        if before.size != resize.from {
            return Ok(Resized::Differs(before.size));
        }
        let note = |annotations: &mut BTreeMap<String, String>| match &resize.note {
            Some(note) => annotations.insert(ORIGINAL.to_owned(), note.clone()),
            None => annotations.remove(ORIGINAL),
        };
        let (sort, kind) = match target.kind {
            ScaleKind::Deployment => (Sort::Deployment, WorkloadKind::Deployment),
            ScaleKind::StatefulSet => (Sort::StatefulSet, WorkloadKind::StatefulSet),
            ScaleKind::HorizontalPodAutoscaler | ScaleKind::ScaledObject | ScaleKind::CronJob => {
                let index = self.clusters[cluster].scalers.iter().position(|scaler| scaler.target == *target);
                self.edit_scaler(cluster, index.ok_or(ClusterError::Gone)?, |scaler| {
                    scaler.size = resize.to;
                    note(&mut scaler.annotations);
                });
                return Ok(Resized::Done);
            }
        };
        let index = self.workload(cluster, sort, &target.namespace, &target.name).ok_or(ClusterError::Gone)?;
        self.edit_workload(cluster, index, |workload| {
            note(&mut workload.annotations);
        });
        let of = WorkloadRef { kind, namespace: target.namespace.clone(), name: target.name.clone() };
        self.scale(cluster, &of, resize.to.unwrap_or(1));
        Ok(Resized::Done)
    }

    /// Changes an autoscaler, which then does its work: one of Kubernetes rests while there are no replicas and else goes to its
    /// lower bound; one of KEDA keeps what it is paused with, and wakes its workload when it is not.
    pub(crate) fn edit_scaler(&mut self, cluster: usize, index: usize, edit: impl FnOnce(&mut Scaler)) {
        let Some(kube) = self.clusters.get_mut(cluster) else { return };
        kube.rv += 1;
        let Some(scaler) = kube.scalers.get_mut(index) else { return };
        edit(scaler);
        scaler.rv = kube.rv;
        let scaler = scaler.clone();
        // What scales nothing, a CronJob, does no more than it says.
        let Some(scales) = &scaler.scales else { return };
        let sort = super::workloads::sort_of(scales.kind);
        let Some(at) = self.workload(cluster, sort, &scales.namespace, &scales.name) else { return };
        let have = self.clusters[cluster].workloads[at].replicas;
        let wanted = match (scaler.target.kind, scaler.size) {
            (ScaleKind::ScaledObject, Some(size)) => size,
            (ScaleKind::ScaledObject, None) => have.max(1),
            (ScaleKind::Deployment | ScaleKind::StatefulSet | ScaleKind::HorizontalPodAutoscaler | ScaleKind::CronJob, size) => {
                if have == 0 { 0 } else { size.unwrap_or(1) }
            }
        };
        self.scale(cluster, scales, wanted);
    }
}

impl World {
    /// Adds an autoscaler of a Deployment of the same name: with a lower bound one of Kubernetes, without one of KEDA.
    pub fn add_scaler(&self, cluster: &ClusterId, namespace: &str, name: &str, size: Option<u32>, size_max: u32) {
        self.with(|state| {
            let cluster = state.known(cluster);
            let (uid, created_at) = (state.uid(), state.now);
            let kind = if size.is_some() { ScaleKind::HorizontalPodAutoscaler } else { ScaleKind::ScaledObject };
            let (namespace, name) = (namespace.to_owned(), name.to_owned());
            let scales = Some(WorkloadRef { kind: WorkloadKind::Deployment, namespace: namespace.clone(), name: name.clone() });
            let kube = &mut state.clusters[cluster];
            kube.rv += 1;
            let (target, rv) = (ScaleRef { kind, namespace, name }, kube.rv);
            kube.scalers.push(Scaler { target, uid, size, size_max, scales, annotations: BTreeMap::new(), created_at, rv });
        });
    }

    /// Adds a CronJob, suspended or not. Jobs of it are not simulated: what sleeps is the schedule.
    pub fn add_cron_job(&self, cluster: &ClusterId, namespace: &str, name: &str, suspended: bool) {
        self.with(|state| {
            let cluster = state.known(cluster);
            let (uid, created_at) = (state.uid(), state.now);
            let target = ScaleRef { kind: ScaleKind::CronJob, namespace: namespace.to_owned(), name: name.to_owned() };
            let kube = &mut state.clusters[cluster];
            kube.rv += 1;
            let (size, rv) = (Some(u32::from(!suspended)), kube.rv);
            kube.scalers.push(Scaler { target, uid, size, size_max: 1, scales: None, annotations: BTreeMap::new(), created_at, rv });
        });
    }

    /// Annotates an object, as its owner would; without a value the annotation is taken off.
    pub fn annotate(&self, cluster: &ClusterId, target: &ScaleRef, key: &str, value: Option<&str>) {
        let put = |annotations: &mut BTreeMap<String, String>| match value {
            Some(value) => annotations.insert(key.to_owned(), value.to_owned()),
            None => annotations.remove(key),
        };
        self.with(|state| {
            let cluster = state.known(cluster);
            let named = |w: &Workload| {
                w.namespace == target.namespace && w.name == target.name && kind_of(w.sort).map(ScaleKind::from) == Some(target.kind)
            };
            if let Some(index) = state.clusters[cluster].workloads.iter().position(named) {
                state.edit_workload(cluster, index, |workload| {
                    put(&mut workload.annotations);
                });
            } else if let Some(index) = state.clusters[cluster].scalers.iter().position(|scaler| scaler.target == *target) {
                state.edit_scaler(cluster, index, |scaler| {
                    put(&mut scaler.annotations);
                });
            }
        });
    }

    /// Annotates a namespace.
    pub fn annotate_namespace(&self, cluster: &ClusterId, namespace: &str, key: &str, value: &str) {
        self.with(|state| {
            let cluster = state.known(cluster);
            state.clusters[cluster].notes.entry(namespace.to_owned()).or_default().insert(key.to_owned(), value.to_owned());
        });
    }

    /// Lets a StatefulSet delete the volumes of pods that are scaled away.
    pub fn delete_volumes_when_scaled(&self, cluster: &ClusterId, namespace: &str, name: &str) {
        self.with(|state| {
            let cluster = state.known(cluster);
            if let Some(index) = state.workload(cluster, Sort::StatefulSet, namespace, name) {
                state.edit_workload(cluster, index, |workload| workload.deletes_volumes = true);
            }
        });
    }

    /// How many volumes went because a workload was made smaller.
    pub fn volumes_lost(&self, cluster: &ClusterId) -> u32 {
        self.with(|state| {
            let cluster = state.known(cluster);
            state.clusters[cluster].volumes_lost
        })
    }

    /// All objects that have a size, past every fault: for checkers.
    pub fn sizes(&self, cluster: &ClusterId) -> Vec<Scalable> {
        self.with(|state| {
            let cluster = state.known(cluster);
            state.clusters[cluster].scalables(ALL).objects
        })
    }

    /// Somebody else sets the size of a workload.
    pub fn scale_by_hand(&self, cluster: &ClusterId, workload: &WorkloadRef, replicas: u32) {
        self.with(|state| {
            let cluster = state.known(cluster);
            state.scale(cluster, workload, replicas);
        });
    }
}
