use super::*;

fn window(days: &[&str], from: &str, minutes: u32, zone: &str) -> Window {
    let days = days.iter().map(|day| (*day).to_owned()).collect();
    Window { days, from: from.to_owned(), minutes, time_zone: zone.to_owned() }
}

fn open(window: &Window, at: &str) -> bool {
    window.open(at.parse().unwrap()).unwrap()
}

#[test]
fn a_window_opens_on_the_wall_clock_of_its_zone() {
    let night = window(&["tue"], "22:00", 120, "Europe/Berlin");
    // 24 November 2026 is a Tuesday; Berlin is one hour ahead of UTC in winter.
    assert!(!open(&night, "2026-11-24T20:59:59Z"));
    assert!(open(&night, "2026-11-24T21:00:00Z"));
    assert!(open(&night, "2026-11-24T22:59:59Z"));
    assert!(!open(&night, "2026-11-24T23:00:00Z"));
    assert!(!open(&night, "2026-11-25T21:30:00Z"), "Wednesday");
}

#[test]
fn a_window_reaches_past_midnight_and_over_days() {
    let weekend = window(&["fri"], "20:00", 60 * 60, "America/New_York");
    // From Friday 20:00 to Monday 08:00 in New York: UTC-5.
    assert!(open(&weekend, "2026-11-28T01:00:00Z"));
    assert!(open(&weekend, "2026-11-29T18:00:00Z"));
    assert!(open(&weekend, "2026-11-30T12:59:00Z"));
    assert!(!open(&weekend, "2026-11-30T13:00:00Z"));
    let always = window(&["mon"], "00:00", WEEK, "UTC");
    assert!(open(&always, "2026-11-29T23:59:59Z") && open(&always, "2026-11-30T00:00:00Z"));
}

#[test]
fn the_clocks_change_and_a_window_is_as_long_as_it_says() {
    // 29 March 2026, Berlin: 02:00 becomes 03:00. 01:30 is 00:30 UTC; an hour later it is 03:30.
    let spring = window(&["sun"], "01:30", 60, "Europe/Berlin");
    assert!(open(&spring, "2026-03-29T00:30:00Z") && open(&spring, "2026-03-29T01:29:59Z"));
    assert!(!open(&spring, "2026-03-29T01:30:00Z"));
    // 02:30 does not exist on that day: it opens at 03:30, which is 01:30 UTC.
    let gap = window(&["sun"], "02:30", 30, "Europe/Berlin");
    assert!(!open(&gap, "2026-03-29T01:29:59Z"));
    assert!(open(&gap, "2026-03-29T01:30:00Z"));
    // 25 October 2026: 02:30 comes twice; the first, at 00:30 UTC, is meant, and only once is the window open.
    assert!(open(&gap, "2026-10-25T00:30:00Z") && open(&gap, "2026-10-25T00:59:59Z"));
    assert!(!open(&gap, "2026-10-25T01:30:00Z"));
}

#[test]
fn zones_with_odd_offsets_and_a_date_of_their_own_count_right() {
    // Kathmandu is 5:45 ahead, Auckland 13 hours in summer: the day is another one than in UTC.
    assert!(open(&window(&["wed"], "00:00", 10, "Asia/Kathmandu"), "2026-11-24T18:15:00Z"));
    assert!(open(&window(&["wed"], "05:00", 10, "Pacific/Auckland"), "2026-11-24T16:05:00Z"));
    assert!(!open(&window(&["tue"], "05:00", 10, "Pacific/Auckland"), "2026-11-24T16:05:00Z"));
}

#[test]
fn what_makes_no_sense_is_told_and_never_open() {
    let now: Timestamp = "2026-11-24T16:05:00Z".parse().unwrap();
    let wrong = |w: Window| w.open(now).unwrap_err();
    assert_eq!(wrong(window(&["tue"], "05:00", 10, "Europe/Atlantis")), BadWindow::Zone("Europe/Atlantis".to_owned()));
    assert_eq!(wrong(window(&["Tuesday"], "05:00", 10, "UTC")), BadWindow::Day("Tuesday".to_owned()));
    assert_eq!(wrong(window(&[], "05:00", 10, "UTC")), BadWindow::NoDay);
    for from in ["24:00", "5:00", "05:60", "0500", "", "+5:00"] {
        assert_eq!(wrong(window(&["tue"], from, 10, "UTC")), BadWindow::From(from.to_owned()));
    }
    assert_eq!(wrong(window(&["tue"], "05:00", 0, "UTC")), BadWindow::Minutes(0));
    assert_eq!(wrong(window(&["tue"], "05:00", WEEK + 1, "UTC")), BadWindow::Minutes(WEEK + 1));
    assert!(window(&["tue"], "05:00", 10, "UTC").check().is_ok());
}
