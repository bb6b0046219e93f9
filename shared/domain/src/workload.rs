//! Workloads: what makes pods, and what says how many.

use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use std::collections::{BTreeMap, BTreeSet};

/// The kinds of workload that can be scaled.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(rename_all = "lowercase")]
pub enum WorkloadKind {
    /// apps/v1 Deployment.
    Deployment,
    /// apps/v1 StatefulSet.
    StatefulSet,
}

impl WorkloadKind {
    /// The plural in the API server's paths.
    pub fn resource(self) -> &'static str {
        match self {
            WorkloadKind::Deployment => "deployments",
            WorkloadKind::StatefulSet => "statefulsets",
        }
    }
}

/// Names one workload.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct WorkloadRef {
    /// Deployment or StatefulSet.
    pub kind: WorkloadKind,
    /// Namespace.
    pub namespace: String,
    /// Name.
    pub name: String,
}

impl std::fmt::Display for WorkloadRef {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{} {}/{}", self.kind.resource(), self.namespace, self.name)
    }
}

/// The kinds of object whose size office hours change.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(rename_all = "lowercase")]
pub enum ScaleKind {
    /// apps/v1 Deployment; its size is `spec.replicas`.
    Deployment,
    /// apps/v1 StatefulSet; its size is `spec.replicas`.
    StatefulSet,
    /// autoscaling/v2 HorizontalPodAutoscaler; its size is `spec.minReplicas`.
    HorizontalPodAutoscaler,
    /// keda.sh/v1alpha1 ScaledObject; its size is the annotation that pauses it, and none while it is not paused.
    ScaledObject,
    /// batch/v1 CronJob; its size is 1, and 0 while `spec.suspend` is true.
    CronJob,
}

/// What is listed beside workloads, their autoscalers and namespaces: each costs a list more.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Beside {
    /// Pods, for those that ask for all to be up.
    pub pods: bool,
    /// CronJobs.
    pub cron_jobs: bool,
}

impl ScaleKind {
    /// The plural in the API server's paths.
    pub fn resource(self) -> &'static str {
        match self {
            ScaleKind::Deployment => "deployments",
            ScaleKind::StatefulSet => "statefulsets",
            ScaleKind::HorizontalPodAutoscaler => "horizontalpodautoscalers",
            ScaleKind::ScaledObject => "scaledobjects",
            ScaleKind::CronJob => "cronjobs",
        }
    }

    /// The smallest size that the API server accepts.
    pub fn size_min(self) -> u32 {
        match self {
            ScaleKind::HorizontalPodAutoscaler => 1,
            ScaleKind::Deployment | ScaleKind::StatefulSet | ScaleKind::ScaledObject | ScaleKind::CronJob => 0,
        }
    }

    /// The size that it sleeps with, where so many replicas are wanted. A CronJob is suspended or is not: there is nothing between.
    pub fn asleep_with(self, replicas: u32) -> u32 {
        match self {
            ScaleKind::CronJob => 0,
            ScaleKind::Deployment | ScaleKind::StatefulSet | ScaleKind::ScaledObject | ScaleKind::HorizontalPodAutoscaler => {
                replicas.max(self.size_min())
            }
        }
    }
}

impl From<WorkloadKind> for ScaleKind {
    fn from(kind: WorkloadKind) -> ScaleKind {
        match kind {
            WorkloadKind::Deployment => ScaleKind::Deployment,
            WorkloadKind::StatefulSet => ScaleKind::StatefulSet,
        }
    }
}

/// Names one object that has a size.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct ScaleRef {
    /// What it is.
    pub kind: ScaleKind,
    /// Namespace.
    pub namespace: String,
    /// Name.
    pub name: String,
}

impl std::fmt::Display for ScaleRef {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{} {}/{}", self.kind.resource(), self.namespace, self.name)
    }
}

/// An object that has a size, as a list shows it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Scalable {
    /// What it is.
    pub target: ScaleRef,
    /// Its uid.
    pub uid: String,
    /// When it was made.
    pub created_at: Option<Timestamp>,
    /// Its size; see [`ScaleKind`].
    pub size: Option<u32>,
    /// Its annotations, without those that are longer than a kilobyte.
    pub annotations: BTreeMap<String, String>,
    /// Its labels.
    pub labels: BTreeMap<String, String>,
    /// Kind and name of the controller that owns it.
    pub owner: Option<(String, String)>,
    /// Whether making it smaller deletes volumes: `persistentVolumeClaimRetentionPolicy.whenScaled: Delete`.
    pub deletes_volumes: bool,
    /// The most that it may grow to, where it is an autoscaler.
    pub size_max: Option<u32>,
    /// What it scales, where it is an autoscaler.
    pub scales: Option<WorkloadRef>,
    /// CPU that one of its pods asks for, in thousandths; 0 for autoscalers.
    pub cpu_millis: u64,
    /// Memory that one of its pods asks for, in bytes; 0 for autoscalers.
    pub memory_bytes: u64,
}

/// A namespace, as a list shows it.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Namespace {
    /// Its annotations, without those that are longer than a kilobyte.
    pub annotations: BTreeMap<String, String>,
    /// Whether it is being removed.
    pub terminating: bool,
}

/// All objects of a cluster that have a size, and their namespaces.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Scalables {
    /// Namespaces by name.
    pub namespaces: BTreeMap<String, Namespace>,
    /// The objects.
    pub objects: Vec<Scalable>,
    /// Namespaces with a pod that asks for all to be up (`downscaler/force-uptime: "true"`); empty where nobody asked for it.
    pub awake_for_pods: BTreeSet<String>,
}

/// How the size of an object changes, together with the note of what it was.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct Resize {
    /// Its uid: a namesake that came later is another object.
    pub uid: String,
    /// The size that it must have; with another one, somebody was faster.
    pub from: Option<u32>,
    /// The size that it gets.
    pub to: Option<u32>,
    /// What the annotation [`crate::office_hours::ORIGINAL`] says afterwards; `None`: it is taken off.
    pub note: Option<String>,
}

impl Resize {
    /// What takes it back: what slept is as it was, and what was woken sleeps again with its note.
    pub fn back(&self) -> Resize {
        let note = match (&self.note, self.to) {
            (Some(_), _) => None,
            (None, Some(size)) => Some(size.to_string()),
            // What has no size is a KEDA object that is not paused.
            (None, None) => Some("-1".to_owned()),
        };
        Resize { uid: self.uid.clone(), from: self.to, to: self.from, note }
    }
}

/// What came of it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Resized {
    /// It has the new size now, or had it with the same note already.
    Done,
    /// It has another size than was expected, and was left alone.
    Differs(Option<u32>),
}
