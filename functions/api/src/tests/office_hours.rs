use super::support::{Bench, CLUSTER};
use http::{Method, StatusCode};
use serde_json::{Value, json};

fn path(tail: &str) -> String {
    format!("/api/v1/office-hours/{CLUSTER}{tail}")
}

async fn set(bench: &Bench, office_hours: &Value) -> super::support::Answer {
    let cluster = format!("/api/v1/admin/clusters/{CLUSTER}");
    let body = json!({ "policy": { "office_hours": office_hours } });
    let tag = bench.get("acme-admin", &cluster).await.header("etag").to_owned();
    bench.call("acme-admin", Method::PUT, &cluster, &[("if-match", &tag)], Some(&body)).await
}

fn web(shown: &Value) -> &Value {
    shown["objects"].as_array().unwrap().iter().find(|object| object["name"] == "web").unwrap()
}

#[tokio::test]
async fn the_schedule_of_a_cluster_is_set_and_shows_what_it_leads_to_and_is_worth() {
    let bench = Bench::new().await;
    let rules = json!({ "mode": "auto", "cluster": { "uptime": "never", "grace_s": 0 } });
    assert_eq!(set(&bench, &rules).await.status, StatusCode::OK);
    let shown = bench.get("acme-viewer", &path("")).await;
    assert_eq!(shown.status, StatusCode::OK, "{}", shown.text);
    let shown = shown.json();
    let web = web(&shown);
    assert_eq!(
        (web["next"].as_str(), web["asleep"].as_bool(), web["asleep_percent_of_week"].as_i64()),
        (Some("sleep"), Some(false), Some(100))
    );
    assert!(web["why"].as_str().unwrap().contains("the rules for the cluster"), "{web}");
    assert!(web["worth_usd_per_month"].as_f64().unwrap() > 0.0);
    assert!(shown["note"].as_str().unwrap().contains("only when nodes go"));
    assert_eq!(bench.world.calls().get("resize"), None, "the API itself changes no cluster");
}

#[tokio::test]
async fn rules_that_make_no_sense_are_refused_and_say_why() {
    let bench = Bench::new().await;
    for (rules, says) in [
        (json!({ "cluster": { "uptime": "never", "downtime": "always" } }), "both uptime and downtime"),
        (json!({ "cluster": { "uptime": "Mon-Fri 09:00-17:00 Mars/Olympus" } }), "Mars/Olympus"),
        (json!({ "lead_s": 100_000 }), "7200"),
    ] {
        let answer = set(&bench, &rules).await;
        assert_eq!(answer.status, StatusCode::UNPROCESSABLE_ENTITY, "{}", answer.text);
        assert!(answer.text.contains(says), "{}", answer.text);
    }
    let both = json!({ "uptime": "never", "downtime": "always" });
    let answer = bench.call("acme-admin", Method::PUT, "/api/v1/office-hours", &[("if-match", "*")], Some(&both)).await;
    assert_eq!(answer.status, StatusCode::UNPROCESSABLE_ENTITY);
}

#[tokio::test]
async fn the_rules_for_all_clusters_hold_where_a_cluster_has_none() {
    let bench = Bench::new().await;
    let rules = json!({ "downtime": "always" });
    let put = async |headers: &[(&str, &str)], tail: &str| {
        bench.call("acme-admin", Method::PUT, &format!("/api/v1/office-hours{tail}"), headers, Some(&rules)).await
    };
    let seen = bench.get("acme-viewer", "/api/v1/office-hours").await;
    let tag = [("if-match", seen.header("etag"))];
    assert_eq!(put(&[], "").await.status, StatusCode::PRECONDITION_REQUIRED);
    assert_eq!(put(&tag, "?dryRun=true").await.json(), json!({ "dry_run": true, "result": rules }));
    let answer = put(&tag, "").await;
    assert_eq!(answer.status, StatusCode::OK, "{}", answer.text);
    assert_eq!(put(&tag, "").await.status, StatusCode::PRECONDITION_FAILED, "they are others by now");
    assert_ne!(answer.header("etag"), seen.header("etag"));
    assert_eq!(bench.get("acme-viewer", "/api/v1/office-hours").await.json(), rules);
    assert_eq!(bench.get("other-viewer", "/api/v1/office-hours").await.json(), json!({}), "another customer's are their own");
    let shown = bench.get("acme-viewer", &path("")).await.json();
    assert!(web(&shown)["why"].as_str().unwrap().contains("new"), "it was made just now: {shown}");
}

#[tokio::test]
async fn a_person_approves_what_was_read_and_nothing_else() {
    let bench = Bench::new().await;
    let rules = |uptime: &str| json!({ "mode": "approve", "cluster": { "uptime": uptime } });
    set(&bench, &rules("never")).await;
    let print = bench.get("acme-viewer", &path("")).await.json()["fingerprint"].clone();
    let approval = json!({ "fingerprint": print });
    assert_eq!(bench.post("acme-operator", &path("/approve"), &approval).await.status, StatusCode::OK);
    assert_eq!(bench.get("acme-viewer", &path("")).await.json()["approved"], true);
    set(&bench, &rules("always")).await;
    assert_eq!(bench.get("acme-viewer", &path("")).await.json()["approved"], false, "other rules need another approval");
    let stale = bench.post("acme-operator", &path("/approve"), &approval).await;
    assert_eq!((stale.status, stale.code().as_str()), (StatusCode::CONFLICT, "stale-rules"));
}

#[tokio::test]
async fn a_cluster_is_kept_awake_for_a_while() {
    let bench = Bench::new().await;
    set(&bench, &json!({ "mode": "auto", "cluster": { "uptime": "never", "grace_s": 0 } })).await;
    assert_eq!(bench.post("acme-operator", &path("/wake"), &json!({ "minutes": 120 })).await.status, StatusCode::OK);
    assert_eq!(web(&bench.get("acme-viewer", &path("")).await.json())["next"], "none");
    assert_eq!(bench.post("acme-operator", &path("/wake"), &json!({ "minutes": 0 })).await.status, StatusCode::OK);
    assert_eq!(web(&bench.get("acme-viewer", &path("")).await.json())["next"], "sleep");
    let week = bench.post("acme-operator", &path("/wake"), &json!({ "minutes": 10_081 })).await;
    assert_eq!(week.status, StatusCode::UNPROCESSABLE_ENTITY);
    let other = bench.post("other-operator", &path("/wake"), &json!({ "minutes": 1 })).await;
    assert_eq!(other.status, StatusCode::NOT_FOUND, "another customer's cluster is absent");
}
