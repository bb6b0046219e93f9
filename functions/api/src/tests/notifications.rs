//! Targets of notices: made, shown without their secrets, tested, switched, and sent to again.

use super::support::Bench;
use domain::ids::{CustomerId, TargetId};
use domain::notify::{Delivery, Lane, Sending};
use domain::ports::{Outbox, Vault};
use http::{Method, StatusCode};
use secrecy::ExposeSecret;
use serde_json::json;

const TARGETS: &str = "/api/v1/notifications/targets";
const URL: &str = "https://hooks.example.com/in?token=t0p-s3cret";

async fn webhook(bench: &Bench) -> (String, String) {
    let made = bench.post("acme-admin", TARGETS, &json!({ "label": "ops", "channel": "webhook", "url": URL, "kinds": ["ghost."] })).await;
    assert_eq!(made.status, StatusCode::CREATED, "{}", made.text);
    assert_eq!(made.header("cache-control"), "no-store");
    (made.json()["target_id"].as_str().unwrap().to_owned(), made.json()["secret"].as_str().unwrap().to_owned())
}

#[tokio::test]
async fn a_signing_secret_is_shown_once_and_a_url_never() {
    let bench = Bench::new().await;
    let (id, secret) = webhook(&bench).await;
    assert!(secret.starts_with("whsec_"));
    for path in [TARGETS.to_owned(), format!("{TARGETS}/{id}")] {
        let shown = bench.get("acme-viewer", &path).await;
        assert_eq!(shown.status, StatusCode::OK);
        assert!(
            shown.text.contains("hooks.example.com") && !shown.text.contains("t0p") && !shown.text.contains("whsec_"),
            "{}",
            shown.text
        );
    }
    let (customer, target) = (CustomerId::parse("acme").unwrap(), TargetId::parse(&id).unwrap());
    let stored = bench.store.target(&customer, &target).await.unwrap().unwrap();
    let domain::notify::Channel::Webhook { url, .. } = &stored.channel else { panic!("it is a webhook") };
    assert_eq!(bench.vault.open(&stored.seal_context(), url).await.unwrap().expose_secret(), URL);
}

#[tokio::test]
async fn a_repeated_request_makes_no_second_target_and_keeps_no_secret() {
    let bench = Bench::new().await;
    let body = json!({ "label": "ops", "channel": "webhook", "url": URL });
    let first = bench.call("acme-admin", Method::POST, TARGETS, &[("idempotency-key", "k1")], Some(&body)).await;
    let again = bench.call("acme-admin", Method::POST, TARGETS, &[("idempotency-key", "k1")], Some(&body)).await;
    assert_eq!((first.status, again.status), (StatusCode::CREATED, StatusCode::CREATED));
    assert_eq!(first.json()["target_id"], again.json()["target_id"]);
    assert!(first.text.contains("whsec_") && !again.text.contains("whsec_"), "{}", again.text);
    assert_eq!(bench.get("acme-viewer", TARGETS).await.json()["items"].as_array().unwrap().len(), 1);
}

#[tokio::test]
async fn what_must_not_be_called_is_refused_at_once() {
    let bench = Bench::new().await;
    for url in [
        "http://hooks.example.com/",
        "https://169.254.169.254/latest/meta-data/",
        "https://[::ffff:10.0.0.1]/",
        "https://127.0.0.1/",
        "https://user:pw@hooks.example.com/",
        "https://hooks.example.com:22/",
    ] {
        let refused = bench.post("acme-admin", TARGETS, &json!({ "label": "x", "channel": "slack", "url": url })).await;
        assert_eq!((refused.status, refused.code().as_str()), (StatusCode::UNPROCESSABLE_ENTITY, "address-refused"), "{url}");
    }
    for (body, code) in [
        (json!({ "label": "", "channel": "email", "email": "a@example.com" }), "invalid-label"),
        (json!({ "label": "x", "channel": "email", "email": "a, b@example.com" }), "invalid-email"),
        (json!({ "label": "x", "channel": "email", "url": URL }), "invalid-channel"),
        (json!({ "label": "x", "channel": "pigeon", "url": URL }), "invalid-channel"),
        (json!({ "label": "x", "channel": "slack", "url": URL, "kinds": ["Ghost"] }), "invalid-kinds"),
    ] {
        let refused = bench.post("acme-admin", TARGETS, &body).await;
        assert_eq!((refused.status, refused.code().as_str()), (StatusCode::UNPROCESSABLE_ENTITY, code), "{body}");
    }
}

