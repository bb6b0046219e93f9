//! Carrying an answer out: its moves one after the other, pods where kube-scheduler's default scoring has them.

use domain::decision::{DecisionAnswer, DecisionRequest};
use domain::ids::NodeName;
use domain::offering::Offering;
use planning::optimize::Market;
use planning::optimize::ahead::carried_out;
use planning::placement::{Index, NodeId};

/// The request as it is after the answer.
pub(crate) fn out(request: &DecisionRequest, answer: &DecisionAnswer, market: &Market, round: usize) -> DecisionRequest {
    let index = Index::new(&request.snapshot);
    let place = |name: &NodeName| request.snapshot.nodes.iter().position(|node| node.name == *name).expect("it is there");
    let moves: Vec<(Vec<NodeId>, Vec<Offering>)> = answer
        .execution_plan
        .iter()
        .map(|planned| {
            let gone = planned.remove.iter().map(|node| place(&node.name)).collect();
            (gone, planned.launch.iter().map(|launch| launch.offerings[0].clone()).collect())
        })
        .collect();
    let mut next = request.clone();
    next.snapshot.nodes = carried_out(&index, market, &moves, round).expect("a plan that holds");
    next.constraints.cursor.clone_from(&answer.cursor);
    next
}
