//! Batches of queue messages: each stands for itself.

use aws_lambda_events::sqs::{BatchItemFailure, SqsBatchResponse, SqsEvent, SqsMessage};
use futures::{FutureExt, StreamExt};
use std::panic::AssertUnwindSafe;

/// Handles every message of a batch, `concurrency` of them at once.
///
/// # Guarantees
/// The answer holds the ids of exactly those messages that must come back: their handler returned an error or panicked. No
/// message fails another, and the batch as a whole never fails. A message without an id cannot be asked for again; it is told.
pub async fn run<F, Fut, E>(event: SqsEvent, concurrency: usize, handle: F) -> SqsBatchResponse
where
    F: Fn(SqsMessage) -> Fut,
    Fut: Future<Output = Result<(), E>>,
{
    let failed: Vec<Option<String>> = futures::stream::iter(event.records)
        .map(|message| {
            let id = message.message_id.clone();
            let handled = AssertUnwindSafe(handle(message)).catch_unwind();
            async move {
                match handled.await {
                    Ok(Ok(())) => None,
                    Ok(Err(_)) => id,
                    Err(_) => {
                        tracing::error!(message.id = id.as_deref(), "The handler of a message panicked");
                        id
                    }
                }
            }
        })
        .buffer_unordered(concurrency.max(1))
        .collect()
        .await;
    let mut answer = SqsBatchResponse::default();
    for id in failed.into_iter().flatten() {
        let mut failure = BatchItemFailure::default();
        failure.item_identifier = id;
        answer.batch_item_failures.push(failure);
    }
    answer
}

#[cfg(test)]
mod tests;
