use super::*;
use crate::interruption::{Notice, NoticeKind, SPOT_NOTICE, Takeback};
use jiff::SignedDuration;
use serde_json::json;
use std::path::PathBuf;

mod families;

fn file(name: &str) -> String {
    let path = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../../events/interruption").join(name);
    std::fs::read_to_string(&path).unwrap_or_else(|error| panic!("{}: {error}", path.display()))
}

fn received() -> Received {
    Received { at: "2026-03-14T15:09:27Z".parse().unwrap(), region: Region::parse("us-east-2").ok() }
}

fn notice(name: &str) -> Notice {
    let message = parse(&file(name), &received());
    let Message::Notice(notice) = message else { panic!("{name}: {message:?}") };
    *notice
}

fn kind(message: &Message) -> &'static str {
    match message {
        Message::Notice(notice) => notice.kind.as_str(),
        Message::PostHoc { .. } => "post_hoc_interruption",
        Message::NoCapacity { .. } => "ice_signal",
        Message::Ignored { .. } => "ignore",
        Message::Rejected { .. } => "reject",
    }
}

#[test]
fn every_body_of_the_manifest_leads_to_what_the_manifest_says() {
    let manifest: Value = serde_json::from_str(&file("manifest.json")).unwrap();
    let cases = manifest["cases"].as_array().unwrap();
    let mut seen = 0;
    for case in cases.iter().filter(|c| c["form"] != "lambda_sqs_event") {
        let name = case["file"].as_str().unwrap();
        let message = parse(&file(name), &received());
        let action = case["action"].as_str().unwrap();
        let wanted = match case["kind"].as_str().unwrap() {
            // The manifest names the family; what it says of starting instances and of replays is: do not act.
            _ if action.starts_with("ignore") && case["kind"] == "state_change" => "ignore",
            _ if action.contains("never act") => "ignore",
            "schedule_tick" => "ignore",
            // Whether the account is registered is the router's question.
            "unmanaged" => "spot_interruption",
            other => other,
        };
        assert_eq!(kind(&message), wanted, "{name}: {message:?}");
        if let Message::Notice(notice) = &message
            && case["kind"] != "unmanaged"
        {
            let ids: Vec<&str> = notice.instances.iter().map(|i| i.as_str()).collect();
            let expected: Vec<&str> = case["instances"].as_array().unwrap().iter().map(|i| i.as_str().unwrap()).collect();
            assert_eq!(ids, expected, "{name}");
        }
        let copied = matches!(message, Message::Rejected { .. } | Message::Ignored { copy: Copy::ToDeadLetters, .. });
        assert_eq!(copied, case["message"].as_str().unwrap().contains("DLQ"), "{name}: {message:?}");
        seen += 1;
    }
    assert!(seen >= 55, "only {seen} bodies were looked at");
}

#[test]
fn a_batch_leads_to_its_instances_record_by_record() {
    let manifest: Value = serde_json::from_str(&file("manifest.json")).unwrap();
    for case in manifest["cases"].as_array().unwrap().iter().filter(|c| c["form"] == "lambda_sqs_event") {
        let batch: Value = serde_json::from_str(&file(case["file"].as_str().unwrap())).unwrap();
        let messages: Vec<Message> =
            batch["Records"].as_array().unwrap().iter().map(|r| parse(r["body"].as_str().unwrap(), &received())).collect();
        let mut found = Vec::new();
        for message in &messages {
            if let Message::Notice(notice) = message {
                found.extend(notice.instances.iter().map(|i| i.as_str().to_owned()).filter(|i| !found.contains(i)).collect::<Vec<_>>());
            }
        }
        assert_eq!(json!(found), case["instances"], "{}", case["file"]);
        if case["file"] == "lambda_sqs_batch_mixed.json" {
            let poison: Vec<usize> = (1..=messages.len()).filter(|n| matches!(messages[*n - 1], Message::Rejected { .. })).collect();
            assert_eq!(poison, [2, 3, 9, 10]);
        }
    }
}

#[test]
fn a_spot_warning_leaves_two_minutes_from_its_own_time() {
    let notice = notice("spot_interruption_terminate.json");
    assert_eq!(notice.deadline, Some(notice.at + SPOT_NOTICE));
    assert_eq!(notice.takeback, Takeback::Terminate);
}

#[test]
fn a_warning_without_a_readable_time_counts_from_when_it_was_sent() {
    for name in ["bad_missing_time.json", "bad_unparseable_time.json", "bad_doc_placeholder_time.json"] {
        assert_eq!(notice(name).deadline, Some(received().at + SPOT_NOTICE), "{name}");
    }
}

#[test]
fn a_time_far_in_the_future_is_not_believed() {
    let body = file("spot_interruption_terminate.json").replace("2026-03-14T15:09:26Z", "2036-03-14T15:09:26Z");
    let Message::Notice(notice) = parse(&body, &received()) else { panic!() };
    assert_eq!(notice.at, received().at);
}

