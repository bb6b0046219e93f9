//! How an instance becomes a node.

use super::agenda::Due;
use super::catalog::TypeSpec;
use super::happened::What;
use super::minted;
use super::state::{Machine, Node, State};
use domain::ids::InstanceId;
use domain::node::{NodeOwner, Taint};
use domain::offering::CapacityType;
use jiff::SignedDuration;
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

const EKS_CAPACITY: &str = "eks.amazonaws.com/capacityType";

fn eks_word(capacity: CapacityType) -> &'static str {
    match capacity {
        CapacityType::Spot => "SPOT",
        CapacityType::OnDemand => "ON_DEMAND",
    }
}

/// What user data tell the kubelet besides the name of the cluster. Copies of an instance join with the same.
#[derive(Debug, Default, Serialize, Deserialize)]
struct Kubelet {
    labels: BTreeMap<String, String>,
    taints: Vec<Taint>,
}

/// User data with which an instance joins a cluster.
pub(crate) fn user_data(cluster: &str, labels: &BTreeMap<String, String>, taints: &[Taint]) -> String {
    let kubelet = Kubelet { labels: labels.clone(), taints: taints.to_vec() };
    let said = if labels.is_empty() && taints.is_empty() { String::new() } else { format!(" {}", serde_json::json!(kubelet)) };
    data_encoding::BASE64.encode(format!("join {cluster}{said}").as_bytes())
}

fn kubelet(user_data: &str) -> Kubelet {
    let text = data_encoding::BASE64.decode(user_data.as_bytes()).unwrap_or_default();
    let said = text.iter().position(|byte| *byte == b'{').and_then(|at| text.get(at..)).unwrap_or_default();
    serde_json::from_slice(said).unwrap_or_default()
}

/// The labels that a node gets from its kubelet, the cloud provider and its owner.
fn labels(machine: &Machine, size: &TypeSpec) -> BTreeMap<String, String> {
    let pool = &machine.pool;
    let mut labels = BTreeMap::from([
        ("kubernetes.io/hostname".to_owned(), machine.dns.to_string()),
        ("kubernetes.io/os".to_owned(), "linux".to_owned()),
        ("kubernetes.io/arch".to_owned(), size.arch.as_str().to_owned()),
        ("node.kubernetes.io/instance-type".to_owned(), pool.instance_type.to_string()),
        ("topology.kubernetes.io/zone".to_owned(), pool.zone.to_string()),
        ("topology.kubernetes.io/region".to_owned(), machine.region.to_string()),
    ]);
    match &machine.owner {
        NodeOwner::ManagedNodeGroup { group } => {
            labels.insert("eks.amazonaws.com/nodegroup".to_owned(), group.clone());
            labels.insert(EKS_CAPACITY.to_owned(), eks_word(pool.capacity).to_owned());
        }
        NodeOwner::Karpenter { claim } => {
            labels.insert("karpenter.sh/nodepool".to_owned(), claim.clone());
            labels.insert("karpenter.sh/capacity-type".to_owned(), pool.capacity.as_str().to_owned());
        }
        NodeOwner::AutoScalingGroup { .. } | NodeOwner::CloudOptim => {
            labels.insert(EKS_CAPACITY.to_owned(), eks_word(pool.capacity).to_owned());
        }
    }
    labels
}

impl State {
    /// Makes the Node object of an instance.
    pub(crate) fn register(&mut self, machine: &Machine, size: &TypeSpec, ready: bool) {
        let Some(cluster) = machine.cluster else { return };
        // The name may be that of a node that is gone or going: the cloud controller removes that one first.
        if let Some(uid) = self.clusters.get(cluster).and_then(|kube| kube.nodes.get(&machine.dns)).map(|node| node.uid.clone()) {
            self.cloud_removes_node(cluster, &uid);
        }
        let uid = self.uid();
        let kubelet = kubelet(&machine.user_data);
        let mut labels = labels(machine, size);
        labels.extend(kubelet.labels);
        let node = Node {
            name: machine.dns.clone(),
            uid: minted(uid),
            instance: machine.id.clone(),
            zone: machine.pool.zone.clone(),
            labels,
            annotations: BTreeMap::from([("volumes.kubernetes.io/controller-managed-attach-detach".to_owned(), "true".to_owned())]),
            taints: kubelet.taints,
            unschedulable: false,
            ready,
            dead: false,
            cpu_millis: size.cpu_millis,
            memory_bytes: size.memory_bytes,
            pods_max: size.pods_max,
            extended: size.extended.clone(),
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
        let size = self.type_of(&machine.pool.instance_type);
        self.register(&machine, &size, false);
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
