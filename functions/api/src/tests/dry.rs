//! Dry runs: every route that writes has one, and it writes nothing.

use super::optimization::{decided, waiting};
use super::scanner::found;
use super::support::{BOOTSTRAP, Bench, CLUSTER, printed};
use crate::routes::TABLE;
use domain::SignedDuration;
use domain::finding::FindingKind;
use domain::ids::{CustomerId, TargetId};
use domain::notify::{Delivery, Lane, Sending};
use domain::ports::{Clock, Outbox};
use http::{Method, StatusCode};
use serde_json::{Value, json};
use std::collections::{BTreeMap, BTreeSet};

const TARGETS: &str = "/api/v1/notifications/targets";

#[test]
fn every_route_that_writes_has_a_dry_run() {
    // What the decision server manages of its own (models, fills, refreshes) is handed on to it, and changes no cluster.
    let without = TABLE.iter().filter(|route| route.method != Method::GET && !route.foreign && !route.dry);
    assert_eq!(without.map(|route| format!("{} {}", route.method, route.path)).collect::<Vec<_>>(), Vec::<String>::new());
}

/// One of everything, so that there is something to change. Answers a target, a key, a notice that was sent.
async fn settled(bench: &Bench) -> [String; 3] {
    decided(bench, "p-1", waiting(bench)).await;
    found(bench, FindingKind::Ghost, "i-0123456789abcdef0").await;
    let body = json!({ "label": "ops", "channel": "webhook", "url": "https://hooks.example.com/in" });
    let target = bench.post("acme-admin", TARGETS, &body).await.json()["target_id"].as_str().unwrap().to_owned();
    let notice = bench.post("acme-admin", &format!("{TARGETS}/{target}/test"), &json!({})).await.json()["notice_id"].clone();
    let lane = bench.store.target(&CustomerId::parse("acme").unwrap(), &TargetId::parse(&target).unwrap()).await.unwrap().unwrap().lane();
    let (waiting, before) = (bench.store.waiting(&lane, 1).await.unwrap(), bench.store.lane(&lane).await.unwrap());
    let sent = Delivery { waiting: waiting[0].clone(), attempt: 1, at: waiting[0].since, sending: Sending::Delivered { status: 204 } };
    bench.store.put_lane(&lane, &Lane { version: before.version + 1, ..before }, Some(&sent)).await.unwrap();
    let key = bench.post("acme-admin", "/api/v1/admin/keys", &json!({ "label": "ci", "role": "viewer" })).await;
    [target, key.json()["key_id"].as_str().unwrap().to_owned(), notice.as_str().unwrap().to_owned()]
}

/// A request that would be done, for every route that writes.
async fn requests(bench: &Bench, [target, key, notice]: &[String; 3]) -> BTreeMap<(&'static str, &'static str), Value> {
    let print = bench.get("acme-viewer", &format!("/api/v1/office-hours/{CLUSTER}")).await.json()["fingerprint"].clone();
    let node = json!({ "node_name": bench.node(0) });
    let fill = |template: &str| match template {
        of if of.contains("/targets/") => of.replace("{id}", target),
        of if of.contains("/keys/") => of.replace("{id}", key),
        of if of.contains("/customers/") => of.replace("{id}", "acme"),
        of if of.contains("/optimization/plans/") => of.replace("{id}", "p-1"),
        of if of.contains("/terminate/") || of.contains("/findings/") => of.replace("{id}", "i-0123456789abcdef0"),
        of => of.replace("{id}", CLUSTER).replace("{cluster_id}", CLUSTER),
    };
    let mut bodies: BTreeMap<(&str, &str), Value> = BTreeMap::from([
        (("POST", "/api/v1/admin/clusters"), printed()),
        (("PUT", "/api/v1/admin/clusters/{id}"), json!({ "cluster_name": "another" })),
        (("POST", "/api/v1/admin/halt"), json!({ "scope": "customer", "reason": "drill" })),
        (("POST", "/api/v1/optimization/trigger"), json!({ "cluster_id": CLUSTER })),
        (("PUT", "/api/v1/office-hours"), json!({ "uptime": "always" })),
        (("POST", "/api/v1/office-hours/{cluster_id}/approve"), json!({ "fingerprint": print })),
        (("POST", "/api/v1/office-hours/{cluster_id}/wake"), json!({ "minutes": 60 })),
        (("POST", "/api/v1/events/process"), json!({ "instance_id": bench.nodes[0] })),
        (("POST", "/api/v1/k8s/{cluster_id}/scale"), json!({ "namespace": "default", "name": "web", "replicas": 1 })),
        (("POST", TARGETS), json!({ "label": "new", "channel": "email", "email": "a@b.example" })),
        (("PUT", "/api/v1/notifications/targets/{id}"), json!({ "label": "other" })),
        (("POST", "/api/v1/notifications/targets/{id}/deliveries/replay"), json!({ "notice_id": notice })),
        (("POST", "/api/v1/scanner/terminate/{id}"), json!({ "cluster_id": CLUSTER })),
        (("POST", "/api/v1/scanner/findings/{id}/dismiss"), json!({ "cluster_id": CLUSTER, "reason": "It is ours." })),
        (("POST", "/api/v1/admin/customers"), json!({ "company_name": "New", "email": "a@b.example" })),
        (("PUT", "/api/v1/admin/customers/{id}"), json!({ "company_name": "Other" })),
        (("PUT", "/api/v1/admin/customers/{id}/config"), json!({ "default_policy": {} })),
        (("POST", "/api/v1/admin/keys"), json!({ "label": "new", "role": "viewer" })),
    ]);
    for end in ["drain", "cordon", "uncordon"] {
        let path = TABLE.iter().map(|route| route.path).find(|path| path.ends_with(&format!("/nodes/{end}"))).unwrap();
        bodies.insert(("POST", path), node.clone());
    }
    let writes = TABLE.iter().filter(|route| route.dry);
    let wish = |route: &'static crate::routes::Route| {
        let method = route.method.as_str();
        let body = bodies.get(&(method, route.path)).cloned().unwrap_or_else(|| json!({}));
        ((method, route.path), json!({ "path": fill(route.path), "body": body }))
    };
    writes.map(wish).collect()
}

