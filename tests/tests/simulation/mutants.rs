//! Who checks the checkers? Each of these ports breaks one promise of the protocol; some of the first seeds must notice.

use async_trait::async_trait;
use domain::Timestamp;
use domain::audit::AuditRow;
use domain::decision::Commitment;
use domain::ids::{ClusterId, CustomerId, InstanceId, InstanceType, NodeName, PlanId, VolumeId, Zone};
use domain::node::{NodeTarget, NodeTemplate, NodeUsage, NodeView};
use domain::operation::Operation;
use domain::plan::{PlanKey, PlanRecord};
use domain::pod::{ClaimView, PodBudget, PodRef, PodView};
use domain::policy::TrafficSource;
use domain::ports::Sizer;
use domain::ports::account::{Question, Said};
use domain::ports::cloud::SpotPrice;
use domain::ports::estate::{Address, Behind, EbsVolume, Estate, LoadBalancer, Member, NatGateway, VolumeFilter, VolumeSnapshot};
use domain::ports::inventory::{EndpointView, Flow, Inventory, PersistentVolume, ServiceView};
use domain::ports::{
    AccountRights, Change, Cloud, CloudError, Cluster, ClusterError, Clusters, Cordon, EvictError, Instance, InstanceFilter, Journal,
    LaunchRequest, Lifecycle, NewPlan, Opened, PatchedNode, PodSink, StoreError,
};
use domain::sizing::{AutoscalerView, ContainerSizes, InPlace, PodContainers, WorkloadView};
use domain::spot_event::SpotEvent;
use domain::tenant::{self, AwsScope};
use domain::usage::Sample;
use domain::workload::{Beside, Resize, Resized, Scalables, ScaleRef, WorkloadRef};
use harness::system::System;
use harness::world_by_seed::{run_changed, run_side_by_side};
use sim::faults::{FaultyCloud, FaultyClusters, FaultyJournal};
use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

/// How many seeds a mutant may live through.
const SEEDS: u64 = 200;

/// A protocol that is broken at one place.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Mutation {
    /// Every try of a launch has a token of its own.
    FreshTokens,
    /// The tag of the plan is not part of the call.
    NoTags,
    /// No answer is taken for a definite no.
    AmbiguousIsNoCapacity,
    /// The journal says that it has written, and has not.
    LostWrites,
    /// Asked for the pods of one node, the cluster's are given.
    PodsOfAllNodes,
    /// An uncordon is answered and not done.
    UncordonForgotten,
    /// An ended instance is answered and lives on.
    TerminateForgotten,
    /// Whoever writes last wins: a write of the journal asks for no version.
    UnfencedWrites,
}

const ALL: [Mutation; 8] = [
    Mutation::FreshTokens,
    Mutation::NoTags,
    Mutation::AmbiguousIsNoCapacity,
    Mutation::LostWrites,
    Mutation::PodsOfAllNodes,
    Mutation::UncordonForgotten,
    Mutation::TerminateForgotten,
    Mutation::UnfencedWrites,
];

/// A port with the mutation in it.
struct Broken<T: ?Sized> {
    inner: Arc<T>,
    mutation: Mutation,
    count: AtomicU64,
}

impl<T: ?Sized> Broken<T> {
    fn new(inner: Arc<T>, mutation: Mutation) -> Arc<Self> {
        Arc::new(Broken { inner, mutation, count: AtomicU64::new(0) })
    }

    fn is(&self, mutation: Mutation) -> bool {
        self.mutation == mutation
    }
}

