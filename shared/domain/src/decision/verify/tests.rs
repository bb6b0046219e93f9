//! One cluster, one honest answer, and every way to lie about it.

use super::*;
use crate::catalog::{Arch, Hypervisor};
use crate::decision::{
    ClusterState, Commitment, Constraints, DecisionType, HandsOff, LaunchSpec, Move, NodeIdentity, PoolName, PoolPrice, Untouched, WhyNot,
};
use crate::market::{PriceSource, Quote};
use crate::node::NodeOwner;
use crate::offering::{CapacityType, Offering, Pool};
use crate::pod::{Controller, PodBudget, Selector};
use crate::policy::OptimizationPolicy;
use crate::scheduling::{Resources, Scheduling};
use crate::snapshot::{Placed, PodClass, Snapshot, SnapshotNode, Subnet};
use jiff::Timestamp;
use std::collections::BTreeMap;

mod lies;
mod seeds;

const GIB: u64 = 1 << 30;

fn id<T: TryFrom<String>>(text: &str) -> T
where
    T::Error: std::fmt::Debug,
{
    text.to_owned().try_into().unwrap()
}

fn now() -> Timestamp {
    Timestamp::from_second(1_790_000_000).unwrap()
}

fn pool(kind: &str, capacity: CapacityType) -> Pool {
    Pool { instance_type: id(kind), zone: id("us-east-1a"), capacity }
}

/// A node of 2 cores and 8 GiB at 0.096 USD with two pods of 0.4 cores.
fn node(index: usize) -> SnapshotNode {
    SnapshotNode {
        name: id(&format!("node-{index}")),
        uid: id(&format!("uid-{index}")),
        instance: Some(id(&format!("i-{index:08x}"))),
        pool: Some(pool("m6i.large", CapacityType::OnDemand)),
        owner: NodeOwner::CloudOptim,
        labels: BTreeMap::new(),
        taints: Vec::new(),
        unschedulable: false,
        ready: true,
        do_not_disrupt: false,
        allocatable: Resources::new(1930, 7 * GIB),
        pods_max: 29,
        usage: None,
        price: Some(Quote { price_per_hour: MicroDollars(96_000), source: PriceSource::Observed { at: now() } }),
        created_at: Timestamp::from_second(now().as_second() - 86_400).ok(),
        last_pod_event_at: None,
        pods: vec![Placed { class: 0, count: 2 }, Placed { class: 1, count: 1 }],
    }
}

fn class(controller: Option<(&str, &str)>, cpu_millis: u64, daemon: bool) -> PodClass {
    PodClass {
        namespace: "shop".to_owned(),
        controller: controller.map(|(kind, name)| Controller { kind: kind.to_owned(), name: name.to_owned() }),
        labels: BTreeMap::from([("app".to_owned(), "web".to_owned())]),
        requests: Resources::new(cpu_millis, GIB / 2),
        scheduling: Scheduling::default(),
        priority: 0,
        grace_s: 30,
        do_not_disrupt: false,
        daemon,
        mirror: false,
        empty_dir: false,
        arches: vec![Arch::Amd64],
        usage: None,
    }
}

fn budget(name: &str, desired_healthy: i32) -> PodBudget {
    PodBudget {
        namespace: "shop".to_owned(),
        name: name.to_owned(),
        selector: Some(Selector::default()),
        disruptions_allowed: 1,
        current_healthy: 8,
        desired_healthy,
        expected_pods: 8,
    }
}

/// Four nodes, of which the pods of any two fit on one.
fn asked() -> DecisionRequest {
    DecisionRequest {
        version: CONTRACT_VERSION,
        request_id: "r-1".to_owned(),
        cluster_id: id("c-1"),
        decision_type: DecisionType::BinPack,
        cluster_state: ClusterState {
            cluster_id: id("c-1"),
            node_count: 4,
            total_cpu: 7.72,
            total_memory: 28.0,
            pod_count: 12,
            spot_node_count: 0,
            on_demand_node_count: 4,
            current_cost_per_hour: 0.384,
        },
        snapshot: Snapshot {
            version: SNAPSHOT_VERSION,
            cluster: id("c-1"),
            region: id("us-east-1"),
            taken_at: now(),
            subnets: vec![Subnet { id: id("subnet-a"), zone: id("us-east-1a") }, Subnet { id: id("subnet-b"), zone: id("us-east-1b") }],
            nodes: (0..4).map(node).collect(),
            classes: vec![class(Some(("ReplicaSet", "web")), 400, false), class(Some(("DaemonSet", "log")), 100, true)],
            pending: Vec::new(),
            budgets: Some(vec![budget("web", 7)]),
            parts: Vec::new(),
        },
        requirements: OptimizationPolicy::default(),
        constraints: Constraints { now: Some(now()), nodes_max: 3, ..Constraints::default() },
    }
}

