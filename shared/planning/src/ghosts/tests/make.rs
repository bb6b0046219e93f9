//! Small builders.

use crate::ghosts::{Look, Scan, Settings, scan};
use domain::ids::{ClusterId, CustomerId, InstanceId, NodeName, NodeUid, PlanId};
use domain::money::MicroDollars;
use domain::node::NodeView;
use domain::offering::{CapacityType, Pool};
use domain::plan::{Action, OnFailure, Plan, PlanKey, PlanKind, PlanRecord, Progress, Step, Urgency};
use domain::ports::{Instance, InstanceState, Member};
use domain::watch::Watchbook;
use domain::{SignedDuration, Timestamp};

/// The cluster of all tests.
pub(super) const CLUSTER: &str = "shop";

pub(super) fn at(minutes: i64) -> Timestamp {
    "2026-11-24T12:00:00Z".parse::<Timestamp>().unwrap() + SignedDuration::from_mins(minutes)
}

pub(super) fn id(n: usize) -> InstanceId {
    InstanceId::parse(format!("i-{n:08x}")).unwrap()
}

/// A running instance of the cluster, launched two hours before the tests begin.
pub(super) fn instance(n: usize) -> Instance {
    Instance {
        id: id(n),
        state: InstanceState::Running,
        pool: Pool {
            instance_type: "m6i.large".to_owned().try_into().unwrap(),
            zone: "us-east-1a".to_owned().try_into().unwrap(),
            capacity: CapacityType::OnDemand,
        },
        subnet: None,
        launched_at: Some(at(-120)),
        client_token: None,
        private_dns: Some(format!("ip-10-0-0-{n}.ec2.internal")),
        state_reason: None,
        marked_for_interruption: false,
        tags: [(format!("kubernetes.io/cluster/{CLUSTER}"), "owned".to_owned())].into(),
    }
}

pub(super) fn tagged(n: usize, tags: &[(&str, &str)]) -> Instance {
    let mut instance = instance(n);
    instance.tags.extend(tags.iter().map(|(key, value)| ((*key).to_owned(), (*value).to_owned())));
    instance
}

/// The node of an instance.
pub(super) fn node(n: usize) -> NodeView {
    NodeView {
        name: NodeName::parse(format!("ip-10-0-0-{n}.ec2.internal")).unwrap(),
        uid: NodeUid::parse(format!("uid-{n}")).unwrap(),
        provider_id: format!("aws:///us-east-1a/{}", id(n)),
        labels: Default::default(),
        cordoned_by: None,
        taints: Vec::new(),
        unschedulable: false,
        ready: true,
        cpu_millis: 2_000,
        memory_bytes: 8 << 30,
        pods_max: 29,
        extended: Default::default(),
        do_not_disrupt: false,
        created_at: Some(at(-110)),
    }
}

pub(super) fn member(n: usize, group: &str, lifecycle: &str) -> Member {
    Member { instance: id(n), group: group.to_owned(), lifecycle: lifecycle.to_owned(), protected: false, desired: 3, min: 1 }
}

/// A plan that is under way.
pub(super) fn plan(name: &str, kind: PlanKind, action: Action) -> PlanRecord {
    let key = PlanKey {
        customer: CustomerId::parse("acme").unwrap(),
        cluster: ClusterId::parse("c-1").unwrap(),
        plan: PlanId::parse(name).unwrap(),
    };
    let plan = Plan {
        key,
        kind,
        reason: "A test.".to_owned(),
        requested_by: "test".to_owned(),
        created_at: at(0),
        deadline: at(60),
        on_failure: OnFailure::Unwind,
        steps: vec![Step { action, after: Vec::new(), after_unless_forced: Vec::new() }],
        expected_saving: MicroDollars::default(),
        evidence: Vec::new(),
        stakes: None,
    };
    let progress = Progress::new(&plan, Urgency::Normal, None);
    PlanRecord { plan, progress }
}

/// A cluster of twelve: eleven nodes, and number 12, which is none.
#[derive(Clone)]
pub(super) struct World {
    pub(super) instances: Vec<Instance>,
    pub(super) nodes: Vec<NodeView>,
    pub(super) members: Option<Vec<Member>>,
    pub(super) plans: Vec<PlanRecord>,
    pub(super) book: Watchbook,
    pub(super) settings: Settings,
}

impl World {
    pub(super) fn new() -> World {
        World {
            instances: (1..=12).map(instance).collect(),
            nodes: (1..=11).map(node).collect(),
            members: Some(Vec::new()),
            plans: Vec::new(),
            book: Watchbook::new(CustomerId::parse("acme").unwrap(), ClusterId::parse("c-1").unwrap()),
            settings: Settings { grace: SignedDuration::from_hours(24), per_scan_max: 2, acts: true },
        }
    }

    pub(super) fn look(&self, now: Timestamp) -> Look<'_> {
        Look {
            now,
            cluster_name: CLUSTER,
            instances: &self.instances,
            open_plans: &self.plans,
            nodes: &self.nodes,
            members: self.members.as_deref(),
        }
    }

    /// Scans, and keeps the book.
    pub(super) fn scan(&mut self, minutes: i64) -> Scan {
        let scan = scan(&self.look(at(minutes)), &self.book, self.settings).unwrap();
        self.book = scan.book.clone();
        scan
    }

    /// Scans every hour, from hour to hour, both included; gives the last one.
    pub(super) fn hours(&mut self, from: i64, to: i64) -> Scan {
        let mut last = None;
        for hour in from..=to {
            last = Some(self.scan(hour * 60));
        }
        last.unwrap()
    }

    pub(super) fn first(&mut self) -> &mut Instance {
        self.instances.iter_mut().find(|instance| instance.id == id(12)).unwrap()
    }
}
