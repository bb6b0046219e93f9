use super::*;
use crate::decision::{CONTRACT_VERSION, ClusterState, Constraints, DecisionType, HandsOff};
use crate::ids::{AccountId, CustomerId, InstanceKey, NodeName, NodeUid, SubnetId};
use crate::market::{PriceSource, Quote};
use crate::offering::{CapacityType, Offering, Pool};
use crate::plan::check::lint;
use crate::policy::{ClusterPolicy, LaunchTemplate};
use crate::snapshot::{Placed, PodClass, SNAPSHOT_VERSION, Subnet};
use crate::tenant::ClusterStatus;
use std::collections::BTreeMap;

pub(crate) const NOON: &str = "2026-11-24T12:00:00Z";

pub(crate) fn noon() -> Timestamp {
    NOON.parse().unwrap()
}

fn pool(capacity: CapacityType) -> Pool {
    Pool { instance_type: "m6i.large".to_owned().try_into().unwrap(), zone: "us-east-1a".to_owned().try_into().unwrap(), capacity }
}

fn instance(n: u32) -> InstanceId {
    InstanceId::parse(format!("i-{n:017x}")).unwrap()
}

fn snapshot_node(n: u32, price: i64) -> SnapshotNode {
    SnapshotNode {
        name: NodeName::parse(format!("n-{n}")).unwrap(),
        uid: NodeUid::parse(format!("uid-{n}")).unwrap(),
        instance: Some(instance(n)),
        pool: Some(pool(CapacityType::OnDemand)),
        owner: NodeOwner::CloudOptim,
        labels: BTreeMap::new(),
        taints: Vec::new(),
        unschedulable: false,
        ready: true,
        do_not_disrupt: false,
        allocatable: Resources::new(1_930, 7 << 30),
        pods_max: 29,
        usage: None,
        price: Some(Quote { price_per_hour: MicroDollars(price), source: PriceSource::Observed { at: noon() } }),
        created_at: None,
        last_pod_event_at: None,
        pods: vec![Placed { class: 0, count: 3 }, Placed { class: 1, count: 1 }],
    }
}

fn class(daemon: bool) -> PodClass {
    PodClass {
        namespace: "default".to_owned(),
        controller: None,
        labels: BTreeMap::new(),
        requests: Resources::new(100, 1 << 20),
        scheduling: crate::scheduling::Scheduling::default(),
        priority: 0,
        grace_s: 30,
        do_not_disrupt: false,
        daemon,
        mirror: false,
        empty_dir: false,
        arches: Vec::new(),
        usage: None,
    }
}

/// Three on-demand nodes at 10 cents, each with three pods of 100 milli-cores and one of a DaemonSet.
pub(crate) fn request() -> DecisionRequest {
    let snapshot = Snapshot {
        version: SNAPSHOT_VERSION,
        cluster: ClusterId::parse("shop").unwrap(),
        region: "us-east-1".to_owned().try_into().unwrap(),
        taken_at: noon(),
        subnets: vec![Subnet { id: SubnetId::parse("subnet-1").unwrap(), zone: "us-east-1a".to_owned().try_into().unwrap() }],
        nodes: (1..=3).map(|n| snapshot_node(n, 100_000)).collect(),
        classes: vec![class(false), class(true)],
        pending: Vec::new(),
        budgets: Some(Vec::new()),
        parts: Vec::new(),
    };
    DecisionRequest {
        version: CONTRACT_VERSION,
        request_id: "round-1-spot".to_owned(),
        cluster_id: snapshot.cluster.clone(),
        decision_type: DecisionType::SpotOptimize,
        cluster_state: ClusterState {
            cluster_id: snapshot.cluster.clone(),
            node_count: 3,
            total_cpu: 5.79,
            total_memory: 21.0,
            pod_count: 12,
            spot_node_count: 0,
            on_demand_node_count: 3,
            current_cost_per_hour: 0.3,
        },
        snapshot,
        requirements: OptimizationPolicy::default(),
        constraints: Constraints::default(),
    }
}

pub(crate) fn a_cluster() -> Cluster {
    Cluster {
        id: ClusterId::parse("shop").unwrap(),
        customer: CustomerId::parse("acme").unwrap(),
        name: "shop".to_owned(),
        k8s_api_endpoint: "https://example.com".to_owned(),
        k8s_ca: None,
        k8s_token: None,
        k8s_token_expires_at: None,
        eks_cluster_name: None,
        aws_role_arn: "arn:aws:iam::123456789012:role/r".to_owned(),
        account: AccountId::parse("123456789012").unwrap(),
        region: "us-east-1".to_owned().try_into().unwrap(),
        sqs_queue_url: None,
        status: ClusterStatus::Connected,
        status_reason: String::new(),
        node_count: 3,
        seen_at: None,
        policy: ClusterPolicy {
            launch_template: Some(LaunchTemplate { id: "lt-1".to_owned(), version: "3".to_owned() }),
            ..ClusterPolicy::default()
        },
        version: 1,
        created_at: noon(),
        updated_at: noon(),
    }
}

