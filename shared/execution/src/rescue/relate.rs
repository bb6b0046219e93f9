//! How a notice relates to the rescue that is there already: pure.

use super::decide::Act;
use domain::plan::{Action, Outcome, PlanRecord, Status};

/// What a notice means for an existing rescue.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Relation {
    /// A duplicate: help to finish.
    Help,
    /// It presses harder or tightens the deadline; the record with that written into it.
    Press(Box<PlanRecord>),
    /// All that it asks for is done.
    Over(Outcome),
    /// The existing one cannot serve it: begin the next generation.
    Again,
}

/// Relates.
pub fn relate(existing: &PlanRecord, act: &Act) -> Relation {
    match &existing.progress.outcome {
        Some(outcome) if serves(existing, act) => Relation::Over(outcome.clone()),
        Some(_) => Relation::Again,
        // It is on its way back and will give the node free; what comes now needs a plan of its own.
        None if existing.progress.unwinding.is_some() => Relation::Again,
        None => press(existing, act),
    }
}

fn press(existing: &PlanRecord, act: &Act) -> Relation {
    let mut pressed = existing.clone();
    let escalated = pressed.progress.escalate(act.urgency, act.node_deadline);
    if !escalated {
        return Relation::Help;
    }
    pressed.progress.version += 1;
    if let (Some(event), Some(deadline)) = (&mut pressed.progress.spot_event, pressed.progress.node_deadline) {
        event.deadline = event.deadline.min(deadline);
    }
    Relation::Press(Box::new(pressed))
}

/// Whether an ended rescue did what the new notice asks for: everything it would launch was launched, everything it would
/// drain was drained.
fn serves(existing: &PlanRecord, act: &Act) -> bool {
    let done = |wanted: &str| {
        existing
            .plan
            .steps
            .iter()
            .zip(&existing.progress.steps)
            .any(|(step, state)| step.action.kind() == wanted && state.status == Status::Done)
    };
    let tried = |wanted: &str| existing.plan.steps.iter().any(|step| step.action.kind() == wanted);
    let forward = !matches!(existing.progress.outcome, Some(Outcome::RolledBack { .. } | Outcome::Cancelled { .. }));
    act.steps.iter().all(|step| match &step.action {
        // A rescue that went forward and could not launch is parked for a person; a duplicate must not launch on its own.
        Action::LaunchNode { .. } => done("launch-node") || (forward && tried("launch-node")),
        Action::Drain { .. } => done("drain") || (forward && tried("drain")) || done("remove-node"),
        Action::Cordon { .. } => done("cordon") || (forward && tried("cordon")) || done("remove-node"),
        Action::RemoveNode { .. } => forward && (tried("remove-node") || tried("drain")),
        Action::AwaitReady { .. }
        | Action::Uncordon { .. }
        | Action::Terminate { .. }
        | Action::Scale { .. }
        | Action::PatchRequests { .. }
        | Action::AwaitRollOut { .. }
        | Action::TerminateGhost { .. }
        | Action::DeleteVolume { .. }
        | Action::Resize { .. }
        | Action::CompleteLifecycle { .. } => true,
    })
}

/// Whether a withdrawn notice can still stop the rescue: it is under way and nothing forces it.
pub fn may_withdraw(existing: &PlanRecord) -> bool {
    let forced = existing.progress.urgency == domain::plan::Urgency::Forced;
    existing.progress.outcome.is_none() && existing.progress.unwinding.is_none() && !forced
}
