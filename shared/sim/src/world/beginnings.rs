//! What is there from the beginning: nodes that have been running for a while, and workloads with nobody at work yet.

use super::catalog::TypeSpec;
use super::join;
use super::spec::{NodeSpec, PdbSpec, PodShape, WorkloadSpec};
use super::state::{Budget, Machine, Sort, State, Workload};
use domain::ids::{InstanceId, NodeName};
use domain::node::NodeOwner;
use domain::ports::InstanceState;
use std::collections::BTreeMap;
use std::sync::Arc;

pub(super) fn labelled(name: &str, mut pod: PodShape) -> PodShape {
    if pod.labels.is_empty() {
        pod.labels.insert("app".to_owned(), name.to_owned());
    }
    pod
}

impl State {
    /// A running instance that is a Ready node. Controllers and the scheduler do not look at it yet.
    pub(crate) fn old_node(&mut self, cluster: usize, spec: NodeSpec) -> InstanceId {
        let machine = self.old_machine(cluster, &spec);
        let id = machine.id.clone();
        let size = TypeSpec {
            cpu_millis: spec.cpu_millis,
            memory_bytes: spec.memory_bytes,
            pods_max: spec.pods_max,
            extended: spec.extended,
            ..self.type_of(&spec.pool.instance_type)
        };
        self.register(&machine, &size, true);
        if let Some(node) = self.clusters[cluster].nodes.get_mut(&machine.dns) {
            node.created_at = machine.launched_at;
        }
        self.machines.insert(id.clone(), machine);
        id
    }

    /// A workload without pods; its controller does not look at it yet.
    pub(crate) fn new_workload(&mut self, cluster: usize, sort: Sort, spec: WorkloadSpec) -> usize {
        let workload = Workload {
            sort,
            uid: self.uid(),
            hash: self.suffix(9),
            replicas: spec.replicas,
            shape: Arc::new(labelled(&spec.name, spec.pod)),
            rolling: false,
            labels: BTreeMap::from([("app".to_owned(), spec.name.clone())]),
            namespace: spec.namespace,
            name: spec.name,
            annotations: BTreeMap::new(),
            deletes_volumes: false,
            created_at: self.now,
            rv: 0,
        };
        let kube = &mut self.clusters[cluster];
        kube.rv += 1;
        let index = kube.workloads.len();
        kube.workloads.push(Workload { rv: kube.rv, ..workload });
        index
    }

    pub(crate) fn new_budget(&mut self, cluster: usize, spec: PdbSpec) {
        let (uid, created_at) = (self.uid(), self.now);
        let kube = &mut self.clusters[cluster];
        kube.rv += 1;
        kube.budgets.push(Budget { spec, uid, created_at, behind_until: None });
    }

    /// An instance that has been running for a while.
    pub(super) fn old_machine(&mut self, cluster: usize, spec: &NodeSpec) -> Machine {
        if let Some(name) = &spec.name {
            self.clusters[cluster].next_names.push_front(name.clone());
        }
        let of = self.clusters[cluster].spec.clone();
        let subnet = self.clusters[cluster].subnets.get(&spec.pool.zone).cloned();
        let launched_at = self.now.checked_sub(spec.age).unwrap_or(self.now);
        let mut tags = spec.tags.clone();
        tags.insert(format!("kubernetes.io/cluster/{}", of.name), "owned".to_owned());
        match &spec.owner {
            NodeOwner::AutoScalingGroup { group } => {
                tags.insert("aws:autoscaling:groupName".to_owned(), group.clone());
            }
            NodeOwner::ManagedNodeGroup { group } => {
                tags.insert("aws:autoscaling:groupName".to_owned(), format!("eks-{group}"));
                tags.insert("eks:nodegroup-name".to_owned(), group.clone());
            }
            NodeOwner::Karpenter { claim } => {
                tags.insert("karpenter.sh/nodepool".to_owned(), claim.clone());
            }
            NodeOwner::CloudOptim => {}
        }
        Machine {
            id: spec.instance.clone().unwrap_or_else(|| self.instance_id()),
            cluster: Some(cluster),
            dns: self.node_name(Some(cluster), &of.region),
            account: of.account,
            region: of.region,
            pool: spec.pool.clone(),
            subnet: subnet.unwrap_or_else(|| panic!("cluster {} has no subnet in {}", of.id, spec.pool.zone)),
            owner: spec.owner.clone(),
            state: InstanceState::Running,
            launched_at,
            visible_from: launched_at,
            ended_at: None,
            stopped_at: None,
            token: None,
            state_reason: None,
            marked: None,
            hook: None,
            tags,
            user_data: join::user_data(&of.name, &spec.labels, &spec.taints),
            replaced: false,
        }
    }

    /// Puts the unbound pods of a workload on these nodes, in turn.
    pub(super) fn place(&mut self, cluster: usize, workload: usize, on: &[InstanceId]) {
        let names: Vec<NodeName> = on.iter().filter_map(|id| self.machines.get(id)).map(|machine| machine.dns.clone()).collect();
        let of = self.clusters[cluster].pods.of_workload(workload).filter(|(_, pod)| pod.node.is_none());
        let keys: Vec<u64> = of.map(|(key, _)| key).collect();
        for (key, node) in keys.into_iter().zip(names.iter().cycle()) {
            self.bind(cluster, key, node, true);
        }
    }
}
