use super::support::{Bench, CLUSTER};
use domain::plan::{Action, PlanKind};
use http::{Method, StatusCode};
use serde_json::json;
use sim::world::{Allows, PdbSpec, PodShape};

fn path(tail: &str) -> String {
    format!("/api/v1/k8s/{CLUSTER}/{tail}")
}

#[tokio::test]
async fn a_drain_is_written_down_announced_and_can_be_followed() {
    let bench = Bench::new().await;
    let calls = bench.world.calls();
    let answer = bench.post("acme-operator", &path("nodes/drain"), &json!({ "node_name": bench.node(0) })).await;
    assert_eq!(answer.status, StatusCode::ACCEPTED, "{}", answer.text);
    let plans = bench.store.plans();
    let plan = &plans[0].plan;
    assert_eq!((plans.len(), plan.kind, plan.steps.len()), (1, PlanKind::Drain, 2));
    assert_eq!(plan.requested_by, "api key acme-operator");
    assert_eq!(bench.queue.len(), 1);
    for change in ["cordon", "evict", "scale"] {
        assert_eq!(bench.world.calls().get(change), calls.get(change), "the API itself must not change the cluster");
    }
    let operation = bench.get("acme-viewer", answer.header("location")).await.json();
    assert_eq!((operation["status"].as_str(), operation["kind"].as_str()), (Some("pending"), Some("drain")));
    assert_eq!(operation["steps"][1]["action"], format!("drain {}", bench.node(0)));
    let document = bench.get("acme-viewer", operation["plan"].as_str().unwrap()).await.json();
    assert_eq!(document["plan"]["key"]["plan"], answer.json()["plan_id"]);
    assert!(document["audit"].is_array());
}

#[tokio::test]
async fn a_dry_run_shows_the_plan_and_writes_nothing() {
    let bench = Bench::new().await;
    for (tail, body) in [
        ("nodes/drain", json!({ "node_name": bench.node(0), "dryRun": true })),
        ("nodes/drain?dryRun=true", json!({ "node_name": bench.node(0) })),
        ("nodes/cordon", json!({ "node_name": bench.node(0), "dryRun": true })),
        ("nodes/uncordon", json!({ "node_name": bench.node(0), "dryRun": true })),
        ("scale", json!({ "kind": "Deployment", "namespace": "default", "name": "web", "replicas": 2, "dryRun": true })),
    ] {
        let answer = bench.post("acme-operator", &path(tail), &body).await;
        assert_eq!((answer.status, answer.json()["dry_run"].as_bool()), (StatusCode::OK, Some(true)), "{tail}: {}", answer.text);
        assert!(!answer.json()["plan"]["steps"].as_array().unwrap().is_empty());
    }
    assert!(bench.store.plans().is_empty() && bench.queue.is_empty());
}

#[tokio::test]
async fn a_drain_that_the_safety_check_blocks_says_every_reason() {
    let bench = Bench::new().await;
    let id = CLUSTER.to_owned().try_into().unwrap();
    bench.world.add_bare_pod(&id, "lonely", PodShape::default(), Some(&bench.nodes[0]));
    bench.world.add_pdb(&id, PdbSpec::new("web", Allows::MaxUnavailable(0)));
    for dry in [false, true] {
        let answer = bench.post("acme-operator", &path("nodes/drain"), &json!({ "node_name": bench.node(0), "dryRun": dry })).await;
        assert_eq!((answer.status, answer.code().as_str()), (StatusCode::CONFLICT, "blocked"), "{}", answer.text);
        let rules: std::collections::BTreeSet<String> =
            answer.json()["blocked"].as_array().unwrap().iter().map(|b| b["rule"].as_str().unwrap().to_owned()).collect();
        assert!(rules.contains("no-controller") && rules.contains("pod-budget-never-allows"), "{rules:?}");
    }
    assert!(bench.store.plans().is_empty());
    let forced = bench.post("acme-operator", &path("nodes/drain"), &json!({ "node_name": bench.node(0), "force": true })).await;
    assert_eq!(forced.status, StatusCode::ACCEPTED, "{}", forced.text);
}

#[tokio::test]
async fn no_more_nodes_are_drained_at_once_than_the_budget_allows() {
    let bench = Bench::new().await;
    let drain = |index: usize| json!({ "node_name": bench.node(index) });
    assert_eq!(bench.post("acme-operator", &path("nodes/drain"), &drain(0)).await.status, StatusCode::ACCEPTED);
    let second = bench.post("acme-operator", &path("nodes/drain"), &drain(1)).await;
    assert_eq!(second.json()["blocked"][0]["rule"], "disruption-budget", "{}", second.text);
}

