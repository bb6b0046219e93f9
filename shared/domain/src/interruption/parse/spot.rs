//! Spot capacity: warnings, recommendations, and what CloudTrail reports afterwards.

use super::envelope::Envelope;
use super::time::later;
use super::{Received, ignored, rejected};
use crate::interruption::{Message, NoticeKind, SPOT_NOTICE, Takeback};
use serde_json::Value;

pub(super) fn interruption(envelope: &Envelope<'_>, received: &Received) -> Message {
    let Some(instance) = envelope.instance("instance-id") else {
        return rejected("the warning names no valid instance");
    };
    let Some(mut notice) = envelope.notice(NoticeKind::SpotInterruption, vec![instance], received) else {
        return rejected("the warning names no valid account or Region");
    };
    notice.takeback = match envelope.detail_text("instance-action") {
        Some("stop") => Takeback::Stop,
        Some("hibernate") => Takeback::Hibernate,
        // What we do not know is taken for the worst.
        Some(_) | None => Takeback::Terminate,
    };
    notice.deadline = Some(match notice.takeback {
        // Hibernation begins at once, without the two minutes; the pods still have the seconds that it takes.
        Takeback::Hibernate => later(notice.at, SPOT_NOTICE / 8),
        Takeback::Terminate | Takeback::Stop | Takeback::None | Takeback::Underway | Takeback::Gone => later(notice.at, SPOT_NOTICE),
    });
    Message::Notice(Box::new(notice))
}

pub(super) fn rebalance(envelope: &Envelope<'_>, received: &Received) -> Message {
    let Some(instance) = envelope.instance("instance-id") else {
        return rejected("the recommendation names no valid instance");
    };
    let Some(mut notice) = envelope.notice(NoticeKind::Rebalance, vec![instance], received) else {
        return rejected("the recommendation names no valid account or Region");
    };
    notice.takeback = Takeback::None;
    Message::Notice(Box::new(notice))
}

pub(super) fn post_hoc(envelope: &Envelope<'_>) -> Message {
    if envelope.detail_text("eventName") != Some("BidEvictedEvent") {
        return ignored("not an interruption");
    }
    let ids = envelope.detail().and_then(|d| d.get("serviceEventDetails")?.get("instanceIdSet")?.as_array());
    let instances = ids.into_iter().flatten().filter_map(Value::as_str).map(super::cut).collect();
    Message::PostHoc { account: super::cut(envelope.text("account").unwrap_or_default()), instances }
}
