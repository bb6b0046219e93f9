//! The safety check of what only saves money: when a plan is made, and again before each of its steps.

use super::{Blocked, Rule, blocked, control_plane, pod_blocks};
use crate::ids::NodeName;
use crate::money::MicroDollars;
use crate::node::NodeView;
use crate::offering::Pool;
use crate::plan::check::in_disruption;
use crate::plan::precondition::{CLUSTER_TAG, PROTECT_TAG};
use crate::plan::{Action, NodeStake, Plan, PlanRecord, Progress, Stakes};
use crate::pod::filter::{Fate, judge};
use crate::pod::{PodBudget, PodView};
use crate::policy::ClusterPolicy;
use crate::ports::Instance;
use crate::tenant::Halt;
use jiff::{SignedDuration, Timestamp};
use std::collections::{BTreeMap, BTreeSet};

/// At least this share of the nodes must be Ready, in percent: where more are not, something else is going on.
const READY_PERCENT_MIN: usize = 80;
/// A node that is younger than this may still be joining (Karpenter's registration timeout).
const JOINING: SignedDuration = SignedDuration::from_mins(15);

/// What comes next in the plan.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Before {
    /// The plan is to be opened, or its first launch: everything is asked.
    Launch,
    /// The first node is to be cordoned: the last moment at which nothing is lost by stopping.
    Cordon,
    /// Pods are to be evicted.
    Drain,
    /// Instances are to be ended: the point of no return.
    End,
}

impl Before {
    /// What begins with these steps; `None`: nothing that could disrupt.
    pub fn any<'a>(actions: impl IntoIterator<Item = &'a Action>) -> Option<Before> {
        actions.into_iter().filter_map(Before::one).max()
    }

    fn one(action: &Action) -> Option<Before> {
        match action {
            Action::LaunchNode { .. } => Some(Before::Launch),
            Action::Cordon { .. } => Some(Before::Cordon),
            Action::Drain { .. } => Some(Before::Drain),
            Action::Terminate { .. } => Some(Before::End),
            Action::AwaitReady { .. }
            | Action::Uncordon { .. }
            | Action::RemoveNode { .. }
            | Action::Scale { .. }
            | Action::PatchRequests { .. }
            | Action::AwaitRollOut { .. }
            | Action::TerminateGhost { .. }
            | Action::DeleteVolume { .. }
            | Action::Resize { .. }
            | Action::CompleteLifecycle { .. } => None,
        }
    }
}

/// The world as the check needs it, read anew.
#[derive(Debug, Clone, Copy)]
pub struct Scene<'a> {
    /// What the customer allows.
    pub policy: &'a ClusterPolicy,
    /// All nodes.
    pub nodes: &'a [NodeView],
    /// The pods of the nodes that go.
    pub pods: &'a BTreeMap<NodeName, Vec<PodView>>,
    /// All PodDisruptionBudgets; `None`: they could not be read, and then nothing voluntary is done.
    pub pod_budgets: Option<&'a [PodBudget]>,
    /// The instances of the nodes that go, as far as EC2 shows them.
    pub instances: &'a [Instance],
    /// Plans of the cluster that are under way; the plan itself may be among them.
    pub open_plans: &'a [PlanRecord],
    /// Prices that are newer than those the plan was made with.
    pub prices: &'a [(Pool, MicroDollars)],
    /// The stop that holds, where one does.
    pub halted: Option<&'a Halt>,
    /// Now.
    pub now: Timestamp,
}

