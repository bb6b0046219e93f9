//! Every body of the manifest through the whole handler, for instances of a registered cluster: each leads to what the manifest
//! says, in whatever wrapping it comes and whoever owns the node.

use domain::ids::InstanceId;
use domain::node::NodeOwner;
use domain::offering::CapacityType;
use domain::plan::Urgency;
use domain::{SignedDuration, Timestamp};
use harness::events::{Case, file, manifest};
use harness::system::System;
use runtime::deadline::Budget;
use serde_json::{Value, json};
use sim::checkers::{Rest, Watch, at_rest};
use sim::clock::SimClock;
use sim::faults::{Fault, Kind};
use sim::world::{ClusterSpec, NodeSpec, WorkloadSpec, World};

/// A second after most of the bodies were sent: what they announce lies ahead.
const NOW: &str = "2026-03-14T15:09:27Z";
/// The Region of the queue, for the bodies that name none.
const HERE: &str = "us-east-2";

/// Calls that change something outside.
const MUTATING: [&str; 9] = [
    "cluster.cordon",
    "cluster.uncordon",
    "cluster.evict",
    "cluster.delete_pod",
    "cluster.delete_node",
    "cluster.scale",
    "cloud.launch",
    "cloud.terminate",
    "cloud.complete_lifecycle",
];

fn now() -> Timestamp {
    NOW.parse().unwrap()
}

/// The event inside its wrappings; nothing where the text is no JSON.
fn event(text: &str) -> Value {
    let outer: Value = serde_json::from_str(text).unwrap_or_default();
    match outer["Message"].as_str() {
        Some(inner) => serde_json::from_str(inner).unwrap(),
        None => outer,
    }
}

/// All ids of instances in a text, wherever they stand: what is ignored is ignored though the instance is ours.
fn ids(text: &str) -> Vec<InstanceId> {
    let word = |c: char| c == '-' || c.is_ascii_alphanumeric();
    let mut ids: Vec<InstanceId> = text.split(|c| !word(c)).filter_map(|w| InstanceId::parse(w).ok()).collect();
    ids.sort();
    ids.dedup();
    ids
}

/// A system in which the instances of these bodies are nodes with pods.
struct Ground {
    system: System,
    cluster: domain::ids::ClusterId,
    named: Vec<InstanceId>,
}

async fn ground(text: &str, owner: &NodeOwner, registered: bool) -> Ground {
    let event = event(text);
    let words = |keys: &[&str]| keys.iter().find_map(|key| event.pointer(key)?.as_str()).map(|t| t.replace(' ', ""));
    let account = words(&["/account", "/AccountId"]).unwrap_or_else(|| "123456789012".to_owned());
    let region = words(&["/detail/eventRegion", "/region"]).unwrap_or_else(|| HERE.to_owned());
    let clock = SimClock::starting(now());
    let world = World::new(clock.clone(), 5);
    let cluster = world.add_cluster(ClusterSpec::new("acme", "shop", &account, &region));
    let node = |zone: &str| NodeSpec::new("m6i.xlarge", &format!("{region}{zone}"), CapacityType::Spot);
    let mut named = Vec::new();
    for id in ids(text) {
        named.push(world.add_node(&cluster, NodeSpec { instance: Some(id), owner: owner.clone(), ..node("a") }));
    }
    if let Some(reservation) = words(&["/detail/capacity-reservation-id"]) {
        let tags = [("capacity-reservation".to_owned(), reservation)].into();
        named.push(world.add_node(&cluster, NodeSpec { tags, owner: owner.clone(), ..node("a") }));
    }
    for on in &named {
        world.add_deployment(&cluster, WorkloadSpec { on: vec![on.clone()], ..WorkloadSpec::new(&format!("web-{on}"), 2) });
    }
    world.add_node(&cluster, node("b"));
    let system = System::around(clock, world, SignedDuration::ZERO);
    if registered {
        system.register("acme", "shop", &account, &region).await;
    }
    Ground { system, cluster, named }
}

