//! Every small plan, and every state that any course of events can bring it to.
//!
//! A walk asks `next`, gives every possible answer (begun, done, failed, expired, taken back or not, a crash, a result that
//! comes late, an escalation, a cancellation, time passing), and follows each. States are visited once: all answers but a
//! crash raise the rank of the state, so there is no way round in a circle, and every way leads to an end.

use super::*;
use crate::plan::action::Undo;
use crate::plan::check::lint;
use std::collections::HashSet;
use std::rc::Rc;

/// A state of the walk: how far the plan is, and whether its deadline has passed.
#[derive(Clone)]
struct State {
    progress: Progress,
    late: bool,
    log: Option<Rc<Entry>>,
}

/// The last event of a log, and the log before it: states share what they have in common.
#[derive(Debug)]
struct Entry {
    step: usize,
    event: Event,
    before: Option<Rc<Entry>>,
}

struct Walk<'a> {
    plan: &'a Plan,
    seen: HashSet<u64>,
    ends: HashSet<&'static str>,
}

fn code(status: &Status) -> u64 {
    match status {
        Status::Pending => 0,
        Status::Started => 1,
        Status::Done => 2,
        Status::Failed(_) => 3,
        Status::Expired(_) => 4,
        Status::Skipped(_) => 5,
        Status::Undoing => 6,
        Status::Undone => 7,
        Status::Stuck(_) => 8,
    }
}

fn word(outcome: &Outcome) -> &'static str {
    match outcome {
        Outcome::Succeeded => "succeeded",
        Outcome::RolledBack { .. } => "rolled back",
        Outcome::Cancelled { .. } => "cancelled",
        Outcome::Expired { .. } => "expired",
        Outcome::Parked { .. } => "parked",
    }
}

/// Whether the step may have changed the world and has not been taken back.
fn may_have_happened(status: &Status) -> bool {
    (1..=4).contains(&code(status)) || code(status) == 6
}

impl State {
    fn now(&self) -> Timestamp {
        if self.late { at(1001) } else { at(1) }
    }

    fn status(&self, step: usize) -> &Status {
        &self.progress.steps[step].status
    }

    /// All that `next` looks at, reasons aside.
    fn key(&self) -> u64 {
        let unwinding = match &self.progress.unwinding {
            None => 0,
            Some(outcome) => 1 + word(outcome).len() as u64,
        };
        let steps = self.progress.steps.iter().fold(0, |key, step| key << 4 | code(&step.status));
        ((steps << 8 | unwinding) << 1 | u64::from(self.progress.urgency == Urgency::Forced)) << 1 | u64::from(self.late)
    }

    /// Grows with every answer but a crash; bounded. That is the proof that every walk ends.
    fn rank(&self) -> u64 {
        let step = |status: &Status| match code(status) {
            0 => 0,
            1 => 1,
            6 => 3,
            7 | 8 => 4,
            _ => 2,
        };
        self.progress.steps.iter().map(|s| step(&s.status)).sum::<u64>()
            + u64::from(self.progress.unwinding.is_some())
            + u64::from(self.progress.urgency == Urgency::Forced)
            + u64::from(self.late)
    }

    fn with(&self, step: usize, event: Event) -> State {
        let mut next = self.clone();
        next.progress.apply(step, event.clone(), self.now()).unwrap();
        next.log = Some(Rc::new(Entry { step, event, before: self.log.clone() }));
        next
    }

    fn changed(&self, change: impl FnOnce(&mut State)) -> State {
        let mut next = self.clone();
        change(&mut next);
        next
    }
}

