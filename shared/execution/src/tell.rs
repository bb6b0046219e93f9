//! What people are told of plans and interruptions.
//!
//! # Guarantees
//! An end is told after it is written, and whoever dies in between is followed by the same message, which finds the plan ended and
//! tells it: at least once. Ids are made of the plan and of what happened to it, so that a receiver's lane takes each of them once.
//! Nothing is told before the first acts of a rescue are done: people can wait, the node cannot.

use crate::ports::{Ports, Trouble};
use domain::optimization::Proposal;
use domain::plan::{Action, Outcome, Plan, PlanKind, PlanRecord, Status};
use domain::ports::{Moment, Notice};
use domain::workload::Resize;
use domain::{Timestamp, finding::FindingKind};

/// How many objects or failures a notice names; the plan has them all.
const NAMED_MAX: usize = 20;

/// Tells that a rescue is under way, and no more: its end is told by whoever reaches it.
pub(crate) async fn begun(ports: &Ports, record: &PlanRecord) -> Result<(), Trouble> {
    match &record.progress.outcome {
        Some(_) => ended(ports, record).await,
        None => Ok(ports.notices.tell(&warned(&record.plan, ports.clock.now())).await?),
    }
}

/// Tells the end of a plan: of a rescue also that it was, since it may be over before anybody could say so.
pub(crate) async fn ended(ports: &Ports, record: &PlanRecord) -> Result<(), Trouble> {
    let Some(outcome) = &record.progress.outcome else {
        return Ok(());
    };
    let now = ports.clock.now();
    if record.plan.kind == PlanKind::Rescue {
        ports.notices.tell(&warned(&record.plan, now)).await?;
    }
    Ok(ports.notices.tell(&end(record, outcome, now)).await?)
}

/// Tells that a proposal waits for a person.
pub(crate) async fn waits(ports: &Ports, proposal: &Proposal, until: Timestamp) -> Result<(), Trouble> {
    let plan = &proposal.plan;
    let sentences = vec![
        format!("Plan {} waits for approval until {until}: {}", plan.key.plan, plan.reason),
        format!("It would save {} per hour.", plan.expected_saving),
    ];
    let whose = (&plan.key.customer, &plan.key.cluster);
    let about = (plan.key.plan.as_str(), plan.created_at);
    Ok(ports.notices.tell(&Notice::new(whose, ("proposal", Moment::Alert), about, sentences, ports.clock.now())).await?)
}

fn warned(plan: &Plan, now: Timestamp) -> Notice {
    let whose = (&plan.key.customer, &plan.key.cluster);
    let node = node_of(plan);
    let said = vec![format!("A rescue of node {node} is under way: {}.", plan.reason), format!("Plan {}.", plan.key.plan)];
    Notice::new(whose, ("interruption", Moment::Detected), (&node, plan.created_at), said, now)
}

/// The notice of an end.
pub fn end(record: &PlanRecord, outcome: &Outcome, now: Timestamp) -> Notice {
    let plan = &record.plan;
    let (what, subject) = subject(plan);
    let moment = match outcome {
        Outcome::Parked { .. } => Moment::Alert,
        Outcome::Succeeded | Outcome::RolledBack { .. } | Outcome::Cancelled { .. } | Outcome::Expired { .. } => Moment::After,
    };
    let whose = (&plan.key.customer, &plan.key.cluster);
    Notice::new(whose, (what, moment), (&subject, plan.created_at), sentences(record, outcome), now)
}

/// What a plan is about, in the words of notices. Those of the scanner are called as the scanner calls them, so that it and the
/// executor tell one thing and not two.
fn subject(plan: &Plan) -> (&'static str, String) {
    match plan.kind {
        PlanKind::Rescue => ("interruption", node_of(plan)),
        PlanKind::Ghost => (FindingKind::Ghost.as_str(), scanned(plan)),
        PlanKind::ZombieVolume => (FindingKind::ZombieVolume.as_str(), scanned(plan)),
        PlanKind::Sleep | PlanKind::Wake => ("office-hours", plan.key.plan.to_string()),
        PlanKind::Drain
        | PlanKind::Cordon
        | PlanKind::Uncordon
        | PlanKind::Scale
        | PlanKind::LaunchHook
        | PlanKind::SpotOptimize
        | PlanKind::BinPack
        | PlanKind::Rightsize
        | PlanKind::ResizeWorkload
        | PlanKind::RemedyOom => ("plan", plan.key.plan.to_string()),
    }
}

/// The node that a plan drains, or the plan's own name.
fn node_of(plan: &Plan) -> String {
    let node = plan.steps.iter().find_map(|step| {
        if let Action::Cordon { node } | Action::Drain { node, .. } | Action::RemoveNode { node } | Action::Terminate { node } =
            &step.action
        {
            Some(node)
        } else {
            None
        }
    });
    node.map_or_else(|| plan.key.plan.to_string(), |node| node.name.to_string())
}

/// The instance or the volume that a plan of the scanner ends.
fn scanned(plan: &Plan) -> String {
    let id = plan.steps.iter().find_map(|step| {
        if let Action::TerminateGhost { instance, .. } = &step.action {
            Some(instance.to_string())
        } else if let Action::DeleteVolume { volume, .. } = &step.action {
            Some(volume.to_string())
        } else {
            None
        }
    });
    id.unwrap_or_else(|| plan.key.plan.to_string())
}

fn sentences(record: &PlanRecord, outcome: &Outcome) -> Vec<String> {
    let plan = &record.plan;
    let first = match outcome {
        Outcome::Succeeded => format!("Plan {} has ended well: {}", plan.key.plan, plan.reason),
        Outcome::RolledBack { why } => format!("Plan {} was taken back: {why}", plan.key.plan),
        Outcome::Cancelled { why } => format!("Plan {} was cancelled: {why}", plan.key.plan),
        Outcome::Expired { why } => format!("Plan {} has expired: {why}", plan.key.plan),
        Outcome::Parked { why } => format!("Plan {} needs a person, it can neither go on nor be taken back: {why}", plan.key.plan),
    };
    let replacement = (0..plan.steps.len()).find_map(|step| record.progress.launched(step));
    let launched = replacement.map(|(instance, _)| format!("{instance} was launched in its place."));
    let resized = plan.steps.iter().zip(&record.progress.steps).filter(|(_, state)| state.status == Status::Done);
    let resized = resized.filter_map(|(step, _)| {
        if let Action::Resize { target, resize } = &step.action { Some(size(&target.to_string(), resize)) } else { None }
    });
    let failed = plan.steps.iter().zip(&record.progress.steps).filter_map(|(step, state)| {
        if let Status::Failed(why) | Status::Stuck(why) = &state.status { Some(format!("Failed: {}: {why}", step.action)) } else { None }
    });
    let all = std::iter::once(first).chain(launched).chain(failed.take(NAMED_MAX)).chain(resized.take(NAMED_MAX));
    all.collect()
}

fn size(target: &str, resize: &Resize) -> String {
    let to = resize.to.map_or_else(|| "unpaused".to_owned(), |to| to.to_string());
    match resize.note {
        Some(_) => format!("{target} sleeps, at {to}."),
        None => format!("{target} is up again, at {to}."),
    }
}
