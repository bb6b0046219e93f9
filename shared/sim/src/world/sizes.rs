//! Sizes of workloads: what their containers use, what scales them, how a new template is rolled out, and the port that shows it.

use super::World;
use super::cluster_port::SimCluster;
use super::happened::Cause;
use super::spec::PodShape;
use super::state::{Kube, Pod, Sort, State, Workload};
use super::workloads::sort_of;
use async_trait::async_trait;
use domain::ids::{ClusterId, PodUid};
use domain::pod::PodRef;
use domain::ports::{ClusterError, Sizer};
use domain::sizing::{AutoscalerView, ContainerSizes, ContainerState, InPlace, PodContainers, Sizes, WorkloadView};
use domain::usage::{OomKill, Sample};
use domain::workload::{WorkloadKind, WorkloadRef};
use jiff::Timestamp;
use std::collections::BTreeMap;
use std::sync::Arc;

/// The one container that pods have.
pub(crate) const MAIN: &str = "main";

/// What there is of a cluster's sizes besides the workloads themselves.
#[derive(Debug, Default)]
pub(crate) struct Sizing {
    pub(crate) autoscalers: Vec<AutoscalerView>,
    /// What a pod of a workload uses, by namespace and name: thousandths of a core, and bytes.
    used: BTreeMap<(String, String), (u64, u64)>,
    /// How often a pod's container was killed, and when it last was.
    kills: BTreeMap<PodUid, (u32, Timestamp)>,
    /// Whether the cluster has the resize subresource.
    pub(crate) in_place: bool,
}

/// Outside hands. All of these panic if they name a cluster that was not added.
impl World {
    /// Lets each pod of a workload use so much from now on: thousandths of a core, and bytes.
    pub fn uses(&self, cluster: &ClusterId, namespace: &str, name: &str, cpu_millis: u64, memory_bytes: u64) {
        self.sizing(cluster, |sizing| sizing.used.insert((namespace.to_owned(), name.to_owned()), (cpu_millis, memory_bytes)));
    }

    /// Puts a HorizontalPodAutoscaler on a Deployment.
    pub fn autoscale(&self, cluster: &ClusterId, namespace: &str, name: &str, cpu: bool, memory: bool) {
        let view = AutoscalerView { namespace: namespace.to_owned(), kind: "Deployment".to_owned(), name: name.to_owned(), cpu, memory };
        self.sizing(cluster, |sizing| sizing.autoscalers.push(view));
    }

    /// Gives the cluster the resize subresource of pods.
    pub fn resizes_in_place(&self, cluster: &ClusterId) {
        self.sizing(cluster, |sizing| sizing.in_place = true);
    }

    /// Kills the container of a pod for lack of memory; it is started again.
    pub fn kill_for_memory(&self, cluster: &ClusterId, pod: &PodRef) {
        let now = self.clock().now();
        self.sizing(cluster, |sizing| {
            let kills = sizing.kills.entry(pod.uid.clone()).or_insert((0, now));
            *kills = (kills.0 + 1, now);
        });
    }

    fn sizing<T>(&self, cluster: &ClusterId, act: impl FnOnce(&mut Sizing) -> T) {
        self.with(|state| {
            let index = state.position(cluster).unwrap_or_else(|| panic!("there is no cluster {cluster}"));
            act(&mut state.clusters[index].sizing);
        });
    }
}

/// The sizes of a shape.
pub(crate) fn sizes(shape: &PodShape) -> Sizes {
    Sizes {
        cpu_request: Some(shape.cpu_millis),
        cpu_limit: shape.cpu_limit,
        memory_request: Some(shape.memory_bytes),
        memory_limit: shape.memory_limit,
    }
}

/// The shape with other sizes. A request that is not set is the limit, as in the API server, or none.
pub(crate) fn sized(shape: &PodShape, sizes: &Sizes) -> Arc<PodShape> {
    Arc::new(PodShape {
        cpu_millis: sizes.cpu_request.or(sizes.cpu_limit).unwrap_or(0),
        cpu_limit: sizes.cpu_limit,
        memory_bytes: sizes.memory_request.or(sizes.memory_limit).unwrap_or(0),
        memory_limit: sizes.memory_limit,
        ..shape.clone()
    })
}

impl Kube {
    /// What a pod uses: what the world was told, else three fifths of what it asks for.
    pub(crate) fn used(&self, pod: &Pod) -> (u64, u64) {
        let of = pod.workload.and_then(|index| self.workloads.get(index));
        let told = of.and_then(|workload| self.sizing.used.get(&(workload.namespace.clone(), workload.name.clone())));
        told.copied().unwrap_or((pod.shape.cpu_millis * 3 / 5, pod.shape.memory_bytes * 3 / 5))
    }

