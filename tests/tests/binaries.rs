//! The real function binaries under a Lambda Runtime API, in a world behind real wires.

use domain::SignedDuration;
use domain::ids::{ClusterId, CustomerId, InstanceId};
use domain::node::NodeOwner;
use domain::offering::CapacityType;
use domain::plan::{Outcome, PlanKey, PlanRecord};
use domain::ports::{Clock, Journal, Lifecycle};
use harness::events::file;
use harness::programs::Running;
use harness::wired::{CUSTOMER, Leaping, Line, Wired};
use serde_json::{Value, json};
use sim::faults::{Call, Fault, FaultyCloud, Gate};
use sim::world::{ClusterSpec, NodeSpec, Timing, What, WorkloadSpec, World};
use std::collections::BTreeSet;
use std::sync::Arc;
use std::time::Duration;

const ACCOUNT: &str = "123456789012";
const REGION: &str = "us-east-2";
const PODS: u32 = 4;

/// The instances of `lambda_sqs_batch_mixed.json`: two of ours, one of a group.
const OURS: [&str; 2] = ["i-1234567890abcdef0", "i-0eeeeeeeeeeeeeee1"];
const GROUPS: &str = "i-040107f6ba000e5ee";

struct Stage {
    clock: Arc<Leaping>,
    world: Arc<World>,
    cluster: ClusterId,
    wired: Wired,
    gate: Arc<Gate>,
}

/// Three nodes with pods that a batch will name, and one more; EC2 fails as the script says.
async fn stage(script: impl FnMut(Call) -> Option<Fault> + Send + 'static) -> Stage {
    // Built before anything is announced: the two minutes of a notice run in real time.
    harness::programs::program("interruption");
    let clock = Leaping::new();
    let world = World::new(clock.clone(), 3);
    world.set_timing(Timing { join: Some(SignedDuration::from_secs(4)), ..Timing::default() });
    let cluster = world.add_cluster(ClusterSpec::new(CUSTOMER, "shop", ACCOUNT, REGION));
    let node = |id: &str, owner: NodeOwner| {
        let spec = NodeSpec::new("m6i.xlarge", "us-east-2a", CapacityType::Spot);
        NodeSpec { instance: Some(InstanceId::parse(id).unwrap()), owner, ..spec }
    };
    let mut victims: Vec<InstanceId> = OURS.iter().map(|id| world.add_node(&cluster, node(id, NodeOwner::CloudOptim))).collect();
    victims.push(world.add_node(&cluster, node(GROUPS, NodeOwner::AutoScalingGroup { group: "my-asg".to_owned() })));
    world.add_node(&cluster, NodeSpec::new("m6i.xlarge", "us-east-2b", CapacityType::Spot));
    for (index, on) in victims.iter().enumerate() {
        let mut spec = WorkloadSpec::new(&format!("app-{index}"), PODS);
        spec.on = vec![on.clone()];
        spec.pod.exit_s = 1;
        world.add_deployment(&cluster, spec);
    }
    let gate = Gate::new(clock.clone(), script);
    let cloud = FaultyCloud::new(world.clone(), gate.clone());
    let line = Line { cluster: cluster.clone(), account: ACCOUNT.to_owned() };
    let wired = Wired::up(world.clone(), cloud, REGION, &[line], Duration::ZERO).await;
    Stage { clock, world, cluster, wired, gate }
}

impl Stage {
    /// The batch as SQS delivers it now, and the world as AWS has announced it.
    fn batch(&self) -> Value {
        let now = domain::Timestamp::from_second(self.clock.now().as_second()).unwrap();
        for id in OURS {
            self.world.interrupt(&InstanceId::parse(id).unwrap(), domain::interruption::SPOT_NOTICE);
        }
        let hook = Lifecycle {
            group: "my-asg".to_owned(),
            hook: "test-nth-asg-to-sqs".to_owned(),
            token: Some("b4dd0f5b-0ef2-4479-9dad-6c55f027000e".to_owned()),
            instance: InstanceId::parse(GROUPS).unwrap(),
        };
        self.world.asg_waits(&hook, SignedDuration::from_mins(15));
        let text = file("lambda_sqs_batch_mixed.json").replace("2026-03-14T15:09:26Z", &now.to_string());
        serde_json::from_str(&text.replace("1773500966000", &now.as_millisecond().to_string())).unwrap()
    }

