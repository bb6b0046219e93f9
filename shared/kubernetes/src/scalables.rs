//! Objects that have a size: read in slim lists, changed together with the note of their original.

use crate::call::{Api, Call};
use crate::endpoint::segment;
use crate::lists::{Paging, all, every};
use domain::office_hours::ORIGINAL;
use domain::ports::ClusterError;
use domain::workload::{Beside, Namespace, Resize, Resized, Scalable, Scalables, ScaleKind, ScaleRef, WorkloadKind, WorkloadRef};
use http::Method;
use serde::Deserialize;
use serde_json::{Value, json};
use slim::quantity::{millis, units};
use slim::{Meta, nullable};
use std::collections::BTreeMap;

const MERGE_PATCH: &str = "application/merge-patch+json";
/// KEDA: the number of replicas that a paused object keeps (KEDA docs, "Pausing autoscaling").
const PAUSED_REPLICAS: &str = "autoscaling.keda.sh/paused-replicas";
/// KEDA: paused with the replicas that are there.
const PAUSED: &str = "autoscaling.keda.sh/paused";
/// Longer annotations are none of ours: applied configurations, most of all.
const ANNOTATION_BYTES_MAX: usize = 1_024;

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
struct Object {
    metadata: Meta,
    spec: Spec,
    status: Status,
}

#[derive(Debug, Default, Deserialize)]
#[serde(default, rename_all = "camelCase")]
struct Spec {
    replicas: Option<u32>,
    min_replicas: Option<u32>,
    max_replicas: Option<u32>,
    suspend: Option<bool>,
    scale_target_ref: Option<Target>,
    #[serde(deserialize_with = "nullable")]
    persistent_volume_claim_retention_policy: Retention,
    #[serde(deserialize_with = "nullable")]
    template: Template,
}

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
struct Target {
    kind: Option<String>,
    name: String,
}

#[derive(Debug, Default, Deserialize)]
#[serde(default, rename_all = "camelCase")]
struct Retention {
    when_scaled: Option<String>,
}

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
struct Template {
    #[serde(deserialize_with = "nullable")]
    spec: PodSpec,
}

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
struct PodSpec {
    #[serde(deserialize_with = "nullable")]
    containers: Vec<Container>,
}

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
struct Container {
    #[serde(deserialize_with = "nullable")]
    resources: Resources,
}

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
struct Resources {
    #[serde(deserialize_with = "nullable")]
    requests: BTreeMap<String, Value>,
}

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
struct Status {
    phase: String,
}

impl Object {
    /// The size that it has as an object of this kind. Kubernetes' default is 1.
    fn size(&self, kind: ScaleKind) -> Option<u32> {
        match kind {
            ScaleKind::Deployment | ScaleKind::StatefulSet => Some(self.spec.replicas.unwrap_or(1)),
            ScaleKind::HorizontalPodAutoscaler => Some(self.spec.min_replicas.unwrap_or(1)),
            ScaleKind::CronJob => Some(u32::from(self.spec.suspend != Some(true))),
            ScaleKind::ScaledObject => {
                let annotations = &self.metadata.annotations;
                // Paused as it is, without our note: it reads as small as can be, so that nobody makes it smaller or wakes it.
                let as_it_is = annotations.get(PAUSED).is_some_and(|value| value == "true").then_some(0);
                annotations.get(PAUSED_REPLICAS).and_then(|text| text.parse().ok()).or(as_it_is)
            }
        }
    }

    fn request(&self, name: &str, read: fn(&str) -> u64) -> u64 {
        let of = |container: &Container| match container.resources.requests.get(name) {
            Some(Value::String(text)) => read(text),
            Some(other) => read(&other.to_string()),
            None => 0,
        };
        self.spec.template.spec.containers.iter().map(of).sum()
    }

    fn scalable(self, kind: ScaleKind) -> Option<Scalable> {
        let (size, cpu_millis, memory_bytes) = (self.size(kind), self.request("cpu", millis), self.request("memory", units));
        let Object { metadata, spec, .. } = self;
        if metadata.name.is_empty() || metadata.namespace.is_empty() || metadata.uid.is_empty() {
            return None;
        }
        let scales = spec.scale_target_ref.and_then(|target| {
            // KEDA means a Deployment where it names no kind. Other kinds are none of ours.
            let kind = match target.kind.as_deref() {
                None | Some("Deployment") => WorkloadKind::Deployment,
                Some("StatefulSet") => WorkloadKind::StatefulSet,
                Some(_) => return None,
            };
            Some(WorkloadRef { kind, namespace: metadata.namespace.clone(), name: target.name })
        });
        let owner = metadata.owner_references.into_iter().find(|owner| owner.controller == Some(true) || owner.kind == "Stack");
        Some(Scalable {
            target: ScaleRef { kind, namespace: metadata.namespace, name: metadata.name },
            uid: metadata.uid,
            created_at: metadata.creation_timestamp.and_then(|text| text.parse().ok()),
            size,
            annotations: short(metadata.annotations),
            labels: metadata.labels,
            owner: owner.map(|owner| (owner.kind, owner.name)),
            deletes_volumes: spec.persistent_volume_claim_retention_policy.when_scaled.as_deref() == Some("Delete"),
            size_max: spec.max_replicas,
            scales,
            cpu_millis,
            memory_bytes,
        })
    }
}

