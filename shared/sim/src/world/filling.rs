//! Filling a cluster all at once: as quick for 5,000 nodes as it can be, because controllers and the scheduler look once.

use super::World;
use super::beginnings::labelled;
use super::happened::By;
use super::pods::PodBirth;
use super::spec::{NodeSpec, PdbSpec, PodShape, WorkloadSpec, tolerates_all};
use super::state::{Sort, State};
use domain::ids::{ClusterId, InstanceId};
use std::sync::Arc;

/// What a cluster is filled with. DaemonSets come first to the nodes; the rest is scheduled in this order, higher priorities first.
#[derive(Debug, Clone, Default)]
pub struct Filling {
    /// Nodes.
    pub nodes: Vec<NodeSpec>,
    /// Positions in `nodes` of those that are cordoned once everything runs.
    pub cordoned: Vec<usize>,
    /// DaemonSets; their pods tolerate everything.
    pub daemon_sets: Vec<WorkloadSpec>,
    /// Deployments.
    pub deployments: Vec<WorkloadSpec>,
    /// StatefulSets.
    pub stateful_sets: Vec<WorkloadSpec>,
    /// Jobs that run for long.
    pub jobs: Vec<WorkloadSpec>,
    /// Pods without a controller, in the namespace `default`.
    pub bare_pods: Vec<(String, PodShape)>,
    /// Budgets.
    pub budgets: Vec<PdbSpec>,
}

impl World {
    /// Fills a cluster; the pods are ready at once where they fit. Returns the instances in the order of the nodes.
    pub fn fill(&self, cluster: &ClusterId, filling: Filling) -> Vec<InstanceId> {
        self.with(|state| {
            let cluster = state.known(cluster);
            state.fill(cluster, filling)
        })
    }
}

impl State {
    fn fill(&mut self, cluster: usize, filling: Filling) -> Vec<InstanceId> {
        let cordoned = filling.cordoned;
        let nodes: Vec<InstanceId> = filling.nodes.into_iter().map(|spec| self.old_node(cluster, spec)).collect();
        for mut spec in filling.daemon_sets {
            spec.pod.scheduling.tolerations = vec![tolerates_all()];
            self.new_workload(cluster, Sort::DaemonSet, spec);
        }
        let sorts = [(Sort::Deployment, filling.deployments), (Sort::StatefulSet, filling.stateful_sets), (Sort::Job, filling.jobs)];
        for (sort, specs) in sorts {
            for spec in specs {
                self.new_workload(cluster, sort, spec);
            }
        }
        for (name, shape) in filling.bare_pods {
            let shape = Arc::new(labelled(&name, shape));
            let namespace = "default".to_owned();
            self.new_pod(cluster, PodBirth { namespace, name, workload: None, controller: None, ordinal: 0, shape, mirror: false });
        }
        for spec in filling.budgets {
            self.new_budget(cluster, spec);
        }
        self.reconcile(cluster, true);
        self.schedule(cluster, true);
        for id in cordoned.into_iter().filter_map(|at| nodes.get(at)) {
            if let Some(name) = self.machines.get(id).map(|machine| machine.dns.clone()) {
                self.edit_node(cluster, &name, By::Human, |node| node.unschedulable = true);
            }
        }
        self.taint_nodes(cluster);
        nodes
    }
}
