//! Reading event bodies: EventBridge, SNS around it, Auto Scaling directly. Pure, and never a panic: what a body says is
//! outside data.
//!
//! Ids are taken from `detail`, never guessed from `resources`; `version` is not looked at; a time that cannot be read is
//! replaced by the time at which the message was sent, for a notice without a time is still a notice.

use super::{Copy, Message};
use crate::ids::Region;
use jiff::Timestamp;
use serde_json::Value;

mod asg;
mod envelope;
mod health;
mod reservation;
mod spot;
mod state;
mod time;

use envelope::Envelope;

/// What is known of a message besides its body.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Received {
    /// When it was sent to us (SQS `SentTimestamp`), or now.
    pub at: Timestamp,
    /// The Region of the queue: for the messages that name none.
    pub region: Option<Region>,
}

/// What SQS takes. An event of 256 KiB with SNS and its backslashes around it is larger than 256 KiB.
const BODY_BYTES_MAX: usize = 1024 * 1024;

/// Reads one body.
pub fn parse(body: &str, received: &Received) -> Message {
    if body.len() > BODY_BYTES_MAX {
        return rejected("the body is larger than any event");
    }
    // serde_json stops at 128 levels by itself.
    let Ok(Value::Object(mut fields)) = serde_json::from_str::<Value>(body) else {
        return rejected("the body is not a JSON object");
    };
    let mut received = received.clone();
    if let Some(inner) = sns_message(&fields) {
        // A topic delivers to queues in other Regions, too; a group notifies a topic in its own.
        let topic = fields.get("TopicArn").and_then(Value::as_str).and_then(|arn| Region::parse(arn.split(':').nth(3)?).ok());
        received.region = topic.or(received.region);
        let Ok(Value::Object(unwrapped)) = serde_json::from_str::<Value>(&inner) else {
            return rejected("the SNS message holds no JSON object");
        };
        fields = unwrapped;
    }
    if asg::is_direct(&fields) {
        return asg::direct(&fields, &received);
    }
    match Envelope::read(&fields) {
        Some(envelope) => by_source(&envelope, &received),
        None => rejected("the body is no event: source and detail-type are missing"),
    }
}

/// The inner text of an SNS envelope (raw delivery off). One level only.
fn sns_message(fields: &serde_json::Map<String, Value>) -> Option<String> {
    (fields.get("Type")?.as_str()? == "Notification").then(|| fields.get("Message").and_then(Value::as_str).map(str::to_owned))?
}

fn by_source(envelope: &Envelope<'_>, received: &Received) -> Message {
    if envelope.replayed {
        return ignored("a replayed event: it has had its time");
    }
    match (envelope.source, envelope.detail_type) {
        ("aws.ec2", "EC2 Spot Instance Interruption Warning") => spot::interruption(envelope, received),
        ("aws.ec2", "EC2 Instance Rebalance Recommendation") => spot::rebalance(envelope, received),
        ("aws.ec2", "EC2 Instance State-change Notification") => state::change(envelope, received),
        // AWS spells these differently from page to page of its documentation.
        (
            "aws.ec2",
            "EC2 Capacity Reservation Instance Interruption Warning"
            | "EC2 Capacity Reservation Interruption Warning"
            | "Capacity Reservation Instance Interruption Warning",
        ) => reservation::interruption(envelope, received),
        ("aws.ec2", "Capacity Block Reservation Expiration Warning" | "Capacity Block Expiration Warning") => {
            reservation::block_expiration(envelope, received)
        }
        (
            "aws.ec2",
            "Capacity Block Reservation Delivered"
            | "Capacity Block Delivered"
            | "EC2 Interruptible Capacity Reservation Allocation Reclamation Completed",
        ) => ignored("a reservation has begun or has been given back"),
        ("aws.ec2", "EC2 Spot Instance Request Fulfillment") => ignored("a spot request was fulfilled"),
        ("aws.ec2", "AWS Service Event via CloudTrail") => spot::post_hoc(envelope),
        ("aws.health", "AWS Health Event") => health::event(envelope, received),
        ("aws.health", _) => ignored("not a scheduled change of an instance"),
        ("aws.autoscaling", detail_type) => asg::event(detail_type, envelope, received),
        ("aws.events", "Scheduled Event") => ignored("a tick of a schedule, which belongs to another function"),
        (source, detail_type) => odd(format!("no event of ours: source {:?}, detail-type {:?}", cut(source), cut(detail_type))),
    }
}

fn cut(text: &str) -> String {
    text.chars().take(80).collect()
}

fn rejected(why: &str) -> Message {
    Message::Rejected { why: why.to_owned() }
}

fn ignored(why: &str) -> Message {
    Message::Ignored { why: why.to_owned(), copy: Copy::No }
}

fn odd(why: String) -> Message {
    Message::Ignored { why, copy: Copy::ToDeadLetters }
}

#[cfg(test)]
mod tests;