fn identity(index: usize) -> NodeIdentity {
    let node = node(index);
    NodeIdentity { name: node.name, uid: node.uid, instance: node.instance.unwrap() }
}

fn launch(kind: &str, capacity: CapacityType, price: i64) -> LaunchSpec {
    LaunchSpec {
        offerings: vec![Offering { pool: pool(kind, capacity), subnet: id("subnet-a"), price_per_hour: Some(MicroDollars(price)) }],
        needs: Resources::new(1600, 3 * GIB),
        pods: 4,
    }
}

fn stays(index: usize) -> Untouched {
    Untouched { node: node(index).name, code: WhyNot::Optimal, object: None, why: "it is cheap".to_owned() }
}

/// Node 0 goes; nodes 1 and 2 become one of spot at 0.04.
fn answered() -> DecisionAnswer {
    let step = |remove: Vec<NodeIdentity>, launch: Vec<LaunchSpec>, saving: i64, pods_moved: u32| Move {
        remove,
        launch,
        saving_per_hour: MicroDollars(saving),
        cost_once: MicroDollars(1_000),
        pods_moved,
        why: "it is half empty".to_owned(),
    };
    DecisionAnswer {
        version: CONTRACT_VERSION,
        request_id: "r-1".to_owned(),
        engine: "test".to_owned(),
        execution_plan: vec![
            step(vec![identity(0)], Vec::new(), 96_000, 2),
            step(vec![identity(1), identity(2)], vec![launch("m6i.large", CapacityType::Spot, 40_000)], 152_000, 4),
        ],
        estimated_saving: MicroDollars(248_000),
        cost_before: MicroDollars(384_000),
        cost_after: MicroDollars(136_000),
        lower_bound: MicroDollars(100_000),
        reasons: vec!["two nodes fewer".to_owned()],
        untouched: vec![stays(3)],
        rejected: Vec::new(),
        cursor: None,
    }
}

fn type_of(name: &InstanceType) -> Option<TypeInfo> {
    let (arch, vcpu) = match name.as_str() {
        "m6i.large" | "t3.large" => (Arch::Amd64, 2),
        "m6g.large" => (Arch::Arm64, 2),
        "m6i.32xlarge" => (Arch::Amd64, 128),
        "m6i.medium" => (Arch::Amd64, 1),
        _ => return None,
    };
    Some(TypeInfo {
        name: name.clone(),
        arch,
        vcpu,
        memory_bytes: u64::from(vcpu) * 4 * GIB,
        allocatable_cpu_millis: u64::from(vcpu) * 1000 - 70,
        allocatable_memory_bytes: u64::from(vcpu) * 4 * GIB - GIB,
        pods_max: 29,
        category: name.as_str()[..1].to_owned(),
        generation: 6,
        current: true,
        gpu_count: 0,
        accelerator_count: 0,
        nvme_bytes: 0,
        flex: false,
        hypervisor: Hypervisor::Nitro,
        coremark: None,
    })
}

fn on_demand(_region: &Region, name: &InstanceType) -> Option<MicroDollars> {
    type_of(name).map(|info| MicroDollars(i64::from(info.vcpu) * 48_000))
}

const KNOWN: Reference<'static> = Reference { type_of: &type_of, on_demand: &on_demand };

fn verdict(request: &DecisionRequest, answer: DecisionAnswer) -> Vec<Rule> {
    match super::answer(request, answer, KNOWN) {
        Ok(_) => Vec::new(),
        Err(refusals) => refusals.into_iter().map(|refusal| refusal.rule).collect(),
    }
}

#[test]
fn an_honest_answer_is_believed() {
    let trusted = super::answer(&asked(), answered(), KNOWN).unwrap();
    assert_eq!(trusted.answer(), &answered());
}

#[test]
fn an_answer_that_does_nothing_is_believed() {
    let idle = DecisionAnswer {
        execution_plan: Vec::new(),
        estimated_saving: MicroDollars(0),
        cost_after: MicroDollars(384_000),
        untouched: (0..4).map(stays).collect(),
        ..answered()
    };
    assert_eq!(verdict(&asked(), idle), Vec::new());
}

