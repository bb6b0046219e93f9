//! Laws of the queues.

use super::make::plan_key;
use domain::SignedDuration;
use domain::optimization::Round;
use domain::plan::PlanKey;
use domain::ports::{Parked, Queue, Rounds};

/// What has come out of the queues since the last look.
#[derive(Debug, Default)]
pub struct Taken {
    /// Bodies of the interruption queue.
    pub interruptions: Vec<String>,
    /// Bodies of the plan queue.
    pub plans: Vec<String>,
    /// Bodies of the optimizer's queue.
    pub rounds: Vec<String>,
    /// Bodies of the dead-letter queue.
    pub dead_letters: Vec<String>,
}

/// Runs every law of the queues; `take` empties them.
pub async fn queue(queue: &dyn Queue, take: impl AsyncFn() -> Taken) {
    let key = plan_key("queue", "prod", "rescue-1");
    queue.continue_plan(&key, SignedDuration::ZERO).await.unwrap();
    let taken = take().await;
    let plans: Vec<PlanKey> = taken.plans.iter().map(|body| serde_json::from_str(body).unwrap()).collect();
    assert_eq!((plans, taken.interruptions.len(), taken.dead_letters.len()), (vec![key.clone()], 0, 0));

    let body = "{\"detail-type\":\"EC2 Spot Instance Interruption Warning\",\"é\":\"\\u0000\"}";
    queue.notice(body).await.unwrap();
    let taken = take().await;
    assert_eq!((taken.interruptions, taken.plans.len(), taken.dead_letters.len()), (vec![body.to_owned()], 0, 0));

    let parked = Parked { body: "not \u{0} JSON \u{1b}[31m".to_owned(), reason: "it is not JSON".to_owned() };
    queue.park(&parked).await.unwrap();
    let taken = take().await;
    let letters: Vec<Parked> = taken.dead_letters.iter().map(|body| serde_json::from_str(body).unwrap()).collect();
    assert_eq!((letters, taken.interruptions.len(), taken.plans.len()), (vec![parked], 0, 0));

    // Any delay is taken; the longest that SQS knows stands for longer ones. It is not due yet.
    for delay in [SignedDuration::from_hours(3), SignedDuration::MAX, SignedDuration::from_millis(899_001)] {
        queue.continue_plan(&key, delay).await.unwrap();
    }
    assert_eq!(take().await.plans, Vec::<String>::new());
}

/// Runs the law of the optimizer's queue; `take` empties it.
pub async fn rounds(queue: &dyn Rounds, take: impl AsyncFn() -> Vec<String>) {
    let key = plan_key("queue", "prod", "rescue-1");
    let round = Round {
        customer: key.customer,
        cluster: key.cluster,
        round: "s1".to_owned(),
        asked_by: "schedule".to_owned(),
        types: vec![domain::decision::DecisionType::BinPack],
        dry_run: true,
        nodes: None,
    };
    queue.ask(&round).await.unwrap();
    let read: Vec<Round> = take().await.iter().map(|body| serde_json::from_str(body).unwrap()).collect();
    assert_eq!(read, [round]);
}
