//! What is ended and agreed to on pages, several at once and one by one.

use super::support::{Bench, PLAN, customer};
use domain::finding::{FindingKind, FindingState};
use domain::ids::{ClusterId, PlanId};
use domain::optimization::ProposalState;
use domain::plan::PlanKey;
use domain::ports::{Findings, Journal, Optimizations};
use http::StatusCode;

#[tokio::test]
async fn a_ghost_is_ended_by_a_plan_that_looks_again_and_a_form_sent_twice_asks_once() {
    let bench = Bench::full().await;
    let (whose, cluster) = (customer("acme"), ClusterId::parse("c-acme").unwrap());
    let finding = bench.store.findings_of(&whose, &cluster, Some(FindingKind::Ghost)).await.unwrap().remove(0);
    let fields = [("cluster", "c-acme"), ("finding", finding.id.as_str()), ("wish", "00000000000000000000000000000abc")];
    let viewer = bench.enter("acme-viewer").await;
    assert_eq!(bench.act(&viewer, "/console/waste/end", &fields).await.status, StatusCode::FORBIDDEN);
    let cookie = bench.enter("acme-operator").await;
    assert!(bench.get(&cookie, "/console/waste").await.text.contains("End it"));
    assert_eq!(bench.act(&cookie, "/console/waste/end", &fields).await.status, StatusCode::SEE_OTHER);
    let plan = PlanId::parse("op-00000000000000000000000000000abc").unwrap();
    let record =
        bench.store.load(&PlanKey { customer: whose.clone(), cluster: cluster.clone(), plan: plan.clone() }).await.unwrap().unwrap();
    assert_eq!((record.plan.steps.len(), record.plan.requested_by.as_str()), (1, "api key acme-operator"));
    let after = bench.store.finding(&whose, &cluster, &finding.id).await.unwrap().unwrap();
    assert_eq!(after.state, FindingState::Acting { plan });
    assert_eq!(bench.act(&cookie, "/console/waste/end", &fields).await.status, StatusCode::CONFLICT, "a plan deals with it");
    assert_eq!(bench.act(&bench.enter("other-admin").await, "/console/waste/end", &fields).await.status, StatusCode::NOT_FOUND);
}

#[tokio::test]
async fn the_chosen_plans_are_approved_and_the_others_go_on_waiting() {
    let bench = Bench::full().await;
    let cookie = bench.enter("acme-operator").await;
    let page = bench.get(&cookie, "/console/plans").await.text;
    assert!(page.contains(&format!("name=\"pick-{PLAN}\"")) && page.contains("form=\"choose-waiting\""), "{page}");
    assert_eq!(bench.act(&cookie, "/console/plans/approve-chosen", &[]).await.status, StatusCode::CONFLICT, "none is chosen");
    let pick = format!("pick-{PLAN}");
    assert_eq!(bench.act(&cookie, "/console/plans/approve-chosen", &[(&pick, "on")]).await.status, StatusCode::SEE_OTHER);
    let plan = PlanId::parse(PLAN).unwrap();
    let proposal = bench.store.proposal(&customer("acme"), &plan).await.unwrap().unwrap();
    assert!(matches!(proposal.state, ProposalState::Approved { .. }), "{:?}", proposal.state);
}

#[tokio::test]
async fn a_plan_of_several_nodes_says_why_it_is_one_decision_and_how_a_node_is_kept_out_of_it() {
    let bench = Bench::full().await;
    let (whose, cookie) = (customer("acme"), bench.enter("acme-operator").await);
    let mut plan = bench.store.proposal(&whose, &PlanId::parse(PLAN).unwrap()).await.unwrap().unwrap();
    let alone = bench.get(&cookie, &format!("/console/plans/{PLAN}")).await.text;
    assert!(!alone.contains("one decision"), "one node has no part");
    let mut run = bench.store.run(&whose, &plan.run).await.unwrap().unwrap();
    run.id = domain::optimization::run_id(&run.cluster, "another", run.decision);
    plan.plan.key.plan = PlanId::parse("plan-2").unwrap();
    plan.run = run.id.clone();
    let stakes = plan.plan.stakes.as_mut().unwrap();
    stakes.nodes.push(stakes.nodes[0].clone());
    bench.store.decide(&run, &[plan]).await.unwrap();
    let page = bench.get(&cookie, "/console/plans/plan-2").await.text;
    assert!(page.contains("Why it is one decision") && page.contains("The 2 nodes go together"), "{page}");
    assert!(page.contains("karpenter.sh/do-not-disrupt") && page.contains("/console/plans/approve"));
}

/// Whatever stands in an address, a page begins within its list.
#[tokio::test]
async fn a_page_that_begins_behind_its_list_is_a_page() {
    let bench = Bench::full().await;
    let cookie = bench.enter("acme-viewer").await;
    for page in ["/console/waste", "/console/rightsizing"] {
        for from in ["1000", "18446744073709551615", "-1", "x"] {
            assert_eq!(bench.get(&cookie, &format!("{page}?from={from}")).await.status, StatusCode::OK, "{page} from {from}");
        }
    }
}