#[async_trait]
impl Cloud for Broken<dyn Cloud> {
    async fn launch(&self, scope: &AwsScope, request: &LaunchRequest) -> Result<Instance, CloudError> {
        let mut request = request.clone();
        if self.is(Mutation::FreshTokens) {
            request.client_token = format!("try-{}", self.count.fetch_add(1, Ordering::Relaxed));
        }
        if self.is(Mutation::NoTags) {
            request.tags.remove("cloudoptim.io/plan");
        }
        match self.inner.launch(scope, &request).await {
            Err(CloudError::Ambiguous(why)) if self.is(Mutation::AmbiguousIsNoCapacity) => Err(CloudError::NoCapacity(why)),
            other => other,
        }
    }
    async fn instances(&self, scope: &AwsScope, filter: &InstanceFilter) -> Result<Vec<Instance>, CloudError> {
        self.inner.instances(scope, filter).await
    }
    async fn terminate(&self, scope: &AwsScope, instance: &InstanceId) -> Result<(), CloudError> {
        if self.is(Mutation::TerminateForgotten) { Ok(()) } else { self.inner.terminate(scope, instance).await }
    }
    async fn complete_lifecycle(&self, scope: &AwsScope, lifecycle: &Lifecycle) -> Result<(), CloudError> {
        self.inner.complete_lifecycle(scope, lifecycle).await
    }
    async fn template_of(&self, scope: &AwsScope, instance: &InstanceId) -> Result<NodeTemplate, CloudError> {
        self.inner.template_of(scope, instance).await
    }
    async fn spot_prices(
        &self,
        scope: &AwsScope,
        types: &[InstanceType],
        zones: &[Zone],
        since: Timestamp,
    ) -> Result<Vec<SpotPrice>, CloudError> {
        self.inner.spot_prices(scope, types, zones, since).await
    }
    async fn reserved(&self, scope: &AwsScope) -> Result<Vec<Commitment>, CloudError> {
        self.inner.reserved(scope).await
    }
}

#[async_trait]
impl AccountRights for Broken<dyn Cloud> {
    async fn may(&self, scope: &AwsScope, question: &Question) -> Result<Said, CloudError> {
        self.inner.may(scope, question).await
    }
}

#[async_trait]
impl Estate for Broken<dyn Cloud> {
    async fn members(&self, scope: &AwsScope, instances: &[InstanceId]) -> Result<Vec<Member>, CloudError> {
        self.inner.members(scope, instances).await
    }
    async fn end_forbidden(&self, scope: &AwsScope, instance: &InstanceId) -> Result<bool, CloudError> {
        self.inner.end_forbidden(scope, instance).await
    }
    async fn end_member(&self, scope: &AwsScope, instance: &InstanceId) -> Result<(), CloudError> {
        self.inner.end_member(scope, instance).await
    }
    async fn volumes(&self, scope: &AwsScope, filter: &VolumeFilter) -> Result<Vec<EbsVolume>, CloudError> {
        self.inner.volumes(scope, filter).await
    }
    async fn snapshot(&self, scope: &AwsScope, volume: &VolumeId, mark: &str) -> Result<VolumeSnapshot, CloudError> {
        self.inner.snapshot(scope, volume, mark).await
    }
    async fn delete_volume(&self, scope: &AwsScope, volume: &VolumeId) -> Result<(), CloudError> {
        self.inner.delete_volume(scope, volume).await
    }
    async fn addresses(&self, scope: &AwsScope) -> Result<Vec<Address>, CloudError> {
        self.inner.addresses(scope).await
    }
    async fn nat_gateways(&self, scope: &AwsScope) -> Result<Vec<NatGateway>, CloudError> {
        self.inner.nat_gateways(scope).await
    }
    async fn load_balancers(&self, scope: &AwsScope) -> Result<Vec<LoadBalancer>, CloudError> {
        self.inner.load_balancers(scope).await
    }
    async fn behind(&self, scope: &AwsScope, balancers: &[LoadBalancer]) -> Result<BTreeMap<String, Behind>, CloudError> {
        self.inner.behind(scope, balancers).await
    }
}