fn identity(n: u32) -> NodeIdentity {
    NodeIdentity {
        name: NodeName::parse(format!("n-{n}")).unwrap(),
        uid: NodeUid::parse(format!("uid-{n}")).unwrap(),
        instance: instance(n),
    }
}

fn offering(capacity: CapacityType, price: Option<i64>) -> Offering {
    Offering { pool: pool(capacity), subnet: SubnetId::parse("subnet-1").unwrap(), price_per_hour: price.map(MicroDollars) }
}

fn launch(offerings: Vec<Offering>) -> LaunchSpec {
    LaunchSpec { offerings, needs: Resources::new(400, 4 << 20), pods: 4 }
}

/// These nodes go; one spot node at 3 cents, or an on-demand one at 10, comes for each of `come`.
pub(crate) fn a_move(go: &[u32], come: usize) -> Move {
    let offerings = vec![offering(CapacityType::Spot, Some(30_000)), offering(CapacityType::OnDemand, Some(100_000))];
    Move {
        remove: go.iter().map(|n| identity(*n)).collect(),
        launch: vec![launch(offerings); come],
        saving_per_hour: MicroDollars(999_999_999),
        cost_once: MicroDollars::default(),
        pods_moved: 3,
        why: "Spot is cheaper.".to_owned(),
    }
}

pub(crate) fn plan(request: &DecisionRequest, cluster: &Cluster, wanted: &Move) -> Result<Plan, Blocked> {
    from_move(&Draft { cluster, request, engine: "test 1", records: &[], now: noon() }, 0, wanted)
}

fn refused(request: &DecisionRequest, wanted: &Move) -> Rule {
    plan(request, &a_cluster(), wanted).unwrap_err().rule
}

#[test]
fn a_plan_launches_waits_cordons_all_drains_all_and_ends_last() {
    let plan = plan(&request(), &a_cluster(), &a_move(&[1, 2], 1)).unwrap();
    let kinds: Vec<&str> = plan.steps.iter().map(|step| step.action.kind()).collect();
    assert_eq!(kinds, ["launch-node", "await-ready", "cordon", "cordon", "drain", "drain", "terminate", "terminate"]);
    assert_eq!(lint(&plan), []);
    let after: Vec<&[usize]> = plan.steps.iter().map(|step| step.after.as_slice()).collect();
    assert_eq!(after, [&[][..], &[0], &[1], &[1], &[2, 3], &[2, 3], &[4, 5], &[4, 5]]);
    assert_eq!((plan.kind, plan.on_failure), (PlanKind::SpotOptimize, OnFailure::Unwind));
    assert!(plan.steps.iter().all(|step| !matches!(&step.action, Action::Drain { care: Care::Dying, .. })));
}

#[test]
fn a_move_without_launches_cordons_at_once() {
    let plan = plan(&request(), &a_cluster(), &a_move(&[1], 0)).unwrap();
    let kinds: Vec<&str> = plan.steps.iter().map(|step| step.action.kind()).collect();
    assert_eq!(kinds, ["cordon", "drain", "terminate"]);
    assert!(plan.steps[0].after.is_empty());
    // The price of the node and what it costs besides.
    assert_eq!(plan.expected_saving, MicroDollars(107_200));
}

#[test]
fn the_saving_is_worked_out_and_never_believed() {
    let plan = plan(&request(), &a_cluster(), &a_move(&[1], 1)).unwrap();
    assert_eq!(plan.expected_saving, MicroDollars(70_000));
    let stakes = plan.stakes.unwrap();
    assert_eq!(stakes.saving_min, MicroDollars(10_720), "a tenth of what the node costs");
    assert_eq!((stakes.nodes[0].carried.cpu_millis, stakes.nodes[0].pods), (300, 3), "pods of DaemonSets do not move");
    assert!(plan.reason.contains("Spot is cheaper.") && plan.evidence.len() == 4);
}

