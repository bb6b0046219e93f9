use super::*;
use crate::ids::{ClusterId, CustomerId, PlanId};
use crate::money::MicroDollars;
use crate::node::{NodeTarget, NodeTemplate};
use crate::offering::{CapacityType, Pool};
use crate::plan::action::{Care, Which};
use crate::plan::{Action, OnFailure, PlanKey, PlanKind, Step};
use crate::policy::AtDeadline;
use jiff::SignedDuration;

mod enumeration;

fn at(second: i64) -> Timestamp {
    Timestamp::from_second(1_773_500_000 + second).unwrap()
}

fn target() -> NodeTarget {
    NodeTarget { name: NodeName::parse("node").unwrap(), uid: None, instance: InstanceId::parse("i-12345678").unwrap(), taints: Vec::new() }
}

fn offering() -> Offering {
    Offering {
        pool: Pool {
            instance_type: "m6i.large".to_owned().try_into().unwrap(),
            zone: "us-east-1a".to_owned().try_into().unwrap(),
            capacity: CapacityType::Spot,
        },
        subnet: "subnet-1".to_owned().try_into().unwrap(),
        price_per_hour: None,
    }
}

/// An action by its initial: Launch, Await what step `of` launched, Cordon, Drain, Terminate.
pub(in crate::plan) fn action(initial: char, of: usize) -> Action {
    match initial {
        'L' => Action::LaunchNode {
            template: Box::new(NodeTemplate::LaunchTemplate { id: "lt-1".to_owned(), version: "1".to_owned() }),
            offerings: vec![offering()],
            replaces: None,
        },
        'A' => Action::AwaitReady { of: Which::LaunchedBy(of), within_s: 900 },
        'C' => Action::Cordon { node: target() },
        'D' => Action::Drain { node: target(), care: Care::Dying, at_deadline: AtDeadline::Delete },
        'T' => Action::Terminate { node: target() },
        other => panic!("{other} is no action"),
    }
}

pub(in crate::plan) fn step(action: Action, after: &[usize]) -> Step {
    Step { action, after: after.to_vec(), after_unless_forced: Vec::new() }
}

/// A plan of these steps that is taken back when one fails. Its deadline is [`at`] 1000.
pub(in crate::plan) fn plan_of(steps: Vec<Step>) -> Plan {
    Plan {
        key: PlanKey {
            customer: CustomerId::parse("customer").unwrap(),
            cluster: ClusterId::parse("cluster").unwrap(),
            plan: PlanId::parse("plan").unwrap(),
        },
        kind: PlanKind::Drain,
        reason: "a test".to_owned(),
        requested_by: "a test".to_owned(),
        created_at: at(0),
        deadline: at(1000),
        on_failure: OnFailure::Unwind,
        steps,
        expected_saving: MicroDollars::default(),
        evidence: Vec::new(),
        stakes: None,
    }
}

/// Launch, await, cordon once it is ready (unless forced), drain.
fn rescue(on_failure: OnFailure) -> Plan {
    let mut cordon = step(action('C', 0), &[]);
    cordon.after_unless_forced = vec![1];
    let steps = vec![step(action('L', 0), &[]), step(action('A', 0), &[0]), cordon, step(action('D', 0), &[2])];
    Plan { on_failure, ..plan_of(steps) }
}

fn after(plan: &Plan, urgency: Urgency, events: &[(usize, Event)]) -> Progress {
    let mut progress = Progress::new(plan, urgency, None);
    for (step, event) in events {
        progress.apply(*step, event.clone(), at(1)).unwrap();
    }
    progress
}

fn failed() -> Event {
    Event::Failed("no".to_owned())
}

const STATUSES: fn() -> [Status; 9] = || {
    let why = || "no".to_owned();
    [
        Status::Pending,
        Status::Started,
        Status::Done,
        Status::Failed(why()),
        Status::Expired(why()),
        Status::Skipped(why()),
        Status::Undoing,
        Status::Undone,
        Status::Stuck(why()),
    ]
};