#[async_trait]
impl Journal for Broken<dyn Journal> {
    async fn open(&self, new: &NewPlan) -> Result<Opened, StoreError> {
        self.inner.open(new).await
    }
    async fn load(&self, key: &PlanKey) -> Result<Option<PlanRecord>, StoreError> {
        self.inner.load(key).await
    }
    async fn record(&self, key: &PlanKey, change: &Change) -> Result<(), StoreError> {
        if self.is(Mutation::LostWrites) && self.count.fetch_add(1, Ordering::Relaxed).is_multiple_of(2) {
            return Ok(());
        }
        match self.inner.record(key, change).await {
            Err(StoreError::Conflict) if self.is(Mutation::UnfencedWrites) => {
                let Some(stored) = self.inner.load(key).await? else { return Err(StoreError::Conflict) };
                let mut forced = change.clone();
                forced.progress.version = stored.progress.version + 1;
                self.inner.record(key, &forced).await
            }
            other => other,
        }
    }
    async fn due(&self, now: Timestamp, limit: usize) -> Result<Vec<PlanKey>, StoreError> {
        self.inner.due(now, limit).await
    }
    async fn open_plans(&self, customer: &CustomerId, cluster: &ClusterId) -> Result<Vec<PlanRecord>, StoreError> {
        self.inner.open_plans(customer, cluster).await
    }
    async fn audit(&self, key: &PlanKey) -> Result<Vec<AuditRow>, StoreError> {
        self.inner.audit(key).await
    }
    async fn put_spot_event(&self, event: &SpotEvent) -> Result<(), StoreError> {
        self.inner.put_spot_event(event).await
    }
    async fn spot_events(&self, customer: &CustomerId, before: Option<Timestamp>, limit: usize) -> Result<Vec<SpotEvent>, StoreError> {
        self.inner.spot_events(customer, before, limit).await
    }
    async fn operation(&self, customer: &CustomerId, id: &str) -> Result<Option<Operation>, StoreError> {
        self.inner.operation(customer, id).await
    }
}

#[async_trait]
impl Clusters for Broken<dyn Clusters> {
    async fn connect(&self, cluster: &tenant::Cluster) -> Result<Arc<dyn Cluster>, ClusterError> {
        let inner = self.inner.connect(cluster).await?;
        Ok(Broken::new(inner, self.mutation))
    }
}

#[async_trait]
impl Inventory for Broken<dyn Cluster> {
    async fn persistent_volumes(&self) -> Result<Vec<PersistentVolume>, ClusterError> {
        self.inner.persistent_volumes().await
    }
    async fn services(&self) -> Result<Vec<ServiceView>, ClusterError> {
        self.inner.services().await
    }
    async fn endpoints(&self) -> Result<Vec<EndpointView>, ClusterError> {
        self.inner.endpoints().await
    }
    async fn traffic(&self, source: &TrafficSource) -> Result<Vec<Flow>, ClusterError> {
        self.inner.traffic(source).await
    }
}

#[async_trait]
impl Cluster for Broken<dyn Cluster> {
    async fn nodes(&self) -> Result<Vec<NodeView>, ClusterError> {
        self.inner.nodes().await
    }
    async fn node(&self, name: &NodeName) -> Result<NodeView, ClusterError> {
        self.inner.node(name).await
    }
    async fn pods(&self, on: Option<&NodeName>) -> Result<Vec<PodView>, ClusterError> {
        self.inner.pods(on.filter(|_| !self.is(Mutation::PodsOfAllNodes))).await
    }
    async fn pods_in_detail(&self, sink: &mut dyn PodSink) -> Result<(), ClusterError> {
        self.inner.pods_in_detail(sink).await
    }
    async fn claims(&self) -> Result<Vec<ClaimView>, ClusterError> {
        self.inner.claims().await
    }
    async fn pod_budgets(&self) -> Result<Vec<PodBudget>, ClusterError> {
        self.inner.pod_budgets().await
    }
    async fn daemon_sets(&self) -> Result<BTreeSet<(String, String)>, ClusterError> {
        self.inner.daemon_sets().await
    }
    async fn usage(&self) -> Result<Vec<NodeUsage>, ClusterError> {
        self.inner.usage().await
    }
    async fn cordon(&self, node: &NodeTarget, mark: &Cordon) -> Result<PatchedNode, ClusterError> {
        self.inner.cordon(node, mark).await
    }
    async fn uncordon(&self, node: &NodeTarget, only: Option<&PlanId>) -> Result<PatchedNode, ClusterError> {
        match node.uid.clone().filter(|_| self.is(Mutation::UncordonForgotten)) {
            Some(uid) => Ok(PatchedNode { uid, changed: true }),
            None => self.inner.uncordon(node, only).await,
        }
    }
    async fn evict(&self, pod: &PodRef) -> Result<(), EvictError> {
        self.inner.evict(pod).await
    }
    async fn delete_pod(&self, pod: &PodRef, grace_s: u32) -> Result<(), ClusterError> {
        self.inner.delete_pod(pod, grace_s).await
    }
    async fn delete_node(&self, node: &NodeTarget) -> Result<(), ClusterError> {
        self.inner.delete_node(node).await
    }
    async fn replicas(&self, workload: &WorkloadRef) -> Result<u32, ClusterError> {
        self.inner.replicas(workload).await
    }
    async fn scale(&self, workload: &WorkloadRef, replicas: u32) -> Result<(), ClusterError> {
        self.inner.scale(workload, replicas).await
    }
    async fn scalables(&self, beside: Beside) -> Result<Scalables, ClusterError> {
        self.inner.scalables(beside).await
    }
    async fn resize(&self, target: &ScaleRef, resize: &Resize) -> Result<Resized, ClusterError> {
        self.inner.resize(target, resize).await
    }
}

