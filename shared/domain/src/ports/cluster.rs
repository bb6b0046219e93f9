//! The remote Kubernetes API of one cluster.

use super::Inventory;
use crate::ids::{NodeName, NodeUid, PlanId};
use crate::node::{NodeTarget, NodeUsage, NodeView};
use crate::pod::{ClaimView, PodBudget, PodDetail, PodRef, PodView};
use crate::tenant;
use crate::workload::{Beside, Resize, Resized, Scalables, ScaleRef, WorkloadRef};
use async_trait::async_trait;
use jiff::SignedDuration;
use std::collections::BTreeSet;
use std::sync::Arc;

/// Why the API server did not do what was asked.
#[derive(Debug, Clone, thiserror::Error)]
pub enum ClusterError {
    /// No answer: connection, TLS, timeout, 5xx. What was asked may have happened; all calls here may be repeated.
    #[error("the Kubernetes API does not answer: {0}")]
    Unreachable(String),
    /// 401: the token is wrong or expired.
    #[error("the Kubernetes API does not accept our credential")]
    Unauthorized,
    /// 403: a right is missing; the text names it.
    #[error("a right is missing in the cluster: {0}")]
    Forbidden(String),
    /// 404, or the uid is another one: the object is gone.
    #[error("the object is gone")]
    Gone,
    /// 409: it was changed at the same time; read again.
    #[error("the object was changed at the same time")]
    Conflict,
    /// 429 of the server itself: it is overloaded.
    #[error("the Kubernetes API is overloaded")]
    Overloaded(Option<SignedDuration>),
    /// Another 4xx, or an answer that cannot be read.
    #[error("the Kubernetes API refused: {0}")]
    Refused(String),
}

/// Why a pod was not evicted.
#[derive(Debug, Clone, thiserror::Error)]
pub enum EvictError {
    /// 429 with the cause DisruptionBudget: a budget has no room now. Try again when a pod has become healthy.
    #[error("a disruption budget has no room: {0}")]
    Budget(String),
    /// 429 with a Retry-After of some seconds from the eviction handler: the budget's counts are behind. Not a refusal.
    #[error("the disruption budget is being counted")]
    BudgetBehind(SignedDuration),
    /// 500 because more than one budget covers the pod: eviction can never work.
    #[error("more than one disruption budget covers the pod")]
    ManyBudgets,
    /// 403 because the namespace is being removed: its pods go by themselves.
    #[error("the namespace is being removed")]
    NamespaceTerminating,
    /// Everything else.
    #[error(transparent)]
    Cluster(#[from] ClusterError),
}

/// What a cordon leaves on the node.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Cordon {
    /// The plan that does it; stands in the annotation `cloudoptim.io/cordoned-by`.
    pub plan: PlanId,
}

/// A node after a patch.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PatchedNode {
    /// Its uid.
    pub uid: NodeUid,
    /// Whether the patch changed anything; `false`: it was as wanted already.
    pub changed: bool,
}

/// Takes the pods of a list as they come in, so that memory follows the page and not the cluster.
pub trait PodSink: Send {
    /// One pod.
    fn pod(&mut self, pod: PodDetail);
    /// The list expired between two pages and begins anew: forget what came.
    fn restart(&mut self);
}

/// One cluster. All calls may be repeated; none waits for the world.
#[async_trait]
pub trait Cluster: Inventory + super::Sizer + Send + Sync {
    /// All nodes.
    async fn nodes(&self) -> Result<Vec<NodeView>, ClusterError>;
    /// One node. [`ClusterError::Gone`] where there is none of this name.
    async fn node(&self, name: &NodeName) -> Result<NodeView, ClusterError>;
    /// Pods: of one node, or all of them.
    async fn pods(&self, on: Option<&NodeName>) -> Result<Vec<PodView>, ClusterError>;
    /// Every pod with what it asks of a node, finished ones too, page by page.
    async fn pods_in_detail(&self, sink: &mut dyn PodSink) -> Result<(), ClusterError>;
    /// Every PersistentVolumeClaim with where its volume can be attached.
    async fn claims(&self) -> Result<Vec<ClaimView>, ClusterError>;
    /// All PodDisruptionBudgets.
    async fn pod_budgets(&self) -> Result<Vec<PodBudget>, ClusterError>;
    /// All DaemonSets as (namespace, name).
    async fn daemon_sets(&self) -> Result<BTreeSet<(String, String)>, ClusterError>;
    /// What nodes use, from metrics.k8s.io.
    async fn usage(&self) -> Result<Vec<NodeUsage>, ClusterError>;
    /// Unschedulable, tainted, out of load balancers and annotated, in one patch that tests the uid. One round trip where the
    /// target's taints are still as seen; else the node is read and patched again. [`ClusterError::Gone`] where the uid is another.
    async fn cordon(&self, node: &NodeTarget, mark: &Cordon) -> Result<PatchedNode, ClusterError>;
    /// Takes a cordon back. With `only`, only the cordon of that plan; another's is left alone and is no error.
    async fn uncordon(&self, node: &NodeTarget, only: Option<&PlanId>) -> Result<PatchedNode, ClusterError>;
    /// Evicts a pod, with its uid as a precondition. A pod that is gone or has another uid: `Ok`.
    async fn evict(&self, pod: &PodRef) -> Result<(), EvictError>;
    /// Deletes a pod, past any budget, with this grace (at least one second) and its uid as a precondition. Gone: `Ok`.
    async fn delete_pod(&self, pod: &PodRef, grace_s: u32) -> Result<(), ClusterError>;
    /// Removes a Node object, with its uid as a precondition. Gone: `Ok`.
    async fn delete_node(&self, node: &NodeTarget) -> Result<(), ClusterError>;
    /// How many replicas a workload is asked to have.
    async fn replicas(&self, workload: &WorkloadRef) -> Result<u32, ClusterError>;
    /// Sets it.
    async fn scale(&self, workload: &WorkloadRef, replicas: u32) -> Result<(), ClusterError>;
    /// Every object that has a size, and all namespaces; what else, says `beside`. A kind that the cluster does not serve has no
    /// objects; one that may not be listed is an error: what is not known is not touched.
    async fn scalables(&self, beside: Beside) -> Result<Scalables, ClusterError>;
    /// Changes the size of an object and the note of its original, in one patch that holds only for what was read just before.
    /// [`ClusterError::Gone`] where the uid is another, [`ClusterError::Conflict`] where somebody changed it at the same time.
    async fn resize(&self, target: &ScaleRef, resize: &Resize) -> Result<Resized, ClusterError>;
}

/// Gives access to clusters. Connections are kept per cluster, endpoint, certificate authority and credential.
#[async_trait]
pub trait Clusters: Send + Sync {
    /// A cluster to talk to. Opens the sealed credential; makes no call to the API server itself.
    async fn connect(&self, cluster: &tenant::Cluster) -> Result<Arc<dyn Cluster>, ClusterError>;
}
