//! The ledger: a plan's record in memory, what of it is not written yet, and the writes.

use crate::drive::Driven;
use crate::perform::Attempt;
use crate::ports::{Ports, Trouble};
use crate::tell;
use domain::audit::AuditRow;
use domain::plan::action::{Action, Which};
use domain::plan::check::Blocked;
use domain::plan::{Effect, Event, Next, Outcome, PlanRecord, Status};
use domain::ports::{Change, StoreError};
use domain::{SignedDuration, Timestamp};
use tracing::{error, info, warn};

/// A record with its unwritten changes.
pub(super) struct Ledger<'a> {
    ports: &'a Ports,
    record: PlanRecord,
    audit: Vec<AuditRow>,
    /// Whether something is unwritten that the next worker needs.
    dirty: bool,
}

impl<'a> Ledger<'a> {
    pub(super) fn new(ports: &'a Ports, record: PlanRecord) -> Self {
        Ledger { ports, record, audit: Vec::new(), dirty: false }
    }

    pub(super) fn record(&self) -> &PlanRecord {
        &self.record
    }

    pub(super) fn next(&self, now: Timestamp) -> Next {
        self.record.progress.next(&self.record.plan, now)
    }

    pub(super) fn status(&self, step: usize) -> Option<&Status> {
        self.record.progress.steps.get(step).map(|s| &s.status)
    }

    pub(super) fn action(&self, step: usize) -> Option<&Action> {
        self.record.plan.steps.get(step).map(|s| &s.action)
    }

    /// Folds an event in. One that does not fit is our own bug: it is told, and the step keeps its status.
    pub(super) fn apply(&mut self, step: usize, event: Event, now: Timestamp) {
        match self.record.progress.apply(step, event, now) {
            Ok(()) => self.dirty = true,
            Err(illegal) => error!(plan.id = %self.record.plan.key, %illegal, "The step machine refused an event"),
        }
    }

    pub(super) fn unwind(&mut self, outcome: Outcome) {
        self.record.progress.unwinding = Some(outcome);
        self.dirty = true;
    }

    /// Stops the plan for what the safety check says: the reasons stand in its record.
    pub(super) fn stop(&mut self, notes: Vec<Blocked>) {
        let why = notes.iter().map(ToString::to_string).collect::<Vec<_>>().join("; ");
        self.record.progress.blocked = notes;
        self.unwind(Outcome::Cancelled { why: format!("the safety check stopped it: {why}") });
    }

    /// What a waiting step has learnt. The first round of a drain is worth a write of its own, and so are deletions: the record
    /// tells people how many pods left how. The rest rides with the next write.
    pub(super) fn learn(&mut self, step: usize, effect: Effect) {
        let before = self.record.progress.steps.get(step).map(|s| s.effect.clone());
        let deleted = |e: &Effect| match e {
            Effect::Drained { deleted, .. } => Some(*deleted),
            Effect::None
            | Effect::Launching { .. }
            | Effect::Launched { .. }
            | Effect::Ready { .. }
            | Effect::Scaled { .. }
            | Effect::WasGone => None,
        };
        let news = before.as_ref().and_then(deleted) != deleted(&effect);
        self.note(step, effect);
        self.dirty |= news;
    }

    /// Notes something that would be a pity, but no harm, to lose: it rides with the next write.
    pub(super) fn note(&mut self, step: usize, effect: Effect) {
        if let Some(state) = self.record.progress.steps.get_mut(step) {
            state.effect = effect;
        }
    }

    pub(super) fn remember(&mut self, step: usize, effect: Effect) {
        self.note(step, effect);
        self.dirty = true;
    }

    pub(super) fn intend(&mut self, step: usize, now: Timestamp) {
        self.apply(step, Event::Started, now);
        self.open_row(step, "do", now);
    }

    pub(super) fn intend_undo(&mut self, step: usize, now: Timestamp) {
        if self.status(step) != Some(&Status::Undoing) {
            self.close_begun(step, "stopped, and to be taken back", now);
            self.apply(step, Event::UndoStarted, now);
            self.open_row(step, "undo", now);
        }
    }

    /// A definite failure: the row of this try is closed, the next try has a generation and a row of its own.
    pub(super) fn next_generation(&mut self, step: usize, effect: Effect, now: Timestamp) {
        self.close_row(step, "do", "no capacity; the next offering is tried", now);
        if let Some(state) = self.record.progress.steps.get_mut(step) {
            state.generation += 1;
        }
        self.remember(step, effect);
        self.open_row(step, "do", now);
    }

