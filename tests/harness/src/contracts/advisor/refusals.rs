//! What a decision server does not answer.

use super::clusters::small;
use super::{KINDS, Target, path};
use domain::decision::DecisionType;
use runtime::http::Answer;
use secrecy::ExposeSecret;
use serde_json::{Value, json};

const PREDICT: &str = "/api/v1/ml/predict/spot-interruption";
const JSON: (&str, &str) = ("content-type", "application/json");

fn document(answer: &Answer) -> Value {
    assert_eq!(answer.media_type(), "application/problem+json");
    let document: Value = serde_json::from_slice(&answer.body).expect("a problem is JSON");
    assert_eq!(document["status"], json!(answer.status.as_u16()));
    assert!(document["type"].as_str().is_some_and(|kind| !kind.is_empty()) && document["detail"].is_string(), "{document}");
    document
}

fn refused(what: &str, answer: &Answer, status: u16) -> Value {
    assert_eq!(answer.status.as_u16(), status, "{what}: {}", String::from_utf8_lossy(&answer.body));
    document(answer)
}

/// Anyone may ask whether it runs and what it speaks.
pub async fn health_and_the_document_are_open(target: &Target) {
    let health = target.send("GET", "/api/v1/ml/health", &[], Vec::new()).await;
    assert_eq!(health.status.as_u16(), 200);
    let health: Value = serde_json::from_slice(&health.body).unwrap();
    assert_eq!((&health["status"], &health["contract_version"]), (&json!("ok"), &json!(1)));
    let document = target.send("GET", "/api/v1/ml/openapi.json", &[], Vec::new()).await;
    let document: Value = serde_json::from_slice(&document.body).unwrap();
    assert!(document["openapi"].as_str().unwrap().starts_with("3.1"));
    for path in KINDS.map(path).iter().map(String::as_str).chain([PREDICT, "/api/v1/ml/health"]) {
        assert!(document["paths"].get(path).is_some(), "{path} is not in the document");
    }
}

/// Without the key nothing is answered, and nothing is said of the body.
pub async fn every_other_route_wants_the_key(target: &Target) {
    let near = format!("{}x", target.key.expose_secret());
    let bearer = format!("Bearer {near}");
    let wrong: [&[(&str, &str)]; 4] =
        [&[JSON], &[JSON, ("x-api-key", &near)], &[JSON, ("authorization", &bearer)], &[JSON, ("x-api-key", "")]];
    for path in KINDS.map(path).iter().map(String::as_str).chain([PREDICT]) {
        for headers in wrong {
            refused(path, &target.send("POST", path, headers, b"{}".to_vec()).await, 401);
        }
        let right = format!("Bearer {}", target.key.expose_secret());
        let answer = target.send("POST", path, &[JSON, ("authorization", &right)], b"{}".to_vec()).await;
        assert_ne!(answer.status.as_u16(), 401, "{path} does not take the key as a bearer's");
    }
}

/// Bodies that are no question.
pub async fn what_cannot_be_read_is_refused(target: &Target) {
    let gzip = ("content-encoding", "gzip");
    let path = path(DecisionType::BinPack);
    for (what, headers, body, status) in [
        ("no media type", vec![], b"{}".to_vec(), 415),
        ("another media type", vec![("content-type", "text/html")], b"{}".to_vec(), 415),
        ("another packing", vec![JSON, ("content-encoding", "br")], b"{}".to_vec(), 415),
        ("no gzip", vec![JSON, gzip], b"{}".to_vec(), 400),
        ("nothing", vec![JSON], Vec::new(), 400),
        ("half of it", vec![JSON], b"{\"version\":1,".to_vec(), 400),
        ("NaN", vec![JSON], b"{\"version\":NaN}".to_vec(), 400),
        ("fields that are missing", vec![JSON], b"{\"version\":1}".to_vec(), 422),
    ] {
        refused(what, &target.post(&path, &headers, body).await, status);
    }
    let packed = runtime::gzip::pack(&serde_json::to_vec(&small(1, DecisionType::BinPack)).unwrap()).unwrap();
    refused("a gzip that is cut off", &target.post(&path, &[JSON, gzip], packed[..packed.len() - 9].to_vec()).await, 400);
    refused("no route", &target.post("/api/v1/ml/decision/anything", &[JSON], b"{}".to_vec()).await, 404);
    refused("no method", &target.send("GET", &path, &[("x-api-key", target.key.expose_secret())], Vec::new()).await, 405);
}

/// Questions that cannot be meant.
pub async fn what_contradicts_itself_is_refused(target: &Target) {
    let cases: [(&str, &str, Value); 6] = [
        ("another version", "/version", json!(999)),
        ("another version of the snapshot", "/snapshot/version", json!(999)),
        ("another cluster", "/snapshot/cluster", json!("somebody-elses")),
        ("another kind", "/decision_type", json!("rightsize")),
        ("a class that is not there", "/snapshot/nodes/0/pods", json!([{ "class": 4_000_000_000_u32, "count": 1 }])),
        ("a wrong identifier", "/snapshot/nodes/0/instance", json!("i-NOT")),
    ];
    for (what, pointer, value) in cases {
        let mut body = serde_json::to_value(small(1, DecisionType::BinPack)).unwrap();
        *body.pointer_mut(pointer).unwrap() = value;
        let answer = target.post(&path(DecisionType::BinPack), &[JSON], body.to_string().into_bytes()).await;
        let problem = refused(what, &answer, 422);
        assert!(problem.get("request_id").is_some(), "{what}: {problem}");
    }
    for horizon in [0, 43_201] {
        let body =
            json!({ "region": "us-east-1", "pools": [{ "instance_type": "m6i.large", "zone": "us-east-1a" }], "horizon_minutes": horizon });
        refused("a horizon", &target.post(PREDICT, &[JSON], body.to_string().into_bytes()).await, 422);
    }
}

/// More than may come, packed and plain.
pub async fn a_bomb_is_refused(target: &Target) {
    let bomb = runtime::gzip::pack(&vec![b' '; 200_000_000]).unwrap();
    assert!(bomb.len() < 6_000_000);
    for headers in [[JSON, ("content-encoding", "gzip")], [("content-type", "application/gzip"), ("accept", "*/*")]] {
        refused("a bomb", &target.post(&path(DecisionType::BinPack), &headers, bomb.clone()).await, 413);
    }
    let answer = target.post(&path(DecisionType::BinPack), &[JSON], vec![b' '; 6_500_000]).await;
    refused("6.5 MB as they are", &answer, 413);
}