/// All that can be read, but for the trail, in which dry runs stand, too.
async fn all(bench: &Bench, ids: &[String; 3]) -> BTreeMap<String, String> {
    let mut seen = BTreeMap::new();
    let lists = TABLE.iter().filter(|route| route.method == Method::GET && !route.passed_on && !route.path.contains("audit"));
    let lists = lists.map(|route| route.path.to_owned()).filter(|path| !path.contains('{') && *path != "/health");
    let named = [
        format!("/api/v1/admin/clusters/{CLUSTER}"),
        format!("/api/v1/office-hours/{CLUSTER}"),
        format!("/api/v1/scanner/ghosts?cluster_id={CLUSTER}"),
        "/api/v1/optimization/plans/p-1".to_owned(),
        "/api/v1/admin/customers/acme".to_owned(),
        "/api/v1/admin/customers/acme/config".to_owned(),
        format!("{TARGETS}/{}/deliveries", ids[0]),
        format!("/api/v1/admin/keys/{}", ids[1]),
    ];
    for path in lists.chain(named) {
        for key in ["acme-admin", BOOTSTRAP] {
            seen.insert(format!("{key} {path}"), bench.get(key, &path).await.text);
        }
    }
    seen.insert("queue".to_owned(), bench.queue.len().to_string());
    seen.insert("writes".to_owned(), bench.store.conditional_writes().to_string());
    seen
}

#[tokio::test(start_paused = true)]
async fn a_dry_run_is_answered_as_the_real_one_would_be_and_changes_nothing_that_can_be_read() {
    let bench = Bench::new().await;
    let ids = settled(&bench).await;
    let requests = requests(&bench, &ids).await;
    let mut done = BTreeSet::new();
    for (number, ((method, template), request)) in requests.iter().enumerate() {
        // Below the calls that a key has in a minute.
        if number % 8 == 0 {
            bench.clock.sleep(SignedDuration::from_mins(1)).await;
        }
        let before = all(&bench, &ids).await;
        // A dry run of the optimizer is a round that proposes nothing: it is asked for, and shows in its history.
        if *template == "/api/v1/optimization/trigger" {
            continue;
        }
        let key = if template.ends_with("/customers") { BOOTSTRAP } else { "acme-admin" };
        let path = format!("{}?dryRun=true", request["path"].as_str().unwrap());
        let method = Method::from_bytes(method.as_bytes()).unwrap();
        let answer = bench.call(key, method.clone(), &path, &[("if-match", "*")], Some(&request["body"])).await;
        assert_eq!(answer.status, StatusCode::OK, "{method} {template}: {}", answer.text);
        let says = answer.json();
        assert!(says["dry_run"] == true || says["status"] == "dry_run", "{method} {template}: {says}");
        assert!(!answer.text.contains("secret"), "{method} {template}: nothing was made that could be shown: {says}");
        let after = all(&bench, &ids).await;
        let changed: Vec<_> = after.iter().filter(|(path, text)| before.get(*path) != Some(text)).collect();
        assert!(changed.is_empty(), "{method} {template} has changed {changed:#?}");
        done.insert(format!("{method} {template}"));
    }
    assert_eq!(done.len() + 1, TABLE.iter().filter(|route| route.dry).count());
}

#[tokio::test]
async fn what_is_refused_is_refused_dry_too() {
    let bench = Bench::new().await;
    let wrong = json!({ "cluster_name": "", "k8s_api_endpoint": "http://x", "k8s_token": "t", "aws_role_arn": "x", "region": "x" });
    let answer = bench.post("acme-admin", "/api/v1/admin/clusters?dryRun=true", &wrong).await;
    assert_eq!((answer.status, answer.code().as_str()), (StatusCode::UNPROCESSABLE_ENTITY, "invalid-fields"));
    let cluster = format!("/api/v1/admin/clusters/{CLUSTER}?dryRun=true");
    for (headers, status) in [(&[][..], StatusCode::PRECONDITION_REQUIRED), (&[("if-match", "\"9\"")], StatusCode::PRECONDITION_FAILED)] {
        assert_eq!(bench.call("acme-admin", Method::PUT, &cluster, headers, Some(&json!({}))).await.status, status);
    }
    assert_eq!(bench.call("other-admin", Method::DELETE, &cluster, &[], None).await.status, StatusCode::NOT_FOUND);
}
