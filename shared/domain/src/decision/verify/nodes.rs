//! The nodes that an answer names.

use super::{Refusals, Rule, may_leave};
use crate::decision::{DecisionAnswer, DecisionRequest};
use crate::ids::NodeName;
use crate::snapshot::SnapshotNode;
use std::collections::{BTreeMap, BTreeSet};

/// The snapshot's nodes by name, and which of them go.
pub(super) struct Nodes<'a> {
    by_name: BTreeMap<&'a NodeName, &'a SnapshotNode>,
    going: BTreeSet<&'a NodeName>,
}

impl<'a> Nodes<'a> {
    /// A node of the snapshot.
    pub(super) fn get(&self, name: &NodeName) -> Option<&'a SnapshotNode> {
        self.by_name.get(name).copied()
    }

    /// Nodes that no move removes.
    pub(super) fn staying(&self) -> impl Iterator<Item = &'a SnapshotNode> {
        self.by_name.values().copied().filter(|node| !self.going.contains(&node.name))
    }

    /// All nodes.
    pub(super) fn all(&self) -> impl Iterator<Item = &'a SnapshotNode> {
        self.by_name.values().copied()
    }
}

/// Checks every name. The answer's order is kept, so that the first refusal is of the first move.
pub(super) fn check<'a>(request: &'a DecisionRequest, answer: &DecisionAnswer, refusals: &mut Refusals) -> Nodes<'a> {
    let mut nodes = Nodes { by_name: request.snapshot.nodes.iter().map(|node| (&node.name, node)).collect(), going: BTreeSet::new() };
    let mut named = 0_usize;
    for identity in answer.execution_plan.iter().flat_map(|step| &step.remove) {
        named += 1;
        let name = &identity.name;
        let Some(node) = nodes.get(name) else {
            refusals.add(Rule::UnknownNode, name, format!("node {name} is not in the snapshot"));
            continue;
        };
        if node.uid != identity.uid || node.instance.as_ref() != Some(&identity.instance) {
            let why = format!("node {name} is not {} on {}", identity.uid, identity.instance);
            refusals.add(Rule::OtherNode, name, why);
            continue;
        }
        if !nodes.going.insert(&node.name) {
            refusals.add(Rule::NamedTwice, name, format!("node {name} is removed twice"));
        }
        if let Err(why_not) = may_leave(request, node) {
            refusals.add(Rule::NotEligible, name, format!("node {name} must stay: {}", why_not.why));
        }
    }
    let most = request.constraints.nodes_max as usize;
    if named > most {
        refusals.add(Rule::TooManyNodes, "execution_plan", format!("{named} nodes would go, and {most} may"));
    }
    let mut told = BTreeSet::new();
    for untouched in &answer.untouched {
        let name = &untouched.node;
        if nodes.get(name).is_none() {
            refusals.add(Rule::UnknownNode, name, format!("node {name} is not in the snapshot"));
        } else if nodes.going.contains(name) || !told.insert(name) {
            refusals.add(Rule::NamedTwice, name, format!("node {name} stays twice, or goes and stays"));
        }
    }
    if let Some(name) = answer.cursor.as_ref().filter(|name| nodes.get(name).is_none()) {
        refusals.add(Rule::UnknownNode, "cursor", format!("node {name} is not in the snapshot"));
    }
    nodes
}