#[test]
fn words_are_shortened_and_lose_what_could_play_tricks() {
    let mut answer = answered();
    answer.engine = "evil\u{1b}[31m\n".to_owned();
    answer.execution_plan[0].why = format!("good\u{202e}\u{0} {}", "x".repeat(10_000));
    answer.reasons = vec!["a\r\nb".to_owned(); 5_000];
    let trusted = super::answer(&asked(), answer, KNOWN).unwrap().into_answer();
    assert_eq!(trusted.engine, "evil [31m ");
    let why = &trusted.execution_plan[0].why;
    assert!(why.chars().count() == 500 && why.starts_with("good   x") && why.ends_with('…'), "{why}");
    assert_eq!((trusted.reasons.len(), trusted.reasons[0].as_str()), (50, "a  b"));
}

#[test]
fn the_word_of_a_rule_is_the_one_on_the_wire() {
    for rule in [Rule::WrongVersion, Rule::UnknownNode, Rule::NotEligible, Rule::WrongSaving, Rule::NoRoom, Rule::WrongProbability] {
        assert_eq!(serde_json::to_string(&rule).unwrap(), format!("\"{}\"", rule.as_str()));
    }
}

#[test]
fn a_request_that_contradicts_itself_is_refused() {
    type Break = fn(&mut DecisionRequest);
    let cases: [(Break, Rule); 8] = [
        (|r| r.version = 2, Rule::WrongVersion),
        (|r| r.snapshot.version = 9, Rule::WrongVersion),
        (|r| r.request_id = String::new(), Rule::MalformedRequest),
        (|r| r.request_id = "a b".to_owned(), Rule::MalformedRequest),
        (|r| r.cluster_id = id("c-2"), Rule::MalformedRequest),
        (|r| r.snapshot.nodes[1].name = id("node-0"), Rule::MalformedRequest),
        (|r| r.snapshot.nodes[1].pods[0].class = 2, Rule::MalformedRequest),
        (|r| r.snapshot.pending = vec![Placed { class: u32::MAX, count: 1 }], Rule::MalformedRequest),
    ];
    assert_eq!(super::request(&asked()), Ok(()));
    for (index, (break_it, rule)) in cases.into_iter().enumerate() {
        let mut request = asked();
        break_it(&mut request);
        let refusals = super::request(&request).unwrap_err();
        assert_eq!(refusals.first().map(|refusal| refusal.rule), Some(rule), "case {index}: {refusals:?}");
    }
}

#[test]
fn chances_are_of_the_pools_asked_for_and_between_0_and_1() {
    let pool = |zone: &str| PoolName { instance_type: id("m6i.large"), zone: id(zone) };
    let question = PredictRequest { region: id("us-east-1"), pools: vec![pool("us-east-1a"), pool("us-east-1b")], horizon_minutes: 60 };
    let says = |zone: &str, probability: f64| Prediction {
        pool: pool(zone),
        probability: Some(probability),
        uncorrected: None,
        risk: None,
        because: Vec::new(),
    };
    assert!(super::predictions(&question, vec![says("us-east-1b", 0.0), says("us-east-1a", 1.0)]).is_ok());
    for (answer, rule) in [
        (vec![says("us-east-1a", -0.1)], Rule::WrongProbability),
        (vec![says("us-east-1a", 1.1)], Rule::WrongProbability),
        (vec![says("us-east-1a", f64::NAN)], Rule::WrongProbability),
        (vec![says("us-east-1a", f64::INFINITY)], Rule::WrongProbability),
        (vec![says("us-east-1c", 0.5)], Rule::UnknownPool),
        (vec![says("us-east-1a", 0.5), says("us-east-1a", 0.5)], Rule::UnknownPool),
    ] {
        assert_eq!(super::predictions(&question, answer.clone()).unwrap_err()[0].rule, rule, "{answer:?}");
    }
    assert!(super::question(&question).is_ok());
    assert!(super::question(&PredictRequest { horizon_minutes: 0, ..question.clone() }).is_err());
    assert!(super::question(&PredictRequest { horizon_minutes: 43_201, ..question.clone() }).is_err());
    assert!(super::question(&PredictRequest { pools: Vec::new(), ..question }).is_err());
}
