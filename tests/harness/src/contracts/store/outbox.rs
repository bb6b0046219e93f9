//! Laws of the outbox.

use super::at;
use super::make::{cluster_id, customer_id};
use domain::SignedDuration;
use domain::ids::TargetId;
use domain::notify::{Channel, Delivery, Lane, LaneKey, Sending, Target, TargetState, Waiting};
use domain::ports::{Moment, Notice, Outbox, StoreError};

fn lane(customer: &str) -> LaneKey {
    LaneKey { customer: customer_id(customer), target: TargetId::parse("ops").unwrap() }
}

fn waiting(lane: &LaneKey, index: i64) -> Waiting {
    let now = at("2026-03-01T12:00:00Z");
    let since = now + SignedDuration::from_secs(index);
    let subject = format!("i-{index}");
    let notice = Notice::new(
        (&lane.customer, &cluster_id("prod")),
        ("ghost", Moment::Detected),
        (&subject, since),
        vec!["It was seen.".to_owned()],
        since,
    );
    Waiting { since, replay: 0, notice }
}

fn target(lane: &LaneKey, version: u64) -> Target {
    Target {
        id: lane.target.clone(),
        customer: lane.customer.clone(),
        label: format!("version {version}"),
        channel: Channel::Email { to: "ops@example.com".to_owned() },
        kinds: vec!["ghost.".to_owned()],
        state: TargetState::Active,
        created_at: at("2026-03-01T12:00:00Z"),
        version,
    }
}

pub(super) async fn a_target_is_written_against_its_version(store: &dyn Outbox) {
    let key = lane("outbox-target");
    store.put_target(&target(&key, 1)).await.unwrap();
    assert!(matches!(store.put_target(&target(&key, 1)).await, Err(StoreError::Conflict)));
    assert!(matches!(store.put_target(&target(&key, 3)).await, Err(StoreError::Conflict)));
    store.put_target(&target(&key, 2)).await.unwrap();
    assert_eq!(store.target(&key.customer, &key.target).await.unwrap(), Some(target(&key, 2)));
    assert_eq!(store.targets(&key.customer).await.unwrap(), vec![target(&key, 2)]);
    assert_eq!(store.targets(&customer_id("outbox-targe")).await.unwrap(), vec![]);
}

pub(super) async fn a_notice_enters_a_lane_once_and_waits_in_order(store: &dyn Outbox) {
    let key = lane("outbox-order");
    for index in [3, 1, 2] {
        assert!(store.accept(&key, &waiting(&key, index)).await.unwrap());
    }
    // The same notice, told again later.
    let again = Waiting { since: at("2026-03-01T13:00:00Z"), ..waiting(&key, 2) };
    assert!(!store.accept(&key, &again).await.unwrap());
    // Asked for by a person, it enters again.
    let replayed = Waiting { replay: 1, ..again };
    assert!(store.accept(&key, &replayed).await.unwrap());
    let all = vec![waiting(&key, 1), waiting(&key, 2), waiting(&key, 3), replayed];
    assert_eq!(store.waiting(&key, 10).await.unwrap(), all);
    assert_eq!(store.waiting(&key, 2).await.unwrap(), all[..2]);
    assert_eq!(store.waiting(&lane("outbox-orde"), 10).await.unwrap(), vec![]);
}

pub(super) async fn what_has_arrived_leaves_its_lane_and_enters_the_log_in_one_write(store: &dyn Outbox) {
    let key = lane("outbox-log");
    for index in 0..3 {
        assert!(store.accept(&key, &waiting(&key, index)).await.unwrap());
    }
    let sent = |index, attempt, sending| Delivery {
        waiting: waiting(&key, index),
        attempt,
        at: at("2026-03-01T12:10:00Z") + SignedDuration::from_secs(index * 10 + i64::from(attempt)),
        sending,
    };
    let failed = sent(0, 1, Sending::Slow);
    let arrived = sent(0, 2, Sending::Delivered { status: 204 });
    let first = Lane { attempts: 1, version: 1, ..Lane::NEW };
    store.put_lane(&key, &first, Some(&failed)).await.unwrap();
    assert_eq!(store.waiting(&key, 10).await.unwrap().len(), 3, "what has not arrived stays");
    let second = Lane { attempts: 0, version: 2, ..Lane::NEW };
    store.put_lane(&key, &second, Some(&arrived)).await.unwrap();
    assert_eq!(store.waiting(&key, 10).await.unwrap(), vec![waiting(&key, 1), waiting(&key, 2)]);
    // A stale worker changes nothing.
    let stale = store.put_lane(&key, &second, Some(&sent(1, 1, Sending::Delivered { status: 200 }))).await;
    assert!(matches!(stale, Err(StoreError::Conflict)));
    assert_eq!(store.waiting(&key, 10).await.unwrap().len(), 2);
    assert_eq!(store.lane(&key).await.unwrap(), second);
    let page = store.deliveries(&key, None, 1).await.unwrap();
    assert_eq!(page.items, vec![arrived]);
    let page = store.deliveries(&key, page.next.as_deref(), 1).await.unwrap();
    assert_eq!((page.items, page.next), (vec![failed], None));
}

pub(super) async fn a_lane_in_somebodys_hand_is_not_written_by_who_enters_it(store: &dyn Outbox) {
    let key = lane("outbox-hand");
    let entering = waiting(&key, 1);
    // The worker took it up after the notice had been stamped, and before it entered.
    let taken = entering.since + SignedDuration::from_millis(5);
    let lease = Some(("worker".to_owned(), taken + SignedDuration::from_secs(90)));
    let held = Lane { due_at: Some(taken), lease, version: 1, ..Lane::NEW };
    store.put_lane(&key, &held, None).await.unwrap();
    store.enter(&target(&key, 1), entering).await.unwrap();
    assert_eq!(store.lane(&key).await.unwrap(), held, "its worker's next write must not be in vain");
    // Let go, it is woken.
    store
        .put_lane(&key, &Lane { due_at: Some(taken + SignedDuration::from_hours(1)), lease: None, version: 2, ..Lane::NEW }, None)
        .await
        .unwrap();
    let next = waiting(&key, 2);
    store.enter(&target(&key, 1), next.clone()).await.unwrap();
    assert_eq!(store.lane(&key).await.unwrap(), Lane { due_at: Some(next.since), version: 3, ..Lane::NEW });
}

pub(super) async fn lanes_are_due_longest_due_first_and_leave_with_their_target(store: &dyn Outbox) {
    let (late, early, idle) = (lane("outbox-due-b"), lane("outbox-due-a"), lane("outbox-due-c"));
    let now = at("2001-03-01T12:00:00Z");
    for (key, due_at) in [(&late, Some(now)), (&early, Some(now - SignedDuration::from_secs(1))), (&idle, None)] {
        store.put_lane(key, &Lane { due_at, version: 1, ..Lane::NEW }, None).await.unwrap();
    }
    assert_eq!(store.due_lanes(now, 10).await.unwrap(), vec![early.clone(), late.clone()]);
    assert_eq!(store.due_lanes(now, 1).await.unwrap(), vec![early.clone()]);
    assert_eq!(store.due_lanes(now - SignedDuration::from_secs(2), 10).await.unwrap(), vec![]);
    assert!(store.accept(&early, &waiting(&early, 1)).await.unwrap());
    store.delete_target(&early.customer, &early.target).await.unwrap();
    assert_eq!(store.due_lanes(now, 10).await.unwrap(), vec![late.clone()]);
    assert_eq!(store.waiting(&early, 10).await.unwrap(), vec![]);
    store.delete_target(&late.customer, &late.target).await.unwrap();
}