fn short(mut annotations: BTreeMap<String, String>) -> BTreeMap<String, String> {
    annotations.retain(|_, value| value.len() <= ANNOTATION_BYTES_MAX);
    annotations
}

pub(crate) async fn scalables(api: &Api, beside: Beside) -> Result<Scalables, ClusterError> {
    let of = |kind| move |object: Object| object.scalable(kind);
    let namespace = |object: Object| {
        let terminating = object.status.phase == "Terminating";
        Some((object.metadata.name, Namespace { annotations: short(object.metadata.annotations), terminating }))
    };
    let pods = async {
        if !beside.pods {
            return Ok(Vec::new());
        }
        let awake = |pod: Object| {
            let over = matches!(pod.status.phase.as_str(), "Succeeded" | "Failed");
            let asks = pod.metadata.annotations.get("downscaler/force-uptime").is_some_and(|value| value.eq_ignore_ascii_case("true"));
            // Every pod is looked at, and none is left out for having no usable identity.
            Some((!over && asks).then_some(pod.metadata.namespace))
        };
        all(api, "/api/v1/pods", awake).await
    };
    let cron_jobs = async {
        if !beside.cron_jobs {
            return Ok(Vec::new());
        }
        all(api, "/apis/batch/v1/cronjobs", of(ScaleKind::CronJob)).await
    };
    let (namespaces, deployments, sets, scalers, keda, cron_jobs, pods) = futures::try_join!(
        all(api, "/api/v1/namespaces", namespace),
        all(api, "/apis/apps/v1/deployments", of(ScaleKind::Deployment)),
        all(api, "/apis/apps/v1/statefulsets", of(ScaleKind::StatefulSet)),
        all(api, "/apis/autoscaling/v2/horizontalpodautoscalers", of(ScaleKind::HorizontalPodAutoscaler)),
        every(api, Paging::new("/apis/keda.sh/v1alpha1/scaledobjects", None).optional(), of(ScaleKind::ScaledObject)),
        cron_jobs,
        pods,
    )?;
    Ok(Scalables {
        namespaces: namespaces.into_iter().collect(),
        objects: [deployments, sets, scalers, keda, cron_jobs].concat(),
        awake_for_pods: pods.into_iter().flatten().collect(),
    })
}

fn path(target: &ScaleRef) -> Result<String, ClusterError> {
    let group = match target.kind {
        ScaleKind::Deployment | ScaleKind::StatefulSet => "apps/v1",
        ScaleKind::HorizontalPodAutoscaler => "autoscaling/v2",
        ScaleKind::ScaledObject => "keda.sh/v1alpha1",
        ScaleKind::CronJob => "batch/v1",
    };
    let (namespace, name) = (segment(&target.namespace)?, segment(&target.name)?);
    Ok(format!("/apis/{group}/namespaces/{namespace}/{}/{name}", target.kind.resource()))
}

/// What was read goes back with the patch as the version that it holds for: who was faster makes it a conflict.
pub(crate) async fn resize(api: &Api, target: &ScaleRef, resize: &Resize) -> Result<Resized, ClusterError> {
    let path = path(target)?;
    let before: Object = api.call(&Call::get(path.clone())).await?.decode()?;
    if before.metadata.uid != resize.uid {
        return Err(ClusterError::Gone);
    }
    let size = before.size(target.kind);
    let noted = before.metadata.annotations.get(ORIGINAL) == resize.note.as_ref();
    if size == resize.to && noted {
        return Ok(Resized::Done);
    }
    if size != resize.from {
        return Ok(Resized::Differs(size));
    }
    let mut patch = json!({ "metadata": {
        "uid": resize.uid, "resourceVersion": before.metadata.resource_version, "annotations": { ORIGINAL: resize.note },
    } });
    match target.kind {
        ScaleKind::Deployment | ScaleKind::StatefulSet => patch["spec"] = json!({ "replicas": resize.to }),
        ScaleKind::HorizontalPodAutoscaler => patch["spec"] = json!({ "minReplicas": resize.to }),
        ScaleKind::CronJob => patch["spec"] = json!({ "suspend": resize.to == Some(0) }),
        ScaleKind::ScaledObject => patch["metadata"]["annotations"][PAUSED_REPLICAS] = json!(resize.to.map(|size| size.to_string())),
    }
    api.call(&Call::with_json(Method::PATCH, path, MERGE_PATCH, &patch)).await?.ok()?;
    Ok(Resized::Done)
}

#[cfg(test)]
mod tests;
