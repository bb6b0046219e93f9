//! What a decision server answers: nothing that was not in the question, and figures that add up.

use super::clusters::{small, zones};
use super::{KINDS, Target, believed, path};
use domain::decision::{DecisionAnswer, DecisionRequest, DecisionType, HandsOff, PoolName, PredictRequest, verify};
use domain::ids::NodeName;
use domain::money::MicroDollars;
use domain::ports::Advisor;
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
