//! What comes next: the whole policy of the executor in one pure function.

use super::{Outcome, Progress, Status, Urgency};
use crate::plan::action::{Action, Undo, Which};
use crate::plan::{OnFailure, Plan};
use jiff::Timestamp;

/// What to do now.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Next {
    /// Perform these steps; they may run side by side. Steps that are begun already are among them: a worker that has not
    /// got them in hand takes them up again.
    Run(Vec<usize>),
    /// Take this step back.
    Undo(usize),
    /// This step can never be begun: mark it skipped, with the reason.
    Skip(usize, String),
    /// Something failed: note that all is to be taken back, then ask again.
    Unwind(Outcome),
    /// It is over.
    Finished(Outcome),
}

/// Whether a step may begin.
enum Gate {
    Open,
    Wait,
    Never(usize),
}

impl Progress {
    /// What comes next. Leads to an end for every plan: every answer moves a status forward, except `Run` of a begun step,
    /// and each action has a bound of its own.
    pub fn next(&self, plan: &Plan, now: Timestamp) -> Next {
        if let Some(outcome) = &self.outcome {
            return Next::Finished(outcome.clone());
        }
        if let Some(outcome) = &self.unwinding {
            return self.unwind(plan, outcome);
        }
        match self.on_failure(plan) {
            OnFailure::Forward => self.forward(plan),
            OnFailure::Unwind => match self.reason_to_unwind(plan, now) {
                Some(outcome) => Next::Unwind(outcome),
                None => self.forward(plan),
            },
        }
    }

    /// A forced plan goes forward whatever it was made for: the instance dies in any case. So does one behind its point of no
    /// return: to end the replacement of a node that has been ended would leave neither.
    fn on_failure(&self, plan: &Plan) -> OnFailure {
        match self.urgency {
            Urgency::Forced => OnFailure::Forward,
            Urgency::Normal if self.past_return(plan) => OnFailure::Forward,
            Urgency::Normal => plan.on_failure,
        }
    }

    /// Whether a step that cannot be taken back has happened, or may have.
    pub fn past_return(&self, plan: &Plan) -> bool {
        plan.steps.iter().zip(&self.steps).any(|(step, state)| {
            step.action.undo() == Undo::Impossible && (state.status == Status::Started || state.status == Status::Done)
        })
    }

    fn reason_to_unwind(&self, plan: &Plan, now: Timestamp) -> Option<Outcome> {
        for (index, state) in self.steps.iter().enumerate() {
            let name = || describe(plan, index);
            match &state.status {
                Status::Failed(why) | Status::Skipped(why) => return Some(Outcome::RolledBack { why: format!("{}: {why}", name()) }),
                Status::Expired(why) => return Some(Outcome::Expired { why: format!("{}: {why}", name()) }),
                Status::Pending | Status::Started | Status::Done | Status::Undoing | Status::Undone | Status::Stuck(_) => {}
            }
        }
        let open = self.steps.iter().any(|s| !s.status.settled());
        (open && now > plan.deadline)
            .then(|| Outcome::Expired { why: format!("its deadline {} passed before all steps were done", plan.deadline) })
    }

    /// Takes back the last step that may have had an effect; what cannot be taken back stays as it is.
    fn unwind(&self, plan: &Plan, outcome: &Outcome) -> Next {
        for (index, state) in self.steps.iter().enumerate().rev() {
            let undo = plan.steps.get(index).map_or(Undo::Nothing, |s| s.action.undo());
            match state.status {
                Status::Undoing => return Next::Undo(index),
                Status::Started | Status::Done | Status::Failed(_) | Status::Expired(_) if undo != Undo::Impossible => {
                    return Next::Undo(index);
                }
                Status::Started
                | Status::Done
                | Status::Failed(_)
                | Status::Expired(_)
                | Status::Pending
                | Status::Skipped(_)
                | Status::Undone
                | Status::Stuck(_) => {}
            }
        }
        Next::Finished(self.stuck(plan).unwrap_or_else(|| outcome.clone()))
    }

    fn forward(&self, plan: &Plan) -> Next {
        let mut run = Vec::new();
        for (index, (step, state)) in plan.steps.iter().zip(&self.steps).enumerate() {
            match &state.status {
                Status::Started => run.push(index),
                Status::Undoing => return Next::Undo(index),
                Status::Pending => match self.gate(&step.after, &step.after_unless_forced) {
                    Gate::Open => run.push(index),
                    Gate::Wait => {}
                    Gate::Never(dep) => {
                        let needed = plan.steps.get(dep).map(|s| s.action.to_string()).unwrap_or_default();
                        return Next::Skip(index, format!("{needed:?}, which it needs, was not done"));
                    }
                },
                Status::Failed(_) | Status::Expired(_) => {
                    if let Some(orphan) = self.orphan(&step.action) {
                        return Next::Undo(orphan);
                    }
                }
                Status::Done | Status::Skipped(_) | Status::Undone | Status::Stuck(_) => {}
            }
        }
        if run.is_empty() { Next::Finished(self.verdict(plan)) } else { Next::Run(run) }
    }

    fn gate(&self, hard: &[usize], soft: &[usize]) -> Gate {
        let soft = match self.urgency {
            Urgency::Normal => soft,
            Urgency::Forced => &[],
        };
        let mut gate = Gate::Open;
        for dep in hard.iter().chain(soft) {
            match self.steps.get(*dep).map(|s| &s.status) {
                Some(Status::Done) => {}
                Some(Status::Pending | Status::Started) => gate = Gate::Wait,
                Some(Status::Failed(_) | Status::Expired(_) | Status::Skipped(_) | Status::Undoing | Status::Undone | Status::Stuck(_))
                | None => return Gate::Never(*dep),
            }
        }
        gate
    }

    /// A launched instance that did not become a node has no owner: going forward, too, it is taken back.
    fn orphan(&self, failed: &Action) -> Option<usize> {
        let Action::AwaitReady { of: Which::LaunchedBy(launch), .. } = failed else {
            return None;
        };
        self.steps.get(*launch).is_some_and(|s| s.status == Status::Done).then_some(*launch)
    }

    fn stuck(&self, plan: &Plan) -> Option<Outcome> {
        self.steps.iter().enumerate().find_map(|(index, state)| match &state.status {
            Status::Stuck(why) => Some(Outcome::Parked { why: format!("could not take back {:?}: {why}", describe(plan, index)) }),
            Status::Pending
            | Status::Started
            | Status::Done
            | Status::Failed(_)
            | Status::Expired(_)
            | Status::Skipped(_)
            | Status::Undoing
            | Status::Undone => None,
        })
    }

    /// How a plan ended that went forward: stuck and failed steps need a person, expired ones are told as they are.
    fn verdict(&self, plan: &Plan) -> Outcome {
        if let Some(parked) = self.stuck(plan) {
            return parked;
        }
        let mut expired = None;
        for (index, state) in self.steps.iter().enumerate() {
            match &state.status {
                Status::Failed(why) => return Outcome::Parked { why: format!("{}: {why}", describe(plan, index)) },
                Status::Expired(why) => {
                    expired.get_or_insert_with(|| Outcome::Expired { why: format!("{}: {why}", describe(plan, index)) });
                }
                Status::Pending
                | Status::Started
                | Status::Done
                | Status::Skipped(_)
                | Status::Undoing
                | Status::Undone
                | Status::Stuck(_) => {}
            }
        }
        expired.unwrap_or(Outcome::Succeeded)
    }
}

fn describe(plan: &Plan, index: usize) -> String {
    plan.steps.get(index).map(|s| s.action.to_string()).unwrap_or_default()
}