/// What speaks against going on with a plan of the optimizer. Empty: nothing. `progress` is `None` while the plan is being made.
///
/// Windows, the age of the snapshot and the spend cap hold for beginning: a plan that has begun to move pods is finished, because
/// taking it back would move them a second time. Everything else is asked before every step.
pub fn may_go_on(plan: &Plan, progress: Option<&Progress>, before: Before, scene: &Scene<'_>) -> Vec<Blocked> {
    let Some(stakes) = &plan.stakes else {
        return vec![blocked(Rule::Malformed, &plan.key.plan, "the plan does not say what it was decided on".to_owned())];
    };
    let mut notes = Vec::new();
    if let Some(halt) = scene.halted {
        notes.push(blocked(Rule::Halted, &halt.scope, format!("{} is stopped: {}", halt.scope, halt.reason)));
    }
    if before <= Before::Cordon {
        notes.extend(window(scene));
        notes.extend(disruption(plan, scene));
        notes.extend(health(plan, scene));
    }
    if before == Before::Launch {
        notes.extend(age(stakes, scene));
        notes.extend(spend(plan, stakes, scene));
    }
    notes.extend(pays(plan, stakes, progress, scene));
    for node in &stakes.nodes {
        notes.extend(eligible(node, before, scene));
    }
    notes
}

fn window(scene: &Scene<'_>) -> Option<Blocked> {
    let windows = &scene.policy.optimization.windows;
    let mut wrong = None;
    for window in windows {
        match window.open(scene.now) {
            Ok(true) => return None,
            Ok(false) => {}
            Err(bad) => wrong = Some(format!("no window is open, and one never can be: {bad}")),
        }
    }
    let closed = || "no window in which plans may be carried out is open now".to_owned();
    (!windows.is_empty()).then(|| blocked(Rule::Window, "windows", wrong.unwrap_or_else(closed)))
}

/// Plans have an order, by the time at which they were made: only those before it count against a plan, so that of two that
/// were made at once one goes on.
fn earlier<'a>(plan: &'a Plan, scene: &Scene<'a>) -> impl Iterator<Item = &'a PlanRecord> {
    let place = |plan: &Plan| (plan.created_at, plan.key.plan.clone());
    let mine = place(plan);
    scene.open_plans.iter().filter(move |other| other.progress.outcome.is_none() && place(&other.plan) < mine)
}

fn disruption(plan: &Plan, scene: &Scene<'_>) -> Vec<Blocked> {
    let mine = names(plan);
    let others = in_disruption(earlier(plan, scene));
    // What is not done to save money goes first, whenever it was begun: a node that is being rescued is nobody else's.
    let urgent = scene.open_plans.iter().filter(|other| other.progress.outcome.is_none() && !other.plan.kind.voluntary());
    let in_hand: BTreeSet<NodeName> = urgent.flat_map(|other| names(&other.plan)).chain(others.iter().cloned()).collect();
    let another = |node: &NodeName| blocked(Rule::InAnotherPlan, node, format!("another plan has node {node} in hand"));
    let mut notes: Vec<Blocked> = mine.intersection(&in_hand).map(another).collect();
    let allowed = scene.policy.budget.allowed(scene.nodes.len());
    let sum = mine.union(&others).count();
    if sum > allowed {
        let why = format!("{sum} of {} nodes would be in disruption, and {allowed} may be", scene.nodes.len());
        notes.push(blocked(Rule::DisruptionBudget, &plan.key.plan, why));
    }
    notes
}

fn names(plan: &Plan) -> BTreeSet<NodeName> {
    plan.steps.iter().filter_map(|step| step.action.node()).map(|node| node.name.clone()).collect()
}

fn health(plan: &Plan, scene: &Scene<'_>) -> Option<Blocked> {
    let joining = |node: &&NodeView| !node.ready && node.created_at.is_some_and(|at| scene.now.duration_since(at) < JOINING);
    let going = names(plan);
    let judged = scene.nodes.iter().filter(|node| !joining(node) && !going.contains(&node.name));
    let (ready, all) = judged.fold((0, 0), |(ready, all), node| (ready + usize::from(node.ready), all + 1));
    (ready * 100 < all * READY_PERCENT_MIN).then(|| {
        let why =
            format!("{ready} of {all} other nodes are Ready, and {READY_PERCENT_MIN} % must be before anything is moved to save money");
        blocked(Rule::ClusterUnhealthy, &plan.key.cluster, why)
    })
}

