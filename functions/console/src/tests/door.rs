//! Signing in and out.

use super::support::{Bench, customer};
use crate::session::{LASTS, hash_of};
use axum::body::Body;
use domain::ports::Registry;
use domain::tenant::{ApiKey, Role};
use http::{Method, Request, StatusCode};

#[tokio::test]
async fn a_key_signs_in_and_is_not_in_the_cookie() {
    let bench = Bench::empty().await;
    let answer = bench.post("", "/console/sign-in", &[("key", " acme-admin "), ("next", "/console/plans?x=1")]).await;
    assert_eq!((answer.status, answer.header("location")), (StatusCode::SEE_OTHER, "/console/plans?x=1"));
    let cookie = answer.header("set-cookie");
    for must in ["HttpOnly", "SameSite=Strict", "Secure", "Path=/console"] {
        assert!(cookie.contains(must), "{cookie}");
    }
    assert!(!cookie.contains("acme-admin"));
}

#[tokio::test]
async fn a_wrong_key_opens_nothing_and_no_other_site_is_gone_to() {
    let bench = Bench::empty().await;
    for key in ["", "nobody", &"x".repeat(2_000)] {
        let answer = bench.post("", "/console/sign-in", &[("key", key)]).await;
        assert_eq!((answer.status, answer.header("set-cookie")), (StatusCode::UNAUTHORIZED, ""));
    }
    for next in ["https://evil.example", "//evil.example", "/\\evil.example", "/console\\@evil", "/api"] {
        let answer = bench.post("", "/console/sign-in", &[("key", "acme-admin"), ("next", next)]).await;
        assert_eq!(answer.header("location"), "/console", "{next}");
    }
    let foreign = Request::builder().method(Method::POST).uri("/console/sign-in").header("sec-fetch-site", "cross-site");
    let answer = bench.send(foreign.body(Body::from("key=acme-admin")).unwrap()).await;
    assert_eq!(answer.status, StatusCode::FORBIDDEN, "another site signs nobody in");
}

#[tokio::test(start_paused = true)]
async fn a_session_ends_with_its_time_its_key_or_a_changed_byte() {
    let bench = Bench::empty().await;
    let cookie = bench.enter("acme-viewer").await;
    assert_eq!(bench.get(&cookie, "/console").await.status, StatusCode::OK);
    let mut forged = cookie.clone().into_bytes();
    let at = forged.iter().position(|byte| *byte == b'=').unwrap() + 5;
    forged[at] = if forged[at] == b'0' { b'1' } else { b'0' };
    let forged = String::from_utf8(forged).unwrap();
    assert_eq!(bench.get(&forged, "/console").await.status, StatusCode::SEE_OTHER);
    let revoked = ApiKey {
        id: "acme-viewer".to_owned(),
        hash: hash_of("acme-viewer").unwrap(),
        customer: customer("acme"),
        role: Role::Viewer,
        label: "acme-viewer".to_owned(),
        expires_at: None,
        revoked: true,
        created_at: None,
    };
    bench.store.put_api_key(&revoked).await.unwrap();
    assert_eq!(bench.get(&cookie, "/console").await.status, StatusCode::SEE_OTHER, "its key was revoked");
    let admin = bench.enter("acme-admin").await;
    tokio::time::advance(LASTS.unsigned_abs()).await;
    assert_eq!(bench.get(&admin, "/console").await.status, StatusCode::SEE_OTHER, "its time is over");
}

#[tokio::test]
async fn whoever_signs_out_is_out_and_a_page_that_looks_again_is_led_to_the_door() {
    let bench = Bench::empty().await;
    let cookie = bench.enter("acme-viewer").await;
    let out = bench.act(&cookie, "/console/sign-out", &[]).await;
    assert!(out.header("set-cookie").contains("Max-Age=0") && out.header("location") == "/console/sign-in");
    let live = bench.send(Request::builder().uri("/console/plans").header("hx-request", "true").body(Body::empty()).unwrap()).await;
    assert_eq!(live.header("hx-redirect"), "/console/sign-in?next=%2Fconsole%2Fplans");
}

#[tokio::test]
async fn files_are_kept_for_ever_under_their_version_and_not_found_under_another() {
    let bench = Bench::empty().await;
    let path = |version: &str| format!("/console/assets/{version}/console.css");
    let file = bench.get("", &path(crate::assets::version())).await;
    assert_eq!((file.status, file.header("content-type")), (StatusCode::OK, "text/css; charset=utf-8"));
    assert!(file.header("cache-control").contains("immutable"));
    assert_eq!(bench.get("", &path("0")).await.status, StatusCode::NOT_FOUND);
}