impl Walk<'_> {
    fn visit(&mut self, state: &State) {
        if !self.seen.insert(state.key()) {
            return;
        }
        let next = state.progress.next(self.plan, state.now());
        self.laws(state, &next);
        let answers = self.answers(state, &next);
        assert!(matches!(next, Next::Finished(_)) || !answers.is_empty(), "{:?} {next:?} leads nowhere", state.log);
        let disturbed = if matches!(next, Next::Finished(_)) { Vec::new() } else { disturbances(state) };
        for after in answers.iter().chain(&disturbed) {
            assert!(after.rank() > state.rank(), "{:?} does not lead forward from {:?}", after.log, state.log);
            self.visit(after);
        }
    }

    /// What may come of doing what `next` says.
    fn answers(&mut self, state: &State, next: &Next) -> Vec<State> {
        let mut all = Vec::new();
        match next {
            Next::Run(steps) => {
                for step in steps {
                    if *state.status(*step) == Status::Pending {
                        all.push(state.with(*step, Event::Started));
                    } else {
                        let again = state.with(*step, Event::Started);
                        assert_eq!(again.key(), state.key(), "a worker that takes up a begun step changes nothing");
                        all.extend(results().map(|event| state.with(*step, event)));
                    }
                }
            }
            Next::Undo(step) if *state.status(*step) == Status::Undoing => {
                assert_eq!(state.with(*step, Event::UndoStarted).key(), state.key(), "an undo bears repeating");
                all.push(state.with(*step, Event::UndoFinished));
                all.push(state.with(*step, Event::UndoFailed(String::new())));
            }
            Next::Undo(step) => all.push(state.with(*step, Event::UndoStarted)),
            // Reasons are left out of the walk: `next` does not look at them.
            Next::Skip(step, _) => all.push(state.with(*step, Event::Skipped(String::new()))),
            Next::Unwind(outcome) => all.push(state.changed(|s| s.progress.unwinding = Some(outcome.clone()))),
            Next::Finished(outcome) => {
                self.ends.insert(word(outcome));
            }
        }
        all
    }

    fn laws(&self, state: &State, next: &Next) {
        let steps = &self.plan.steps;
        let undo = |step: usize| steps[step].action.undo();
        match next {
            Next::Run(run) => {
                assert!(state.progress.unwinding.is_none(), "nothing runs once unwinding began");
                for (step, of) in state.progress.steps.iter().enumerate() {
                    assert!(of.status != Status::Started || run.contains(&step), "a begun step is taken up again after a crash");
                }
                for step in run.iter().filter(|s| *state.status(**s) == Status::Pending) {
                    let done = |of: &usize| *state.status(*of) == Status::Done;
                    assert!(steps[*step].after.iter().all(done), "{:?}: step {step} before its dependencies", state.log);
                    let waived = state.progress.urgency == Urgency::Forced;
                    assert!(waived || steps[*step].after_unless_forced.iter().all(done), "soft dependencies are waived only when forced");
                }
                assert!(run.iter().all(|s| code(state.status(*s)) <= 1), "only steps that are not settled run");
            }
            Next::Undo(step) => {
                assert!(may_have_happened(state.status(*step)), "only what may have happened is taken back");
                assert_ne!(undo(*step), Undo::Impossible, "what cannot be taken back is left");
                if state.progress.unwinding.is_some() {
                    let later = step + 1..steps.len();
                    assert!(
                        later.into_iter().all(|s| undo(s) == Undo::Impossible || !may_have_happened(state.status(s))),
                        "the last is taken back first"
                    );
                } else {
                    assert!(self.orphaned(state, *step), "going forward, only what nobody would own is taken back");
                }
            }
            Next::Skip(step, _) => {
                assert!(state.progress.unwinding.is_none() && *state.status(*step) == Status::Pending);
            }
            Next::Unwind(outcome) => {
                assert!(state.progress.unwinding.is_none() && state.progress.urgency == Urgency::Normal);
                assert_eq!(self.plan.on_failure, OnFailure::Unwind);
                assert!(matches!(outcome, Outcome::RolledBack { .. } | Outcome::Expired { .. }));
                for step in (0..steps.len()).filter(|s| undo(*s) == Undo::Impossible) {
                    assert!(!(1..=2).contains(&code(state.status(step))), "behind the point of no return nothing is taken back");
                }
            }
            Next::Finished(outcome) => self.end(state, outcome),
        }
    }

    /// Whether an await of this launch failed.
    fn orphaned(&self, state: &State, launch: usize) -> bool {
        self.plan.steps.iter().enumerate().any(|(step, of)| {
            matches!(of.action, Action::AwaitReady { of: Which::LaunchedBy(l), .. } if l == launch)
                && (3..=4).contains(&code(state.status(step)))
        })
    }

    fn end(&self, state: &State, outcome: &Outcome) {
        let all: Vec<u64> = state.progress.steps.iter().map(|s| code(&s.status)).collect();
        let none = |codes: &[u64]| !all.iter().any(|c| codes.contains(c));
        let stuck = !none(&[8]);
        assert!(none(&[6]), "an undo is under way");
        assert!(!stuck || matches!(outcome, Outcome::Parked { .. }), "{:?}: what is stuck needs a person", state.log);
        if let Some(wanted) = &state.progress.unwinding {
            assert!(stuck || outcome == wanted, "an unwinding ends as it was begun");
            for (step, of) in self.plan.steps.iter().enumerate() {
                assert!(
                    of.action.undo() == Undo::Impossible || !may_have_happened(state.status(step)),
                    "{:?}: step {step} is left",
                    state.log
                );
            }
        } else {
            assert!(none(&[0, 1]), "{:?}: it is not over", state.log);
            match outcome {
                Outcome::Succeeded => assert!(all.iter().all(|c| *c == 2), "all was done"),
                Outcome::Parked { why } => assert!(!why.is_empty() && !none(&[3, 8]), "a person must know at what to look"),
                Outcome::Expired { .. } => assert!(!none(&[4]) && none(&[3, 8]), "the world was faster, and nothing failed"),
                Outcome::RolledBack { .. } | Outcome::Cancelled { .. } => panic!("nothing was taken back"),
            }
            for launch in (0..all.len()).filter(|l| all[*l] == 2) {
                assert!(!self.orphaned(state, launch), "{:?}: the instance of step {launch} has no owner", state.log);
            }
        }
        let mut replayed = Progress::new(self.plan, Urgency::Normal, None);
        let log: Vec<&Entry> = std::iter::successors(state.log.as_deref(), |entry| entry.before.as_deref()).collect();
        for entry in log.iter().rev() {
            replayed.apply(entry.step, entry.event.clone(), at(1)).unwrap();
        }
        assert!(replayed.steps.iter().map(|s| &s.status).eq(state.progress.steps.iter().map(|s| &s.status)), "the log is the state");
    }
}

