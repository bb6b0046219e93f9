//! Pods with their containers, and what these use.

use super::templates::{Asked, TemplateSpec};
use domain::ids::PodUid;
use domain::pod::{Controller, PodPhase, PodRef};
use domain::sizing::{ContainerState, PodContainers};
use domain::usage::{OomKill, Sample};
use serde::Deserialize;
use slim::{Amounts, Meta, nullable, time};

/// A v1 Pod.
#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub(super) struct Pod {
    metadata: Meta,
    spec: TemplateSpec,
    status: Status,
}

#[derive(Debug, Default, Deserialize)]
#[serde(default, rename_all = "camelCase")]
struct Status {
    phase: String,
    #[serde(deserialize_with = "nullable")]
    container_statuses: Vec<ContainerStatus>,
}

#[derive(Debug, Default, Deserialize)]
#[serde(default, rename_all = "camelCase")]
struct ContainerStatus {
    name: String,
    restart_count: u32,
    resources: Option<Asked>,
    #[serde(deserialize_with = "nullable")]
    state: State,
    #[serde(deserialize_with = "nullable")]
    last_state: State,
}

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
struct State {
    terminated: Option<Terminated>,
}

#[derive(Debug, Default, Deserialize)]
#[serde(default, rename_all = "camelCase")]
struct Terminated {
    #[serde(deserialize_with = "nullable")]
    reason: String,
    finished_at: Option<String>,
}

impl Pod {
    /// `None` where the uid is none.
    pub(super) fn view(self) -> Option<PodContainers> {
        let meta = self.metadata;
        let controller = meta.owner_references.into_iter().find(|owner| owner.controller == Some(true));
        let pod = PodRef { uid: PodUid::parse(meta.uid).ok()?, namespace: meta.namespace, name: meta.name };
        let statuses = self.status.container_statuses;
        let containers = self.spec.containers.into_iter().map(|container| {
            let status = statuses.iter().find(|status| status.name == container.name);
            // What the node gives wins over what the pod asks for: a resize may be under way.
            let given = status.and_then(|status| status.resources.as_ref()).map(Asked::sizes);
            let sizes = given.unwrap_or_else(|| container.resources.sizes());
            let oom = status.and_then(killed).map(|(restarts, finished_s)| OomKill {
                pod_uid: pod.uid.to_string(),
                container: container.name.clone(),
                restarts,
                finished_s,
                request: sizes.memory_request,
                limit: sizes.memory_limit,
            });
            ContainerState { container: container.name, sizes, oom }
        });
        let containers = containers.collect();
        Some(PodContainers {
            phase: phase(&self.status.phase),
            controller: controller.map(|owner| Controller { kind: owner.kind, name: owner.name }),
            containers,
            pod,
        })
    }
}

/// How often the container had been started again, and when it was killed. A container that is down now counts as well as one that
/// runs again; both are the same kill, so the number is that of the start it ended.
fn killed(status: &ContainerStatus) -> Option<(u32, i64)> {
    let of = |state: &State| {
        let ended = state.terminated.as_ref().filter(|ended| ended.reason == "OOMKilled")?;
        Some(time(ended.finished_at.as_ref())?.as_second())
    };
    match (of(&status.state), of(&status.last_state)) {
        (Some(at), _) => Some((status.restart_count, at)),
        (None, Some(at)) => Some((status.restart_count.saturating_sub(1), at)),
        (None, None) => None,
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

/// A metrics.k8s.io PodMetrics.
#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub(super) struct Metrics {
    metadata: Meta,
    #[serde(deserialize_with = "nullable")]
    containers: Vec<ContainerMetrics>,
}

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
struct ContainerMetrics {
    name: String,
    usage: Amounts,
}

impl Metrics {
    /// Figures that are missing are not figures of nothing.
    pub(super) fn samples(self) -> Vec<Sample> {
        let meta = self.metadata;
        let known = self.containers.into_iter().filter(|one| one.usage.names("cpu") && one.usage.names("memory"));
        let sample = |one: ContainerMetrics| Sample {
            namespace: meta.namespace.clone(),
            pod: meta.name.clone(),
            // Thousandths of a core, rounded up: far finer than the first bucket.
            cpu_nanos: one.usage.of("cpu").saturating_mul(1_000_000),
            memory_bytes: one.usage.of("memory"),
            container: one.name,
        };
        known.map(sample).collect()
    }
}