    pub(super) fn settle(&mut self, step: usize, event: Event, effect: Option<Effect>, now: Timestamp) {
        let result = match &event {
            Event::Failed(why) | Event::Expired(why) | Event::Skipped(why) | Event::UndoFailed(why) => why.clone(),
            Event::Started | Event::Succeeded | Event::UndoStarted | Event::UndoFinished => "done".to_owned(),
        };
        let action = self.action(step).map(ToString::to_string).unwrap_or_default();
        match &event {
            Event::Failed(why) | Event::Expired(why) => {
                warn!(plan.id = %self.record.plan.key, step.action = %action, why, "A step failed");
            }
            Event::Started | Event::Succeeded | Event::Skipped(_) | Event::UndoStarted | Event::UndoFinished | Event::UndoFailed(_) => {
                info!(plan.id = %self.record.plan.key, step.action = %action, result, "A step ended");
            }
        }
        if let Some(effect) = effect {
            self.remember(step, effect);
        }
        self.close_row(step, "do", &result, now);
        self.apply(step, event, now);
    }

    pub(super) fn settle_undo(&mut self, step: usize, event: Event, now: Timestamp) {
        let result = match &event {
            Event::UndoFailed(why) => why.clone(),
            Event::Started
            | Event::Succeeded
            | Event::Failed(_)
            | Event::Expired(_)
            | Event::Skipped(_)
            | Event::UndoStarted
            | Event::UndoFinished => "taken back".to_owned(),
        };
        self.close_row(step, "undo", &result, now);
        self.apply(step, event, now);
    }

    /// What a worker needs to perform a step.
    pub(super) fn attempt(&self, step: usize) -> Attempt {
        let plan = &self.record.plan;
        let progress = &self.record.progress;
        let state = progress.steps.get(step);
        let awaited = match plan.steps.get(step).map(|s| &s.action) {
            Some(Action::AwaitReady { of: Which::LaunchedBy(launch), .. }) => progress.launched(*launch).map(|(i, _)| i.clone()),
            Some(Action::AwaitReady { of: Which::Instance(instance), .. }) => Some(instance.clone()),
            _ => None,
        };
        Attempt {
            key: plan.key.clone(),
            step,
            action: self.action(step).cloned(),
            generation: state.map_or(0, |s| s.generation),
            effect: state.map(|s| s.effect.clone()).unwrap_or_default(),
            started_at: state.and_then(|s| s.started_at).unwrap_or(plan.created_at),
            awaited,
            node_deadline: progress.node_deadline,
            plan_deadline: plan.deadline,
        }
    }

    /// Closes the row of a step that was begun and is not gone on with.
    fn close_begun(&mut self, step: usize, result: &str, now: Timestamp) {
        if self.status(step) == Some(&Status::Started) {
            self.close_row(step, "do", result, now);
        }
    }

    fn open_row(&mut self, step: usize, what: &str, now: Timestamp) {
        if let Some(row) = self.row(step, what, now) {
            self.audit.push(row);
        }
    }

    fn close_row(&mut self, step: usize, what: &str, result: &str, now: Timestamp) {
        if let Some(mut row) = self.row(step, what, now) {
            row.opened_at = self.record.progress.steps.get(step).and_then(|s| s.started_at).unwrap_or(now);
            row.closed_at = Some(now);
            row.result = Some(result.to_owned());
            // A row that was opened and not yet written is written closed.
            self.audit.retain(|other| other.id != row.id);
            self.audit.push(row);
        }
    }

    fn row(&self, step: usize, what: &str, now: Timestamp) -> Option<AuditRow> {
        let action = self.action(step).filter(|a| a.mutates())?;
        Some(row(&self.record, step, action, what, now))
    }

    /// Writes what is unwritten, in one conditional write.
    pub(super) async fn save(&mut self) -> Result<(), Trouble> {
        if !self.dirty {
            return Ok(());
        }
        let now = self.ports.clock.now();
        self.record.progress.version += 1;
        self.record.progress.due_at = due_at(&self.record, now);
        let change = Change {
            progress: self.record.progress.clone(),
            audit: std::mem::take(&mut self.audit),
            spot_event: self.record.progress.spot_event.clone().filter(|_| self.record.progress.outcome.is_some()),
        };
        let key = &self.record.plan.key;
        match self.ports.journal.record(key, &change).await {
            Ok(()) => {}
            // It may have been written: read back, and go on only if what stands there is ours.
            Err(StoreError::Ambiguous(why)) => match self.ports.journal.load(key).await? {
                Some(stored) if stored.progress == change.progress => {}
                _ => return Err(Trouble::Store(StoreError::Ambiguous(why))),
            },
            Err(other) => return Err(other.into()),
        }
        self.dirty = false;
        Ok(())
    }

