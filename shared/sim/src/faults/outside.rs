//! Faulty twins of EC2, the Kubernetes API and the queues.

use super::{Gate, Kind};
use async_trait::async_trait;
use domain::decision::Commitment;
use domain::ids::{InstanceId, InstanceType, NodeName, PlanId, VolumeId, Zone};
use domain::node::{NodeTarget, NodeTemplate, NodeUsage, NodeView};
use domain::plan::PlanKey;
use domain::pod::{ClaimView, PodBudget, PodRef, PodView};
use domain::policy::TrafficSource;
use domain::ports::account::{Question, Said};
use domain::ports::cloud::SpotPrice;
use domain::ports::estate::{Address, Behind, EbsVolume, Estate, LoadBalancer, Member, NatGateway, VolumeFilter, VolumeSnapshot};
use domain::ports::inventory::{EndpointView, Flow, Inventory, PersistentVolume, ServiceView};
use domain::ports::{
    AccountRights, Cloud, CloudError, Cluster, ClusterError, Clusters, Cordon, EvictError, Instance, InstanceFilter, LaunchRequest,
    Lifecycle, Parked, PatchedNode, PodSink, Queue, QueueError, Sizer,
};
use domain::sizing::{AutoscalerView, ContainerSizes, InPlace, PodContainers, WorkloadView};
use domain::tenant::{self, AwsScope};
use domain::usage::Sample;
use domain::workload::{Beside, Resize, Resized, Scalables, ScaleRef, WorkloadRef};
use domain::{SignedDuration, Timestamp};
use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

fn cloud(kind: Kind) -> CloudError {
    match kind {
        Kind::Unavailable => CloudError::Ambiguous("injected".to_owned()),
        Kind::Throttled => CloudError::Throttled,
        Kind::Denied => CloudError::NoAccess("injected".to_owned()),
    }
}

fn cluster(kind: Kind) -> ClusterError {
    match kind {
        Kind::Unavailable => ClusterError::Unreachable("injected".to_owned()),
        Kind::Throttled => ClusterError::Overloaded(None),
        Kind::Denied => ClusterError::Unauthorized,
    }
}

fn evict(kind: Kind) -> EvictError {
    EvictError::Cluster(cluster(kind))
}

fn queue(_kind: Kind) -> QueueError {
    QueueError("injected".to_owned())
}

/// A Cloud behind the gate.
pub struct FaultyCloud {
    inner: Arc<dyn Cloud>,
    gate: Arc<Gate>,
}

impl FaultyCloud {
    /// Puts a Cloud behind the gate.
    pub fn new(inner: Arc<dyn Cloud>, gate: Arc<Gate>) -> Arc<Self> {
        Arc::new(Self { inner, gate })
    }
}

#[async_trait]
impl Cloud for FaultyCloud {
    async fn launch(&self, scope: &AwsScope, request: &LaunchRequest) -> Result<Instance, CloudError> {
        self.gate.pass("cloud.launch", self.inner.launch(scope, request), cloud).await
    }
    async fn instances(&self, scope: &AwsScope, filter: &InstanceFilter) -> Result<Vec<Instance>, CloudError> {
        self.gate.pass("cloud.instances", self.inner.instances(scope, filter), cloud).await
    }
    async fn terminate(&self, scope: &AwsScope, instance: &InstanceId) -> Result<(), CloudError> {
        self.gate.pass("cloud.terminate", self.inner.terminate(scope, instance), cloud).await
    }
    async fn complete_lifecycle(&self, scope: &AwsScope, lifecycle: &Lifecycle) -> Result<(), CloudError> {
        self.gate.pass("cloud.complete_lifecycle", self.inner.complete_lifecycle(scope, lifecycle), cloud).await
    }
    async fn template_of(&self, scope: &AwsScope, instance: &InstanceId) -> Result<NodeTemplate, CloudError> {
        self.gate.pass("cloud.template_of", self.inner.template_of(scope, instance), cloud).await
    }

    async fn spot_prices(
        &self,
        scope: &AwsScope,
        types: &[InstanceType],
        zones: &[Zone],
        since: Timestamp,
    ) -> Result<Vec<SpotPrice>, CloudError> {
        self.gate.pass("cloud.spot_prices", self.inner.spot_prices(scope, types, zones, since), cloud).await
    }

    async fn reserved(&self, scope: &AwsScope) -> Result<Vec<Commitment>, CloudError> {
        self.gate.pass("cloud.reserved", self.inner.reserved(scope), cloud).await
    }
}

