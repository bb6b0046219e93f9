//! The handle that a handler is given: nothing of another customer is read or written through it.

use super::support::{Bench, CLUSTER};
use domain::ids::{ClusterId, CustomerId, PlanId, RunId};
use domain::notify::LaneKey;
use domain::optimization::Round;
use domain::plan::PlanKey;
use domain::ports::{
    Clusters, Findings, Idempotency, Journal, Ledger, Nights, Optimizations, Outbox, Queue, Registry, Rounds, Routes, Scans, StoreError,
    Trail,
};
use domain::savings::Month;
use domain::watch::ScanOrder;
use domain::{SignedDuration, Timestamp};
use execution::held::held;
use serde_json::json;
use sim::store::MemoryQueue;
use std::sync::Arc;

fn refused<T>(answer: Result<T, StoreError>) {
    assert!(matches!(answer, Err(StoreError::Refused(_))), "it was answered");
}

#[tokio::test(start_paused = true)]
async fn through_the_handle_of_one_customer_nothing_of_another_is_read() {
    let bench = Bench::new().await;
    let (acme, other) = (CustomerId::parse("acme").unwrap(), CustomerId::parse("other").unwrap());
    let (cluster, now) = (ClusterId::parse(CLUSTER).unwrap(), Timestamp::UNIX_EPOCH);
    let store = bench.store.clone();
    let registry = held(&(store.clone() as Arc<dyn Registry>), &other);
    assert!(registry.customer(&other).await.unwrap().is_some(), "one's own is there");
    refused(registry.customer(&acme).await);
    refused(registry.cluster(&acme, &cluster).await);
    refused(registry.clusters(&acme, None, 10).await);
    refused(registry.config(&acme, "default_policy").await);
    refused(registry.api_keys(&acme, None, 10).await);
    refused(registry.named_key(&acme, "x").await);
    refused(registry.halted(&acme, &cluster).await);
    // What is of all customers, too.
    refused(registry.customers(None, 10).await);
    refused(registry.all_clusters(None, 10).await);
    refused(registry.api_key("hash").await);

    let key = PlanKey { customer: acme.clone(), cluster: cluster.clone(), plan: PlanId::parse("p").unwrap() };
    let journal = held(&(store.clone() as Arc<dyn Journal>), &other);
    refused(journal.load(&key).await);
    refused(journal.audit(&key).await);
    refused(journal.open_plans(&acme, &cluster).await);
    refused(journal.spot_events(&acme, None, 10).await);
    refused(journal.operation(&acme, "x").await);
    refused(journal.due(now, 10).await);

    let routes = held(&(store.clone() as Arc<dyn Routes>), &other);
    refused(routes.nodes(&acme, &cluster).await);
    let account = bench.stored("acme", CLUSTER).await.account;
    assert!(store.clusters_of(&account).await.unwrap().iter().any(|one| one.customer == acme), "there is something to see");
    assert!(routes.clusters_of(&account).await.unwrap().iter().all(|one| one.customer == other));

    let trail = held(&(store.clone() as Arc<dyn Trail>), &other);
    refused(trail.requests(&acme, None, 10).await);
    refused(trail.actions(&acme, None, 10).await);
    refused(trail.plans(&acme, None, 10).await);
    refused(trail.operations(&acme, None, 10).await);
    let optimizations = held(&(store.clone() as Arc<dyn Optimizations>), &other);
    refused(optimizations.run(&acme, &RunId::parse("r").unwrap()).await);
    refused(optimizations.runs(&acme, None, 10).await);
    refused(optimizations.proposal(&acme, &key.plan).await);
    refused(optimizations.open_proposals(&acme, &cluster).await);
    let ledger = held(&(store.clone() as Arc<dyn Ledger>), &other);
    refused(ledger.hours(&acme, &cluster, now, 10).await);
    refused(ledger.books(&acme, &cluster).await);
    refused(ledger.baseline(&acme, &cluster).await);
    refused(ledger.metered(&acme, Month::of(now)).await);
    let outbox = held(&(store.clone() as Arc<dyn Outbox>), &other);
    refused(outbox.targets(&acme).await);
    let lane = LaneKey { customer: acme.clone(), target: domain::ids::TargetId::parse("t").unwrap() };
    refused(outbox.deliveries(&lane, None, 10).await);
    refused(outbox.due_lanes(now, 10).await);
    refused(held(&(store.clone() as Arc<dyn Nights>), &other).asleep(&acme, &cluster).await);
    let findings = held(&(store.clone() as Arc<dyn Findings>), &other);
    refused(findings.findings(&acme, None, 10).await);
    refused(findings.findings_of(&acme, &cluster, None).await);
    refused(held(&(store as Arc<dyn Idempotency>), &other).begin(&acme, "k", "f", now).await);
}

#[tokio::test(start_paused = true)]
async fn through_the_handle_of_one_customer_nothing_is_written_asked_or_called_for_another() {
    let bench = Bench::new().await;
    let (acme, other) = (CustomerId::parse("acme").unwrap(), CustomerId::parse("other").unwrap());
    let theirs = bench.stored("acme", CLUSTER).await;
    let registry = held(&(bench.store.clone() as Arc<dyn Registry>), &other);
    refused(registry.put_cluster(&theirs, Some(theirs.version)).await);
    refused(registry.delete_cluster(&acme, &theirs.id).await);
    refused(registry.put_config(&acme, "x", &json!(1)).await);
    refused(registry.swap_config(&acme, "x", &json!(1), None).await);
    refused(registry.set_halt(Some(&acme), None, Some("x")).await);
    refused(registry.set_halt(None, None, Some("x")).await);
    let customer = bench.store.customer(&acme).await.unwrap().unwrap();
    refused(registry.put_customer(&customer).await);
    refused(registry.change_customer(&customer, customer.version).await);
    assert_eq!(bench.stored("acme", CLUSTER).await.version, theirs.version);

    let queue: Arc<MemoryQueue> = bench.queue.clone();
    let round = Round {
        customer: acme.clone(),
        cluster: theirs.id.clone(),
        round: "t-1".to_owned(),
        asked_by: "x".to_owned(),
        types: Vec::new(),
        dry_run: true,
        nodes: None,
    };
    assert!(held(&(queue.clone() as Arc<dyn Rounds>), &other).ask(&round).await.is_err());
    let order = ScanOrder { customer: acme.clone(), cluster: theirs.id.clone(), asked_by: "x".to_owned(), whole: true };
    assert!(held(&(queue.clone() as Arc<dyn Scans>), &other).ask_scan(&order).await.is_err());
    let key = PlanKey { customer: acme, cluster: theirs.id.clone(), plan: PlanId::parse("p").unwrap() };
    assert!(held(&(queue.clone() as Arc<dyn Queue>), &other).continue_plan(&key, SignedDuration::ZERO).await.is_err());
    assert!(queue.take_due(Timestamp::MAX).is_empty(), "something was sent");
    assert!(held(&(bench.world.clone() as Arc<dyn Clusters>), &other).connect(&theirs).await.is_err());
}
