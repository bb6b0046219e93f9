//! Laws of the journal.

use super::make::{NOON, cluster_id, customer_id, event, last, new_plan, next, plan_key, row};
use super::{Store, at};
use domain::SignedDuration;
use domain::operation::Operation;
use domain::plan::PlanRecord;
use domain::ports::{Opened, StoreError};
use futures::future::join_all;

pub(super) async fn one_of_forty_racers_opens_a_plan(store: &dyn Store) {
    let key = plan_key("race", "prod", "rescue-1");
    let racers = (0..40).map(|n| {
        let mut new = new_plan(&key, at(NOON));
        new.plan.requested_by = format!("racer {n}");
        new.audit = vec![row(&key, &format!("{n}-do-0"), at(NOON))];
        async move { (store.open(&new).await, new) }
    });
    let results = join_all(racers).await;
    let winners: Vec<_> = results.iter().filter(|(r, _)| matches!(r, Ok(Opened::Created))).map(|(_, new)| new).collect();
    assert_eq!(winners.len(), 1, "a plan has one owner");
    let winner = PlanRecord { plan: winners[0].plan.clone(), progress: winners[0].progress.clone() };
    for (result, _) in &results {
        match result {
            Ok(Opened::Created) => {}
            Ok(Opened::Exists(found)) => assert_eq!(**found, winner, "a loser is shown the winner's plan"),
            // In the way of another transaction: nothing was written, and the caller comes again.
            Err(StoreError::Throttled) => {}
            Err(other) => panic!("a loser is told who won, not {other:?}"),
        }
    }
    assert_eq!(store.load(&key).await.unwrap(), Some(winner));
    assert_eq!(store.audit(&key).await.unwrap(), winners[0].audit, "a loser leaves no audit row");
}

pub(super) async fn one_of_forty_equal_writes_is_taken(store: &dyn Store) {
    let key = plan_key("equal", "prod", "rescue-1");
    let new = new_plan(&key, at(NOON));
    store.open(&new).await.unwrap();
    // Two workers that do the same at the same instant write the same bytes: still only one may go on.
    let change = next(&new.progress);
    let results = join_all((0..40).map(|_| store.record(&key, &change))).await;
    assert_eq!(results.iter().filter(|r| r.is_ok()).count(), 1, "one of equal writes is taken");
    assert!(results.iter().all(|r| matches!(r, Ok(()) | Err(StoreError::Conflict))), "{results:?}");
}

pub(super) async fn a_stale_version_is_refused_and_changes_nothing(store: &dyn Store) {
    let key = plan_key("stale", "prod", "rescue-1");
    let new = new_plan(&key, at(NOON));
    assert_eq!(store.open(&new).await.unwrap(), Opened::Created);
    let first = next(&new.progress);
    store.record(&key, &first).await.unwrap();
    for refused in [next(&new.progress), last(&new.progress), next(&next(&first.progress).progress)] {
        let answer = store.record(&key, &refused).await;
        assert!(matches!(answer, Err(StoreError::Conflict)), "{answer:?}");
    }
    assert!(matches!(
        store
            .record(&key, &{
                let mut zero = first.clone();
                zero.progress.version = 0;
                zero
            })
            .await,
        Err(StoreError::Conflict)
    ));
    assert_eq!(store.load(&key).await.unwrap().unwrap().progress, first.progress);
    let Opened::Exists(found) = store.open(&new).await.unwrap() else { panic!("it is there already") };
    assert_eq!(found.progress, first.progress, "a second notice sees how far the plan is");
}

pub(super) async fn a_plan_that_is_not_there_cannot_be_gone_on_with(store: &dyn Store) {
    let key = plan_key("absent", "prod", "rescue-1");
    assert_eq!(store.load(&key).await.unwrap(), None);
    let change = next(&new_plan(&key, at(NOON)).progress);
    assert!(matches!(store.record(&key, &change).await, Err(StoreError::Conflict)));
    assert_eq!(store.load(&key).await.unwrap(), None);
}

