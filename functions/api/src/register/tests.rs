use super::*;
use serde_json::json;

fn now() -> Timestamp {
    "2026-01-05T00:00:00Z".parse().unwrap()
}

fn registered(body: Value) -> Result<Wanted, Vec<Wrong>> {
    let body = serde_json::from_value(body).unwrap();
    register(body, ClusterId::parse("c-1").unwrap(), CustomerId::parse("acme").unwrap(), now())
}

fn body() -> Value {
    json!({
        "cluster_name": "a", "k8s_api_endpoint": "https://a.example.com/", "k8s_token": "t", "region": "us-east-1",
        "aws_role_arn": "arn:aws:iam::111122223333:role/CloudOptimRole",
    })
}

#[test]
fn the_account_is_taken_from_the_role_and_the_queue_is_optional() {
    let cluster = registered(body()).ok().unwrap().cluster;
    assert_eq!(cluster.account.as_str(), "111122223333");
    assert_eq!((cluster.k8s_api_endpoint.as_str(), cluster.sqs_queue_url), ("https://a.example.com", None));
    assert_eq!(cluster.status_reason, NOT_SEEN);
}

#[test]
fn a_placeholder_account_is_accepted_and_told() {
    let mut body = body();
    body["aws_role_arn"] = json!("arn:aws:iam::ACCOUNT:role/CloudOptimRole");
    assert!(registered(body).ok().unwrap().cluster.status_reason.contains("12 digits"));
}

#[test]
fn an_unchanged_endpoint_keeps_the_token() {
    let mut cluster = registered(body()).ok().unwrap().cluster;
    cluster.k8s_token = Some(domain::tenant::Sealed { ciphertext: "sealed".to_owned() });
    let same = serde_json::from_value(json!({ "k8s_api_endpoint": "https://a.example.com", "k8s_ca": null })).unwrap();
    let kept = update(&cluster, same, now()).ok().unwrap();
    assert_eq!((kept.cluster.k8s_token, kept.cluster.version), (cluster.k8s_token, 2));
    assert!(kept.token.is_none());
}

#[test]
fn a_wrong_change_changes_nothing() {
    let cluster = registered(body()).ok().unwrap().cluster;
    let bad = serde_json::from_value(json!({ "cluster_name": "ok", "region": "x", "k8s_token": "" })).unwrap();
    let wrong = update(&cluster, bad, now()).err().unwrap();
    assert_eq!(wrong.iter().map(|w| w.field).collect::<Vec<_>>(), ["region", "k8s_token"]);
}
