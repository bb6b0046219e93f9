//! The optimizer function: the schedule asks for a round of every cluster, one message each; a message is one round of one cluster.
//!
//! It has the right to *plan*: it looks at clusters and opens plans, and changes nothing. What it opens is carried out by the
//! executor, under the same safety check once more.

use aws_lambda_events::sqs::{SqsBatchResponse, SqsEvent, SqsMessage};
use domain::optimization::Round;
use domain::ports::{Parked, QueueError};
use execution::Trouble;
use execution::optimize::{Optimizer, Rounded};
use runtime::deadline::Budget;
use tracing::{info, warn};

/// What the function works with.
pub type Deps = Optimizer;

/// How many rounds of a batch run at once. One snapshot of the largest cluster fills the memory.
const CONCURRENCY: usize = 1;

/// Why a message comes back.
#[derive(Debug, thiserror::Error)]
pub enum Unhandled {
    /// The round could not be begun or finished.
    #[error("the round got stuck")]
    Trouble(#[from] Trouble),
    /// The time was out first; what is decided stays.
    #[error("the time was out before every type was decided on")]
    Unfinished,
    /// An unreadable message could not be parked either.
    #[error("an unreadable message could not be parked")]
    Parking(#[from] QueueError),
}

/// Handles an event of either form: an SQS batch of rounds, or a tick of the schedule.
///
/// # Errors
/// [`Unhandled`]: the tick did not reach every cluster; the next one does.
pub async fn handle_any(event: serde_json::Value, deps: &Deps, budget: Budget) -> Result<SqsBatchResponse, Unhandled> {
    if event.get("Records").is_some() {
        match serde_json::from_value::<SqsEvent>(event) {
            Ok(batch) => return Ok(handle(batch, deps, budget).await),
            Err(error) => warn!(%error, "A batch could not be read"),
        }
        return Ok(SqsBatchResponse::default());
    }
    let asked = deps.fan_out().await?;
    deps.ports.meter.count("optimizer_ticks", "finished");
    info!(clusters = asked, "Asked for a round of every cluster");
    Ok(SqsBatchResponse::default())
}

/// Handles one batch; only the messages that must come back are in the answer.
pub async fn handle(event: SqsEvent, deps: &Deps, budget: Budget) -> SqsBatchResponse {
    runtime::batch::run(event, CONCURRENCY, |message| one(message, deps, budget)).await
}

async fn one(message: SqsMessage, deps: &Deps, budget: Budget) -> Result<(), Unhandled> {
    let handled = body(message.body.as_deref().unwrap_or_default(), deps, budget).await;
    if let Err(error) = &handled {
        warn!(message.id = message.message_id.as_deref(), error = error as &dyn std::error::Error, "A message comes back");
    }
    handled
}

/// Handles one body: a round.
///
/// # Errors
/// [`Unhandled`]: the message must come back.
pub async fn body(text: &str, deps: &Deps, budget: Budget) -> Result<(), Unhandled> {
    let round: Round = match serde_json::from_str(text) {
        Ok(round) => round,
        Err(error) => {
            deps.ports.meter.count("notices_rejected", "round_message");
            let parked = Parked { body: text.chars().take(200_000).collect(), reason: format!("not a round: {error}") };
            return Ok(deps.ports.queue.park(&parked).await?);
        }
    };
    match deps.round(&round, budget.until()).await? {
        Rounded::Finished(runs) => {
            info!(cluster.id = %round.cluster, round = round.round, decided = runs.len(), "A round is over");
            Ok(())
        }
        Rounded::Gone => {
            info!(cluster.id = %round.cluster, "The cluster is not registered any more");
            Ok(())
        }
        Rounded::Unfinished => Err(Unhandled::Unfinished),
    }
}
