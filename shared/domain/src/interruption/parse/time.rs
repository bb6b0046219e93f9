//! Times in bodies, and which of them are believed.

use super::Received;
use jiff::{SignedDuration, Timestamp};

/// How far ahead of us a sender's clock may be before its time is not believed.
const AHEAD_MAX: SignedDuration = SignedDuration::from_mins(5);

/// When an event happened, in RFC 3339; the time of sending where that cannot be read or believed.
pub(super) fn time(text: Option<&str>, received: &Received) -> Timestamp {
    let read = text.and_then(|t| t.parse::<Timestamp>().ok());
    read.filter(|at| believable(*at, received, AHEAD_MAX)).unwrap_or(received.at)
}

/// How far ahead an announced end is believed. Scheduled changes are announced weeks ahead.
const ANNOUNCED_AHEAD_MAX: SignedDuration = SignedDuration::from_hours(24 * 366);

/// An announced end, if it can be believed. What is beyond is a slip of the sender, and arithmetic with it would overflow.
pub(super) fn announced(at: Timestamp, received: &Received) -> Option<Timestamp> {
    believable(at, received, ANNOUNCED_AHEAD_MAX).then_some(at)
}

/// Whether a time lies between 1970 and `ahead` from when we were told.
fn believable(at: Timestamp, received: &Received, ahead: SignedDuration) -> bool {
    at >= Timestamp::UNIX_EPOCH && at <= later(received.at, ahead)
}

/// `at` and then some; the end of time at most.
pub(super) fn later(at: Timestamp, by: SignedDuration) -> Timestamp {
    at.checked_add(by).unwrap_or(Timestamp::MAX)
}
