use super::*;
use serde_json::json;

fn now() -> Timestamp {
    "2026-01-05T00:00:00Z".parse().unwrap()
}

fn registered(body: Value) -> Result<Wanted, Vec<Wrong>> {
    let body = serde_json::from_value(body).unwrap();
    register(body, ClusterId::parse("c-1").unwrap(), CustomerId::parse("acme").unwrap(), now(), &Rules::public())
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
    let kept = update(&cluster, same, now(), &Rules::public()).ok().unwrap();
    assert_eq!((kept.cluster.k8s_token, kept.cluster.version), (cluster.k8s_token, 2));
    assert!(kept.token.is_none());
}

#[test]
fn a_wrong_change_changes_nothing() {
    let cluster = registered(body()).ok().unwrap().cluster;
    let bad = serde_json::from_value(json!({ "cluster_name": "ok", "region": "x", "k8s_token": "" })).unwrap();
    let wrong = update(&cluster, bad, now(), &Rules::public()).err().unwrap();
    assert_eq!(wrong.iter().map(|w| w.field).collect::<Vec<_>>(), ["region", "k8s_token"]);
}

fn eks() -> Value {
    let mut body = body();
    let fields = body.as_object_mut().unwrap();
    fields.remove("k8s_token");
    fields.insert("eks_cluster_name".to_owned(), json!("payments"));
    fields.insert("k8s_api_endpoint".to_owned(), json!("https://0A1B.gr7.us-east-1.eks.amazonaws.com"));
    body
}

#[test]
fn a_cluster_that_takes_roles_needs_no_token() {
    let wanted = registered(eks()).ok().unwrap();
    assert_eq!(wanted.cluster.eks_cluster_name.as_deref(), Some("payments"));
    assert!(wanted.token.is_none() && wanted.cluster.k8s_token_expires_at.is_none());
}

#[test]
fn a_cluster_has_one_kind_of_credential() {
    let mut both = eks();
    both["k8s_token"] = json!("t");
    let mut neither = eks();
    neither.as_object_mut().unwrap().remove("eks_cluster_name");
    for body in [both, neither] {
        assert_eq!(registered(body).err().unwrap().iter().map(|w| w.field).collect::<Vec<_>>(), ["k8s_token"]);
    }
}

/// Whoever may change where a cluster is must not receive a token with which its real API server can be called.
#[test]
fn a_token_of_a_role_is_sent_to_eks_of_the_region_only() {
    for elsewhere in [
        "https://evil.example.com",
        "https://us-east-1.eks.amazonaws.com.evil.example.com",
        "https://0A1B.gr7.eu-west-1.eks.amazonaws.com",
        "https://evilus-east-1.eks.amazonaws.com",
        "https://0A1B.gr7.us-east-1.eks.amazonaws.com:6443",
    ] {
        let mut body = eks();
        body["k8s_api_endpoint"] = json!(elsewhere);
        assert_eq!(registered(body).err().unwrap()[0].field, "k8s_api_endpoint", "{elsewhere}");
        let moved = serde_json::from_value(json!({ "k8s_api_endpoint": elsewhere })).unwrap();
        let wrong = update(&registered(eks()).ok().unwrap().cluster, moved, now(), &Rules::public()).err().unwrap();
        assert_eq!(wrong[0].field, "k8s_api_endpoint", "{elsewhere}");
    }
}

#[test]
fn a_credential_of_the_one_kind_takes_the_place_of_the_other() {
    let by_role = registered(eks()).ok().unwrap().cluster;
    let to_token = serde_json::from_value(json!({ "k8s_token": "t" })).unwrap();
    let by_token = update(&by_role, to_token, now(), &Rules::public()).ok().unwrap();
    assert!(by_token.cluster.eks_cluster_name.is_none() && by_token.token.is_some());
    let mut sealed = by_token.cluster;
    sealed.k8s_token = Some(domain::tenant::Sealed { ciphertext: "sealed".to_owned() });
    let back = serde_json::from_value(json!({ "eks_cluster_name": "payments" })).unwrap();
    let back = update(&sealed, back, now(), &Rules::public()).ok().unwrap();
    assert!(back.cluster.k8s_token.is_none() && back.token.is_none());
    assert_eq!(back.cluster.status, ClusterStatus::Connecting);
    let taken = serde_json::from_value(json!({ "eks_cluster_name": null })).unwrap();
    assert_eq!(update(&back.cluster, taken, now(), &Rules::public()).err().unwrap()[0].field, "k8s_token");
}
