//! The same rescue on the real adapters: Kubernetes over HTTPS, EC2 over the wire, the table on an embedded DynamoDB. The servers
//! have a thread of their own; the function has one, as on Lambda.

use domain::SignedDuration;
use domain::ids::{ClusterId, InstanceId};
use domain::interruption::SPOT_NOTICE;
use domain::interruption::parse::Received;
use domain::offering::CapacityType;
use domain::ports::Clock;
use execution::Ports;
use harness::wired::{CUSTOMER, Line, Wired};
use runtime::deadline::Budget;
use sim::clock::SimClock;
use sim::faults::{FaultyCloud, Gate};
use sim::store::{MemoryQueue, Which};
use sim::world::{ClusterSpec, NodeSpec, What, WorkloadSpec, World};
use std::collections::{BTreeSet, VecDeque};
use std::sync::Arc;
use std::time::Duration;

const REGION: &str = "us-east-1";

/// Two victims: one small, for which everything is opened, and one with 110 pods.
struct Scene {
    clock: Arc<SimClock>,
    world: Arc<World>,
    small: InstanceId,
    large: InstanceId,
    wired: Wired,
}

async fn scene(delay: Duration) -> Scene {
    let clock = SimClock::starting(runtime::clock::SystemClock.now());
    let world = World::new(clock.clone(), 7);
    let account = "123456789012";
    let cluster = world.add_cluster(ClusterSpec::new(CUSTOMER, "shop", account, REGION));
    let nodes = ["a", "b", "c"].map(|zone| {
        let spec = NodeSpec::new("m6i.8xlarge", &format!("{REGION}{zone}"), CapacityType::Spot);
        world.add_node(&cluster, NodeSpec { pods_max: 250, ..spec })
    });
    for (name, on, pods) in [("small", &nodes[0], 1), ("large", &nodes[1], 110)] {
        let mut spec = WorkloadSpec::new(name, pods);
        spec.pod.cpu_millis = 50;
        spec.pod.memory_bytes = 32 << 20;
        spec.on = vec![on.clone()];
        world.add_deployment(&cluster, spec);
    }
    let gate = Gate::slow(clock.clone(), SignedDuration::try_from(delay).unwrap(), |_| None);
    let cloud = FaultyCloud::new(world.clone(), gate);
    let line = Line { cluster, account: account.to_owned() };
    let wired = Wired::up(world.clone(), cloud, REGION, &[line], delay).await;
    let [small, large, _] = nodes;
    Scene { clock, world, small, large, wired }
}

/// One notice through the handler.
async fn rescue(clock: &SimClock, world: &World, victim: &InstanceId, ports: &Ports) {
    let body = world.interrupt(victim, SPOT_NOTICE);
    let received = Received { at: clock.now(), region: None };
    let budget = Budget::lasting(clock, SignedDuration::from_secs(12));
    interruption::body(&body, &received, ports, budget).await.unwrap();
}

/// Milliseconds from the message in hand to the last of 110 evictions, and to the launch, as the servers saw them.
fn once(delay: Duration) -> (f64, f64) {
    let servers = tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build().unwrap();
    let scene = servers.block_on(scene(delay));
    let function = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    function.block_on(async {
        let cloud = Arc::new(ec2::Ec2::new(scene.wired.config().clone()));
        let ports = scene.wired.ports(cloud, scene.clock.clone());
        rescue(&scene.clock, &scene.world, &scene.small, &ports).await;
        let before = scene.world.history().len();
        let began = scene.clock.now();
        rescue(&scene.clock, &scene.world, &scene.large, &ports).await;
        let new = scene.world.history_since(before);
        let ms = |at: domain::Timestamp| at.duration_since(began).as_micros() as f64 / 1000.0;
        // The small one's replacement may be filled meanwhile: only the large one's pods count.
        let evicted = |w: &What| matches!(w, What::Evicted { pod, .. } if pod.name.starts_with("large"));
        assert_eq!(new.iter().filter(|h| evicted(&h.what)).count(), 110);
        let last = new.iter().filter(|h| evicted(&h.what)).map(|h| ms(h.at)).fold(0.0, f64::max);
        let launched = new.iter().find(|h| matches!(h.what, What::Launched { token: Some(_), .. })).map(|h| ms(h.at)).unwrap();
        (last, launched)
    })
}

/// Message in hand -> last eviction accepted, and -> RunInstances sent.
pub fn warm(r_ms: u32) {
    let (mut evicted, mut launched): (Vec<f64>, Vec<f64>) = (0..11).map(|_| once(Duration::from_millis(r_ms.into()))).unzip();
    println!("BENCH warm_message_to_last_eviction_of_110_over_http {:.1} ms <= {}", super::median(&mut evicted), 2 * r_ms + 15);
    println!("BENCH warm_message_to_run_instances_over_http {:.1} ms <= {}", super::median(&mut launched), 2 * r_ms + 15);
}

/// Clusters, and nodes of each that are warned. A thousand warnings are measured in release; unoptimised TLS and an unoptimised table
/// are no measure, so that there a hundred show that none is lost and none doubled.
fn size() -> (usize, usize) {
    if harness::programs::release() { (50, 20) } else { (10, 10) }
}

