//! Capacity reservations and capacity blocks.

use super::envelope::Envelope;
use super::time::{announced, later};
use super::{Received, rejected};
use crate::ids::Region;
use crate::interruption::{Message, NoticeKind, SPOT_NOTICE};
use jiff::{SignedDuration, Timestamp};

pub(super) fn interruption(envelope: &Envelope<'_>, received: &Received) -> Message {
    let Some(instance) = envelope.instance("instance-id") else {
        return rejected("the warning names no valid instance");
    };
    let Some(mut notice) = envelope.notice(NoticeKind::CapacityReservationInterruption, vec![instance], received) else {
        return rejected("the warning names no valid account or Region");
    };
    let exact = envelope.detail_text("instance-termination-time").and_then(|t| t.parse::<Timestamp>().ok());
    let exact = exact.and_then(|t| announced(t, received));
    notice.deadline = Some(exact.unwrap_or_else(|| later(notice.at, SPOT_NOTICE)));
    Message::Notice(Box::new(notice))
}

/// EC2 begins to end the instances of a block this long before its end (EC2 User Guide, "Monitor Capacity Blocks").
const BLOCK_ENDS_EARLY: SignedDuration = SignedDuration::from_mins(30);

/// How long before that it warns.
const BLOCK_NOTICE: SignedDuration = SignedDuration::from_mins(10);

/// Forty minutes before the end of a block. It names the reservation, not its instances.
pub(super) fn block_expiration(envelope: &Envelope<'_>, received: &Received) -> Message {
    let Some(id) = envelope.detail_text("capacity-reservation-id").filter(|id| id.starts_with("cr-") && id.len() <= 64) else {
        return rejected("the warning names no capacity reservation");
    };
    // It carries no Region, but the ARN of the reservation does.
    let region = envelope.resources().iter().find_map(|arn| Region::parse(arn.split(':').nth(3)?).ok());
    let here = Received { at: received.at, region: region.or_else(|| received.region.clone()) };
    let Some(mut notice) = envelope.notice(NoticeKind::CapacityBlockExpiration, Vec::new(), &here) else {
        return rejected("the warning names no valid account or Region");
    };
    notice.reservation = Some(id.to_owned());
    let end = envelope.detail_text("end-date").and_then(|t| t.parse::<Timestamp>().ok()).and_then(|t| announced(t, received));
    let begins = end.and_then(|end| end.checked_sub(BLOCK_ENDS_EARLY).ok());
    notice.deadline = Some(begins.unwrap_or_else(|| later(notice.at, BLOCK_NOTICE)));
    Message::Notice(Box::new(notice))
}