#[async_trait]
impl Sizer for Broken<dyn Cluster> {
    async fn workloads(&self) -> Result<Vec<WorkloadView>, ClusterError> {
        self.inner.workloads().await
    }
    async fn workload(&self, workload: &WorkloadRef) -> Result<WorkloadView, ClusterError> {
        self.inner.workload(workload).await
    }
    async fn autoscalers(&self) -> Result<Vec<AutoscalerView>, ClusterError> {
        self.inner.autoscalers().await
    }
    async fn containers(&self) -> Result<Vec<PodContainers>, ClusterError> {
        self.inner.containers().await
    }
    async fn container_usage(&self) -> Result<Vec<Sample>, ClusterError> {
        self.inner.container_usage().await
    }
    async fn patch_requests(&self, workload: &WorkloadRef, version: &str, sizes: &[ContainerSizes]) -> Result<(), ClusterError> {
        self.inner.patch_requests(workload, version, sizes).await
    }
    async fn resize_in_place(&self, pod: &PodRef, sizes: &[ContainerSizes]) -> Result<InPlace, ClusterError> {
        self.inner.resize_in_place(pod, sizes).await
    }
}

/// Puts the mutation between the functions and the world; faults come from outside of it, as before.
fn change(system: &mut System, mutation: Mutation) {
    let (cloud, journal, clusters): (Arc<dyn Cloud>, Arc<dyn Journal>, Arc<dyn Clusters>) =
        (system.world.clone(), system.store.clone(), system.world.clone());
    let gate = || system.gate.clone();
    system.ports.cloud = Broken::new(FaultyCloud::new(cloud, gate()) as Arc<dyn Cloud>, mutation);
    system.ports.journal = Broken::new(FaultyJournal::new(journal, gate()) as Arc<dyn Journal>, mutation);
    system.ports.clusters = Broken::new(FaultyClusters::new(clusters, gate()) as Arc<dyn Clusters>, mutation);
}

#[test]
fn workers_side_by_side_take_nothing_back_from_each_other() {
    for seed in 0..SEEDS {
        run_side_by_side(seed, |_| {}).unwrap_or_else(|law| panic!("seed {seed}, side by side: {law}"));
    }
}

#[test]
fn every_broken_promise_is_noticed() {
    let mut survived = Vec::new();
    let mut noticed = 0_u32;
    for mutation in ALL {
        let broken = |seed| {
            // A mutant may also run into a panic of the world: that is noticed, too.
            let run = std::panic::catch_unwind(|| match mutation {
                // Two workers must be at one plan at the same time.
                Mutation::UnfencedWrites => run_side_by_side(seed, |system| change(system, mutation)),
                _ => run_changed(seed, |system| change(system, mutation)),
            });
            run.unwrap_or_else(|_| Err("it panicked".to_owned())).err()
        };
        match (0..SEEDS).find_map(|seed| broken(seed).map(|law| (seed, law))) {
            Some((seed, law)) => {
                noticed += 1;
                println!("{mutation:?}: noticed by seed {seed}: {}", law.chars().take(160).collect::<String>());
            }
            None => survived.push(mutation),
        }
    }
    println!("BENCH mutants_noticed {noticed} count >= {}", ALL.len());
    assert!(survived.is_empty(), "nobody noticed {survived:?} within {SEEDS} seeds");
}