fn age(stakes: &Stakes, scene: &Scene<'_>) -> Option<Blocked> {
    let most = SignedDuration::from_secs(i64::from(scene.policy.optimization.snapshot_age_max_s));
    let age = scene.now.duration_since(stakes.snapshot_at);
    (age > most).then(|| {
        let why = format!("the decision rests on what the cluster was {} s ago; {} s are allowed", age.as_secs(), most.as_secs());
        blocked(Rule::SnapshotAge, &stakes.request_id, why)
    })
}

/// What all open plans add to the cost while both sides run: every launch that is not paid for by an end yet.
fn spend(plan: &Plan, stakes: &Stakes, scene: &Scene<'_>) -> Option<Blocked> {
    let cap = scene.policy.optimization.surge_per_hour_max?;
    let mine: MicroDollars = launches(plan).map(|price| price + stakes.overhead_per_hour).sum();
    let others: MicroDollars = earlier(plan, scene).flat_map(|other| launches(&other.plan)).sum();
    (mine + others > cap && mine > MicroDollars::default()).then(|| {
        let why = format!("{} per hour would be added while both sides run, and {cap} may be", mine + others);
        blocked(Rule::SpendCap, &plan.key.plan, why)
    })
}

/// The dearest offering of each launch: which one will have capacity is not known yet.
fn launches(plan: &Plan) -> impl Iterator<Item = MicroDollars> {
    plan.steps.iter().filter_map(|step| match &step.action {
        Action::LaunchNode { offerings, .. } => offerings.iter().filter_map(|offering| offering.price_per_hour).max(),
        Action::AwaitReady { .. }
        | Action::Cordon { .. }
        | Action::Uncordon { .. }
        | Action::Drain { .. }
        | Action::Terminate { .. }
        | Action::RemoveNode { .. }
        | Action::Scale { .. }
        | Action::PatchRequests { .. }
        | Action::AwaitRollOut { .. }
        | Action::TerminateGhost { .. }
        | Action::DeleteVolume { .. }
        | Action::Resize { .. }
        | Action::CompleteLifecycle { .. } => None,
    })
}

/// Whether the plan is still worth it: at what was really launched, and at newer prices of both sides where there are some.
fn pays(plan: &Plan, stakes: &Stakes, progress: Option<&Progress>, scene: &Scene<'_>) -> Option<Blocked> {
    let newer = |pool: &Pool, known: MicroDollars| scene.prices.iter().find(|(p, _)| p == pool).map_or(known, |(_, price)| *price);
    let mut replacements = Vec::new();
    for (index, step) in plan.steps.iter().enumerate() {
        let Action::LaunchNode { offerings, .. } = &step.action else {
            continue;
        };
        let chosen = progress.and_then(|progress| progress.launched(index)).map(|(_, offering)| offering).or_else(|| offerings.first());
        let Some((pool, price)) = chosen.and_then(|offering| Some((&offering.pool, offering.price_per_hour?))) else {
            return Some(blocked(Rule::PriceUnknown, format!("step {index}"), "nobody knows what the replacement costs".to_owned()));
        };
        replacements.push(newer(pool, price));
    }
    let nodes = stakes.nodes.iter().map(|node| NodeStake { price_per_hour: newer(&node.pool, node.price_per_hour), ..node.clone() });
    let saving = Stakes { nodes: nodes.collect(), ..stakes.clone() }.saving(replacements);
    (saving < stakes.saving_min || saving <= MicroDollars::default()).then(|| {
        let why = format!("the plan would save {saving} per hour by now, and {} is the least that is worth it", stakes.saving_min);
        blocked(Rule::NotWorthIt, &plan.key.plan, why)
    })
}