pub(super) async fn rows_and_events_are_written_with_their_plan_or_not_at_all(store: &dyn Store) {
    let key = plan_key("atomic", "prod", "rescue-1");
    let mut new = new_plan(&key, at(NOON));
    new.audit = vec![row(&key, "0-do-0", at(NOON))];
    new.spot_event = Some(event("atomic", "rescue-1", at(NOON)));
    store.open(&new).await.unwrap();

    let mut loser = next(&next(&new.progress).progress);
    loser.audit = vec![row(&key, "1-do-0", at(NOON))];
    loser.spot_event = Some(event("atomic", "never", at(NOON)));
    assert!(store.record(&key, &loser).await.is_err());
    assert_eq!(store.audit(&key).await.unwrap(), new.audit);
    assert_eq!(store.spot_events(&key.customer, None, 10).await.unwrap(), [new.spot_event.clone().unwrap()]);

    let mut winner = last(&new.progress);
    winner.audit = vec![row(&key, "1-do-0", at("2026-11-23T12:00:01Z"))];
    let mut handled = event("atomic", "rescue-1", at(NOON));
    handled.action_taken = "drained".to_owned();
    winner.spot_event = Some(handled.clone());
    store.record(&key, &winner).await.unwrap();
    assert_eq!(store.audit(&key).await.unwrap(), [new.audit[0].clone(), winner.audit[0].clone()], "oldest first");
    assert_eq!(store.spot_events(&key.customer, None, 10).await.unwrap(), [handled], "the event is one and the same");

    let mut foreign = new_plan(&plan_key("atomic", "prod", "rescue-2"), at(NOON));
    foreign.spot_event = Some(event("atomic-2", "rescue-2", at(NOON)));
    assert!(matches!(store.open(&foreign).await, Err(StoreError::Refused(_))), "no customer writes events of another");
    assert_eq!(store.load(&foreign.plan.key).await.unwrap(), None);
}

pub(super) async fn a_row_that_is_closed_takes_the_place_of_the_open_one(store: &dyn Store) {
    let key = plan_key("rows", "prod", "rescue-1");
    let mut new = new_plan(&key, at(NOON));
    new.audit = vec![row(&key, "0-do-0", at(NOON))];
    store.open(&new).await.unwrap();
    let mut closed = row(&key, "0-do-0", at(NOON));
    closed.closed_at = Some(at("2026-11-23T12:00:02Z"));
    closed.result = Some("done".to_owned());
    let mut change = next(&new.progress);
    // Opened and closed since the last write: the later one counts.
    change.audit = vec![row(&key, "0-do-0", at(NOON)), closed.clone()];
    store.record(&key, &change).await.unwrap();
    assert_eq!(store.audit(&key).await.unwrap(), [closed]);
}

pub(super) async fn unfinished_plans_are_due_oldest_first(store: &dyn Store) {
    // Before all other laws' plans, so that the limit cuts among these.
    let start = at("1990-01-01T00:00:00Z");
    let plans: Vec<_> = (0..25_i64)
        .map(|n| (start + SignedDuration::from_millis(n * 7 % 25 * 10), plan_key("due", "prod", &format!("plan-{n}"))))
        .collect();
    for (due_at, key) in &plans {
        store.open(&new_plan(key, *due_at)).await.unwrap();
    }
    let mut sorted = plans.clone();
    sorted.sort();
    let expected: Vec<_> = sorted.iter().map(|(_, key)| key.clone()).collect();
    assert_eq!(store.due(start + SignedDuration::from_millis(240), 25).await.unwrap(), expected);
    assert_eq!(store.due(start + SignedDuration::from_millis(240), 7).await.unwrap(), expected[..7]);
    assert_eq!(store.due(start + SignedDuration::from_millis(100), 100).await.unwrap(), expected[..11], "the instant itself has come");
    assert_eq!(store.due(start - SignedDuration::from_millis(1), 100).await.unwrap(), []);

    // A write moves a plan to its new time.
    let mut moved = next(&store.load(&expected[0]).await.unwrap().unwrap().progress);
    moved.progress.due_at = start + SignedDuration::from_millis(55);
    store.record(&expected[0], &moved).await.unwrap();
    let now = store.due(start + SignedDuration::from_millis(60), 100).await.unwrap();
    assert_eq!(now, [&expected[1..6], &expected[..1], &expected[6..7]].concat());
    for (_, key) in &plans {
        let progress = store.load(key).await.unwrap().unwrap().progress;
        store.record(key, &last(&progress)).await.unwrap();
    }
}

