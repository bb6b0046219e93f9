use super::support::{ACCOUNT, Bench, CLUSTER};
use domain::ids::{ClusterId, CustomerId, InstanceId, InstanceKey};
use domain::interruption::NoticeKind;
use domain::ports::{Clock, Journal};
use domain::spot_event::SpotEvent;
use domain::{SignedDuration, Timestamp};
use http::StatusCode;
use serde_json::{Value, json};

const PROCESS: &str = "/api/v1/events/process";

fn raw(account: &str, instance: &str, time: Timestamp) -> Value {
    json!({
        "version": "0", "id": "12345678-1234-1234-1234-123456789012", "source": "aws.ec2", "account": account, "time": time,
        "detail-type": "EC2 Spot Instance Interruption Warning", "region": "us-east-1", "resources": [],
        "detail": { "instance-id": instance, "instance-action": "terminate" },
    })
}

#[tokio::test]
async fn an_event_as_eventbridge_sends_it_is_handed_on() {
    let bench = Bench::new().await;
    let event = raw(ACCOUNT, bench.nodes[0].as_str(), bench.clock.now());
    let answer = bench.post("acme-operator", PROCESS, &event).await;
    assert_eq!(answer.status, StatusCode::ACCEPTED, "{}", answer.text);
    assert_eq!(answer.json()["kind"], "spot_interruption");
    let sent = bench.queue.take_due(bench.clock.now());
    assert_eq!(serde_json::from_str::<Value>(&sent[0].body).unwrap(), event);
}

#[tokio::test]
async fn an_instance_alone_is_looked_up_and_made_an_event() {
    let bench = Bench::new().await;
    for extra in [json!({}), json!({ "cluster_id": CLUSTER, "event_type": "rebalance_recommendation" })] {
        let mut body = json!({ "instance_id": bench.nodes[0] });
        body.as_object_mut().unwrap().extend(extra.as_object().unwrap().clone());
        let answer = bench.post("acme-operator", PROCESS, &body).await;
        assert_eq!(answer.status, StatusCode::ACCEPTED, "{}", answer.text);
        let sent: Value = serde_json::from_str(&bench.queue.take_due(bench.clock.now())[0].body).unwrap();
        assert_eq!((sent["account"].as_str(), sent["region"].as_str()), (Some(ACCOUNT), Some("us-east-1")));
        assert_eq!(sent["detail"]["instance-id"], json!(bench.nodes[0]));
    }
}

#[tokio::test]
async fn an_event_for_another_customers_instance_goes_nowhere() {
    let bench = Bench::new().await;
    let now = bench.clock.now();
    for body in [
        raw(ACCOUNT, bench.nodes[0].as_str(), now),
        raw("999900001111", bench.nodes[0].as_str(), now),
        json!({ "instance_id": bench.nodes[0] }),
        json!({ "instance_id": bench.nodes[0], "cluster_id": CLUSTER }),
    ] {
        assert_eq!(bench.post("other-admin", PROCESS, &body).await.status, StatusCode::NOT_FOUND, "{body}");
    }
    assert!(bench.queue.is_empty());
}

#[tokio::test]
async fn what_is_no_event_is_refused_with_the_reason() {
    let bench = Bench::new().await;
    let now = bench.clock.now();
    let mut other_type = raw(ACCOUNT, bench.nodes[0].as_str(), now);
    other_type["detail-type"] = json!("EC2 Spot Instance Request Fulfillment");
    for body in [
        json!({}),
        json!([]),
        json!("x"),
        raw(ACCOUNT, "i-zzz", now),
        other_type,
        json!({ "instance_id": "i-1" }),
        json!({ "instance_id": bench.nodes[0], "evil": 1 }),
    ] {
        let answer = bench.post("acme-operator", PROCESS, &body).await;
        assert_eq!(answer.status, StatusCode::UNPROCESSABLE_ENTITY, "{body}: {}", answer.text);
    }
    let dry = bench.post("acme-operator", &format!("{PROCESS}?dryRun=true"), &raw(ACCOUNT, bench.nodes[0].as_str(), now)).await;
    assert_eq!(dry.json()["status"], "dry_run");
    assert!(bench.queue.is_empty());
}

async fn happened(bench: &Bench, name: &str, kind: NoticeKind, second: i64) {
    let now = bench.clock.now() + SignedDuration::from_secs(second);
    let event = SpotEvent {
        event_id: name.to_owned(),
        customer: CustomerId::parse("acme").unwrap(),
        cluster: ClusterId::parse(CLUSTER).unwrap(),
        instance: InstanceKey {
            account: ACCOUNT.to_owned().try_into().unwrap(),
            region: "us-east-1".to_owned().try_into().unwrap(),
            instance: InstanceId::parse("i-12345678").unwrap(),
        },
        event_type: kind,
        event_time: now,
        received_at: now,
        deadline: now,
        action_taken: "none".to_owned(),
        plan: None,
        replacement_instance_id: None,
        drain_duration_s: None,
        processed_at: None,
    };
    bench.store.put_spot_event(&event).await.unwrap();
}

async fn ids(bench: &Bench, path: &str) -> Vec<String> {
    let (mut seen, mut next) = (Vec::new(), path.to_owned());
    loop {
        let page = bench.get("acme-viewer", &next).await.json();
        seen.extend(page["items"].as_array().unwrap().iter().map(|e| e["event_id"].as_str().unwrap().to_owned()));
        let Some(cursor) = page["next_cursor"].as_str() else { return seen };
        next = format!("{path}&cursor={cursor}");
    }
}

#[tokio::test]
async fn history_shows_all_kinds_and_warnings_only_capacity_that_goes() {
    let bench = Bench::new().await;
    happened(&bench, "a", NoticeKind::Rebalance, 1).await;
    happened(&bench, "b", NoticeKind::SpotInterruption, 2).await;
    happened(&bench, "c", NoticeKind::AsgLaunch, 3).await;
    happened(&bench, "d", NoticeKind::MissedInterruption, 4).await;
    assert_eq!(ids(&bench, "/api/v1/events/history?limit=50").await, ["d", "c", "b", "a"]);
    assert_eq!(ids(&bench, "/api/v1/events/spot-warnings?limit=1").await, ["d", "b"]);
    assert_eq!(bench.get("other-viewer", "/api/v1/events/history").await.json()["items"], json!([]));
    assert_eq!(bench.get("other-viewer", &format!("/api/v1/events/history?cluster_id={CLUSTER}")).await.status, StatusCode::NOT_FOUND);
}

#[tokio::test]
async fn events_of_one_instant_are_not_lost_between_two_pages() {
    let bench = Bench::new().await;
    for (name, second) in [("a", 1), ("b", 2), ("c", 2), ("d", 3), ("e", 4)] {
        happened(&bench, name, NoticeKind::SpotInterruption, second).await;
    }
    let mut seen = ids(&bench, "/api/v1/events/history?limit=3").await;
    seen.sort();
    assert_eq!(seen, ["a", "b", "c", "d", "e"]);
}
