//! Who gets in.

use super::support::{BIN_PACK, KEY, PREDICT, deps, post, question, send, server};
use crate::routes::{Access, TABLE};
use crate::{Key, Limits, router};
use axum::body::Body;
use http::{Method, Request, StatusCode};
use std::sync::Arc;

fn with(method: Method, path: &str, headers: &[(&str, &str)]) -> Request<Body> {
    let request = Request::builder().method(method).uri(path);
    headers.iter().fold(request, |request, (name, value)| request.header(*name, *value)).body(Body::empty()).unwrap()
}

#[tokio::test]
async fn whatever_is_not_the_key_is_kept_out_of_every_route_that_needs_one() {
    let server = server(Limits::default(), 1);
    let wrong: [&[(&str, &str)]; 10] = [
        &[],
        &[("x-api-key", "")],
        &[("x-api-key", "nothing")],
        &[("x-api-key", "the-right-ke")],
        &[("x-api-key", "the-right-key2")],
        &[("authorization", "Bearer nothing")],
        &[("authorization", "Bearer")],
        &[("authorization", "Basic the-right-key")],
        &[("authorization", "the-right-key")],
        &[("x-api-key", KEY), ("authorization", "Bearer nothing")],
    ];
    for route in TABLE.iter().filter(|route| route.access == Access::Key) {
        let (method, path) = (&route.method, route.path);
        for headers in wrong {
            let answer = send(&server, with(method.clone(), path, headers)).await;
            assert_eq!((answer.status, answer.code().as_str()), (StatusCode::UNAUTHORIZED, "unauthorized"), "{path} {headers:?}");
            assert!(answer.header("www-authenticate").starts_with("Bearer"), "{path}");
        }
        for headers in [[("x-api-key", KEY)], [("authorization", "Bearer the-right-key")], [("authorization", "bearer the-right-key")]] {
            assert_ne!(send(&server, with(method.clone(), path, &headers)).await.status, StatusCode::UNAUTHORIZED, "{path} {headers:?}");
        }
    }
}

#[tokio::test]
async fn without_a_key_of_its_own_the_server_lets_nobody_in() {
    let server = router(Arc::new(deps(Vec::new(), Limits::default(), 1)));
    let answer = send(&server, post(BIN_PACK, &[("content-type", "application/json")], question().to_string().into_bytes())).await;
    assert_eq!(answer.status, StatusCode::UNAUTHORIZED);
}

#[tokio::test]
async fn two_keys_are_accepted_while_one_takes_the_place_of_the_other() {
    let server = router(Arc::new(deps(vec![Key::of("old"), Key::of("new")], Limits::default(), 1)));
    for (key, status) in
        [("old", StatusCode::UNSUPPORTED_MEDIA_TYPE), ("new", StatusCode::UNSUPPORTED_MEDIA_TYPE), ("x", StatusCode::UNAUTHORIZED)]
    {
        assert_eq!(send(&server, with(Method::POST, PREDICT, &[("x-api-key", key)])).await.status, status, "{key}");
    }
}

#[tokio::test]
async fn health_and_the_contract_are_open() {
    let server = server(Limits::default(), 1);
    let health = send(&server, with(Method::GET, "/api/v1/ml/health", &[])).await;
    assert_eq!(health.json(), serde_json::json!({ "status": "ok", "engine": "idle 1", "contract_version": 1 }));
    let contract = send(&server, with(Method::GET, "/api/v1/ml/openapi.json", &[])).await;
    assert_eq!((contract.status, contract.json()["openapi"].as_str()), (StatusCode::OK, Some("3.1.0")));
    assert_eq!(send(&server, with(Method::HEAD, "/api/v1/ml/health", &[])).await.status, StatusCode::OK);
}

#[tokio::test]
async fn other_paths_and_methods_are_closed() {
    let server = server(Limits::default(), 1);
    for path in
        ["/", "/health", "/api/v1/ml", "/api/v1/ml/decision/office-hours", "/api/v1/ml/decision/bin-pack/", "/api/v1/ml/decision/../health"]
    {
        let answer = send(&server, with(Method::GET, path, &[("x-api-key", KEY)])).await;
        assert_eq!((answer.status, answer.code().as_str()), (StatusCode::NOT_FOUND, "no-such-route"), "{path}");
    }
    for (method, path) in [(Method::GET, BIN_PACK), (Method::PUT, PREDICT), (Method::POST, "/api/v1/ml/health"), (Method::DELETE, BIN_PACK)]
    {
        let answer = send(&server, with(method.clone(), path, &[("x-api-key", KEY)])).await;
        assert_eq!((answer.status, answer.code().as_str()), (StatusCode::METHOD_NOT_ALLOWED, "method-not-allowed"), "{method} {path}");
    }
}

#[test]
fn a_key_is_never_printed() {
    assert_eq!(format!("{:?}", Key::of(KEY)), "Key(..)");
}
