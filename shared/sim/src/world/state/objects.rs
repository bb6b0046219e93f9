//! What stands in the API server besides nodes: pods, claims, workloads and budgets.

use crate::world::spec::{Allows, PdbSpec, PodShape, Volume};
use domain::ids::{NodeName, Zone};
use domain::pod::{Controller, PodPhase, PodRef};
use domain::workload::{ScaleRef, WorkloadRef};
use jiff::Timestamp;
use std::collections::BTreeMap;
use std::sync::Arc;

/// A Pod object.
#[derive(Debug, Clone)]
pub(crate) struct Pod {
    pub(crate) pod: PodRef,
    pub(crate) workload: Option<usize>,
    pub(crate) controller: Option<Controller>,
    pub(crate) ordinal: u32,
    pub(crate) shape: Arc<PodShape>,
    pub(crate) node: Option<NodeName>,
    pub(crate) phase: PodPhase,
    pub(crate) ready: bool,
    pub(crate) mirror: bool,
    /// `metadata.deletionTimestamp`: when its grace ends.
    pub(crate) deletion_at: Option<Timestamp>,
    /// `metadata.deletionGracePeriodSeconds`.
    pub(crate) deletion_grace_s: u32,
    /// When its process has ended and the object goes.
    pub(crate) ends_at: Option<Timestamp>,
    pub(crate) created_at: Timestamp,
    /// When it was bound.
    pub(crate) bound_at: Option<Timestamp>,
    /// The PersistentVolumeClaims that it mounts, in its namespace.
    pub(crate) claims: Vec<String>,
    pub(crate) annotations: BTreeMap<String, String>,
    pub(crate) rv: u64,
}

/// A PersistentVolumeClaim with its volume, once there is one.
#[derive(Debug, Clone)]
pub(crate) struct Claim {
    pub(crate) volume: Volume,
    /// Where the volume is; `None`: no pod with it was scheduled yet.
    pub(crate) at: Option<(Zone, NodeName)>,
}

impl Pod {
    pub(crate) fn finished(&self) -> bool {
        matches!(self.phase, PodPhase::Succeeded | PodPhase::Failed)
    }
    /// Counts for a controller: neither finished nor on its way out.
    pub(crate) fn active(&self) -> bool {
        !self.finished() && self.deletion_at.is_none()
    }
    /// Counts as healthy for a budget.
    pub(crate) fn healthy(&self) -> bool {
        self.ready && self.deletion_at.is_none()
    }
}

/// The sorts of workload that make pods.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Sort {
    Deployment,
    StatefulSet,
    DaemonSet,
    Job,
}

/// A workload.
#[derive(Debug, Clone)]
pub(crate) struct Workload {
    pub(crate) sort: Sort,
    pub(crate) namespace: String,
    pub(crate) name: String,
    pub(crate) uid: String,
    /// Hash in the names of its ReplicaSet and pods.
    pub(crate) hash: String,
    pub(crate) replicas: u32,
    pub(crate) shape: Arc<PodShape>,
    /// Its pods are being replaced by those of a newer template.
    pub(crate) rolling: bool,
    pub(crate) labels: BTreeMap<String, String>,
    pub(crate) annotations: BTreeMap<String, String>,
    /// `persistentVolumeClaimRetentionPolicy.whenScaled: Delete`.
    pub(crate) deletes_volumes: bool,
    pub(crate) created_at: Timestamp,
    pub(crate) rv: u64,
}

/// A HorizontalPodAutoscaler, a ScaledObject of KEDA, or a CronJob.
#[derive(Debug, Clone)]
pub(crate) struct Scaler {
    pub(crate) target: ScaleRef,
    pub(crate) uid: String,
    /// `minReplicas`, or the number that it is paused with; of a CronJob 0 while it is suspended, else 1.
    pub(crate) size: Option<u32>,
    pub(crate) size_max: u32,
    pub(crate) scales: Option<WorkloadRef>,
    pub(crate) annotations: BTreeMap<String, String>,
    pub(crate) created_at: Timestamp,
    pub(crate) rv: u64,
}

impl Workload {
    /// What its pods name as their controller.
    pub(crate) fn controller(&self) -> Controller {
        match self.sort {
            Sort::Deployment => Controller { kind: "ReplicaSet".into(), name: format!("{}-{}", self.name, self.hash) },
            Sort::StatefulSet => Controller { kind: "StatefulSet".into(), name: self.name.clone() },
            Sort::DaemonSet => Controller { kind: "DaemonSet".into(), name: self.name.clone() },
            Sort::Job => Controller { kind: "Job".into(), name: self.name.clone() },
        }
    }
}

/// A PodDisruptionBudget.
#[derive(Debug, Clone)]
pub(crate) struct Budget {
    pub(crate) spec: PdbSpec,
    pub(crate) uid: String,
    pub(crate) created_at: Timestamp,
    /// Its counts are behind until then.
    pub(crate) behind_until: Option<Timestamp>,
}

impl Budget {
    pub(crate) fn title(&self) -> String {
        format!("{}/{}", self.spec.namespace, self.spec.name)
    }
    pub(crate) fn counts_scale(&self) -> bool {
        !matches!(self.spec.allows, Allows::MinAvailable(_))
    }
}
