//! The golden cases of kube-green and Cloud Custodian.

use super::super::hours_tag::{self, HoursTag, Policy, Side, Turn};
use super::super::marks::{self, Cap};
use super::super::sleep_info::{SleepInfo, look};
use super::*;
use domain::SignedDuration;
use jiff::civil::DateTime;
use jiff::tz::TimeZone;

/// Reads a Go expression such as `4*time.Minute + 1*time.Second`.
fn go_duration(text: &str) -> SignedDuration {
    let term = |term: &str| {
        let (amount, unit) = term.split_once('*').unwrap_or((term, "time.Nanosecond"));
        let unit = match unit.trim() {
            "time.Hour" => SignedDuration::from_hours(1),
            "time.Minute" => SignedDuration::from_mins(1),
            "time.Second" => SignedDuration::from_secs(1),
            "time.Millisecond" => SignedDuration::from_millis(1),
            "time.Nanosecond" => SignedDuration::from_nanos(1),
            other => panic!("{other}"),
        };
        unit * amount.trim().parse::<i32>().unwrap()
    };
    text.split('+').map(term).fold(SignedDuration::ZERO, |sum, term| sum + term)
}

#[test]
fn every_golden_schedule_of_kube_green_holds() {
    let all = golden("kube_green_schedule");
    for case in all["spec_to_cron"].as_array().unwrap() {
        let text = |key: &str| case[key].as_str().map(str::to_owned);
        let info = SleepInfo {
            weekdays: text("weekdays").unwrap(),
            sleep_at: text("sleepAt").unwrap(),
            wake_up_at: text("wakeUpAt"),
            time_zone: text("timeZone"),
        };
        assert_eq!((info.sleep(), info.wake()), (Ok(text("sleep").unwrap()), Ok(text("wake").unwrap())), "{case}");
    }
    for case in all["cases"].as_array().unwrap() {
        let expect = &case["expect"];
        let looked = look(case["current"].as_str().unwrap(), case["next"].as_str(), at(case["now"].as_str().unwrap()));
        match (looked, expect["error"].as_str()) {
            (Err(error), Some(expected)) => assert_eq!(error.to_string(), expected, "{case}"),
            (Ok(look), None) => {
                assert_eq!(look.execute, expect["execute"].as_bool().unwrap(), "{case}");
                assert_eq!(look.next, Some(at(expect["next_schedule"].as_str().unwrap())), "{case}");
                assert_eq!(look.requeue_after, go_duration(expect["requeue_after_go_expr"].as_str().unwrap()), "{case}");
            }
            (looked, expected) => panic!("{case}: {looked:?} instead of {expected:?}"),
        }
    }
}

#[test]
fn every_golden_tag_is_read() {
    let all = golden("c7n_offhours_markforop");
    for case in all["schedule_parser"]["cases"].as_array().unwrap() {
        let turns = |key: &str| -> Vec<Turn> {
            let turn = |turn: &Value| Turn {
                days: serde_json::from_value(turn["days"].clone()).unwrap(),
                hour: u8::try_from(turn["hour"].as_u64().unwrap()).unwrap(),
            };
            case["expect"][key].as_array().unwrap().iter().map(turn).collect()
        };
        let expected = case["expect"].is_object().then(|| HoursTag {
            off: turns("off"),
            on: turns("on"),
            tz: case["expect"]["tz"].as_str().unwrap().to_owned(),
        });
        assert_eq!(hours_tag::parse(case["tag"].as_str().unwrap(), "et"), expected, "{case}");
    }
    for case in all["tag_escape"]["cases"].as_array().unwrap() {
        assert_eq!(hours_tag::unescape(case[0].as_str().unwrap()), case[1].as_str().unwrap());
    }
}

/// The moments that a golden case names: one, or one a day from the first on, as many as it has answers.
fn moments(text: &str, count: usize) -> Vec<Timestamp> {
    let zone = TimeZone::get("America/New_York").unwrap();
    let text = if text == "any" { "2016-05-26T19:00" } else { text };
    let first: DateTime = text.split(' ').next().unwrap().parse().unwrap();
    (0..i64::try_from(count).unwrap()).map(|day| zone.to_timestamp(first + SignedDuration::from_hours(24 * day)).unwrap()).collect()
}

