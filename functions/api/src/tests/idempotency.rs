use super::support::{Bench, CLUSTER, printed, request};
use domain::ids::CustomerId;
use domain::ports::{Clock, Idempotency};
use http::{Method, StatusCode};
use serde_json::json;

const CLUSTERS: &str = "/api/v1/admin/clusters";

#[tokio::test]
async fn a_repeated_request_is_done_once_and_answered_the_same() {
    let bench = Bench::new().await;
    for (path, body) in
        [(CLUSTERS.to_owned(), printed()), (format!("/api/v1/k8s/{CLUSTER}/nodes/cordon"), json!({ "node_name": bench.node(0) }))]
    {
        let key = [("idempotency-key", path.as_str())];
        let first = bench.call("acme-admin", Method::POST, &path, &key, Some(&body)).await;
        let second = bench.call("acme-admin", Method::POST, &path, &key, Some(&body)).await;
        assert!(first.status.is_success(), "{}", first.text);
        assert_eq!((first.status, &first.text), (second.status, &second.text));
        assert_eq!((first.header("location"), first.header("etag")), (second.header("location"), second.header("etag")));
        assert_eq!((first.header("idempotency-replayed"), second.header("idempotency-replayed")), ("", "true"));
    }
    // One cordon, and one first scan of what was registered.
    assert_eq!((bench.store.plans().len(), bench.queue.len()), (1, 2));
}

#[tokio::test]
async fn a_key_used_for_another_request_is_refused() {
    let bench = Bench::new().await;
    let key = [("idempotency-key", "k-1")];
    let cordon = format!("/api/v1/k8s/{CLUSTER}/nodes/cordon");
    let first = bench.call("acme-operator", Method::POST, &cordon, &key, Some(&json!({ "node_name": bench.node(0) }))).await;
    assert_eq!(first.status, StatusCode::ACCEPTED);
    for (path, node) in [(cordon.clone(), 1), (cordon.replace("cordon", "drain"), 0), (format!("{cordon}?dryRun=true"), 0)] {
        let other = bench.call("acme-operator", Method::POST, &path, &key, Some(&json!({ "node_name": bench.node(node) }))).await;
        assert_eq!((other.status, other.code().as_str()), (StatusCode::UNPROCESSABLE_ENTITY, "idempotency-mismatch"), "{path}");
    }
}

#[tokio::test]
async fn keys_of_two_customers_do_not_meet() {
    let bench = Bench::new().await;
    let key = [("idempotency-key", "k-1")];
    assert_eq!(bench.call("acme-admin", Method::POST, CLUSTERS, &key, Some(&printed())).await.status, StatusCode::CREATED);
    let mut theirs = printed();
    theirs["aws_role_arn"] = json!("arn:aws:iam::444455556666:role/CloudOptimRole");
    let answer = bench.call("other-admin", Method::POST, CLUSTERS, &key, Some(&theirs)).await;
    assert_eq!((answer.status, answer.header("idempotency-replayed")), (StatusCode::CREATED, ""), "{}", answer.text);
}

#[tokio::test]
async fn a_request_that_is_under_way_is_not_begun_again() {
    let bench = Bench::new().await;
    let acme = CustomerId::parse("acme").unwrap();
    let (path, body) = (format!("/api/v1/k8s/{CLUSTER}/nodes/cordon"), json!({ "node_name": bench.node(0) }));
    // What another invocation writes first.
    let fingerprint = crate::idempotency::fingerprint(&Method::POST, &path, body.to_string().as_bytes());
    bench.store.begin(&acme, "k-1", &fingerprint, bench.clock.now()).await.unwrap();
    let answer = bench.call("acme-operator", Method::POST, &path, &[("idempotency-key", "k-1")], Some(&body)).await;
    assert_eq!((answer.status, answer.code().as_str()), (StatusCode::CONFLICT, "idempotency-in-flight"));
    assert!(!answer.header("retry-after").is_empty());
    // That invocation dies after its effect; the claim falls free, and the same plan is found instead of made again.
    bench.store.release(&acme, "k-1").await.unwrap();
    for _ in 0..2 {
        assert_eq!(
            bench.call("acme-operator", Method::POST, &path, &[("idempotency-key", "k-1")], Some(&body)).await.status,
            StatusCode::ACCEPTED
        );
    }
    assert_eq!(bench.store.plans().len(), 1);
}

#[tokio::test]
async fn a_refused_request_may_be_repeated_with_its_key() {
    let bench = Bench::new().await;
    let (path, key) = (format!("/api/v1/k8s/{CLUSTER}/nodes/cordon"), [("idempotency-key", "k-1")]);
    let halt = |reason: Option<&str>| json!({ "scope": "customer", "reason": reason });
    bench.post("acme-admin", "/api/v1/admin/halt", &halt(Some("wait"))).await;
    let body = json!({ "node_name": bench.node(0) });
    assert_eq!(bench.call("acme-operator", Method::POST, &path, &key, Some(&body)).await.code(), "halted");
    bench.post("acme-admin", "/api/v1/admin/halt", &halt(None)).await;
    assert_eq!(bench.call("acme-operator", Method::POST, &path, &key, Some(&body)).await.status, StatusCode::ACCEPTED);
}

#[tokio::test]
async fn a_key_that_is_no_key_is_refused() {
    let bench = Bench::new().await;
    for key in [String::new(), "with space".to_owned(), "x".repeat(129)] {
        let sent = request("acme-admin", Method::POST, CLUSTERS, &[("idempotency-key", &key)], Some(&printed()));
        assert_eq!(bench.send(sent).await.code(), "idempotency-key-malformed", "{key:?}");
    }
}
