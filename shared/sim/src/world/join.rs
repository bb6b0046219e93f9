//! How an instance becomes a node.

use super::agenda::Due;
use super::catalog::{self, Size};
use super::happened::What;
use super::minted;
use super::state::{Machine, Node, State};
use domain::ids::InstanceId;
use domain::node::NodeOwner;
use jiff::SignedDuration;
use std::collections::BTreeMap;

/// The labels that a node gets from its kubelet, the cloud provider and its owner.
pub(crate) fn labels(machine: &Machine) -> BTreeMap<String, String> {
    let pool = &machine.pool;
    let mut labels = BTreeMap::from([
        ("kubernetes.io/hostname".to_owned(), machine.dns.to_string()),
        ("kubernetes.io/os".to_owned(), "linux".to_owned()),
        ("kubernetes.io/arch".to_owned(), "amd64".to_owned()),
        ("node.kubernetes.io/instance-type".to_owned(), pool.instance_type.to_string()),
        ("topology.kubernetes.io/zone".to_owned(), pool.zone.to_string()),
        ("topology.kubernetes.io/region".to_owned(), machine.region.to_string()),
    ]);
    match &machine.owner {
        NodeOwner::ManagedNodeGroup { group } => {
            labels.insert("eks.amazonaws.com/nodegroup".to_owned(), group.clone());
            let word = pool.capacity.as_str().to_ascii_uppercase().replace('-', "_");
            labels.insert("eks.amazonaws.com/capacityType".to_owned(), word);
        }
        NodeOwner::Karpenter { claim } => {
            labels.insert("karpenter.sh/nodepool".to_owned(), claim.clone());
            labels.insert("karpenter.sh/capacity-type".to_owned(), pool.capacity.as_str().to_owned());
        }
        NodeOwner::AutoScalingGroup { .. } | NodeOwner::CloudOptim => {}
    }
    labels
}

impl State {
    /// Makes the Node object of an instance.
    pub(crate) fn register(&mut self, machine: &Machine, size: Size, ready: bool) {
        let Some(cluster) = machine.cluster else { return };
        // The name may be that of a node that is gone or going: the cloud controller removes that one first.
        if let Some(uid) = self.clusters.get(cluster).and_then(|kube| kube.nodes.get(&machine.dns)).map(|node| node.uid.clone()) {
            self.cloud_removes_node(cluster, &uid);
        }
        let uid = self.uid();
        let node = Node {
            name: machine.dns.clone(),
            uid: minted(uid),
            instance: machine.id.clone(),
            zone: machine.pool.zone.clone(),
            labels: labels(machine),
            annotations: BTreeMap::from([("volumes.kubernetes.io/controller-managed-attach-detach".to_owned(), "true".to_owned())]),
            taints: Vec::new(),
            unschedulable: false,
            ready,
            dead: false,
            cpu_millis: size.cpu_millis,
            memory_bytes: size.memory_bytes,
            pods_max: size.pods_max,
            created_at: self.now,
            rv: 0,
        };
        if let Some(kube) = self.clusters.get_mut(cluster) {
            let name = node.name.clone();
            kube.nodes.insert(name.clone(), node);
            kube.node_changed(&name, "ADDED");
        }
    }

    pub(crate) fn registers(&mut self, id: &InstanceId) {
        let Some(machine) = self.machines.get(id).filter(|m| m.state.live()).cloned() else { return };
        self.register(&machine, catalog::size(&machine.pool.instance_type), false);
        let join = self.timing.join.unwrap_or_default();
        let head_start = (join / 4).min(SignedDuration::from_secs(5));
        self.plan(self.after(head_start), Due::NodeReady(id.clone()));
    }

    pub(crate) fn node_ready(&mut self, id: &InstanceId) {
        let Some(machine) = self.machines.get(id).filter(|m| m.state.live()) else { return };
        let Some(cluster) = machine.cluster else { return };
        let name = machine.dns.clone();
        let Some(kube) = self.clusters.get_mut(cluster) else { return };
        let Some(node) = kube.nodes.get_mut(&name).filter(|node| node.instance == *id && !node.ready) else { return };
        node.ready = true;
        kube.node_changed(&name, "MODIFIED");
        self.note(Some(cluster), What::Joined { instance: id.clone(), node: name });
        self.soon(cluster);
    }
}