    /// How often the container of a pod was started again, and when it was last killed for lack of memory.
    pub(crate) fn killed(&self, pod: &Pod) -> Option<(u32, Timestamp)> {
        self.sizing.kills.get(&pod.pod.uid).copied()
    }

    /// How many pods of a workload there are, have its template, and can be used.
    pub(crate) fn counts(&self, index: usize) -> (u32, u32, u32) {
        let Some(workload) = self.workloads.get(index) else { return (0, 0, 0) };
        let active = self.pods.of_workload(index).map(|(_, pod)| pod).filter(|pod| pod.active());
        active.fold((0, 0, 0), |(all, new, ready), pod| {
            (all + 1, new + u32::from(sizes(&pod.shape) == sizes(&workload.shape)), ready + u32::from(pod.ready))
        })
    }

    fn workload_view(&self, index: usize, workload: &Workload) -> Option<WorkloadView> {
        let kind = match workload.sort {
            Sort::Deployment => WorkloadKind::Deployment,
            Sort::StatefulSet => WorkloadKind::StatefulSet,
            Sort::DaemonSet | Sort::Job => return None,
        };
        let (present, updated, available) = self.counts(index);
        let marked = workload.labels.contains_key("argocd.argoproj.io/instance");
        Some(WorkloadView {
            workload: WorkloadRef { kind, namespace: workload.namespace.clone(), name: workload.name.clone() },
            version: workload.rv.to_string(),
            replicas: workload.replicas,
            updated,
            available,
            present,
            observed: true,
            stalled: None,
            rolls: true,
            managed_by: marked.then(|| "Argo CD".to_owned()),
            labels: workload.shape.labels.clone(),
            containers: vec![ContainerSizes { container: MAIN.to_owned(), sizes: sizes(&workload.shape) }],
        })
    }

    pub(crate) fn containers_of(&self, pod: &Pod) -> PodContainers {
        let sizes = sizes(&pod.shape);
        let oom = self.killed(pod).map(|(times, at)| OomKill {
            pod_uid: pod.pod.uid.to_string(),
            container: MAIN.to_owned(),
            restarts: times.saturating_sub(1),
            finished_s: at.as_second(),
            request: sizes.memory_request,
            limit: sizes.memory_limit,
        });
        let containers = vec![ContainerState { container: MAIN.to_owned(), sizes, oom }];
        PodContainers { pod: pod.pod.clone(), phase: pod.phase, controller: pod.controller.clone(), containers }
    }
}

impl State {
    /// Gives a workload's template other sizes, and lets its controller replace the pods.
    pub(crate) fn size_workload(&mut self, cluster: usize, index: usize, wanted: &Sizes) {
        let same = |workload: &Workload| sizes(&workload.shape) == *wanted;
        if self.clusters.get(cluster).and_then(|kube| kube.workloads.get(index)).is_none_or(same) {
            return;
        }
        let hash = self.suffix(9);
        self.edit_workload(cluster, index, |workload| {
            workload.shape = sized(&workload.shape, wanted);
            workload.rolling = true;
            // A Deployment makes a ReplicaSet of another name for each template.
            workload.hash = hash;
        });
    }

    /// One step of a roll-out. `false`: it is over, and the workload is looked at as any other.
    pub(crate) fn roll(&mut self, cluster: usize, index: usize, workload: &Workload) -> bool {
        let Some(kube) = self.clusters.get_mut(cluster) else { return false };
        let wanted = sizes(&workload.shape);
        let active = kube.pods.of_workload(index).filter(|(_, pod)| pod.active());
        let all: Vec<(u64, u32, bool, bool)> =
            active.map(|(key, pod)| (key, pod.ordinal, pod.ready, sizes(&pod.shape) == wanted)).collect();
        let old = |one: &&(u64, u32, bool, bool)| !one.3;
        if !all.iter().any(|one| !one.3) {
            if let Some(workload) = kube.workloads.get_mut(index) {
                workload.rolling = false;
            }
            return false;
        }
        let (wanted, ready) = (workload.replicas as usize, all.iter().filter(|one| one.2).count());
        let goes = match workload.sort {
            Sort::Deployment => {
                // One more than wanted comes, and one goes when more than wanted can be used.
                if all.len() <= wanted && all.iter().filter(|one| one.3).count() < wanted {
                    let name = format!("{}-{}-{}", workload.name, workload.hash, self.suffix(5));
                    self.new_pod(cluster, State::birth(workload, index, name, 0));
                    return true;
                }
                all.iter().filter(old).find(|one| !one.2).or_else(|| all.iter().filter(old).find(|_| ready > wanted))
            }
            // From the last to the first, each when all are ready; where one is missing, it is made first.
            Sort::StatefulSet if all.len() == wanted && ready == wanted => all.iter().filter(old).max_by_key(|one| one.1),
            Sort::StatefulSet => return false,
            Sort::DaemonSet | Sort::Job => return false,
        };
        if let Some((key, ..)) = goes.copied() {
            self.pod_goes(cluster, key, workload.shape.grace_s, Cause::Scaled);
        }
        true
    }

