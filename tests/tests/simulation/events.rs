//! Every body of the manifest through the whole handler, for an account that nobody has registered: all are acknowledged, what
//! a person should see is copied to the dead letters, and nothing outside is called.

use domain::SignedDuration;
use domain::interruption::parse::Received;
use domain::ports::Clock;
use harness::events::{file, manifest};
use harness::system::System;
use runtime::deadline::Budget;
use sim::clock::SimClock;
use sim::world::World;

fn empty() -> (System, Budget) {
    let clock = SimClock::new();
    let world = World::new(clock.clone(), 1);
    let budget = Budget::lasting(&*clock, SignedDuration::from_secs(12));
    (System::around(clock, world, SignedDuration::ZERO), budget)
}

#[tokio::test(start_paused = true)]
async fn every_body_of_an_unknown_account_is_acknowledged_and_calls_nothing() {
    for case in manifest().into_iter().filter(|c| c.form != "lambda_sqs_event") {
        let (name, (system, budget)) = (&case.file, empty());
        let received = Received { at: system.clock.now(), region: "us-east-2".to_owned().try_into().ok() };
        interruption::body(&file(name), &received, &system.ports, budget).await.unwrap_or_else(|e| panic!("{name}: {e}"));
        let copied = case.message.contains("DLQ");
        assert_eq!(system.queue.dead_letters().len(), usize::from(copied), "{name}");
        let outside = system.gate.names().into_iter().find(|n| n.starts_with("cloud.") || n.starts_with("cluster"));
        assert_eq!(outside, None, "{name}");
    }
}

#[tokio::test(start_paused = true)]
async fn poison_in_a_batch_fails_none_of_its_neighbours() {
    for name in ["lambda_sqs_batch_mixed.json", "lambda_sqs_single.json", "lambda_sqs_empty_records.json", "lambda_direct_eventbridge.json"]
    {
        let (system, budget) = empty();
        let event = serde_json::from_str(&file(name)).unwrap();
        let answer = interruption::handle_any(event, &system.ports, budget).await.unwrap();
        assert!(answer.batch_item_failures.is_empty(), "{name}");
        let parked = if name.contains("mixed") { 4 } else { 0 };
        assert_eq!(system.queue.dead_letters().len(), parked, "{name}");
    }
}
