//! The queues, over SQS.

use async_trait::async_trait;
use aws_sdk_sqs::Client;
use aws_sdk_sqs::error::{DisplayErrorContext, SdkError};
use aws_sdk_sqs::types::SendMessageBatchRequestEntry;
use aws_types::SdkConfig;
use domain::SignedDuration;
use domain::optimization::Round;
use domain::plan::PlanKey;
use domain::ports::{Notice, Notices, Parked, Queue, QueueError, Rounds, Scans};
use domain::watch::ScanOrder;

/// Where the queues are.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct QueueUrls {
    /// Events as EventBridge sends them.
    pub interruptions: String,
    /// Plans to go on with.
    pub plans: String,
    /// Bodies that nobody could read.
    pub dead_letters: String,
}

/// The queues.
#[derive(Debug, Clone)]
pub struct Queues {
    client: Client,
    urls: QueueUrls,
}

/// How many messages one SendMessageBatch takes (SQS API Reference).
const SEND_BATCH: usize = 10;
/// The longest delay that SQS takes (SQS API Reference, SendMessage, DelaySeconds).
const DELAY_S_MAX: i64 = 900;

impl Queues {
    /// Queues at these addresses. Makes no call.
    pub fn new(config: &SdkConfig, urls: QueueUrls) -> Queues {
        Queues { client: Client::new(config), urls }
    }

    async fn send(&self, url: &str, body: &str, delay_s: i32) -> Result<(), QueueError> {
        // A retry inside the SDK may send twice; the queues are at-least-once by contract.
        let sent = self.client.send_message().queue_url(url).message_body(clean(body)).delay_seconds(delay_s).send().await;
        sent.map(|_| ()).map_err(refused)
    }
}

#[async_trait]
impl Queue for Queues {
    async fn continue_plan(&self, key: &PlanKey, delay: SignedDuration) -> Result<(), QueueError> {
        let body = serde_json::to_string(key).map_err(|e| QueueError(e.to_string()))?;
        self.send(&self.urls.plans, &body, delay_seconds(delay)).await
    }

    async fn notice(&self, body: &str) -> Result<(), QueueError> {
        self.send(&self.urls.interruptions, body, 0).await
    }

    async fn park(&self, parked: &Parked) -> Result<(), QueueError> {
        // As JSON, so that control characters, which SQS refuses, arrive as escapes.
        let body = serde_json::to_string(parked).map_err(|e| QueueError(e.to_string()))?;
        self.send(&self.urls.dead_letters, &body, 0).await
    }
}

/// The optimizer's queue: apart from the others, because those who go on with plans have no right to it.
#[derive(Debug, Clone)]
pub struct RoundQueue {
    client: Client,
    url: String,
}

impl RoundQueue {
    /// The queue at this address. Makes no call.
    pub fn new(config: &SdkConfig, url: String) -> RoundQueue {
        RoundQueue { client: Client::new(config), url }
    }
}

#[async_trait]
impl Rounds for RoundQueue {
    async fn ask_all(&self, rounds: &[Round]) -> Result<(), QueueError> {
        for batch in rounds.chunks(SEND_BATCH) {
            let mut entries = Vec::with_capacity(batch.len());
            for (number, round) in batch.iter().enumerate() {
                let body = serde_json::to_string(round).map_err(|e| QueueError(e.to_string()))?;
                let entry = SendMessageBatchRequestEntry::builder().id(number.to_string()).message_body(clean(&body)).build();
                entries.push(entry.map_err(|e| QueueError(e.to_string()))?);
            }
            let sent = self.client.send_message_batch().queue_url(&self.url).set_entries(Some(entries)).send().await;
            if let Some(failed) = sent.map_err(refused)?.failed.first() {
                return Err(QueueError(format!("a message of a batch was not taken: {}", failed.code)));
            }
        }
        Ok(())
    }

