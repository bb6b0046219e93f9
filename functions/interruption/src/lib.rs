//! The interruption function: reads what EventBridge, SNS or Auto Scaling put on the queue, and starts rescues.
//!
//! It translates, and calls one verb: `execution::rescue::handle`. What it cannot read is counted, copied to the dead-letter
//! queue, and never fails its neighbours.

use aws_lambda_events::sqs::{SqsBatchResponse, SqsEvent, SqsMessage};
use domain::Timestamp;
use domain::ids::Region;
use domain::interruption::parse::{Received, parse};
use domain::interruption::{Copy, Message, Notice};
use domain::ports::{Parked, QueueError};
use execution::{Ports, Trouble, rescue};
use runtime::deadline::Budget;
use tracing::{Instrument, error, info, info_span, warn};

/// What the function works with.
pub type Deps = Ports;

/// How many messages of a batch are handled at once: all of them. A batch has ten.
const CONCURRENCY: usize = 10;

/// Why a message comes back.
#[derive(Debug, thiserror::Error)]
pub enum Unhandled {
    /// The rescue could not be begun or gone on with.
    #[error("the rescue got stuck")]
    Trouble(#[from] Trouble),
    /// An unreadable message could not be parked either.
    #[error("an unreadable message could not be parked")]
    Parking(#[from] QueueError),
}

/// Handles one batch; only the messages that must come back are in the answer.
pub async fn handle(event: SqsEvent, deps: &Deps, budget: Budget) -> SqsBatchResponse {
    runtime::batch::run(event, CONCURRENCY, |message| one(message, deps, budget)).await
}

/// Handles an event of either form: an SQS batch, or one EventBridge event sent to the function directly.
pub async fn handle_any(event: serde_json::Value, deps: &Deps, budget: Budget) -> Result<SqsBatchResponse, Unhandled> {
    if event.get("Records").is_some() {
        if let Ok(batch) = serde_json::from_value::<SqsEvent>(event.clone()) {
            return Ok(handle(batch, deps, budget).await);
        }
        warn!("A batch could not be read");
    }
    body(&event.to_string(), &received(None, None, deps.clock.now()), deps, budget).await?;
    Ok(SqsBatchResponse::default())
}

async fn one(message: SqsMessage, deps: &Deps, budget: Budget) -> Result<(), Unhandled> {
    let sent_at =
        message.attributes.get("SentTimestamp").and_then(|ms| ms.parse().ok()).and_then(|ms| Timestamp::from_millisecond(ms).ok());
    let received = received(sent_at, message.aws_region.as_deref(), deps.clock.now());
    let handled = body(message.body.as_deref().unwrap_or_default(), &received, deps, budget).await;
    if let Err(error) = &handled {
        warn!(message.id = message.message_id.as_deref(), error = error as &dyn std::error::Error, "A message comes back");
    }
    handled
}

fn received(sent_at: Option<Timestamp>, region: Option<&str>, now: Timestamp) -> Received {
    Received { at: sent_at.unwrap_or(now), region: region.and_then(|r| Region::parse(r).ok()) }
}

/// Handles one body.
///
/// # Errors
/// [`Unhandled`]: the body must come back.
pub async fn body(text: &str, received: &Received, deps: &Deps, budget: Budget) -> Result<(), Unhandled> {
    match parse(text, received) {
        Message::Notice(notice) => act(&notice, deps, budget).instrument(info_span!("event", trace.id = notice.event_id)).await,
        Message::PostHoc { account, instances } => {
            deps.meter.count("notices_ignored", "post_hoc");
            info!(account, ?instances, "AWS reports an interruption that has happened");
            Ok(())
        }
        Message::NoCapacity { account, region, zone } => {
            deps.meter.count("notices_ignored", "no_capacity");
            info!(account, region, zone, "An Auto Scaling group found no capacity");
            Ok(())
        }
        Message::Ignored { why, copy: Copy::No } => {
            deps.meter.count("notices_ignored", "ordinary");
            info!(why, "Ignored a message");
            Ok(())
        }
        Message::Ignored { why, copy: Copy::ToDeadLetters } => {
            deps.meter.count("notices_ignored", "odd");
            park(text, why, deps).await
        }
        Message::Rejected { why } => {
            deps.meter.count("notices_rejected", "malformed");
            park(text, why, deps).await
        }
    }
}

async fn act(notice: &Notice, deps: &Deps, budget: Budget) -> Result<(), Unhandled> {
    deps.meter.count("notices", notice.kind.as_str());
    let rescued = rescue::handle(deps, notice, budget.until()).await?;
    for (instance, rescued) in notice.instances.iter().zip(rescued) {
        info!(instance = %instance, kind = notice.kind.as_str(), ?rescued, "Handled a notice");
    }
    Ok(())
}

/// Copies a body to the dead-letter queue, for a person; longer ones are cut to what a message can hold.
async fn park(text: &str, reason: String, deps: &Deps) -> Result<(), Unhandled> {
    error!(reason, "A message was put aside");
    let body = text.chars().take(200_000).collect();
    deps.queue.park(&Parked { body, reason }).await?;
    Ok(())
}
