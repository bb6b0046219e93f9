//! Pods: who they are, what they ask for, and where they may run. A pod borrows from its page; what is kept of it does not.

use super::selector::LabelSelector;
use super::text::{Marks, Text};
use super::{Condition, Owner, nullable, ready, time};
use domain::ids::{NodeName, PodUid};
use domain::pod::{Controller, PodDetail, PodPhase, PodRef, PodView};
use serde::Deserialize;
use std::collections::BTreeMap;

mod affinity;
mod containers;
mod requests;
mod spec;

pub(crate) use affinity::RawNodeTerm;
use spec::PodSpec;

/// Kubernetes' default for `terminationGracePeriodSeconds`.
const GRACE_S: u32 = 30;

/// A v1 Pod.
#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub(crate) struct Pod<'a> {
    metadata: PodMeta,
    #[serde(borrow)]
    spec: PodSpec<'a>,
    #[serde(borrow)]
    status: PodStatus<'a>,
}

#[derive(Debug, Default, Deserialize)]
#[serde(default, rename_all = "camelCase")]
struct PodMeta {
    #[serde(deserialize_with = "nullable")]
    name: String,
    #[serde(deserialize_with = "nullable")]
    namespace: String,
    #[serde(deserialize_with = "nullable")]
    uid: String,
    #[serde(deserialize_with = "nullable")]
    labels: BTreeMap<String, String>,
    annotations: Marks,
    deletion_timestamp: Option<String>,
    #[serde(deserialize_with = "nullable")]
    owner_references: Vec<Owner>,
}

#[derive(Debug, Default, Deserialize)]
#[serde(default, rename_all = "camelCase")]
struct PodStatus<'a> {
    #[serde(borrow)]
    phase: Text<'a>,
    #[serde(deserialize_with = "nullable")]
    conditions: Vec<Condition>,
    start_time: Option<String>,
    #[serde(borrow, deserialize_with = "nullable")]
    container_statuses: Vec<containers::ContainerStatus<'a>>,
    #[serde(borrow, deserialize_with = "nullable")]
    init_container_statuses: Vec<containers::ContainerStatus<'a>>,
    /// In-place resize of the pod as a whole.
    #[serde(deserialize_with = "nullable")]
    resources: super::Asked,
    allocated_resources: super::Amounts,
}

impl Pod<'_> {
    /// `None` where the uid is none.
    pub(crate) fn detail(self) -> Option<PodDetail> {
        let requests = requests::of(&self.spec, &self.status).resources();
        let pod = PodRef { uid: PodUid::parse(self.metadata.uid).ok()?, namespace: self.metadata.namespace, name: self.metadata.name };
        let containers = containers::of(&self.spec, &self.status, &pod.uid);
        let started_at = time(self.status.start_time.as_ref());
        let controller = self.metadata.owner_references.into_iter().find(|owner| owner.controller == Some(true));
        let grace = self.spec.termination_grace_period_seconds;
        let view = PodView {
            node: self.spec.node_name.as_ref().and_then(|name| NodeName::parse(name.as_str()).ok()),
            phase: phase(self.status.phase.as_str()),
            ready: ready(&self.status.conditions),
            controller: controller.map(|owner| Controller { kind: owner.kind, name: owner.name }),
            mirror: self.metadata.annotations.mirror,
            empty_dir: self.spec.volumes.iter().any(|volume| volume.empty_dir.is_some()),
            deletion_at: time(self.metadata.deletion_timestamp.as_ref()),
            grace_s: grace.map_or(GRACE_S, |grace| u32::try_from(grace).unwrap_or(GRACE_S)),
            priority: self.spec.priority.unwrap_or(0),
            do_not_disrupt: self.metadata.annotations.leave_alone,
            pod,
            labels: self.metadata.labels,
            cpu_millis: requests.cpu_millis,
            memory_bytes: requests.memory_bytes,
        };
        let claims = self.spec.claims(&view.pod.name);
        Some(PodDetail { requests, claims, started_at, scheduling: self.spec.scheduling(&view.labels), containers, view })
    }
}

fn phase(text: &str) -> PodPhase {
    match text {
        "Pending" => PodPhase::Pending,
        "Running" => PodPhase::Running,
        "Succeeded" => PodPhase::Succeeded,
        "Failed" => PodPhase::Failed,
        _ => PodPhase::Unknown,
    }
}

#[cfg(test)]
mod tests;
