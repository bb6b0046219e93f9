//! State changes of instances.

use super::envelope::Envelope;
use super::{Received, ignored, odd, rejected};
use crate::interruption::{Message, NoticeKind, Takeback};

pub(super) fn change(envelope: &Envelope<'_>, received: &Received) -> Message {
    let state = envelope.detail_text("state").map(str::to_ascii_lowercase);
    // The exact words: a peer that tested for a part of the list has drained nodes for an empty state.
    let takeback = match state.as_deref() {
        Some("stopping" | "shutting-down") => Takeback::Underway,
        Some("stopped" | "terminated") => Takeback::Gone,
        Some("pending" | "running") => return ignored("the instance is starting or running"),
        Some(_) | None => return odd("a state change without a state that we know".to_owned()),
    };
    let Some(instance) = envelope.instance("instance-id") else {
        return rejected("the state change names no valid instance");
    };
    let Some(mut notice) = envelope.notice(NoticeKind::StateChange, vec![instance], received) else {
        return rejected("the state change names no valid account or Region");
    };
    notice.takeback = takeback;
    Message::Notice(Box::new(notice))
}
