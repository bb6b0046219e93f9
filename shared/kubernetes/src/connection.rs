//! The port on one API server: every verb leads to the file that holds it.

use crate::call::Api;
use crate::{cordon, evict, lists, scalables, workloads};
use async_trait::async_trait;
use domain::ids::{NodeName, PlanId};
use domain::node::{NodeTarget, NodeUsage, NodeView};
use domain::pod::{ClaimView, PodBudget, PodRef, PodView};
use domain::policy::TrafficSource;
use domain::ports::inventory::{EndpointView, Flow, PersistentVolume, ServiceView};
use domain::ports::{Cluster, ClusterError, Cordon, EvictError, Inventory, PatchedNode, PodSink};
use domain::workload::{Beside, Resize, Resized, Scalables, ScaleRef, WorkloadRef};
use std::collections::BTreeSet;

/// One cluster.
pub(crate) struct Connection {
    pub(crate) api: Api,
}

#[async_trait]
impl Inventory for Connection {
    async fn persistent_volumes(&self) -> Result<Vec<PersistentVolume>, ClusterError> {
        lists::persistent_volumes(&self.api).await
    }

    async fn services(&self) -> Result<Vec<ServiceView>, ClusterError> {
        lists::services(&self.api).await
    }

    async fn endpoints(&self) -> Result<Vec<EndpointView>, ClusterError> {
        lists::endpoints(&self.api).await
    }

    async fn traffic(&self, source: &TrafficSource) -> Result<Vec<Flow>, ClusterError> {
        lists::traffic(&self.api, source).await
    }
}

#[async_trait]
impl Cluster for Connection {
    async fn nodes(&self) -> Result<Vec<NodeView>, ClusterError> {
        lists::nodes(&self.api).await
    }

    async fn node(&self, name: &NodeName) -> Result<NodeView, ClusterError> {
        lists::node(&self.api, name).await
    }

    async fn pods(&self, on: Option<&NodeName>) -> Result<Vec<PodView>, ClusterError> {
        lists::pods::views(&self.api, on).await
    }

    async fn pods_in_detail(&self, sink: &mut dyn PodSink) -> Result<(), ClusterError> {
        lists::pods::in_detail(&self.api, sink).await
    }

    async fn claims(&self) -> Result<Vec<ClaimView>, ClusterError> {
        lists::claims(&self.api).await
    }

    async fn pod_budgets(&self) -> Result<Vec<PodBudget>, ClusterError> {
        lists::pod_budgets(&self.api).await
    }

    async fn daemon_sets(&self) -> Result<BTreeSet<(String, String)>, ClusterError> {
        lists::daemon_sets(&self.api).await
    }

    async fn usage(&self) -> Result<Vec<NodeUsage>, ClusterError> {
        lists::usage(&self.api).await
    }

    async fn cordon(&self, node: &NodeTarget, mark: &Cordon) -> Result<PatchedNode, ClusterError> {
        cordon::cordon(&self.api, node, mark).await
    }

    async fn uncordon(&self, node: &NodeTarget, only: Option<&PlanId>) -> Result<PatchedNode, ClusterError> {
        cordon::uncordon(&self.api, node, only).await
    }

    async fn evict(&self, pod: &PodRef) -> Result<(), EvictError> {
        evict::evict(&self.api, pod).await
    }

    async fn delete_pod(&self, pod: &PodRef, grace_s: u32) -> Result<(), ClusterError> {
        evict::delete_pod(&self.api, pod, grace_s).await
    }

    async fn delete_node(&self, node: &NodeTarget) -> Result<(), ClusterError> {
        evict::delete_node(&self.api, node).await
    }

    async fn replicas(&self, workload: &WorkloadRef) -> Result<u32, ClusterError> {
        workloads::replicas(&self.api, workload).await
    }

    async fn scale(&self, workload: &WorkloadRef, replicas: u32) -> Result<(), ClusterError> {
        workloads::scale(&self.api, workload, replicas).await
    }

    async fn scalables(&self, beside: Beside) -> Result<Scalables, ClusterError> {
        scalables::scalables(&self.api, beside).await
    }

    async fn resize(&self, target: &ScaleRef, resize: &Resize) -> Result<Resized, ClusterError> {
        scalables::resize(&self.api, target, resize).await
    }
}
