//! AWS Health: scheduled changes of instances.

use super::envelope::{Envelope, account};
use super::time::announced;
use super::{Received, ignored, rejected};
use crate::ids::{InstanceId, Region};
use crate::interruption::{Message, NoticeKind, Takeback};
use jiff::Timestamp;
use serde_json::Value;

pub(super) fn event(envelope: &Envelope<'_>, received: &Received) -> Message {
    let Some(detail) = envelope.detail() else {
        return rejected("the Health event has no detail");
    };
    let scheduled = envelope.detail_text("eventTypeCategory") == Some("scheduledChange");
    if envelope.detail_text("service") != Some("EC2") || !scheduled {
        return ignored("not a scheduled change of an instance");
    }
    let entities = detail.get("affectedEntities").and_then(Value::as_array);
    let mut instances: Vec<InstanceId> =
        entities.into_iter().flatten().filter_map(|e| InstanceId::parse(e.get("entityValue")?.as_str()?).ok()).collect();
    instances.sort();
    instances.dedup();
    if instances.is_empty() {
        return ignored("a scheduled change that names no instance");
    }
    let Some(mut notice) = envelope.notice(NoticeKind::ScheduledChange, instances, received) else {
        return rejected("the Health event names no valid account or Region");
    };
    // An organisation's view and a backup Region carry the affected account and Region in the detail.
    if let Some(affected) = envelope.detail_text("affectedAccount").and_then(account) {
        notice.account = affected;
    }
    if let Some(region) = envelope.detail_text("eventRegion").and_then(|r| Region::parse(r).ok()) {
        notice.region = region;
    }
    notice.takeback = Takeback::None;
    notice.deadline = envelope.detail_text("startTime").and_then(date).and_then(|at| announced(at, received));
    notice.withdrawn = envelope.detail_text("statusCode").is_some_and(|s| s.eq_ignore_ascii_case("closed"));
    Message::Notice(Box::new(notice))
}

/// RFC 1123, as AWS Health writes dates; its own old sample has a wrong weekday, so that is not held against a date.
fn date(text: &str) -> Option<Timestamp> {
    let parser = jiff::fmt::rfc2822::DateTimeParser::new().relaxed_weekday(true);
    parser.parse_timestamp(text).ok().or_else(|| text.parse().ok())
}