#[test]
fn every_golden_hour_matches() {
    for case in golden("c7n_offhours_markforop")["off_hour_match"]["cases"].as_array().unwrap() {
        let given = &case["policy"];
        let hour = |key: &str, default: u8| given[key].as_u64().map_or(default, |hour| u8::try_from(hour).unwrap());
        let policy = Policy {
            offhour: hour("offhour", 19),
            onhour: hour("onhour", 7),
            weekends: given["weekends"].as_bool().unwrap_or(true),
            weekends_only: given["weekends-only"].as_bool().unwrap_or(false),
            skip_days: given["skip-days"].as_array().into_iter().flatten().map(|day| day.as_str().unwrap().parse().unwrap()).collect(),
        };
        let side = if case["filter"] == "offhour" { Side::Off } else { Side::On };
        let expected: Vec<bool> = match case["match"].as_array() {
            Some(all) => all.iter().map(|one| one.as_bool().unwrap()).collect(),
            None => vec![case["match"].as_bool().unwrap()],
        };
        let moments = moments(case["local_now"].as_str().unwrap(), expected.len());
        let got: Vec<bool> = moments.iter().map(|now| hours_tag::due(case["tag"].as_str().unwrap(), side, &policy, *now)).collect();
        assert_eq!(got, expected, "{case}");
    }
}

#[test]
fn every_golden_mark_and_cap_holds() {
    let all = golden("c7n_offhours_markforop");
    let now = at("2026-03-10T12:00:00Z");
    for case in all["marked_for_op"]["day_offsets_from_today"].as_array().unwrap() {
        let (mark, op) = (case["mark"].as_str().unwrap(), case["op"].as_str().unwrap());
        let value = match mark.strip_suffix('d').and_then(|days| days.parse::<i64>().ok()) {
            Some(days) => marks::write("off with it", op, Some(days), None, now, &TimeZone::UTC),
            None => format!("off with it: {op}@{mark}"),
        };
        let wanted = case["filter_op"].as_str().unwrap_or(op);
        let skew = case["skew_days"].as_i64().unwrap_or(0);
        let due = marks::read(&value).is_some_and(|mark| mark.due(wanted, skew, now, &TimeZone::UTC));
        assert_eq!(due, case["due"].as_bool().unwrap(), "{case}");
    }
    for case in all["marked_for_op"]["derived_effective_grace"].as_array().unwrap() {
        let local: DateTime = case["marked_at"].as_str().unwrap().split(' ').next().unwrap().parse().unwrap();
        let marked = TimeZone::UTC.to_timestamp(local).unwrap();
        let value = marks::write("m", "stop", case["days"].as_i64(), case["hours"].as_i64(), marked, &TimeZone::UTC);
        assert_eq!(value, format!("m: stop@{}", case["tag_date"].as_str().unwrap()), "{case}");
        let due = |minutes: i64| {
            let then = marked + SignedDuration::from_mins(minutes);
            marks::read(&value).unwrap().due("stop", 0, then, &TimeZone::UTC)
        };
        let grace = case["grace_minutes"].as_i64().unwrap();
        assert!(due(grace) && (grace == 0 || !due(grace - 1)), "{case}");
    }
    for case in all["resource_cap"]["cases"].as_array().unwrap() {
        let number = |key: &str| case[key].as_u64();
        let cap = match (number("amount"), number("percent").or_else(|| number("max_percent")), case["op"].as_str()) {
            (Some(amount), Some(percent), Some("and")) => Cap::Both(amount, percent),
            (Some(amount), Some(percent), _) => Cap::Either(amount, percent),
            (Some(amount), None, _) => Cap::Amount(amount),
            (None, percent, _) => Cap::Percent(percent.unwrap()),
        };
        let stops = cap.stops(number("selected").unwrap(), number("population").unwrap());
        assert_eq!(stops, case["stop"].as_bool().unwrap(), "{case}");
    }
}
