use super::support::{BOOTSTRAP, Bench, CLUSTER, printed};
use domain::SignedDuration;
use domain::ports::{Clock, Trust, Vault};
use domain::tenant::ClusterStatus;
use http::{Method, StatusCode};
use secrecy::ExposeSecret;
use serde_json::{Value, json};
use sim::store::Which;

const CLUSTERS: &str = "/api/v1/admin/clusters";

async fn put(bench: &Bench, id: &str, body: Value) -> super::support::Answer {
    let path = format!("{CLUSTERS}/{id}");
    let etag = bench.get("acme-admin", &path).await.header("etag").to_owned();
    bench.call("acme-admin", Method::PUT, &path, &[("if-match", &etag)], Some(&body)).await
}

#[tokio::test]
async fn a_cluster_is_registered_with_the_body_that_the_brief_prints() {
    let bench = Bench::new().await;
    let answer = bench.post(BOOTSTRAP, CLUSTERS, &printed()).await;
    assert_eq!(answer.status, StatusCode::CREATED, "{}", answer.text);
    let shown = answer.json();
    assert_eq!(shown["cluster_name"], "production-eks");
    assert_eq!((shown["status"].as_str(), shown["k8s_token_set"].as_bool()), (Some("connecting"), Some(true)));
    assert_eq!(shown["policy"]["interruption"]["mode"], "auto");
    assert!(shown["external_id"].as_str().is_some_and(|id| id.len() == 32), "{shown}");
    let location = answer.header("location").to_owned();
    assert_eq!(bench.get(BOOTSTRAP, &location).await.json()["cluster_id"], shown["cluster_id"]);
    assert_eq!(bench.get(BOOTSTRAP, CLUSTERS).await.json()["items"][0]["cluster_id"], shown["cluster_id"]);
    // What we may do there is looked at now, and not by the next scan of the schedule.
    let taken = bench.queue.take_due(bench.clock.now() + SignedDuration::from_secs(1));
    let scans: Vec<_> = taken.iter().filter(|message| message.queue == Which::Scans).collect();
    assert!(matches!(&scans[..], [one] if one.body.contains(shown["cluster_id"].as_str().unwrap())), "{}", scans.len());
}

#[tokio::test]
async fn a_token_is_sealed_for_its_cluster_and_endpoint_and_never_shown() {
    let bench = Bench::new().await;
    let answer = bench.post("acme-admin", CLUSTERS, &printed()).await;
    let id = answer.json()["cluster_id"].as_str().unwrap().to_owned();
    let stored = bench.stored("acme", &id).await;
    let opened = bench.vault.open(&stored.seal_context(), stored.k8s_token.as_ref().unwrap()).await.unwrap();
    assert_eq!(opened.expose_secret(), "SERVICE_ACCOUNT_TOKEN");
    for path in [CLUSTERS.to_owned(), format!("{CLUSTERS}/{id}")] {
        let text = bench.get("acme-admin", &path).await.text;
        assert!(!text.contains("SERVICE_ACCOUNT_TOKEN") && !text.contains(&stored.k8s_token.as_ref().unwrap().ciphertext), "{text}");
    }
    assert!(!answer.text.contains("SERVICE_ACCOUNT_TOKEN"));
}

#[tokio::test]
async fn what_the_request_does_not_own_cannot_be_set() {
    let bench = Bench::new().await;
    for field in ["customer_id", "external_id", "status", "version", "account", "__proto__", "id"] {
        let mut body = printed();
        body[field] = json!("x");
        let answer = bench.post("acme-admin", CLUSTERS, &body).await;
        assert_eq!(answer.status, StatusCode::UNPROCESSABLE_ENTITY, "{field}: {}", answer.text);
        assert!(answer.text.contains(field), "{}", answer.text);
    }
}

#[tokio::test]
async fn everything_that_is_wrong_is_told_at_once() {
    let bench = Bench::new().await;
    let body = json!({
        "cluster_name": "", "k8s_api_endpoint": "http://x", "k8s_token": "Bearer abc", "aws_role_arn": "role", "region": "mars",
        "sqs_queue_url": "https://example.com/q", "k8s_ca": "-----BEGIN PRIVATE KEY-----",
        "policy": { "budget": { "nodes_percent_max": 101 } },
    });
    let answer = bench.post("acme-admin", CLUSTERS, &body).await;
    assert_eq!(answer.code(), "invalid-fields");
    assert_eq!(answer.json()["errors"].as_array().unwrap().len(), 8, "{}", answer.text);
}

