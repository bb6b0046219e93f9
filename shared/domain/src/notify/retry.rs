//! When a sending is tried again, and when it is given up: pure.

use super::Sending;
use jiff::{SignedDuration, Timestamp};

/// The pauses before each further attempt, in seconds: 5 s, 5 min, 30 min, 2 h, 5 h, 10 h, 14 h, 20 h, 24 h (Standard Webhooks, "Retry
/// schedule", over three days).
const PAUSES_S: [i64; 9] = [5, 300, 1_800, 7_200, 18_000, 36_000, 50_400, 72_000, 86_400];
/// The longest pause that a receiver can ask for: its own answer must not stop a lane for longer than our schedule would.
const ASKED_MAX_S: i64 = 86_400;
/// The shortest pause for a receiver that is overloaded (429, 502, 504): the first of the schedule would only add to it.
const OVERLOADED_S: i64 = 60;

/// What becomes of a notice after a sending.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Fate {
    /// It has arrived.
    Delivered,
    /// It is tried again then.
    Again(Timestamp),
    /// The target is not sent to any more, and why. The notice waits.
    Disable(String),
}

/// What becomes of a notice that was sent for the `attempt`th time. `dice` spreads the pauses by up to a tenth: any number will do.
pub fn after(sending: &Sending, attempt: u32, now: Timestamp, dice: u64) -> Fate {
    match sending {
        Sending::Delivered { .. } => return Fate::Delivered,
        Sending::Refused { status: 410, .. } => return Fate::Disable("the receiver said that it is gone (410)".to_owned()),
        Sending::Refused { .. }
        | Sending::NoAddress
        | Sending::Forbidden
        | Sending::NoConnection
        | Sending::NoTls
        | Sending::Slow
        | Sending::NotSent { .. } => {}
    }
    let Some(pause) = usize::try_from(attempt.saturating_sub(1)).ok().and_then(|index| PAUSES_S.get(index)) else {
        return Fate::Disable(format!("{attempt} attempts over three days were in vain; the last: {}", said(sending)));
    };
    let overloaded = matches!(sending, Sending::Refused { status: 429 | 502 | 503 | 504, .. });
    let asked = match sending {
        Sending::Refused { retry_after_s: Some(asked), .. } if overloaded => i64::from(*asked).min(ASKED_MAX_S),
        Sending::Refused { .. } if overloaded => OVERLOADED_S,
        Sending::Delivered { .. }
        | Sending::Refused { .. }
        | Sending::NoAddress
        | Sending::Forbidden
        | Sending::NoConnection
        | Sending::NoTls
        | Sending::Slow
        | Sending::NotSent { .. } => 0,
    };
    let pause = (*pause).max(asked);
    let jitter = i64::try_from(dice % 1_000).unwrap_or(0) * pause / 10_000;
    Fate::Again(now + SignedDuration::from_secs(pause + jitter))
}

/// A sending in words: constant ones, so that nothing of a receiver's answer is ever shown.
pub fn said(sending: &Sending) -> String {
    match sending {
        Sending::Delivered { status } => format!("accepted ({status})"),
        Sending::Refused { status: status @ 300..=399, .. } => format!("answered with a redirect ({status}), which is not followed"),
        Sending::Refused { status, .. } => format!("refused ({status})"),
        Sending::NoAddress => "its name leads to no address".to_owned(),
        Sending::Forbidden => "its name leads to an address that may not be called".to_owned(),
        Sending::NoConnection => "it could not be connected to".to_owned(),
        Sending::NoTls => "its certificate is not valid for its name".to_owned(),
        Sending::Slow => "it did not answer in time".to_owned(),
        Sending::NotSent { why } => why.clone(),
    }
}
