//! The step machine: how far a plan is, and what comes next. Pure; `execution::drive` does what it says.

use super::Plan;
use super::check::Blocked;
use crate::ids::{InstanceId, NodeName};
use crate::offering::Offering;
use jiff::Timestamp;
use serde::{Deserialize, Serialize};

mod next;

pub use next::Next;

/// What happens to a step. The log of these is folded into a [`Status`].
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Event {
    /// The intent is written; the effect may happen from now on.
    Started,
    /// The effect happened.
    Succeeded,
    /// The effect did not happen, or not wholly.
    Failed(String),
    /// The world was faster: the instance was gone first.
    Expired(String),
    /// The step cannot be begun.
    Skipped(String),
    /// The intent to take it back is written.
    UndoStarted,
    /// It is taken back.
    UndoFinished,
    /// It cannot be taken back by us.
    UndoFailed(String),
}

/// Where a step is.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(rename_all = "kebab-case")]
pub enum Status {
    /// Not begun.
    Pending,
    /// Begun; it may have happened.
    Started,
    /// It happened.
    Done,
    /// It did not, or not wholly.
    Failed(String),
    /// The world was faster.
    Expired(String),
    /// It will not be done.
    Skipped(String),
    /// It is being taken back.
    Undoing,
    /// It is taken back.
    Undone,
    /// A person must look.
    Stuck(String),
}

/// An event that does not fit the status.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("step {step} is {from:?}: {event:?} cannot follow")]
pub struct IllegalTransition {
    /// Index of the step.
    pub step: usize,
    /// Where it is.
    pub from: Status,
    /// What was said to happen.
    pub event: Event,
}

impl Status {
    /// Folds one event into the status. Replaying the log rebuilds the same status. `None`: the event does not fit.
    pub fn apply(&self, event: &Event) -> Option<Status> {
        match (self, event) {
            // `Started` twice is the mark of a crash or a second worker: the action may have happened, so it must bear repeating.
            (Status::Pending | Status::Started, Event::Started) => Some(Status::Started),
            (Status::Started, Event::Succeeded) => Some(Status::Done),
            (Status::Started, Event::Failed(why)) => Some(Status::Failed(why.clone())),
            (Status::Started, Event::Expired(why)) => Some(Status::Expired(why.clone())),
            (Status::Pending, Event::Skipped(why)) => Some(Status::Skipped(why.clone())),
            (Status::Started | Status::Done | Status::Failed(_) | Status::Expired(_) | Status::Undoing, Event::UndoStarted) => {
                Some(Status::Undoing)
            }
            (Status::Undoing, Event::UndoFinished) => Some(Status::Undone),
            (Status::Undoing, Event::UndoFailed(why)) => Some(Status::Stuck(why.clone())),
            _ => None,
        }
    }

    /// Whether nothing more happens to the step unless it is taken back.
    pub fn settled(&self) -> bool {
        match self {
            Status::Pending | Status::Started | Status::Undoing => false,
            Status::Done | Status::Failed(_) | Status::Expired(_) | Status::Skipped(_) | Status::Undone | Status::Stuck(_) => true,
        }
    }
}

/// What a step left behind, or is about to: written with the intent, so that a crash loses nothing.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(tag = "kind", rename_all = "kebab-case")]
pub enum Effect {
    /// Nothing to remember.
    #[default]
    None,
    /// A launch from this offering is being tried; with the generation it fixes the client token.
    Launching {
        /// The offering of this try.
        offering: Offering,
        /// Its place in the plan's list.
        index: usize,
    },
    /// This instance was launched.
    Launched {
        /// The instance.
        instance: InstanceId,
        /// From this offering.
        offering: Offering,
    },
    /// The node of the awaited instance.
    Ready {
        /// Its name.
        node: NodeName,
    },
    /// The drain ended.
    Drained {
        /// Pods that were evicted or had left.
        evicted: u32,
        /// Pods that were deleted at the deadline.
        deleted: u32,
        /// When the last eviction or deletion was accepted.
        last_accepted_at: Option<Timestamp>,
    },
    /// The instance was gone before we ended it, or an earlier try of ours whose answer was lost ended it: nothing is saved by it.
    WasGone,
    /// The number of replicas from before.
    Scaled {
        /// It.
        from: u32,
    },
}