const EVENTS: fn() -> [Event; 8] = || {
    let why = || "no".to_owned();
    [
        Event::Started,
        Event::Succeeded,
        Event::Failed(why()),
        Event::Expired(why()),
        Event::Skipped(why()),
        Event::UndoStarted,
        Event::UndoFinished,
        Event::UndoFailed(why()),
    ]
};

#[test]
fn every_transition_that_is_not_in_the_table_is_refused_and_changes_nothing() {
    // By place in STATUSES and EVENTS: from, event, to.
    let table = [
        (0, 0, 1),
        (1, 0, 1),
        (1, 1, 2),
        (1, 2, 3),
        (1, 3, 4),
        (0, 4, 5),
        (1, 5, 6),
        (2, 5, 6),
        (3, 5, 6),
        (4, 5, 6),
        (6, 5, 6),
        (6, 6, 7),
        (6, 7, 8),
    ];
    let plan = plan_of(vec![step(action('C', 0), &[])]);
    for (from, status) in STATUSES().into_iter().enumerate() {
        for (which, event) in EVENTS().into_iter().enumerate() {
            let wanted = table.iter().find(|(f, e, _)| (*f, *e) == (from, which)).map(|(_, _, to)| STATUSES()[*to].clone());
            assert_eq!(status.apply(&event), wanted, "{status:?} {event:?}");
            let mut progress = Progress::new(&plan, Urgency::Normal, None);
            progress.steps[0].status = status.clone();
            let before = progress.clone();
            match (progress.apply(0, event.clone(), at(1)), wanted) {
                (Ok(()), Some(to)) => assert_eq!(progress.steps[0].status, to),
                (Err(refused), None) => {
                    assert_eq!(refused, IllegalTransition { step: 0, from: status.clone(), event });
                    assert_eq!(progress, before);
                }
                (result, wanted) => panic!("{status:?}: {result:?} instead of {wanted:?}"),
            }
        }
    }
}

#[test]
fn a_step_that_the_plan_does_not_have_takes_no_event() {
    let plan = plan_of(vec![step(action('C', 0), &[])]);
    assert!(Progress::new(&plan, Urgency::Normal, None).apply(1, Event::Started, at(1)).is_err());
}

#[test]
fn a_step_keeps_the_time_at_which_it_was_first_begun() {
    let plan = plan_of(vec![step(action('C', 0), &[])]);
    let mut progress = Progress::new(&plan, Urgency::Normal, None);
    progress.apply(0, Event::Started, at(1)).unwrap();
    progress.apply(0, Event::Started, at(5)).unwrap();
    progress.apply(0, Event::Succeeded, at(7)).unwrap();
    assert_eq!((progress.steps[0].started_at, progress.steps[0].ended_at), (Some(at(1)), Some(at(7))));
}

#[test]
fn escalation_only_tightens() {
    let plan = plan_of(vec![step(action('C', 0), &[])]);
    let deadlines = [None, Some(at(10)), Some(at(20))];
    for had in [Urgency::Normal, Urgency::Forced] {
        for gets in [Urgency::Normal, Urgency::Forced] {
            for until in deadlines {
                for then in deadlines {
                    let mut progress = Progress::new(&plan, had, until);
                    let before = progress.clone();
                    let changed = progress.escalate(gets, then);
                    assert_eq!(progress.urgency, had.max(gets));
                    assert_eq!(progress.node_deadline, [until, then].into_iter().flatten().min());
                    assert_eq!(changed, progress != before);
                    assert!(!progress.escalate(gets, then), "a second time changes nothing");
                }
            }
        }
    }
}

#[test]
fn an_interruption_does_not_wait_for_the_replacement_and_a_recommendation_does() {
    let plan = rescue(OnFailure::Unwind);
    let mut progress = Progress::new(&plan, Urgency::Normal, None);
    assert_eq!(progress.next(&plan, at(1)), Next::Run(vec![0]));
    progress.escalate(Urgency::Forced, Some(at(120)));
    assert_eq!(progress.next(&plan, at(1)), Next::Run(vec![0, 2]));
}