#[async_trait]
impl Estate for FaultyCloud {
    async fn members(&self, scope: &AwsScope, instances: &[InstanceId]) -> Result<Vec<Member>, CloudError> {
        self.gate.pass("cloud.members", self.inner.members(scope, instances), cloud).await
    }
    async fn end_forbidden(&self, scope: &AwsScope, instance: &InstanceId) -> Result<bool, CloudError> {
        self.gate.pass("cloud.end_forbidden", self.inner.end_forbidden(scope, instance), cloud).await
    }
    async fn end_member(&self, scope: &AwsScope, instance: &InstanceId) -> Result<(), CloudError> {
        self.gate.pass("cloud.end_member", self.inner.end_member(scope, instance), cloud).await
    }
    async fn volumes(&self, scope: &AwsScope, filter: &VolumeFilter) -> Result<Vec<EbsVolume>, CloudError> {
        self.gate.pass("cloud.volumes", self.inner.volumes(scope, filter), cloud).await
    }
    async fn snapshot(&self, scope: &AwsScope, volume: &VolumeId, mark: &str) -> Result<VolumeSnapshot, CloudError> {
        self.gate.pass("cloud.snapshot", self.inner.snapshot(scope, volume, mark), cloud).await
    }
    async fn delete_volume(&self, scope: &AwsScope, volume: &VolumeId) -> Result<(), CloudError> {
        self.gate.pass("cloud.delete_volume", self.inner.delete_volume(scope, volume), cloud).await
    }
    async fn addresses(&self, scope: &AwsScope) -> Result<Vec<Address>, CloudError> {
        self.gate.pass("cloud.addresses", self.inner.addresses(scope), cloud).await
    }
    async fn nat_gateways(&self, scope: &AwsScope) -> Result<Vec<NatGateway>, CloudError> {
        self.gate.pass("cloud.nat_gateways", self.inner.nat_gateways(scope), cloud).await
    }
    async fn load_balancers(&self, scope: &AwsScope) -> Result<Vec<LoadBalancer>, CloudError> {
        self.gate.pass("cloud.load_balancers", self.inner.load_balancers(scope), cloud).await
    }
    async fn behind(&self, scope: &AwsScope, balancers: &[LoadBalancer]) -> Result<BTreeMap<String, Behind>, CloudError> {
        self.gate.pass("cloud.behind", self.inner.behind(scope, balancers), cloud).await
    }
}

#[async_trait]
impl AccountRights for FaultyCloud {
    async fn may(&self, scope: &AwsScope, question: &Question) -> Result<Said, CloudError> {
        self.gate.pass("cloud.may", self.inner.may(scope, question), cloud).await
    }
}

/// A Queue behind the gate.
pub struct FaultyQueue {
    inner: Arc<dyn Queue>,
    gate: Arc<Gate>,
}

impl FaultyQueue {
    /// Puts a Queue behind the gate.
    pub fn new(inner: Arc<dyn Queue>, gate: Arc<Gate>) -> Arc<Self> {
        Arc::new(Self { inner, gate })
    }
}

#[async_trait]
impl Queue for FaultyQueue {
    async fn continue_plan(&self, key: &PlanKey, delay: SignedDuration) -> Result<(), QueueError> {
        self.gate.pass("queue.continue_plan", self.inner.continue_plan(key, delay), queue).await
    }
    async fn notice(&self, body: &str) -> Result<(), QueueError> {
        self.gate.pass("queue.notice", self.inner.notice(body), queue).await
    }
    async fn park(&self, parked: &Parked) -> Result<(), QueueError> {
        self.gate.pass("queue.park", self.inner.park(parked), queue).await
    }
}

/// A Cluster behind the gate.
struct FaultyCluster {
    inner: Arc<dyn Cluster>,
    gate: Arc<Gate>,
}

#[async_trait]
impl Inventory for FaultyCluster {
    async fn persistent_volumes(&self) -> Result<Vec<PersistentVolume>, ClusterError> {
        self.gate.pass("cluster.persistent_volumes", self.inner.persistent_volumes(), cluster).await
    }
    async fn services(&self) -> Result<Vec<ServiceView>, ClusterError> {
        self.gate.pass("cluster.services", self.inner.services(), cluster).await
    }
    async fn endpoints(&self) -> Result<Vec<EndpointView>, ClusterError> {
        self.gate.pass("cluster.endpoints", self.inner.endpoints(), cluster).await
    }
    async fn traffic(&self, source: &TrafficSource) -> Result<Vec<Flow>, ClusterError> {
        self.gate.pass("cluster.traffic", self.inner.traffic(source), cluster).await
    }
}

