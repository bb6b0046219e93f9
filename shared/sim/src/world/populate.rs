//! How a world is filled, and how outside hands reach into it.

use super::World;
use super::agenda::Due;
use super::beginnings::labelled;
use super::happened::By;
use super::minted;
use super::pod_table::Pods;
use super::pods::PodBirth;
use super::services::Services;
use super::sizes::Sizing;
use super::spec::{ClusterSpec, NodeSpec, PdbSpec, PodShape, Timing, WorkloadSpec, tolerates_all};
use super::state::{Kube, Sort};
use domain::ids::{ClusterId, InstanceId, NodeName, SubnetId, Zone};
use domain::money::MicroDollars;
use domain::offering::Pool;
use domain::pod::{Controller, PodPhase};
use jiff::SignedDuration;
use std::collections::{BTreeMap, BTreeSet, VecDeque};
use std::sync::Arc;

/// All of these panic if they name a cluster that was not added.
impl World {
    /// Adds a cluster, with a subnet per zone.
    pub fn add_cluster(&self, spec: ClusterSpec) -> ClusterId {
        let id = spec.id.clone();
        self.with(|state| {
            let mut subnets = BTreeMap::new();
            for zone in &spec.zones {
                subnets.insert(zone.clone(), minted(format!("subnet-0{:016x}", state.rng.u64(..))));
            }
            state.clusters.push(Kube {
                spec,
                subnets,
                nodes: BTreeMap::new(),
                pods: Pods::default(),
                claims: BTreeMap::new(),
                workloads: Vec::new(),
                budgets: Vec::new(),
                settling: false,
                rv: 1000,
                served: false,
                log: VecDeque::new(),
                log_from: 0,
                denied: BTreeSet::new(),
                terminating_namespaces: BTreeSet::new(),
                scalers: Vec::new(),
                notes: BTreeMap::new(),
                volumes_lost: 0,
                next_names: VecDeque::new(),
                lists_expire: 0,
                search_from: 0,
                judged: false,
                misplaced: Vec::new(),
                day: None,
                sizing: Sizing::default(),
                services: Services::default(),
            });
        });
        id
    }

    /// The subnet of a cluster in a zone.
    pub fn subnet(&self, cluster: &ClusterId, zone: &Zone) -> Option<SubnetId> {
        self.with(|state| state.position(cluster).and_then(|c| state.clusters[c].subnets.get(zone).cloned()))
    }

    /// Adds a running instance that is a Ready node.
    pub fn add_node(&self, cluster: &ClusterId, spec: NodeSpec) -> InstanceId {
        self.with(|state| {
            let cluster = state.known(cluster);
            let id = state.old_node(cluster, spec);
            state.reconcile(cluster, true);
            state.schedule(cluster, true);
            id
        })
    }

    /// Adds a running instance that is no node yet: it joins as late as a launched one does.
    pub fn add_instance(&self, cluster: &ClusterId, spec: NodeSpec) -> InstanceId {
        self.with(|state| {
            let cluster = state.known(cluster);
            let machine = state.old_machine(cluster, &spec);
            let id = machine.id.clone();
            state.machines.insert(id.clone(), machine);
            if let Some(join) = state.timing.join {
                state.plan(state.after(join), Due::Register(id.clone()));
            }
            id
        })
    }

    /// Adds a Deployment; its pods are ready at once where they fit.
    pub fn add_deployment(&self, cluster: &ClusterId, spec: WorkloadSpec) {
        self.add_workload(cluster, Sort::Deployment, spec);
    }

    /// Adds a StatefulSet; its pods are ready at once where they fit.
    pub fn add_stateful_set(&self, cluster: &ClusterId, spec: WorkloadSpec) {
        self.add_workload(cluster, Sort::StatefulSet, spec);
    }

    /// Adds a DaemonSet; its pods tolerate everything and are ready at once.
    pub fn add_daemon_set(&self, cluster: &ClusterId, mut spec: WorkloadSpec) {
        spec.pod.scheduling.tolerations = vec![tolerates_all()];
        self.add_workload(cluster, Sort::DaemonSet, spec);
    }

    /// Adds a Job that runs so many pods side by side until they are taken away; it makes those anew that go.
    pub fn add_job(&self, cluster: &ClusterId, spec: WorkloadSpec) {
        self.add_workload(cluster, Sort::Job, spec);
    }

    fn add_workload(&self, cluster: &ClusterId, sort: Sort, spec: WorkloadSpec) {
        self.with(|state| {
            let cluster = state.known(cluster);
            let on = spec.on.clone();
            let index = state.new_workload(cluster, sort, spec);
            state.reconcile(cluster, true);
            state.place(cluster, index, &on);
            state.schedule(cluster, true);
        });
    }

    /// Adds a pod without a controller, on a node or, with `None`, wherever it fits.
    pub fn add_bare_pod(&self, cluster: &ClusterId, name: &str, pod: PodShape, on: Option<&InstanceId>) {
        self.add_pod(cluster, name, None, pod, on, PodPhase::Running, false);
    }

    /// Adds the mirror of a static pod of a node.
    pub fn add_mirror_pod(&self, cluster: &ClusterId, name: &str, on: &InstanceId) {
        let node = self.node_name(on).map(|node| node.to_string()).unwrap_or_default();
        let controller = Controller { kind: "Node".to_owned(), name: node.clone() };
        self.add_pod(cluster, &format!("{name}-{node}"), Some(controller), PodShape::default(), Some(on), PodPhase::Running, true);
    }