/// What came of a body.
#[derive(Debug, Clone, PartialEq, Eq)]
struct Led {
    /// Of each plan: `rescue` or `hook`, its steps, how hard, and when its node is gone.
    plans: Vec<(String, Vec<String>, Urgency, Option<Timestamp>)>,
    /// Kinds of the spot events, and whether a plan handles them.
    recorded: Vec<(String, bool)>,
    dead_letters: usize,
    touched: bool,
}

fn led(system: &System, calls_before: usize) -> Led {
    let plan = |r: &domain::plan::PlanRecord| {
        let prefix = r.plan.key.plan.as_str().split('-').next().unwrap_or_default().to_owned();
        let steps = r.plan.steps.iter().map(|s| s.action.kind().to_owned()).collect();
        (prefix, steps, r.progress.urgency, r.progress.node_deadline)
    };
    let events = system.store.all_spot_events();
    Led {
        plans: system.store.plans().iter().map(plan).collect(),
        recorded: events.iter().map(|e| (e.event_type.as_str().to_owned(), e.plan.is_some())).collect(),
        dead_letters: system.queue.dead_letters().len(),
        touched: system.gate.names().iter().skip(calls_before).any(|name| MUTATING.contains(name)),
    }
}

/// Ways in which a body can come.
#[derive(Debug, Clone, Copy)]
enum Wrapping {
    Queue,
    TopicAndQueue,
    Direct,
}

fn wrapped(text: &str, wrapping: Wrapping) -> Value {
    let topic = || {
        let arn = format!("arn:aws:sns:{HERE}:123456789012:events");
        json!({"Type": "Notification", "MessageId": "1", "TopicArn": arn, "Message": text}).to_string()
    };
    let record = |body: String| {
        let sent = now().as_millisecond().to_string();
        let attributes = json!({"SentTimestamp": sent, "ApproximateReceiveCount": "1"});
        json!({"Records": [{"messageId": "1", "body": body, "attributes": attributes, "awsRegion": HERE, "eventSource": "aws:sqs"}]})
    };
    match wrapping {
        Wrapping::Queue => record(text.to_owned()),
        Wrapping::TopicAndQueue => record(topic()),
        Wrapping::Direct => serde_json::from_str(text).unwrap(),
    }
}

async fn deliver(ground: &Ground, payload: Value) -> Led {
    let before = ground.system.gate.names().len();
    let budget = Budget::lasting(&*ground.system.clock, SignedDuration::from_secs(12));
    let answer = interruption::handle_any(payload, &ground.system.ports, budget).await.unwrap();
    assert!(answer.batch_item_failures.is_empty());
    led(&ground.system, before)
}

fn steps(names: &[&str]) -> Vec<String> {
    names.iter().map(|name| (*name).to_owned()).collect()
}