#[async_trait]
impl Cluster for FaultyCluster {
    async fn nodes(&self) -> Result<Vec<NodeView>, ClusterError> {
        self.gate.pass("cluster.nodes", self.inner.nodes(), cluster).await
    }
    async fn node(&self, name: &NodeName) -> Result<NodeView, ClusterError> {
        self.gate.pass("cluster.node", self.inner.node(name), cluster).await
    }
    async fn pods(&self, on: Option<&NodeName>) -> Result<Vec<PodView>, ClusterError> {
        self.gate.pass("cluster.pods", self.inner.pods(on), cluster).await
    }
    async fn pods_in_detail(&self, sink: &mut dyn PodSink) -> Result<(), ClusterError> {
        self.gate.pass("cluster.pods_in_detail", self.inner.pods_in_detail(sink), cluster).await
    }
    async fn claims(&self) -> Result<Vec<ClaimView>, ClusterError> {
        self.gate.pass("cluster.claims", self.inner.claims(), cluster).await
    }
    async fn pod_budgets(&self) -> Result<Vec<PodBudget>, ClusterError> {
        self.gate.pass("cluster.pod_budgets", self.inner.pod_budgets(), cluster).await
    }
    async fn daemon_sets(&self) -> Result<BTreeSet<(String, String)>, ClusterError> {
        self.gate.pass("cluster.daemon_sets", self.inner.daemon_sets(), cluster).await
    }
    async fn usage(&self) -> Result<Vec<NodeUsage>, ClusterError> {
        self.gate.pass("cluster.usage", self.inner.usage(), cluster).await
    }
    async fn cordon(&self, node: &NodeTarget, mark: &Cordon) -> Result<PatchedNode, ClusterError> {
        self.gate.pass("cluster.cordon", self.inner.cordon(node, mark), cluster).await
    }
    async fn uncordon(&self, node: &NodeTarget, only: Option<&PlanId>) -> Result<PatchedNode, ClusterError> {
        self.gate.pass("cluster.uncordon", self.inner.uncordon(node, only), cluster).await
    }
    async fn evict(&self, pod: &PodRef) -> Result<(), EvictError> {
        self.gate.pass("cluster.evict", self.inner.evict(pod), evict).await
    }
    async fn delete_pod(&self, pod: &PodRef, grace_s: u32) -> Result<(), ClusterError> {
        self.gate.pass("cluster.delete_pod", self.inner.delete_pod(pod, grace_s), cluster).await
    }
    async fn delete_node(&self, node: &NodeTarget) -> Result<(), ClusterError> {
        self.gate.pass("cluster.delete_node", self.inner.delete_node(node), cluster).await
    }
    async fn replicas(&self, workload: &WorkloadRef) -> Result<u32, ClusterError> {
        self.gate.pass("cluster.replicas", self.inner.replicas(workload), cluster).await
    }
    async fn scale(&self, workload: &WorkloadRef, replicas: u32) -> Result<(), ClusterError> {
        self.gate.pass("cluster.scale", self.inner.scale(workload, replicas), cluster).await
    }
    async fn scalables(&self, beside: Beside) -> Result<Scalables, ClusterError> {
        self.gate.pass("cluster.scalables", self.inner.scalables(beside), cluster).await
    }
    async fn resize(&self, target: &ScaleRef, resize: &Resize) -> Result<Resized, ClusterError> {
        self.gate.pass("cluster.resize", self.inner.resize(target, resize), cluster).await
    }
}

#[async_trait]
impl Sizer for FaultyCluster {
    async fn workloads(&self) -> Result<Vec<WorkloadView>, ClusterError> {
        self.gate.pass("cluster.workloads", self.inner.workloads(), cluster).await
    }
    async fn workload(&self, workload: &WorkloadRef) -> Result<WorkloadView, ClusterError> {
        self.gate.pass("cluster.workload", self.inner.workload(workload), cluster).await
    }
    async fn autoscalers(&self) -> Result<Vec<AutoscalerView>, ClusterError> {
        self.gate.pass("cluster.autoscalers", self.inner.autoscalers(), cluster).await
    }
    async fn containers(&self) -> Result<Vec<PodContainers>, ClusterError> {
        self.gate.pass("cluster.containers", self.inner.containers(), cluster).await
    }
    async fn container_usage(&self) -> Result<Vec<Sample>, ClusterError> {
        self.gate.pass("cluster.container_usage", self.inner.container_usage(), cluster).await
    }
    async fn patch_requests(&self, workload: &WorkloadRef, version: &str, sizes: &[ContainerSizes]) -> Result<(), ClusterError> {
        self.gate.pass("cluster.patch_requests", self.inner.patch_requests(workload, version, sizes), cluster).await
    }
    async fn resize_in_place(&self, pod: &PodRef, sizes: &[ContainerSizes]) -> Result<InPlace, ClusterError> {
        self.gate.pass("cluster.resize_in_place", self.inner.resize_in_place(pod, sizes), cluster).await
    }
}

/// Clusters behind the gate.
pub struct FaultyClusters {
    inner: Arc<dyn Clusters>,
    gate: Arc<Gate>,
}

impl FaultyClusters {
    /// Puts the access to clusters, and each cluster, behind the gate.
    pub fn new(inner: Arc<dyn Clusters>, gate: Arc<Gate>) -> Arc<Self> {
        Arc::new(Self { inner, gate })
    }
}

#[async_trait]
impl Clusters for FaultyClusters {
    async fn connect(&self, cluster_record: &tenant::Cluster) -> Result<Arc<dyn Cluster>, ClusterError> {
        let inner = self.gate.pass("clusters.connect", self.inner.connect(cluster_record), cluster).await?;
        Ok(Arc::new(FaultyCluster { inner, gate: self.gate.clone() }))
    }
}