    /// Adds the finished pod of a Job.
    pub fn add_finished_job(&self, cluster: &ClusterId, name: &str, on: &InstanceId) {
        let controller = Controller { kind: "Job".to_owned(), name: name.to_owned() };
        self.add_pod(cluster, &format!("{name}-x7v2k"), Some(controller), PodShape::default(), Some(on), PodPhase::Succeeded, false);
    }

    #[expect(clippy::too_many_arguments, reason = "private; the public calls above name them one by one")]
    fn add_pod(
        &self,
        cluster: &ClusterId,
        name: &str,
        controller: Option<Controller>,
        shape: PodShape,
        on: Option<&InstanceId>,
        phase: PodPhase,
        mirror: bool,
    ) {
        self.with(|state| {
            let cluster = state.known(cluster);
            let shape = Arc::new(labelled(name, shape));
            let namespace = if mirror { "kube-system" } else { "default" }.to_owned();
            let birth = PodBirth { namespace, name: name.to_owned(), workload: None, controller, ordinal: 0, shape, mirror };
            let key = state.new_pod(cluster, birth);
            match on.and_then(|id| state.machines.get(id)).map(|machine| machine.dns.clone()) {
                Some(node) => state.bind(cluster, key, &node, true),
                None => state.schedule(cluster, true),
            }
            if let Some(pod) = state.clusters[cluster].pods.get_mut(&key).filter(|_| phase == PodPhase::Succeeded) {
                pod.phase = phase;
                pod.ready = false;
            }
        });
    }

    /// Adds a PodDisruptionBudget.
    pub fn add_pdb(&self, cluster: &ClusterId, spec: PdbSpec) {
        self.with(|state| {
            let cluster = state.known(cluster);
            state.new_budget(cluster, spec);
        });
    }

    /// Has the next lists of pods in detail expire half way and begin anew.
    pub fn expire_lists(&self, cluster: &ClusterId, times: u32) {
        self.with(|state| {
            let cluster = state.known(cluster);
            state.clusters[cluster].lists_expire = times;
        });
    }

    /// Has the counts of a budget lag behind for a while: evictions it covers are answered 429 with a time to wait.
    pub fn budget_behind(&self, cluster: &ClusterId, namespace: &str, name: &str, during: SignedDuration) {
        self.with(|state| {
            let (cluster, until) = (state.known(cluster), state.after(during));
            let budgets = state.clusters[cluster].budgets.iter_mut();
            budgets.filter(|b| b.spec.namespace == namespace && b.spec.name == name).for_each(|b| b.behind_until = Some(until));
        });
    }

    /// Sets how many instances a pool has left. A pool that was never set has no end.
    pub fn set_capacity(&self, pool: &Pool, left: u32) {
        self.with(|state| state.capacity.insert(pool.clone(), left));
    }

    /// Sets the price of a pool from now on.
    pub fn set_spot_price(&self, pool: &Pool, price_per_hour: MicroDollars) {
        self.with(|state| {
            let now = state.now;
            state.prices.entry(pool.clone()).or_default().push((now, price_per_hour));
        });
    }

    /// Sets how long things take from now on.
    pub fn set_timing(&self, timing: Timing) {
        self.with(|state| state.timing = timing);
    }

    /// How long things take.
    pub fn timing(&self) -> Timing {
        self.with(|state| state.timing)
    }

    /// Gives the next node of a cluster this name, though another may have it.
    pub fn reuse_name(&self, cluster: &ClusterId, name: &NodeName) {
        self.with(|state| {
            let cluster = state.known(cluster);
            state.clusters[cluster].next_names.push_back(name.clone());
        });
    }

    /// A namespace is being removed: evictions in it are answered 403.
    pub fn terminate_namespace(&self, cluster: &ClusterId, namespace: &str) {
        self.with(|state| {
            let cluster = state.known(cluster);
            state.clusters[cluster].terminating_namespaces.insert(namespace.to_owned());
        });
    }

    /// Takes a right away from everybody who calls the served API, for example `("delete", "pods")` or `("create", "pods/eviction")`.
    pub fn deny(&self, cluster: &ClusterId, verb: &str, resource: &str) {
        self.with(|state| {
            let cluster = state.known(cluster);
            state.clusters[cluster].denied.insert(format!("{verb} {resource}"));
        });
    }

    /// A person ends an instance in the console.
    pub fn human_terminates(&self, instance: &InstanceId) {
        self.with(|state| state.ends(instance, By::Human, "Client.UserInitiatedShutdown: User initiated shutdown"));
    }

    /// A person uncordons a node with kubectl: only `unschedulable` goes.
    pub fn human_uncordons(&self, cluster: &ClusterId, node: &NodeName) {
        self.with(|state| {
            let cluster = state.known(cluster);
            state.edit_node(cluster, node, By::Human, |node| node.unschedulable = false);
        });
    }

    /// A person cordons a node with kubectl.
    pub fn human_cordons(&self, cluster: &ClusterId, node: &NodeName) {
        self.with(|state| {
            let cluster = state.known(cluster);
            state.edit_node(cluster, node, By::Human, |node| node.unschedulable = true);
        });
    }
}
