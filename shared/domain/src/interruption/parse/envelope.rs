//! The EventBridge envelope.

use super::Received;
use super::time::time;
use crate::ids::{AccountId, InstanceId, Region};
use crate::interruption::{Notice, NoticeKind, Takeback};
use jiff::Timestamp;
use serde_json::{Map, Value};

/// The fields that all events share.
pub(super) struct Envelope<'a> {
    pub(super) id: &'a str,
    pub(super) source: &'a str,
    pub(super) detail_type: &'a str,
    pub(super) replayed: bool,
    fields: &'a Map<String, Value>,
}

impl<'a> Envelope<'a> {
    /// Reads the envelope. `None`: source or detail-type is missing.
    pub(super) fn read(fields: &'a Map<String, Value>) -> Option<Envelope<'a>> {
        let text = |name: &str| fields.get(name).and_then(Value::as_str);
        Some(Envelope {
            // Capacity Block warnings are documented with underscores.
            id: text("id").or_else(|| text("customer_event_id")).unwrap_or_default(),
            source: text("source")?,
            detail_type: text("detail-type").or_else(|| text("detail_type"))?,
            replayed: fields.contains_key("replay-name"),
            fields,
        })
    }

    /// A text of the envelope itself.
    pub(super) fn text(&self, name: &str) -> Option<&'a str> {
        self.fields.get(name).and_then(Value::as_str)
    }

    /// The detail, where it is an object.
    pub(super) fn detail(&self) -> Option<&'a Map<String, Value>> {
        self.fields.get("detail").and_then(Value::as_object)
    }

    /// A text of the detail.
    pub(super) fn detail_text(&self, name: &str) -> Option<&'a str> {
        self.detail()?.get(name)?.as_str()
    }

    /// The resources: an array, or (as AWS prints it once) a bare text.
    pub(super) fn resources(&self) -> Vec<&'a str> {
        match self.fields.get("resources") {
            Some(Value::Array(all)) => all.iter().filter_map(Value::as_str).collect(),
            Some(Value::String(one)) => vec![one],
            Some(Value::Null | Value::Bool(_) | Value::Number(_) | Value::Object(_)) | None => Vec::new(),
        }
    }

    /// When it happened; the time of sending where that cannot be read or lies in the future.
    pub(super) fn at(&self, received: &Received) -> Timestamp {
        time(self.text("time"), received)
    }

    /// The account. An unreadable one is an unknown one.
    pub(super) fn account(&self) -> Option<AccountId> {
        self.text("account").and_then(account)
    }

    /// The Region of the event, or of the queue.
    pub(super) fn region(&self, received: &Received) -> Option<Region> {
        self.text("region").and_then(|r| Region::parse(r).ok()).or_else(|| received.region.clone())
    }

    /// The instance that the detail names.
    pub(super) fn instance(&self, field: &str) -> Option<InstanceId> {
        self.detail_text(field).and_then(|id| InstanceId::parse(id).ok())
    }

    /// A notice with everything that the envelope says. `None`: account or Region is missing.
    pub(super) fn notice(&self, kind: NoticeKind, instances: Vec<InstanceId>, received: &Received) -> Option<Notice> {
        Some(Notice {
            kind,
            event_id: super::cut(self.id),
            account: self.account()?,
            region: self.region(received)?,
            instances,
            reservation: None,
            takeback: Takeback::Terminate,
            at: self.at(received),
            received_at: received.at,
            deadline: None,
            lifecycle: None,
            withdrawn: false,
        })
    }
}

/// An account id. One with a space in it stands in old samples of AWS; it is nobody's.
pub(super) fn account(text: &str) -> Option<AccountId> {
    let kept: String = text.chars().filter(|c| !c.is_whitespace()).collect();
    AccountId::parse(kept).ok()
}