pub(super) async fn a_plan_leaves_the_lists_with_its_outcome(store: &dyn Store) {
    let key = plan_key("ends", "prod", "rescue-1");
    let due = at("1991-01-01T00:00:00Z");
    let new = new_plan(&key, due);
    store.open(&new).await.unwrap();
    assert_eq!(store.due(due, 10).await.unwrap(), std::slice::from_ref(&key));
    let middle = next(&new.progress);
    store.record(&key, &middle).await.unwrap();
    assert_eq!(store.open_plans(&key.customer, &key.cluster).await.unwrap().len(), 1);
    let end = last(&middle.progress);
    store.record(&key, &end).await.unwrap();
    assert_eq!(store.due(due, 10).await.unwrap(), []);
    assert_eq!(store.open_plans(&key.customer, &key.cluster).await.unwrap(), []);
    assert_eq!(store.load(&key).await.unwrap().unwrap().progress, end.progress, "history stays");

    let mut done = new_plan(&plan_key("ends", "prod", "rescue-2"), due);
    done.progress.outcome = end.progress.outcome.clone();
    store.open(&done).await.unwrap();
    assert_eq!(store.due(due, 10).await.unwrap(), []);
    assert_eq!(store.open_plans(&key.customer, &key.cluster).await.unwrap(), []);
}

pub(super) async fn open_plans_are_those_of_one_cluster(store: &dyn Store) {
    let mine = [plan_key("open", "prod", "a"), plan_key("open", "prod", "b")];
    for key in mine.iter().chain(&[plan_key("open", "prod-2", "c"), plan_key("open-2", "prod", "d")]) {
        store.open(&new_plan(key, at(NOON))).await.unwrap();
    }
    let open = store.open_plans(&customer_id("open"), &cluster_id("prod")).await.unwrap();
    assert_eq!(open.iter().map(|record| record.plan.key.clone()).collect::<Vec<_>>(), mine);
}

pub(super) async fn spot_events_are_listed_newest_first_and_paged_by_time(store: &dyn Store) {
    for (id, when) in [("b", "12:00:00.5"), ("a", "12:00:00"), ("c", "12:00:01"), ("d", "12:00:01")] {
        store.put_spot_event(&event("events", id, at(&format!("2026-11-23T{when}Z")))).await.unwrap();
    }
    store.put_spot_event(&event("events-2", "z", at(NOON))).await.unwrap();
    let ids = async |before: Option<&str>, limit| -> Vec<String> {
        let events = store.spot_events(&customer_id("events"), before.map(at), limit).await.unwrap();
        events.into_iter().map(|e| e.event_id).collect()
    };
    assert_eq!(ids(None, 10).await, ["d", "c", "b", "a"]);
    assert_eq!(ids(None, 2).await, ["d", "c"]);
    assert_eq!(ids(Some("2026-11-23T12:00:01Z"), 10).await, ["b", "a"], "the cursor itself is not repeated");
    assert_eq!(ids(Some("2026-11-23T12:00:00Z"), 10).await, Vec::<String>::new());
}

pub(super) async fn a_spot_event_is_recorded_once(store: &dyn Store) {
    let first = event("once", "health#T#other#é", at(NOON));
    store.put_spot_event(&first).await.unwrap();
    let mut again = first.clone();
    again.action_taken = "something else".to_owned();
    again.received_at = at("2026-11-23T13:00:00Z");
    store.put_spot_event(&again).await.unwrap();
    assert_eq!(store.spot_events(&first.customer, None, 10).await.unwrap(), [first]);
}

pub(super) async fn an_operation_is_its_customers_own(store: &dyn Store) {
    let key = plan_key("operations", "prod", "drain-1");
    let operation = Operation { id: "op 1#".to_owned(), kind: "drain".to_owned(), plan: key.clone(), created_at: at(NOON) };
    let mut new = new_plan(&key, at(NOON));
    new.operation = Some(operation.clone());
    store.open(&new).await.unwrap();
    assert_eq!(store.operation(&key.customer, "op 1#").await.unwrap(), Some(operation));
    assert_eq!(store.operation(&key.customer, "op 1").await.unwrap(), None);
    assert_eq!(store.operation(&customer_id("operations-2"), "op 1#").await.unwrap(), None);
}
