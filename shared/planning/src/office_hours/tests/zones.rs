//! Two years of office hours in every zone whose clocks change, against hours that are reckoned with whole numbers alone.

use super::*;
use domain::SignedDuration;
use jiff::tz::TimeZone;

const BEGIN: &str = "2026-01-01T00:00:00Z";
const DAYS: i64 = 730;
const DAY_S: i64 = 86_400;

/// Pieces of time with one offset each: (from, until, offset), in seconds.
fn pieces(zone: &TimeZone) -> Vec<(i64, i64, i64)> {
    let (begin, mut pieces) = (at(BEGIN), Vec::new());
    let end = begin + SignedDuration::from_secs(DAYS * DAY_S);
    let (mut from, mut offset) = (begin.as_second(), zone.to_offset(begin).seconds());
    for change in zone.following(begin).take_while(|change| change.timestamp() < end) {
        pieces.push((from, change.timestamp().as_second(), i64::from(offset)));
        (from, offset) = (change.timestamp().as_second(), change.offset().seconds());
    }
    pieces.push((from, end.as_second(), i64::from(offset)));
    pieces
}

/// Spans in which the hours hold, by arithmetic: in a piece, the wall clock is the time plus its offset, and days are whole numbers.
fn held(zone: &TimeZone, days: std::ops::RangeInclusive<i64>, from_s: i64, to_s: i64) -> Vec<(i64, i64)> {
    let mut spans: Vec<(i64, i64)> = Vec::new();
    for (begin, end, offset) in pieces(zone) {
        for day in (begin + offset).div_euclid(DAY_S)..=(end + offset).div_euclid(DAY_S) {
            // The first of January 1970 was a Thursday; Monday is 0.
            if !days.contains(&(day + 3).rem_euclid(7)) {
                continue;
            }
            let halves = if from_s <= to_s { vec![(from_s, to_s)] } else { vec![(0, to_s), (from_s, DAY_S)] };
            for (from, to) in halves {
                let span = ((day * DAY_S + from - offset).max(begin), (day * DAY_S + to - offset).min(end));
                match spans.last_mut() {
                    Some(last) if span.0 < span.1 && last.1 == span.0 => last.1 = span.1,
                    _ if span.0 < span.1 => spans.push(span),
                    _ => {}
                }
            }
        }
    }
    spans
}

/// Zones whose clocks change within the two years: every sixth, or all of them with `ZONES=all`.
fn zones() -> Vec<(String, TimeZone)> {
    let named = jiff::tz::db().available().filter_map(|name| Some((name.to_string(), TimeZone::get(name.as_str()).ok()?)));
    let mut zones: Vec<_> = named.filter(|(_, zone)| pieces(zone).len() > 1).collect();
    zones.sort_by(|a, b| a.0.cmp(&b.0));
    assert!(zones.len() > 100, "the database of zones is not there: {}", zones.len());
    if all() { zones } else { zones.into_iter().step_by(6).collect() }
}

#[expect(clippy::disallowed_methods, reason = "a switch of this test, read here alone")]
fn all() -> bool {
    std::env::var("ZONES").is_ok_and(|which| which == "all")
}

/// What the minute's tick at or after `moment` wants.
fn up(policy: &OfficeHoursPolicy, object: &Scalable, moment: i64) -> bool {
    let situation = Situation { now: Timestamp::from_second(moment).unwrap(), ..on(object, policy, BEGIN) };
    let scopes = super::super::scopes::of(&situation).unwrap();
    matches!(super::super::scopes::wanted(&situation, &scopes), Ok(super::super::scopes::Wanted::Up(_)))
}

#[test]
fn every_transition_in_every_zone_with_summer_time_comes_within_a_minute() {
    let (object, mut transitions, mut zones_seen) = (web(3), 0_u64, 0_u64);
    let mut rng = fastrand::Rng::with_seed(4);
    let forms = [("Mon-Fri", 0..=4, "07:30-20:30", 27_000, 73_800), ("Mon-Fri", 0..=4, "20:00-06:00", 72_000, 21_600)];
    let night = ("Sat-Sun", 5..=6, "01:30-02:30", 5_400, 9_000);
    for (name, zone) in zones() {
        zones_seen += 1;
        for (days, range, hours, from, to) in forms.iter().chain([&night]) {
            let policy = up_at(&format!("{days} {hours} {name}"));
            // Ticks come every minute, at a second of their own.
            let phase = rng.i64(0..60);
            let tick = |moment: i64| moment + (phase - moment).rem_euclid(60);
            let mut wrong = |moment: i64, expected: bool| {
                let now = Timestamp::from_second(moment).unwrap();
                assert_eq!(up(&policy, &object, moment), expected, "{days} {hours} {name} at {now}");
                transitions += 1;
            };
            let spans = held(&zone, range.clone(), *from, *to);
            // The first began before the two years, and is cut.
            for pair in spans[1..].windows(2) {
                let [(begin, end), (again, _)] = pair else { continue };
                // The tick after each transition has the new state, the one before it the old one; both states last minutes.
                for (moment, before) in [(*begin, false), (*end, true)] {
                    wrong(tick(moment), !before);
                    wrong(tick(moment) - 60, before);
                }
                wrong(rng.i64(*begin..*end), true);
                wrong(rng.i64(*end..*again), false);
            }
        }
    }
    assert!(transitions > 6_000 * zones_seen, "{zones_seen} zones, {transitions} looks");
}

#[test]
fn waking_begins_by_the_lead_before_the_hours_in_every_zone() {
    let object = web(3);
    let mut rng = fastrand::Rng::with_seed(5);
    for (name, zone) in zones() {
        let lead = 60 * rng.i64(1..=30);
        let mut policy = up_at(&format!("Mon-Fri 07:30-20:30 {name}"));
        policy.lead_s = u32::try_from(lead).unwrap();
        let spans = held(&zone, 0..=4, 27_000, 73_800);
        for _sample in 0..20 {
            let (begin, _) = spans[rng.usize(1..spans.len())];
            assert!(up(&policy, &object, begin - lead), "{name}: {lead} s before");
            assert!(!up(&policy, &object, begin - lead - 1), "{name}: a second more");
        }
    }
}
