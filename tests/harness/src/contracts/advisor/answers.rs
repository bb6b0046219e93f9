//! What a decision server answers: nothing that was not in the question, and figures that add up.

use super::clusters::{small, zones};
use super::{KINDS, Target, believed, path};
use domain::decision::{Calibration, DecisionAnswer, DecisionRequest, DecisionType, HandsOff, PoolName, PredictRequest, verify};
use domain::ids::NodeName;
use domain::money::MicroDollars;
use domain::ports::Advisor;
use secrecy::ExposeSecret;
use std::collections::BTreeSet;

/// How many clusters are asked about, per kind of decision.
const SEEDS: u64 = 25;

/// Holds an answer against its question: names, sums, and everything that the core checks.
pub fn check(request: &DecisionRequest, answer: &DecisionAnswer, what: &str) {
    assert_eq!((answer.version, &answer.request_id), (1, &request.request_id), "{what}");
    let all: BTreeSet<&NodeName> = request.snapshot.nodes.iter().map(|node| &node.name).collect();
    let gone: Vec<&NodeName> = answer.execution_plan.iter().flat_map(|step| step.remove.iter().map(|node| &node.name)).collect();
    let stays: Vec<&NodeName> = answer.untouched.iter().map(|untouched| &untouched.node).collect();
    let told: BTreeSet<&NodeName> = gone.iter().chain(&stays).copied().collect();
    assert_eq!(told.len(), gone.len() + stays.len(), "{what}: a node is told of twice");
    assert_eq!(told, all, "{what}: every node goes, or has a reason to stay");
    assert!(answer.untouched.iter().all(|untouched| !untouched.why.is_empty()), "{what}: a reason is a sentence");
    let moves: MicroDollars = answer.execution_plan.iter().map(|step| step.saving_per_hour).sum();
    assert_eq!(moves, answer.estimated_saving, "{what}");
    assert_eq!(answer.cost_before - answer.cost_after, answer.estimated_saving, "{what}");
    assert!(answer.lower_bound <= answer.cost_after, "{what}: a bound is below what is reached");
    believed(request, answer.clone()).unwrap_or_else(|why| panic!("{what}: {why}"));
}

/// Many small clusters, each kind of decision.
pub async fn every_kind_of_decision_can_be_believed(target: &Target) {
    let mut moves = 0;
    for kind in KINDS {
        for seed in 0..SEEDS {
            let request = small(seed, kind);
            let answer = target.decide(&request).await;
            check(&request, &answer, &format!("{kind:?}, seed {seed}"));
            moves += answer.execution_plan.len();
        }
    }
    println!("decision server: {moves} moves for {} clusters, all believed", KINDS.len() as u64 * SEEDS);
}

/// Asked twice, it answers the same.
pub async fn the_same_question_has_the_same_answer(target: &Target) {
    for kind in KINDS {
        let request = small(3, kind);
        assert_eq!(target.decide(&request).await, target.decide(&request).await, "{kind:?}");
    }
}

/// What the core says to leave alone goes in no answer, and no more nodes than may.
pub async fn what_is_to_be_left_alone_is_left_alone(target: &Target) {
    for kind in KINDS {
        let mut request = small(5, kind);
        request.constraints.hands_off =
            request.snapshot.nodes.iter().map(|node| HandsOff { node: node.name.clone(), why: "a plan is under way".to_owned() }).collect();
        let answer = target.decide(&request).await;
        assert!(answer.execution_plan.is_empty(), "{kind:?}");
        let mut request = small(5, kind);
        request.constraints.nodes_max = 0;
        assert!(target.decide(&request).await.execution_plan.is_empty(), "{kind:?}");
    }
}

