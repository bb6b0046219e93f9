//! Capacity reservations and capacity blocks.

use super::envelope::{Envelope, time};
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
    notice.deadline = Some(exact.unwrap_or(notice.at + SPOT_NOTICE));
    Message::Notice(Box::new(notice))
}

/// EC2 begins to end the instances of a block this long before its end (EC2 User Guide, "Monitor Capacity Blocks").
const BLOCK_ENDS_EARLY: SignedDuration = SignedDuration::from_mins(30);

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
    let end = time(envelope.detail_text("end-date"), &Received { at: Timestamp::MAX - SignedDuration::from_hours(1), region: None });
    let known = envelope.detail_text("end-date").is_some() && end < Timestamp::MAX - SignedDuration::from_hours(2);
    notice.deadline = Some(if known { end - BLOCK_ENDS_EARLY } else { notice.at + SignedDuration::from_mins(10) });
    Message::Notice(Box::new(notice))
}
