//! Reads specifications of time, in both dialects.

use super::{Defaults, Dialect, End, Overnight, Recurring, Span, SpecError};
use jiff::Timestamp;
use jiff::civil::Weekday;
use jiff::tz::TimeZone;

type Item = Result<Span, SpecError>;

/// The items of a text.
pub(super) fn items(text: &str, dialect: Dialect, defaults: Defaults<'_>) -> Result<Vec<Item>, SpecError> {
    let text = text.trim();
    if text.is_empty() {
        return Err(SpecError::Empty);
    }
    let parts = text.split(',').map(str::trim);
    match dialect {
        Dialect::Python => match text.to_ascii_lowercase().as_str() {
            "always" => Ok(vec![Ok(Span::Always)]),
            "never" => Ok(vec![Ok(Span::Never)]),
            _ => Ok(parts.map(|part| python(part, defaults)).collect()),
        },
        Dialect::Go => parts.map(|part| go(part, defaults).map(Ok)).collect(),
    }
}

/// A time zone of the IANA database, which is compiled in.
///
/// # Errors
/// [`SpecError::Zone`].
pub fn zone(name: &str) -> Result<TimeZone, SpecError> {
    TimeZone::get(name).ok().filter(|zone| !zone.is_unknown()).ok_or_else(|| SpecError::Zone(name.to_owned()))
}

/// A span of days such as `Mon-Fri`, or `Sun-Fri` across the end of the week.
///
/// # Errors
/// [`SpecError::Days`].
pub fn weekdays(text: &str) -> Result<(Weekday, Weekday), SpecError> {
    let wrong = || SpecError::Days(text.to_owned());
    let (first, last) = text.split_once('-').ok_or_else(wrong)?;
    Ok((weekday(first).ok_or_else(wrong)?, weekday(last).ok_or_else(wrong)?))
}

fn weekday(text: &str) -> Option<Weekday> {
    match text.to_ascii_lowercase().as_str() {
        "mon" => Some(Weekday::Monday),
        "tue" => Some(Weekday::Tuesday),
        "wed" => Some(Weekday::Wednesday),
        "thu" => Some(Weekday::Thursday),
        "fri" => Some(Weekday::Friday),
        "sat" => Some(Weekday::Saturday),
        "sun" => Some(Weekday::Sunday),
        _ => None,
    }
}

/// Two digits, a colon, two digits.
fn digits(text: &str) -> Option<(u16, u16)> {
    let two = |part: &str| part.len() == 2 && part.bytes().all(|byte| byte.is_ascii_digit());
    let (hour, minute) = text.split_once(':').filter(|(hour, minute)| two(hour) && two(minute))?;
    Some((hour.parse().ok()?, minute.parse().ok()?))
}

/// `HH:MM-HH:MM` in minutes since midnight.
fn hours(text: &str, dialect: Dialect) -> Result<(u16, u16), SpecError> {
    let (from, to) = text.split_once('-').ok_or_else(|| SpecError::Form(text.to_owned()))?;
    let read = |text: &str| {
        let wrong = || SpecError::Time(text.to_owned());
        let (hour, minute) = digits(text).ok_or_else(wrong)?;
        let there = minute < 60 && (hour < 24 || (hour == 24 && minute == 0));
        match dialect {
            // Not checked there: a time that does not exist never comes.
            Dialect::Python => Ok(hour * 60 + minute),
            Dialect::Go if there => Ok(hour * 60 + minute),
            Dialect::Go => Err(wrong()),
        }
    };
    Ok((read(from)?, read(to)?))
}

