use super::support::{Bench, CLUSTER};
use domain::SignedDuration;
use domain::decision::{DecisionType, WhyNot};
use domain::ids::{ClusterId, CustomerId, PlanId};
use domain::money::MicroDollars;
use domain::node::NodeTarget;
use domain::optimization::{Proposal, ProposalState, Recommendation, Round, Run, RunStatus, WAITS_FOR, run_id};
use domain::plan::{Action, NodeStake, OnFailure, Outcome, Plan, PlanKey, PlanKind, Progress, Stakes, Step, Urgency};
use domain::policy::Mode;
use domain::ports::{Clock, Journal, Ledger, NewPlan, Optimizations};
use domain::savings::{Baseline, Hour, Lever, hour_of};
use domain::scheduling::Resources;
use http::StatusCode;
use serde_json::{Value, json};
use sim::store::Which;

fn plan(bench: &Bench, id: &str) -> Plan {
    let now = bench.clock.now();
    let node = NodeTarget {
        name: bench.world.node_name(&bench.nodes[0]).unwrap(),
        uid: None,
        instance: bench.nodes[0].clone(),
        taints: Vec::new(),
    };
    let stake = NodeStake {
        node: node.name.clone(),
        instance: node.instance.clone(),
        pool: bench.world.instance(&bench.nodes[0]).unwrap().pool,
        price_per_hour: MicroDollars(80_000),
        carried: Resources::new(1, 1),
        pods: 2,
    };
    let step = |action, after| Step { action, after, after_unless_forced: Vec::new() };
    Plan {
        key: PlanKey {
            customer: CustomerId::parse("acme").unwrap(),
            cluster: ClusterId::parse(CLUSTER).unwrap(),
            plan: PlanId::parse(id).unwrap(),
        },
        kind: PlanKind::BinPack,
        reason: "It is empty.".to_owned(),
        requested_by: "optimizer (test)".to_owned(),
        created_at: now,
        deadline: now + SignedDuration::from_hours(1),
        on_failure: OnFailure::Unwind,
        steps: vec![step(Action::Cordon { node: node.clone() }, vec![]), step(Action::Terminate { node }, vec![0])],
        expected_saving: MicroDollars(87_200),
        evidence: vec!["seen".to_owned()],
        stakes: Some(Box::new(Stakes {
            decision: DecisionType::BinPack,
            request_id: "r".to_owned(),
            snapshot_at: now,
            nodes: vec![stake],
            overhead_per_hour: MicroDollars(7_200),
            saving_min: MicroDollars(5_000),
        })),
    }
}

/// One decided run with one proposal in this state.
pub(super) async fn decided(bench: &Bench, id: &str, state: ProposalState) -> Run {
    let plan = plan(bench, id);
    let (customer, cluster) = (plan.key.customer.clone(), plan.key.cluster.clone());
    let run = Run {
        id: run_id(&cluster, id, DecisionType::BinPack),
        customer,
        cluster,
        decision: DecisionType::BinPack,
        round: id.to_owned(),
        asked_by: "schedule".to_owned(),
        mode: Mode::Approve,
        at: bench.clock.now(),
        snapshot_at: Some(bench.clock.now()),
        status: RunStatus::Proposed,
        why: None,
        engine: "test".to_owned(),
        reasons: Vec::new(),
        recommendations: vec![Recommendation {
            plan: plan.key.plan.clone(),
            remove: vec![bench.world.node_name(&bench.nodes[0]).unwrap()],
            launch: 0,
            saving_per_hour: plan.expected_saving,
            why: "It is empty.".to_owned(),
        }],
        refused: Vec::new(),
        estimated_saving: plan.expected_saving,
        cost_before: MicroDollars(2),
        cost_after: MicroDollars(1),
        lower_bound: MicroDollars(1),
        untouched_counts: [(WhyNot::Optimal, 1)].into(),
        untouched: Vec::new(),
        rejected: Vec::new(),
    };
    let proposal = Proposal { plan, run: run.id.clone(), state, version: 1 };
    bench.store.decide(&run, &[proposal]).await.unwrap();
    run
}

pub(super) fn waiting(bench: &Bench) -> ProposalState {
    ProposalState::Waiting { until: bench.clock.now() + WAITS_FOR }
}

fn asked(bench: &Bench) -> Vec<Round> {
    let taken = bench.queue.take_due(bench.clock.now() + SignedDuration::from_secs(1));
    let rounds = taken.iter().filter(|message| message.queue == Which::Rounds);
    rounds.map(|message| serde_json::from_str(&message.body).unwrap()).collect()
}

