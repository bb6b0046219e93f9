//! What a month comes to.

use super::support::{BOOTSTRAP, Bench, CLUSTER};
use domain::ids::{ClusterId, CustomerId};
use domain::money::MicroDollars;
use domain::ports::{Clock, Ledger};
use domain::savings::{Hour, Lever, Month, hour_of};
use domain::{SignedDuration, Timestamp};
use http::{Method, StatusCode};
use serde_json::json;

const BILLING: &str = "/api/v1/admin/billing";

async fn closed(bench: &Bench, cluster: &str, begins: Timestamp, vcpus: u32) {
    let hour = Hour {
        customer: CustomerId::parse("acme").unwrap(),
        cluster: ClusterId::parse(cluster).unwrap(),
        begins,
        seen_at: begins,
        vcpus,
        cost: MicroDollars(70),
        spot: None,
        expected: MicroDollars(100),
        estimated: MicroDollars(0),
        freed: MicroDollars(0),
        realised: [(Lever::BinPack, MicroDollars(30)), (Lever::OutOfMemory, MicroDollars(-4))].into(),
    };
    assert!(bench.store.close(&hour).await.unwrap());
}

#[tokio::test]
async fn a_month_is_shown_cluster_by_cluster_and_outlives_a_cluster() {
    let bench = Bench::new().await;
    let now = hour_of(bench.clock.now());
    let month = Month::of(now).to_string();
    for (cluster, back, vcpus) in [(CLUSTER, 0, 16), (CLUSTER, 1, 12), ("c-gone", 0, 4), (CLUSTER, 24 * 40, 99)] {
        closed(&bench, cluster, now - SignedDuration::from_hours(back), vcpus).await;
    }
    let shown = bench.get("acme-admin", BILLING).await;
    assert_eq!(shown.status, StatusCode::OK, "{}", shown.text);
    let shown = shown.json();
    assert_eq!((shown["month"].as_str(), shown["customer_id"].as_str()), (Some(month.as_str()), Some("acme")));
    let row = |cluster: &str, hours: i64, vcpu_hours: i64| json!({ "cluster_id": cluster, "hours": hours, "vcpu_hours": vcpu_hours, "cost": 70 * hours, "expected_cost": 100 * hours, "saved": 26 * hours });
    assert_eq!(shown["clusters"], json!([row(CLUSTER, 2, 28), row("c-gone", 1, 4)]));
    assert_eq!(shown["total"], json!({ "hours": 3, "vcpu_hours": 32, "cost": 210, "expected_cost": 300, "saved": 78 }));
    let before = bench.get("acme-admin", &format!("{BILLING}?month=1999-12")).await.json();
    assert_eq!((before["clusters"].clone(), before["total"]["vcpu_hours"].clone()), (json!([]), json!(0)));
    let table = bench.get("acme-admin", &format!("{BILLING}?format=csv&month={month}")).await;
    assert_eq!((table.header("content-type"), table.text.lines().count()), ("text/csv; charset=utf-8", 3));
    assert!(table.text.contains("\"c-gone\"") && table.text.contains("\"vcpu_hours\""), "{}", table.text);
}

#[tokio::test]
async fn it_is_for_administrators_of_the_customer_and_for_whoever_runs_this() {
    let bench = Bench::new().await;
    closed(&bench, CLUSTER, hour_of(bench.clock.now()), 16).await;
    assert_eq!(bench.get("acme-operator", BILLING).await.status, StatusCode::FORBIDDEN);
    assert_eq!(bench.get("other-admin", BILLING).await.json()["clusters"], json!([]));
    let theirs = format!("{BILLING}?customer_id=acme");
    assert_eq!(bench.get("other-admin", &theirs).await.status, StatusCode::NOT_FOUND);
    assert_eq!(bench.get(BOOTSTRAP, &theirs).await.json()["total"]["vcpu_hours"], 16);
    for (query, code) in [("month=2026-13", "invalid-month"), ("month=now", "invalid-month"), ("format=ndjson", "invalid-format")] {
        assert_eq!(bench.get("acme-admin", &format!("{BILLING}?{query}")).await.code(), code, "{query}");
    }
    assert_eq!(bench.call("acme-admin", Method::PUT, BILLING, &[], None).await.status, StatusCode::METHOD_NOT_ALLOWED);
}