fn results() -> impl Iterator<Item = Event> {
    [Event::Succeeded, Event::Failed(String::new()), Event::Expired(String::new())].into_iter()
}

/// What happens to a plan whatever it does.
fn disturbances(state: &State) -> Vec<State> {
    let mut all = Vec::new();
    if !state.late {
        all.push(state.changed(|s| s.late = true));
    }
    if state.progress.urgency == Urgency::Normal {
        all.push(state.changed(|s| assert!(s.progress.escalate(Urgency::Forced, Some(at(120))))));
        if state.progress.unwinding.is_none() {
            all.push(state.changed(|s| s.progress.unwinding = Some(Outcome::Cancelled { why: String::new() })));
        }
    }
    if state.progress.unwinding.is_some() {
        // Steps that were in hand when it began report how they ended.
        for step in (0..state.progress.steps.len()).filter(|s| *state.status(*s) == Status::Started) {
            all.extend([Event::Succeeded, Event::Failed(String::new())].map(|event| state.with(step, event)));
        }
    }
    all
}

/// The plan of these kinds with the dependencies that `shape` names: a digit of base 3 for every pair, for none, a hard and a
/// soft one. `None`: the linter refuses it.
fn plan(kinds: &[char], mut shape: usize, on_failure: OnFailure) -> Option<Plan> {
    let mut steps = Vec::new();
    let mut launched: Option<usize> = None;
    for (index, kind) in kinds.iter().enumerate() {
        let mut step = step(action(*kind, launched.unwrap_or(usize::MAX)), &[]);
        for dependency in 0..index {
            match shape % 3 {
                0 => {}
                1 => step.after.push(dependency),
                _ => step.after_unless_forced.push(dependency),
            }
            shape /= 3;
        }
        steps.push(step);
        if *kind == 'L' {
            launched = Some(index);
        }
    }
    let plan = Plan { on_failure, ..plan_of(steps) };
    lint(&plan).is_empty().then_some(plan)
}

/// Walks plans of these kinds in all shapes; gives back how many plans and states that were, and how they ended.
fn walk(rows: &[Vec<char>]) -> (usize, usize, HashSet<&'static str>) {
    let (mut plans, mut states, mut ends) = (0, 0, HashSet::new());
    for kinds in rows {
        let pairs = kinds.len() * (kinds.len() - 1) / 2;
        for shape in 0..3_usize.pow(u32::try_from(pairs).unwrap()) {
            for on_failure in [OnFailure::Unwind, OnFailure::Forward] {
                let Some(plan) = plan(kinds, shape, on_failure) else { continue };
                let mut walk = Walk { plan: &plan, seen: HashSet::new(), ends: HashSet::new() };
                // A plan that begins forced is the one that is escalated before anything else happens.
                walk.visit(&State { progress: Progress::new(&plan, Urgency::Normal, None), late: false, log: None });
                plans += 1;
                states += walk.seen.len();
                ends.extend(walk.ends);
            }
        }
    }
    (plans, states, ends)
}

/// All rows of this length over these kinds.
fn rows(kinds: &str, length: usize) -> Vec<Vec<char>> {
    (0..length).fold(vec![Vec::new()], |rows, _| {
        rows.into_iter().flat_map(|row: Vec<char>| kinds.chars().map(move |k| [row.clone(), vec![k]].concat())).collect()
    })
}

#[test]
fn every_plan_of_up_to_three_steps_keeps_the_laws_and_ends() {
    let all: Vec<Vec<char>> = (1..=3).flat_map(|length| rows("LACDT", length)).collect();
    let (plans, states, ends) = walk(&all);
    assert!(plans > 2_000 && states > 1_000_000, "{plans} plans, {states} states");
    assert_eq!(ends.len(), 5, "{ends:?}: there are five ends, and each is reached");
}

#[test]
fn plans_of_four_steps_keep_the_laws_and_end() {
    let all: Vec<Vec<char>> = ["LACD", "LADT", "CDTT"].iter().map(|row| row.chars().collect()).collect();
    let (plans, states, ends) = walk(&all);
    assert!(plans > 2_000 && states > 1_000_000, "{plans} plans, {states} states");
    assert_eq!(ends.len(), 5, "{ends:?}: there are five ends, and each is reached");
}