async fn say(bench: &Bench, id: &str, word: &str) -> super::support::Answer {
    bench.post("acme-operator", &format!("/api/v1/optimization/plans/{id}/{word}"), &json!({})).await
}

async fn state(bench: &Bench, id: &str) -> ProposalState {
    bench.store.proposal(&CustomerId::parse("acme").unwrap(), &PlanId::parse(id).unwrap()).await.unwrap().unwrap().state
}

#[tokio::test]
async fn a_trigger_asks_for_one_round_and_says_where_its_runs_will_be() {
    let bench = Bench::new().await;
    let path = "/api/v1/optimization/trigger";
    let answer = bench.post("acme-operator", path, &json!({ "cluster_id": CLUSTER, "dryRun": true })).await;
    assert_eq!(answer.status, StatusCode::ACCEPTED, "{}", answer.text);
    let runs = answer.json()["optimizations"].as_array().unwrap().clone();
    let rounds = asked(&bench);
    assert_eq!((runs.len(), rounds.len(), rounds[0].dry_run), (3, 1, true));
    assert_eq!(runs[1]["optimization_id"], json!(rounds[0].run(DecisionType::BinPack)));
    let href = answer.header("location").to_owned();
    assert_eq!(bench.get("acme-viewer", &href).await.status, StatusCode::NOT_FOUND, "not decided yet");
    let one = bench.post("acme-operator", path, &json!({ "cluster_id": CLUSTER, "optimization_type": "bin-pack" })).await;
    assert_eq!(one.json()["optimizations"].as_array().unwrap().len(), 1);
    let wrong = bench.post("acme-operator", path, &json!({ "cluster_id": CLUSTER, "optimization_type": "magic" })).await;
    assert_eq!(wrong.code(), "invalid-fields");
    let foreign = bench.post("acme-operator", path, &json!({ "cluster_id": "c-other" })).await;
    assert_eq!(foreign.status, StatusCode::NOT_FOUND);
    bench.post("acme-admin", "/api/v1/admin/halt", &json!({ "scope": "customer", "reason": "drill" })).await;
    let halted = bench.post("acme-operator", path, &json!({ "cluster_id": CLUSTER })).await;
    assert_eq!((halted.status, halted.code().as_str()), (StatusCode::CONFLICT, "halted"));
}

#[tokio::test]
async fn runs_are_shown_with_why_and_what_they_really_saved() {
    let bench = Bench::new().await;
    let run = decided(&bench, "p-1", ProposalState::Opened).await;
    let listed = bench.get("acme-viewer", &format!("/api/v1/optimization/history?cluster_id={CLUSTER}")).await.json();
    assert_eq!(listed["items"][0]["optimization_id"], json!(run.id));
    assert_eq!(listed["items"][0]["untouched_counts"], json!({ "optimal": 1 }));
    let shown = bench.get("acme-viewer", &format!("/api/v1/optimization/status/{}", run.id)).await.json();
    assert_eq!(shown["recommendations"][0]["estimated_savings_per_hour"], 87_200);
    assert_eq!(shown["actual_savings_per_hour"], 0, "nothing has happened, so nothing is saved");
    assert_eq!((shown["recommendations"][0]["status"].as_str(), shown["completed"].as_bool()), (Some("pending"), Some(false)));
    let other = bench.get("other-viewer", "/api/v1/optimization/history").await.json();
    assert_eq!(other["items"], json!([]));
}

#[tokio::test]
async fn a_plan_says_why_and_takes_a_persons_word_once() {
    let bench = Bench::new().await;
    decided(&bench, "p-1", waiting(&bench)).await;
    decided(&bench, "p-2", waiting(&bench)).await;
    let shown = bench.get("acme-viewer", "/api/v1/optimization/plans/p-1").await.json();
    assert_eq!((shown["why"].as_str(), shown["status"].as_str()), (Some("It is empty."), Some("waiting")));
    assert_eq!(shown["nodes"][0]["price_per_hour"], 80_000);
    let dry = bench.post("acme-operator", "/api/v1/optimization/plans/p-1/approve?dryRun=true", &json!({})).await;
    assert_eq!((dry.json()["dry_run"].as_bool(), state(&bench, "p-1").await.as_str()), (Some(true), "waiting"));
    assert_eq!(say(&bench, "p-1", "approve").await.status, StatusCode::ACCEPTED);
    assert!(matches!(state(&bench, "p-1").await, ProposalState::Approved { by, .. } if by.contains("operator") || !by.is_empty()));
    let rounds = asked(&bench);
    assert_eq!((rounds.len(), rounds[0].types.as_slice()), (1, &[DecisionType::BinPack][..]));
    assert_eq!(say(&bench, "p-2", "reject").await.status, StatusCode::OK);
    let late = say(&bench, "p-2", "approve").await;
    assert_eq!((late.status, late.code().as_str()), (StatusCode::CONFLICT, "nothing-to-decide"));
    assert_eq!(say(&bench, "p-1", "cancel").await.status, StatusCode::OK, "what waits for its round is rejected");
    assert_eq!(state(&bench, "p-1").await.as_str(), "rejected");
    let viewer = bench.post("acme-viewer", "/api/v1/optimization/plans/p-1/approve", &json!({})).await;
    assert_eq!(viewer.status, StatusCode::FORBIDDEN);
}

