//! The laws that hold in every world, whatever fails: each apart from the code that it judges.
//!
//! [`Watch::look`] is called after every turn and judges what is new in the history; [`at_rest`] judges a world in which
//! everything had the time to end.

use crate::store::MemoryStore;
use crate::world::{By, Cause, Happened, What, World};
use domain::ids::{ClusterId, InstanceId, NodeName};
use domain::plan::precondition::PLAN_TAG;
use domain::plan::{Action, Plan};
use std::collections::{BTreeMap, BTreeSet};

pub(crate) mod growth;
pub(crate) mod placement;
mod rest;
mod voluntary;

pub use rest::at_rest;
pub use voluntary::Voluntary;

/// Judges a history as it grows.
#[derive(Debug, Default)]
pub struct Watch {
    seen: usize,
    /// Instances that were named in a notice: these, and what we launched, are all that we may touch.
    noticed: BTreeSet<InstanceId>,
    nodes: BTreeMap<NodeName, InstanceId>,
    launched: BTreeMap<InstanceId, String>,
    by_plan: BTreeMap<String, Vec<InstanceId>>,
    tokens: BTreeSet<String>,
    /// How many launches each plan has; one where nothing is known of it.
    launches: BTreeMap<String, usize>,
    /// Instances that a plan of the optimizer says are to go.
    planned: BTreeSet<InstanceId>,
}

impl Watch {
    /// A watch over a cluster whose nodes are known by name.
    pub fn over(world: &World, cluster: &ClusterId) -> Watch {
        let mut watch = Watch::default();
        watch.learn(world, cluster);
        watch.seen = world.history().len();
        watch
    }

    /// Says that an instance was named in a notice.
    pub fn noticed(&mut self, instance: &InstanceId) {
        self.noticed.insert(instance.clone());
    }

    /// Says what a plan of the optimizer may do: launch as often as it has launches, and take its own nodes out of service.
    pub fn planned(&mut self, plan: &Plan) {
        if self.launches.contains_key(plan.key.plan.as_str()) {
            return;
        }
        let launches = plan.steps.iter().filter(|step| matches!(step.action, Action::LaunchNode { .. })).count();
        self.launches.insert(plan.key.plan.to_string(), launches);
        self.planned.extend(plan.stakes.iter().flat_map(|stakes| stakes.nodes.iter().map(|node| node.instance.clone())));
    }

    fn learn(&mut self, world: &World, cluster: &ClusterId) {
        for node in world.nodes(cluster) {
            if let Some(instance) = node.instance() {
                self.nodes.insert(node.name, instance);
            }
        }
    }

    /// Judges what has happened since the last look.
    ///
    /// # Errors
    /// The law that was broken, in a sentence.
    pub fn look(&mut self, world: &World, cluster: &ClusterId) -> Result<(), String> {
        let new = world.history_since(self.seen);
        self.seen += new.len();
        if new.iter().any(|h| matches!(h.what, What::Joined { .. })) {
            self.learn(world, cluster);
        }
        new.iter().try_for_each(|happened| self.judge(happened))
    }

    fn judge(&mut self, happened: &Happened) -> Result<(), String> {
        match &happened.what {
            What::Launched { instance, by: By::Us, tags, token, .. } => {
                let plan = tags.get(PLAN_TAG).cloned().ok_or_else(|| format!("{instance} was launched without the tag of its plan"))?;
                if token.as_ref().is_some_and(|token| !self.tokens.insert(token.clone())) {
                    return Err(format!("{instance} was launched with a token that has launched before"));
                }
                let most = self.launches.get(&plan).copied().unwrap_or(1);
                let launched = self.by_plan.entry(plan.clone()).or_default();
                launched.push(instance.clone());
                if launched.len() > most {
                    return Err(format!("plan {plan} has launched {launched:?}, and has {most} launches"));
                }
                self.launched.insert(instance.clone(), plan);
                Ok(())
            }
            What::Interrupted { instance, .. } => {
                self.noticed.insert(instance.clone());
                Ok(())
            }
            What::Terminated { instance, by: By::Us, .. } if !self.launched.contains_key(instance) && !self.planned.contains(instance) => {
                Err(format!("{instance}, which we did not launch, was terminated by us"))
            }
            What::Cordoned { node, by: By::Us, .. } => self.ours_to_touch(Some(node), "cordoned"),
            What::Evicted { node, .. } => self.ours_to_touch(node.as_ref(), "drained by eviction"),
            What::Deleted { node, grace_s, .. } => {
                if *grace_s == 0 {
                    return Err("a pod was deleted without grace".to_owned());
                }
                self.ours_to_touch(node.as_ref(), "drained by deletion")
            }
            What::BudgetViolated { budget, pod, cause: Cause::Evicted } => Err(format!("the eviction of {pod} broke budget {budget}")),
            What::Launched { .. }
            | What::NoCapacity { .. }
            | What::Joined { .. }
            | What::Cordoned { .. }
            | What::Uncordoned { .. }
            | What::EvictionRefused { .. }
            | What::PodGone { .. }
            | What::PodLost { .. }
            | What::PodCut { .. }
            | What::BudgetViolated { .. }
            | What::Terminated { .. }
            | What::NodeRemoved { .. }
            | What::Scaled { .. }
            | What::LifecycleCompleted { .. } => Ok(()),
        }
    }

    fn ours_to_touch(&self, node: Option<&NodeName>, what: &str) -> Result<(), String> {
        let Some(node) = node else {
            return Ok(());
        };
        let Some(instance) = self.nodes.get(node) else {
            return Ok(());
        };
        if self.noticed.contains(instance) || self.launched.contains_key(instance) || self.planned.contains(instance) {
            return Ok(());
        }
        Err(format!("node {node} ({instance}) was {what}, and no notice named it"))
    }
}

/// Everything that is judged at rest.
pub struct Rest<'a> {
    /// The world.
    pub world: &'a World,
    /// The table.
    pub store: &'a MemoryStore,
    /// The cluster.
    pub cluster: &'a ClusterId,
    /// Instances named in notices that were delivered.
    pub noticed: &'a [InstanceId],
}
