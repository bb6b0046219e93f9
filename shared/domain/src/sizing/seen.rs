//! What a cluster shows of the sizes of its workloads.

use super::Sizes;
use crate::pod::{Controller, PodDetail, PodPhase, PodRef};
use crate::usage::OomKill;
use crate::workload::{WorkloadKind, WorkloadRef};
use std::collections::BTreeMap;

/// A container of a template, with its sizes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ContainerSizes {
    /// Its name.
    pub container: String,
    /// Its sizes.
    pub sizes: Sizes,
}

/// A Deployment or StatefulSet with its template's sizes and how far its roll-out is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct WorkloadView {
    /// Which one.
    pub workload: WorkloadRef,
    /// Its version: a patch that names it holds only for what was read.
    pub version: String,
    /// How many pods it is asked to have.
    pub replicas: u32,
    /// How many have the newest template.
    pub updated: u32,
    /// How many can be used.
    pub available: u32,
    /// How many there are.
    pub present: u32,
    /// Whether its controller has seen the newest template.
    pub observed: bool,
    /// Why the roll-out is given up, where it is.
    pub stalled: Option<String>,
    /// Whether a new template replaces pods by itself; `false`: only those that go anyway.
    pub rolls: bool,
    /// Who else writes its template, as its marks say.
    pub managed_by: Option<String>,
    /// Labels of its pods.
    pub labels: BTreeMap<String, String>,
    /// The containers of its template, without those that end before the others begin.
    pub containers: Vec<ContainerSizes>,
}

impl WorkloadView {
    /// Whether all its pods have the newest template and can be used.
    pub fn settled(&self) -> bool {
        self.observed && self.available >= self.replicas && self.present == self.replicas && (self.updated >= self.replicas || !self.rolls)
    }

    /// The sizes of a container.
    pub fn sizes(&self, container: &str) -> Option<Sizes> {
        self.containers.iter().find(|one| one.container == container).map(|one| one.sizes)
    }
}

/// A HorizontalPodAutoscaler.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AutoscalerView {
    /// Namespace of it and of what it scales.
    pub namespace: String,
    /// Kind of what it scales: `Deployment` and the like.
    pub kind: String,
    /// Name of what it scales.
    pub name: String,
    /// It has a target for CPU.
    pub cpu: bool,
    /// It has a target for memory.
    pub memory: bool,
}

impl AutoscalerView {
    /// Whether it scales this workload.
    pub fn scales(&self, workload: &WorkloadRef) -> bool {
        let kind = match workload.kind {
            WorkloadKind::Deployment => "Deployment",
            WorkloadKind::StatefulSet => "StatefulSet",
        };
        self.namespace == workload.namespace && self.name == workload.name && self.kind == kind
    }
}

/// A container of a pod.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ContainerState {
    /// Its name.
    pub container: String,
    /// The sizes that are in effect: what the node gives it, where that is told, else what the pod asks for.
    pub sizes: Sizes,
    /// How it was ended for lack of memory, if it last was.
    pub oom: Option<OomKill>,
}

/// A pod with its containers.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PodContainers {
    /// The pod.
    pub pod: PodRef,
    /// Its phase.
    pub phase: PodPhase,
    /// Its controller.
    pub controller: Option<Controller>,
    /// Its containers.
    pub containers: Vec<ContainerState>,
}

impl PodContainers {
    /// What a pod has of them; its list of containers is empty then.
    pub fn take(from: &mut PodDetail) -> PodContainers {
        let (view, containers) = (&from.view, std::mem::take(&mut from.containers));
        PodContainers { pod: view.pod.clone(), phase: view.phase, controller: view.controller.clone(), containers }
    }

    /// The workload that made it, if it is one of those that can be sized.
    pub fn workload(&self) -> Option<WorkloadRef> {
        self.controller.as_ref()?.workload(&self.pod.namespace)
    }
}

/// What came of a resize of a running pod.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum InPlace {
    /// The API server took it; the node gives the pod its new sizes as soon as it can.
    Accepted,
    /// The cluster cannot do it, or we may not: the roll-out has to.
    Unsupported,
}
