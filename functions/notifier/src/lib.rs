//! The notifier function: notices from the queue into the lanes of their targets, and out of the lanes to Slack, webhooks and mailboxes.
//!
//! It has a right of its own, to *tell*: it reads targets, opens their secrets and calls the addresses that customers gave. No right on any cluster
//! or instance, and none on plans.

use aws_lambda_events::sqs::{SqsBatchResponse, SqsEvent, SqsMessage};
use domain::notify::LaneKey;
use domain::ports::{Notice, Parked, Queue, QueueError};
use execution::Trouble;
use execution::notify::{Desk, Looked};
use futures::StreamExt;
use runtime::deadline::Budget;
use std::sync::Arc;
use tracing::{info, warn};

/// What the function works with.
#[derive(Clone)]
pub struct Deps {
    /// Posts and delivers.
    pub desk: Desk,
    /// Where bodies go that nobody can read.
    pub queue: Arc<dyn Queue>,
}

/// How many messages of a batch are posted at once.
const CONCURRENCY: usize = 5;
/// How many lanes are delivered from at once: a receiver that hangs holds one up, and not its neighbours.
const LANES: usize = 32;
/// How many due lanes a tick takes up.
const DUE_MAX: usize = 500;

/// Why a message comes back.
#[derive(Debug, thiserror::Error)]
pub enum Unhandled {
    /// The table did not answer.
    #[error("the notice could not be posted")]
    Trouble(#[from] Trouble),
    /// An unreadable message could not be parked either.
    #[error("an unreadable message could not be parked")]
    Parking(#[from] QueueError),
}

/// Handles an event of either form: an SQS batch of notices, or a tick of the schedule. `worker` is unlike that of any other invocation.
///
/// # Errors
/// [`Unhandled`]: the tick could not see which lanes are due; the next one does.
pub async fn handle_any(event: serde_json::Value, deps: &Deps, worker: &str, budget: Budget) -> Result<SqsBatchResponse, Unhandled> {
    if event.get("Records").is_some() {
        match serde_json::from_value::<SqsEvent>(event) {
            Ok(batch) => return Ok(handle(batch, deps, worker, budget).await),
            Err(error) => warn!(%error, "A batch could not be read"),
        }
        return Ok(SqsBatchResponse::default());
    }
    tick(deps, worker, budget).await?;
    Ok(SqsBatchResponse::default())
}

/// Posts the notices of one batch and delivers from their lanes; only the messages that must come back are in the answer. A message is handled when its
/// notice is in all lanes: what is not delivered then is the lanes' business.
pub async fn handle(event: SqsEvent, deps: &Deps, worker: &str, budget: Budget) -> SqsBatchResponse {
    runtime::batch::run(event, CONCURRENCY, |message| one(message, deps, worker, budget)).await
}

async fn one(message: SqsMessage, deps: &Deps, worker: &str, budget: Budget) -> Result<(), Unhandled> {
    let handled = body(message.body.as_deref().unwrap_or_default(), deps, worker, budget).await;
    if let Err(error) = &handled {
        warn!(message.id = message.message_id.as_deref(), error = error as &dyn std::error::Error, "A message comes back");
    }
    handled
}

/// Handles one body: a notice.
///
/// # Errors
/// [`Unhandled`]: the message must come back.
pub async fn body(text: &str, deps: &Deps, worker: &str, budget: Budget) -> Result<(), Unhandled> {
    let notice: Notice = match serde_json::from_str(text) {
        Ok(notice) => notice,
        Err(error) => {
            deps.desk.meter.count("notices_rejected", "notice_message");
            let parked = Parked { body: text.chars().take(200_000).collect(), reason: format!("not a notice: {error}") };
            return Ok(deps.queue.park(&parked).await?);
        }
    };
    let lanes = deps.desk.post(&notice).await?;
    info!(notice.kind, cluster.id = %notice.cluster, lanes = lanes.len(), "Posted a notice");
    deliver(deps, &lanes, worker, budget).await;
    Ok(())
}

/// Delivers from every lane that is due: what is tried again, and what a dead worker left behind.
///
/// # Errors
/// [`Trouble`]: the due lanes could not be read.
pub async fn tick(deps: &Deps, worker: &str, budget: Budget) -> Result<usize, Trouble> {
    let lanes = deps.desk.due(DUE_MAX).await?;
    deliver(deps, &lanes, worker, budget).await;
    deps.desk.meter.count("notifier_ticks", "finished");
    Ok(lanes.len())
}

/// Lanes side by side. A lane that makes trouble stays due; it keeps no other from being delivered from.
async fn deliver(deps: &Deps, lanes: &[LaneKey], worker: &str, budget: Budget) {
    let all = futures::stream::iter(lanes).map(|lane| async move {
        match deps.desk.deliver(lane, worker, budget.until()).await {
            Ok(Looked::Empty | Looked::Resting | Looked::OutOfTime | Looked::Taken) => {}
            Err(error) => warn!(%lane, error = &error as &dyn std::error::Error, "A lane made trouble"),
        }
    });
    all.buffer_unordered(LANES).collect::<()>().await;
}