#[test]
fn a_health_event_is_for_the_region_it_names_and_closing_it_withdraws_it() {
    assert_eq!(notice("health_backup_region_duplicate.json").region, notice("health_scheduled_change_retirement.json").region);
    let closed = file("health_scheduled_change_retirement.json").replace("\"upcoming\"", "\"closed\"");
    let Message::Notice(closed) = parse(&closed, &received()) else { panic!() };
    assert!(closed.withdrawn);
    assert!(notice("health_scheduled_change_legacy.json").deadline.is_some(), "a wrong weekday is no reason to lose the date");
}

#[test]
fn a_capacity_reservation_names_its_exact_deadline() {
    assert_eq!(notice("capacity_reservation_interruption.json").deadline, "2026-03-14T15:11:26Z".parse().ok());
    assert_eq!(notice("capacity_block_expiration_warning.json").deadline, "2026-03-14T15:19:26Z".parse().ok());
}

#[test]
fn no_mutation_of_any_body_panics_or_invents_an_instance() {
    let values = [
        Value::Null,
        Value::from(7),
        Value::from(""),
        Value::from("x".repeat(5000)),
        // Edges at which arithmetic with times would overflow.
        Value::from("-009999-01-02T01:59:59Z"),
        Value::from("9999-12-30T22:00:00Z"),
        Value::from("Thu, 30 Dec 9999 21:59:59 GMT"),
        Value::from("i-1234567890ABCDEF0"),
        json!([]),
        json!({"a": 1}),
        Value::Bool(true),
    ];
    let manifest: Value = serde_json::from_str(&file("manifest.json")).unwrap();
    let mut tried = 0;
    for case in manifest["cases"].as_array().unwrap() {
        let text = file(case["file"].as_str().unwrap());
        let Ok(body) = serde_json::from_str::<Value>(&text) else { continue };
        for path in paths(&body, String::new()) {
            for value in &values {
                let mut mutated = body.clone();
                *mutated.pointer_mut(&path).unwrap() = value.clone();
                names_only_what_it_was_told(&mutated.to_string(), &path);
                tried += 1;
            }
            let mut mutated = body.clone();
            remove(&mut mutated, &path);
            names_only_what_it_was_told(&mutated.to_string(), &path);
        }
    }
    assert!(tried > 5000, "only {tried} mutations were tried");
}

/// A notice has only instances that stand in the body, at least one, and times that others can reckon with.
fn names_only_what_it_was_told(body: &str, what: &str) {
    let Message::Notice(notice) = parse(body, &received()) else { return };
    assert!(notice.instances.iter().all(|i| body.contains(i.as_str())), "{what}");
    assert!(notice.kind == NoticeKind::CapacityBlockExpiration || !notice.instances.is_empty(), "{what}");
    let (first, last) = (Timestamp::UNIX_EPOCH - SignedDuration::from_mins(30), received().at + SignedDuration::from_hours(24 * 366));
    assert!(first <= notice.at && notice.at <= received().at + SignedDuration::from_mins(5), "{what}: {}", notice.at);
    assert!(notice.deadline.is_none_or(|d| first <= d && d <= last), "{what}: {:?}", notice.deadline);
}

fn remove(body: &mut Value, path: &str) {
    let (parent, key) = path.rsplit_once('/').unwrap();
    match body.pointer_mut(parent).unwrap() {
        Value::Object(map) => drop(map.remove(&key.replace("~1", "/").replace("~0", "~"))),
        Value::Array(list) => drop(list.remove(key.parse().unwrap())),
        leaf @ (Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_)) => panic!("{leaf} has no children"),
    }
}

fn paths(value: &Value, at: String) -> Vec<String> {
    let children: Vec<(String, &Value)> = match value {
        Value::Object(map) => map.iter().map(|(k, v)| (k.replace('~', "~0").replace('/', "~1"), v)).collect(),
        Value::Array(list) => list.iter().enumerate().map(|(i, v)| (i.to_string(), v)).collect(),
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) => Vec::new(),
    };
    let mut all = Vec::new();
    for (key, child) in children {
        let path = format!("{at}/{key}");
        all.push(path.clone());
        all.extend(paths(child, path));
    }
    all
}

#[test]
fn rubbish_is_rejected_and_never_a_panic() {
    let deep = "[".repeat(200_000);
    let long = format!("{{\"a\":\"{}\"}}", "x".repeat(300_000));
    for body in ["", "?", "null", "[]", "{}", "\u{0}", "{\"version\":\"0\",\"detail-type\":\"EC2 Spot", deep.as_str(), long.as_str()] {
        assert!(matches!(parse(body, &received()), Message::Rejected { .. }));
    }
}