    /// Ends the plan.
    pub(super) async fn finish(&mut self, outcome: Outcome) -> Result<Driven, Trouble> {
        let now = self.ports.clock.now();
        close_spot_event(&mut self.record, &outcome, now);
        for step in 0..self.record.plan.steps.len() {
            self.close_begun(step, "not gone on with: the plan ended", now);
        }
        self.record.progress.outcome = Some(outcome.clone());
        self.dirty = true;
        self.save().await?;
        let (word, why) = words(&outcome);
        self.ports.meter.count("plans_finished", word);
        match &outcome {
            Outcome::Parked { .. } => error!(plan.id = %self.record.plan.key, why, "A plan is parked: a person must look"),
            Outcome::Succeeded | Outcome::RolledBack { .. } | Outcome::Cancelled { .. } | Outcome::Expired { .. } => {
                info!(plan.id = %self.record.plan.key, plan.outcome = word, why, "A plan ended");
            }
        }
        tell::ended(self.ports, &self.record).await?;
        Ok(Driven::Finished(outcome))
    }

    /// Ends a plan that cannot be driven at all.
    pub(super) async fn close(mut self, outcome: Outcome) -> Result<Driven, Trouble> {
        match self.finish(outcome).await {
            Err(Trouble::Store(StoreError::Conflict)) => Ok(Driven::Overtaken),
            other => other,
        }
    }
}

/// The audit row of one intent.
pub(super) fn row(record: &PlanRecord, step: usize, action: &Action, what: &str, now: Timestamp) -> AuditRow {
    let generation = record.progress.steps.get(step).map_or(0, |s| s.generation);
    AuditRow {
        plan: record.plan.key.clone(),
        id: format!("{step:02}-{what}-{generation}"),
        action: if what == "undo" { format!("take back: {action}") } else { action.to_string() },
        asked_by: record.plan.requested_by.clone(),
        opened_at: now,
        closed_at: None,
        result: None,
    }
}

/// The word and the sentence of an outcome.
pub(super) fn words(outcome: &Outcome) -> (&'static str, &str) {
    match outcome {
        Outcome::Succeeded => ("succeeded", ""),
        Outcome::RolledBack { why } => ("rolled_back", why),
        Outcome::Cancelled { why } => ("cancelled", why),
        Outcome::Expired { why } => ("expired", why),
        Outcome::Parked { why } => ("parked", why),
    }
}

/// When the sweeper should look if nobody has written since: after the longest wait that can be going on, and some.
pub(super) fn due_at(record: &PlanRecord, now: Timestamp) -> Timestamp {
    let slack = SignedDuration::from_secs(45);
    let mut due = now + SignedDuration::from_secs(60);
    for (step, state) in record.plan.steps.iter().zip(&record.progress.steps) {
        if state.status == Status::Started
            && let Action::AwaitReady { within_s, .. } = &step.action
        {
            due = due.max(state.started_at.unwrap_or(now) + SignedDuration::from_secs(i64::from(*within_s)));
        }
    }
    if let Some(deadline) = record.progress.node_deadline {
        due = if deadline > now { due.max(deadline) } else { due };
    }
    due + slack
}

fn close_spot_event(record: &mut PlanRecord, outcome: &Outcome, now: Timestamp) {
    let replacement = (0..record.plan.steps.len()).find_map(|s| record.progress.launched(s)).map(|(i, _)| i.clone());
    let drained_at = record.plan.steps.iter().zip(&record.progress.steps).find_map(|(step, state)| {
        (matches!(step.action, Action::Drain { .. }) && state.status == Status::Done).then_some(state.ended_at).flatten()
    });
    let Some(event) = &mut record.progress.spot_event else {
        return;
    };
    let (word, why) = words(outcome);
    event.action_taken =
        if why.is_empty() { format!("{}: {word}", event.action_taken) } else { format!("{}: {word}, {why}", event.action_taken) };
    event.replacement_instance_id = replacement;
    event.drain_duration_s = drained_at.map(|t| t.duration_since(event.received_at).as_secs());
    event.processed_at = Some(now);
}
