//! The executor: asks the step machine, writes the intent, performs, writes the result, asks again.
//!
//! # Guarantees
//! No effect without an intent in the journal. Results are written together with the next intents, in one conditional
//! write. When a condition fails, another worker is ahead: this one stops. Whatever dies between two lines, the next worker
//! finds in the journal what may have happened.
//!
//! # Assumptions
//! Every action bears repeating (see `perform`). Two workers at once do no harm, they only waste work.

use crate::perform::{self, Performed, Scratch};
use crate::ports::{Ports, Site, Trouble};
use crate::{tell, unwind};
use domain::audit::AuditRow;
use domain::plan::{Action, Effect, Event, Next, Outcome, Plan, PlanKey, PlanRecord, Progress, Status};
use domain::ports::StoreError;
use domain::tenant::Halt;
use domain::{SignedDuration, Timestamp};
use futures::StreamExt;
use futures::stream::FuturesUnordered;
use std::collections::{BTreeMap, BTreeSet};
use std::pin::Pin;
use tracing::{Instrument, info, info_span};

mod guard;
mod save;

use guard::Guarded;
use save::Ledger;

/// How a drive ended.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Driven {
    /// The plan is over.
    Finished(Outcome),
    /// Nothing to do for this long; the plan is to be brought back then.
    Rest(SignedDuration),
    /// Another worker is ahead; it brings the plan back.
    Overtaken,
    /// There is no such plan, or its cluster is not registered any more.
    Unknown,
}

/// Loads a plan, drives it, and asks the queue to bring it back where it is not over.
///
/// # Errors
/// [`Trouble`]: the message that asked for this must come back.
pub async fn continue_plan(ports: &Ports, key: &PlanKey, until: Timestamp) -> Result<Driven, Trouble> {
    let Some(record) = ports.journal.load(key).await? else {
        return Ok(Driven::Unknown);
    };
    let span = info_span!("plan", trace.id = record.trace_id());
    let went_on = async {
        let driven = drive(ports, record, None, until).await?;
        info!(plan.id = %key, ?driven, "Went on with a plan");
        Ok(driven)
    };
    went_on.instrument(span).await
}

/// Drives a plan until it is over, rests, or the invocation's time is nearly out.
///
/// # Errors
/// [`Trouble`]: the message that asked for this must come back.
pub async fn drive(ports: &Ports, record: PlanRecord, site: Option<Site>, until: Timestamp) -> Result<Driven, Trouble> {
    drive_from(ports, record, site, None, until).await
}

/// The same, for a plan that has just been opened: the stops were read beside that write, so they need not be read again before
/// the first effect.
pub(crate) async fn drive_from(
    ports: &Ports,
    record: PlanRecord,
    site: Option<Site>,
    stops: Option<Option<Halt>>,
    until: Timestamp,
) -> Result<Driven, Trouble> {
    if let Some(outcome) = &record.progress.outcome {
        // Whoever ended it may have died before it could tell.
        tell::ended(ports, &record).await?;
        return Ok(Driven::Finished(outcome.clone()));
    }
    let key = record.plan.key.clone();
    let site = match site {
        Some(site) => Some(site),
        None => Site::open(ports, &key.customer, &key.cluster).await?,
    };
    let Some(site) = site else {
        let why = "the cluster is not registered any more".to_owned();
        return Ledger::new(ports, record).close(Outcome::Parked { why }).await;
    };
    let driven = Drive { ports, site: &site, ledger: Ledger::new(ports, record), scratch: Scratch::default(), stops, until }.run().await?;
    if let Driven::Rest(pause) = &driven {
        ports.queue.continue_plan(&key, *pause).await?;
    }
    Ok(driven)
}

/// What a step in hand resolves to.
type InHand<'a> = FuturesUnordered<Pin<Box<dyn Future<Output = (usize, Performed)> + Send + 'a>>>;

struct Drive<'a> {
    ports: &'a Ports,
    site: &'a Site,
    ledger: Ledger<'a>,
    scratch: Scratch,
    /// Read with the write that opened the plan; serves the first intents only.
    stops: Option<Option<Halt>>,
    until: Timestamp,
}

/// How long a halted plan rests before the stop is read again.
const HALTED_REST: SignedDuration = SignedDuration::from_secs(15);