/// What the manifest says must come of a case whose nodes are ours, or its own group's.
fn expected(case: &Case, text: &str) -> Led {
    let event = event(text);
    let read = |pointer: &str| event.pointer(pointer).and_then(Value::as_str).and_then(|t| t.parse::<Timestamp>().ok());
    let fallback = case.action.contains("SentTimestamp") || case.action.contains("same fallback");
    let at = read("/time").filter(|_| !fallback).unwrap_or_else(now);
    let after = |seconds: i64| Some(now() + SignedDuration::from_secs(seconds));
    let whole = ["launch-node", "await-ready", "cordon", "drain"];
    let taken = read("/detail/instance-termination-time").unwrap_or_else(|| at + SignedDuration::from_secs(120));
    let state = event.pointer("/detail/state").and_then(Value::as_str).unwrap_or_default().to_lowercase();
    let (plan, recorded) = match case.kind.as_str() {
        "spot_interruption" if case.action.contains("never act") => (None, false),
        // The time is long over: what is left is to clean up.
        "spot_interruption" if taken < now() => (Some(("rescue", steps(&["remove-node"]), Urgency::Forced, Some(taken))), true),
        "spot_interruption" | "capacity_reservation_interruption" => (Some(("rescue", steps(&whole), Urgency::Forced, Some(taken))), true),
        "scheduled_change" => {
            let start = event.pointer("/detail/startTime").and_then(Value::as_str).unwrap();
            let parser = jiff_date(start);
            (Some(("rescue", steps(&whole), Urgency::Normal, Some(parser))), true)
        }
        "capacity_block_expiration" => {
            let ends = read("/detail/end-date").unwrap() - SignedDuration::from_mins(30);
            (Some(("rescue", steps(&whole), Urgency::Normal, Some(ends))), true)
        }
        "state_change" => match state.as_str() {
            "stopping" | "shutting-down" => (Some(("rescue", steps(&["cordon", "drain"]), Urgency::Forced, after(30))), true),
            "stopped" | "terminated" => (Some(("rescue", steps(&["remove-node"]), Urgency::Forced, after(0))), true),
            _ => (None, false),
        },
        "asg_terminate" => (Some(("hook", steps(&["cordon", "drain", "complete-lifecycle"]), Urgency::Forced, after(15 * 60))), true),
        "asg_launch" => (Some(("hook", steps(&["await-ready", "complete-lifecycle"]), Urgency::Normal, None)), true),
        "rebalance" => (None, true),
        "ignore" | "reject" | "unmanaged" | "schedule_tick" | "ice_signal" | "post_hoc_interruption" => (None, false),
        other => panic!("the manifest has a new kind: {other}"),
    };
    // A capacity block names no instances: its one is found by the reservation.
    let many = if case.kind == "capacity_block_expiration" { 1 } else { case.instances.len() };
    let plan = plan.map(|(prefix, steps, urgency, deadline)| (prefix.to_owned(), steps, urgency, deadline));
    Led {
        recorded: std::iter::repeat_n((case.kind.clone(), plan.is_some()), if recorded { many } else { 0 }).collect(),
        // Waiting for a node that is Ready already touches nothing but the hook; ended instances are looked at first.
        touched: plan.as_ref().is_some_and(|(_, steps, ..)| *steps != ["remove-node"]),
        plans: std::iter::repeat_n(plan, many).flatten().collect(),
        dead_letters: usize::from(case.message.contains("DLQ")),
    }
}

/// `Sat, 28 Mar 2026 10:00:00 GMT`; the weekday is not looked at.
fn jiff_date(text: &str) -> Timestamp {
    let words: Vec<&str> = text.split([' ', ',']).filter(|w| !w.is_empty()).collect();
    let months = ["Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"];
    let month = months.iter().position(|m| *m == words[2]).unwrap() + 1;
    format!("{}-{month:02}-{}T{}Z", words[3], words[1], words[4]).parse().unwrap()
}

fn own() -> NodeOwner {
    NodeOwner::CloudOptim
}

fn group() -> NodeOwner {
    NodeOwner::AutoScalingGroup { group: "my-asg".to_owned() }
}

/// The cases that are bodies, with the owner that their kind speaks of.
fn bodies() -> Vec<(Case, String, NodeOwner)> {
    let all = manifest().into_iter().filter(|c| c.form != "lambda_sqs_event");
    all.map(|case| {
        let owner = if case.kind.starts_with("asg_") { group() } else { own() };
        let text = file(&case.file);
        (case, text, owner)
    })
    .collect()
}

/// What a case leads to does not depend on how it is wrapped.
#[tokio::test(start_paused = true)]
async fn every_body_leads_to_what_the_manifest_says() {
    let mut many = 0;
    for (case, text, owner) in bodies() {
        let mut wrappings = vec![Wrapping::Queue];
        if case.form == "eventbridge" || case.form == "lambda_direct" {
            wrappings.extend([Wrapping::TopicAndQueue, Wrapping::Direct]);
        }
        for wrapping in wrappings {
            let ground = ground(&text, &owner, case.kind != "unmanaged").await;
            let led = deliver(&ground, wrapped(&text, wrapping)).await;
            assert_eq!(led, expected(&case, &text), "{}, {wrapping:?}: {}", case.file, case.action);
            many += 1;
        }
    }
    println!("BENCH event_bodies_led_to_what_the_manifest_says {many} count >= 130");
}

