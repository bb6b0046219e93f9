//! From a wish to a plan: pure. The executor carries the plan out, under the same safety check as everything else.

use domain::finding::Finding;
use domain::ids::PlanId;
use domain::money::MicroDollars;
use domain::node::NodeTarget;
use domain::plan::action::Care;
use domain::plan::check::{Blocked, Rule, Surroundings, lint, may_disrupt};
use domain::plan::{Action, OnFailure, Plan, PlanKey, PlanKind, Step};
use domain::policy::AtDeadline;
use domain::tenant::Cluster;
use domain::workload::WorkloadRef;
use domain::{SignedDuration, Timestamp};

/// How long a drain may take: budgets let pods go one by one.
const DRAIN_WITHIN: SignedDuration = SignedDuration::from_mins(60);
/// How long a single patch may take, with a cluster that does not answer at once.
const PATCH_WITHIN: SignedDuration = SignedDuration::from_mins(5);

/// How long an end may take: the snapshot of a large volume takes its time.
const END_WITHIN: SignedDuration = SignedDuration::from_hours(2);

/// Who asks for what, when, and what the plan will be called.
#[derive(Debug, Clone, Copy)]
pub struct Asked<'a> {
    /// The cluster.
    pub cluster: &'a Cluster,
    /// The plan's id.
    pub plan: &'a PlanId,
    /// The label of the key.
    pub by: &'a str,
    /// Now.
    pub now: Timestamp,
}

impl Asked<'_> {
    fn plan(&self, kind: PlanKind, within: SignedDuration, reason: String, steps: Vec<Step>, evidence: Vec<String>) -> Plan {
        Plan {
            key: PlanKey { customer: self.cluster.customer.clone(), cluster: self.cluster.id.clone(), plan: self.plan.clone() },
            kind,
            reason,
            requested_by: format!("api key {}", self.by),
            created_at: self.now,
            deadline: self.now.checked_add(within).unwrap_or(Timestamp::MAX),
            on_failure: OnFailure::Unwind,
            steps,
            expected_saving: MicroDollars::default(),
            evidence,
            stakes: None,
        }
    }
}

fn first(action: Action) -> Step {
    Step { action, after: Vec::new(), after_unless_forced: Vec::new() }
}

/// Cordons a node and moves its pods away. If that fails, the cordon is taken back.
///
/// `force` is kubectl's: pods that nobody would make anew may be lost. Disruption budgets are never passed over.
pub fn drain(asked: Asked<'_>, node: &NodeTarget, pods: usize, force: bool) -> Plan {
    let care = if force { Care::Dying } else { Care::Voluntary };
    let drain = Action::Drain { node: node.clone(), care, at_deadline: AtDeadline::Leave };
    let steps = vec![first(Action::Cordon { node: node.clone() }), Step { action: drain, after: vec![0], after_unless_forced: Vec::new() }];
    let evidence = vec![format!("Node {} had {pods} pods when this was asked for.", node.name)];
    let how = if force { " by force" } else { "" };
    asked.plan(PlanKind::Drain, DRAIN_WITHIN, format!("A person asked to drain node {}{how}.", node.name), steps, evidence)
}

/// Lets no new pods onto a node.
pub fn cordon(asked: Asked<'_>, node: &NodeTarget) -> Plan {
    let steps = vec![first(Action::Cordon { node: node.clone() })];
    asked.plan(PlanKind::Cordon, PATCH_WITHIN, format!("A person asked to cordon node {}.", node.name), steps, Vec::new())
}

/// Lets new pods onto a node again.
pub fn uncordon(asked: Asked<'_>, node: &NodeTarget) -> Plan {
    let steps = vec![first(Action::Uncordon { node: node.clone() })];
    asked.plan(PlanKind::Uncordon, PATCH_WITHIN, format!("A person asked to uncordon node {}.", node.name), steps, Vec::new())
}

/// Sets the number of replicas of a workload, which has `from` of them now.
pub fn scale(asked: Asked<'_>, workload: &WorkloadRef, from: u32, replicas: u32) -> Plan {
    let steps = vec![first(Action::Scale { workload: workload.clone(), replicas })];
    let evidence = vec![format!("It had {from} replicas when this was asked for.")];
    asked.plan(PlanKind::Scale, PATCH_WITHIN, format!("A person asked to scale {workload} to {replicas}."), steps, evidence)
}

/// Ends what is waste, whoever has not let the scan do it by itself. Everything is looked at again before; only no grace is waited for.
pub fn end_waste(asked: Asked<'_>, kind: PlanKind, action: Action, finding: &Finding) -> Plan {
    let reason = format!("A person asked to end {}.", finding.subject);
    asked.plan(kind, END_WITHIN, reason, vec![first(action)], finding.evidence.clone())
}

/// What speaks against a drain. Force answers for pods that would be lost or ask to be left alone, and for budgets; never for
/// the control plane, a node that is not there, or a malformed plan.
pub fn objections(plan: &Plan, node: &NodeTarget, around: Surroundings<'_>, force: bool) -> Vec<Blocked> {
    let mut notes = lint(plan);
    notes.extend(may_disrupt(&node.name, around).into_iter().filter(|note| !(force && forcible(note.rule))));
    notes
}

fn forcible(rule: Rule) -> bool {
    match rule {
        Rule::DisruptionBudget | Rule::DoNotDisrupt | Rule::PodBudgetNeverAllows | Rule::ManyPodBudgets | Rule::NoController => true,
        Rule::ControlPlane | Rule::NodeUnknown | Rule::Malformed => false,
        // Rules of the optimizer's plans: a person's drain never meets them.
        Rule::NotOurs
        | Rule::NotOursToEnd
        | Rule::HandsOff
        | Rule::PriceUnknown
        | Rule::NoTemplate
        | Rule::Policy
        | Rule::NotWorthIt
        | Rule::SnapshotAge
        | Rule::Window
        | Rule::CoolDown
        | Rule::SpendCap
        | Rule::ClusterUnhealthy
        | Rule::Halted
        | Rule::InAnotherPlan
        | Rule::PodBudgetFull
        | Rule::Outgrown
        | Rule::Autoscaled
        | Rule::Confidence
        | Rule::ManagedElsewhere
        | Rule::RollOut => false,
    }
}

#[cfg(test)]
mod tests;
