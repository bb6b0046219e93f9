//! Laws of findings.

use super::make::{NOON, cluster_id, customer_id};
use super::{Store, at};
use domain::SignedDuration;
use domain::finding::{Finding, FindingKind, FindingState};
use domain::money::MicroDollars;
use domain::ports::StoreError;
use futures::future::join_all;

fn found(customer: &str, cluster: &str, kind: FindingKind, subject: &str, after_s: i64) -> Finding {
    let mut finding =
        Finding::new(customer_id(customer), cluster_id(cluster), kind, subject, at(NOON) + SignedDuration::from_secs(after_s));
    finding.evidence = vec!["It runs and is no node.".to_owned()];
    finding.cost_per_month = Some(MicroDollars(70_080_000));
    finding
}

pub(super) async fn a_finding_is_written_against_its_version(store: &dyn Store) {
    let first = found("finds", "prod", FindingKind::Ghost, "i-12345678", 0);
    let (customer, cluster) = (first.customer.clone(), first.cluster.clone());
    assert_eq!(store.finding(&customer, &cluster, &first.id).await.unwrap(), None);
    let racers: Vec<Finding> = (0..20).map(|n| Finding { evidence: vec![format!("racer {n}")], ..first.clone() }).collect();
    let written = join_all(racers.iter().map(|finding| store.put_finding(finding))).await;
    assert_eq!(written.iter().filter(|w| w.is_ok()).count(), 1);
    assert!(written.iter().all(|w| matches!(w, Ok(()) | Err(StoreError::Conflict))));
    let there = store.finding(&customer, &cluster, &first.id).await.unwrap().unwrap();
    let dismissed = there.with(FindingState::Dismissed { by: "ops".to_owned(), at: at(NOON), why: "known".to_owned() });
    store.put_finding(&dismissed).await.unwrap();
    let stale = there.with(FindingState::Resolved { at: at(NOON), why: "late".to_owned() });
    assert!(matches!(store.put_finding(&stale).await, Err(StoreError::Conflict)));
    assert_eq!(store.finding(&customer, &cluster, &first.id).await.unwrap(), Some(dismissed));
    assert_eq!(store.finding(&customer_id("finds-2"), &cluster, &first.id).await.unwrap(), None, "another customer's are absent");
    assert_eq!(store.finding(&customer, &cluster_id("pro"), &first.id).await.unwrap(), None);
}

pub(super) async fn findings_of_a_cluster_are_told_apart_by_kind(store: &dyn Store) {
    let kinds = [FindingKind::Ghost, FindingKind::ZombieVolume, FindingKind::Ghost];
    for (n, kind) in kinds.into_iter().enumerate() {
        store.put_finding(&found("kinds", "prod", kind, &format!("s-{n}"), 0)).await.unwrap();
    }
    store.put_finding(&found("kinds", "prod-2", FindingKind::Ghost, "s-9", 0)).await.unwrap();
    let (customer, cluster) = (customer_id("kinds"), cluster_id("prod"));
    let ghosts = store.findings_of(&customer, &cluster, Some(FindingKind::Ghost)).await.unwrap();
    let mut subjects: Vec<&str> = ghosts.iter().map(|finding| finding.subject.as_str()).collect();
    subjects.sort_unstable();
    assert_eq!(subjects, ["s-0", "s-2"]);
    assert_eq!(store.findings_of(&customer, &cluster, None).await.unwrap().len(), 3);
    assert_eq!(store.findings_of(&customer, &cluster, Some(FindingKind::OfficeHours)).await.unwrap(), []);
}

pub(super) async fn findings_of_a_customer_are_listed_last_seen_first(store: &dyn Store) {
    let customer = customer_id("pages");
    for (n, cluster) in ["prod", "test", "prod", "test", "prod"].into_iter().enumerate() {
        let finding = found("pages", cluster, FindingKind::Ghost, &format!("s-{n}"), i64::try_from(n).unwrap());
        store.put_finding(&finding).await.unwrap();
    }
    let mut seen = Vec::new();
    let mut after = None;
    loop {
        let page = store.findings(&customer, after.as_deref(), 2).await.unwrap();
        assert!(page.items.len() <= 2);
        seen.extend(page.items.into_iter().map(|finding| finding.subject));
        after = page.next;
        if after.is_none() {
            break;
        }
    }
    assert_eq!(seen, ["s-4", "s-3", "s-2", "s-1", "s-0"]);
    assert_eq!(store.findings(&customer_id("page"), None, 2).await.unwrap().items, []);
}

pub(super) async fn a_watchbook_is_written_against_its_version(store: &dyn Store) {
    let (customer, cluster) = (customer_id("watches"), cluster_id("prod"));
    let mut book = store.watchbook(&customer, &cluster).await.unwrap();
    assert_eq!((book.version, book.watches.len()), (0, 0));
    book.version = 1;
    book.scanned_at = Some(at(NOON));
    book.watches.insert("i-12345678".to_owned(), domain::watch::Watch::new(at(NOON)));
    store.put_watchbook(&book).await.unwrap();
    assert!(matches!(store.put_watchbook(&book).await, Err(StoreError::Conflict)), "the slower of two scans is void");
    assert_eq!(store.watchbook(&customer, &cluster).await.unwrap(), book);
    book.version = 2;
    store.put_watchbook(&book).await.unwrap();
    assert_eq!(store.watchbook(&customer, &cluster_id("pro")).await.unwrap().version, 0);
}
