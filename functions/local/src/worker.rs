//! What SQS, the schedule and Lambda do on AWS: hands messages to the functions, runs the sweeper and office hours each minute, looks every three
//! seconds whether anything of the market is due, and asks for a round of each cluster every ten.

use crate::system::System;
use crate::thinking;
use domain::SignedDuration;
use domain::interruption::parse::Received;
use domain::ports::Clock;
use runtime::deadline::Budget;
use sim::store::{QueuedMessage, Which};
use std::collections::VecDeque;

/// As in template.yaml: a message that failed comes back after this long.
const VISIBILITY: SignedDuration = SignedDuration::from_secs(25);
/// And is given up after so many deliveries.
const RECEIVES_MAX: u32 = 8;
/// How often the queues are looked at.
const TURN: SignedDuration = SignedDuration::from_millis(50);
/// How many messages are in hand at once (MaximumConcurrency of template.yaml). A storm of a thousand at once would keep each of
/// them waiting for longer than a call may take.
const IN_HAND: usize = 50;
/// How long one invocation of the notifier may begin new sendings.
const NOTIFYING: SignedDuration = SignedDuration::from_secs(55);
/// How long one invocation may begin new steps.
const INVOCATION: SignedDuration = SignedDuration::from_secs(12);

/// Works until it is dropped.
pub(crate) async fn run(system: &System) {
    futures::join!(queues(system), sweeps(system), rounds(system), hours(system), scans(system), prices(system), lanes(system));
}

async fn queues(system: &System) {
    let mut running = futures::stream::FuturesUnordered::new();
    let mut waiting = VecDeque::new();
    loop {
        waiting.extend(system.queue.take_due(system.clock.now()));
        let room = waiting.len().min(IN_HAND.saturating_sub(running.len()));
        waiting.drain(..room).for_each(|message| running.push(one(system, message)));
        tokio::select! {
            () = system.clock.sleep(TURN) => {}
            Some(()) = futures::StreamExt::next(&mut running) => {}
        }
    }
}

async fn one(system: &System, message: QueuedMessage) {
    let budget = Budget::lasting(&*system.clock, INVOCATION);
    let well = match message.queue {
        Which::Interruptions => {
            let received = Received { at: message.sent_at, region: None };
            interruption::body(&message.body, &received, &system.ports, budget).await.is_ok()
        }
        Which::Plans => executor::body(&message.body, &system.ports, budget).await.is_ok(),
        Which::Rounds => optimizer::body(&message.body, &system.optimizer, budget).await.is_ok(),
        Which::Notices => {
            let budget = Budget::lasting(&*system.clock, NOTIFYING);
            notifier::body(&message.body, &system.notifier, &worker_of(&message), budget).await.is_ok()
        }
        Which::Scans => ghost_scan::body(&message.body, &system.scanner).await.is_ok(),
        Which::DeadLetters => true,
    };
    match well {
        true => {}
        false if message.received < RECEIVES_MAX => system.queue.give_back(message, VISIBILITY),
        false => system.queue.put(Which::DeadLetters, message.body, SignedDuration::ZERO),
    }
}

async fn sweeps(system: &System) {
    loop {
        let budget = Budget::lasting(&*system.clock, SignedDuration::from_secs(45));
        if let Err(error) = sweeper::handle(&system.ports, budget).await {
            tracing::warn!(%error, "A sweep failed; the next one comes in a minute");
        }
        system.clock.sleep(SignedDuration::from_secs(60)).await;
    }
}

/// A name for whoever has a message in hand: each delivery has another.
fn worker_of(message: &QueuedMessage) -> String {
    format!("{}-{}", message.sent_at, message.received)
}

/// The notifier's schedule: what is tried again.
async fn lanes(system: &System) {
    loop {
        system.clock.sleep(SignedDuration::from_secs(60)).await;
        let budget = Budget::lasting(&*system.clock, NOTIFYING);
        let worker = format!("tick-{}", system.clock.now());
        if let Err(error) = notifier::tick(&system.notifier, &worker, budget).await {
            tracing::warn!(%error, "Lanes were not looked at; the next time they are");
        }
    }
}

/// The market's schedule, oftener than on AWS: whoever asks for something in a browser sits in front of it. What is not due is not read.
async fn prices(system: &System) {
    loop {
        system.clock.sleep(SignedDuration::from_secs(3)).await;
        thinking::read(&system.market).await;
    }
}

/// The schedule of office hours.
async fn hours(system: &System) {
    loop {
        let budget = Budget::lasting(&*system.clock, SignedDuration::from_secs(45));
        if let Err(error) = office_hours::handle(&system.office_hours, budget).await {
            tracing::warn!(%error, "A minute of office hours failed; the next one heals it");
        }
        system.clock.sleep(SignedDuration::from_secs(60)).await;
    }
}

/// The optimizer's schedule. The first round comes after an interval: what was just started is not changed at once.
async fn rounds(system: &System) {
    loop {
        system.clock.sleep(system.optimizer.settings.interval).await;
        if let Err(error) = system.optimizer.fan_out().await {
            tracing::warn!(%error, "Not every cluster was asked for a round; the next time all are");
        }
    }
}

/// The scanner's schedule.
async fn scans(system: &System) {
    loop {
        system.clock.sleep(SignedDuration::from_hours(1)).await;
        if let Err(error) = system.scanner.fan_out().await {
            tracing::warn!(%error, "Not every cluster was asked for a scan; the next time all are");
        }
    }
}