#[tokio::test]
async fn a_plan_under_way_is_cancelled_until_its_point_of_no_return() {
    let bench = Bench::new().await;
    decided(&bench, "p-1", ProposalState::Opened).await;
    assert_eq!(say(&bench, "p-1", "cancel").await.code(), "not-begun");
    let plan = plan(&bench, "p-1");
    let progress = Progress::new(&plan, Urgency::Normal, None);
    let new = NewPlan { plan: plan.clone(), progress, audit: Vec::new(), spot_event: None, operation: None };
    bench.store.open(&new).await.unwrap();
    assert_eq!(say(&bench, "p-1", "cancel").await.status, StatusCode::ACCEPTED);
    let stored = bench.store.load(&plan.key).await.unwrap().unwrap();
    assert!(matches!(stored.progress.unwinding, Some(Outcome::Cancelled { .. })));
    assert_eq!(say(&bench, "p-1", "cancel").await.code(), "nothing-to-decide");

    decided(&bench, "p-2", ProposalState::Opened).await;
    let plan = self::plan(&bench, "p-2");
    let mut progress = Progress::new(&plan, Urgency::Normal, None);
    progress.apply(1, domain::plan::Event::Started, bench.clock.now()).unwrap();
    bench.store.open(&NewPlan { plan, progress, audit: Vec::new(), spot_event: None, operation: None }).await.unwrap();
    assert_eq!(say(&bench, "p-2", "cancel").await.code(), "past-return");
}

#[tokio::test]
async fn savings_are_told_apart_and_sum_up_closed_hours() {
    let bench = Bench::new().await;
    let (customer, cluster) = (CustomerId::parse("acme").unwrap(), ClusterId::parse(CLUSTER).unwrap());
    let before = bench.get("acme-viewer", "/api/v1/admin/savings").await.json();
    assert_eq!((before["items"][0]["realised"]["sum"].as_i64(), before["items"][0]["baseline"].is_null()), (Some(0), true));
    let now = bench.clock.now();
    let baseline = Baseline {
        customer: customer.clone(),
        cluster: cluster.clone(),
        frozen_at: now,
        cost_per_hour: MicroDollars(100_000),
        nodes: 2,
        requested: Resources::new(1, 1),
    };
    bench.store.freeze(&baseline).await.unwrap();
    for back in 0..3 {
        let begins = hour_of(now) - SignedDuration::from_hours(back);
        let hour = Hour {
            customer: customer.clone(),
            cluster: cluster.clone(),
            begins,
            seen_at: begins,
            vcpus: 8,
            cost: MicroDollars(70_000),
            spot: None,
            expected: MicroDollars(100_000),
            estimated: MicroDollars(5_000),
            freed: MicroDollars(1_000),
            realised: [(Lever::BinPack, MicroDollars(30_000)), (Lever::OutOfMemory, MicroDollars(-4_000))].into(),
        };
        bench.store.close(&hour).await.unwrap();
    }
    let shown: Value =
        bench.get("acme-viewer", &format!("/api/v1/admin/savings?cluster_id={CLUSTER}&hours=2")).await.json()["items"][0].clone();
    assert_eq!((shown["realised"]["sum"].as_i64(), shown["hours_closed"].as_i64()), (Some(78_000), Some(3)));
    assert_eq!((shown["freed_per_hour"].as_i64(), shown["estimated_per_hour"].as_i64()), (Some(1_000), Some(5_000)));
    assert_eq!(shown["realised"]["by_lever"]["out_of_memory"], -12_000);
    assert_eq!(bench.get("acme-viewer", "/api/v1/admin/savings?hours=0").await.code(), "invalid-hours");
    assert_eq!(bench.get("acme-viewer", "/api/v1/admin/savings?cluster_id=c-other").await.status, StatusCode::NOT_FOUND);
}
