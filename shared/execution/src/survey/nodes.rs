//! Nodes with their instances, prices, use and pods.

use super::Sources;
use crate::refresh::owner;
use domain::catalog::Arch;
use domain::ids::{InstanceId, InstanceType, NodeName, SubnetId, Zone};
use domain::node::{NodeUsage, NodeView};
use domain::offering::{CapacityType, Pool};
use domain::plan::precondition::PROTECT_TAG;
use domain::ports::Instance;
use domain::scheduling::Resources;
use domain::snapshot::{OnNode, Placed, PodClass, SnapshotBuilder, SnapshotNode, Subnet};
use std::collections::{BTreeMap, HashMap};

/// What is known of the machines behind the nodes.
#[derive(Debug, Clone)]
pub enum Machines {
    /// The instances, as EC2 lists them.
    Seen(Vec<Instance>),
    /// EC2 could not be asked, and why: nodes then have no pool, and none is moved.
    Unseen(String),
    /// EC2 is not asked: type, zone and capacity type are read off the well-known labels of the nodes. There is one subnet for
    /// each zone, with a made-up id: enough to say what could be launched, not to launch it.
    Labelled,
}

impl Machines {
    pub(super) fn gap(&self) -> Option<String> {
        match self {
            Machines::Seen(_) => None,
            Machines::Unseen(why) => Some(why.clone()),
            Machines::Labelled => Some("EC2 was not asked: type, zone and capacity type are those of the nodes' labels".to_owned()),
        }
    }
}

pub(super) struct Joined {
    pub(super) nodes: Vec<SnapshotNode>,
    pub(super) subnets: Vec<Subnet>,
    pub(super) classes: Vec<PodClass>,
    pub(super) pending: Vec<Placed>,
    /// Pods on nodes that are not in the list.
    pub(super) strangers: u64,
}

/// Joins everything, by node.
pub(super) fn join(
    mut views: Vec<NodeView>,
    pods: SnapshotBuilder,
    machines: &Machines,
    usage: Vec<NodeUsage>,
    sources: &Sources<'_>,
) -> Joined {
    views.sort_by(|a, b| a.name.cmp(&b.name));
    let arches: HashMap<&NodeName, Arch> = views.iter().filter_map(|view| Some((&view.name, arch(view)?))).collect();
    let mut grouped = pods.finish(|node| arches.get(node).copied());
    let mut usage: HashMap<NodeName, NodeUsage> = usage.into_iter().map(|usage| (usage.name.clone(), usage)).collect();
    let by_id: HashMap<&InstanceId, &Instance> = match machines {
        Machines::Seen(instances) => instances.iter().map(|instance| (&instance.id, instance)).collect(),
        Machines::Unseen(_) | Machines::Labelled => HashMap::new(),
    };
    let mut nodes = Vec::with_capacity(views.len());
    for view in views {
        let machine = view.instance().and_then(|id| by_id.get(&id).copied());
        let known = match machines {
            Machines::Seen(_) => machine.map(|machine| (machine.id.clone(), machine.pool.clone())),
            Machines::Unseen(_) => None,
            Machines::Labelled => labelled(&view),
        };
        let on = grouped.nodes.remove(&view.name).unwrap_or_default();
        let used = usage.remove(&view.name).map(|usage| Resources::new(usage.cpu_millis, usage.memory_bytes));
        nodes.push(node(view, machine, known, on, used, sources));
    }
    let strangers = grouped.nodes.values().flat_map(|node| &node.pods).map(|placed| u64::from(placed.count)).sum();
    Joined { subnets: subnets(machines, &nodes), nodes, classes: grouped.classes, pending: grouped.pending, strangers }
}

fn node(
    view: NodeView,
    machine: Option<&Instance>,
    known: Option<(InstanceId, Pool)>,
    on: OnNode,
    usage: Option<Resources>,
    sources: &Sources<'_>,
) -> SnapshotNode {
    let none = BTreeMap::new();
    let tags = machine.map_or(&none, |machine| &machine.tags);
    let (instance, pool) = known.unzip();
    SnapshotNode {
        owner: owner(&view.labels, tags),
        do_not_disrupt: view.do_not_disrupt || tags.contains_key(PROTECT_TAG),
        price: pool.as_ref().and_then(sources.prices),
        instance,
        pool,
        name: view.name,
        uid: view.uid,
        labels: view.labels,
        taints: view.taints,
        unschedulable: view.unschedulable,
        ready: view.ready,
        allocatable: Resources { cpu_millis: view.cpu_millis, memory_bytes: view.memory_bytes, extended: view.extended },
        pods_max: view.pods_max,
        usage,
        created_at: view.created_at,
        last_pod_event_at: on.last_pod_event_at,
        pods: on.pods,
    }
}

fn arch(view: &NodeView) -> Option<Arch> {
    let label = view.labels.get("kubernetes.io/arch")?;
    [Arch::Amd64, Arch::Arm64].into_iter().find(|arch| arch.as_str() == label)
}

/// What the labels of a node say of its instance; `None` where its provider id is none of EC2.
fn labelled(view: &NodeView) -> Option<(InstanceId, Pool)> {
    let label = |key: &str| view.labels.get(key).map(String::as_str);
    let zone = label("topology.kubernetes.io/zone").or_else(|| label("failure-domain.beta.kubernetes.io/zone"))?;
    let instance_type = label("node.kubernetes.io/instance-type").or_else(|| label("beta.kubernetes.io/instance-type"))?;
    // By Karpenter, by EKS, and by the two habits of everybody else. Without any of them it is what AWS sells by default.
    let words = ["karpenter.sh/capacity-type", "eks.amazonaws.com/capacityType", "node.kubernetes.io/lifecycle", "lifecycle"];
    let spot = words.iter().filter_map(|key| label(key)).any(|word| word.eq_ignore_ascii_case("spot") || word == "Ec2Spot");
    let capacity = if spot { CapacityType::Spot } else { CapacityType::OnDemand };
    let pool = Pool { instance_type: InstanceType::parse(instance_type).ok()?, zone: Zone::parse(zone).ok()?, capacity };
    Some((view.instance()?, pool))
}

fn subnets(machines: &Machines, nodes: &[SnapshotNode]) -> Vec<Subnet> {
    let zones = nodes.iter().filter_map(|node| node.pool.as_ref()).map(|pool| pool.zone.clone());
    let found: BTreeMap<SubnetId, Zone> = match machines {
        Machines::Seen(instances) => {
            let live = instances.iter().filter(|instance| instance.state.live());
            live.filter_map(|instance| Some((instance.subnet.clone()?, instance.pool.zone.clone()))).collect()
        }
        Machines::Labelled => zones.filter_map(|zone| Some((SubnetId::parse(format!("subnet-in-{zone}")).ok()?, zone))).collect(),
        Machines::Unseen(_) => BTreeMap::new(),
    };
    found.into_iter().map(|(id, zone)| Subnet { id, zone }).collect()
}