    fn count(&self, is: impl Fn(&What) -> bool) -> usize {
        self.world.history().iter().filter(|h| is(&h.what)).count()
    }

    /// Instances that were launched by us, with the ones that they replace.
    fn replaced(&self) -> Vec<String> {
        let history = self.world.history();
        let of = |what: &What| match what {
            What::Launched { token: Some(_), tags, .. } => tags.get("cloudoptim.io/replaces").cloned(),
            _ => None,
        };
        let mut replaced: Vec<String> = history.iter().filter_map(|h| of(&h.what)).collect();
        replaced.sort();
        replaced
    }

    fn cordoned(&self) -> BTreeSet<String> {
        self.world.nodes(&self.cluster).iter().filter(|n| n.unschedulable).filter_map(|n| n.instance()).map(|i| i.to_string()).collect()
    }

    /// Feeds the executor with what stands in the plans queue until nothing does.
    async fn finish(&self, executor: &Running) {
        for _ in 0..60 {
            self.clock.leap(SignedDuration::from_millis(2_500));
            let bodies = self.wired.take_plans().await;
            if bodies.is_empty() && self.plans().await.iter().all(|r| r.progress.outcome.is_some()) {
                return;
            }
            let record = |(index, body): (usize, &String)| json!({"messageId": index.to_string(), "body": body, "eventSource": "aws:sqs"});
            let records: Vec<Value> = bodies.iter().enumerate().map(record).collect();
            let answer = executor.invoke(&json!({"Records": records})).await;
            assert_eq!(answer, json!({"batchItemFailures": []}));
        }
        panic!("the plans do not end: {:#?}", self.plans().await);
    }

    async fn plans(&self) -> Vec<PlanRecord> {
        let customer = CustomerId::parse(CUSTOMER).unwrap();
        let mut plans = Vec::new();
        let events = self.wired.table.spot_events(&customer, None, 100).await.unwrap();
        for plan in events.into_iter().filter_map(|e| e.plan) {
            let key = PlanKey { customer: customer.clone(), cluster: self.cluster.clone(), plan };
            plans.extend(self.wired.table.load(&key).await.unwrap());
        }
        plans
    }

