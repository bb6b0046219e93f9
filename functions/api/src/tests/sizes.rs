use super::support::{Bench, CLUSTER};
use domain::finding::{Finding, FindingKind};
use domain::ids::{ClusterId, CustomerId};
use domain::money::MicroDollars;
use domain::ports::{Clock, Findings};
use http::StatusCode;

#[tokio::test(start_paused = true)]
async fn sizes_are_listed_and_what_frees_and_what_costs_stand_apart() {
    let bench = Bench::new().await;
    for (kind, subject, cost) in [
        (FindingKind::OversizedWorkload, "a", Some(30_000_000)),
        (FindingKind::OutOfMemory, "b", Some(-2_500_000)),
        (FindingKind::LikelyLeak, "c", None),
        (FindingKind::Ghost, "i-1", Some(9_000_000)),
    ] {
        let (customer, cluster) = (CustomerId::parse("acme").unwrap(), ClusterId::parse(CLUSTER).unwrap());
        let finding = Finding::new(customer, cluster, kind, subject, bench.clock.now());
        bench.store.put_finding(&Finding { cost_per_month: cost.map(MicroDollars), ..finding }).await.unwrap();
    }
    let path = format!("/api/v1/optimization/sizes?cluster_id={CLUSTER}");
    let answer = bench.get("acme-viewer", &path).await;
    assert_eq!(answer.status, StatusCode::OK);
    let listed = answer.json();
    assert_eq!(listed["items"].as_array().unwrap().len(), 3, "a ghost is no size");
    assert_eq!((&listed["would_free_per_month_usd"], &listed["would_cost_per_month_usd"]), (&30.0.into(), &2.5.into()));
    assert_eq!(listed["unpriced"], 1);
    assert_eq!(bench.get("other-viewer", &path).await.status, StatusCode::NOT_FOUND);
}
