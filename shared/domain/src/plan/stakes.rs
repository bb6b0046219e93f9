//! What a plan of the optimizer promises, in figures.

use super::{Action, Effect, Plan, Progress, Status};
use crate::decision::DecisionType;
use crate::ids::{InstanceId, NodeName};
use crate::money::MicroDollars;
use crate::offering::Pool;
use crate::scheduling::Resources;
use jiff::Timestamp;
use serde::{Deserialize, Serialize};

/// What was known of a node when it was decided that it goes.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct NodeStake {
    /// The node.
    pub node: NodeName,
    /// Its instance.
    pub instance: InstanceId,
    /// Its pool.
    pub pool: Pool,
    /// What it cost per hour.
    pub price_per_hour: MicroDollars,
    /// What the pods that must move requested, all together.
    pub carried: Resources,
    /// How many of them there were.
    pub pods: u32,
}

/// What a plan was decided on. It is held against the world again before the plan's point of no return.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct Stakes {
    /// What was decided: the lever that the saving is counted under, and no other.
    pub decision: DecisionType,
    /// The request that led to it.
    pub request_id: String,
    /// When the oldest part of what it was decided on was read.
    pub snapshot_at: Timestamp,
    /// The nodes that go.
    pub nodes: Vec<NodeStake>,
    /// What a node costs besides its price, per hour.
    pub overhead_per_hour: MicroDollars,
    /// The plan is not worth its disruption below this, per hour.
    pub saving_min: MicroDollars,
}

impl Stakes {
    /// What the nodes that go cost per hour, all together.
    pub fn cost(&self) -> MicroDollars {
        self.nodes.iter().map(|node| node.price_per_hour + self.overhead_per_hour).sum()
    }

    /// What is saved per hour where the replacements cost this much each.
    pub fn saving(&self, replacements: impl IntoIterator<Item = MicroDollars>) -> MicroDollars {
        self.cost() - replacements.into_iter().map(|price| price + self.overhead_per_hour).sum()
    }
}

/// What a plan has really done to what the cluster costs.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Done {
    /// Nodes that were ended by it.
    pub ended: Vec<NodeStake>,
    /// Instances that it launched and kept, with the price that they were launched at.
    pub launched: Vec<(InstanceId, Pool, MicroDollars)>,
}

/// What a plan has done so far. `None`: it is no plan of the optimizer, or nothing that saves has happened: a plan that was taken
/// back, or that has not reached its end, has saved nothing.
pub fn done(plan: &Plan, progress: &Progress) -> Option<Done> {
    let stakes = plan.stakes.as_ref()?;
    let each = || plan.steps.iter().zip(&progress.steps).enumerate();
    let terminated = |(_, (step, state)): (usize, (&super::Step, &super::StepState))| match &step.action {
        Action::Terminate { node } if state.status == Status::Done && state.effect != Effect::WasGone => Some(node.instance.clone()),
        Action::Terminate { .. }
        | Action::LaunchNode { .. }
        | Action::AwaitReady { .. }
        | Action::Cordon { .. }
        | Action::Uncordon { .. }
        | Action::Drain { .. }
        | Action::RemoveNode { .. }
        | Action::Scale { .. }
        | Action::PatchRequests { .. }
        | Action::AwaitRollOut { .. }
        | Action::TerminateGhost { .. }
        | Action::DeleteVolume { .. }
        | Action::Resize { .. }
        | Action::CompleteLifecycle { .. } => None,
    };
    let ended: Vec<InstanceId> = each().filter_map(terminated).collect();
    if ended.is_empty() {
        return None;
    }
    let launched = each().filter(|(_, (_, state))| state.status == Status::Done).filter_map(|(index, _)| {
        let (instance, offering) = progress.launched(index)?;
        Some((instance.clone(), offering.pool.clone(), offering.price_per_hour.unwrap_or_default()))
    });
    Some(Done { ended: stakes.nodes.iter().filter(|node| ended.contains(&node.instance)).cloned().collect(), launched: launched.collect() })
}

/// What a plan saves per hour by what it has really done: what ended, less what came. May be below zero. Zero for a plan that
/// has ended nothing, however far it came.
pub fn saved(plan: &Plan, progress: &Progress) -> MicroDollars {
    let (Some(stakes), Some(done)) = (&plan.stakes, done(plan, progress)) else {
        return MicroDollars::default();
    };
    let gone: MicroDollars = done.ended.iter().map(|node| node.price_per_hour + stakes.overhead_per_hour).sum();
    let came: MicroDollars = done.launched.iter().map(|(_, _, price)| *price + stakes.overhead_per_hour).sum();
    gone - came
}