#[tokio::test]
async fn another_customers_target_looks_as_if_it_were_not_there() {
    let bench = Bench::new().await;
    let (id, _) = webhook(&bench).await;
    let path = format!("{TARGETS}/{id}");
    assert_eq!(bench.get("other-viewer", &path).await.status, StatusCode::NOT_FOUND);
    assert_eq!(bench.get("other-viewer", TARGETS).await.json()["items"], json!([]));
    assert_eq!(bench.post("other-operator", &format!("{path}/test"), &json!({})).await.status, StatusCode::NOT_FOUND);
    assert_eq!(bench.call("other-admin", Method::DELETE, &path, &[], None).await.status, StatusCode::NOT_FOUND);
    assert_eq!(bench.call("acme-admin", Method::DELETE, &path, &[], None).await.status, StatusCode::NO_CONTENT);
    assert_eq!(bench.get("acme-viewer", &path).await.status, StatusCode::NOT_FOUND);
}

#[tokio::test]
async fn a_test_notice_waits_in_the_lane_and_what_was_sent_can_be_sent_again() {
    let bench = Bench::new().await;
    let (id, _) = webhook(&bench).await;
    let path = format!("{TARGETS}/{id}");
    let tested = bench.post("acme-operator", &format!("{path}/test"), &json!({})).await;
    assert_eq!(tested.status, StatusCode::ACCEPTED);
    let notice = tested.json()["notice_id"].as_str().unwrap().to_owned();
    let stored = bench.store.target(&CustomerId::parse("acme").unwrap(), &TargetId::parse(&id).unwrap()).await.unwrap().unwrap();
    let lane = stored.lane();
    let waiting = bench.store.waiting(&lane, 10).await.unwrap();
    assert_eq!(waiting.len(), 1);
    let known = bench.post("acme-operator", &format!("{path}/deliveries/replay"), &json!({ "notice_id": notice })).await;
    assert_eq!(known.status, StatusCode::NOT_FOUND, "it was not sent yet");
    // The notifier's work.
    let before = bench.store.lane(&lane).await.unwrap();
    let sent = Delivery { waiting: waiting[0].clone(), attempt: 1, at: waiting[0].since, sending: Sending::Delivered { status: 204 } };
    bench.store.put_lane(&lane, &Lane { version: before.version + 1, ..before }, Some(&sent)).await.unwrap();
    let log = bench.get("acme-viewer", &format!("{path}/deliveries")).await.json();
    assert_eq!(
        (log["items"][0]["result"]["result"].as_str(), log["items"][0]["said"].as_str()),
        (Some("delivered"), Some("accepted (204)"))
    );
    let again = bench.post("acme-operator", &format!("{path}/deliveries/replay"), &json!({ "notice_id": notice })).await;
    assert_eq!(again.status, StatusCode::ACCEPTED, "{}", again.text);
    let waiting = bench.store.waiting(&lane, 10).await.unwrap();
    assert_eq!((waiting.len(), waiting[0].notice.id.as_str()), (1, notice.as_str()));
}

#[tokio::test]
async fn a_target_is_switched_off_and_on_and_gets_a_second_secret_beside_the_first() {
    let bench = Bench::new().await;
    let (id, secret) = webhook(&bench).await;
    let path = format!("{TARGETS}/{id}");
    let off = bench.call("acme-admin", Method::PUT, &path, &[("if-match", "\"1\"")], Some(&json!({ "enabled": false }))).await;
    assert_eq!((off.json()["enabled"].as_bool(), off.status), (Some(false), StatusCode::OK));
    assert!(off.json()["disabled_because"].as_str().unwrap().contains("switched it off"));
    let change = json!({ "enabled": true });
    for (tag, refused) in [("", StatusCode::PRECONDITION_REQUIRED), ("\"1\"", StatusCode::PRECONDITION_FAILED)] {
        let headers = [("if-match", tag)];
        let headers = if tag.is_empty() { &[][..] } else { &headers };
        assert_eq!(bench.call("acme-admin", Method::PUT, &path, headers, Some(&change)).await.status, refused);
    }
    let tag = [("if-match", off.header("etag"))];
    let on = bench.call("acme-admin", Method::PUT, &path, &tag, Some(&json!({ "enabled": true, "rotate_secret": true }))).await;
    assert_eq!(on.json()["enabled"], true);
    let fresh = on.json()["secret"].as_str().unwrap().to_owned();
    assert_ne!(fresh, secret);
    let stored = bench.store.target(&CustomerId::parse("acme").unwrap(), &TargetId::parse(&id).unwrap()).await.unwrap().unwrap();
    let domain::notify::Channel::Webhook { secret: now, secret_before: Some(before), .. } = &stored.channel else { panic!("{stored:?}") };
    for (sealed, expected) in [(now, &fresh), (before, &secret)] {
        assert_eq!(bench.vault.open(&stored.seal_context(), sealed).await.unwrap().expose_secret(), expected);
    }
    let none = bench.call("acme-operator", Method::PUT, &path, &[], Some(&json!({ "enabled": false }))).await;
    assert_eq!(none.status, StatusCode::FORBIDDEN);
}
