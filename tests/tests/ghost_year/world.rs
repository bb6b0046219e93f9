//! The truth, and the lists that are made of it.

use domain::ids::{InstanceId, NodeName, NodeUid, PlanId};
use domain::money::MicroDollars;
use domain::node::NodeView;
use domain::offering::{CapacityType, Pool};
use domain::plan::action::{AskedBy, Which};
use domain::plan::{Action, OnFailure, Plan, PlanKey, PlanKind, PlanRecord, Progress, Step, Urgency};
use domain::ports::{Instance, InstanceState, Member};
use domain::{SignedDuration, Timestamp};

pub(crate) const CLUSTER: &str = "shop";
/// When the year begins, in seconds since 1970.
const BEGINS: i64 = 1_767_225_600;

/// A true time, in minutes of the year, as a clock shows it that is off by so many minutes.
pub(crate) fn clock(minute: i64, off: i64) -> Timestamp {
    Timestamp::from_second(BEGINS + (minute + off) * 60).unwrap()
}

/// What lists show of an instance, before and after its last change.
#[derive(Clone)]
pub(crate) struct Shown<T> {
    pub(crate) now: T,
    before: T,
    changed: i64,
}

impl<T: Clone> Shown<T> {
    pub(crate) fn new(now: T, before: T, minute: i64) -> Shown<T> {
        Shown { now, before, changed: minute }
    }
    pub(crate) fn set(&mut self, minute: i64, change: impl FnOnce(&mut T)) {
        self.before = self.now.clone();
        self.changed = minute;
        change(&mut self.now);
    }
    /// As it was at this minute.
    pub(crate) fn at(&self, minute: i64) -> &T {
        if minute >= self.changed { &self.now } else { &self.before }
    }
}

/// A machine.
pub(crate) struct Machine {
    /// What EC2 shows; `None`: nothing, yet or any more.
    pub(crate) instance: Shown<Option<Instance>>,
    /// Its node; `None`: none stands for it.
    pub(crate) node: Shown<Option<NodeView>>,
    /// Since when no node has stood for it.
    pub(crate) alone_since: i64,
    /// When a scan whose book was written last had its node on the list.
    pub(crate) on_a_list_at: i64,
    pub(crate) end_forbidden: bool,
    pub(crate) group: Option<usize>,
    pub(crate) lifecycle: &'static str,
    pub(crate) scale_in_protected: bool,
    /// A plan that is no ghost's has it in hand until then.
    pub(crate) in_hand_until: i64,
}

/// An Auto Scaling group.
pub(crate) struct Group {
    pub(crate) desired: u32,
    pub(crate) min: u32,
}

pub(crate) struct World {
    pub(crate) now: i64,
    pub(crate) machines: Vec<Machine>,
    pub(crate) groups: Vec<Group>,
    /// Whether nodes are called like the private names of their instances.
    pub(crate) named_by_dns: bool,
    pub(crate) serial: u32,
    /// Grows with every change.
    pub(crate) version: u64,
    /// When anything changed last.
    pub(crate) changed_at: i64,
}

impl World {
    pub(crate) fn changed(&mut self) {
        self.version += 1;
        self.changed_at = self.now;
    }

    pub(crate) fn id(n: u32) -> InstanceId {
        InstanceId::parse(format!("i-{n:08x}")).unwrap()
    }

    /// Launches a machine; its node comes later, if ever.
    pub(crate) fn launch(&mut self, group: Option<usize>, dns: Option<String>) -> usize {
        self.serial += 1;
        let n = self.serial;
        let mut tags = std::collections::BTreeMap::from([(format!("kubernetes.io/cluster/{CLUSTER}"), "owned".to_owned())]);
        if let Some(group) = group {
            tags.insert("aws:autoscaling:groupName".to_owned(), format!("g{group}"));
            self.groups[group].desired += 1;
        }
        let instance = Instance {
            id: World::id(n),
            state: InstanceState::Running,
            pool: Pool {
                instance_type: "m6i.large".to_owned().try_into().unwrap(),
                zone: "us-east-1a".to_owned().try_into().unwrap(),
                capacity: CapacityType::OnDemand,
            },
            subnet: None,
            launched_at: Some(clock(self.now, 0)),
            client_token: None,
            private_dns: Some(dns.unwrap_or_else(|| format!("ip-10-0-0-{n}.ec2.internal"))),
            state_reason: None,
            marked_for_interruption: false,
            tags,
        };
        self.machines.push(Machine {
            instance: Shown::new(Some(instance), None, self.now),
            node: Shown::new(None, None, self.now),
            alone_since: self.now,
            on_a_list_at: i64::MIN / 2,
            end_forbidden: false,
            group,
            lifecycle: "InService",
            scale_in_protected: false,
            in_hand_until: i64::MIN,
        });
        self.machines.len() - 1
    }

