use super::support::{Bench, request};
use crate::problem::{MANNERS, Problem, render};
use axum::Router;
use axum::body::{Body, to_bytes};
use axum::middleware::from_fn_with_state;
use axum::routing::get;
use domain::SignedDuration;
use domain::ports::{ClusterError, StoreError};
use http::{Method, Request, StatusCode};
use serde_json::{Value, json};
use tower::ServiceExt;

#[tokio::test]
async fn every_error_is_a_problem_document_that_says_what_to_do() {
    let bench = Bench::new().await;
    let clusters = "/api/v1/admin/clusters";
    let raw = |content_type: &str, body: String| {
        let request = Request::builder().method(Method::POST).uri(clusters).header("authorization", "Bearer acme-admin");
        request.header("content-type", content_type).body(Body::from(body)).unwrap()
    };
    let json = "application/json";
    let get = |path: &str| request("acme-admin", Method::GET, path, &[], None);
    let deep = Request::builder().method(Method::POST).uri("/api/v1/events/process").header("x-api-key", "acme-admin");
    let deep = deep.header("content-type", json).body(Body::from("{\"a\":".repeat(100_000))).unwrap();
    let cases = [
        (get("/nowhere"), 404, "no-such-route"),
        (get("/api/v1/admin/clusters/"), 404, "no-such-route"),
        (request("acme-admin", Method::PATCH, clusters, &[], None), 405, "method-not-allowed"),
        (get("/api/v1/admin/clusters/c-nowhere"), 404, "not-found"),
        (get("/api/v1/admin/clusters/%2e%2e%2fx"), 404, "not-found"),
        (get("/api/v1/admin/clusters/%ff"), 400, "bad-request"),
        (get("/api/v1/operations/x%23y"), 404, "not-found"),
        (get("/api/v1/admin/clusters?limit=0"), 400, "invalid-limit"),
        (get("/api/v1/admin/clusters?limit=201"), 400, "invalid-limit"),
        (get("/api/v1/admin/clusters?cursor=%21"), 400, "invalid-cursor"),
        (get("/api/v1/events/history?cursor=YWJj"), 400, "invalid-cursor"),
        (raw("text/plain", "{}".to_owned()), 415, "not-json"),
        (raw(json, "{".to_owned()), 400, "malformed-json"),
        (raw(json, "\u{feff}{}".to_owned()), 400, "malformed-json"),
        (raw(json, "[".repeat(100_000)), 422, "invalid-body"),
        (deep, 400, "malformed-json"),
        (raw(json, "{} {}".to_owned()), 422, "invalid-body"),
        (raw(json, "[]".to_owned()), 422, "invalid-body"),
        (raw(json, format!("\"{}\"", "x".repeat(1024 * 1024))), 413, "body-too-large"),
    ];
    for (request, status, code) in cases {
        let what = format!("{} {}", request.method(), request.uri());
        let answer = bench.send(request).await;
        assert_eq!((answer.status.as_u16(), answer.code().as_str()), (status, code), "{what}: {}", answer.text);
        let document = answer.json();
        assert_eq!(answer.header("content-type"), "application/problem+json", "{what}");
        assert_eq!(document["status"], status, "{what}");
        for member in ["type", "title", "detail", "instance"] {
            assert!(document[member].as_str().is_some_and(|text| !text.is_empty()), "{what} has no {member}: {document}");
        }
    }
}

#[tokio::test]
async fn a_path_that_does_not_take_a_method_says_which_it_takes() {
    let bench = Bench::new().await;
    let answer = bench.call("acme-admin", Method::PATCH, "/api/v1/admin/clusters", &[], None).await;
    assert!(answer.header("allow").contains("GET") && answer.header("allow").contains("POST"), "{:?}", answer.headers);
}

#[tokio::test]
async fn a_token_in_the_wrong_place_is_not_sent_back() {
    let bench = Bench::new().await;
    let body = json!({ "cluster_name": { "k8s_token": "eyJ-secret" }, "region": "us-east-1" });
    let answer = bench.post("acme-admin", "/api/v1/admin/clusters", &body).await;
    assert_eq!(answer.status, StatusCode::UNPROCESSABLE_ENTITY);
    assert!(!answer.text.contains("eyJ-secret"), "{}", answer.text);
}

#[tokio::test]
async fn each_trouble_with_a_cluster_has_a_code_and_an_advice_and_hides_what_the_cluster_said() {
    let after = Some(SignedDuration::from_secs(7));
    for (error, status, code, advice) in [
        (ClusterError::Unreachable("10.1.2.3 refused".to_owned()), 502, "cluster-unreachable", "k8s_api_endpoint"),
        (ClusterError::Unauthorized, 502, "cluster-unauthorized", "k8s_token"),
        (ClusterError::Forbidden("list nodes\u{1b}[0m".to_owned()), 502, "cluster-forbidden", "list nodes"),
        (ClusterError::Gone, 404, "object-unknown", "List what it has"),
        (ClusterError::Conflict, 409, "changed-meanwhile", "Try again"),
        (ClusterError::Overloaded(after), 503, "cluster-overloaded", "Retry-After"),
        (ClusterError::Refused("10.1.2.3 said <html>".to_owned()), 502, "cluster-refused", "k8s_ca"),
    ] {
        let answer = answered(Problem::from(error)).await;
        assert_eq!((answer.0, answer.1["code"].as_str()), (status, Some(code)));
        let text = answer.1.to_string();
        assert!(text.contains(advice) && !text.contains("10.1.2.3") && !text.contains("u001b"), "{text}");
    }
}

#[tokio::test]
async fn trouble_with_the_table_says_when_to_try_again() {
    for (error, status, code) in [
        (StoreError::Throttled, 503, "store-throttled"),
        (StoreError::Ambiguous("arn:aws:dynamodb secret".to_owned()), 503, "store-not-answering"),
        (StoreError::Conflict, 409, "changed-meanwhile"),
        (StoreError::Corrupt("secret".to_owned()), 500, "internal"),
        (StoreError::Refused("secret".to_owned()), 500, "internal"),
    ] {
        let answer = answered(Problem::from(error)).await;
        assert_eq!((answer.0, answer.1["code"].as_str()), (status, Some(code)));
        assert_eq!(answer.2, status == 503, "{code}");
        assert!(!answer.1.to_string().contains("secret"), "{}", answer.1);
    }
}

/// A problem as it goes out: status, document, whether it says when to try again.
async fn answered(problem: Problem) -> (u16, Value, bool) {
    let router = Router::new().route("/", get(move || std::future::ready(problem.clone()))).layer(from_fn_with_state(MANNERS, render));
    let response = router.oneshot(request("", Method::GET, "/", &[], None)).await.unwrap();
    let (status, again) = (response.status().as_u16(), response.headers().contains_key("retry-after"));
    let body = to_bytes(response.into_body(), usize::MAX).await.unwrap();
    (status, serde_json::from_slice(&body).unwrap(), again)
}

#[tokio::test]
async fn a_disabled_key_service_stores_nothing_and_tells_no_inside() {
    let bench = Bench::new().await;
    bench.vault.disable(true);
    let answer = bench.post("acme-admin", "/api/v1/admin/clusters", &super::support::printed()).await;
    assert_eq!((answer.status, answer.code().as_str()), (StatusCode::INTERNAL_SERVER_ERROR, "internal"));
    assert!(!answer.text.contains("disabled"), "{}", answer.text);
    assert_eq!(bench.get("acme-admin", "/api/v1/admin/clusters").await.json()["items"].as_array().unwrap().len(), 1);
}
