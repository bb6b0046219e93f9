//! Bodies on the interruptions queue that nobody of ours wrote: read by the real function, in a world of two customers.

use crate::corpus::{cases, told};
use domain::SignedDuration;
use domain::ids::{ClusterId, InstanceId};
use domain::interruption::parse::Received;
use domain::offering::CapacityType;
use domain::ports::Clock;
use harness::system::System;
use runtime::deadline::Budget;
use serde_json::Value;
use sim::clock::SimClock;
use sim::world::{ClusterSpec, NodeSpec, WorkloadSpec, World};
use std::sync::Arc;

struct Stage {
    system: System,
    clusters: [ClusterId; 2],
    ours: InstanceId,
    theirs: InstanceId,
}

async fn stage() -> Stage {
    let clock = SimClock::new();
    let world: Arc<World> = World::new(clock.clone(), 5);
    let node = |cluster: &ClusterId| world.add_node(cluster, NodeSpec::new("m6i.large", "us-east-1a", CapacityType::Spot));
    let own = world.add_cluster(ClusterSpec::new("acme", "prod", "123456789012", "us-east-1"));
    let foreign = world.add_cluster(ClusterSpec::new("other", "theirs", "444455556666", "us-east-1"));
    let (ours, theirs) = (node(&own), node(&foreign));
    for (cluster, instance) in [(&own, &ours), (&foreign, &theirs)] {
        world.add_deployment(cluster, WorkloadSpec { on: vec![instance.clone()], ..WorkloadSpec::new("web", 2) });
    }
    let system = System::around(clock, world, SignedDuration::ZERO);
    system.register("acme", "prod", "123456789012", "us-east-1").await;
    system.register("other", "theirs", "444455556666", "us-east-1").await;
    Stage { system, clusters: [own, foreign], ours, theirs }
}

impl Stage {
    /// The body with the words that stand for this world's ids and times.
    fn body(&self, case: &Value) -> String {
        let now = self.system.clock.now();
        let text = case["raw"].as_str().map_or_else(|| case["body"].to_string(), str::to_owned);
        [
            ("OURS", self.ours.to_string()),
            ("THEIRS", self.theirs.to_string()),
            ("NOW", now.to_string()),
            ("TEN-MINUTES-AGO", (now - SignedDuration::from_mins(10)).to_string()),
            ("YESTERDAY", (now - SignedDuration::from_hours(24)).to_string()),
            ("TOMORROW", (now + SignedDuration::from_hours(24)).to_string()),
        ]
        .iter()
        .fold(text, |text, (word, value)| text.replace(&format!("\"{word}\""), &format!("\"{value}\"")))
    }

    /// Launches, and nodes that are not as they were.
    fn touched(&self) -> (usize, usize) {
        let nodes = self.clusters.iter().flat_map(|cluster| self.system.world.nodes(cluster));
        (self.system.launched().len(), nodes.filter(|node| node.unschedulable).count())
    }
}

#[tokio::test(start_paused = true)]
async fn every_body_of_the_corpus_leads_to_what_it_says_and_to_nothing_else() {
    let (cases, mut wrong) = (cases("events.json"), Vec::new());
    for case in &cases {
        let stage = stage().await;
        let (text, system) = (stage.body(case), &stage.system);
        let received = Received { at: system.clock.now(), region: "us-east-1".to_owned().try_into().ok() };
        for _ in 0..case["times"].as_u64().unwrap_or(1) {
            let budget = Budget::lasting(&*system.clock, SignedDuration::from_secs(12));
            interruption::body(&text, &received, &system.ports, budget).await.unwrap_or_else(|error| panic!("{error}: {}", told(case)));
        }
        let (launched, cordoned) = stage.touched();
        let aside = system.queue.dead_letters().len();
        let theirs = system.world.nodes(&stage.clusters[1]).iter().any(|node| node.unschedulable);
        let as_said = match case["expect"].as_str().unwrap() {
            "rescue" => launched == 1 && cordoned == 1 && aside == 0,
            "nothing" => launched == 0 && cordoned == 0 && aside == 0,
            "aside" => launched == 0 && cordoned == 0 && aside == 1,
            // What should have gone long ago and is still there is at most looked at; never launched for twice.
            "late" => launched <= 1 && aside == 0,
            other => panic!("{other}"),
        };
        if !as_said || theirs {
            wrong.push(format!("launched {launched}, cordoned {cordoned}, aside {aside}, theirs {theirs}: {}", told(case)));
        }
    }
    assert!(wrong.is_empty(), "{} of {}: {wrong:#?}", wrong.len(), cases.len());
    println!("BENCH attack_events {} cases >= 70", cases.len());
}
