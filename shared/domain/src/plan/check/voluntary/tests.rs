use super::*;
use crate::ids::{InstanceId, NodeUid, PlanId, PodUid};
use crate::offering::{CapacityType, Offering};
use crate::plan::action::{Care, Which};
use crate::plan::from_move::tests::{a_cluster, a_move, noon, plan, request};
use crate::plan::{Effect, PlanKind, Urgency};
use crate::pod::{Controller, PodPhase, PodRef, Selector};
use crate::policy::{DisruptionBudget, Window};
use crate::ports::InstanceState;

/// A world around the plan of one move, that a law changes before it asks.
struct World {
    plan: Plan,
    progress: Progress,
    policy: ClusterPolicy,
    nodes: Vec<NodeView>,
    pods: BTreeMap<NodeName, Vec<PodView>>,
    budgets: Option<Vec<PodBudget>>,
    instances: Vec<Instance>,
    open: Vec<PlanRecord>,
    prices: Vec<(Pool, MicroDollars)>,
    halted: Option<Halt>,
    now: Timestamp,
}

fn name(n: u32) -> NodeName {
    NodeName::parse(format!("n-{n}")).unwrap()
}

fn node(n: u32) -> NodeView {
    NodeView {
        name: name(n),
        uid: NodeUid::parse(format!("uid-{n}")).unwrap(),
        provider_id: format!("aws:///us-east-1a/i-{n:017x}"),
        labels: BTreeMap::new(),
        cordoned_by: None,
        taints: Vec::new(),
        unschedulable: false,
        ready: true,
        cpu_millis: 2000,
        memory_bytes: 1 << 33,
        pods_max: 29,
        extended: BTreeMap::new(),
        do_not_disrupt: false,
        created_at: None,
    }
}

fn pod(of: &str) -> PodView {
    PodView {
        pod: PodRef { namespace: "default".to_owned(), name: of.to_owned(), uid: PodUid::parse(of).unwrap() },
        node: Some(name(1)),
        phase: PodPhase::Running,
        ready: true,
        controller: Some(Controller { kind: "ReplicaSet".to_owned(), name: "web".to_owned() }),
        mirror: false,
        empty_dir: false,
        deletion_at: None,
        grace_s: 30,
        priority: 0,
        do_not_disrupt: false,
        labels: BTreeMap::new(),
        cpu_millis: 100,
        memory_bytes: 1 << 20,
    }
}

fn instance(n: u32, tags: &[&str]) -> Instance {
    Instance {
        id: InstanceId::parse(format!("i-{n:017x}")).unwrap(),
        state: InstanceState::Running,
        pool: Pool {
            instance_type: "m6i.large".to_owned().try_into().unwrap(),
            zone: "us-east-1a".to_owned().try_into().unwrap(),
            capacity: CapacityType::OnDemand,
        },
        subnet: None,
        launched_at: None,
        client_token: None,
        private_dns: None,
        state_reason: None,
        marked_for_interruption: false,
        tags: tags.iter().map(|tag| ((*tag).to_owned(), "shop".to_owned())).collect(),
    }
}

fn world() -> World {
    let plan = plan(&request(), &a_cluster(), &a_move(&[1], 1)).unwrap();
    World {
        progress: Progress::new(&plan, Urgency::Normal, None),
        plan,
        policy: a_cluster().policy,
        nodes: (1..=3).map(node).collect(),
        pods: BTreeMap::from([(name(1), vec![pod("a"), pod("b"), pod("c")])]),
        budgets: Some(Vec::new()),
        instances: vec![instance(1, &[CLUSTER_TAG])],
        open: Vec::new(),
        prices: Vec::new(),
        halted: None,
        now: noon(),
    }
}

impl World {
    fn ask(&self, before: Before) -> Vec<Rule> {
        let scene = Scene {
            policy: &self.policy,
            nodes: &self.nodes,
            pods: &self.pods,
            pod_budgets: self.budgets.as_deref(),
            instances: &self.instances,
            open_plans: &self.open,
            prices: &self.prices,
            halted: self.halted.as_ref(),
            now: self.now,
        };
        may_go_on(&self.plan, Some(&self.progress), before, &scene).into_iter().map(|note| note.rule).collect()
    }

    /// Which moments a change of the world stops.
    fn stopped(change: impl FnOnce(&mut World)) -> Vec<(Before, Rule)> {
        let mut world = world();
        change(&mut world);
        let all = [Before::Launch, Before::Cordon, Before::Drain, Before::End];
        all.into_iter().flat_map(|before| world.ask(before).into_iter().map(move |rule| (before, rule))).collect()
    }
}

fn at(moments: &[Before], rule: Rule) -> Vec<(Before, Rule)> {
    moments.iter().map(|before| (*before, rule)).collect()
}

