//! The corpus of attacks, where it meets the API: `tests/attacks` says each one and the answer that it must get.

#![expect(clippy::print_stdout, reason = "figures for CI")]

use super::support::{Answer, Bench};
use super::tokens;
use axum::body::Body;
use data_encoding::BASE64URL_NOPAD;
use domain::ports::Clock;
use http::{Method, Request, StatusCode};
use serde_json::{Map, Value, json};

mod addresses;

const REQUESTS: &str = include_str!("../../../../tests/attacks/requests.json");
const TOKENS: &str = include_str!("../../../../tests/attacks/tokens.json");
const CLUSTERS: &str = "/api/v1/admin/clusters";

/// What stands in no answer: our insides.
const INSIDES: [&str; 9] =
    ["panicked", ".rs:", "arn:aws:dynamodb", "TableName", "SELECT ", "RUST_BACKTRACE", "stored-token", "sealed", "aws_sdk"];

/// The cases of a file. `{"long": [head, unit, times, tail]}` stands for a long text.
fn cases(text: &str) -> Vec<Value> {
    let Value::Array(cases) = whole(serde_json::from_str(text).unwrap()) else { panic!("a corpus is a list") };
    cases
}

fn whole(value: Value) -> Value {
    match value {
        Value::Object(fields) if fields.contains_key("long") => {
            let [head, unit, times, tail] = fields["long"].as_array().unwrap().as_slice() else { panic!("{fields:?}") };
            let text = |part: &Value| part.as_str().unwrap().to_owned();
            json!(text(head) + &text(unit).repeat(usize::try_from(times.as_u64().unwrap()).unwrap()) + &text(tail))
        }
        Value::Object(fields) => Value::Object(fields.into_iter().map(|(name, value)| (name, whole(value))).collect::<Map<_, _>>()),
        Value::Array(items) => Value::Array(items.into_iter().map(whole).collect()),
        other @ (Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_)) => other,
    }
}

/// A case in one short line.
fn told(case: &Value) -> String {
    case.to_string().chars().take(300).collect()
}

/// The request of a case; `None`: no HTTP server would read it.
fn request(case: &Value) -> Option<Request<Body>> {
    let method = Method::from_bytes(case["method"].as_str()?.as_bytes()).ok()?;
    let mut request = Request::builder().method(method).uri(case["path"].as_str()?);
    let key = case["as"].as_str()?;
    if !key.is_empty() {
        request = request.header("authorization", format!("Bearer {key}"));
    }
    for (name, value) in case["headers"].as_object().into_iter().flatten() {
        request = request.header(name, value.as_str()?);
    }
    let (body, usual) = match (&case["body"], &case["raw"]) {
        (Value::Null, Value::Null) => (Body::empty(), ""),
        (Value::Null, raw) => (Body::from(raw.as_str()?.to_owned()), ""),
        (body, _) => (Body::from(body.to_string()), "application/json"),
    };
    match case["type"].as_str().unwrap_or(usual) {
        "" => request.body(body).ok(),
        media => request.header("content-type", media).body(body).ok(),
    }
}

/// What must not have changed where the answer was no.
async fn untouched(bench: &Bench, case: &Value) {
    assert!(bench.queue.is_empty() && bench.store.plans().is_empty(), "something was begun: {}", told(case));
    for (customer, cluster) in [("acme", "c-acme"), ("other", "c-other")] {
        let stored = bench.stored(customer, cluster).await;
        assert_eq!((stored.version, stored.k8s_token.is_some()), (1, true), "{cluster} was changed: {}", told(case));
    }
    assert_eq!(*bench.town.dialled.lock().unwrap(), vec![], "a packet left: {}", told(case));
}

/// What an answer must not hold, whatever its status.
fn unclean(answer: &Answer, case: &Value) -> Vec<String> {
    let mut found = Vec::new();
    // A problem document repeats the path that was asked for, and nothing else of a request.
    let text = answer.text.replace(&format!("\"instance\":{}", case["path"]), "");
    for word in INSIDES.iter().copied().chain(case["never"].as_str()) {
        if text.contains(word) {
            found.push(format!("{word:?} stands in it"));
        }
    }
    for name in case["absent"].as_array().into_iter().flatten().filter_map(Value::as_str) {
        if answer.headers.contains_key(name) {
            found.push(format!("{name} is set"));
        }
    }
    if case["empty"] == true && answer.status.is_success() && !answer.json()["items"].as_array().is_none_or(Vec::is_empty) {
        found.push("it lists something".to_owned());
    }
    let problem: Value = serde_json::from_str(&answer.text).unwrap_or_default();
    if answer.status.is_client_error()
        && case["method"] != "HEAD"
        && !(problem["type"].is_string() && problem["status"] == answer.status.as_u16())
    {
        found.push("it is no problem document".to_owned());
    }
    found
}

