use super::support::{Bench, CLUSTER};
use domain::finding::{Finding, FindingKind, FindingState};
use domain::ids::{ClusterId, CustomerId};
use domain::money::MicroDollars;
use domain::plan::action::AskedBy;
use domain::plan::{Action, PlanKind};
use domain::ports::{Clock, Findings};
use http::StatusCode;
use serde_json::json;
use sim::store::Which;

pub(super) async fn found(bench: &Bench, kind: FindingKind, subject: &str) -> Finding {
    let (customer, cluster) = (CustomerId::parse("acme").unwrap(), ClusterId::parse(CLUSTER).unwrap());
    let mut finding = Finding::new(customer, cluster, kind, subject, bench.clock.now());
    finding.evidence = vec!["It runs and is no node.".to_owned()];
    finding.cost_per_month = Some(MicroDollars(70_080_000));
    bench.store.put_finding(&finding).await.unwrap();
    finding
}

#[tokio::test(start_paused = true)]
async fn a_scan_is_asked_for_one_cluster_or_for_all_of_the_customers_own() {
    let bench = Bench::new().await;
    for body in [json!({ "cluster_id": CLUSTER }), json!({})] {
        let answer = bench.post("acme-operator", "/api/v1/scanner/scan", &body).await;
        assert_eq!(answer.status, StatusCode::ACCEPTED, "{body}");
        let asked = bench.queue.take_due(bench.clock.now());
        let asked: Vec<_> = asked.iter().filter(|message| message.queue == Which::Scans).collect();
        assert_eq!(asked.len(), 1);
        assert!(asked[0].body.contains(CLUSTER));
    }
    let foreign = bench.post("acme-operator", "/api/v1/scanner/scan", &json!({ "cluster_id": "c-other" })).await;
    assert_eq!(foreign.status, StatusCode::NOT_FOUND);
    let viewer = bench.post("acme-viewer", "/api/v1/scanner/scan", &json!({})).await;
    assert_eq!(viewer.status, StatusCode::FORBIDDEN);
}

#[tokio::test(start_paused = true)]
async fn findings_are_listed_with_their_evidence_and_price() {
    let bench = Bench::new().await;
    let ghost = found(&bench, FindingKind::Ghost, "i-12345678").await;
    found(&bench, FindingKind::ZombieVolume, "vol-1").await;
    let answer = bench.get("acme-viewer", &format!("/api/v1/scanner/ghosts?cluster_id={CLUSTER}")).await;
    assert_eq!(answer.status, StatusCode::OK);
    let listed = answer.json();
    let items = listed["items"].as_array().unwrap();
    assert_eq!(items.len(), 1);
    assert_eq!((items[0]["id"].as_str(), items[0]["cost_per_month_usd"].as_f64()), (Some(ghost.id.as_str()), Some(70.08)));
    assert_eq!(answer.json()["cost_per_month_usd"], 70.08);
    let all = bench.get("acme-viewer", &format!("/api/v1/scanner/ghosts?cluster_id={CLUSTER}&kind=all")).await;
    assert_eq!(all.json()["items"].as_array().unwrap().len(), 2);
    let foreign = bench.get("other-viewer", &format!("/api/v1/scanner/ghosts?cluster_id={CLUSTER}")).await;
    assert_eq!(foreign.status, StatusCode::NOT_FOUND);
}

#[tokio::test(start_paused = true)]
async fn a_person_ends_a_ghost_by_a_plan_of_the_same_engine() {
    let bench = Bench::new().await;
    let ghost = found(&bench, FindingKind::Ghost, "i-12345678").await;
    let path = "/api/v1/scanner/terminate/i-12345678";
    let dry = bench.post("acme-operator", path, &json!({ "cluster_id": CLUSTER, "dryRun": true })).await;
    assert_eq!((dry.status, dry.json()["dry_run"].as_bool()), (StatusCode::OK, Some(true)));
    assert!(bench.store.plans().is_empty());
    let answer = bench.post("acme-operator", path, &json!({ "cluster_id": CLUSTER })).await;
    assert_eq!(answer.status, StatusCode::ACCEPTED);
    let plans = bench.store.plans();
    assert_eq!(plans[0].plan.kind, PlanKind::Ghost);
    assert!(matches!(&plans[0].plan.steps[0].action, Action::TerminateGhost { by: AskedBy::Person, .. }));
    let now = bench.store.finding(&ghost.customer, &ghost.cluster, &ghost.id).await.unwrap().unwrap();
    assert!(matches!(now.state, FindingState::Acting { .. }));
    let again = bench.post("acme-operator", path, &json!({ "cluster_id": CLUSTER })).await;
    assert_eq!(again.status, StatusCode::CONFLICT);
    let unknown = bench.post("acme-operator", "/api/v1/scanner/terminate/i-00000000", &json!({ "cluster_id": CLUSTER })).await;
    assert_eq!(unknown.status, StatusCode::NOT_FOUND);
}

#[tokio::test(start_paused = true)]
async fn a_finding_is_put_aside_with_a_reason_that_stands_in_it_and_in_the_trail() {
    let bench = Bench::new().await;
    let ghost = found(&bench, FindingKind::Ghost, "i-12345678").await;
    let path = format!("/api/v1/scanner/findings/{}/dismiss", ghost.id);
    let why = json!({ "cluster_id": CLUSTER, "reason": "It is our build machine." });
    let stored = async || bench.store.finding(&ghost.customer, &ghost.cluster, &ghost.id).await.unwrap().unwrap();

    assert_eq!(bench.post("acme-viewer", &path, &why).await.status, StatusCode::FORBIDDEN);
    assert_eq!(bench.post("other-operator", &path, &why).await.status, StatusCode::NOT_FOUND);
    for reason in ["", "  ", &"x".repeat(501)] {
        let answer = bench.post("acme-operator", &path, &json!({ "cluster_id": CLUSTER, "reason": reason })).await;
        assert_eq!(answer.status, StatusCode::UNPROCESSABLE_ENTITY, "{reason:?}");
    }
    assert_eq!(bench.post("acme-operator", &format!("{path}?dryRun=true"), &why).await.json()["dry_run"], true);
    assert_eq!(stored().await.state, FindingState::Open, "so far nothing is dismissed");

    let answer = bench.post("acme-operator", &path, &why).await;
    assert_eq!((answer.status, answer.json()["state"].as_str()), (StatusCode::OK, Some("dismissed")));
    assert!(
        matches!(&stored().await.state, FindingState::Dismissed { by, why, .. } if by == "acme-operator" && why == "It is our build machine.")
    );
    let rows = bench.get("acme-admin", "/api/v1/audit").await.json()["items"].clone();
    let noted = rows.as_array().unwrap().iter().find(|row| row["status"] == 200 && row["after"]["state"] == "dismissed").unwrap();
    assert_eq!(noted["after"]["detail"]["why"], "It is our build machine.");

    let again = bench.post("acme-operator", "/api/v1/scanner/findings/i-12345678/dismiss", &why).await;
    assert_eq!((again.status, again.json()["state"].as_str()), (StatusCode::CONFLICT, Some("dismissed")));
    let unknown = bench.post("acme-operator", "/api/v1/scanner/findings/i-00000000/dismiss", &why).await;
    assert_eq!(unknown.status, StatusCode::NOT_FOUND);
}
