//! Tokens of an issuer, at every door: the roles are in the token, and all the rest of the law is that of keys.

use super::support::{Bench, request};
use crate::routes::{Access, Route, TABLE};
use async_trait::async_trait;
use data_encoding::BASE64URL_NOPAD;
use domain::ports::Clock;
use domain::tenant::Role;
use http::{Method, StatusCode};
use ring::rand::SystemRandom;
use ring::signature::{ECDSA_P256_SHA256_FIXED_SIGNING, EcdsaKeyPair, KeyPair};
use runtime::web::issuer::{Issuer, KeySource};
use runtime::web::token::Expected;
use serde_json::{Value, json};
use std::sync::Arc;

struct List(Vec<u8>);

#[async_trait]
impl KeySource for List {
    async fn read(&self) -> Result<Vec<u8>, String> {
        Ok(self.0.clone())
    }
}

fn generated() -> EcdsaKeyPair {
    let (kind, random) = (&ECDSA_P256_SHA256_FIXED_SIGNING, SystemRandom::new());
    EcdsaKeyPair::from_pkcs8(kind, EcdsaKeyPair::generate_pkcs8(kind, &random).unwrap().as_ref(), &random).unwrap()
}

pub(super) fn signed(key: &EcdsaKeyPair, head: &Value, body: &Value) -> String {
    let b64 = |bytes: &[u8]| BASE64URL_NOPAD.encode(bytes);
    let text = format!("{}.{}", b64(head.to_string().as_bytes()), b64(body.to_string().as_bytes()));
    let signature = key.sign(&SystemRandom::new(), text.as_bytes()).unwrap();
    format!("{text}.{}", b64(signature.as_ref()))
}

pub(super) async fn bench() -> (Bench, EcdsaKeyPair) {
    let key = generated();
    let point = key.public_key().as_ref();
    let (x, y) = (BASE64URL_NOPAD.encode(&point[1..33]), BASE64URL_NOPAD.encode(&point[33..]));
    let list = json!({ "keys": [{ "kty": "EC", "crv": "P-256", "kid": "e", "x": x, "y": y }] }).to_string().into_bytes();
    let expected = Expected { issuer: "https://id.example.com".to_owned(), audience: "cloudoptim".to_owned() };
    (Bench::with_issuer(Some(Arc::new(Issuer::new(expected, Arc::new(List(list)))))).await, key)
}

pub(super) fn claims(bench: &Bench, customer: &str, role: &str) -> Value {
    let now = bench.clock.now().as_second();
    json!({ "iss": "https://id.example.com", "aud": "cloudoptim", "sub": "ann", "iat": now, "exp": now + 300,
            "cloudoptim_customer": customer, "cloudoptim_role": role })
}

fn path(template: &str) -> String {
    template.replace("{cluster_id}", "c-acme").replace("{plan_id}", "p-1").replace("{id}", "c-acme")
}

#[tokio::test]
async fn every_route_lets_exactly_the_roles_of_tokens_in() {
    let head = json!({ "alg": "ES256", "kid": "e" });
    for Route { method, path: template, access, .. } in TABLE {
        for (word, role) in [("viewer", Role::Viewer), ("operator", Role::Operator), ("admin", Role::Admin)] {
            let (bench, key) = bench().await;
            let managed = template.starts_with("/api/v1/ml/") && *access == Access::Needs(Role::Admin) && role == Role::Admin;
            let token = signed(&key, &head, &claims(&bench, if managed { "default" } else { "acme" }, word));
            let answer = bench.call(&token, method.clone(), &path(template), &[], Some(&json!({}))).await;
            let denied = match access {
                Access::Everyone => false,
                Access::Needs(needed) => role < *needed,
            };
            let closed =
                answer.status == StatusCode::FORBIDDEN && answer.json()["detail"].as_str().is_some_and(|d| d.starts_with("This key has"));
            assert_eq!(closed, denied, "{method} {template} as {word}: {}", answer.text);
            assert_ne!(answer.status, StatusCode::UNAUTHORIZED, "{method} {template} as {word}");
        }
    }
}

#[tokio::test]
async fn no_route_takes_a_token_in_another_state() {
    let (bench, key) = bench().await;
    let stranger = generated();
    let head = json!({ "alg": "ES256", "kid": "e" });
    let now = bench.clock.now().as_second();
    let with = |name: &str, value: Value| {
        let mut body = claims(&bench, "acme", "admin");
        body[name] = value;
        body
    };
    let good = claims(&bench, "acme", "admin");
    let mut bad = vec![
        signed(&stranger, &head, &good),
        signed(&key, &json!({ "alg": "none", "kid": "e" }), &good),
        signed(&key, &json!({ "alg": "ES256", "kid": "f" }), &good),
        signed(&key, &json!({ "alg": "ES256", "kid": "e", "jku": "https://evil.example" }), &good),
        format!("{}.{}.", BASE64URL_NOPAD.encode(br#"{"alg":"none"}"#), BASE64URL_NOPAD.encode(good.to_string().as_bytes())),
        "a.b.c".to_owned(),
    ];
    let states = [
        ("exp", json!(now - 61)),
        ("exp", json!("never")),
        ("nbf", json!(now + 120)),
        ("aud", json!("staging")),
        ("iss", json!("https://evil.example")),
        ("cloudoptim_customer", json!("nobody")),
        ("cloudoptim_customer", json!("../acme")),
        ("cloudoptim_role", json!("root")),
    ];
    bad.extend(states.map(|(name, value)| signed(&key, &head, &with(name, value))));
    for Route { method, path: template, .. } in TABLE.iter().filter(|route| route.access != Access::Everyone) {
        for token in &bad {
            let answer = bench.send(request(token, method.clone(), &path(template), &[], Some(&json!({})))).await;
            assert_eq!(answer.status, StatusCode::UNAUTHORIZED, "{method} {template}: {}", answer.text);
        }
    }
}

#[tokio::test]
async fn a_token_is_of_one_customer_and_is_nothing_where_no_issuer_is_set() {
    let (bench, key) = bench().await;
    let token = signed(&key, &json!({ "alg": "ES256", "kid": "e" }), &claims(&bench, "other", "admin"));
    assert_eq!(bench.get(&token, "/api/v1/admin/clusters/c-acme").await.status, StatusCode::NOT_FOUND);
    assert_eq!(bench.call(&token, Method::DELETE, "/api/v1/admin/clusters/c-acme", &[], None).await.status, StatusCode::NOT_FOUND);
    assert_eq!(Bench::new().await.get(&token, "/api/v1/admin/clusters").await.status, StatusCode::UNAUTHORIZED);
}