#[tokio::test]
async fn every_request_of_the_corpus_gets_the_answer_that_it_says() {
    let cases = cases(REQUESTS);
    let mut wrong = Vec::new();
    for case in &cases {
        let bench = Bench::new().await;
        let expected: Vec<u64> = case["expect"].as_array().unwrap().iter().filter_map(Value::as_u64).collect();
        let Some(request) = request(case) else {
            assert!(expected.contains(&400), "no server reads this, and it expects no 400: {}", told(case));
            continue;
        };
        let answer = bench.send(request).await;
        if !expected.contains(&u64::from(answer.status.as_u16())) {
            wrong.push(format!("{} instead of {expected:?}: {}: {:.200}", answer.status, told(case), answer.text));
        }
        wrong.extend(unclean(&answer, case).into_iter().map(|what| format!("{what}: {}: {:.200}", told(case), answer.text)));
        if !answer.status.is_success() {
            untouched(&bench, case).await;
        }
    }
    assert!(wrong.is_empty(), "{} of {}: {wrong:#?}", wrong.len(), cases.len());
    println!("BENCH attack_requests {} cases >= 300", cases.len());
}

/// Seconds from now, nothing at all, or the value itself.
fn set(body: &mut Value, name: &str, value: &Value, now: i64) {
    match (value["now"].as_i64(), value["absent"].as_bool()) {
        (Some(seconds), _) => body[name] = json!(now + seconds),
        (None, Some(true)) => drop(body.as_object_mut().unwrap().remove(name)),
        (None, _) => body[name] = value.clone(),
    }
}

#[tokio::test]
async fn every_token_of_the_corpus_gets_the_answer_that_it_says() {
    let cases = cases(TOKENS);
    let mut wrong = Vec::new();
    let (bench, key) = tokens::bench().await;
    let stranger = tokens::bench().await.1;
    let now = bench.clock.now().as_second();
    for case in &cases {
        let token = case["raw"].as_str().map_or_else(
            || {
                let (mut head, mut body) = (json!({ "alg": "ES256", "kid": "e" }), tokens::claims(&bench, "acme", "admin"));
                case["head"].as_object().unwrap().iter().for_each(|(name, value)| head[name] = value.clone());
                case["body"].as_object().unwrap().iter().for_each(|(name, value)| set(&mut body, name, value, now));
                let good = tokens::signed(&key, &head, &body);
                let (text, signature) = good.rsplit_once('.').unwrap();
                match case["sign"].as_str().unwrap() {
                    "good" => good.clone(),
                    "none" | "empty" => format!("{text}."),
                    "stripped" => text.to_owned(),
                    "stranger" => tokens::signed(&stranger, &head, &body),
                    "turned" => format!("{text}.{}", signature.chars().rev().collect::<String>()),
                    "of-another-token" => format!("{text}.{}", tokens::signed(&key, &head, &json!({})).rsplit_once('.').unwrap().1),
                    "hmac-of-public-key" => format!("{text}.{}", hmac(&key, text)),
                    other => panic!("{other}"),
                }
            },
            str::to_owned,
        );
        let answer = bench.get(&token, CLUSTERS).await;
        let expected = match &case["expect"] {
            Value::Array(many) => many.iter().filter_map(Value::as_u64).collect(),
            one @ (Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) | Value::Object(_)) => vec![one.as_u64().unwrap()],
        };
        if !expected.contains(&u64::from(answer.status.as_u16())) {
            wrong.push(format!("{} instead of {expected:?}: {}", answer.status, told(case)));
        }
        let halt = bench.post(&token, "/api/v1/admin/halt", &json!({ "scope": "customer", "reason": null })).await;
        assert_eq!(halt.status == StatusCode::UNAUTHORIZED, answer.status == StatusCode::UNAUTHORIZED, "{}", told(case));
    }
    assert!(wrong.is_empty(), "{} of {}: {wrong:#?}", wrong.len(), cases.len());
    println!("BENCH attack_tokens {} cases >= 120", cases.len());
}

/// What a verifier would expect that takes our public key for a shared secret.
fn hmac(key: &ring::signature::EcdsaKeyPair, text: &str) -> String {
    use ring::hmac::{HMAC_SHA256, Key, sign};
    use ring::signature::KeyPair;
    BASE64URL_NOPAD.encode(sign(&Key::new(HMAC_SHA256, key.public_key().as_ref()), text.as_bytes()).as_ref())
}