const ALWAYS: [Before; 4] = [Before::Launch, Before::Cordon, Before::Drain, Before::End];
const NOT_YET_MOVED: [Before; 2] = [Before::Launch, Before::Cordon];

#[test]
fn nothing_speaks_against_an_ordinary_plan() {
    assert_eq!(World::stopped(|_| {}), []);
}

#[test]
fn a_new_blocker_on_the_node_stops_the_plan_at_every_step() {
    let on_it = |change: fn(&mut PodView)| World::stopped(move |w| change(&mut w.pods.get_mut(&name(1)).unwrap()[0]));
    assert_eq!(on_it(|pod| pod.do_not_disrupt = true), at(&ALWAYS, Rule::DoNotDisrupt));
    assert_eq!(on_it(|pod| pod.controller = None), at(&ALWAYS, Rule::NoController));
    assert_eq!(World::stopped(|w| w.halted = Some(Halt { scope: "everything".into(), reason: "drill".into() })), at(&ALWAYS, Rule::Halted));
    assert_eq!(World::stopped(|w| w.budgets = None), at(&ALWAYS, Rule::PodBudgetFull));
    assert_eq!(World::stopped(|w| w.instances = vec![instance(1, &[])]), at(&ALWAYS, Rule::NotOursToEnd));
    assert_eq!(World::stopped(|w| w.instances = vec![instance(1, &[CLUSTER_TAG, PROTECT_TAG])]), at(&ALWAYS, Rule::NotOursToEnd));
}

#[test]
fn a_pod_budget_stops_what_it_can_never_allow_and_what_would_wait() {
    let budget = |desired, allowed| PodBudget {
        namespace: "default".to_owned(),
        name: "web".to_owned(),
        selector: Some(Selector::default()),
        disruptions_allowed: allowed,
        current_healthy: 3,
        desired_healthy: desired,
        expected_pods: 3,
    };
    let never = World::stopped(|w| w.budgets = Some(vec![budget(3, 0)]));
    assert!(ALWAYS.iter().all(|before| never.contains(&(*before, Rule::PodBudgetNeverAllows))));
    assert_eq!(World::stopped(|w| w.budgets = Some(vec![budget(2, 0)])), at(&NOT_YET_MOVED, Rule::PodBudgetFull));
    assert_eq!(World::stopped(|w| w.budgets = Some(vec![budget(2, 1)])), []);
    let two = World::stopped(|w| w.budgets = Some(vec![budget(2, 1), budget(1, 2)]));
    assert!(two.contains(&(Before::End, Rule::ManyPodBudgets)));
}

#[test]
fn windows_the_budget_and_the_health_of_the_cluster_hold_until_pods_move() {
    let night = Window { days: vec!["mon".into()], from: "02:00".into(), minutes: 60, time_zone: "Europe/Berlin".into() };
    assert_eq!(World::stopped(|w| w.policy.optimization.windows = vec![night.clone()]), at(&NOT_YET_MOVED, Rule::Window));
    let noon = Window { days: vec!["tue".into()], from: "12:30".into(), ..night.clone() };
    assert_eq!(World::stopped(|w| w.policy.optimization.windows = vec![night.clone(), noon]), []);
    let bad = Window { time_zone: "Mars/Base".into(), ..night };
    assert_eq!(World::stopped(|w| w.policy.optimization.windows = vec![bad]), at(&NOT_YET_MOVED, Rule::Window));
    assert_eq!(
        World::stopped(|w| w.policy.budget = DisruptionBudget { nodes_max: 0, nodes_percent_max: 10 }),
        at(&NOT_YET_MOVED, Rule::DisruptionBudget)
    );
    assert_eq!(World::stopped(|w| w.nodes[1].ready = false), at(&NOT_YET_MOVED, Rule::ClusterUnhealthy));
    let joining = |w: &mut World| {
        w.nodes[1].ready = false;
        w.nodes[1].created_at = Some(w.now);
    };
    assert_eq!(World::stopped(joining), [], "a node that joins is not a sick one");
    assert_eq!(World::stopped(|w| w.nodes[0].unschedulable = true), at(&NOT_YET_MOVED, Rule::HandsOff));
}

#[test]
fn an_old_snapshot_and_a_dear_surge_stop_the_beginning_only() {
    assert_eq!(World::stopped(|w| w.now = noon() + SignedDuration::from_secs(300)), []);
    assert_eq!(World::stopped(|w| w.now = noon() + SignedDuration::from_secs(301)), at(&[Before::Launch], Rule::SnapshotAge));
    // The on-demand fallback would add 10 cents, and 0.72 of what a node costs besides.
    let cap = |cents: i64| World::stopped(move |w| w.policy.optimization.surge_per_hour_max = Some(MicroDollars(cents * 10_000)));
    assert_eq!(cap(10), at(&[Before::Launch], Rule::SpendCap));
    assert_eq!(cap(11), []);
}

