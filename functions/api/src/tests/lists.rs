//! Lists of plans, operations and findings: in pages, newest first, and narrowed.

use super::optimization::{decided, waiting};
use super::scanner::found;
use super::support::{Bench, CLUSTER};
use domain::SignedDuration;
use domain::finding::{FindingKind, FindingState};
use domain::ports::{Clock, Findings};
use http::StatusCode;
use serde_json::{Value, json};

/// Every item of a list, page by page of this size.
async fn all(bench: &Bench, path: &str, limit: usize) -> Vec<Value> {
    let (mut seen, mut cursor) = (Vec::new(), String::new());
    loop {
        let page = bench.get("acme-viewer", &format!("{path}limit={limit}{cursor}")).await;
        assert_eq!(page.status, StatusCode::OK, "{path}: {}", page.text);
        let page = page.json();
        seen.extend(page["items"].as_array().unwrap().iter().cloned());
        let Some(next) = page["next_cursor"].as_str() else { return seen };
        cursor = format!("&cursor={next}");
    }
}

fn texts(items: &[Value], field: &str) -> Vec<String> {
    items.iter().map(|item| item[field].as_str().unwrap().to_owned()).collect()
}

#[tokio::test(start_paused = true)]
async fn commands_and_their_plans_are_listed_newest_first_and_narrowed_by_cluster_kind_and_state() {
    let bench = Bench::new().await;
    for command in ["cordon", "uncordon", "cordon", "uncordon", "cordon"] {
        let path = format!("/api/v1/k8s/{CLUSTER}/nodes/{command}");
        let answer = bench.post("acme-operator", &path, &json!({ "node_name": bench.node(0) })).await;
        assert_eq!(answer.status, StatusCode::ACCEPTED, "{}", answer.text);
        bench.clock.sleep(SignedDuration::from_secs(1)).await;
    }
    for (list, id) in [("/api/v1/operations?", "operation_id"), ("/api/v1/plans?", "plan_id")] {
        let whole = all(&bench, list, 200).await;
        assert_eq!(texts(&whole, "kind"), ["cordon", "uncordon", "cordon", "uncordon", "cordon"]);
        assert_eq!(texts(&all(&bench, list, 2).await, id), texts(&whole, id), "pages are the list");
        let mut times = texts(&whole, "created_at");
        times.sort();
        times.reverse();
        assert_eq!(texts(&whole, "created_at"), times);
        assert_eq!(all(&bench, &format!("{list}kind=cordon&state=pending&cluster_id={CLUSTER}&"), 1).await.len(), 3);
        assert_eq!(all(&bench, &format!("{list}state=succeeded&"), 50).await, Vec::<Value>::new());
        assert_eq!(bench.get("acme-viewer", &format!("{list}state=asleep")).await.code(), "unknown-state");
        assert_eq!(bench.get("acme-viewer", &format!("{list}cluster_id=c-other")).await.status, StatusCode::NOT_FOUND);
        assert_eq!(bench.get("other-viewer", list).await.json()["items"], json!([]));
        for item in &whole {
            let shown = bench.get("acme-viewer", item["href"].as_str().unwrap()).await;
            assert_eq!((shown.status, &shown.json()["status"]), (StatusCode::OK, &item["status"]));
        }
    }
}

#[tokio::test(start_paused = true)]
async fn findings_of_all_clusters_are_listed_last_seen_first_in_every_state() {
    let bench = Bench::new().await;
    for (kind, subject) in [(FindingKind::Ghost, "i-00000001"), (FindingKind::ZombieVolume, "vol-1"), (FindingKind::Ghost, "i-00000002")] {
        found(&bench, kind, subject).await;
        bench.clock.sleep(SignedDuration::from_secs(1)).await;
    }
    let last = found(&bench, FindingKind::IdleAddress, "203.0.113.7").await;
    bench
        .store
        .put_finding(&last.with(FindingState::Dismissed { by: "ops".to_owned(), at: bench.clock.now(), why: "known".to_owned() }))
        .await
        .unwrap();
    let list = "/api/v1/findings?";
    assert_eq!(texts(&all(&bench, list, 1).await, "subject"), ["203.0.113.7", "i-00000002", "vol-1", "i-00000001"]);
    assert_eq!(texts(&all(&bench, &format!("{list}kind=ghost&cluster_id={CLUSTER}&"), 1).await, "subject"), ["i-00000002", "i-00000001"]);
    assert_eq!(texts(&all(&bench, &format!("{list}state=dismissed&"), 9).await, "subject"), ["203.0.113.7"]);
    for (query, code) in [("kind=pigeon", "unknown-kind"), ("state=asleep", "unknown-state"), ("limit=0", "invalid-limit")] {
        assert_eq!(bench.get("acme-viewer", &format!("{list}{query}")).await.code(), code);
    }
    assert_eq!(bench.get("other-viewer", list).await.json()["items"], json!([]));
    assert_eq!(bench.get("other-viewer", &format!("{list}cluster_id={CLUSTER}")).await.status, StatusCode::NOT_FOUND);
}

#[tokio::test]
async fn what_is_only_proposed_is_no_plan_yet() {
    let bench = Bench::new().await;
    decided(&bench, "p-1", waiting(&bench)).await;
    assert_eq!(all(&bench, "/api/v1/plans?", 9).await, Vec::<Value>::new());
}