#[tokio::test]
async fn a_name_is_registered_once_and_a_role_by_one_customer() {
    let bench = Bench::new().await;
    assert_eq!(bench.post("acme-admin", CLUSTERS, &printed()).await.status, StatusCode::CREATED);
    let again = bench.post("acme-admin", CLUSTERS, &printed()).await;
    assert_eq!((again.status, again.code().as_str()), (StatusCode::CONFLICT, "already-registered"));
    let foreign = bench.post("other-admin", CLUSTERS, &printed()).await;
    assert_eq!((foreign.status, foreign.code().as_str()), (StatusCode::CONFLICT, "role-claimed"));
}

#[tokio::test]
async fn another_endpoint_drops_the_token() {
    let bench = Bench::new().await;
    let answer = put(&bench, CLUSTER, json!({ "k8s_api_endpoint": "https://evil.example.com" })).await;
    assert_eq!((answer.status, answer.json()["status"].as_str()), (StatusCode::OK, Some("needs-token")), "{}", answer.text);
    let stored = bench.stored("acme", CLUSTER).await;
    assert_eq!((stored.k8s_token, stored.status), (None, ClusterStatus::NeedsToken));
    let nodes = bench.get("acme-viewer", &format!("/api/v1/k8s/{CLUSTER}/nodes")).await;
    assert_eq!((nodes.status, nodes.code().as_str()), (StatusCode::CONFLICT, "needs-token"));
}

#[tokio::test]
async fn an_endpoint_whose_name_leads_home_is_refused_with_the_rule() {
    let bench = Bench::new().await;
    for (endpoint, rule) in [
        ("https://to-10-0-0-7.example.com", "address"),
        ("https://to-169-254-169-254.example.com:6443", "address"),
        ("https://to-93-184-215-14-and-10-0-0-7.example.com", "address"),
        ("https://to-fd00-ec2--254.example.com", "address"),
    ] {
        let mut body = printed();
        body["k8s_api_endpoint"] = json!(endpoint);
        let answer = bench.post("acme-admin", CLUSTERS, &body).await;
        assert_eq!((answer.status, answer.json()["rule"].as_str()), (StatusCode::UNPROCESSABLE_ENTITY, Some(rule)), "{endpoint}");
        assert!(answer.text.contains("ALLOWED_ADDRESS_RANGES") && answer.text.contains("k8s_api_endpoint"), "{}", answer.text);
        let moved = put(&bench, CLUSTER, json!({ "k8s_api_endpoint": endpoint })).await;
        assert_eq!((moved.status, moved.json()["rule"].as_str()), (StatusCode::UNPROCESSABLE_ENTITY, Some(rule)), "{endpoint}");
    }
    assert!(bench.stored("acme", CLUSTER).await.k8s_token.is_some(), "a refused change changes nothing");
    let good = put(&bench, CLUSTER, json!({ "k8s_api_endpoint": "https://to-93-184-215-14.example.com" })).await;
    assert_eq!(good.status, StatusCode::OK, "{}", good.text);
    assert_eq!(*bench.town.dialled.lock().unwrap(), vec![]);
}

#[tokio::test]
async fn another_certificate_authority_drops_the_token_too() {
    let bench = Bench::new().await;
    let ca = "-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----";
    assert_eq!(put(&bench, CLUSTER, json!({ "k8s_ca": ca })).await.json()["k8s_token_set"], false);
    assert_eq!(put(&bench, CLUSTER, json!({ "k8s_token": "new" })).await.json()["k8s_token_set"], true);
    assert_eq!(put(&bench, CLUSTER, json!({ "k8s_ca": null })).await.json()["k8s_token_set"], false);
}

#[tokio::test]
async fn another_endpoint_with_a_new_token_seals_it_for_the_new_place() {
    let bench = Bench::new().await;
    let body = json!({ "k8s_api_endpoint": "https://new.example.com:6443/", "k8s_token": "new-token" });
    assert_eq!(put(&bench, CLUSTER, body).await.json()["status"], "connecting");
    let stored = bench.stored("acme", CLUSTER).await;
    assert_eq!(stored.k8s_api_endpoint, "https://new.example.com:6443");
    assert!(bench.vault.open(&stored.seal_context(), stored.k8s_token.as_ref().unwrap()).await.is_ok());
}

#[tokio::test]
async fn a_change_keeps_what_it_does_not_name() {
    let bench = Bench::new().await;
    let before = bench.stored("acme", CLUSTER).await;
    assert_eq!(put(&bench, CLUSTER, json!({ "policy": { "budget": { "nodes_max": 2 } } })).await.status, StatusCode::OK);
    let changed = put(&bench, CLUSTER, json!({ "policy": { "interruption": { "mode": "observe" } } })).await.json();
    assert_eq!(changed["policy"]["budget"], json!({ "nodes_percent_max": 10, "nodes_max": 2 }));
    assert_eq!(changed["policy"]["interruption"]["mode"], "observe");
    let after = bench.stored("acme", CLUSTER).await;
    assert_eq!((after.k8s_token, after.k8s_api_endpoint, after.version), (before.k8s_token, before.k8s_api_endpoint, 3));
    assert_eq!(put(&bench, CLUSTER, json!({ "policy": { "interuption": {} } })).await.code(), "invalid-fields");
}

