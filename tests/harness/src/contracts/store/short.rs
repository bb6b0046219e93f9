//! Laws of what is kept for a while: idempotency keys and pools to avoid.

use super::make::{NOON, customer_id, pool};
use super::{Store, at};
use domain::SignedDuration;
use domain::ids::{AccountId, Region};
use domain::ports::{IdempotencyState, StoreError};
use futures::future::join_all;

pub(super) async fn an_idempotency_key_goes_through_its_states(store: &dyn Store) {
    let (owner, now) = (customer_id("states"), at(NOON));
    let begin = async |print: &str| store.begin(&owner, "key 1", print, now).await.unwrap();
    assert_eq!(begin("a").await, IdempotencyState::New);
    assert_eq!(begin("a").await, IdempotencyState::InFlight);
    assert_eq!(begin("b").await, IdempotencyState::Mismatch);
    store.release(&owner, "key 1").await.unwrap();
    assert_eq!(begin("b").await, IdempotencyState::New, "a released key is free");
    store.finish(&owner, "key 1", 202, "{\"id\":\"ä\"}", now).await.unwrap();
    let done = IdempotencyState::Done(202, "{\"id\":\"ä\"}".to_owned());
    assert_eq!(begin("b").await, done);
    assert_eq!(begin("a").await, IdempotencyState::Mismatch);
    store.release(&owner, "key 1").await.unwrap();
    assert_eq!(begin("b").await, done, "an answer is never let go");
    store.finish(&owner, "key 1", 500, "late", now).await.unwrap();
    assert_eq!(begin("b").await, done, "the first answer stays");
    assert!(matches!(store.finish(&owner, "never begun", 200, "", now).await, Err(StoreError::Conflict)));
    store.release(&owner, "never begun").await.unwrap();
    assert_eq!(store.begin(&owner, "never begun", "a", now).await.unwrap(), IdempotencyState::New);
}

pub(super) async fn an_unfinished_claim_falls_free_after_a_minute(store: &dyn Store) {
    let (owner, now) = (customer_id("minute"), at(NOON));
    assert_eq!(store.begin(&owner, "key", "a", now).await.unwrap(), IdempotencyState::New);
    let nearly = now + SignedDuration::from_millis(59_999);
    assert_eq!(store.begin(&owner, "key", "a", nearly).await.unwrap(), IdempotencyState::InFlight);
    let minute = now + SignedDuration::from_secs(60);
    assert_eq!(store.begin(&owner, "key", "b", minute).await.unwrap(), IdempotencyState::New);
    assert_eq!(store.begin(&owner, "key", "b", minute).await.unwrap(), IdempotencyState::InFlight);
}

pub(super) async fn an_answer_is_forgotten_after_a_day(store: &dyn Store) {
    let (owner, now) = (customer_id("day"), at(NOON));
    store.begin(&owner, "key", "a", now).await.unwrap();
    store.finish(&owner, "key", 200, "yes", now).await.unwrap();
    let nearly = now + SignedDuration::from_hours(24) - SignedDuration::from_nanos(1);
    assert_eq!(store.begin(&owner, "key", "a", nearly).await.unwrap(), IdempotencyState::Done(200, "yes".to_owned()));
    // By the caller's clock, however late the table cleans up; and nothing of the old answer is left.
    let day = now + SignedDuration::from_hours(24);
    assert_eq!(store.begin(&owner, "key", "b", day).await.unwrap(), IdempotencyState::New);
    assert_eq!(store.begin(&owner, "key", "b", day).await.unwrap(), IdempotencyState::InFlight);
}

pub(super) async fn one_of_forty_racers_claims_a_key(store: &dyn Store) {
    let owner = customer_id("claims");
    let states = join_all((0..40).map(|_| store.begin(&owner, "key", "a", at(NOON)))).await;
    let states: Vec<_> = states.into_iter().map(Result::unwrap).collect();
    assert_eq!(states.iter().filter(|s| **s == IdempotencyState::New).count(), 1);
    assert_eq!(states.iter().filter(|s| **s == IdempotencyState::InFlight).count(), 39);
}

pub(super) async fn a_key_is_its_customers_own(store: &dyn Store) {
    let now = at(NOON);
    for owner in ["keys", "keys-2", "key"] {
        assert_eq!(store.begin(&customer_id(owner), "same", "a", now).await.unwrap(), IdempotencyState::New);
    }
    for odd in ["", "#", "T#keys-2#x", &"k".repeat(3_000)] {
        assert_eq!(store.begin(&customer_id("keys"), odd, "a", now).await.unwrap(), IdempotencyState::New, "{odd:.20}");
    }
}

pub(super) async fn a_pool_is_avoided_until_its_time(store: &dyn Store) {
    let (account, region) = (AccountId::parse("123123123123").unwrap(), Region::parse("us-east-1").unwrap());
    let (now, large) = (at(NOON), pool("m6i.large", "us-east-1a"));
    let later = |s| now + SignedDuration::from_secs(s);
    assert_eq!(store.avoided(&account, &region, now).await.unwrap(), []);
    store.avoid(&account, &region, &large, later(180), "no capacity").await.unwrap();
    assert_eq!(store.avoided(&account, &region, now).await.unwrap(), std::slice::from_ref(&large));
    assert_eq!(store.avoided(&account, &region, later(179)).await.unwrap(), std::slice::from_ref(&large));
    assert_eq!(store.avoided(&account, &region, later(180)).await.unwrap(), [], "by the caller's clock, not by the table's");
    store.avoid(&account, &region, &large, later(60), "told late").await.unwrap();
    assert_eq!(store.avoided(&account, &region, later(179)).await.unwrap(), std::slice::from_ref(&large), "a memory is not cut short");
    store.avoid(&account, &region, &large, later(600), "again").await.unwrap();
    assert_eq!(store.avoided(&account, &region, later(599)).await.unwrap(), [large]);
}

pub(super) async fn pools_are_avoided_in_one_account_and_region(store: &dyn Store) {
    let account = |id| AccountId::parse(id).unwrap();
    let (east, west) = (Region::parse("us-east-1").unwrap(), Region::parse("us-west-2").unwrap());
    let (a, b) = (pool("m6i.large", "us-east-1a"), pool("m6i.large", "us-east-1b"));
    let until = at("2026-11-23T12:03:00Z");
    for one in [&b, &a] {
        store.avoid(&account("321321321321"), &east, one, until, "no capacity").await.unwrap();
    }
    let now = at(NOON);
    assert_eq!(store.avoided(&account("321321321321"), &east, now).await.unwrap(), [a, b]);
    assert_eq!(store.avoided(&account("321321321321"), &west, now).await.unwrap(), []);
    assert_eq!(store.avoided(&account("32132132132"), &east, now).await.unwrap(), []);
}