#[test]
fn pods_that_came_since_the_decision_stop_it_before_they_are_moved() {
    assert_eq!(World::stopped(|w| w.pods.get_mut(&name(1)).unwrap().push(pod("d"))), at(&NOT_YET_MOVED, Rule::Outgrown));
    let daemon = |w: &mut World| {
        let mut one = pod("d");
        one.controller = Some(Controller { kind: "DaemonSet".to_owned(), name: "logs".to_owned() });
        w.pods.get_mut(&name(1)).unwrap().push(one);
    };
    assert_eq!(World::stopped(daemon), []);
}

#[test]
fn a_node_that_is_gone_stops_the_plan_unless_only_its_end_is_left() {
    let gone = World::stopped(|w| drop(w.nodes.remove(0)));
    assert_eq!(gone, at(&[Before::Launch, Before::Cordon, Before::Drain], Rule::NodeUnknown));
    let namesake = World::stopped(|w| w.nodes[0].provider_id = "aws:///us-east-1a/i-0000000000000000f".to_owned());
    assert_eq!(namesake, at(&[Before::Launch, Before::Cordon, Before::Drain], Rule::NodeUnknown));
}

#[test]
fn a_half_done_plan_that_no_longer_pays_is_stopped() {
    let launched = |w: &mut World, price: Option<i64>| {
        let Action::LaunchNode { offerings, .. } = &w.plan.steps[0].action else { panic!("a launch") };
        let offering = Offering { price_per_hour: price.map(MicroDollars), ..offerings[1].clone() };
        w.progress.steps[0].effect = Effect::Launched { instance: InstanceId::parse("i-12345678").unwrap(), offering };
    };
    assert_eq!(World::stopped(|w| launched(w, Some(100_000))), at(&ALWAYS, Rule::NotWorthIt), "only the dearer offering had capacity");
    assert_eq!(World::stopped(|w| launched(w, Some(80_000))), [], "dearer than hoped, and still worth it");
    assert_eq!(World::stopped(|w| launched(w, None)), at(&ALWAYS, Rule::PriceUnknown));
    let spot = |w: &mut World| {
        let Action::LaunchNode { offerings, .. } = &w.plan.steps[0].action else { panic!("a launch") };
        w.prices = vec![(offerings[0].pool.clone(), MicroDollars(98_000))];
    };
    assert_eq!(World::stopped(spot), at(&ALWAYS, Rule::NotWorthIt), "the price has risen meanwhile");
}

#[test]
fn of_two_plans_that_were_made_at_once_one_goes_on() {
    let other = |id: &str, kind: PlanKind, go: u32| {
        let mut plan = plan(&request(), &a_cluster(), &a_move(&[go], 1)).unwrap();
        plan.key.plan = PlanId::parse(id).unwrap();
        plan.kind = kind;
        PlanRecord { progress: Progress::new(&plan, Urgency::Normal, None), plan }
    };
    // Three nodes: one may be in disruption. Plans are ordered by their time, and then by their name.
    let before = World::stopped(|w| w.open = vec![other("a", PlanKind::BinPack, 2)]);
    assert_eq!(before, at(&NOT_YET_MOVED, Rule::DisruptionBudget));
    assert_eq!(World::stopped(|w| w.open = vec![other("z", PlanKind::BinPack, 2)]), []);
    assert_eq!(World::stopped(|w| w.open = vec![other("a", PlanKind::BinPack, 1)]), at(&NOT_YET_MOVED, Rule::InAnotherPlan));
    assert_eq!(World::stopped(|w| w.open = vec![other("z", PlanKind::Rescue, 1)]), at(&NOT_YET_MOVED, Rule::InAnotherPlan));
    assert_eq!(World::stopped(|w| w.open = vec![other("z", PlanKind::Rescue, 2)]), [], "a rescue counts against no budget");
    let itself = |w: &mut World| w.open = vec![PlanRecord { plan: w.plan.clone(), progress: w.progress.clone() }];
    assert_eq!(World::stopped(itself), []);
}

#[test]
fn the_hardest_step_of_a_turn_says_what_is_asked() {
    let target = world().plan.steps[2].action.node().unwrap().clone();
    let wait = Action::AwaitReady { of: Which::LaunchedBy(0), within_s: 1 };
    let drain = Action::Drain { node: target.clone(), care: Care::Voluntary, at_deadline: crate::policy::AtDeadline::Leave };
    assert_eq!(Before::any([&wait]), None);
    assert_eq!(Before::any([&wait, &Action::Cordon { node: target.clone() }]), Some(Before::Cordon));
    assert_eq!(Before::any([&drain, &Action::Terminate { node: target }]), Some(Before::End));
}
