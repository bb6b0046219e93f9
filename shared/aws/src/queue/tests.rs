use super::*;

#[test]
fn a_delay_is_rounded_up_to_whole_seconds() {
    assert_eq!(delay_seconds(SignedDuration::from_millis(1)), 1);
    assert_eq!(delay_seconds(SignedDuration::from_millis(1_000)), 1);
    assert_eq!(delay_seconds(SignedDuration::from_millis(1_001)), 2);
}

#[test]
fn a_delay_stays_within_what_sqs_takes() {
    assert_eq!(delay_seconds(SignedDuration::from_secs(-5)), 0);
    assert_eq!(delay_seconds(SignedDuration::ZERO), 0);
    assert_eq!(delay_seconds(SignedDuration::from_hours(2)), 900);
    assert_eq!(delay_seconds(SignedDuration::MAX), 900);
}

#[test]
fn characters_that_sqs_refuses_are_replaced() {
    assert_eq!(clean("a\u{0}b\tc\u{ffff}ä\u{1f600}"), "a\u{fffd}b\tc\u{fffd}ä\u{1f600}");
}
