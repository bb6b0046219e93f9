//! The ghost-scan function: the schedule asks for a scan of every cluster, one message each; a message is one scan of one cluster.
//!
//! It has the right to *plan*: it looks at clusters and accounts, writes findings and opens plans, and changes nothing. What it opens
//! is carried out by the executor, after one more look.

use aws_lambda_events::sqs::{SqsBatchResponse, SqsEvent, SqsMessage};
use domain::ports::{Parked, QueueError};
use domain::watch::ScanOrder;
use execution::Trouble;
use execution::waste::{Scanned, Scanner};
use tracing::{info, warn};

/// What the function works with.
pub type Deps = Scanner;

/// How many scans of a batch run at once: each waits for AWS and Kubernetes most of its time.
const CONCURRENCY: usize = 4;

/// Why a message comes back.
#[derive(Debug, thiserror::Error)]
pub enum Unhandled {
    /// The scan could not be finished.
    #[error("the scan got stuck")]
    Trouble(#[from] Trouble),
    /// An unreadable message could not be parked either.
    #[error("an unreadable message could not be parked")]
    Parking(#[from] QueueError),
}

/// Handles an event of either form: an SQS batch of scans, or a tick of the schedule.
///
/// # Errors
/// [`Unhandled`]: the tick did not reach every cluster; the next one does.
pub async fn handle_any(event: serde_json::Value, deps: &Deps) -> Result<SqsBatchResponse, Unhandled> {
    if event.get("Records").is_some() {
        match serde_json::from_value::<SqsEvent>(event) {
            Ok(batch) => return Ok(handle(batch, deps).await),
            Err(error) => warn!(%error, "A batch could not be read"),
        }
        return Ok(SqsBatchResponse::default());
    }
    let asked = deps.fan_out().await?;
    deps.ports.meter.count("scanner_ticks", "finished");
    info!(clusters = asked, "Asked for a scan of every cluster");
    Ok(SqsBatchResponse::default())
}

/// Handles one batch; only the messages that must come back are in the answer.
pub async fn handle(event: SqsEvent, deps: &Deps) -> SqsBatchResponse {
    runtime::batch::run(event, CONCURRENCY, |message| one(message, deps)).await
}

async fn one(message: SqsMessage, deps: &Deps) -> Result<(), Unhandled> {
    let handled = body(message.body.as_deref().unwrap_or_default(), deps).await;
    if let Err(error) = &handled {
        warn!(message.id = message.message_id.as_deref(), error = error as &dyn std::error::Error, "A message comes back");
    }
    handled.map(|_| ())
}

/// Handles one body: a scan. `None`: it was no order, and is parked.
///
/// # Errors
/// [`Unhandled`]: the message must come back.
pub async fn body(text: &str, deps: &Deps) -> Result<Option<Scanned>, Unhandled> {
    let order: ScanOrder = match serde_json::from_str(text) {
        Ok(order) => order,
        Err(error) => {
            deps.ports.meter.count("notices_rejected", "scan_message");
            let parked = Parked { body: text.chars().take(200_000).collect(), reason: format!("not a scan: {error}") };
            deps.ports.queue.park(&parked).await?;
            return Ok(None);
        }
    };
    Ok(Some(deps.scan(&order).await?))
}
