//! Laws of the served API, seen by a client that speaks TLS and HTTP/1.1 and nothing more.

use super::{Served, serve};
use crate::clock::SimClock;
use crate::world::{Allows, ClusterSpec, NodeSpec, PdbSpec, WorkloadSpec, World};
use domain::ids::ClusterId;
use domain::node::CORDONED_BY;
use domain::offering::CapacityType;
use domain::ports::Cloud;
use jiff::SignedDuration;
use rustls::pki_types::pem::PemObject;
use rustls::pki_types::{CertificateDer, ServerName};
use rustls::{ClientConfig, ClientConnection, RootCertStore, StreamOwned};
use serde_json::{Value, json};
use std::io::{Read, Write};
use std::net::TcpStream;
use std::sync::Arc;
use std::time::Duration;

struct Bench {
    world: Arc<World>,
    cluster: ClusterId,
    served: Served,
}

async fn bench() -> Bench {
    let world = World::new(SimClock::new(), 3);
    let cluster = world.add_cluster(ClusterSpec::new("acme", "c-1", "123456789012", "us-east-1"));
    for zone in ["us-east-1a", "us-east-1b"] {
        world.add_node(&cluster, NodeSpec::new("m6i.large", zone, CapacityType::Spot));
    }
    world.add_deployment(&cluster, WorkloadSpec::new("web", 3));
    let served = serve(world.clone(), &cluster, "secret", Duration::ZERO).await.unwrap();
    Bench { world, cluster, served }
}

/// One exchange on a connection of its own: head and body as they came.
fn exchange(served: (String, String), request: String) -> String {
    let (address, ca) = served;
    let mut roots = RootCertStore::empty();
    roots.add(CertificateDer::from_pem_slice(ca.as_bytes()).unwrap()).unwrap();
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    let config = ClientConfig::builder_with_provider(provider).with_safe_default_protocol_versions().unwrap();
    let config = config.with_root_certificates(roots).with_no_client_auth();
    let connection = ClientConnection::new(Arc::new(config), ServerName::try_from("127.0.0.1").unwrap()).unwrap();
    let mut stream = StreamOwned::new(connection, TcpStream::connect(address).unwrap());
    stream.write_all(request.as_bytes()).unwrap();
    let mut answer = Vec::new();
    // The server may close without a TLS goodbye.
    let _ = stream.read_to_end(&mut answer);
    String::from_utf8(answer).unwrap()
}

impl Bench {
    async fn raw(&self, method: &str, path: &str, token: &str, content_type: &str, body: &str) -> (u16, String) {
        let request = format!(
            "{method} {path} HTTP/1.1\r\nhost: localhost\r\nauthorization: Bearer {token}\r\ncontent-type: {content_type}\r\n\
             content-length: {}\r\nconnection: close\r\n\r\n{body}",
            body.len()
        );
        let served = (self.served.url.trim_start_matches("https://").to_owned(), self.served.ca_pem.clone());
        let answer = tokio::task::spawn_blocking(move || exchange(served, request)).await.unwrap();
        let (head, body) = answer.split_once("\r\n\r\n").unwrap();
        (head.split(' ').nth(1).unwrap().parse().unwrap(), body.to_owned())
    }

    async fn call(&self, method: &str, path: &str, content_type: &str, body: &Value) -> (u16, Value) {
        let body = if body.is_null() { String::new() } else { body.to_string() };
        let (status, body) = self.raw(method, path, "secret", content_type, &body).await;
        (status, serde_json::from_str(&body).unwrap())
    }

    async fn get(&self, path: &str) -> (u16, Value) {
        self.call("GET", path, "", &Value::Null).await
    }

    async fn post(&self, path: &str, body: Value) -> (u16, Value) {
        self.call("POST", path, "application/json", &body).await
    }

    async fn patch(&self, path: &str, kind: &str, body: Value) -> (u16, Value) {
        self.call("PATCH", path, &format!("application/{kind}+json"), &body).await
    }

    fn pod(&self, index: usize) -> String {
        format!("/api/v1/namespaces/default/pods/{}", self.world.pods(&self.cluster)[index].pod.name)
    }

    fn node(&self) -> String {
        format!("/api/v1/nodes/{}", self.world.nodes(&self.cluster)[0].name)
    }
}