#[tokio::test]
async fn a_change_needs_the_version_it_was_made_from() {
    let bench = Bench::new().await;
    let path = format!("{CLUSTERS}/{CLUSTER}");
    let body = json!({ "cluster_name": "renamed" });
    let without = bench.call("acme-admin", Method::PUT, &path, &[], Some(&body)).await;
    assert_eq!(without.status, StatusCode::PRECONDITION_REQUIRED);
    let stale = bench.call("acme-admin", Method::PUT, &path, &[("if-match", "\"7\"")], Some(&body)).await;
    assert_eq!(stale.status, StatusCode::PRECONDITION_FAILED);
    let first = bench.call("acme-admin", Method::PUT, &path, &[("if-match", "\"1\"")], Some(&body)).await;
    assert_eq!((first.status, first.header("etag")), (StatusCode::OK, "\"2\""));
    let second = bench.call("acme-admin", Method::PUT, &path, &[("if-match", "\"1\"")], Some(&body)).await;
    assert_eq!(second.status, StatusCode::PRECONDITION_FAILED);
    assert_eq!(
        bench.call("acme-admin", Method::DELETE, &path, &[("if-match", "\"1\"")], None).await.status,
        StatusCode::PRECONDITION_FAILED
    );
    assert_eq!(bench.call("acme-admin", Method::DELETE, &path, &[("if-match", "\"2\"")], None).await.status, StatusCode::NO_CONTENT);
    assert_eq!(bench.get("acme-admin", &path).await.status, StatusCode::NOT_FOUND);
}

#[tokio::test]
async fn a_cluster_with_plans_under_way_is_not_removed_by_the_way() {
    let bench = Bench::new().await;
    let cordon = bench.post("acme-operator", &format!("/api/v1/k8s/{CLUSTER}/nodes/cordon"), &json!({ "node_name": bench.node(0) })).await;
    assert_eq!(cordon.status, StatusCode::ACCEPTED, "{}", cordon.text);
    let path = format!("{CLUSTERS}/{CLUSTER}");
    let refused = bench.call("acme-admin", Method::DELETE, &path, &[], None).await;
    assert_eq!((refused.status, refused.code().as_str()), (StatusCode::CONFLICT, "plans-under-way"));
    assert_eq!(refused.json()["plans"][0], cordon.json()["plan_id"]);
    let forced = bench.call("acme-admin", Method::DELETE, &format!("{path}?force=true"), &[], None).await;
    assert_eq!(forced.status, StatusCode::NO_CONTENT);
}

#[tokio::test]
async fn a_list_is_read_page_by_page_and_each_cluster_comes_once() {
    let bench = Bench::new().await;
    for index in 0..4 {
        let mut body = printed();
        body["cluster_name"] = json!(format!("cluster-{index}"));
        assert_eq!(bench.post("acme-admin", CLUSTERS, &body).await.status, StatusCode::CREATED);
    }
    let (mut seen, mut path) = (Vec::new(), format!("{CLUSTERS}?limit=2"));
    loop {
        let page = bench.get("acme-viewer", &path).await.json();
        let items = page["items"].as_array().unwrap();
        assert!((1..=2).contains(&items.len()));
        seen.extend(items.iter().map(|item| item["cluster_id"].as_str().unwrap().to_owned()));
        let Some(next) = page["next_cursor"].as_str() else { break };
        path = format!("{CLUSTERS}?limit=2&cursor={next}");
    }
    let distinct: std::collections::BTreeSet<&String> = seen.iter().collect();
    assert_eq!((seen.len(), distinct.len()), (5, 5));
}

fn by_name(name: &str) -> Value {
    json!({
        "cluster_name": "payments", "eks_cluster_name": name, "region": "us-east-1",
        "aws_role_arn": format!("arn:aws:iam::{}:role/CloudOptim-us-east-1", super::support::ACCOUNT),
    })
}

