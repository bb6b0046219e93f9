//! Signing in and out.

use super::support::{Bench, customer};
use crate::session::{LASTS, hash_of};
use async_trait::async_trait;
use axum::body::Body;
use data_encoding::BASE64URL_NOPAD;
use domain::ports::{Clock, Registry};
use domain::tenant::{ApiKey, Role};
use http::{Method, Request, StatusCode};
use ring::rand::SystemRandom;
use ring::signature::{ECDSA_P256_SHA256_FIXED_SIGNING, EcdsaKeyPair, KeyPair};
use runtime::web::issuer::{Issuer, KeySource};
use runtime::web::token::Expected;
use serde_json::{Value, json};
use std::sync::Arc;

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

struct List(Vec<u8>);

#[async_trait]
impl KeySource for List {
    async fn read(&self) -> Result<Vec<u8>, String> {
        Ok(self.0.clone())
    }
}

fn signed(key: &EcdsaKeyPair, body: &Value) -> String {
    let b64 = |bytes: &[u8]| BASE64URL_NOPAD.encode(bytes);
    let text = format!("{}.{}", b64(br#"{"alg":"ES256","kid":"e"}"#), b64(body.to_string().as_bytes()));
    let signature = key.sign(&SystemRandom::new(), text.as_bytes()).unwrap();
    format!("{text}.{}", b64(signature.as_ref()))
}

#[tokio::test(start_paused = true)]
async fn a_token_signs_in_with_its_role_is_in_no_cookie_and_the_session_is_over_with_it() {
    let (kind, random) = (&ECDSA_P256_SHA256_FIXED_SIGNING, SystemRandom::new());
    let key = EcdsaKeyPair::from_pkcs8(kind, EcdsaKeyPair::generate_pkcs8(kind, &random).unwrap().as_ref(), &random).unwrap();
    let point = key.public_key().as_ref();
    let (x, y) = (BASE64URL_NOPAD.encode(&point[1..33]), BASE64URL_NOPAD.encode(&point[33..]));
    let list = json!({ "keys": [{ "kty": "EC", "crv": "P-256", "kid": "e", "x": x, "y": y }] }).to_string().into_bytes();
    let expected = Expected { issuer: "https://id.example.com".to_owned(), audience: "cloudoptim".to_owned() };
    let bench = Bench::with(None, Some(Arc::new(Issuer::new(expected, Arc::new(List(list)))))).await;
    let now = bench.clock.now().as_second();
    let claims = |customer: &str, audience: &str, lasts: i64| {
        json!({ "iss": "https://id.example.com", "aud": audience, "sub": "ann", "iat": now, "exp": now + lasts,
                "cloudoptim_customer": customer, "cloudoptim_role": "viewer" })
    };
    for wrong in [claims("nobody", "cloudoptim", 600), claims("default", "another", 600), claims("default", "cloudoptim", -600)] {
        let answer = bench.post("", "/console/sign-in", &[("key", &signed(&key, &wrong))]).await;
        assert_eq!(answer.status, StatusCode::UNAUTHORIZED, "{wrong}");
    }
    let token = signed(&key, &claims("default", "cloudoptim", 600));
    let answer = bench.post("", "/console/sign-in", &[("key", &token)]).await;
    let cookie = answer.header("set-cookie").split(';').next().unwrap().to_owned();
    assert_eq!(answer.status, StatusCode::SEE_OTHER, "{}", answer.text);
    assert!(token.split('.').all(|part| !cookie.contains(part)), "no part of the token is in {cookie}");
    let page = bench.get(&cookie, "/console").await;
    assert!(page.status == StatusCode::OK && page.text.contains("<b>ann</b>"), "{}", page.text);
    assert_eq!(bench.act(&cookie, "/console/config/halt", &[("reason", "x")]).await.status, StatusCode::FORBIDDEN, "a viewer only looks");
    tokio::time::advance(std::time::Duration::from_secs(601)).await;
    assert_eq!(bench.get(&cookie, "/console").await.status, StatusCode::SEE_OTHER, "it is over with its token");
    let long = signed(
        &key,
        &json!({ "exp": now + 80_000, "iat": now + 601, "iss": "https://id.example.com", "aud": "cloudoptim", "sub": "ann",
                "cloudoptim_customer": "default", "cloudoptim_role": "viewer" }),
    );
    let answer = bench.post("", "/console/sign-in", &[("key", &long)]).await;
    assert!(answer.header("set-cookie").contains("Max-Age=3600"), "an hour at the latest: {}", answer.header("set-cookie"));
    let none = Bench::empty().await;
    assert_eq!(none.post("", "/console/sign-in", &[("key", &long)]).await.status, StatusCode::UNAUTHORIZED, "no issuer is set");
}