#[tokio::test]
async fn only_the_right_token_is_let_in_and_the_version_is_open() {
    let b = bench().await;
    let (status, body) = b.raw("GET", "/api/v1/nodes", "wrong", "", "").await;
    assert_eq!((status, serde_json::from_str::<Value>(&body).unwrap()["reason"].clone()), (401, json!("Unauthorized")));
    assert_eq!(b.raw("GET", "/version", "", "", "").await.0, 200);
    assert_eq!(b.raw("GET", "/livez", "", "", "").await, (200, "ok".to_owned()));
}

#[tokio::test]
async fn lists_come_in_pages_and_by_node() {
    let b = bench().await;
    let (_, first) = b.get("/api/v1/pods?limit=2").await;
    assert_eq!((first["items"].as_array().unwrap().len(), &first["metadata"]["remainingItemCount"]), (2, &json!(1)));
    let next = first["metadata"]["continue"].as_str().unwrap();
    let (_, second) = b.get(&format!("/api/v1/pods?limit=2&continue={next}")).await;
    assert_eq!(second["items"].as_array().unwrap().len(), 1);
    assert!(second["metadata"].get("continue").is_none());
    let node = b.world.nodes(&b.cluster)[0].name.clone();
    let (_, on) = b.get(&format!("/api/v1/pods?fieldSelector=spec.nodeName%3D{node}")).await;
    let there = b.world.pods(&b.cluster).iter().filter(|pod| pod.node.as_ref() == Some(&node)).count();
    assert_eq!(on["items"].as_array().unwrap().len(), there);
    assert_eq!(b.get("/api/v1/namespaces/other/pods").await.1["items"], json!([]));
}

#[tokio::test]
async fn the_three_refusals_of_an_eviction_can_be_told_apart() {
    let b = bench().await;
    b.world.add_pdb(&b.cluster, PdbSpec::new("web", Allows::MaxUnavailable(0)));
    let path = format!("{}/eviction", b.pod(0));
    let (status, no_room) = b.post(&path, json!({})).await;
    assert_eq!((status, &no_room["details"]["causes"][0]["reason"]), (429, &json!("DisruptionBudget")));
    assert!(no_room["details"].get("retryAfterSeconds").is_none());
    b.world.budget_behind(&b.cluster, "default", "web", SignedDuration::from_secs(60));
    let (status, behind) = b.post(&path, json!({})).await;
    assert_eq!((status, &behind["details"]["retryAfterSeconds"]), (429, &json!(10)));
    b.world.add_pdb(&b.cluster, PdbSpec { name: "two".into(), ..PdbSpec::new("web", Allows::MaxUnavailable(0)) });
    let (status, many) = b.post(&path, json!({})).await;
    assert!(status == 500 && many["message"].as_str().unwrap().contains("more than one PodDisruptionBudget"));
}

#[tokio::test]
async fn an_eviction_needs_the_right_uid_and_a_dry_one_changes_nothing() {
    let b = bench().await;
    let path = format!("{}/eviction", b.pod(0));
    let wrong = json!({"deleteOptions": {"preconditions": {"uid": "other"}}});
    assert_eq!(b.post(&path, wrong).await.0, 409);
    assert_eq!(b.post(&format!("{path}?dryRun=All"), json!({})).await.0, 201);
    assert!(b.world.pods(&b.cluster).iter().all(|pod| pod.deletion_at.is_none()));
    assert_eq!(b.post(&path, json!({})).await.0, 201);
    assert!(b.get(&b.pod(0)).await.1["metadata"]["deletionTimestamp"].is_string());
    assert_eq!(b.post("/api/v1/namespaces/default/pods/none/eviction", json!({})).await.0, 404);
}

#[tokio::test]
async fn a_json_patch_is_all_or_nothing_and_takes_missing_for_null() {
    let b = bench().await;
    let uid = b.world.nodes(&b.cluster)[0].uid.to_string();
    let taint = json!({"key": "cloudoptim.io/disrupted", "effect": "NoSchedule"});
    let cordon = json!([
        {"op": "test", "path": "/metadata/uid", "value": uid},
        {"op": "test", "path": "/spec/taints", "value": null},
        {"op": "add", "path": "/spec/unschedulable", "value": true},
        {"op": "add", "path": "/spec/taints", "value": [taint]},
        {"op": "add", "path": "/metadata/annotations/cloudoptim.io~1cordoned-by", "value": "p-1"},
    ]);
    let (status, node) = b.patch(&b.node(), "json-patch", cordon.clone()).await;
    assert_eq!((status, &node["metadata"]["annotations"][CORDONED_BY]), (200, &json!("p-1")));
    assert!(b.world.nodes(&b.cluster)[0].unschedulable);
    assert_eq!(b.patch(&b.node(), "json-patch", cordon).await.0, 422, "the taints are others now");
}

