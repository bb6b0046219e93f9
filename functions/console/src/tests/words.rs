//! Words that pages rest on.

use crate::words;

#[test]
fn only_what_we_say_ourselves_stands_in_the_line_of_what_was_done() {
    for code in [
        "approved",
        "rejected",
        "cancelled",
        "round",
        "look",
        "scan",
        "dismissed",
        "halted",
        "lifted",
        "mode",
        "awake",
        "asleep",
        "hours",
        "test",
    ] {
        assert!(words::done(code).is_some(), "{code}");
    }
    assert_eq!(words::done("<b>"), None);
}
