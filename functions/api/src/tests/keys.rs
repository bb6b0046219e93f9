use super::support::{BOOTSTRAP, Bench};
use domain::SignedDuration;
use domain::ports::Clock;
use http::{Method, StatusCode};
use serde_json::{Value, json};

const KEYS: &str = "/api/v1/admin/keys";

async fn make(bench: &Bench, by: &str, body: Value) -> (String, String) {
    let made = bench.post(by, KEYS, &body).await;
    assert_eq!(made.status, StatusCode::CREATED, "{}", made.text);
    assert_eq!(made.header("cache-control"), "no-store");
    let field = |name: &str| made.json()[name].as_str().unwrap().to_owned();
    (field("key_id"), field("secret"))
}

#[tokio::test(start_paused = true)]
async fn a_key_is_shown_once_works_in_its_role_and_stops_with_the_request_after_its_end() {
    let bench = Bench::new().await;
    let (id, secret) = make(&bench, "acme-admin", json!({ "label": "ci", "role": "operator", "expires_in_days": 2 })).await;
    assert_eq!(bench.get(&secret, "/api/v1/admin/clusters").await.status, StatusCode::OK);
    assert_eq!(bench.get(&secret, KEYS).await.status, StatusCode::FORBIDDEN, "an operator is no admin");
    for path in [KEYS.to_owned(), format!("{KEYS}/{id}")] {
        let seen = bench.get("acme-admin", &path).await;
        assert!(seen.text.contains(&id) && !seen.text.contains(&secret) && !seen.text.contains("hash"), "{}", seen.text);
    }
    let gone = bench.call("acme-admin", Method::DELETE, &format!("{KEYS}/{id}"), &[], None).await;
    assert_eq!(gone.status, StatusCode::NO_CONTENT);
    assert_eq!(bench.get(&secret, "/api/v1/admin/clusters").await.status, StatusCode::UNAUTHORIZED);
    assert_eq!(bench.get("acme-admin", &format!("{KEYS}/{id}")).await.json()["revoked"], true);

    let (_, second) = make(&bench, "acme-admin", json!({ "label": "short", "role": "admin", "expires_in_days": 1 })).await;
    bench.clock.sleep(SignedDuration::from_mins(30)).await;
    assert_eq!(bench.get(&second, "/api/v1/admin/clusters").await.status, StatusCode::OK);
    bench.clock.sleep(SignedDuration::from_hours(24)).await;
    assert_eq!(bench.get(&second, "/api/v1/admin/clusters").await.status, StatusCode::UNAUTHORIZED);
}

#[tokio::test]
async fn keys_of_another_customer_are_absent_and_whoever_runs_this_makes_the_first_one() {
    let bench = Bench::new().await;
    let (id, _) = make(&bench, "acme-admin", json!({ "label": "ci", "role": "viewer" })).await;
    for path in [format!("{KEYS}/{id}"), format!("{KEYS}/{id}?customer_id=acme"), format!("{KEYS}?customer_id=acme")] {
        assert_eq!(bench.get("other-admin", &path).await.status, StatusCode::NOT_FOUND, "{path}");
    }
    let foreign = bench.call("other-admin", Method::DELETE, &format!("{KEYS}/{id}?customer_id=acme"), &[], None).await;
    assert_eq!(foreign.status, StatusCode::NOT_FOUND);
    let planted = json!({ "label": "x", "role": "admin", "customer_id": "acme" });
    assert_eq!(bench.post("other-admin", KEYS, &planted).await.status, StatusCode::NOT_FOUND);
    let (_, first) = make(&bench, BOOTSTRAP, planted).await;
    assert_eq!(bench.get(&first, "/api/v1/admin/clusters").await.json()["items"][0]["customer_id"], "acme");
}

#[tokio::test]
async fn a_repeated_wish_for_a_key_makes_one_and_keeps_no_secret() {
    let bench = Bench::new().await;
    let body = json!({ "label": "ci", "role": "viewer" });
    let ask = async || bench.call("acme-admin", Method::POST, KEYS, &[("idempotency-key", "one")], Some(&body)).await;
    let (first, second) = (ask().await, ask().await);
    assert_eq!(first.json()["key_id"], second.json()["key_id"]);
    assert!(first.json()["secret"].as_str().unwrap().starts_with("co_"));
    assert!(!second.text.contains("co_"), "{}", second.text);
}

#[tokio::test]
async fn a_key_that_nobody_could_want_is_refused() {
    let bench = Bench::new().await;
    for body in [
        json!({ "label": "", "role": "viewer" }),
        json!({ "label": "x", "role": "root" }),
        json!({ "label": "x", "role": "viewer", "expires_in_days": 0 }),
        json!({ "label": "x", "role": "viewer", "expires_in_days": 367 }),
        json!({ "label": "x", "role": "viewer", "hash": "00" }),
        json!({ "label": "x", "role": "viewer", "expires_at": null }),
    ] {
        assert_eq!(bench.post("acme-admin", KEYS, &body).await.status, StatusCode::UNPROCESSABLE_ENTITY, "{body}");
    }
}

#[tokio::test(start_paused = true)]
async fn who_has_made_all_calls_of_a_minute_waits_and_nobody_else_does() {
    let bench = Bench::new().await;
    let mut through = 0;
    for _ in 0..2_000 {
        let answer = bench.get("acme-viewer", "/api/v1/admin/keys").await;
        match answer.status {
            StatusCode::FORBIDDEN => through += 1,
            StatusCode::TOO_MANY_REQUESTS => {
                assert_eq!(answer.code(), "rate-limited");
                assert!((1..=60).contains(&answer.header("retry-after").parse::<u32>().unwrap()));
            }
            other => panic!("{other}: {}", answer.text),
        }
    }
    assert_eq!(through, crate::rates::PER_MINUTE);
    let other = bench.get("other-viewer", "/api/v1/admin/clusters").await;
    assert_eq!((other.status, other.header("ratelimit-policy")), (StatusCode::OK, "\"key\";q=600;w=60"));
    assert!(other.header("ratelimit").starts_with("\"key\";r=599;t="), "{}", other.header("ratelimit"));
    bench.clock.sleep(SignedDuration::from_mins(1)).await;
    assert_eq!(bench.get("acme-viewer", "/api/v1/admin/clusters").await.status, StatusCode::OK);
}
