//! Templates of workloads, how far their roll-outs are, and autoscalers.

use domain::sizing::{AutoscalerView, ContainerSizes, WorkloadView};
use domain::workload::{WorkloadKind, WorkloadRef};
use serde::Deserialize;
use slim::{Asked, Meta, nullable};
use std::collections::BTreeMap;

/// Marks of those who write objects from elsewhere and take back what others change: labels and annotations, and who it is.
const MANAGERS: [(&str, &str); 5] = [
    ("argocd.argoproj.io/instance", "Argo CD"),
    ("argocd.argoproj.io/tracking-id", "Argo CD"),
    ("kustomize.toolkit.fluxcd.io/name", "Flux"),
    ("helm.toolkit.fluxcd.io/name", "Flux"),
    ("k8s.io/vertical-pod-autoscaler", "a Vertical Pod Autoscaler"),
];

/// An apps/v1 Deployment or StatefulSet.
#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub(super) struct Workload {
    metadata: Meta,
    spec: Spec,
    status: Status,
}

#[derive(Debug, Default, Deserialize)]
#[serde(default, rename_all = "camelCase")]
struct Spec {
    replicas: Option<u32>,
    template: Template,
    #[serde(deserialize_with = "nullable")]
    update_strategy: Strategy,
}

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
struct Strategy {
    #[serde(rename = "type", deserialize_with = "nullable")]
    kind: String,
}

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
struct Template {
    metadata: TemplateMeta,
    spec: TemplateSpec,
}

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
struct TemplateMeta {
    #[serde(deserialize_with = "nullable")]
    labels: BTreeMap<String, String>,
}

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub(super) struct TemplateSpec {
    #[serde(deserialize_with = "nullable")]
    pub(super) containers: Vec<Container>,
}

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub(super) struct Container {
    pub(super) name: String,
    #[serde(deserialize_with = "nullable")]
    pub(super) resources: Asked,
}

#[derive(Debug, Default, Deserialize)]
#[serde(default, rename_all = "camelCase")]
struct Status {
    observed_generation: i64,
    replicas: u32,
    updated_replicas: u32,
    available_replicas: u32,
    #[serde(deserialize_with = "nullable")]
    conditions: Vec<Condition>,
}

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
struct Condition {
    #[serde(rename = "type")]
    kind: String,
    status: String,
    #[serde(deserialize_with = "nullable")]
    message: String,
}

impl Workload {
    /// `None` where it has no name.
    pub(super) fn view(self, kind: WorkloadKind) -> Option<WorkloadView> {
        let (meta, status) = (self.metadata, self.status);
        if meta.name.is_empty() || meta.namespace.is_empty() {
            return None;
        }
        let marked = |key: &str| meta.labels.contains_key(key) || meta.annotations.contains_key(key);
        let managed_by = MANAGERS.iter().find(|(key, _)| marked(key)).map(|(_, who)| (*who).to_owned());
        let given_up = status.conditions.into_iter().find(|one| one.kind == "Progressing" && one.status == "False");
        let containers = self.spec.template.spec.containers;
        Some(WorkloadView {
            workload: WorkloadRef { kind, namespace: meta.namespace, name: meta.name },
            version: meta.resource_version,
            replicas: self.spec.replicas.unwrap_or(1),
            updated: status.updated_replicas,
            available: status.available_replicas,
            present: status.replicas,
            observed: status.observed_generation >= meta.generation,
            stalled: given_up.map(|condition| condition.message),
            rolls: self.spec.update_strategy.kind != "OnDelete",
            managed_by,
            labels: self.spec.template.metadata.labels,
            containers: containers.into_iter().map(|one| ContainerSizes { sizes: one.resources.sizes(), container: one.name }).collect(),
        })
    }
}

/// An autoscaling/v2 HorizontalPodAutoscaler.
#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub(super) struct Autoscaler {
    metadata: Meta,
    spec: AutoscalerSpec,
}

#[derive(Debug, Default, Deserialize)]
#[serde(default, rename_all = "camelCase")]
struct AutoscalerSpec {
    scale_target_ref: Target,
    metrics: Option<Vec<Metric>>,
}

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
struct Target {
    kind: String,
    name: String,
}

#[derive(Debug, Default, Deserialize)]
#[serde(default, rename_all = "camelCase")]
struct Metric {
    resource: Option<Named>,
    container_resource: Option<Named>,
}

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
struct Named {
    name: String,
}

impl Autoscaler {
    pub(super) fn view(self) -> Option<AutoscalerView> {
        let metrics = self.spec.metrics.unwrap_or_default();
        let on = |name: &str| metrics.iter().any(|one| one.resource.iter().chain(&one.container_resource).any(|of| of.name == name));
        let target = self.spec.scale_target_ref;
        Some(AutoscalerView {
            namespace: self.metadata.namespace,
            // Without metrics it works on CPU: Kubernetes' default.
            cpu: metrics.is_empty() || on("cpu"),
            memory: on("memory"),
            kind: target.kind,
            name: target.name,
        })
    }
}
