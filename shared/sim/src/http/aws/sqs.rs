//! SQS: standard queues with visibility, delay and dead letters. At least once, and in no order that anybody may rely on.

mod queue;

use super::answer::Fault;
use domain::ports::Clock;
use jiff::{SignedDuration, Timestamp};
use queue::{Queue, Sent};
use serde_json::{Map, Value, json};
use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, MutexGuard};

/// The namespace of its errors.
pub(crate) const NAMESPACE: &str = "com.amazonaws.sqs";

/// How often a long poll looks again.
const LOOK_AGAIN: SignedDuration = SignedDuration::from_millis(100);
/// A batch has at most ten entries.
const BATCH_MAX: usize = 10;

/// A queue to begin with.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct QueueSpec {
    /// Its name.
    pub name: String,
    /// Seconds for which a received message is invisible, unless the receiver says otherwise.
    pub visibility_s: u32,
    /// Where a message goes that was received this often and not deleted: name of the queue and count.
    pub dead_letter: Option<(String, u32)>,
}

/// The queue service.
pub(crate) struct Sqs {
    clock: Arc<dyn Clock>,
    url: String,
    queues: Mutex<BTreeMap<String, Queue>>,
}

impl Sqs {
    pub(crate) fn new(clock: Arc<dyn Clock>, url: String, queues: &[QueueSpec]) -> Self {
        let queues = queues.iter().map(|spec| (spec.name.clone(), Queue::new(spec.visibility_s, spec.dead_letter.clone()))).collect();
        Self { clock, url, queues: Mutex::new(queues) }
    }

    pub(crate) async fn call(&self, operation: &str, body: &Value) -> Result<Value, Fault> {
        match operation {
            "CreateQueue" => self.create(body),
            "GetQueueUrl" => self.get_url(body),
            "GetQueueAttributes" => self.attributes(body),
            "SendMessage" => self.send(body),
            "SendMessageBatch" => self.send_batch(body),
            "ReceiveMessage" => self.receive(body).await,
            "DeleteMessage" => self.with(body, |queue, _| {
                queue.delete(text(body, "ReceiptHandle"));
                Ok(json!({}))
            }),
            "ChangeMessageVisibility" => self.with(body, |queue, now| {
                let seconds = number(body, "VisibilityTimeout", 0, 43_200)?.unwrap_or(0);
                queue.change_visibility(text(body, "ReceiptHandle"), seconds, now)?;
                Ok(json!({}))
            }),
            other => Err(Fault::client("UnknownOperationException", format!("{other} is not simulated"))),
        }
    }

