//! What a cluster shows and changes of the sizes of its workloads, and where what they use is remembered.

use super::{ClusterError, StoreError};
use crate::ids::{ClusterId, CustomerId};
use crate::pod::PodRef;
use crate::sizing::{AutoscalerView, ContainerSizes, InPlace, PodContainers, WorkloadView};
use crate::usage::{ContainerRef, Sample, SampledRound, Usage};
use crate::workload::WorkloadRef;
use async_trait::async_trait;
use jiff::Timestamp;

/// The sizes of a cluster's workloads. All calls may be repeated; none waits for the world.
#[async_trait]
pub trait Sizer: Send + Sync {
    /// All Deployments and StatefulSets.
    async fn workloads(&self) -> Result<Vec<WorkloadView>, ClusterError>;
    /// One of them. [`ClusterError::Gone`] where there is none of this name.
    async fn workload(&self, workload: &WorkloadRef) -> Result<WorkloadView, ClusterError>;
    /// All HorizontalPodAutoscalers. An error means that nothing is known of them, not that there are none.
    async fn autoscalers(&self) -> Result<Vec<AutoscalerView>, ClusterError>;
    /// All pods with their containers.
    async fn containers(&self) -> Result<Vec<PodContainers>, ClusterError>;
    /// What containers use now (metrics.k8s.io).
    async fn container_usage(&self) -> Result<Vec<Sample>, ClusterError>;
    /// Gives containers of a template new sizes; what is `None` is unset. The pods follow as the workload's strategy says.
    ///
    /// # Errors
    /// [`ClusterError::Conflict`]: the workload is not what was read as `version` any more.
    async fn patch_requests(&self, workload: &WorkloadRef, version: &str, sizes: &[ContainerSizes]) -> Result<(), ClusterError>;
    /// Gives containers of a running pod new sizes without a restart. A pod that is gone: accepted.
    async fn resize_in_place(&self, pod: &PodRef, sizes: &[ContainerSizes]) -> Result<InPlace, ClusterError>;
}

/// What is remembered of containers.
///
/// # Guarantees
/// An item is written whole; the last writer wins. Rounds that are folded in twice count once, so two writers lose one round at most.
#[async_trait]
pub trait Usages: Send + Sync {
    /// Everything that is remembered of a cluster, read consistently. An item that cannot be read is left out, and begins anew.
    async fn usages(&self, customer: &CustomerId, cluster: &ClusterId) -> Result<Vec<(ContainerRef, Usage)>, StoreError>;
    /// Keeps a round that is not folded in yet, for a day.
    async fn put_round(&self, customer: &CustomerId, cluster: &ClusterId, round: &SampledRound) -> Result<(), StoreError>;
    /// Rounds after this time, oldest first, read consistently.
    async fn rounds(&self, customer: &CustomerId, cluster: &ClusterId, after: Option<Timestamp>) -> Result<Vec<SampledRound>, StoreError>;
    /// When a cluster's rounds were last folded in and its sizes judged; `None`: never.
    async fn judged_at(&self, customer: &CustomerId, cluster: &ClusterId) -> Result<Option<Timestamp>, StoreError>;
    /// Remembers it.
    async fn put_judged_at(&self, customer: &CustomerId, cluster: &ClusterId, at: Timestamp) -> Result<(), StoreError>;
    /// Writes items over those that are there.
    async fn put_usages(&self, customer: &CustomerId, cluster: &ClusterId, items: &[(ContainerRef, Usage)]) -> Result<(), StoreError>;
}
