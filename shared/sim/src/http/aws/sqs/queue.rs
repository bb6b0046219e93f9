//! One queue.

use super::super::answer::Fault;
use jiff::{SignedDuration, Timestamp};
use serde_json::{Value, json};

/// The longest body that SQS takes, bytes.
const BODY_MAX: usize = 1 << 20;

/// A message to put in.
pub(crate) struct Sent {
    pub(crate) body: String,
    pub(crate) delay_s: u32,
}

/// A message in a queue.
#[derive(Debug, Clone)]
pub(crate) struct Message {
    id: String,
    body: String,
    sent_at: Timestamp,
    first_received_at: Option<Timestamp>,
    visible_at: Timestamp,
    received: u32,
}

/// A queue.
#[derive(Debug)]
pub(crate) struct Queue {
    pub(crate) visibility_s: u32,
    pub(crate) dead_letter: Option<(String, u32)>,
    sent: u64,
    messages: Vec<Message>,
}

impl Queue {
    pub(crate) fn new(visibility_s: u32, dead_letter: Option<(String, u32)>) -> Self {
        Self { visibility_s, dead_letter, sent: 0, messages: Vec::new() }
    }

    /// Puts a message in; answers its id.
    pub(crate) fn send(&mut self, sent: Sent, now: Timestamp) -> Result<String, Fault> {
        if sent.body.is_empty() || sent.body.len() > BODY_MAX {
            return Err(Fault::client(
                "InvalidParameterValue",
                "One or more parameters are invalid. Reason: the message body must have 1 to 1048576 bytes.",
            ));
        }
        self.sent += 1;
        let id = format!("00000000-0000-4000-8000-{:012x}", self.sent);
        let visible_at = after(now, sent.delay_s);
        self.messages.push(Message { id: id.clone(), body: sent.body, sent_at: now, first_received_at: None, visible_at, received: 0 });
        Ok(id)
    }

    /// Takes messages out of sight. Also answers those that have been received too often: they leave the queue.
    pub(crate) fn receive(&mut self, most: u32, visibility_s: Option<u32>, now: Timestamp) -> (Vec<Value>, Vec<Message>) {
        let dead = match &self.dead_letter {
            Some((_, limit)) => self.messages.extract_if(.., |m| m.visible_at <= now && m.received >= *limit).collect(),
            None => Vec::new(),
        };
        let until = after(now, visibility_s.unwrap_or(self.visibility_s));
        let take = usize::try_from(most).unwrap_or(usize::MAX);
        let mut received = Vec::new();
        for message in self.messages.iter_mut().filter(|m| m.visible_at <= now).take(take) {
            message.received += 1;
            message.visible_at = until;
            let first = *message.first_received_at.get_or_insert(now);
            received.push(json!({
                "MessageId": message.id,
                "ReceiptHandle": receipt(message),
                "Body": message.body,
                "Attributes": {
                    "ApproximateReceiveCount": message.received.to_string(),
                    "SentTimestamp": message.sent_at.as_millisecond().to_string(),
                    "ApproximateFirstReceiveTimestamp": first.as_millisecond().to_string(),
                },
            }));
        }
        (received, dead)
    }

    /// Takes over dead letters, with the time at which they were first sent.
    pub(crate) fn adopt(&mut self, dead: Vec<Message>) {
        self.messages.extend(dead.into_iter().map(|m| Message { received: 0, first_received_at: None, ..m }));
    }

    /// Removes a message. An old receipt, or one of a message that is gone, does nothing and is no error.
    pub(crate) fn delete(&mut self, handle: &str) {
        self.messages.retain(|m| receipt(m) != handle);
    }

    /// Shows a message again after so many seconds.
    pub(crate) fn change_visibility(&mut self, handle: &str, seconds: u32, now: Timestamp) -> Result<(), Fault> {
        let message = self.messages.iter_mut().find(|m| receipt(m) == handle);
        let message = message.ok_or_else(|| Fault::client("ReceiptHandleIsInvalid", "The receipt handle has expired."))?;
        if message.visible_at <= now {
            return Err(Fault::client("MessageNotInflight", "The specified message isn't in flight."));
        }
        message.visible_at = after(now, seconds);
        Ok(())
    }

    /// How many can be received, are being worked on, and are delayed.
    pub(crate) fn counts(&self, now: Timestamp) -> (usize, usize, usize) {
        let hidden = |received: bool| self.messages.iter().filter(|m| m.visible_at > now && (m.received > 0) == received).count();
        let (in_flight, delayed) = (hidden(true), hidden(false));
        (self.messages.len() - in_flight - delayed, in_flight, delayed)
    }
}

/// A receipt is good for one receive.
fn receipt(message: &Message) -> String {
    format!("{}.{}", message.id, message.received)
}

fn after(now: Timestamp, seconds: u32) -> Timestamp {
    now + SignedDuration::from_secs(i64::from(seconds))
}