fn eligible(stake: &NodeStake, before: Before, scene: &Scene<'_>) -> Vec<Blocked> {
    let name = &stake.node;
    let Some(node) = scene.nodes.iter().find(|node| node.instance().as_ref() == Some(&stake.instance)) else {
        // It was to go, and it is gone: its pods run on what was launched for them, which is not to be taken back.
        if before == Before::End {
            return Vec::new();
        }
        return vec![blocked(Rule::NodeUnknown, name, format!("node {name} is not in the cluster, or is another one by now"))];
    };
    let mut notes = Vec::new();
    if control_plane(node) {
        notes.push(blocked(Rule::ControlPlane, name, format!("node {name} runs the control plane")));
    }
    if before <= Before::Cordon && node.unschedulable && node.cordoned_by.is_none() {
        notes.push(blocked(Rule::HandsOff, name, format!("node {name} was cordoned by somebody else")));
    }
    notes.extend(end_blocks(stake, scene));
    let Some(budgets) = scene.pod_budgets else {
        let why = "disruption budgets could not be read, and without them nothing is moved to save money".to_owned();
        notes.push(blocked(Rule::PodBudgetFull, name, why));
        return notes;
    };
    let pods = scene.pods.get(name).map(Vec::as_slice).unwrap_or_default();
    let moving: Vec<&PodView> = pods.iter().filter(|pod| !pod.finished() && !pod.mirror).collect();
    notes.extend(moving.iter().filter_map(|pod| pod_blocks(pod, Some(budgets))));
    if before <= Before::Cordon {
        notes.extend(outgrown(stake, &moving));
        notes.extend(full(&moving, budgets));
    }
    notes
}

/// Whether the instance may be ended at all: known before anything is launched for it.
fn end_blocks(stake: &NodeStake, scene: &Scene<'_>) -> Option<Blocked> {
    let instance = scene.instances.iter().find(|instance| instance.id == stake.instance)?;
    let name = &stake.node;
    if instance.tags.contains_key(PROTECT_TAG) {
        return Some(blocked(Rule::NotOursToEnd, name, format!("the instance of node {name} carries the tag {PROTECT_TAG}")));
    }
    let tagged = instance.tags.contains_key(CLUSTER_TAG);
    (!tagged).then(|| {
        let why = format!("the instance of node {name} does not carry the tag {CLUSTER_TAG}, without which we end nothing");
        blocked(Rule::NotOursToEnd, name, why)
    })
}

/// Pods that came since the decision may fit nowhere: it was made without them.
fn outgrown(stake: &NodeStake, moving: &[&PodView]) -> Option<Blocked> {
    let of_us = |pod: &&&PodView| match judge(pod, crate::plan::action::Care::Voluntary.accepts(), None) {
        Fate::Evict => true,
        Fate::Leaving | Fate::Stay(_) | Fate::Refuse(_) => false,
    };
    let (cpu, memory) = moving
        .iter()
        .filter(of_us)
        .fold((0_u64, 0_u64), |(cpu, memory), pod| (cpu.saturating_add(pod.cpu_millis), memory.saturating_add(pod.memory_bytes)));
    (cpu > stake.carried.cpu_millis || memory > stake.carried.memory_bytes).then(|| {
        let why = format!("node {} carries more than when the decision was made: pods came that it does not know of", stake.node);
        blocked(Rule::Outgrown, &stake.node, why)
    })
}

/// A budget without room now would hold up the drain, while both sides cost money.
fn full(moving: &[&PodView], budgets: &[PodBudget]) -> Vec<Blocked> {
    let covering = |budget: &&PodBudget| {
        budget.disruptions_allowed < 1 && !budget.never_allows() && moving.iter().any(|pod| pod.ready && budget.covers(pod))
    };
    let note = |budget: &PodBudget| {
        let why = format!("disruption budget {}/{} has no room now", budget.namespace, budget.name);
        blocked(Rule::PodBudgetFull, format!("{}/{}", budget.namespace, budget.name), why)
    };
    budgets.iter().filter(covering).map(note).collect()
}

#[cfg(test)]
mod tests;
