//! The binaries of the scanner, of office hours and of the notifier under a Lambda Runtime API, in a world behind real wires.

use domain::SignedDuration;
use domain::finding::FindingKind;
use domain::ids::{ClusterId, CustomerId, InstanceId, TargetId};
use domain::notify::{Channel, Sending, Target, TargetState};
use domain::offering::CapacityType;
use domain::office_hours::{OfficeHoursPolicy, Spec};
use domain::plan::PlanKind;
use domain::policy::Mode;
use domain::ports::{Clock, Findings, Journal, Moment, Nights, Notice, Outbox, Registry, Watchbooks};
use domain::watch::ScanOrder;
use harness::programs::Running;
use harness::wired::{CUSTOMER, Leaping, Line, Wired};
use serde_json::{Value, json};
use sim::faults::{Fault, FaultyCloud, Gate};
use sim::world::{ClusterSpec, NodeSpec, WorkloadSpec, World};
use std::sync::Arc;
use std::time::Duration;

const ACCOUNT: &str = "123456789012";
const REGION: &str = "us-east-2";

struct Stage {
    clock: Arc<Leaping>,
    wired: Wired,
    gate: Arc<Gate>,
    customer: CustomerId,
    cluster: ClusterId,
    ghost: InstanceId,
}

/// Twelve nodes with one workload, and an instance that is none of them.
async fn stage() -> Stage {
    harness::programs::program("ghost-scan");
    let clock = Leaping::new();
    let world = World::new(clock.clone(), 3);
    let cluster = world.add_cluster(ClusterSpec::new(CUSTOMER, "shop", ACCOUNT, REGION));
    let node = || NodeSpec::new("m6i.large", "us-east-2a", CapacityType::OnDemand);
    let nodes: Vec<InstanceId> = (0..12).map(|_| world.add_node(&cluster, node())).collect();
    let mut web = WorkloadSpec::new("web", 3);
    web.on = nodes;
    world.add_deployment(&cluster, web);
    let ghost = world.add_node(&cluster, node());
    world.lose_node(&ghost);
    let gate = Gate::slow(clock.clone(), SignedDuration::ZERO, |_| None);
    let cloud = FaultyCloud::new(world.clone(), gate.clone());
    let line = Line { cluster: cluster.clone(), account: ACCOUNT.to_owned() };
    let wired = Wired::up(world, cloud, REGION, &[line], Duration::ZERO).await;
    Stage { clock, wired, gate, customer: CustomerId::parse(CUSTOMER).unwrap(), cluster, ghost }
}

impl Stage {
    fn variables(&self) -> Vec<(String, String)> {
        let more = [
            ("SCANS_QUEUE_URL", "https://sqs.us-east-2.amazonaws.com/123456789012/scans"),
            // The world behind the wires has no account-wide lists of these.
            ("ZOMBIE_VOLUME_CLEANUP_ENABLED", "false"),
            ("NETWORK_OPTIMIZATION_ENABLED", "false"),
        ];
        self.wired.variables().into_iter().chain(more.map(|(key, value)| (key.to_owned(), value.to_owned()))).collect()
    }

    fn order(&self) -> String {
        let order = ScanOrder { customer: self.customer.clone(), cluster: self.cluster.clone(), asked_by: "test".to_owned(), whole: false };
        serde_json::to_string(&order).unwrap()
    }
}

