//! The safety check: a linter for plans. It runs when a plan is made, and again before each step.

use super::{Action, Plan, PlanKind, PlanRecord};
use crate::ids::NodeName;
use crate::node::NodeView;
use crate::pod::{PodBudget, PodView};
use crate::policy::DisruptionBudget;
use serde::{Deserialize, Serialize};
use std::collections::BTreeSet;

mod voluntary;

pub use voluntary::{Before, Scene, may_go_on};

/// Which rule says no.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(rename_all = "kebab-case")]
pub enum Rule {
    /// Too many nodes would be in disruption at once.
    DisruptionBudget,
    /// The node runs the control plane.
    ControlPlane,
    /// An annotation on a pod asks that it be left alone.
    DoNotDisrupt,
    /// A PodDisruptionBudget can never allow the eviction.
    PodBudgetNeverAllows,
    /// More than one PodDisruptionBudget covers a pod: the API server refuses every eviction.
    ManyPodBudgets,
    /// A pod would be lost: nobody would make it anew.
    NoController,
    /// The node is not there, or is another one by now.
    NodeUnknown,
    /// The plan itself is malformed.
    Malformed,
    /// The node is another owner's, or nobody's whom we know.
    NotOurs,
    /// The instance does not carry the tag that allows us to end it, or carries the one that forbids it.
    NotOursToEnd,
    /// The node was to be left alone when the decision was made.
    HandsOff,
    /// A price is unknown, or is none.
    PriceUnknown,
    /// Nobody knows how a replacement is made.
    NoTemplate,
    /// The policy does not allow what would be launched.
    Policy,
    /// It saves less than the policy asks for, or does not any more.
    NotWorthIt,
    /// What it was decided on is too old.
    SnapshotAge,
    /// No window in which plans may be carried out is open.
    Window,
    /// The node was moved, or a plan for it failed, not long ago.
    CoolDown,
    /// Too much would be added to the cluster's cost while both sides run.
    SpendCap,
    /// Too few of the cluster's nodes are Ready.
    ClusterUnhealthy,
    /// The kill switch is on.
    Halted,
    /// An earlier plan has the node in hand.
    InAnotherPlan,
    /// A PodDisruptionBudget has no room now.
    PodBudgetFull,
    /// The node carries more than when the decision was made.
    Outgrown,
    /// An autoscaler works on it, or it is unknown whether one does.
    Autoscaled,
    /// Too little was seen yet to lower anything.
    Confidence,
    /// Somebody else writes the object, and would take the change back.
    ManagedElsewhere,
    /// A roll-out is under way.
    RollOut,
}

/// Why not, in one sentence, with the rule and the object that say so.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct Blocked {
    /// The rule.
    pub rule: Rule,
    /// The object: a node, a pod, a budget.
    pub object: String,
    /// The sentence.
    pub why: String,
}

impl std::fmt::Display for Blocked {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(&self.why)
    }
}

pub(crate) fn blocked(rule: Rule, object: impl ToString, why: String) -> Blocked {
    Blocked { rule, object: object.to_string(), why }
}

/// What the check needs to know of a node's surroundings.
#[derive(Debug, Clone, Copy)]
pub struct Surroundings<'a> {
    /// All nodes of the cluster.
    pub nodes: &'a [NodeView],
    /// The pods on the node in question.
    pub pods: &'a [PodView],
    /// All PodDisruptionBudgets; `None`: they could not be read, and the API server's own answer decides.
    pub pod_budgets: Option<&'a [PodBudget]>,
    /// Plans of the cluster that are under way.
    pub open_plans: &'a [PlanRecord],
    /// How many nodes may be in disruption.
    pub budget: DisruptionBudget,
}

/// Checks the form of a plan: dependencies point back, irreversible steps come last, what is awaited is launched.
pub fn lint(plan: &Plan) -> Vec<Blocked> {
    let mut notes = Vec::new();
    let mut note = |index: usize, why: String| notes.push(blocked(Rule::Malformed, format!("step {index}"), why));
    if plan.steps.is_empty() {
        note(0, "a plan needs at least one step".to_owned());
    }
    let mut irreversible = None;
    for (index, step) in plan.steps.iter().enumerate() {
        if let Some(dep) = step.after.iter().chain(&step.after_unless_forced).find(|dep| **dep >= index) {
            note(index, format!("step {index} waits for step {dep}, which does not stand before it"));
        }
        if let Action::AwaitReady { of: super::action::Which::LaunchedBy(launch), .. } = &step.action
            && !matches!(plan.steps.get(*launch).map(|s| &s.action), Some(Action::LaunchNode { .. }))
        {
            note(index, format!("step {index} awaits step {launch}, which launches nothing"));
        }
        if let Action::AwaitReady { of: super::action::Which::LaunchedBy(launch), .. } = &step.action
            && !step.after.contains(launch)
        {
            note(index, format!("step {index} awaits step {launch}, but does not wait for it to be done"));
        }
        if let Action::LaunchNode { offerings, .. } = &step.action
            && offerings.is_empty()
        {
            note(index, format!("step {index} has no offering to launch from"));
        }
        match (irreversible, step.action.undo()) {
            (_, super::Undo::Impossible) => irreversible = Some(index),
            (Some(last), _) => note(index, format!("step {index} stands after step {last}, which cannot be taken back")),
            (None, _) => {}
        }
    }
    notes
}

