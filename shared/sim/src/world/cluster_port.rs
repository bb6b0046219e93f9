//! One cluster, as the Cluster port, and the way to it.

use super::World;
use super::evictions::Answer;
use super::happened::By;
use super::state::{Node, Pod, Sort, State};
use super::workloads::sort_of;
use async_trait::async_trait;
use domain::ids::{ClusterId, NodeName, PlanId};
use domain::node::{CORDONED_BY, NodeTarget, NodeUsage, NodeView};
use domain::permissions::Right;
use domain::pod::{ClaimView, PodBudget, PodRef, PodView};
use domain::policy::TrafficSource;
use domain::ports::inventory::{EndpointView, Flow, PersistentVolume, ServiceView};
use domain::ports::{Cluster, ClusterError, Clusters, Cordon, EvictError, Inventory, PatchedNode, PodSink, Rights};
use domain::tenant;
use domain::workload::{Beside, Resize, Resized, Scalables, ScaleRef, WorkloadRef};
use std::collections::BTreeSet;
use std::sync::Arc;

/// A cluster of a world.
pub(crate) struct SimCluster {
    pub(super) world: Arc<World>,
    pub(super) cluster: usize,
}

impl World {
    /// A cluster to talk to, past the registry. `None`: there is no such cluster.
    pub fn cluster(&self, id: &ClusterId) -> Option<Arc<dyn Cluster>> {
        let cluster = self.with(|state| state.position(id))?;
        Some(Arc::new(SimCluster { world: self.me.upgrade()?, cluster }))
    }
}

#[async_trait]
impl Clusters for World {
    async fn connect(&self, cluster: &tenant::Cluster) -> Result<Arc<dyn Cluster>, ClusterError> {
        self.cluster(&cluster.id).ok_or_else(|| ClusterError::Unreachable(format!("no route to {}", cluster.k8s_api_endpoint)))
    }
}

#[async_trait]
impl Rights for World {
    async fn missing(&self, cluster: &tenant::Cluster, rights: &[Right]) -> Result<Vec<Right>, ClusterError> {
        let known = self.with(|state| state.position(&cluster.id));
        let index = known.ok_or_else(|| ClusterError::Unreachable(format!("no route to {}", cluster.k8s_api_endpoint)))?;
        let denied = |state: &State, right: &Right| state.clusters[index].denied.contains(&format!("{} {}", right.verb, right.resource));
        Ok(self.with(|state| rights.iter().filter(|right| denied(state, right)).cloned().collect()))
    }
}

/// The node that a target names. Its uid is its identity; where that was never seen, the instance is.
fn find<'a>(state: &'a State, cluster: usize, target: &NodeTarget) -> Result<&'a Node, ClusterError> {
    let node = state.clusters.get(cluster).and_then(|kube| kube.nodes.get(&target.name)).ok_or(ClusterError::Gone)?;
    let same = target.uid.as_ref().map_or(node.instance == target.instance, |uid| *uid == node.uid);
    if same { Ok(node) } else { Err(ClusterError::Gone) }
}

impl State {
    /// What the pods of a node use: three fifths of what they ask for.
    pub(crate) fn usage(&self, cluster: usize) -> Vec<NodeUsage> {
        let Some(kube) = self.clusters.get(cluster) else { return Vec::new() };
        let of = |node: &Node| {
            let pods: Vec<&Pod> = kube.pods.on(&node.name).map(|(_, pod)| pod).filter(|pod| !pod.finished()).collect();
            NodeUsage {
                name: node.name.clone(),
                cpu_millis: pods.iter().map(|pod| kube.used(pod).0).sum::<u64>(),
                memory_bytes: pods.iter().map(|pod| kube.used(pod).1).sum::<u64>(),
            }
        };
        kube.nodes.values().filter(|node| node.ready).map(of).collect()
    }
}

#[async_trait]
impl Inventory for SimCluster {
    async fn persistent_volumes(&self) -> Result<Vec<PersistentVolume>, ClusterError> {
        self.world.call("persistent_volumes", |state| {
            let of_claims = state.clusters[self.cluster].persistent_volumes();
            Ok(state.estates.persistent.iter().cloned().chain(of_claims).collect())
        })
    }

    async fn services(&self) -> Result<Vec<ServiceView>, ClusterError> {
        self.world.call("services", |state| Ok(state.clusters[self.cluster].service_views()))
    }

    async fn endpoints(&self) -> Result<Vec<EndpointView>, ClusterError> {
        self.world.call("endpoints", |state| Ok(state.clusters[self.cluster].endpoint_views()))
    }

    async fn traffic(&self, source: &TrafficSource) -> Result<Vec<Flow>, ClusterError> {
        let place = format!("{}/{}:{}", source.namespace, source.service, source.port);
        self.world.call("traffic", |state| match &state.clusters[self.cluster].services.traffic {
            Some((there, flows)) if *there == place => Ok(flows.clone()),
            Some(_) | None => Err(ClusterError::Gone),
        })
    }
}

#[async_trait]
impl Cluster for SimCluster {
    async fn nodes(&self) -> Result<Vec<NodeView>, ClusterError> {
        self.world.call("nodes", |state| Ok(state.clusters[self.cluster].nodes.values().map(Node::view).collect()))
    }

    async fn node(&self, name: &NodeName) -> Result<NodeView, ClusterError> {
        self.world.call("node", |state| state.clusters[self.cluster].nodes.get(name).map(Node::view).ok_or(ClusterError::Gone))
    }

