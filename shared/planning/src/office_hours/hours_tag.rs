//! The tag of Cloud Custodian's off-hours: `off=(M-F,19);on=(M-F,7);tz=et`.

use domain::Timestamp;
use jiff::civil::{Date, Weekday};
use jiff::tz::TimeZone;

/// The zone that is meant where a tag names none.
pub const DEFAULT_ZONE: &str = "et";

/// Short names of zones, as used there.
const ALIASES: [(&str, &str); 22] = [
    ("pdt", "America/Los_Angeles"),
    ("pt", "America/Los_Angeles"),
    ("pst", "America/Los_Angeles"),
    ("ast", "America/Phoenix"),
    ("at", "America/Phoenix"),
    ("est", "America/New_York"),
    ("edt", "America/New_York"),
    ("et", "America/New_York"),
    ("cst", "America/Chicago"),
    ("cdt", "America/Chicago"),
    ("ct", "America/Chicago"),
    ("mst", "America/Denver"),
    ("mdt", "America/Denver"),
    ("mt", "America/Denver"),
    ("gmt", "Etc/GMT"),
    ("gt", "Etc/GMT"),
    ("bst", "Europe/London"),
    ("ist", "Europe/Dublin"),
    ("cet", "Europe/Berlin"),
    ("jst", "Asia/Tokyo"),
    ("kst", "Asia/Seoul"),
    ("sgt", "Asia/Singapore"),
];

/// Days, Monday is 0, and the hour at which something happens on them.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Turn {
    /// The days.
    pub days: Vec<u8>,
    /// The hour.
    pub hour: u8,
}

/// What a tag says.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct HoursTag {
    /// When it goes off.
    pub off: Vec<Turn>,
    /// When it goes on.
    pub on: Vec<Turn>,
    /// The zone as it was written.
    pub tz: String,
}

/// What is written for characters that tags cannot hold, back to them.
pub fn unescape(text: &str) -> String {
    let pairs = [("u28", "("), ("u29", ")"), ("u5b", "["), ("u5d", "]"), ("u2c", ","), ("u3b", ";")];
    pairs.iter().fold(text.to_owned(), |text, (escape, letter)| text.replace(escape, letter))
}

/// Reads a schedule. `None`: it is none, in whole or in part.
pub fn parse(tag: &str, default_zone: &str) -> Option<HoursTag> {
    let tag: String = unescape(tag).to_lowercase().chars().filter(|c| !c.is_whitespace()).collect();
    if tag.is_empty() {
        return None;
    }
    let mut read = HoursTag { tz: default_zone.to_owned(), ..HoursTag::default() };
    for part in tag.split(';').filter(|part| !part.is_empty()) {
        let (key, value) = part.split_once('=')?;
        match key {
            "off" => read.off = turns(value)?,
            "on" => read.on = turns(value)?,
            "tz" => read.tz = value.to_owned(),
            _ => return None,
        }
    }
    Some(read)
}

/// `(m-f,19)`, `[(m,9),(t,10)]` or `[m-f,20]`.
fn turns(text: &str) -> Option<Vec<Turn>> {
    let inner = text.strip_prefix('[').and_then(|text| text.strip_suffix(']')).unwrap_or(text);
    let inner = inner.strip_prefix('(').and_then(|text| text.strip_suffix(')')).unwrap_or(inner);
    inner.split("),(").map(turn).collect()
}

fn turn(text: &str) -> Option<Turn> {
    let (days, hour) = text.split_once(',')?;
    let hour = hour.parse().ok().filter(|hour| *hour < 24)?;
    let index = |day: &str| "mtwhfsu".find(day).filter(|_| day.len() == 1).and_then(|at| u8::try_from(at).ok());
    let (first, last) = days.split_once('-').unwrap_or((days, days));
    let (first, last) = (index(first)?, index(last)?);
    let days = if first <= last { (first..=last).collect() } else { (first..7).chain(0..=last).collect() };
    Some(Turn { days, hour })
}

/// A zone by its short name, or its name in the database.
pub fn zone(name: &str) -> Option<TimeZone> {
    let name = name.to_lowercase();
    let full = ALIASES.iter().find(|(alias, _)| *alias == name).map_or(name.as_str(), |(_, full)| full);
    domain::office_hours::spec::zone(full).ok()
}

/// Which of the two turns is asked for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Side {
    /// Going off.
    Off,
    /// Going on.
    On,
}

/// What stands around the tag.
#[derive(Debug, Clone)]
pub struct Policy {
    /// The hour of going off where the tag names none.
    pub offhour: u8,
    /// The hour of going on.
    pub onhour: u8,
    /// Whether weekends are off as a whole: then nothing is turned on Saturdays and Sundays.
    pub weekends: bool,
    /// Whether only weekends are off.
    pub weekends_only: bool,
    /// Days on which nothing is done.
    pub skip_days: Vec<Date>,
}

impl Default for Policy {
    fn default() -> Self {
        Policy { offhour: 19, onhour: 7, weekends: true, weekends_only: false, skip_days: Vec::new() }
    }
}

/// Whether a turn is due in this hour, as it is decided there: by edges, so that a missed hour is lost.
pub fn due(tag: &str, side: Side, policy: &Policy, now: Timestamp) -> bool {
    let text = unescape(tag).to_lowercase();
    let zone_only = text.trim().strip_prefix("tz=").map(str::to_owned);
    let named = match (text.trim(), &zone_only) {
        // Opted in without a schedule of its own.
        ("" | "on" | "true", _) => Some(DEFAULT_ZONE.to_owned()),
        (_, Some(zone)) => Some(zone.clone()),
        _ => None,
    };
    let read = match named {
        Some(tz) => HoursTag { off: standard(Side::Off, policy), on: standard(Side::On, policy), tz },
        None => match parse(&text, DEFAULT_ZONE) {
            Some(read) => read,
            None => return false,
        },
    };
    let Some(zone) = zone(&read.tz) else {
        return false;
    };
    let local = zone.to_datetime(now);
    if policy.skip_days.contains(&local.date()) {
        return false;
    }
    let turns = match side {
        Side::Off => &read.off,
        Side::On => &read.on,
    };
    let day = local.weekday().to_monday_zero_offset().unsigned_abs();
    turns.iter().any(|turn| turn.days.contains(&day) && turn.hour == local.hour().unsigned_abs())
}

/// The turns of a tag that names none.
fn standard(side: Side, policy: &Policy) -> Vec<Turn> {
    let index = |day: Weekday| day.to_monday_zero_offset().unsigned_abs();
    let days = match (policy.weekends_only, policy.weekends, side) {
        (true, _, Side::Off) => vec![index(Weekday::Friday)],
        (true, _, Side::On) => vec![index(Weekday::Monday)],
        (false, true, _) => (0..=index(Weekday::Friday)).collect(),
        (false, false, _) => (0..=index(Weekday::Sunday)).collect(),
    };
    let hour = match side {
        Side::Off => policy.offhour,
        Side::On => policy.onhour,
    };
    vec![Turn { days, hour }]
}