fn python(part: &str, defaults: Defaults<'_>) -> Item {
    let wrong = || SpecError::Form(part.to_owned());
    if let Some((from, until)) = absolute(part, python_instant) {
        return Ok(Span::Absolute { from: Some(from), until: Some(until), end: End::Inclusive });
    }
    let mut words: Vec<&str> = part.split(' ').collect();
    if words.first().is_some_and(|word| word.contains(':')) {
        words.insert(0, defaults.weekdays.ok_or_else(|| SpecError::NoDays(part.to_owned()))?);
    }
    if words.len() == 2 {
        words.push(defaults.zone.ok_or_else(|| SpecError::NoZone(part.to_owned()))?);
    }
    let [days, time, zone] = words.as_slice() else {
        return Err(wrong());
    };
    if zone.is_empty() || !zone.bytes().all(|byte| byte.is_ascii_alphabetic() || byte == b'/' || byte == b'_') {
        return Err(SpecError::Zone((*zone).to_owned()));
    }
    recurring(days, time, zone, Dialect::Python)
}

fn go(part: &str, defaults: Defaults<'_>) -> Result<Span, SpecError> {
    match part.to_ascii_lowercase().as_str() {
        "always" | "true" => return Ok(Span::Always),
        "never" | "false" => return Ok(Span::Never),
        _ => {}
    }
    let instant = |text: &str| go_instant(text).ok_or_else(|| SpecError::Form(part.to_owned()));
    let open = |rest: &str| instant(rest.trim_start_matches([' ', '-']));
    if let Some(rest) = part.strip_prefix("from") {
        return Ok(Span::Absolute { from: Some(open(rest)?), until: None, end: End::Exclusive });
    }
    if let Some(rest) = part.strip_prefix("until") {
        return Ok(Span::Absolute { from: None, until: Some(open(rest)?), end: End::Exclusive });
    }
    if let Some((from, until)) = absolute(part, go_instant) {
        return Ok(Span::Absolute { from: Some(from), until: Some(until), end: End::Exclusive });
    }
    let mut words: Vec<&str> = part.split_whitespace().collect();
    if words.first().is_some_and(|word| word.contains(':')) {
        words.insert(0, defaults.weekdays.ok_or_else(|| SpecError::NoDays(part.to_owned()))?);
    }
    if words.len() == 2 && words.last().is_some_and(|word| word.contains(':')) {
        words.push(defaults.zone.ok_or_else(|| SpecError::NoZone(part.to_owned()))?);
    }
    let [days, time, zone] = words.as_slice() else {
        return Err(SpecError::Form(part.to_owned()));
    };
    recurring(days, time, zone, Dialect::Go)
}

fn recurring(days: &str, time: &str, zone: &str, dialect: Dialect) -> Result<Span, SpecError> {
    let (first, last) = weekdays(days)?;
    let (from, to) = hours(time, dialect)?;
    let overnight = match dialect {
        Dialect::Python => Overnight::Never,
        Dialect::Go => Overnight::Wraps,
    };
    Ok(Span::Recurring(Recurring { first, last, from, to, zone: self::zone(zone)?, overnight }))
}

/// Two instants with a dash between them. Instants have dashes, too: the right one is that which leaves an instant on either side.
fn absolute(text: &str, read: fn(&str) -> Option<Timestamp>) -> Option<(Timestamp, Timestamp)> {
    text.match_indices('-').find_map(|(at, _)| {
        let (from, until) = (text.get(..at)?, text.get(at + 1..)?);
        Some((read(from)?, read(until)?))
    })
}

/// RFC 3339, with blanks around it.
fn go_instant(text: &str) -> Option<Timestamp> {
    let text = text.trim();
    // "2024-07-01T12:00:00Z" or with an offset: the shortest is 20 letters long, and the T stands in the middle.
    (text.len() >= 20 && text.as_bytes().get(10) == Some(&b'T')).then(|| text.parse().ok()).flatten()
}

/// The same, whole seconds, always with a numeric offset, nothing around it.
fn python_instant(text: &str) -> Option<Timestamp> {
    let offset = text.as_bytes().get(19)?;
    (text.len() == 25 && matches!(offset, b'+' | b'-')).then(|| go_instant(text)).flatten()
}