#[test]
fn the_same_request_and_place_lead_to_the_same_plan() {
    let cluster = ClusterId::parse("shop").unwrap();
    let all =
        [plan_id(&cluster, "r-1", 0), plan_id(&cluster, "r-1", 1), plan_id(&cluster, "r-2", 0), plan_id(&a_cluster().id, "shopr-1", 0)];
    assert_eq!(all.iter().collect::<BTreeSet<_>>().len(), 4);
    assert_eq!(all[0], plan_id(&cluster, "r-1", 0));
    assert_eq!(super::super::unnamed().as_str(), "plan");
}

#[test]
fn nodes_that_are_unknown_foreign_or_marked_are_never_taken() {
    let wanted = a_move(&[1], 1);
    assert_eq!(refused(&request(), &a_move(&[], 1)), Rule::Malformed);
    assert_eq!(refused(&request(), &a_move(&[1, 1], 1)), Rule::Malformed);
    assert_eq!(refused(&request(), &a_move(&[9], 1)), Rule::NodeUnknown);
    let mut namesake = a_move(&[1], 1);
    namesake.remove[0].instance = instance(2);
    assert_eq!(refused(&request(), &namesake), Rule::NodeUnknown);
    type Change = fn(&mut SnapshotNode);
    let cases: [(Change, Rule); 5] = [
        (|n| n.uid = NodeUid::parse("other").unwrap(), Rule::NodeUnknown),
        (|n| n.owner = NodeOwner::Karpenter { claim: "default".to_owned() }, Rule::NotOurs),
        (|n| n.do_not_disrupt = true, Rule::DoNotDisrupt),
        (|n| n.price = None, Rule::PriceUnknown),
        (|n| drop(n.labels.insert("node-role.kubernetes.io/control-plane".to_owned(), String::new())), Rule::ControlPlane),
    ];
    for (change, rule) in cases {
        let mut request = request();
        change(&mut request.snapshot.nodes[0]);
        assert_eq!(refused(&request, &wanted), rule);
    }
    let mut request = request();
    request.constraints.hands_off = vec![HandsOff { node: NodeName::parse("n-1").unwrap(), why: "it waits".to_owned() }];
    assert_eq!(refused(&request, &wanted), Rule::HandsOff);
}

#[test]
fn offerings_without_a_true_price_or_a_subnet_of_the_cluster_are_refused() {
    let with = |offerings| Move { launch: vec![launch(offerings)], ..a_move(&[1], 0) };
    assert_eq!(refused(&request(), &with(Vec::new())), Rule::Malformed);
    for price in [None, Some(0), Some(-5)] {
        assert_eq!(refused(&request(), &with(vec![offering(CapacityType::Spot, price)])), Rule::PriceUnknown);
    }
    let mut elsewhere = offering(CapacityType::Spot, Some(1));
    elsewhere.subnet = SubnetId::parse("subnet-of-others").unwrap();
    assert_eq!(refused(&request(), &with(vec![elsewhere])), Rule::Policy);
    let mut cluster = a_cluster();
    cluster.policy.optimization.capacity = vec![CapacityType::OnDemand];
    assert_eq!(plan(&request(), &cluster, &a_move(&[1], 1)).unwrap_err().rule, Rule::Policy);
}

#[test]
fn what_saves_too_little_or_cannot_be_made_is_refused() {
    let dear = Move { launch: vec![launch(vec![offering(CapacityType::Spot, Some(95_000))])], ..a_move(&[1], 0) };
    assert_eq!(refused(&request(), &dear), Rule::NotWorthIt);
    let mut cluster = a_cluster();
    cluster.policy.launch_template = None;
    assert_eq!(plan(&request(), &cluster, &a_move(&[1], 1)).unwrap_err().rule, Rule::NoTemplate);
    let template = NodeTemplate::LaunchTemplate { id: "lt-own".to_owned(), version: "1".to_owned() };
    let record = NodeRecord {
        key: InstanceKey { account: cluster.account.clone(), region: cluster.region.clone(), instance: instance(1) },
        customer: cluster.customer.clone(),
        cluster: cluster.id.clone(),
        target: NodeTarget { name: NodeName::parse("n-1").unwrap(), uid: None, instance: instance(1), taints: Vec::new() },
        pool: pool(CapacityType::OnDemand),
        cpu_millis: 0,
        memory_bytes: 0,
        owner: NodeOwner::CloudOptim,
        template: Some(template.clone()),
        advice: Vec::new(),
        seen_at: noon(),
    };
    let (request, records) = (request(), [record]);
    let draft = Draft { cluster: &cluster, request: &request, engine: "test", records: &records, now: noon() };
    let plan = from_move(&draft, 0, &a_move(&[1], 1)).unwrap();
    assert!(matches!(&plan.steps[0].action, Action::LaunchNode { template: t, replaces: Some(_), .. } if **t == template));
}
