//! Laws of targets and of when a sending is tried again.

use super::{Fate, Sending, after};
use jiff::{SignedDuration, Timestamp};

fn now() -> Timestamp {
    "2026-03-01T12:00:00Z".parse().unwrap()
}

#[test]
fn a_receiver_that_never_answers_is_tried_ten_times_over_three_days_and_then_disabled() {
    let (mut at, mut attempts) = (now(), 0_u32);
    loop {
        attempts += 1;
        match after(&Sending::Slow, attempts, at, 999) {
            Fate::Again(next) => at = next,
            Fate::Disable(why) => break assert!(why.contains("10 attempts"), "{why}"),
            Fate::Delivered => unreachable!("it never answers"),
        }
    }
    let lasted = at.duration_since(now());
    assert_eq!(attempts, 10);
    assert!(lasted > SignedDuration::from_hours(72) && lasted < SignedDuration::from_hours(90), "{lasted:?}");
}

#[test]
fn gone_disables_at_once_and_nothing_else_does() {
    for status in (300..600_u16).filter(|status| *status != 410) {
        assert!(matches!(after(&Sending::Refused { status, retry_after_s: None }, 1, now(), 0), Fate::Again(_)), "{status}");
    }
    assert!(matches!(after(&Sending::Refused { status: 410, retry_after_s: None }, 1, now(), 0), Fate::Disable(_)));
}

#[test]
fn an_overloaded_receiver_gets_the_time_it_asks_for_up_to_a_day() {
    let pause = |asked| match after(&Sending::Refused { status: 429, retry_after_s: asked }, 1, now(), 0) {
        Fate::Again(at) => at.duration_since(now()).as_secs(),
        other @ (Fate::Delivered | Fate::Disable(_)) => unreachable!("{other:?}"),
    };
    assert_eq!((pause(None), pause(Some(90)), pause(Some(u32::MAX))), (60, 90, 86_400));
    // Less than our own schedule is not believed.
    assert_eq!(pause(Some(1)), 5);
}
