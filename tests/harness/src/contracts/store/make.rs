//! What the laws write: as small as the types allow. Each law has a customer of its own.

use domain::Timestamp;
use domain::audit::AuditRow;
use domain::decision::{DecisionType, WhyNot};
use domain::ids::{
    AccountId, ClusterId, CustomerId, InstanceId, InstanceKey, InstanceType, NodeName, NodeUid, PlanId, Region, SubnetId, Zone,
};
use domain::interruption::NoticeKind;
use domain::money::MicroDollars;
use domain::node::{NodeOwner, NodeRecord, NodeTarget};
use domain::offering::{CapacityType, Offering, Pool};
use domain::optimization::{Proposal, ProposalState, Run, RunStatus, WAITS_FOR, run_id};
use domain::plan::{Action, OnFailure, Outcome, Plan, PlanKey, PlanKind, Progress, Step, Urgency};
use domain::policy::{ClusterPolicy, Mode};
use domain::ports::{Change, NewPlan};
use domain::savings::{Baseline, Hour, Lever};
use domain::scheduling::Resources;
use domain::spot_event::SpotEvent;
use domain::tenant::{Cluster, ClusterStatus, Customer, CustomerStatus};

pub(super) const NOON: &str = "2026-11-23T12:00:00Z";

pub(super) fn customer_id(name: &str) -> CustomerId {
    CustomerId::parse(name).unwrap()
}

pub(super) fn cluster_id(name: &str) -> ClusterId {
    ClusterId::parse(name).unwrap()
}

pub(super) fn plan_key(customer: &str, cluster: &str, plan: &str) -> PlanKey {
    PlanKey { customer: customer_id(customer), cluster: cluster_id(cluster), plan: PlanId::parse(plan).unwrap() }
}

pub(super) fn instance(n: u32) -> InstanceId {
    InstanceId::parse(format!("i-{n:017x}")).unwrap()
}

pub(super) fn instance_key(account: &str, n: u32) -> InstanceKey {
    InstanceKey { account: AccountId::parse(account).unwrap(), region: Region::parse("us-east-1").unwrap(), instance: instance(n) }
}

fn target(n: u32) -> NodeTarget {
    NodeTarget {
        name: NodeName::parse(format!("ip-{n}")).unwrap(),
        uid: Some(NodeUid::parse(format!("uid-{n}")).unwrap()),
        instance: instance(n),
        taints: Vec::new(),
    }
}

pub(super) fn new_plan(key: &PlanKey, due_at: Timestamp) -> NewPlan {
    let step = |action| Step { action, after: Vec::new(), after_unless_forced: Vec::new() };
    let plan = Plan {
        key: key.clone(),
        kind: PlanKind::Cordon,
        reason: "a person asked \"please\"".to_owned(),
        requested_by: "the contract".to_owned(),
        created_at: due_at,
        deadline: due_at + domain::SignedDuration::from_mins(10),
        on_failure: OnFailure::Unwind,
        steps: vec![step(Action::Cordon { node: target(1) }), step(Action::Uncordon { node: target(1) })],
        expected_saving: MicroDollars(12),
        evidence: vec!["none".to_owned()],
        stakes: None,
    };
    let mut progress = Progress::new(&plan, Urgency::Normal, None);
    progress.due_at = due_at;
    NewPlan { plan, progress, audit: Vec::new(), spot_event: None, operation: None }
}

/// The next write of a plan.
pub(super) fn next(progress: &Progress) -> Change {
    let mut progress = progress.clone();
    progress.version += 1;
    Change { progress, audit: Vec::new(), spot_event: None }
}

/// The last write of a plan.
pub(super) fn last(progress: &Progress) -> Change {
    let mut change = next(progress);
    change.progress.outcome = Some(Outcome::Succeeded);
    change
}

pub(super) fn row(plan: &PlanKey, id: &str, opened_at: Timestamp) -> AuditRow {
    AuditRow {
        plan: plan.clone(),
        id: id.to_owned(),
        action: "cordon ip-1".to_owned(),
        asked_by: "the contract".to_owned(),
        opened_at,
        closed_at: None,
        result: None,
    }
}

pub(super) fn event(customer: &str, id: &str, received_at: Timestamp) -> SpotEvent {
    SpotEvent {
        event_id: id.to_owned(),
        customer: customer_id(customer),
        cluster: cluster_id("prod"),
        instance: instance_key("111111111111", 1),
        event_type: NoticeKind::SpotInterruption,
        event_time: received_at,
        received_at,
        deadline: received_at + domain::SignedDuration::from_secs(120),
        action_taken: "none yet".to_owned(),
        plan: None,
        replacement_instance_id: None,
        drain_duration_s: None,
        processed_at: None,
    }
}