#[tokio::test]
async fn a_merge_patch_of_an_old_version_or_another_uid_is_a_conflict() {
    let b = bench().await;
    let version = b.get(&b.node()).await.1["metadata"]["resourceVersion"].clone();
    let patch = json!({"metadata": {"resourceVersion": version}, "spec": {"unschedulable": true}});
    assert_eq!(b.patch(&b.node(), "merge-patch", patch.clone()).await.0, 200);
    assert_eq!(b.patch(&b.node(), "strategic-merge-patch", patch).await.0, 409);
    let patch = json!({"metadata": {"uid": "other"}});
    assert_eq!(b.patch(&b.node(), "merge-patch", patch.clone()).await.0, 409);
    assert_eq!(b.call("DELETE", &b.node(), "application/json", &json!({"preconditions": {"uid": "other"}})).await.0, 409);
    assert_eq!(b.call("DELETE", &b.node(), "", &Value::Null).await.0, 200);
    assert_eq!(b.world.nodes(&b.cluster).len(), 1);
}

#[tokio::test]
async fn workloads_are_scaled_through_both_doors() {
    let b = bench().await;
    let web = "/apis/apps/v1/namespaces/default/deployments/web";
    let (status, scale) = b.patch(&format!("{web}/scale"), "merge-patch", json!({"spec": {"replicas": 1}})).await;
    assert_eq!((status, &scale["kind"], &scale["spec"]["replicas"]), (200, &json!("Scale"), &json!(1)));
    assert_eq!(b.patch(web, "merge-patch", json!({"spec": {"replicas": 2}})).await.1["spec"]["replicas"], 2);
    assert_eq!(b.get(&format!("{web}/scale")).await.1["spec"]["replicas"], 2);
    assert_eq!(b.get("/apis/apps/v1/replicasets").await.1["items"].as_array().unwrap().len(), 1);
    assert_eq!(b.get("/apis/metrics.k8s.io/v1beta1/nodes").await.1["items"].as_array().unwrap().len(), 2);
}

#[tokio::test]
async fn a_denied_right_is_forbidden_and_the_review_says_so() {
    let b = bench().await;
    b.world.deny(&b.cluster, "create", "pods/eviction");
    assert_eq!(b.post(&format!("{}/eviction", b.pod(0)), json!({})).await.1["reason"], "Forbidden");
    let review = |verb: &str| json!({"spec": {"resourceAttributes": {"verb": verb, "resource": "pods", "subresource": "eviction"}}});
    let path = "/apis/authorization.k8s.io/v1/selfsubjectaccessreviews";
    assert_eq!(b.post(path, review("create")).await.1["status"]["allowed"], false);
    assert_eq!(b.post(path, review("get")).await.1["status"]["allowed"], true);
}

#[tokio::test]
async fn a_watch_replays_what_happened_since_its_version() {
    let b = bench().await;
    let version = b.get("/api/v1/nodes").await.1["metadata"]["resourceVersion"].as_str().unwrap().to_owned();
    b.patch(&b.node(), "merge-patch", json!({"spec": {"unschedulable": true}})).await;
    let (status, lines) =
        b.raw("GET", &format!("/api/v1/nodes?watch=true&timeoutSeconds=1&resourceVersion={version}"), "secret", "", "").await;
    assert_eq!(status, 200);
    let first: Value = serde_json::from_str(lines.lines().find(|line| line.starts_with('{')).unwrap()).unwrap();
    assert_eq!((&first["type"], &first["object"]["spec"]["unschedulable"]), (&json!("MODIFIED"), &json!(true)));
    let (_, lines) = b.raw("GET", "/api/v1/nodes?watch=1&timeoutSeconds=1&resourceVersion=1", "secret", "", "").await;
    assert!(lines.contains("\"code\":410"));
}

#[tokio::test]
async fn ports_and_server_show_the_same_world() {
    let b = bench().await;
    let node = b.world.nodes(&b.cluster)[0].clone();
    b.world.human_terminates(&node.instance().unwrap());
    let (_, served) = b.get(&b.node()).await;
    assert_eq!(served["status"]["conditions"][0]["status"], "Unknown");
    assert!(b.world.calls().get("node").is_some_and(|count| *count >= 1));
    let _: &dyn Cloud = b.world.as_ref();
}