#[tokio::test(start_paused = true)]
async fn what_an_owner_replaces_we_do_not_launch_and_karpenters_nodes_we_do_not_touch() {
    let managed = || NodeOwner::ManagedNodeGroup { group: "workers".to_owned() };
    let karpenter = || NodeOwner::Karpenter { claim: "default".to_owned() };
    for (case, text, _) in bodies() {
        for owner in [group(), managed(), karpenter()] {
            let ground = ground(&text, &owner, case.kind != "unmanaged").await;
            let led = deliver(&ground, wrapped(&text, Wrapping::Queue)).await;
            let mut wanted = expected(&case, &text);
            for (_, steps, ..) in &mut wanted.plans {
                steps.retain(|step| case.kind == "asg_launch" || (step != "launch-node" && step != "await-ready"));
            }
            if let NodeOwner::Karpenter { .. } = owner {
                (wanted.plans, wanted.touched) = (Vec::new(), false);
                wanted.recorded.iter_mut().for_each(|(_, planned)| *planned = false);
            }
            // A scheduled change waits for a replacement of ours only; the group's own comes later.
            assert_eq!(led, wanted, "{} of {owner:?}", case.file);
            assert!(ground.system.launched().is_empty(), "{} of {owner:?}", case.file);
        }
    }
}

#[tokio::test(start_paused = true)]
async fn every_body_comes_to_rest_without_breaking_a_law() {
    for (case, text, owner) in bodies() {
        let mut ground = ground(&text, &owner, case.kind != "unmanaged").await;
        let mut watch = Watch::over(&ground.system.world, &ground.cluster);
        ground.named.iter().for_each(|instance| watch.noticed(instance));
        deliver(&ground, wrapped(&text, Wrapping::Queue)).await;
        for _ in 0..12 {
            let check = |system: &System| watch.look(&system.world, &ground.cluster).unwrap_or_else(|law| panic!("{}: {law}", case.file));
            ground.system.run(SignedDuration::from_mins(10), check).await;
        }
        let launches = expected(&case, &text).plans.iter().filter(|(_, steps, ..)| steps.iter().any(|s| s == "launch-node")).count();
        assert_eq!(ground.system.launched().len(), launches, "{}", case.file);
        let rest = Rest { world: &ground.system.world, store: &ground.system.store, cluster: &ground.cluster, noticed: &[] };
        at_rest(&rest).unwrap_or_else(|law| panic!("{}: {law}", case.file));
    }
}

/// The whole batches: nodes of a group beside nodes of ours.
#[tokio::test(start_paused = true)]
async fn a_mixed_batch_opens_three_rescues_and_parks_its_poison() {
    let text = file("lambda_sqs_batch_mixed.json");
    let ground = ground(&text, &own(), true).await;
    let led = deliver(&ground, serde_json::from_str(&text).unwrap()).await;
    let prefixes: Vec<&str> = led.plans.iter().map(|(prefix, ..)| prefix.as_str()).collect();
    assert_eq!(prefixes, ["hook", "rescue", "rescue"]);
    assert_eq!(led.dead_letters, 4);
    assert_eq!(ground.system.launched().len(), 2, "records 5 and 7 say again what record 1 said");
    for name in ["lambda_sqs_single.json", "lambda_direct_eventbridge.json"] {
        let again = deliver(&ground, serde_json::from_str(&file(name)).unwrap()).await;
        assert_eq!(again.plans, led.plans, "{name}: the same instance again");
    }
}

#[tokio::test(start_paused = true)]
async fn only_the_record_that_failed_comes_back() {
    let text = file("lambda_sqs_batch_mixed.json");
    let ground = ground(&text, &own(), true).await;
    let mut left = 1;
    ground.system.gate.script(move |call| {
        let fails = call.name == "journal.open" && left > 0;
        left -= u32::from(fails);
        fails.then_some(Fault::Before(Kind::Throttled))
    });
    let budget = Budget::lasting(&*ground.system.clock, SignedDuration::from_secs(12));
    let answer = interruption::handle_any(serde_json::from_str(&text).unwrap(), &ground.system.ports, budget).await.unwrap();
    let back: Vec<&str> = answer.batch_item_failures.iter().map(|f| f.item_identifier.as_str()).collect();
    assert_eq!(back, ["00000000-0000-4000-8000-000000000001"]);
    assert_eq!(ground.system.queue.dead_letters().len(), 4);
}