    /// Everything that must be so once all plans have ended.
    async fn judge(&self) {
        assert_eq!(
            self.replaced(),
            {
                let mut ours = OURS.map(str::to_owned);
                ours.sort();
                ours
            },
            "each of ours has one replacement"
        );
        assert_eq!(self.count(|w| matches!(w, What::Evicted { .. })), 3 * PODS as usize);
        assert_eq!(self.count(|w| matches!(w, What::Deleted { .. } | What::PodLost { .. } | What::BudgetViolated { .. })), 0);
        assert_eq!(self.count(|w| matches!(w, What::LifecycleCompleted { by: sim::world::By::Us, .. })), 1);
        let plans = self.plans().await;
        assert_eq!(plans.len(), 3);
        for record in &plans {
            assert_eq!(record.progress.outcome, Some(Outcome::Succeeded), "{}", record.plan.key);
            let rows = self.wired.table.audit(&record.plan.key).await.unwrap();
            let mutating = record.plan.steps.iter().filter(|s| s.action.mutates()).count();
            assert_eq!(rows.iter().filter(|row| row.closed_at.is_some()).count(), mutating, "{}: {rows:?}", record.plan.key);
        }
        let events = self.wired.table.spot_events(&CustomerId::parse(CUSTOMER).unwrap(), None, 100).await.unwrap();
        let closed = events.iter().filter(|e| e.processed_at.is_some() && e.drain_duration_s.is_some()).count();
        assert_eq!((events.len(), closed), (3, 3), "{events:?}");
        assert_eq!(events.iter().filter(|e| e.replacement_instance_id.is_some()).count(), 2);
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_raw_batch_that_comes_twice_is_rescued_once() {
    let stage = stage(|_| None).await;
    let interruption = Running::start("interruption", &stage.wired.variables()).await;
    let batch = stage.batch();
    for _ in 0..2 {
        let answer = interruption.invoke(&batch).await;
        assert_eq!(answer, json!({"batchItemFailures": []}), "poison does not come back");
        assert_eq!(stage.wired.take_dead_letters().await.len(), 4, "it is put aside");
    }
    let all: BTreeSet<String> = OURS.iter().chain([&GROUPS]).map(|id| (*id).to_owned()).collect();
    assert_eq!(stage.cordoned(), all);
    assert_eq!(stage.replaced().len(), 2);
    assert_eq!(stage.count(|w| matches!(w, What::Evicted { .. })), 3 * PODS as usize, "in the same invocation");
    let executor = Running::start("executor", &stage.wired.variables()).await;
    stage.finish(&executor).await;
    stage.judge().await;
    for (name, running) in [("interruption", &interruption), ("executor", &executor)] {
        let log = running.log();
        let json = log.iter().filter(|line| serde_json::from_str::<Value>(line).is_ok()).count();
        assert_eq!(json, log.len(), "{name} prints JSON lines only");
        assert!(!log.iter().any(|line| line.contains("service-account-token")), "{name} prints no secret");
    }
}

/// The process is gone while RunInstances is under way, before or after it had its effect.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_function_that_is_killed_in_the_middle_of_a_launch_does_not_launch_twice() {
    for fault in [Fault::CrashBefore, Fault::CrashAfter] {
        let mut left = 1;
        let stage = stage(move |call| {
            let dies = call.name == "cloud.launch" && left > 0;
            left -= u32::from(dies);
            dies.then_some(fault)
        })
        .await;
        let batch = stage.batch();
        let mut first = Running::start("interruption", &stage.wired.variables()).await;
        tokio::select! {
            () = stage.gate.crashed() => {}
            answer = first.invoke(&batch) => panic!("nothing was left hanging: {answer}"),
        }
        first.kill();
        let second = Running::start("interruption", &stage.wired.variables()).await;
        assert_eq!(second.invoke(&batch).await, json!({"batchItemFailures": []}), "{fault:?}");
        assert_eq!(stage.replaced().len(), 2, "{fault:?}");
        let executor = Running::start("executor", &stage.wired.variables()).await;
        stage.finish(&executor).await;
        stage.judge().await;
    }
}

/// The process is gone as soon as this has happened in the world; what else it had done by then is left to chance.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_function_that_is_killed_anywhere_is_taken_over() {
    let moments: [fn(&What) -> bool; 3] = [
        |w| matches!(w, What::Cordoned { .. }),
        |w| matches!(w, What::Evicted { .. }),
        |w| matches!(w, What::Launched { token: Some(_), .. }),
    ];
    for moment in moments {
        let stage = stage(|_| None).await;
        let batch = stage.batch();
        let mut first = Running::start("interruption", &stage.wired.variables()).await;
        let happened = async {
            while stage.count(moment) == 0 {
                stage.clock.sleep(SignedDuration::from_micros(200)).await;
            }
        };
        tokio::select! {
            () = happened => {}
            _answer = first.invoke(&batch) => {}
        }
        first.kill();
        let second = Running::start("interruption", &stage.wired.variables()).await;
        assert_eq!(second.invoke(&batch).await, json!({"batchItemFailures": []}));
        let executor = Running::start("executor", &stage.wired.variables()).await;
        stage.finish(&executor).await;
        stage.judge().await;
    }
}

#[test]
fn the_variables_of_the_tests_are_those_of_the_template() {
    let template = std::fs::read_to_string(concat!(env!("CARGO_MANIFEST_DIR"), "/../template.yaml")).unwrap();
    let globals = template.split("\nResources:").next().unwrap().split("      Variables:\n").nth(1).unwrap();
    let named: Vec<&str> = globals.lines().filter_map(|line| line.trim().split_once(": ")).map(|(key, _)| key).collect();
    let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(1).enable_all().build().unwrap();
    let given = runtime.block_on(async { stage(|_| None).await.wired.variables() });
    for name in named.iter().filter(|name| name.chars().all(|c| c.is_ascii_uppercase() || c == '_' || c.is_ascii_digit())) {
        assert!(given.iter().any(|(key, _)| key == name), "{name}");
    }
}
