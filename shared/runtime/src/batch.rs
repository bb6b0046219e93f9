//! A batch of SQS messages: each is handled by itself, and only those that failed come back.

use aws_lambda_events::sqs::{SqsBatchResponse, SqsEvent, SqsMessage};
use futures::{FutureExt, StreamExt};
use std::fmt::Display;
use std::panic::AssertUnwindSafe;

/// Handles all messages of a batch, at most `concurrency` at a time (0 counts as 1), and says which must be delivered again.
///
/// It has no error: an error would bring back the whole batch. A message whose handling panics fails alone. A message without
/// an id cannot be named in the answer (an empty name, too, would bring back the whole batch), so its failure is only logged.
pub async fn run<F, Fut, E>(event: SqsEvent, concurrency: usize, handle: F) -> SqsBatchResponse
where
    F: Fn(SqsMessage) -> Fut,
    Fut: Future<Output = Result<(), E>>,
    E: Display,
{
    let handle = &handle;
    let failed: Vec<Option<String>> = futures::stream::iter(event.records)
        .map(|message| async move {
            let id = message.message_id.clone().filter(|id| !id.is_empty());
            // The handler is called inside the future, so that a panic before its first await is caught, too. Nothing of
            // the handler's own state is looked at after a panic, so it cannot be seen half changed.
            let outcome = AssertUnwindSafe(async { handle(message).await }).catch_unwind().await;
            let why = match outcome {
                Ok(Ok(())) => return None,
                Ok(Err(error)) => error.to_string(),
                Err(_panic) => "the handler panicked".to_owned(),
            };
            tracing::error!(message_id = id.as_deref().unwrap_or("(none)"), why, "a message was not handled and comes back");
            Some(id)
        })
        .buffer_unordered(concurrency.max(1))
        .filter_map(std::future::ready)
        .collect()
        .await;
    let mut response = SqsBatchResponse::default();
    for id in failed.into_iter().flatten() {
        response.add_failure(id);
    }
    response
}

#[cfg(test)]
mod tests;