fn batch(bodies: &[&str]) -> Value {
    let records = bodies.iter().enumerate().map(|(n, body)| json!({ "messageId": n.to_string(), "body": body }));
    json!({ "Records": records.collect::<Vec<_>>() })
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_scanner_puts_poison_aside_and_an_order_that_comes_twice_is_one_sighting() {
    let stage = stage().await;
    let scanner = Running::start("ghost-scan", &stage.variables()).await;
    let order = stage.order();
    for _ in 0..2 {
        assert_eq!(scanner.invoke(&batch(&["no order", &order])).await, json!({ "batchItemFailures": [] }));
        assert_eq!(stage.wired.take_dead_letters().await.len(), 1, "poison is put aside");
    }
    let book = stage.wired.table.watchbook(&stage.customer, &stage.cluster).await.unwrap();
    // An instance that is younger than an hour is not even watched; what was seen of the nodes is.
    assert_eq!((book.nodes, book.running, book.stopped), (12, 13, None));
    assert!(book.watches.get(stage.ghost.as_str()).is_none_or(|watch| watch.sightings == 1));
    let found = stage.wired.table.findings_of(&stage.customer, &stage.cluster, Some(FindingKind::Ghost)).await.unwrap();
    assert!(found.len() <= 1, "{found:?}");
    assert!(stage.wired.take_plans().await.is_empty());
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_scanner_that_is_killed_in_the_middle_leaves_nothing_and_the_next_one_sees_all() {
    let stage = stage().await;
    let order = stage.order();
    stage.gate.script(|call| (call.name == "cloud.instances").then_some(Fault::CrashBefore));
    let mut first = Running::start("ghost-scan", &stage.variables()).await;
    let once = batch(&[&order]);
    tokio::select! {
        () = stage.gate.crashed() => {}
        answer = first.invoke(&once) => panic!("nothing was left hanging: {answer}"),
    }
    first.kill();
    stage.gate.script(|_| None);
    let book = stage.wired.table.watchbook(&stage.customer, &stage.cluster).await.unwrap();
    assert_eq!(book.version, 0, "half a look is none");
    let second = Running::start("ghost-scan", &stage.variables()).await;
    assert_eq!(second.invoke(&batch(&[&order])).await, json!({ "batchItemFailures": [] }));
    let book = stage.wired.table.watchbook(&stage.customer, &stage.cluster).await.unwrap();
    assert_eq!((book.version, book.nodes, book.running), (1, 12, 13));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn office_hours_write_the_originals_down_and_open_one_plan_however_often_the_minute_comes() {
    let stage = stage().await;
    let mut cluster = stage.wired.table.cluster(&stage.customer, &stage.cluster).await.unwrap().unwrap();
    let mut policy = OfficeHoursPolicy { mode: Mode::Auto, ..OfficeHoursPolicy::default() };
    policy.cluster.downtime = Some(Spec::try_from("always".to_owned()).unwrap());
    policy.cluster.grace_s = Some(0);
    *cluster.policy.office_hours = policy;
    cluster.version += 1;
    stage.wired.table.put_cluster(&cluster, Some(cluster.version - 1)).await.unwrap();
    let mut first = Running::start("office-hours", &stage.variables()).await;
    first.invoke(&json!({})).await;
    first.kill();
    let second = Running::start("office-hours", &stage.variables()).await;
    second.invoke(&json!({})).await;
    let open = stage.wired.table.open_plans(&stage.customer, &stage.cluster).await.unwrap();
    let kinds: Vec<PlanKind> = open.iter().map(|record| record.plan.kind).collect();
    assert_eq!(kinds, [PlanKind::Sleep], "what a plan has in hand no second one touches");
    let rows = stage.wired.table.asleep(&stage.customer, &stage.cluster).await.unwrap();
    assert_eq!(rows.len(), 1);
    assert_eq!((rows[0].target.name.as_str(), rows[0].original, rows[0].downtime_replicas), ("web", Some(3), 0));
    assert!(!stage.wired.take_plans().await.is_empty(), "the executor was told");
}

/// As in template.yaml: it begins no sending that might not end in time.
const NOTIFIER_TIMEOUT: Duration = Duration::from_secs(90);

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_notifier_takes_a_notice_that_comes_twice_once_and_puts_poison_aside() {
    let stage = stage().await;
    let target = Target {
        id: TargetId::parse("mail").unwrap(),
        customer: stage.customer.clone(),
        label: "mail".to_owned(),
        channel: Channel::Email { to: "ops@example.com".to_owned() },
        kinds: Vec::new(),
        state: TargetState::Active,
        created_at: stage.clock.now(),
        version: 1,
    };
    stage.wired.table.put_target(&target).await.unwrap();
    let now = stage.clock.now();
    let whose = (&stage.customer, &stage.cluster);
    let notice = Notice::new(whose, ("ghost", Moment::Detected), ("i-1", now), vec!["It runs.".to_owned()], now);
    let body = serde_json::to_string(&notice).unwrap();
    let mut first = Running::start("notifier", &stage.variables()).await;
    assert_eq!(first.invoke_within(&batch(&["no notice", &body]), NOTIFIER_TIMEOUT).await, json!({ "batchItemFailures": [] }));
    assert_eq!(stage.wired.take_dead_letters().await.len(), 1, "poison is put aside");
    first.kill();
    let second = Running::start("notifier", &stage.variables()).await;
    assert_eq!(second.invoke_within(&batch(&[&body, &body]), NOTIFIER_TIMEOUT).await, json!({ "batchItemFailures": [] }));
    let log = stage.wired.table.deliveries(&target.lane(), None, 10).await.unwrap().items;
    // Mail is not set up here: that is said in the log, and nothing is lost.
    assert!(!log.is_empty() && log.iter().all(|sent| matches!(sent.sending, Sending::NotSent { .. })), "{log:?}");
    assert!(log.iter().all(|sent| sent.waiting.notice == notice));
    let waiting = stage.wired.table.waiting(&target.lane(), 10).await.unwrap();
    assert_eq!(waiting.len(), 1, "{waiting:?}");
}
