//! The executor function: goes on with plans, one message per plan, until each is over, rests, or the time is nearly out.

use aws_lambda_events::sqs::{SqsBatchResponse, SqsEvent, SqsMessage};
use domain::plan::PlanKey;
use domain::ports::{Parked, QueueError};
use execution::{Ports, Trouble, continue_plan};
use runtime::deadline::Budget;
use std::collections::BTreeSet;
use tracing::warn;

/// What the function works with.
pub type Deps = Ports;

/// How many plans of a batch are driven at once.
const CONCURRENCY: usize = 10;

/// Why a message comes back.
#[derive(Debug, thiserror::Error)]
pub enum Unhandled {
    /// The plan could not be gone on with.
    #[error("the plan got stuck")]
    Trouble(#[from] Trouble),
    /// An unreadable message could not be parked either.
    #[error("an unreadable message could not be parked")]
    Parking(#[from] QueueError),
}

/// Handles one batch; only the messages that must come back are in the answer.
///
/// A plan is gone on with once, however often the batch names it, and the copies are done with. Each message asks for the next,
/// so a batch that comes back after its continuations were sent has doubled: without this, copies would only ever grow.
pub async fn handle(mut event: SqsEvent, deps: &Deps, budget: Budget) -> SqsBatchResponse {
    let mut seen = BTreeSet::new();
    event.records.retain(|message| seen.insert(message.body.clone()));
    runtime::batch::run(event, CONCURRENCY, |message| one(message, deps, budget)).await
}

async fn one(message: SqsMessage, deps: &Deps, budget: Budget) -> Result<(), Unhandled> {
    let handled = body(message.body.as_deref().unwrap_or_default(), deps, budget).await;
    if let Err(error) = &handled {
        warn!(message.id = message.message_id.as_deref(), error = error as &dyn std::error::Error, "A message comes back");
    }
    handled
}

/// Handles one body: the key of a plan.
///
/// # Errors
/// [`Unhandled`]: the message must come back.
pub async fn body(text: &str, deps: &Deps, budget: Budget) -> Result<(), Unhandled> {
    let key: PlanKey = match serde_json::from_str(text) {
        Ok(key) => key,
        Err(error) => {
            deps.meter.count("notices_rejected", "plan_message");
            let parked = Parked { body: text.chars().take(200_000).collect(), reason: format!("not the key of a plan: {error}") };
            return Ok(deps.queue.park(&parked).await?);
        }
    };
    continue_plan(deps, &key, budget.until()).await?;
    Ok(())
}
