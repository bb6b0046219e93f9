//! The decision server through the API: what is handed on, what comes back, and what does not.

use super::support::{Bench, request};
use axum::Router;
use axum::body::Bytes;
use axum::extract::Request;
use axum::response::{IntoResponse, Response};
use gate::Gate;
use http::{Method, StatusCode, header};
use runtime::advisor::Connection;
use runtime::http::Limits;
use secrecy::SecretString;
use serde_json::json;
use std::sync::{Arc, Mutex};
use std::time::Duration;

const THEIR_KEY: &str = "the-key-of-the-decision-server";
const HEALTH: &str = "/api/v1/ml/health";
const PREDICT: &str = "/api/v1/ml/predict/spot-interruption";

type Heard = Arc<Mutex<Vec<(http::request::Parts, Bytes)>>>;

/// A server on this machine that remembers what it heard, and an API in front of it.
async fn behind(limits: Limits, says: impl Fn() -> Response + Clone + Send + Sync + 'static) -> (Bench, Heard) {
    let heard = Heard::default();
    let ear = heard.clone();
    let all = move |request: Request| {
        let (ear, says) = (ear.clone(), says.clone());
        async move {
            let (parts, body) = request.into_parts();
            let body = axum::body::to_bytes(body, usize::MAX).await.unwrap();
            ear.lock().unwrap().push((parts, body));
            says()
        }
    };
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("http://{}", listener.local_addr().unwrap());
    tokio::spawn(async move { axum::serve(listener, Router::new().fallback(all)).await });
    let connection = Connection::new(&url, &SecretString::from(THEIR_KEY), limits, &Gate::this_machine()).unwrap();
    (Bench::with(Some(Arc::new(connection))).await, heard)
}

fn limits() -> Limits {
    Limits { whole_s: 1, wire_bytes_max: 50_000, plain_bytes_max: 50_000, ..Limits::default() }
}

fn answered(status: StatusCode, media: &'static str, body: &str) -> Response {
    (status, [(header::CONTENT_TYPE, media)], body.to_owned()).into_response()
}

/// What a server says of something that has a version.
fn versioned() -> Response {
    let mut answer = answered(StatusCode::OK, "application/json", "{}");
    answer.headers_mut().insert(header::ETAG, http::HeaderValue::from_static("\"4\""));
    answer
}