    /// A node stands for the machine from now on.
    pub(crate) fn join(&mut self, index: usize) {
        let (now, by_dns) = (self.now, self.named_by_dns);
        let machine = &mut self.machines[index];
        let Some(instance) = machine.instance.now.as_ref().filter(|instance| instance.state == InstanceState::Running) else {
            return;
        };
        let name = if by_dns { instance.private_dns.clone().unwrap() } else { format!("node-of-{}", instance.id) };
        let node = NodeView {
            name: NodeName::parse(name).unwrap(),
            uid: NodeUid::parse(format!("uid-{index}-{now}")).unwrap(),
            provider_id: format!("aws:///us-east-1a/{}", instance.id),
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
            created_at: None,
        };
        if machine.node.now.is_some() {
            return;
        }
        // A cluster has one object of a name: who joins under a name that is taken takes it over (seed 99396).
        let holds = |machine: &Machine| machine.node.now.as_ref().is_some_and(|held| held.name == node.name);
        if let Some(holder) = self.machines.iter().position(holds) {
            self.lose(holder);
        }
        self.machines[index].node.set(now, |shown| *shown = Some(node));
    }

    /// Its Node object goes; the machine runs on.
    pub(crate) fn lose(&mut self, index: usize) {
        let now = self.now;
        let machine = &mut self.machines[index];
        if machine.node.now.is_some() {
            machine.node.set(now, |shown| *shown = None);
            machine.alone_since = now;
        }
    }

    /// The machine ends; `decrement`: its group asks for one less.
    pub(crate) fn end(&mut self, index: usize, decrement: bool) {
        let now = self.now;
        self.changed();
        let machine = &mut self.machines[index];
        machine.instance.set(now, |shown| *shown = None);
        machine.node.set(now, |shown| *shown = None);
        if let (true, Some(group)) = (decrement, machine.group) {
            self.groups[group].desired = self.groups[group].desired.saturating_sub(1);
        }
    }

    pub(crate) fn runs(&self, index: usize) -> bool {
        self.machines[index].instance.now.as_ref().is_some_and(|instance| instance.state == InstanceState::Running)
    }

    /// What EC2 lists, as it was so many minutes ago.
    pub(crate) fn instances(&self, lag: i64) -> Vec<Instance> {
        self.machines.iter().filter_map(|machine| machine.instance.at(self.now - lag).clone()).collect()
    }

    /// What the cluster lists, as it was so many minutes ago, without the last pages.
    pub(crate) fn nodes(&self, lag: i64, lost: usize) -> Vec<NodeView> {
        let mut nodes: Vec<NodeView> = self.machines.iter().filter_map(|machine| machine.node.at(self.now - lag).clone()).collect();
        nodes.truncate(nodes.len().saturating_sub(lost));
        nodes
    }

    /// The node of this name, read consistently.
    pub(crate) fn node(&self, name: &str) -> Option<NodeView> {
        self.machines.iter().filter_map(|machine| machine.node.now.as_ref()).find(|node| node.name.as_str() == name).cloned()
    }

    pub(crate) fn members(&self, of: &[InstanceId]) -> Vec<Member> {
        let member = |machine: &Machine| {
            let instance = machine.instance.now.as_ref().filter(|instance| of.contains(&instance.id))?;
            let index = machine.group?;
            let group = &self.groups[index];
            Some(Member {
                instance: instance.id.clone(),
                group: format!("g{index}"),
                lifecycle: machine.lifecycle.to_owned(),
                protected: machine.scale_in_protected,
                desired: group.desired,
                min: group.min,
            })
        };
        self.machines.iter().filter_map(member).collect()
    }

    /// Plans that are no ghosts'.
    pub(crate) fn other_plans(&self) -> Vec<PlanRecord> {
        let held = self.machines.iter().filter(|machine| machine.in_hand_until > self.now);
        held.filter_map(|machine| machine.instance.now.as_ref())
            .map(|instance| {
                let of = Which::Instance(instance.id.clone());
                record(&format!("rescue-{}", instance.id), PlanKind::Rescue, Action::AwaitReady { of, within_s: 60 })
            })
            .collect()
    }
}

/// The plan that ends a ghost.
pub(crate) fn ghost_plan(instance: &InstanceId) -> PlanRecord {
    let action = Action::TerminateGhost { instance: instance.clone(), by: AskedBy::Scan };
    record(&format!("ghost-{instance}"), PlanKind::Ghost, action)
}

fn record(name: &str, kind: PlanKind, action: Action) -> PlanRecord {
    let plan = Plan {
        key: PlanKey {
            customer: "acme".to_owned().try_into().unwrap(),
            cluster: "c-1".to_owned().try_into().unwrap(),
            plan: PlanId::parse(name).unwrap(),
        },
        kind,
        reason: String::new(),
        requested_by: String::new(),
        created_at: clock(0, 0),
        deadline: clock(0, 0) + SignedDuration::from_hours(1),
        on_failure: OnFailure::Unwind,
        steps: vec![Step { action, after: Vec::new(), after_unless_forced: Vec::new() }],
        expected_saving: MicroDollars::default(),
        evidence: Vec::new(),
        stakes: None,
    };
    let progress = Progress::new(&plan, Urgency::Normal, None);
    PlanRecord { plan, progress }
}