impl<'a> Drive<'a> {
    async fn run(mut self) -> Result<Driven, Trouble> {
        match self.turns().await {
            // Somebody else wrote first: never force. What we did is idempotent, and the other worker repeats it.
            Err(Trouble::Store(StoreError::Conflict)) => Ok(Driven::Overtaken),
            other => other,
        }
    }

    async fn turns(&mut self) -> Result<Driven, Trouble> {
        let scratch = std::mem::take(&mut self.scratch);
        let mut in_hand: InHand<'a> = FuturesUnordered::new();
        let mut busy: BTreeSet<usize> = BTreeSet::new();
        let mut resting: BTreeMap<usize, Timestamp> = BTreeMap::new();
        // Each turn settles, starts or rests a step; the bound is far above what any plan needs and guards against our own bugs.
        for _turn in 0..10_000 {
            let now = self.ports.clock.now();
            let mut waiting_undo = None;
            match self.ledger.next(now) {
                Next::Finished(outcome) if in_hand.is_empty() => return self.ledger.finish(outcome).await,
                // A step in hand is `Started`, so a plan with one is not finished; an unwind first lets it settle.
                Next::Finished(_) => {}
                Next::Unwind(outcome) => {
                    self.ledger.unwind(outcome);
                    continue;
                }
                Next::Skip(step, why) => {
                    self.ledger.apply(step, Event::Skipped(why), now);
                    continue;
                }
                Next::Undo(step) if in_hand.is_empty() => waiting_undo = Some(step),
                Next::Undo(_) => {}
                Next::Run(steps) => {
                    let fresh: Vec<usize> =
                        steps.into_iter().filter(|s| !busy.contains(s) && resting.get(s).is_none_or(|t| *t <= now)).collect();
                    if !fresh.is_empty() && now < self.until {
                        if let Some(wake) = self.guarded(&fresh).await? {
                            resting.extend(fresh.into_iter().map(|step| (step, wake)));
                            continue;
                        }
                        for step in &fresh {
                            self.begin(*step, now).await;
                        }
                        if let Some(driven) = self.intend(now).await? {
                            return Ok(driven);
                        }
                        for step in fresh {
                            busy.insert(step);
                            resting.remove(&step);
                            let attempt = self.ledger.attempt(step);
                            let (ports, site, scratch) = (self.ports, self.site, scratch.clone());
                            in_hand.push(Box::pin(async move { (step, perform::perform(ports, site, attempt, scratch).await) }));
                        }
                    }
                }
            }
            if let Some(step) = waiting_undo {
                if let Some(driven) = self.take_back(step, now).await? {
                    return Ok(driven);
                }
                continue;
            }
            let Some((step, performed)) = in_hand.next().await else {
                self.ledger.save().await?;
                let wake = resting.values().min().copied().unwrap_or(now);
                return Ok(Driven::Rest((wake.max(now)).duration_since(now)));
            };
            busy.remove(&step);
            if let Some(wake) = self.fold(step, performed).await {
                resting.insert(step, wake);
            }
        }
        Ok(Driven::Rest(SignedDuration::from_secs(60)))
    }

    /// Asks the safety check; says when to ask again where these steps must not begin now. What it stops is taken back.
    async fn guarded(&mut self, steps: &[usize]) -> Result<Option<Timestamp>, Trouble> {
        match guard::guard(self.ports, self.site, self.ledger.record(), steps).await? {
            Guarded::GoOn => Ok(None),
            Guarded::Wait(until) => Ok(Some(until)),
            Guarded::Stop(notes) => {
                self.ports.meter.count("plans_stopped", "safety_check");
                self.ledger.stop(notes);
                Ok(Some(self.ports.clock.now()))
            }
        }
    }

    /// Marks a step begun, with what its intent must remember.
    async fn begin(&mut self, step: usize, now: Timestamp) {
        if self.ledger.status(step) == Some(&Status::Pending) {
            if let Some(effect) = perform::prepare(self.site, self.ledger.action(step)).await {
                self.ledger.remember(step, effect);
            }
            self.ledger.intend(step, now);
        }
    }