/// Checks whether people may take this node out of service now. Empty: nothing speaks against it.
pub fn may_disrupt(name: &NodeName, around: Surroundings<'_>) -> Vec<Blocked> {
    let Some(node) = around.nodes.iter().find(|n| n.name == *name) else {
        return vec![blocked(Rule::NodeUnknown, name, format!("node {name} is not in the cluster"))];
    };
    let mut notes = Vec::new();
    if control_plane(node) {
        notes.push(blocked(Rule::ControlPlane, name, format!("node {name} runs the control plane")));
    }
    let disrupted = in_disruption(around.open_plans);
    let allowed = around.budget.allowed(around.nodes.len());
    if !disrupted.contains(name) && disrupted.len() >= allowed {
        let why = format!("{} of {} nodes are in disruption already, {allowed} may be", disrupted.len(), around.nodes.len());
        notes.push(blocked(Rule::DisruptionBudget, name, why));
    }
    for pod in around.pods.iter().filter(|p| !p.finished() && !p.mirror) {
        notes.extend(pod_blocks(pod, around.pod_budgets));
    }
    notes
}

fn control_plane(node: &NodeView) -> bool {
    ["node-role.kubernetes.io/control-plane", "node-role.kubernetes.io/master"].iter().any(|label| node.labels.contains_key(*label))
}

fn pod_blocks(pod: &PodView, budgets: Option<&[PodBudget]>) -> Option<Blocked> {
    let of_daemon_set = pod.controller.as_ref().is_some_and(|c| c.kind == "DaemonSet");
    if of_daemon_set {
        return None;
    }
    if pod.do_not_disrupt {
        return Some(blocked(Rule::DoNotDisrupt, &pod.pod, format!("pod {} asks not to be disrupted", pod.pod)));
    }
    if pod.controller.is_none() {
        let why = format!("pod {} has no controller and would be lost; delete it yourself, or force the drain", pod.pod);
        return Some(blocked(Rule::NoController, &pod.pod, why));
    }
    let covering: Vec<&PodBudget> = budgets.unwrap_or_default().iter().filter(|b| b.covers(pod)).collect();
    match covering.as_slice() {
        [] => None,
        [budget] => budget.never_allows().then(|| {
            let why = format!(
                "disruption budget {}/{} can never allow the eviction of {}: it wants {} of {} pods",
                budget.namespace, budget.name, pod.pod, budget.desired_healthy, budget.expected_pods
            );
            blocked(Rule::PodBudgetNeverAllows, format!("{}/{}", budget.namespace, budget.name), why)
        }),
        [first, second, ..] => {
            let why = format!(
                "pod {} is covered by the disruption budgets {} and {}; the API server then refuses every eviction",
                pod.pod, first.name, second.name
            );
            Some(blocked(Rule::ManyPodBudgets, &pod.pod, why))
        }
    }
}

/// Nodes that a plan takes or has taken out of service and has not given back. Rescues do not count: their nodes die anyway.
pub fn in_disruption<'a>(open: impl IntoIterator<Item = &'a PlanRecord>) -> BTreeSet<NodeName> {
    open.into_iter()
        .filter(|record| record.progress.outcome.is_none() && record.plan.kind != PlanKind::Rescue)
        .flat_map(|record| &record.plan.steps)
        .filter_map(|step| match &step.action {
            Action::Cordon { node } | Action::Drain { node, .. } | Action::Terminate { node } => Some(node.name.clone()),
            Action::LaunchNode { .. }
            | Action::AwaitReady { .. }
            | Action::Uncordon { .. }
            | Action::RemoveNode { .. }
            | Action::Scale { .. }
            | Action::PatchRequests { .. }
            | Action::AwaitRollOut { .. }
            | Action::TerminateGhost { .. }
            | Action::DeleteVolume { .. }
            | Action::Resize { .. }
            | Action::CompleteLifecycle { .. } => None,
        })
        .collect()
}

#[cfg(test)]
mod tests;
