//! Pods, and what they ask for.

use super::{Condition, Meta, Quantities, nullable, ready, time};
use domain::ids::{NodeName, PodUid};
use domain::pod::{Controller, PodPhase, PodRef, PodView};
use serde::Deserialize;

const MIRROR: &str = "kubernetes.io/config.mirror";
/// Annotations by which a pod asks to be left alone, with the value that says so.
const LEAVE_ALONE: [(&str, &str); 2] =
    [("karpenter.sh/do-not-disrupt", "true"), ("cluster-autoscaler.kubernetes.io/safe-to-evict", "false")];
/// Kubernetes' default for `terminationGracePeriodSeconds`.
const GRACE_S: u32 = 30;

/// A v1 Pod.
#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub(crate) struct Pod {
    metadata: Meta,
    spec: PodSpec,
    status: PodStatus,
}

#[derive(Debug, Default, Deserialize)]
#[serde(default, rename_all = "camelCase")]
struct PodSpec {
    node_name: Option<String>,
    #[serde(deserialize_with = "nullable")]
    containers: Vec<Container>,
    #[serde(deserialize_with = "nullable")]
    init_containers: Vec<Container>,
    overhead: Quantities,
    /// Requests of the pod as a whole; where they are set, they count instead of the containers'.
    resources: Resources,
    #[serde(deserialize_with = "nullable")]
    volumes: Vec<Volume>,
    termination_grace_period_seconds: Option<i64>,
    priority: Option<i32>,
}

#[derive(Debug, Default, Deserialize)]
#[serde(default, rename_all = "camelCase")]
struct Container {
    resources: Resources,
    restart_policy: Option<String>,
}

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
struct Resources {
    requests: Quantities,
}

#[derive(Debug, Default, Deserialize)]
#[serde(default, rename_all = "camelCase")]
struct Volume {
    /// `{}` in most cases: only its presence counts.
    empty_dir: Option<serde::de::IgnoredAny>,
}

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
struct PodStatus {
    phase: String,
    #[serde(deserialize_with = "nullable")]
    conditions: Vec<Condition>,
}

impl Pod {
    /// `None` where the uid is none.
    pub(crate) fn view(self) -> Option<PodView> {
        let cpu_millis = self.spec.request("cpu", Quantities::millis);
        let memory_bytes = self.spec.request("memory", Quantities::units);
        let annotations = &self.metadata.annotations;
        Some(PodView {
            node: self.spec.node_name.and_then(|name| NodeName::parse(name).ok()),
            phase: phase(&self.status.phase),
            ready: ready(&self.status.conditions),
            controller: self
                .metadata
                .owner_references
                .into_iter()
                .find(|owner| owner.controller == Some(true))
                .map(|owner| Controller { kind: owner.kind, name: owner.name }),
            mirror: annotations.contains_key(MIRROR),
            empty_dir: self.spec.volumes.iter().any(|volume| volume.empty_dir.is_some()),
            deletion_at: time(self.metadata.deletion_timestamp.as_ref()),
            grace_s: self.spec.termination_grace_period_seconds.map_or(GRACE_S, |grace| u32::try_from(grace).unwrap_or(GRACE_S)),
            priority: self.spec.priority.unwrap_or(0),
            do_not_disrupt: LEAVE_ALONE.iter().any(|(key, value)| annotations.get(*key).is_some_and(|found| found == value)),
            pod: PodRef { namespace: self.metadata.namespace, name: self.metadata.name, uid: PodUid::parse(self.metadata.uid).ok()? },
            labels: self.metadata.labels,
            cpu_millis,
            memory_bytes,
        })
    }
}

impl PodSpec {
    /// What the scheduler counts: containers and sidecars together, or the hungriest moment of the start if that is more, and
    /// the overhead of the runtime. A sidecar is an init container that is always restarted; it runs from its turn on.
    fn request(&self, name: &str, read: fn(&Quantities, &str) -> u64) -> u64 {
        let overhead = read(&self.overhead, name);
        if self.resources.requests.names(name) {
            return read(&self.resources.requests, name).saturating_add(overhead);
        }
        let (mut sidecars, mut start) = (0_u64, 0_u64);
        for container in &self.init_containers {
            let own = read(&container.resources.requests, name);
            let together = sidecars.saturating_add(own);
            start = start.max(together);
            if container.restart_policy.as_deref() == Some("Always") {
                sidecars = together;
            }
        }
        let running = self.containers.iter().fold(sidecars, |sum, container| sum.saturating_add(read(&container.resources.requests, name)));
        running.max(start).saturating_add(overhead)
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