    fn queues(&self) -> MutexGuard<'_, BTreeMap<String, Queue>> {
        self.queues.lock().unwrap_or_else(std::sync::PoisonError::into_inner)
    }

    fn url(&self, name: &str) -> String {
        format!("{}/{}/{name}", self.url, super::OWN_ACCOUNT)
    }

    /// Does something with the queue that the call names.
    fn with<T>(&self, body: &Value, act: impl FnOnce(&mut Queue, Timestamp) -> Result<T, Fault>) -> Result<T, Fault> {
        let name = name_of(text(body, "QueueUrl"));
        let mut queues = self.queues();
        act(queues.get_mut(name).ok_or_else(no_queue)?, self.clock.now())
    }

    fn create(&self, body: &Value) -> Result<Value, Fault> {
        let name = text(body, "QueueName");
        let attributes = &body["Attributes"];
        let visibility_s = text(attributes, "VisibilityTimeout").parse().unwrap_or(30);
        let redrive: Option<Value> = serde_json::from_str(text(attributes, "RedrivePolicy")).ok();
        let dead_letter = redrive.and_then(|policy| {
            let to = policy["deadLetterTargetArn"].as_str()?.rsplit(':').next()?.to_owned();
            let count = policy["maxReceiveCount"].as_u64().or_else(|| policy["maxReceiveCount"].as_str()?.parse().ok())?;
            Some((to, u32::try_from(count).ok()?))
        });
        self.queues().entry(name.to_owned()).or_insert_with(|| Queue::new(visibility_s, dead_letter));
        Ok(json!({ "QueueUrl": self.url(name) }))
    }

    fn get_url(&self, body: &Value) -> Result<Value, Fault> {
        let name = text(body, "QueueName");
        if !self.queues().contains_key(name) {
            return Err(no_queue());
        }
        Ok(json!({ "QueueUrl": self.url(name) }))
    }

    fn attributes(&self, body: &Value) -> Result<Value, Fault> {
        let name = name_of(text(body, "QueueUrl")).to_owned();
        self.with(body, |queue, now| {
            let (visible, in_flight, delayed) = queue.counts(now);
            Ok(json!({ "Attributes": {
                "QueueArn": format!("arn:aws:sqs:us-east-1:{}:{name}", super::OWN_ACCOUNT),
                "VisibilityTimeout": queue.visibility_s.to_string(),
                "ApproximateNumberOfMessages": visible.to_string(),
                "ApproximateNumberOfMessagesNotVisible": in_flight.to_string(),
                "ApproximateNumberOfMessagesDelayed": delayed.to_string(),
            } }))
        })
    }

    fn send(&self, body: &Value) -> Result<Value, Fault> {
        self.with(body, |queue, now| Ok(json!({ "MessageId": push(queue, body, now)? })))
    }

    fn send_batch(&self, body: &Value) -> Result<Value, Fault> {
        let entries = body["Entries"].as_array().map(Vec::as_slice).unwrap_or_default();
        if entries.is_empty() {
            return Err(Fault::client("EmptyBatchRequest", "There should be at least one SendMessageBatchRequestEntry in the request."));
        }
        if entries.len() > BATCH_MAX {
            return Err(Fault::client("TooManyEntriesInBatchRequest", "Maximum number of entries per request are 10."));
        }
        self.with(body, |queue, now| {
            let (mut successful, mut failed) = (Vec::new(), Vec::new());
            for entry in entries {
                let id = text(entry, "Id");
                match push(queue, entry, now) {
                    Ok(message) => successful.push(json!({ "Id": id, "MessageId": message })),
                    Err(fault) => failed.push(json!({ "Id": id, "Code": fault.code, "Message": fault.message, "SenderFault": true })),
                }
            }
            Ok(json!({ "Successful": successful, "Failed": failed }))
        })
    }

    async fn receive(&self, body: &Value) -> Result<Value, Fault> {
        let most = number(body, "MaxNumberOfMessages", 1, 10)?.unwrap_or(1);
        let visibility = number(body, "VisibilityTimeout", 0, 43_200)?;
        let wait = number(body, "WaitTimeSeconds", 0, 20)?.unwrap_or(0);
        let until = self.clock.now() + SignedDuration::from_secs(i64::from(wait));
        loop {
            let messages = self.take(body, most, visibility)?;
            let left = until.duration_since(self.clock.now());
            if !messages.is_empty() || !left.is_positive() {
                let mut answer = Map::new();
                // Like SQS: no messages, no list.
                if !messages.is_empty() {
                    answer.insert("Messages".to_owned(), Value::Array(messages));
                }
                return Ok(Value::Object(answer));
            }
            self.clock.sleep(left.min(LOOK_AGAIN)).await;
        }
    }

    fn take(&self, body: &Value, most: u32, visibility: Option<u32>) -> Result<Vec<Value>, Fault> {
        let now = self.clock.now();
        let name = name_of(text(body, "QueueUrl"));
        let mut queues = self.queues();
        let queue = queues.get_mut(name).ok_or_else(no_queue)?;
        let (received, dead) = queue.receive(most, visibility, now);
        if let Some((to, _)) = queue.dead_letter.clone()
            && let Some(letters) = queues.get_mut(&to)
        {
            letters.adopt(dead);
        }
        Ok(received)
    }
}

fn push(queue: &mut Queue, entry: &Value, now: Timestamp) -> Result<String, Fault> {
    let delay_s = number(entry, "DelaySeconds", 0, 900)?.unwrap_or(0);
    queue.send(Sent { body: text(entry, "MessageBody").to_owned(), delay_s }, now)
}

fn no_queue() -> Fault {
    Fault::client("QueueDoesNotExist", "The specified queue does not exist.")
}

fn name_of(url: &str) -> &str {
    url.rsplit('/').next().unwrap_or_default()
}

fn text<'a>(body: &'a Value, name: &str) -> &'a str {
    body[name].as_str().unwrap_or_default()
}

/// A number that must lie within these bounds where it is given.
fn number(body: &Value, name: &str, least: u32, most: u32) -> Result<Option<u32>, Fault> {
    let value = &body[name];
    if value.is_null() {
        return Ok(None);
    }
    let number = value.as_u64().and_then(|n| u32::try_from(n).ok()).filter(|n| (least..=most).contains(n));
    let wrong = || {
        Fault::client(
            "InvalidParameterValue",
            format!("Value {value} for parameter {name} is invalid. Reason: must be between {least} and {most}."),
        )
    };
    number.ok_or_else(wrong).map(Some)
}

#[cfg(test)]
mod tests;
