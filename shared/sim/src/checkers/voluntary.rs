//! The laws of what is done to save money: nobody may notice it.

use crate::world::{By, Cause, Happened, Pending, What, World, newly_pending};
use domain::ids::{ClusterId, InstanceId, NodeName};
use std::collections::BTreeMap;

/// Judges voluntary plans in a cluster, from the moment it is made.
#[derive(Debug)]
pub struct Voluntary {
    seen: usize,
    cluster: ClusterId,
    pending: Pending,
    /// Nodes whose instances we ended, with those.
    ended: BTreeMap<NodeName, InstanceId>,
}

impl Voluntary {
    /// From now on every binding in the cluster is judged, and what waits now may go on waiting.
    pub fn over(world: &World, cluster: &ClusterId) -> Voluntary {
        world.judge_bindings(cluster);
        Voluntary { seen: world.history().len(), cluster: cluster.clone(), pending: world.pending(cluster), ended: BTreeMap::new() }
    }

    /// Judges what has happened since the last look: no budget is broken by us, no instance is ended while pods that move are on
    /// it, nothing is bound where it may not be.
    ///
    /// # Errors
    /// The law that was broken, in a sentence.
    pub fn look(&mut self, world: &World) -> Result<(), String> {
        let new = world.history_since(self.seen);
        self.seen += new.len();
        for happened in &new {
            if happened.cluster.as_ref() == Some(&self.cluster) {
                self.judge(world, happened)?;
            }
        }
        world.misplaced(&self.cluster).into_iter().next().map_or(Ok(()), Err)
    }

    fn judge(&mut self, world: &World, happened: &Happened) -> Result<(), String> {
        match &happened.what {
            What::BudgetViolated { budget, pod, cause: Cause::Evicted | Cause::Deleted } => {
                return Err(format!("budget {budget} was broken when {pod} was taken away"));
            }
            What::Terminated { instance, by: By::Us, marked: false } => {
                if let Some(node) = world.node_name(instance) {
                    self.ended.insert(node, instance.clone());
                }
            }
            What::PodLost { pod, node, .. } | What::PodCut { pod, node } => {
                if let Some(instance) = self.ended.get(node) {
                    return Err(format!("{instance} was ended while {pod} was on it"));
                }
            }
            What::Joined { node, .. } => {
                self.ended.remove(node);
            }
            What::NodeRemoved { node, by: By::Us, .. } if !self.ended.contains_key(node) => {
                return Err(format!("the Node object of {node} was removed while its instance lived"));
            }
            What::Launched { .. }
            | What::NoCapacity { .. }
            | What::Cordoned { .. }
            | What::Uncordoned { .. }
            | What::Evicted { .. }
            | What::EvictionRefused { .. }
            | What::Deleted { .. }
            | What::PodGone { .. }
            | What::BudgetViolated { .. }
            | What::Interrupted { .. }
            | What::Terminated { .. }
            | What::NodeRemoved { .. }
            | What::Scaled { .. }
            | What::LifecycleCompleted { .. } => {}
        }
        Ok(())
    }

    /// Judges the cluster when everything had the time to end: nothing waits that did not before, and every instance that we
    /// launched is a Ready node.
    ///
    /// # Errors
    /// The law that was broken, in a sentence.
    pub fn at_rest(&self, world: &World) -> Result<(), String> {
        if let Some(waits) = newly_pending(&self.pending, &world.pending(&self.cluster)).into_iter().next() {
            return Err(waits);
        }
        for happened in world.history() {
            let What::Launched { instance, by: By::Us, .. } = happened.what else { continue };
            let live = world.instance(&instance).is_some_and(|i| i.state.live());
            let joined = world.node_of(&instance).is_some_and(|node| node.ready);
            if live && !joined {
                return Err(format!("{instance} lives and is no Ready node"));
            }
        }
        Ok(())
    }
}
