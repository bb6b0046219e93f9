//! The figures of a rescue, one `BENCH` line each.

use domain::SignedDuration;
use domain::ports::Clock;
use harness::one_rescue::scene;
use harness::system::System;
use sim::world::{ClusterSpec, NodeSpec, What, WorkloadSpec, World};
use std::time::Instant;

#[path = "rescue/over_http.rs"]
mod over_http;
#[path = "rescue/start.rs"]
mod start;

/// The round trip that every call of Kubernetes and EC2 is given.
const R_MS: i64 = 5;

fn real() -> tokio::runtime::Runtime {
    tokio::runtime::Builder::new_current_thread().enable_time().build().unwrap()
}

/// With a name as argument only what has it in its own is measured: `cargo bench -p tests -- start`.
fn main() {
    let asked: Vec<String> = std::env::args().skip(1).filter(|a| !a.starts_with('-')).collect();
    let all: [(&str, fn()); 7] = [
        ("writes", writes),
        ("warm", warm),
        ("storm", storm),
        ("over_http_warm", || over_http::warm(R_MS.unsigned_abs().try_into().unwrap())),
        ("over_http_storm", over_http::storm),
        ("start", start::start),
        ("scan_cost", scan_cost),
    ];
    for (name, measure) in all {
        if asked.is_empty() || asked.iter().any(|a| name.contains(a.as_str())) {
            measure();
        }
    }
}

/// Requests of scans of 200 clusters of 50 nodes, all in one account: one by hand, and those of six hours.
fn scan_cost() {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_time().start_paused(true).build().unwrap();
    let cost = runtime.block_on(harness::scan_cost::measure(200, 50));
    println!("BENCH kubernetes_requests_per_scan_of_50_nodes {:.2} requests <= 6", cost.kubernetes);
    println!("BENCH ec2_requests_per_scan_of_50_nodes {:.2} requests <= 4", cost.ec2);
    println!("BENCH kubernetes_requests_of_the_dearest_scan {:.2} requests <= 6", cost.kubernetes_max);
    println!("BENCH ec2_requests_of_the_dearest_scan {:.2} requests <= 4", cost.ec2_max);
    println!("BENCH load_balancing_requests_per_scan_with_200_balancers {:.2} requests <= 5", cost.balancing);
    println!("BENCH auto_scaling_requests_per_scan_with_a_ghost {:.2} requests <= 2", cost.auto_scaling);
    println!("BENCH scans_of_200_clusters_share_of_an_accounts_ec2_rate {:.2} percent <= 50", cost.account_share_percent());
    println!("BENCH scans_of_200_clusters_share_of_an_accounts_balancing_rate {:.2} percent <= 50", cost.balancing_share_percent());
}

/// Conditional writes of a rescue of n steps without faults.
fn writes() {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_time().start_paused(true).build().unwrap();
    runtime.block_on(async {
        let mut story = scene(20, SignedDuration::ZERO).await;
        // The minute's sweep is over, so that it is the notice that begins the rescue.
        story.system.sweep_if_due().await;
        let before = story.system.store.conditional_writes();
        story.interrupt();
        story.judge().await.unwrap();
        let steps = story.system.store.plans()[0].plan.steps.len();
        println!("BENCH state_writes_of_a_{steps}_step_plan {} writes <= {}", story.system.store.conditional_writes() - before, steps + 2);
    });
}

/// Message in hand -> last eviction accepted, and -> RunInstances sent, for a node with 110 pods.
fn warm() {
    let (mut evicted, mut launched) = (Vec::new(), Vec::new());
    for _ in 0..11 {
        real().block_on(async {
            let story = scene(110, SignedDuration::from_millis(R_MS)).await;
            story.interrupt();
            let message = story.system.queue.take_due(story.system.clock.now()).remove(0);
            let began = story.system.clock.now();
            story.system.invoke(&message).await;
            let history = story.system.world.history();
            let ms = |at: domain::Timestamp| at.duration_since(began).as_micros() as f64 / 1000.0;
            let last = history.iter().filter(|h| matches!(h.what, What::Evicted { .. })).map(|h| ms(h.at)).fold(0.0, f64::max);
            assert_eq!(history.iter().filter(|h| matches!(h.what, What::Evicted { .. })).count(), 110);
            evicted.push(last);
            launched.push(history.iter().find(|h| matches!(h.what, What::Launched { token: Some(_), .. })).map(|h| ms(h.at)).unwrap());
        });
    }
    println!("BENCH warm_message_to_last_eviction_of_110 {:.1} ms <= {}", median(&mut evicted), 2 * R_MS + 15);
    println!("BENCH warm_message_to_run_instances {:.1} ms <= {}", median(&mut launched), 2 * R_MS + 15);
}

fn median(values: &mut [f64]) -> f64 {
    values.sort_by(f64::total_cmp);
    values[values.len() / 2]
}

/// A thousand warnings over fifty clusters at once.
fn storm() {
    real().block_on(async {
        let clock = sim::clock::SimClock::new();
        let world = World::new(clock.clone(), 11);
        let mut victims = Vec::new();
        let mut clusters = Vec::new();
        for index in 0..50 {
            let (name, account) = (format!("c{index}"), format!("{:012}", 100_000 + index));
            let cluster = world.add_cluster(ClusterSpec::new("acme", &name, &account, "us-east-1"));
            let nodes: Vec<_> = (0..20)
                .map(|n| {
                    world.add_node(
                        &cluster,
                        NodeSpec::new("m6i.large", ["us-east-1a", "us-east-1b"][n % 2], domain::offering::CapacityType::Spot),
                    )
                })
                .collect();
            let mut spec = WorkloadSpec::new("web", 40);
            spec.pod.cpu_millis = 20;
            spec.on = nodes.clone();
            world.add_deployment(&cluster, spec);
            victims.extend(nodes);
            clusters.push((name, account));
        }
        let system = System::around(clock, world, SignedDuration::ZERO);
        for (name, account) in &clusters {
            system.register("acme", name, account, "us-east-1").await;
        }
        let began = Instant::now();
        for victim in &victims {
            system.notice(&system.world.interrupt(victim, domain::interruption::SPOT_NOTICE));
        }
        let due = system.queue.take_due(system.clock.now());
        futures::future::join_all(due.iter().map(|m| system.invoke(m))).await;
        let took = began.elapsed();
        let history = system.world.history();
        let cordoned = history.iter().filter(|h| matches!(h.what, What::Cordoned { .. })).count();
        let launched = system.launched().len();
        println!("BENCH storm_1000_warnings_cordoned_and_launched {:.1} s <= 20", took.as_secs_f64());
        println!("BENCH storm_cordoned {cordoned} count >= 1000");
        println!("BENCH storm_launched {launched} count >= 1000");
        println!("BENCH storm_doubled {} count <= 0", launched.saturating_sub(1000));
    });
}