#[tokio::test]
async fn an_unknown_node_or_workload_is_told_before_anything_is_written() {
    let bench = Bench::new().await;
    for tail in ["nodes/drain", "nodes/cordon", "nodes/uncordon"] {
        let unknown = bench.post("acme-operator", &path(tail), &json!({ "node_name": "ip-10-9-9-9.ec2.internal" })).await;
        assert_eq!((unknown.status, unknown.code().as_str()), (StatusCode::NOT_FOUND, "node-unknown"), "{tail}");
        let climbing = bench.post("acme-operator", &path(tail), &json!({ "node_name": "../secrets" })).await;
        assert_eq!(climbing.code(), "invalid-fields", "{tail}");
    }
    let scale = json!({ "namespace": "default", "name": "nothing", "replicas": 1 });
    assert_eq!(bench.post("acme-operator", &path("scale"), &scale).await.status, StatusCode::NOT_FOUND);
    let odd = json!({ "kind": "CronJob", "namespace": "Default", "name": "a/b", "replicas": 999_999 });
    assert_eq!(bench.post("acme-operator", &path("scale"), &odd).await.json()["errors"].as_array().unwrap().len(), 4);
    assert!(bench.store.plans().is_empty());
}

#[tokio::test]
async fn a_scale_names_the_workload_the_number_and_what_it_was() {
    let bench = Bench::new().await;
    let body = json!({ "kind": "deployment", "namespace": "default", "name": "web", "replicas": 2 });
    assert_eq!(bench.post("acme-operator", &path("scale"), &body).await.status, StatusCode::ACCEPTED);
    let plan = &bench.store.plans()[0].plan;
    assert!(matches!(&plan.steps[0].action, Action::Scale { workload, replicas: 2 } if workload.name == "web"));
    assert_eq!(plan.evidence, ["It had 4 replicas when this was asked for."]);
}

#[tokio::test]
async fn while_the_kill_switch_is_pulled_no_command_is_taken() {
    let bench = Bench::new().await;
    let cordon = json!({ "node_name": bench.node(0) });
    for scope in ["customer".to_owned(), format!("cluster {CLUSTER}")] {
        let halt = json!({ "scope": scope, "reason": "looking into it" });
        assert_eq!(bench.post("acme-admin", "/api/v1/admin/halt", &halt).await.status, StatusCode::OK);
        let refused = bench.post("acme-operator", &path("nodes/cordon"), &cordon).await;
        assert_eq!((refused.status, refused.code().as_str()), (StatusCode::CONFLICT, "halted"));
        assert!(refused.text.contains("looking into it"));
        assert!(bench.post("acme-admin", "/api/v1/admin/halt", &json!({ "scope": scope })).await.status.is_client_error());
        let lifted = bench.post("acme-admin", "/api/v1/admin/halt", &json!({ "scope": scope, "reason": null })).await;
        assert_eq!(lifted.json()["halted"], false);
    }
    assert_eq!(bench.post("acme-operator", &path("nodes/cordon"), &cordon).await.status, StatusCode::ACCEPTED);
    for scope in ["customer other", "cluster c-other", "galaxy"] {
        let answer = bench.post("acme-admin", "/api/v1/admin/halt", &json!({ "scope": scope, "reason": "x" })).await;
        assert!(answer.status.is_client_error(), "{scope}");
    }
}

#[tokio::test]
async fn nodes_pods_and_metrics_are_those_of_now() {
    let bench = Bench::new().await;
    let nodes = bench.get("acme-viewer", &path("nodes?limit=1")).await.json();
    assert_eq!(nodes["items"].as_array().unwrap().len(), 1);
    let next = path(&format!("nodes?limit=1&cursor={}", nodes["next_cursor"].as_str().unwrap()));
    let rest = bench.get("acme-viewer", &next).await.json();
    assert_ne!(rest["items"][0]["name"], nodes["items"][0]["name"]);
    assert!(rest["next_cursor"].is_null() && rest["items"][0]["instance_id"].as_str().unwrap().starts_with("i-"));
    let pods = bench.get("acme-viewer", &path(&format!("pods?node={}", bench.node(0)))).await.json();
    assert_eq!(pods["items"].as_array().unwrap().len(), 2);
    assert_eq!(bench.get("acme-viewer", &path("pods?namespace=none")).await.json()["items"], json!([]));
    let metrics = bench.get("acme-viewer", &path("metrics")).await.json();
    assert_eq!((metrics["totals"]["nodes"].as_u64(), metrics["nodes"].as_array().unwrap().len()), (Some(2), 2));
}

#[tokio::test]
async fn a_cluster_that_cannot_be_reached_is_a_502_with_advice() {
    let bench = Bench::new().await;
    let answer = bench.call("other-viewer", Method::GET, "/api/v1/k8s/c-other/nodes", &[], None).await;
    assert_eq!((answer.status, answer.code().as_str()), (StatusCode::BAD_GATEWAY, "cluster-unreachable"));
    assert!(answer.text.contains("k8s_api_endpoint") && !answer.text.contains("no route"), "{}", answer.text);
}

#[test]
fn a_plan_is_shown_without_what_boots_a_node() {
    let document = json!({ "steps": [{ "template": { "user_data": "c2VjcmV0", "image": "ami-1" } }, { "user_data": null }] });
    let shown = crate::view::without_user_data(document);
    assert_eq!(shown["steps"][0]["template"], json!({ "user_data": "(not shown)", "image": "ami-1" }));
    assert!(shown["steps"][1]["user_data"].is_null());
}
