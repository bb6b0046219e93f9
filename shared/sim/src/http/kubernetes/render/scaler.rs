//! Autoscalers as the API server prints them.

use super::{put_annotations, time};
use crate::world::state::Scaler;
use domain::workload::{ScaleKind, WorkloadKind};
use serde_json::{Value, json};

/// How KEDA is told to pause.
pub(crate) const PAUSED_REPLICAS: &str = "autoscaling.keda.sh/paused-replicas";

/// The word for a kind.
pub(crate) fn word(kind: ScaleKind) -> &'static str {
    match kind {
        ScaleKind::Deployment => "Deployment",
        ScaleKind::StatefulSet => "StatefulSet",
        ScaleKind::HorizontalPodAutoscaler => "HorizontalPodAutoscaler",
        ScaleKind::ScaledObject => "ScaledObject",
        ScaleKind::CronJob => "CronJob",
    }
}

/// A HorizontalPodAutoscaler or a ScaledObject.
pub(crate) fn scaler(of: &Scaler) -> Value {
    let mut annotations = of.annotations.clone();
    let kind = |kind: WorkloadKind| match kind {
        WorkloadKind::Deployment => "Deployment",
        WorkloadKind::StatefulSet => "StatefulSet",
    };
    let target = of.scales.as_ref().map(|it| json!({"apiVersion": "apps/v1", "kind": kind(it.kind), "name": it.name}));
    let (version, spec) = match of.target.kind {
        ScaleKind::ScaledObject => {
            annotations.extend(of.size.map(|size| (PAUSED_REPLICAS.to_owned(), size.to_string())));
            ("keda.sh/v1alpha1", json!({"scaleTargetRef": target, "maxReplicaCount": of.size_max, "triggers": []}))
        }
        ScaleKind::CronJob => {
            ("batch/v1", json!({"schedule": "0 * * * *", "suspend": of.size == Some(0), "jobTemplate": {"spec": {"template": {}}}}))
        }
        ScaleKind::Deployment | ScaleKind::StatefulSet | ScaleKind::HorizontalPodAutoscaler => {
            ("autoscaling/v2", json!({"scaleTargetRef": target, "minReplicas": of.size, "maxReplicas": of.size_max}))
        }
    };
    let mut metadata = json!({
        "namespace": of.target.namespace, "name": of.target.name, "uid": of.uid, "resourceVersion": of.rv.to_string(),
        "creationTimestamp": time(of.created_at),
    });
    put_annotations(&mut metadata, &annotations);
    json!({"apiVersion": version, "kind": word(of.target.kind), "metadata": metadata, "spec": spec, "status": {}})
}

/// The size that a printed autoscaler has.
pub(crate) fn size(kind: ScaleKind, printed: &Value) -> Option<u32> {
    match kind {
        ScaleKind::ScaledObject => printed["metadata"]["annotations"][PAUSED_REPLICAS].as_str()?.parse().ok(),
        ScaleKind::CronJob => Some(u32::from(printed["spec"]["suspend"] != true)),
        ScaleKind::Deployment | ScaleKind::StatefulSet | ScaleKind::HorizontalPodAutoscaler => {
            u32::try_from(printed["spec"]["minReplicas"].as_u64()?).ok()
        }
    }
}