#[tokio::test]
async fn a_question_is_handed_on_with_the_servers_own_key_and_never_with_the_callers() {
    let (bench, heard) = behind(limits(), || answered(StatusCode::OK, "application/json", "[1]")).await;
    let more = [("x-api-key", "acme-viewer"), ("cookie", "a=b"), ("idempotency-key", "k-1"), ("x-forwarded-for", "10.0.0.1")];
    for _ in 0..2 {
        let answer = bench.call("acme-viewer", Method::POST, &format!("{PREDICT}?a=b"), &more, Some(&json!({ "region": "x" }))).await;
        assert_eq!((answer.status, answer.text.as_str()), (StatusCode::OK, "[1]"));
    }
    let heard = heard.lock().unwrap();
    assert_eq!(heard.len(), 2, "a question is no command: it is not kept for its Idempotency-Key");
    let (parts, body) = &heard[0];
    assert_eq!(
        (parts.method.clone(), parts.uri.to_string(), &body[..]),
        (Method::POST, format!("{PREDICT}?a=b"), &br#"{"region":"x"}"#[..])
    );
    assert_eq!(parts.headers.get_all("x-api-key").iter().collect::<Vec<_>>(), [THEIR_KEY]);
    assert!(parts.headers.values().all(|value| !value.as_bytes().windows(11).any(|part| part == b"acme-viewer")), "{:?}", parts.headers);
    for name in ["authorization", "cookie", "idempotency-key", "x-forwarded-for"] {
        assert!(parts.headers.get(name).is_none(), "{name}");
    }
    assert_eq!(parts.headers["content-type"], "application/json");
}

#[tokio::test]
async fn what_the_request_did_wrong_comes_back_as_the_server_said_it() {
    let document = r#"{"code":"invalid-request","detail":"no","status":422}"#;
    let (bench, _) = behind(limits(), move || answered(StatusCode::UNPROCESSABLE_ENTITY, "application/problem+json", document)).await;
    let answer = bench.post("acme-operator", "/api/v1/ml/decision/bin-pack", &json!({})).await;
    assert_eq!((answer.status, answer.text.as_str()), (StatusCode::UNPROCESSABLE_ENTITY, document));
    assert_eq!(answer.header("content-type"), "application/problem+json");
}

#[tokio::test]
async fn every_fault_of_the_server_is_a_problem_of_ours_and_tells_nothing_of_its_inside() {
    let cases: [(StatusCode, &str, &str, u16, &str); 9] = [
        (StatusCode::UNAUTHORIZED, "application/problem+json", r#"{"detail":"secret"}"#, 502, "ml-server-unauthorized"),
        (StatusCode::FORBIDDEN, "text/html", "secret", 502, "ml-server-unauthorized"),
        (StatusCode::TOO_MANY_REQUESTS, "text/html", "secret", 503, "ml-server-busy"),
        (StatusCode::INTERNAL_SERVER_ERROR, "application/problem+json", r#"{"detail":"secret"}"#, 502, "ml-server-failed"),
        (StatusCode::FOUND, "text/html", "secret", 502, "ml-server-failed"),
        (StatusCode::OK, "text/html", "<script>secret</script>", 502, "ml-server-failed"),
        (StatusCode::OK, "application/json", "{secret", 502, "ml-server-failed"),
        (StatusCode::BAD_REQUEST, "text/html", "<script>secret</script>", 502, "ml-server-failed"),
        (StatusCode::NO_CONTENT, "application/json", "", 502, "ml-server-failed"),
    ];
    for (status, media, body, ours, code) in cases {
        let (bench, _) = behind(limits(), move || answered(status, media, body)).await;
        let answer = bench.get("acme-viewer", HEALTH).await;
        assert_eq!((answer.status.as_u16(), answer.code().as_str()), (ours, code), "{status} {media}");
        assert_eq!(answer.header("content-type"), "application/problem+json");
        assert!(!answer.text.contains("secret"), "{}", answer.text);
    }
}

#[tokio::test]
async fn a_server_that_is_down_slow_or_endless_is_a_problem_document_too() {
    let gone = Connection::new("http://127.0.0.1:9", &SecretString::from(THEIR_KEY), limits(), &Gate::this_machine()).unwrap();
    let answer = Bench::with(Some(Arc::new(gone))).await.get("acme-viewer", HEALTH).await;
    assert_eq!((answer.status.as_u16(), answer.code().as_str()), (502, "ml-server-unreachable"));

    let (bench, _) = behind(limits(), || answered(StatusCode::OK, "application/json", &format!("\"{}\"", "x".repeat(60_000)))).await;
    let answer = bench.get("acme-viewer", HEALTH).await;
    assert_eq!((answer.status.as_u16(), answer.code().as_str()), (502, "ml-server-answer-too-large"));

    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("http://{}", listener.local_addr().unwrap());
    let hangs = Connection::new(&url, &SecretString::from(THEIR_KEY), limits(), &Gate::this_machine()).unwrap();
    let bench = Bench::with(Some(Arc::new(hangs))).await;
    let answer = tokio::time::timeout(Duration::from_secs(10), bench.get("acme-viewer", HEALTH)).await.unwrap();
    assert_eq!((answer.status.as_u16(), answer.code().as_str()), (504, "ml-server-slow"));

    let answer = Bench::new().await.get("acme-viewer", HEALTH).await;
    assert_eq!((answer.status.as_u16(), answer.code().as_str()), (503, "no-ml-server"));
}

#[tokio::test]
async fn only_the_paths_of_the_table_are_open_and_none_climbs() {
    let (bench, heard) = behind(limits(), || answered(StatusCode::OK, "application/json", "{}")).await;
    for path in
        ["/api/v1/ml/outcomes", "/api/v1/ml/models/a/b", "/api/v1/ml/predict/a/b", "/api/v1/ml/predict/%2e%2e", "/api/v1/ml/predict/a%2fb"]
    {
        let answer = bench.send(request("acme-admin", Method::POST, path, &[], Some(&json!({})))).await;
        assert_eq!(answer.status, StatusCode::NOT_FOUND, "{path}");
    }
    let large = json!("x".repeat(6_100_000));
    let answer = bench.post("acme-operator", "/api/v1/ml/decision/bin-pack", &large).await;
    assert_eq!((answer.status.as_u16(), answer.code().as_str()), (413, "body-too-large"));
    assert!(heard.lock().unwrap().is_empty());
}

#[tokio::test]
async fn what_concerns_every_customer_is_for_whoever_runs_the_control_plane_who_is_named() {
    let (bench, heard) = behind(limits(), versioned).await;
    let managed: Vec<(Method, String)> = crate::routes::TABLE
        .iter()
        .filter(|route| route.path.starts_with("/api/v1/ml/") && route.access == crate::routes::Access::Needs(domain::tenant::Role::Admin))
        .map(|route| (route.method.clone(), route.path.replace("{id}", "m-0123456789abcdef")))
        .collect();
    assert_eq!(managed.len(), 13, "{managed:?}");
    for (method, path) in &managed {
        let body = json!({});
        let body = (*method != Method::GET).then_some(&body);
        let answer = bench.call("acme-admin", method.clone(), path, &[], body).await;
        assert_eq!((answer.status, answer.code().as_str()), (StatusCode::FORBIDDEN, "forbidden"), "{method} {path}");
        assert!(heard.lock().unwrap().is_empty());
        let answer = bench.call(super::support::BOOTSTRAP, method.clone(), path, &[("x-asked-by", "somebody else")], body).await;
        assert_eq!(answer.status, StatusCode::OK, "{method} {path}: {}", answer.text);
        let parts = heard.lock().unwrap().pop().unwrap().0;
        assert_eq!((&parts.method, parts.uri.path()), (method, path.as_str()));
        let named: Vec<&http::HeaderValue> = parts.headers.get_all("x-asked-by").iter().collect();
        assert!(named.len() == 1 && named[0].to_str().unwrap().contains("bootstrap"), "{named:?}");
    }
    let trail = bench.get(super::support::BOOTSTRAP, "/api/v1/audit").await;
    assert!(trail.text.contains("/api/v1/ml/models/{id}/activate"), "what was changed stands in the trail: {}", trail.text);
}

#[tokio::test]
async fn a_version_travels_there_and_back() {
    let (bench, heard) = behind(limits(), versioned).await;
    let path = "/api/v1/ml/refresh/schedule";
    assert_eq!(bench.get("acme-viewer", path).await.header("etag"), "\"4\"");
    let body = json!({ "spot_prices_minutes": 5 });
    let answer = bench.call(super::support::BOOTSTRAP, Method::PUT, path, &[("if-match", "\"3\"")], Some(&body)).await;
    assert_eq!((answer.status, answer.header("etag")), (StatusCode::OK, "\"4\""));
    assert_eq!(heard.lock().unwrap()[1].0.headers["if-match"], "\"3\"");
}

#[tokio::test]
async fn a_large_model_is_handed_on() {
    let (bench, heard) = behind(limits(), || answered(StatusCode::OK, "application/json", "{}")).await;
    let model = json!({ "name": "large", "onnx_base64": "A".repeat(4_000_000) });
    let answer = bench.post(super::support::BOOTSTRAP, "/api/v1/ml/models", &model).await;
    assert_eq!(answer.status, StatusCode::OK, "{}", answer.text);
    assert!(heard.lock().unwrap()[0].1.len() > 4_000_000);
}

/// Whoever has the address may put a file there: it is told once, to whoever asked.
#[tokio::test]
async fn the_address_of_an_upload_is_kept_neither_in_the_trail_nor_for_its_idempotency_key() {
    let begun = || {
        let body = r#"{"upload_id":"u-1","url":"https://bucket/uploads/u-1?X-Amz-Signature=5ec7e7","method":"PUT"}"#;
        let mut answer = answered(StatusCode::OK, "application/json", body);
        answer.headers_mut().insert(header::CACHE_CONTROL, http::HeaderValue::from_static("no-store"));
        answer
    };
    let (bench, heard) = behind(limits(), begun).await;
    let ask = async || {
        let key = [("idempotency-key", "once")];
        bench.call(super::support::BOOTSTRAP, Method::POST, "/api/v1/ml/models/uploads", &key, Some(&json!({ "bytes": 7 }))).await
    };
    let (first, again) = (ask().await, ask().await);
    assert!(first.text.contains("5ec7e7") && first.header("cache-control") == "no-store", "{}", first.text);
    assert!(!again.text.contains("5ec7e7") && again.text.contains("ask for another upload"), "{}", again.text);
    assert_eq!(heard.lock().unwrap().len(), 1);
    let trail = bench.get(super::support::BOOTSTRAP, "/api/v1/audit").await.text;
    assert!(trail.contains("POST /api/v1/ml/models/uploads") && !trail.contains("5ec7e7"), "{trail}");
    let row = &serde_json::from_str::<serde_json::Value>(&trail).unwrap()["items"][0];
    assert!(row["by"].as_str().is_some_and(|by| !by.is_empty()), "who asked: {row}");
}