#[test]
fn a_forced_plan_drains_although_the_launch_failed_and_is_parked() {
    let plan = rescue(OnFailure::Unwind);
    let events = [(0, Event::Started), (2, Event::Started), (0, failed()), (1, Event::Skipped("no".to_owned())), (2, Event::Succeeded)];
    let mut progress = after(&plan, Urgency::Forced, &events);
    assert_eq!(progress.next(&plan, at(1)), Next::Run(vec![3]));
    progress.apply(3, Event::Started, at(2)).unwrap();
    progress.apply(3, Event::Succeeded, at(3)).unwrap();
    assert!(matches!(progress.next(&plan, at(4)), Next::Finished(Outcome::Parked { .. })));
}

#[test]
fn a_replacement_that_never_became_a_node_is_taken_back_even_when_the_plan_goes_forward() {
    let plan = rescue(OnFailure::Forward);
    let events = [(0, Event::Started), (0, Event::Succeeded), (1, Event::Started), (1, failed())];
    assert_eq!(after(&plan, Urgency::Forced, &events).next(&plan, at(1)), Next::Undo(0));
}

#[test]
fn a_plan_past_its_deadline_is_taken_back_and_a_forced_one_goes_on() {
    let plan = rescue(OnFailure::Unwind);
    let begun = [(0, Event::Started)];
    let late = plan.deadline + SignedDuration::from_secs(1);
    assert!(matches!(after(&plan, Urgency::Normal, &begun).next(&plan, late), Next::Unwind(Outcome::Expired { .. })));
    assert_eq!(after(&plan, Urgency::Normal, &begun).next(&plan, plan.deadline), Next::Run(vec![0]));
    assert_eq!(after(&plan, Urgency::Forced, &begun).next(&plan, late), Next::Run(vec![0, 2]));
}

#[test]
fn behind_the_point_of_no_return_nothing_is_taken_back() {
    let plan = plan_of(vec![step(action('L', 0), &[]), step(action('T', 0), &[0]), step(action('T', 0), &[0])]);
    let launched = [(0, Event::Started), (0, Event::Succeeded), (1, Event::Started)];
    let late = plan.deadline + SignedDuration::from_secs(1);
    let mut progress = after(&plan, Urgency::Normal, &launched);
    assert_eq!(progress.next(&plan, late), Next::Run(vec![1, 2]), "the node may be gone: its replacement must not be ended");
    progress.apply(1, Event::Succeeded, at(2)).unwrap();
    progress.apply(2, Event::Started, at(2)).unwrap();
    progress.apply(2, failed(), at(3)).unwrap();
    assert!(matches!(progress.next(&plan, at(4)), Next::Finished(Outcome::Parked { .. })));
}

#[test]
fn a_failed_undo_parks_the_plan_after_the_others_were_taken_back() {
    let plan = plan_of(vec![step(action('L', 0), &[]), step(action('C', 0), &[0])]);
    let events = [(0, Event::Started), (0, Event::Succeeded), (1, Event::Started), (1, failed())];
    let mut progress = after(&plan, Urgency::Normal, &events);
    progress.unwinding = Some(Outcome::RolledBack { why: "no".to_owned() });
    assert_eq!(progress.next(&plan, at(1)), Next::Undo(1));
    progress.apply(1, Event::UndoStarted, at(2)).unwrap();
    progress.apply(1, Event::UndoFailed("no".to_owned()), at(2)).unwrap();
    assert_eq!(progress.next(&plan, at(3)), Next::Undo(0));
    progress.apply(0, Event::UndoStarted, at(3)).unwrap();
    progress.apply(0, Event::UndoFinished, at(3)).unwrap();
    assert!(matches!(progress.next(&plan, at(4)), Next::Finished(Outcome::Parked { .. })));
}