/// How far one step is.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct StepState {
    /// Where it is.
    pub status: Status,
    /// Grows only after a definite failure; part of the client token.
    pub generation: u32,
    /// When it was first begun.
    pub started_at: Option<Timestamp>,
    /// When it ended.
    pub ended_at: Option<Timestamp>,
    /// What it left behind.
    pub effect: Effect,
}

/// How hard a plan is pressed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(rename_all = "kebab-case")]
pub enum Urgency {
    /// There is time to do things one after the other.
    Normal,
    /// The instance goes at the deadline: soft dependencies are not waited for.
    Forced,
}

/// How a plan ended. There is no sixth way.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(tag = "outcome", rename_all = "snake_case")]
pub enum Outcome {
    /// All was done.
    Succeeded,
    /// A step failed, and all that was done is taken back.
    RolledBack {
        /// Which, and why.
        why: String,
    },
    /// Somebody or something stopped it, and all that was done is taken back.
    Cancelled {
        /// Who and why.
        why: String,
    },
    /// Its deadline passed first.
    Expired {
        /// How far it was.
        why: String,
    },
    /// A person must look.
    Parked {
        /// At what.
        why: String,
    },
}

/// How far a plan is: its folded event log, and a version that fences every write.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct Progress {
    /// Grows by one with every write; a write with another expectation is refused.
    pub version: u64,
    /// How hard the plan is pressed. Only grows.
    pub urgency: Urgency,
    /// When the node is gone. Only comes closer.
    pub node_deadline: Option<Timestamp>,
    /// Set once everything is to be taken back: how the plan will have ended then. Never unset.
    pub unwinding: Option<Outcome>,
    /// How far each step is.
    pub steps: Vec<StepState>,
    /// How the plan ended, once it has.
    pub outcome: Option<Outcome>,
    /// What the safety check had against going on, where it stopped the plan.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub blocked: Vec<Blocked>,
    /// The spot event that the plan handles, as last recorded.
    #[serde(default)]
    pub spot_event: Option<crate::spot_event::SpotEvent>,
    /// When the sweeper should look if nobody has written since.
    pub due_at: Timestamp,
}

impl Progress {
    /// A plan that has not begun.
    pub fn new(plan: &Plan, urgency: Urgency, node_deadline: Option<Timestamp>) -> Progress {
        let state = StepState { status: Status::Pending, generation: 0, started_at: None, ended_at: None, effect: Effect::None };
        Progress {
            version: 0,
            urgency,
            node_deadline,
            unwinding: None,
            steps: vec![state; plan.steps.len()],
            outcome: None,
            blocked: Vec::new(),
            spot_event: None,
            due_at: plan.created_at,
        }
    }

    /// Folds an event of one step in.
    ///
    /// # Errors
    /// [`IllegalTransition`] when the event cannot follow: the record is newer than the caller's view of it.
    pub fn apply(&mut self, step: usize, event: Event, now: Timestamp) -> Result<(), IllegalTransition> {
        let illegal = |from: Status, event: Event| IllegalTransition { step, from, event };
        let Some(state) = self.steps.get_mut(step) else {
            return Err(illegal(Status::Pending, event));
        };
        let Some(status) = state.status.apply(&event) else {
            return Err(illegal(state.status.clone(), event));
        };
        if event == Event::Started && state.started_at.is_none() {
            state.started_at = Some(now);
        }
        if status.settled() {
            state.ended_at = Some(now);
        }
        state.status = status;
        Ok(())
    }

    /// The instance that a launch step has launched, if it has.
    pub fn launched(&self, step: usize) -> Option<(&InstanceId, &Offering)> {
        match &self.steps.get(step)?.effect {
            Effect::Launched { instance, offering } => Some((instance, offering)),
            Effect::None
            | Effect::Launching { .. }
            | Effect::Ready { .. }
            | Effect::Drained { .. }
            | Effect::Scaled { .. }
            | Effect::WasGone => None,
        }
    }

    /// Presses harder: the urgency only grows, the deadline only comes closer. Says whether anything changed.
    pub fn escalate(&mut self, urgency: Urgency, node_deadline: Option<Timestamp>) -> bool {
        let before = (self.urgency, self.node_deadline);
        self.urgency = self.urgency.max(urgency);
        self.node_deadline = match (self.node_deadline, node_deadline) {
            (Some(a), Some(b)) => Some(a.min(b)),
            (a, b) => a.or(b),
        };
        before != (self.urgency, self.node_deadline)
    }
}

#[cfg(test)]
pub(super) mod tests;