/// Address and authority are EKS's to say, and are stored as if they had been named.
#[tokio::test]
async fn a_cluster_is_registered_with_its_name_in_eks_alone() {
    let bench = Bench::new().await;
    let answer = bench.post("acme-admin", CLUSTERS, &by_name("payments")).await;
    assert_eq!(answer.status, StatusCode::CREATED, "{}", answer.text);
    let stored = bench.stored("acme", answer.json()["cluster_id"].as_str().unwrap()).await;
    assert_eq!(stored.k8s_api_endpoint, super::support::EKS_ENDPOINT);
    assert_eq!(stored.k8s_ca.as_deref(), Some(super::support::EKS_AUTHORITY));
    assert!(stored.k8s_token.is_none() && stored.eks_cluster_name.as_deref() == Some("payments"));
}

/// Whatever stands in the way is said of the field that would have to change; silence of AWS is no fault of the request.
#[tokio::test]
async fn a_name_that_leads_nowhere_registers_nothing_and_says_why() {
    let bench = Bench::new().await;
    let before = bench.get("acme-admin", CLUSTERS).await.text;
    let mut with_token = by_name("payments");
    with_token["k8s_token"] = json!("t");
    let mut with_ca = by_name("payments");
    with_ca["k8s_ca"] = json!("-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----");
    let mut nameless = by_name("payments");
    nameless.as_object_mut().unwrap().remove("eks_cluster_name");
    nameless["k8s_token"] = json!("t");
    let refused = [
        (by_name("unknown"), "eks_cluster_name"),
        (by_name("not a name"), "eks_cluster_name"),
        // A token of a role goes nowhere but to EKS, whoever names the address.
        (by_name("elsewhere"), "k8s_api_endpoint"),
        (with_token, "k8s_token"),
        (with_ca, "k8s_ca"),
        (nameless, "k8s_api_endpoint"),
    ];
    for (body, field) in refused {
        let answer = bench.post("acme-admin", CLUSTERS, &body).await;
        assert_eq!(answer.status, StatusCode::UNPROCESSABLE_ENTITY, "{body}: {}", answer.text);
        assert_eq!(answer.json()["errors"][0]["field"], field, "{body}: {}", answer.text);
    }
    let silent = bench.post("acme-admin", CLUSTERS, &by_name("silent")).await;
    assert_eq!((silent.status, silent.code().as_str()), (StatusCode::SERVICE_UNAVAILABLE, "eks-unreachable"));
    assert_eq!(bench.get("acme-admin", CLUSTERS).await.text, before);
}

/// What people copy out of the page works as it stands there.
#[tokio::test]
async fn the_body_that_the_onboarding_page_prints_registers_a_cluster() {
    let page = include_str!("../../../../docs/ONBOARDING.md");
    let body = page.split_once("-d @- <<EOF\n").and_then(|(_, rest)| rest.split_once("\nEOF")).expect("the page registers a cluster").0;
    let body: Value = serde_json::from_str(body).expect("the page prints JSON");
    let bench = Bench::new().await;
    let answer = bench.post("acme-admin", CLUSTERS, &body).await;
    assert_eq!(answer.status, StatusCode::CREATED, "{}", answer.text);
    assert_eq!(answer.json()["cluster_name"], body["cluster_name"]);
}

#[tokio::test]
async fn a_role_that_is_given_without_its_external_id_is_refused_and_what_it_trusts_is_told() {
    let bench = Bench::new().await;
    let mut body = printed();
    body["aws_role_arn"] = json!("arn:aws:iam::111122223333:role/CloudOptim-us-east-1");
    let role = body["aws_role_arn"].as_str().unwrap().to_owned();
    bench.trust.say(&role, Trust::Anybody);
    for path in [CLUSTERS.to_owned(), format!("{CLUSTERS}?dryRun=true")] {
        let refused = bench.post("acme-admin", &path, &body).await;
        assert_eq!((refused.status, refused.code().as_str()), (StatusCode::UNPROCESSABLE_ENTITY, "role-trusts-anybody"), "{path}");
        assert!(refused.text.contains("sts:ExternalId"), "{}", refused.text);
    }
    let own = format!("{CLUSTERS}/{CLUSTER}");
    let tag = bench.get("acme-admin", &own).await.header("etag").to_owned();
    let change = json!({ "aws_role_arn": role });
    let refused = bench.call("acme-admin", Method::PUT, &own, &[("if-match", &tag)], Some(&change)).await;
    assert_eq!(refused.code(), "role-trusts-anybody", "nor can a cluster be moved to it");
    // It may be made after the registration: that is where its external id is told.
    bench.trust.say(&role, Trust::NotUs);
    let made = bench.post("acme-admin", CLUSTERS, &body).await;
    assert_eq!((made.status, made.json()["role_trust"]["trusts"].as_str()), (StatusCode::CREATED, Some("not-us")), "{}", made.text);
    assert_eq!(made.json()["external_id"], "external-id-of-acme");
}