    async fn ask(&self, round: &Round) -> Result<(), QueueError> {
        let body = serde_json::to_string(round).map_err(|e| QueueError(e.to_string()))?;
        let sent = self.client.send_message().queue_url(&self.url).message_body(clean(&body)).send().await;
        sent.map(|_| ()).map_err(refused)
    }
}

/// The notifier's queue: apart from the others, because who tells something has no right to change anything.
#[derive(Debug, Clone)]
pub struct NoticeQueue {
    client: Client,
    url: String,
}

impl NoticeQueue {
    /// The queue at this address. Makes no call.
    pub fn new(config: &SdkConfig, url: String) -> NoticeQueue {
        NoticeQueue { client: Client::new(config), url }
    }
}

#[async_trait]
impl Notices for NoticeQueue {
    async fn tell(&self, notice: &Notice) -> Result<(), QueueError> {
        let body = serde_json::to_string(notice).map_err(|e| QueueError(e.to_string()))?;
        let sent = self.client.send_message().queue_url(&self.url).message_body(clean(&body)).send().await;
        sent.map(|_| ()).map_err(refused)
    }
}

/// The scanner's queue.
#[derive(Debug, Clone)]
pub struct ScanQueue {
    client: Client,
    url: String,
}

impl ScanQueue {
    /// The queue at this address. Makes no call.
    pub fn new(config: &SdkConfig, url: String) -> ScanQueue {
        ScanQueue { client: Client::new(config), url }
    }
}

#[async_trait]
impl Scans for ScanQueue {
    async fn ask_scan(&self, order: &ScanOrder) -> Result<(), QueueError> {
        let body = serde_json::to_string(order).map_err(|e| QueueError(e.to_string()))?;
        let sent = self.client.send_message().queue_url(&self.url).message_body(clean(&body)).send().await;
        sent.map(|_| ()).map_err(refused)
    }
}

/// Whole seconds, rounded up: a message that comes early finds nothing to do and is sent again.
fn delay_seconds(delay: SignedDuration) -> i32 {
    let up = i64::from(delay.subsec_nanos() > 0);
    let seconds = delay.as_secs().saturating_add(up).clamp(0, DELAY_S_MAX);
    i32::try_from(seconds).unwrap_or(0)
}

/// SQS takes the characters of XML 1.0 only and refuses the whole message for one of the others.
fn clean(body: &str) -> String {
    let allowed = |c: char| matches!(c, '\t' | '\n' | '\r' | ' '..='\u{d7ff}' | '\u{e000}'..='\u{fffd}' | '\u{10000}'..);
    body.chars().map(|c| if allowed(c) { c } else { '\u{fffd}' }).collect()
}

fn refused<E: std::error::Error + 'static>(error: SdkError<E>) -> QueueError {
    QueueError(DisplayErrorContext(&error).to_string())
}

/// Makes a queue, or finds the one of this name: for local mode and tests. Answers its URL.
///
/// # Errors
/// SQS did not do it.
pub async fn create_queue(config: &SdkConfig, name: &str) -> Result<String, QueueError> {
    let made = Client::new(config).create_queue().queue_name(name).send().await.map_err(refused)?;
    made.queue_url.ok_or_else(|| QueueError("SQS gave the new queue no URL".to_owned()))
}

/// Takes up to ten messages off a queue, for good: for local mode and tests. A function gets its messages from Lambda.
///
/// # Errors
/// SQS did not answer; a message may be gone or come back.
pub async fn take_messages(config: &SdkConfig, url: &str) -> Result<Vec<String>, QueueError> {
    let client = Client::new(config);
    let received = client.receive_message().queue_url(url).max_number_of_messages(10).send().await.map_err(refused)?;
    let mut bodies = Vec::new();
    for message in received.messages.unwrap_or_default() {
        client.delete_message().queue_url(url).set_receipt_handle(message.receipt_handle).send().await.map_err(refused)?;
        bodies.extend(message.body);
    }
    Ok(bodies)
}

#[cfg(test)]
mod tests;
