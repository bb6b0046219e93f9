//! Looking at a world from outside, without counting as a call.

use super::World;
use super::happened::Happened;
use super::state::{Machine, State};
use domain::ids::{ClusterId, InstanceId, NodeName};
use domain::node::NodeView;
use domain::pod::{PodBudget, PodView};
use domain::ports::{Instance, InstanceState};
use jiff::Timestamp;
use std::collections::BTreeMap;

impl Machine {
    pub(crate) fn view(&self) -> Instance {
        let gone = self.state == InstanceState::Terminated;
        Instance {
            id: self.id.clone(),
            state: self.state,
            pool: self.pool.clone(),
            subnet: (!gone).then(|| self.subnet.clone()),
            launched_at: Some(self.launched_at),
            client_token: self.token.clone(),
            private_dns: (!gone).then(|| self.dns.to_string()),
            state_reason: self.state_reason.clone(),
            marked_for_interruption: self.marked.is_some(),
            tags: self.tags.clone(),
        }
    }
}

impl World {
    /// Everything that happened so far.
    pub fn history(&self) -> Vec<Happened> {
        self.with(|state| state.history.clone())
    }

    /// What happened since this many entries: for checkers that look after every step.
    pub fn history_since(&self, seen: usize) -> Vec<Happened> {
        self.with(|state| state.history.get(seen..).unwrap_or_default().to_vec())
    }

    /// How often each call of the ports and of the served APIs was made.
    pub fn calls(&self) -> BTreeMap<&'static str, u64> {
        self.with(|state| state.calls.clone())
    }

    /// When the next thing happens by itself.
    pub fn next_due(&self) -> Option<Timestamp> {
        self.with(|state| state.agenda.first_key_value().map(|((at, _), _)| *at))
    }

    /// All nodes, as they are.
    pub fn nodes(&self, cluster: &ClusterId) -> Vec<NodeView> {
        self.with(|state| state.clusters[state.known(cluster)].nodes.values().map(super::state::Node::view).collect())
    }

    /// All pods, oldest first.
    pub fn pods(&self, cluster: &ClusterId) -> Vec<PodView> {
        self.with(|state| state.clusters[state.known(cluster)].pods.values().map(super::state::Pod::view).collect())
    }

    /// Pods that wait for a node.
    pub fn pending_pods(&self, cluster: &ClusterId) -> Vec<PodView> {
        self.pods(cluster).into_iter().filter(|pod| pod.node.is_none() && !pod.finished()).collect()
    }

    /// All budgets with their counts.
    pub fn budgets(&self, cluster: &ClusterId) -> Vec<PodBudget> {
        self.with(|state| {
            let kube = &state.clusters[state.known(cluster)];
            kube.budgets.iter().map(|budget| budget.count(kube)).collect()
        })
    }

    /// Instances of a cluster that are pending or running, whether lists show them yet or not.
    pub fn live_instances(&self, cluster: &ClusterId) -> Vec<Instance> {
        self.with(|state| {
            let cluster = state.known(cluster);
            state.machines.values().filter(|m| m.cluster == Some(cluster) && m.state.live()).map(Machine::view).collect()
        })
    }

    /// One instance as it is, whether lists show it or not.
    pub fn instance(&self, id: &InstanceId) -> Option<Instance> {
        self.with(|state| state.machines.get(id).map(Machine::view))
    }

    /// The name that the node of an instance has or will have.
    pub fn node_name(&self, id: &InstanceId) -> Option<NodeName> {
        self.with(|state| state.machines.get(id).map(|machine| machine.dns.clone()))
    }

    /// The node of an instance, while it has one.
    pub fn node_of(&self, id: &InstanceId) -> Option<NodeView> {
        self.with(|state| find_node(state, id))
    }
}

fn find_node(state: &State, id: &InstanceId) -> Option<NodeView> {
    let cluster = state.machines.get(id)?.cluster?;
    state.clusters.get(cluster)?.nodes.values().find(|node| node.instance == *id).map(super::state::Node::view)
}