    /// Gives a running pod other sizes. `None`: there is no such pod.
    pub(crate) fn resize_pod(&mut self, cluster: usize, at: (&str, &str), uid: Option<&PodUid>, wanted: &Sizes) -> Option<()> {
        let key = self.find_pod(cluster, at.0, at.1)?;
        let kube = self.clusters.get_mut(cluster)?;
        let pod = kube.pods.get_mut(&key).filter(|pod| uid.is_none_or(|uid| *uid == pod.pod.uid))?;
        pod.shape = sized(&pod.shape, wanted);
        kube.pod_changed(key, "MODIFIED");
        Some(())
    }
}

#[async_trait]
impl Sizer for SimCluster {
    async fn workloads(&self) -> Result<Vec<WorkloadView>, ClusterError> {
        self.world.call("workloads", |state| {
            let kube = &state.clusters[self.cluster];
            Ok(kube.workloads.iter().enumerate().filter_map(|(index, workload)| kube.workload_view(index, workload)).collect())
        })
    }

    async fn workload(&self, workload: &WorkloadRef) -> Result<WorkloadView, ClusterError> {
        self.world.call("workload", |state| {
            let index = state.workload(self.cluster, sort_of(workload.kind), &workload.namespace, &workload.name);
            let kube = &state.clusters[self.cluster];
            index.and_then(|index| kube.workload_view(index, kube.workloads.get(index)?)).ok_or(ClusterError::Gone)
        })
    }

    async fn autoscalers(&self) -> Result<Vec<AutoscalerView>, ClusterError> {
        self.world.call("autoscalers", |state| {
            let kube = &state.clusters[self.cluster];
            match kube.denied.contains("list horizontalpodautoscalers") {
                true => Err(ClusterError::Forbidden("list horizontalpodautoscalers".to_owned())),
                false => Ok(kube.sizing.autoscalers.clone()),
            }
        })
    }

    async fn containers(&self) -> Result<Vec<PodContainers>, ClusterError> {
        self.world.call("containers", |state| {
            let kube = &state.clusters[self.cluster];
            Ok(kube.pods.values().map(|pod| kube.containers_of(pod)).collect())
        })
    }

    async fn container_usage(&self) -> Result<Vec<Sample>, ClusterError> {
        self.world.call("container_usage", |state| {
            let kube = &state.clusters[self.cluster];
            let sample = |pod: &Pod| {
                let (cpu_millis, memory_bytes) = kube.used(pod);
                Sample {
                    namespace: pod.pod.namespace.clone(),
                    pod: pod.pod.name.clone(),
                    container: MAIN.to_owned(),
                    cpu_nanos: cpu_millis * 1_000_000,
                    memory_bytes,
                }
            };
            Ok(kube.pods.values().filter(|pod| pod.ready).map(sample).collect())
        })
    }

    async fn patch_requests(&self, of: &WorkloadRef, version: &str, wanted: &[ContainerSizes]) -> Result<(), ClusterError> {
        self.world.call("patch_requests", |state| {
            let index = state.workload(self.cluster, sort_of(of.kind), &of.namespace, &of.name).ok_or(ClusterError::Gone)?;
            let current = state.clusters[self.cluster].workloads.get(index).map(|workload| workload.rv.to_string());
            if current.as_deref() != Some(version) {
                return Err(ClusterError::Conflict);
            }
            let Some(main) = wanted.iter().find(|one| one.container == MAIN) else {
                return Err(ClusterError::Refused("there is no such container".to_owned()));
            };
            main.sizes.valid().map_err(ClusterError::Refused)?;
            state.size_workload(self.cluster, index, &main.sizes);
            Ok(())
        })
    }

    async fn resize_in_place(&self, pod: &PodRef, wanted: &[ContainerSizes]) -> Result<InPlace, ClusterError> {
        self.world.call("resize_in_place", |state| {
            if !state.clusters[self.cluster].sizing.in_place {
                return Ok(InPlace::Unsupported);
            }
            if let Some(main) = wanted.iter().find(|one| one.container == MAIN) {
                state.resize_pod(self.cluster, (&pod.namespace, &pod.name), Some(&pod.uid), &main.sizes);
            }
            Ok(InPlace::Accepted)
        })
    }
}
