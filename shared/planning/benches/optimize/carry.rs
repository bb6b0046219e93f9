//! Carrying an answer out: its moves one after the other, pods where kube-scheduler's default scoring has them.

use domain::decision::{DecisionAnswer, DecisionRequest, Move};
use domain::ids::{InstanceId, NodeName, NodeUid};
use domain::offering::Offering;
use domain::scheduling::Resources;
use domain::snapshot::{Placed, Snapshot, SnapshotNode};
use planning::optimize::Market;
use planning::placement::{Index, NodeId, State, Template};
use std::collections::BTreeMap;

/// The request as it is after the answer.
pub(crate) fn out(request: &DecisionRequest, answer: &DecisionAnswer, market: &Market, round: usize) -> DecisionRequest {
    let index = Index::new(&request.snapshot);
    let mut state = State::new(&index);
    let mut fresh: Vec<(NodeId, SnapshotNode)> = Vec::new();
    for planned in &answer.execution_plan {
        make(planned, &index, &mut state, market, round, &mut fresh);
    }
    let gone: Vec<&NodeName> = answer.execution_plan.iter().flat_map(|planned| &planned.remove).map(|node| &node.name).collect();
    let old = request.snapshot.nodes.iter().enumerate().map(|(id, node)| (id, node.clone()));
    let mut nodes: Vec<SnapshotNode> = old
        .filter(|(_, node)| !gone.contains(&&node.name))
        .chain(fresh)
        .map(|(id, mut node)| {
            node.pods = pods(&request.snapshot, &state, id);
            node
        })
        .collect();
    nodes.sort_by(|a, b| a.name.cmp(&b.name));
    let mut next = request.clone();
    next.snapshot.nodes = nodes;
    next.constraints.cursor.clone_from(&answer.cursor);
    next
}

fn make(planned: &Move, index: &Index<'_>, state: &mut State<'_>, market: &Market, round: usize, fresh: &mut Vec<(NodeId, SnapshotNode)>) {
    let place = |name: &NodeName| index.snapshot.nodes.iter().position(|node| node.name == *name).expect("it is there");
    let gone: Vec<NodeId> = planned.remove.iter().map(|node| place(&node.name)).collect();
    let model = &index.snapshot.nodes[gone[0]];
    for launch in &planned.launch {
        let offering = &launch.offerings[0];
        let pool = &offering.pool;
        let template = index.template(model, &market.types[&pool.instance_type], &pool.zone, pool.capacity);
        let id = state.launch(&template);
        fresh.push((id, node(&template, model, offering, market, &format!("node-{round:03}-{:05}", fresh.len()))));
    }
    let mut pods: BTreeMap<usize, u32> = BTreeMap::new();
    for (class, count) in gone.iter().flat_map(|node| state.empty(*node)) {
        *pods.entry(class).or_default() += count;
    }
    let pods: Vec<(usize, u32)> = pods.into_iter().collect();
    state.settle(&pods).expect("a plan that holds");
    gone.into_iter().for_each(|node| state.retire(node));
}

fn node(template: &Template, model: &SnapshotNode, offering: &Offering, market: &Market, name: &str) -> SnapshotNode {
    let pool = &offering.pool;
    let info = &market.types[&pool.instance_type];
    let mut labels = template.labels.clone();
    labels.insert("kubernetes.io/hostname".to_owned(), name.to_owned());
    SnapshotNode {
        name: NodeName::parse(name).expect("a name"),
        uid: NodeUid::parse(format!("uid-{name}")).expect("a uid"),
        instance: Some(InstanceId::parse(format!("i-{:017x}", fnv(name))).expect("an id")),
        pool: Some(pool.clone()),
        labels,
        taints: template.taints.clone(),
        allocatable: Resources::new(info.allocatable_cpu_millis, info.allocatable_memory_bytes),
        pods_max: info.pods_max,
        price: market.offer(pool).and_then(|offer| offer.quote),
        ..model.clone()
    }
}

/// A number out of a name, of fifty bits.
fn fnv(name: &str) -> u64 {
    name.bytes().fold(0xcbf2_9ce4_8422_2325_u64, |sum, byte| (sum ^ u64::from(byte)).wrapping_mul(0x0100_0000_01b3)) >> 14
}

fn pods(snapshot: &Snapshot, state: &State<'_>, id: NodeId) -> Vec<Placed> {
    let classes = 0..u32::try_from(snapshot.classes.len()).expect("few");
    let placed = classes.map(|class| Placed { class, count: state.count(class as usize, id) });
    placed.filter(|placed| placed.count > 0).collect()
}