    /// Folds what came of a step; says when to look again where it has to wait.
    async fn fold(&mut self, step: usize, performed: Performed) -> Option<Timestamp> {
        let now = self.ports.clock.now();
        match performed {
            Performed::Done(effect) => self.ledger.settle(step, Event::Succeeded, effect, now),
            Performed::Failed(why) => self.ledger.settle(step, Event::Failed(why), None, now),
            Performed::Expired(why) => self.ledger.settle(step, Event::Expired(why), None, now),
            Performed::Retry { effect } => {
                self.ledger.next_generation(step, effect, now);
                return Some(now);
            }
            Performed::Wait { until, effect } => {
                if let Some(effect) = effect {
                    self.ledger.learn(step, effect);
                }
                return Some(until);
            }
        }
        None
    }

    /// Takes one step back. Returns when that has to wait.
    async fn take_back(&mut self, step: usize, now: Timestamp) -> Result<Option<Driven>, Trouble> {
        if now >= self.until {
            self.ledger.save().await?;
            return Ok(Some(Driven::Rest(SignedDuration::ZERO)));
        }
        if let Some(driven) = self.halted(now).await? {
            return Ok(Some(driven));
        }
        self.ledger.intend_undo(step, now);
        self.ledger.save().await?;
        let undone = unwind::undo(self.ports, self.site, self.ledger.record(), step).await;
        let now = self.ports.clock.now();
        match undone {
            unwind::Undone::Finished => self.ledger.settle_undo(step, Event::UndoFinished, now),
            unwind::Undone::Stuck(why) => self.ledger.settle_undo(step, Event::UndoFailed(why), now),
            unwind::Undone::Wait(until) => return Ok(Some(Driven::Rest(until.max(now).duration_since(now)))),
        }
        Ok(None)
    }

    /// Writes the intents and reads the stops, side by side: nothing is called before both are known.
    async fn intend(&mut self, now: Timestamp) -> Result<Option<Driven>, Trouble> {
        let (ports, key) = (self.ports, self.ledger.record().plan.key.clone());
        let halt = match self.stops.take() {
            Some(halt) => {
                self.ledger.save().await?;
                halt
            }
            None => {
                let (halt, saved) = futures::join!(ports.registry.halted(&key.customer, &key.cluster), self.ledger.save());
                saved?;
                halt?
            }
        };
        self.halt(halt, now).await
    }

    /// Reads the stops.
    async fn halted(&mut self, now: Timestamp) -> Result<Option<Driven>, Trouble> {
        let key = self.ledger.record().plan.key.clone();
        let halt = self.ports.registry.halted(&key.customer, &key.cluster).await?;
        self.halt(halt, now).await
    }

    /// A halted plan rests; one whose deadline has passed meanwhile is parked.
    async fn halt(&mut self, halt: Option<Halt>, now: Timestamp) -> Result<Option<Driven>, Trouble> {
        let Some(halt) = halt else {
            return Ok(None);
        };
        let key = self.ledger.record().plan.key.clone();
        if now > self.ledger.record().plan.deadline {
            let why = format!("stopped by the kill switch for {} ({}) until its deadline had passed", halt.scope, halt.reason);
            return self.ledger.finish(Outcome::Parked { why }).await.map(Some);
        }
        info!(plan.id = %key, halt.scope = %halt.scope, "The kill switch is on; the plan rests");
        self.ledger.save().await?;
        Ok(Some(Driven::Rest(HALTED_REST)))
    }
}

/// Begins the steps that can begin at once, in the very write that creates the plan; returns their audit rows.
pub fn first_intents(plan: &Plan, progress: &mut Progress, now: Timestamp) -> Vec<AuditRow> {
    let Next::Run(steps) = progress.next(plan, now) else {
        return Vec::new();
    };
    for step in &steps {
        if let (Some(Action::LaunchNode { offerings, .. }), Some(state)) =
            (plan.steps.get(*step).map(|s| &s.action), progress.steps.get_mut(*step))
            && let Some(offering) = offerings.first()
        {
            state.effect = Effect::Launching { offering: offering.clone(), index: 0 };
        }
        // A pending step can always be begun.
        let _started = progress.apply(*step, Event::Started, now);
    }
    let record = PlanRecord { plan: plan.clone(), progress: progress.clone() };
    progress.due_at = save::due_at(&record, now);
    steps
        .iter()
        .filter_map(|step| {
            let action = plan.steps.get(*step).map(|s| &s.action).filter(|a| a.mutates())?;
            Some(save::row(&record, *step, action, "do", now))
        })
        .collect()
}