/// One chance for each pool, between 0 and 1, not falling with the horizon.
pub async fn chances_are_of_the_pools_asked_for(target: &Target) {
    let pool =
        |name: &str, zone: &str| PoolName { instance_type: name.to_owned().try_into().unwrap(), zone: zone.to_owned().try_into().unwrap() };
    let pools: Vec<PoolName> =
        ["m6i.large", "c5.xlarge", "r7g.2xlarge", "x9.unknown"].iter().flat_map(|name| zones().map(|zone| pool(name, zone))).collect();
    let mut last = vec![0.0; pools.len()];
    for horizon_minutes in [1, 60, 1_440, 43_200] {
        let question = PredictRequest { region: "us-east-1".to_owned().try_into().unwrap(), pools: pools.clone(), horizon_minutes };
        let answer = target.advisor().predict(&question).await.unwrap();
        assert_eq!(answer, target.advisor().predict(&question).await.unwrap());
        assert_eq!(answer.iter().map(|prediction| &prediction.pool).collect::<Vec<_>>(), pools.iter().collect::<Vec<_>>());
        let answer = verify::predictions(&question, answer).unwrap_or_else(|refusals| panic!("{refusals:#?}"));
        for (last, prediction) in last.iter_mut().zip(&answer) {
            let chance = prediction.probability.unwrap_or(0.0);
            assert!(chance >= *last, "{prediction:?} within {horizon_minutes} minutes");
            *last = chance;
        }
    }
}

/// However a question is packed, the answer is the same; a large one comes packed to those who take that.
pub async fn packed_and_plain_are_the_same(target: &Target) {
    let kind = DecisionType::BinPack;
    let plain = serde_json::to_vec(&small(7, kind)).unwrap();
    let packed = runtime::gzip::pack(&plain).unwrap();
    let json = ("content-type", "application/json");
    let first = target.post(&path(kind), &[json], plain).await;
    assert_eq!(first.status.as_u16(), 200);
    for headers in [[json, ("content-encoding", "gzip")], [("content-type", "application/gzip"), ("accept", "application/json")]] {
        let answer = target.post(&path(kind), &headers, packed.clone()).await;
        assert_eq!((answer.status.as_u16(), &answer.body), (200, &first.body), "{headers:?}");
    }
}

/// What is told of predictions is judged; told twice, it counts once. A server that keeps no records says so with a 404, and is held to it.
pub async fn outcomes_are_kept_once_and_judged(target: &Target) {
    let get = async || target.send("GET", "/api/v1/ml/predict/calibration", &[("x-api-key", target.key.expose_secret())], Vec::new()).await;
    let before = get().await;
    let json = [("content-type", "application/json")];
    let outcome = |horizon: u32, interrupted: u32| {
        serde_json::json!([{
            "id": "contract-1", "region": "us-east-1", "pool": { "instance_type": "m6i.large", "zone": "us-east-1a" },
            "predicted_at": sim::clock::EPOCH.to_string(), "horizon_minutes": horizon, "probability": 0.5, "instances": 4,
            "interrupted": interrupted,
        }])
        .to_string()
        .into_bytes()
    };
    let told = target.post("/api/v1/ml/outcomes", &json, outcome(61, 1)).await;
    if before.status.as_u16() == 404 {
        assert_eq!(told.status.as_u16(), 404, "neither or both");
        return;
    }
    assert_eq!(told.status.as_u16(), 200, "{:?}", String::from_utf8_lossy(&told.body));
    assert_eq!(target.post("/api/v1/ml/outcomes", &json, outcome(61, 1)).await.status.as_u16(), 200);
    for (wrong, interrupted) in [(0, 1), (61, 5)] {
        let answer = target.post("/api/v1/ml/outcomes", &json, outcome(wrong, interrupted)).await;
        assert_eq!((answer.status.as_u16(), answer.media_type().as_str()), (422, "application/problem+json"));
    }
    let judged: Vec<Calibration> = serde_json::from_slice(&get().await.body).unwrap();
    for report in &judged {
        assert!((0.0..=1.0).contains(&report.brier) && (0.0..=1.0).contains(&report.base_rate), "{report:?}");
        assert_eq!(report.reliability.iter().map(|row| row.predictions).sum::<u32>(), report.predictions, "{report:?}");
    }
    // On a server with a past of its own the outcome is older than what is judged.
    if serde_json::from_slice::<Vec<Calibration>>(&before.body).unwrap().is_empty() && !judged.is_empty() {
        assert_eq!((judged[0].horizon_minutes, judged[0].predictions, judged[0].base_rate), (61, 4, 0.25));
        assert!((judged[0].brier - 0.25).abs() < 1e-12, "{judged:?}");
    }
}
