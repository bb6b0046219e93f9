//! What is seen of the sizes of a cluster.

use crate::ports::Site;
use domain::pod::PodBudget;
use domain::ports::ClusterError;
use domain::sizing::{AutoscalerView, PodContainers, WorkloadView};
use domain::snapshot::Snapshot;
use domain::usage::{ContainerRef, OomKill, Sample, SampledRound, Seen};
use domain::workload::WorkloadRef;
use domain::{SignedDuration, Timestamp};
use planning::rightsizing::advise::{Autoscaled, UnitPrices, unit_prices};
use planning::rightsizing::fold::seen;
use planning::rightsizing::select::namespaces;
use std::collections::{BTreeMap, BTreeSet};

/// How long it may take until a pod's status tells of a kill, in seconds: the kubelet lists its containers once a second and has written all
/// statuses within ten (`syncPeriod` of its status manager); several of these.
const SHOWN_LATE_S: i64 = 60;

/// All of it, read for this one round.
pub(super) struct Scene {
    /// Workloads of the namespaces that are looked at.
    pub(super) workloads: Vec<WorkloadView>,
    pods: BTreeMap<WorkloadRef, Vec<PodContainers>>,
    samples: BTreeMap<(String, String, String), Sample>,
    autoscalers: Option<Vec<AutoscalerView>>,
    budgets: Vec<PodBudget>,
    pub(super) prices: Option<UnitPrices>,
    /// The memory of the largest node: more fits nowhere.
    pub(super) memory_max: Option<u64>,
    pub(super) now: Timestamp,
    pub(super) interval_s: i64,
}

/// Pods with their containers, as an earlier look of the round has listed them.
pub(super) struct Listed {
    /// When it began.
    pub(super) at: Timestamp,
    pub(super) pods: Vec<PodContainers>,
}

impl Scene {
    /// Workloads and pods must be readable; of the rest, what is missing forbids what depends on it. What the round has seen already is
    /// not asked for again, and then this look is one of that time: what became of a pod since is seen by the next.
    pub(super) async fn look(
        site: &Site,
        snapshot: Option<&Snapshot>,
        listed: Option<Listed>,
        now: Timestamp,
        interval: SignedDuration,
    ) -> Result<Scene, ClusterError> {
        let cluster = site.kubernetes.as_ref().map_err(Clone::clone)?;
        let now = listed.as_ref().map_or(now, |listed| listed.at);
        let pods = async {
            match listed {
                Some(listed) => Ok(listed.pods),
                None => cluster.containers().await,
            }
        };
        let budgets = async {
            match snapshot.and_then(|snapshot| snapshot.budgets.clone()) {
                Some(budgets) => budgets,
                None => cluster.pod_budgets().await.unwrap_or_default(),
            }
        };
        let (workloads, pods, samples, autoscalers, budgets) =
            futures::join!(cluster.workloads(), pods, cluster.container_usage(), cluster.autoscalers(), budgets);
        let (mut workloads, all) = (workloads?, pods?);
        let names: BTreeSet<String> = workloads.iter().map(|one| one.workload.namespace.clone()).collect();
        let wanted: BTreeSet<&str> =
            namespaces(&site.cluster.policy.workloads.namespaces, names.iter().map(String::as_str)).into_iter().collect();
        workloads.retain(|one| wanted.contains(one.workload.namespace.as_str()));
        let mut pods: BTreeMap<WorkloadRef, Vec<PodContainers>> = BTreeMap::new();
        for pod in all {
            if let Some(workload) = pod.workload() {
                pods.entry(workload).or_default().push(pod);
            }
        }
        let key = |sample: Sample| ((sample.namespace.clone(), sample.pod.clone(), sample.container.clone()), sample);
        let nodes = snapshot.map(|snapshot| snapshot.nodes.as_slice()).unwrap_or_default();
        let priced = nodes.iter().filter_map(|node| {
            let price = node.price.as_ref()?.price_per_hour;
            Some((node.allocatable.cpu_millis, node.allocatable.memory_bytes, price))
        });
        Ok(Scene {
            workloads,
            pods,
            samples: samples.unwrap_or_default().into_iter().map(key).collect(),
            autoscalers: autoscalers.ok(),
            budgets,
            prices: unit_prices(priced),
            memory_max: nodes.iter().map(|node| node.allocatable.memory_bytes).max(),
            now,
            interval_s: interval.as_secs().max(60),
        })
    }

    fn pods_of(&self, workload: &WorkloadRef) -> &[PodContainers] {
        self.pods.get(workload).map(Vec::as_slice).unwrap_or_default()
    }

    /// What the pods of a container use now.
    pub(super) fn used(&self, workload: &WorkloadRef, container: &str) -> Seen {
        let of = |pod: &PodContainers| {
            let key = (pod.pod.namespace.clone(), pod.pod.name.clone(), container.to_owned());
            self.samples.get(&key).map(|sample| (sample.cpu_nanos, sample.memory_bytes))
        };
        let used: Vec<(u64, u64)> = self.pods_of(workload).iter().filter_map(of).collect();
        seen(&used)
    }

    /// What all containers use now.
    pub(super) fn round(&self) -> SampledRound {
        let containers = self.workloads.iter().flat_map(|view| view.containers.iter().map(move |one| (view, one)));
        let of = containers.map(|(view, one)| {
            let of = ContainerRef { workload: view.workload.clone(), container: one.container.clone() };
            let seen = self.used(&of.workload, &of.container);
            (of, seen)
        });
        SampledRound { at_s: self.now.as_second(), seen: of.filter(|(_, seen)| *seen != Seen::default()).collect() }
    }

    /// Whether its pods show a kill for lack of memory that a look at that time may not have seen.
    pub(super) fn killed_since(&self, at: Timestamp) -> bool {
        let states = self.pods.values().flatten().flat_map(|pod| &pod.containers);
        states.filter_map(|one| one.oom.as_ref()).any(|kill| kill.finished_s >= at.as_second() - SHOWN_LATE_S)
    }

    /// Kills for lack of memory that its pods show.
    pub(super) fn kills(&self, workload: &WorkloadRef, container: &str) -> Vec<OomKill> {
        let states = self.pods_of(workload).iter().flat_map(|pod| &pod.containers).filter(|one| one.container == container);
        states.filter_map(|one| one.oom.clone()).collect()
    }

    /// What autoscalers work on.
    pub(super) fn autoscaled(&self, workload: &WorkloadRef) -> Autoscaled {
        match &self.autoscalers {
            None => Autoscaled::Unknown,
            Some(all) => {
                let of: Vec<&AutoscalerView> = all.iter().filter(|one| one.scales(workload)).collect();
                Autoscaled::By { cpu: of.iter().any(|one| one.cpu), memory: of.iter().any(|one| one.memory) }
            }
        }
    }

    /// Whether a disruption budget of its pods has no room now.
    pub(super) fn budget_full(&self, view: &WorkloadView) -> bool {
        let covers = |budget: &&PodBudget| budget.covers_class(&view.workload.namespace, &view.labels);
        self.budgets.iter().filter(covers).any(|budget| budget.disruptions_allowed < 1)
    }

    /// The view of a workload.
    pub(super) fn view(&self, workload: &WorkloadRef) -> Option<&WorkloadView> {
        self.workloads.iter().find(|view| view.workload == *workload)
    }
}