pub(super) fn customer(name: &str) -> Customer {
    Customer {
        id: customer_id(name),
        company_name: "Example & Söhne".to_owned(),
        email: "ops@example.com".to_owned(),
        external_id: "external".to_owned(),
        status: CustomerStatus::Active,
        version: 1,
        created_at: super::at(NOON),
        updated_at: super::at(NOON),
    }
}

pub(super) fn cluster(customer: &str, id: &str, account: &str) -> Cluster {
    Cluster {
        id: cluster_id(id),
        customer: customer_id(customer),
        name: id.to_owned(),
        k8s_api_endpoint: "https://example.com".to_owned(),
        k8s_ca: None,
        k8s_token: None,
        k8s_token_expires_at: None,
        eks_cluster_name: None,
        aws_role_arn: format!("arn:aws:iam::{account}:role/cloudoptim"),
        account: AccountId::parse(account).unwrap(),
        region: Region::parse("us-east-1").unwrap(),
        sqs_queue_url: None,
        status: ClusterStatus::Connecting,
        status_reason: "never seen".to_owned(),
        node_count: 0,
        seen_at: None,
        policy: ClusterPolicy::default(),
        version: 1,
        created_at: super::at(NOON),
        updated_at: super::at(NOON),
    }
}

pub(super) fn pool(instance_type: &str, zone: &str) -> Pool {
    Pool { instance_type: InstanceType::parse(instance_type).unwrap(), zone: Zone::parse(zone).unwrap(), capacity: CapacityType::Spot }
}

pub(super) fn node(customer: &str, cluster: &str, account: &str, n: u32) -> NodeRecord {
    NodeRecord {
        key: instance_key(account, n),
        customer: customer_id(customer),
        cluster: cluster_id(cluster),
        target: target(n),
        pool: pool("m6i.large", "us-east-1a"),
        cpu_millis: 2_000,
        memory_bytes: 8 << 30,
        owner: NodeOwner::CloudOptim,
        template: None,
        advice: vec![Offering {
            pool: pool("m6i.large", "us-east-1b"),
            subnet: SubnetId::parse("subnet-1").unwrap(),
            price_per_hour: Some(MicroDollars(31_000)),
        }],
        seen_at: super::at(NOON),
    }
}

/// A run with proposals that wait.
pub(super) fn run(customer: &str, cluster: &str, round: &str, at: Timestamp, plans: &[&str]) -> (Run, Vec<Proposal>) {
    let decision = DecisionType::BinPack;
    let id = run_id(&cluster_id(cluster), round, decision);
    let proposal = |plan: &&str| Proposal {
        plan: new_plan(&plan_key(customer, cluster, plan), at).plan,
        run: id.clone(),
        state: ProposalState::Waiting { until: at + WAITS_FOR },
        version: 1,
    };
    let proposals = plans.iter().map(proposal).collect();
    let run = Run {
        id: id.clone(),
        customer: customer_id(customer),
        cluster: cluster_id(cluster),
        decision,
        round: round.to_owned(),
        asked_by: "the contract".to_owned(),
        mode: Mode::Approve,
        at,
        snapshot_at: None,
        status: RunStatus::Proposed,
        why: Some("it is \"so\"".to_owned()),
        engine: String::new(),
        reasons: Vec::new(),
        recommendations: Vec::new(),
        refused: Vec::new(),
        estimated_saving: MicroDollars(1),
        cost_before: MicroDollars(3),
        cost_after: MicroDollars(2),
        lower_bound: MicroDollars(1),
        untouched_counts: [(WhyNot::NotReached, 2)].into(),
        untouched: Vec::new(),
        rejected: Vec::new(),
    };
    (run, proposals)
}

pub(super) fn baseline(customer: &str, cluster: &str, cost: i64) -> Baseline {
    Baseline {
        customer: customer_id(customer),
        cluster: cluster_id(cluster),
        frozen_at: super::at(NOON),
        cost_per_hour: MicroDollars(cost),
        nodes: 2,
        requested: Resources::new(1, 2),
    }
}

pub(super) fn hour(customer: &str, cluster: &str, begins: Timestamp, cost: i64) -> Hour {
    Hour {
        customer: customer_id(customer),
        cluster: cluster_id(cluster),
        begins,
        seen_at: begins,
        vcpus: 8,
        cost: MicroDollars(cost),
        spot: Some(MicroDollars(cost / 2)),
        expected: MicroDollars(9),
        estimated: MicroDollars(1),
        freed: MicroDollars(0),
        realised: [(Lever::OutOfMemory, MicroDollars(-2))].into(),
    }
}