/// A storm that has not ended by then is lost; the bar is far below.
const PATIENCE: SignedDuration = SignedDuration::from_secs(180);

/// As local mode composes it: every cluster served over HTTPS, the table on an embedded DynamoDB, the cloud simulated, and one
/// process that does everything.
async fn stormy(clock: &Arc<SimClock>) -> (Arc<World>, Vec<InstanceId>, Wired) {
    let world = World::new(clock.clone(), 11);
    let (mut victims, mut lines) = (Vec::new(), Vec::new());
    let (clusters, nodes_each) = size();
    for index in 0..clusters {
        let (name, account) = (format!("c{index}"), format!("{:012}", 100_000 + index));
        let cluster: ClusterId = world.add_cluster(ClusterSpec::new(CUSTOMER, &name, &account, REGION));
        let zone = |n: usize| format!("{REGION}{}", ["a", "b"][n % 2]);
        let nodes: Vec<_> =
            (0..nodes_each).map(|n| world.add_node(&cluster, NodeSpec::new("m6i.large", &zone(n), CapacityType::Spot))).collect();
        let mut spec = WorkloadSpec::new("web", 2 * u32::try_from(nodes_each).unwrap());
        spec.pod.cpu_millis = 20;
        spec.on = nodes.clone();
        world.add_deployment(&cluster, spec);
        victims.extend(nodes);
        lines.push(Line { cluster, account });
    }
    let wired = Wired::up(world.clone(), world.clone(), REGION, &lines, Duration::ZERO).await;
    (world, victims, wired)
}

/// All warnings at once.
pub fn storm() {
    let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build().unwrap();
    runtime.block_on(async {
        let clock = SimClock::starting(runtime::clock::SystemClock.now());
        let (world, victims, wired) = stormy(&clock).await;
        let queue = MemoryQueue::new(clock.clone());
        let ports = Ports { queue: queue.clone(), ..wired.ports(world.clone(), clock.clone()) };
        for victim in &victims {
            queue.put(Which::Interruptions, world.interrupt(victim, SPOT_NOTICE), SignedDuration::ZERO);
        }
        let began = clock.now();
        let work = work(&clock, &queue, &ports);
        let done = async {
            while count(&world).0.len() < victims.len() || count(&world).1.len() < victims.len() {
                clock.sleep(SignedDuration::from_millis(100)).await;
            }
        };
        tokio::select! {
            () = work => {}
            () = done => {}
            () = clock.sleep(PATIENCE) => {}
        }
        let (cordoned, launched) = count(&world);
        let replaced: BTreeSet<&String> = launched.iter().map(|(of, _)| of).collect();
        let ended = cordoned.iter().chain(launched.iter().map(|(_, at)| at)).max().copied().unwrap_or(began);
        let many = victims.len();
        println!("BENCH storm_local_mode_{many}_cordoned_and_launched {:.1} s <= 20", ended.duration_since(began).as_secs_f64());
        println!("BENCH storm_local_mode_{many}_cordoned {} count >= {many}", cordoned.len());
        println!("BENCH storm_local_mode_{many}_launched {} count >= {many}", replaced.len());
        println!("BENCH storm_local_mode_{many}_doubled {} count <= 0", launched.len() - replaced.len());
    });
}

/// When nodes were cordoned; which instances were replaced, and when.
fn count(world: &World) -> (Vec<domain::Timestamp>, Vec<(String, domain::Timestamp)>) {
    let history = world.history();
    let cordoned = history.iter().filter(|h| matches!(h.what, What::Cordoned { .. })).map(|h| h.at).collect();
    let launched = history.iter().filter_map(|h| match &h.what {
        What::Launched { token: Some(_), tags, .. } => Some((tags.get("cloudoptim.io/replaces").cloned().unwrap_or_default(), h.at)),
        _ => None,
    });
    (cordoned, launched.collect())
}

/// As in local mode.
const IN_HAND: usize = 50;

/// What SQS and Lambda do in local mode: up to fifty messages are in hand at once, and what fails comes back.
async fn work(clock: &Arc<SimClock>, queue: &Arc<MemoryQueue>, ports: &Ports) {
    let mut running = futures::stream::FuturesUnordered::new();
    let mut waiting = VecDeque::new();
    loop {
        waiting.extend(queue.take_due(clock.now()));
        let room = waiting.len().min(IN_HAND.saturating_sub(running.len()));
        for message in waiting.drain(..room) {
            running.push(async move {
                let budget = Budget::lasting(&**clock, SignedDuration::from_secs(12));
                let received = Received { at: message.sent_at, region: None };
                let well = match message.queue {
                    Which::Interruptions => interruption::body(&message.body, &received, ports, budget).await.is_ok(),
                    Which::Plans => executor::body(&message.body, ports, budget).await.is_ok(),
                    Which::Rounds | Which::Scans | Which::Notices | Which::DeadLetters => true,
                };
                if !well {
                    queue.give_back(message, SignedDuration::from_secs(25));
                }
            });
        }
        tokio::select! {
            () = clock.sleep(SignedDuration::from_millis(50)) => {}
            Some(()) = futures::StreamExt::next(&mut running) => {}
        }
    }
}