    async fn pods(&self, on: Option<&NodeName>) -> Result<Vec<PodView>, ClusterError> {
        self.world.call("pods", |state| {
            let pods = &state.clusters[self.cluster].pods;
            Ok(match on {
                Some(node) => pods.on(node).map(|(_, pod)| pod.view()).collect(),
                None => pods.values().map(Pod::view).collect(),
            })
        })
    }

    async fn pods_in_detail(&self, sink: &mut dyn PodSink) -> Result<(), ClusterError> {
        self.world.call("pods_in_detail", |state| {
            let kube = &mut state.clusters[self.cluster];
            if let Some(left) = kube.lists_expire.checked_sub(1) {
                kube.lists_expire = left;
                kube.details().take(kube.pods.len() / 2).for_each(|pod| sink.pod(pod));
                sink.restart();
            }
            kube.details().for_each(|pod| sink.pod(pod));
            Ok(())
        })
    }

    async fn claims(&self) -> Result<Vec<ClaimView>, ClusterError> {
        self.world.call("claims", |state| Ok(state.clusters[self.cluster].claim_views()))
    }

    async fn pod_budgets(&self) -> Result<Vec<PodBudget>, ClusterError> {
        self.world.call("pod_budgets", |state| {
            let kube = &state.clusters[self.cluster];
            Ok(kube.budgets.iter().map(|budget| budget.count(kube)).collect())
        })
    }

    async fn daemon_sets(&self) -> Result<BTreeSet<(String, String)>, ClusterError> {
        self.world.call("daemon_sets", |state| {
            let sets = state.clusters[self.cluster].workloads.iter().filter(|w| w.sort == Sort::DaemonSet);
            Ok(sets.map(|w| (w.namespace.clone(), w.name.clone())).collect())
        })
    }

    async fn usage(&self) -> Result<Vec<NodeUsage>, ClusterError> {
        self.world.call("usage", |state| Ok(state.usage(self.cluster)))
    }

    async fn cordon(&self, target: &NodeTarget, mark: &Cordon) -> Result<PatchedNode, ClusterError> {
        self.world.call("cordon", |state| {
            let uid = find(state, self.cluster, target)?.uid.clone();
            let changed = state.edit_node(self.cluster, &target.name, By::Us, |node| node.cordon(mark.plan.as_str()));
            Ok(PatchedNode { uid, changed })
        })
    }

    async fn uncordon(&self, target: &NodeTarget, only: Option<&PlanId>) -> Result<PatchedNode, ClusterError> {
        self.world.call("uncordon", |state| {
            let node = find(state, self.cluster, target)?;
            let uid = node.uid.clone();
            let ours = only.is_none_or(|plan| node.annotations.get(CORDONED_BY).is_some_and(|by| by == plan.as_str()));
            let changed = ours && state.edit_node(self.cluster, &target.name, By::Us, Node::uncordon);
            Ok(PatchedNode { uid, changed })
        })
    }

    async fn evict(&self, pod: &PodRef) -> Result<(), EvictError> {
        self.world.call("evict", |state| match state.evict(self.cluster, (&pod.namespace, &pod.name), Some(&pod.uid), None, false) {
            Answer::Accepted | Answer::NotFound | Answer::OtherUid => Ok(()),
            Answer::NoRoom(budget) => Err(EvictError::Budget(format!(
                "The disruption budget {} needs {} healthy pods and has {} currently",
                budget.name, budget.desired_healthy, budget.current_healthy
            ))),
            Answer::Behind(wait) => Err(EvictError::BudgetBehind(wait)),
            Answer::Many => Err(EvictError::ManyBudgets),
            Answer::NamespaceGoing => Err(EvictError::NamespaceTerminating),
        })
    }

    async fn delete_pod(&self, pod: &PodRef, grace_s: u32) -> Result<(), ClusterError> {
        self.world.call("delete_pod", |state| {
            state.delete_pod(self.cluster, (&pod.namespace, &pod.name), Some(&pod.uid), Some(grace_s.max(1)));
            Ok(())
        })
    }

    async fn delete_node(&self, target: &NodeTarget) -> Result<(), ClusterError> {
        self.world.call("delete_node", |state| {
            if let Ok(uid) = find(state, self.cluster, target).map(|node| node.uid.clone()) {
                state.remove_node(self.cluster, &uid, By::Us);
            }
            Ok(())
        })
    }

    async fn replicas(&self, workload: &WorkloadRef) -> Result<u32, ClusterError> {
        self.world.call("replicas", |state| {
            let index = state.workload(self.cluster, sort_of(workload.kind), &workload.namespace, &workload.name);
            index.and_then(|i| state.clusters[self.cluster].workloads.get(i)).map(|w| w.replicas).ok_or(ClusterError::Gone)
        })
    }

    async fn scale(&self, workload: &WorkloadRef, replicas: u32) -> Result<(), ClusterError> {
        self.world.call("scale", |state| state.scale(self.cluster, workload, replicas).map(|_| ()).ok_or(ClusterError::Gone))
    }

    async fn scalables(&self, beside: Beside) -> Result<Scalables, ClusterError> {
        self.world.call("scalables", |state| Ok(state.clusters[self.cluster].scalables(beside)))
    }

    async fn resize(&self, target: &ScaleRef, resize: &Resize) -> Result<Resized, ClusterError> {
        self.world.call("resize", |state| state.resize(self.cluster, target, resize))
    }
}
