//! Cron expressions of five fields, with `CRON_TZ=` before them: when the next time is.

use domain::office_hours::spec::zone;
use domain::{SignedDuration, Timestamp};
use jiff::ToSpan;
use jiff::civil::{Date, Time};
use jiff::tz::TimeZone;

/// How far ahead the next time is looked for: the 29th of February comes at least every eight years.
const DAYS_MAX: i32 = 8 * 366 + 1;

/// Why a text is no cron expression.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum BadCron {
    /// It has too many fields or too few.
    #[error("expected exactly 5 fields, found {0}: [{1}]")]
    Fields(usize, String),
    /// A field that says nothing.
    #[error("{0:?} is no field of a cron expression: numbers, ranges, steps and lists")]
    Field(String),
    /// A zone that is not in the database.
    #[error("{0:?} is no time zone of the IANA database")]
    Zone(String),
}

/// A cron expression.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Cron {
    minutes: u64,
    hours: u64,
    days: u64,
    months: u64,
    weekdays: u64,
    /// Where both days and weekdays are restricted, either will do: so cron has it since 1979.
    either: bool,
    zone: TimeZone,
}

impl Cron {
    /// Reads one. Without `CRON_TZ=` it means UTC.
    ///
    /// # Errors
    /// [`BadCron`].
    pub fn parse(text: &str) -> Result<Cron, BadCron> {
        let (zone, rest) = match text.trim().strip_prefix("CRON_TZ=").or_else(|| text.trim().strip_prefix("TZ=")) {
            Some(text) => {
                let (name, rest) = text.split_once(' ').unwrap_or((text, ""));
                (self::zone(name).map_err(|_| BadCron::Zone(name.to_owned()))?, rest)
            }
            None => (TimeZone::UTC, text),
        };
        let fields: Vec<&str> = rest.split_whitespace().collect();
        let [minute, hour, day, month, weekday] = fields.as_slice() else {
            return Err(BadCron::Fields(fields.len(), fields.join(" ")));
        };
        // 7 is Sunday, too.
        let weekdays = field(weekday, 0, 7)?;
        Ok(Cron {
            minutes: field(minute, 0, 59)?,
            hours: field(hour, 0, 23)?,
            days: field(day, 1, 31)?,
            months: field(month, 1, 12)?,
            weekdays: weekdays | (weekdays >> 7 & 1),
            either: !day.starts_with('*') && !weekday.starts_with('*'),
            zone,
        })
    }

    /// The next time after this one. A time that the clocks jump over is not made up for; one that comes twice comes once, the first
    /// time.
    pub fn next_after(&self, now: Timestamp) -> Option<Timestamp> {
        let today = self.zone.to_datetime(now).date();
        (0..DAYS_MAX)
            .filter_map(|ahead| today.checked_add(ahead.days()).ok())
            .filter(|date| self.on(*date))
            .find_map(|date| self.times().filter_map(|time| self.at(date, time)).find(|at| *at > now))
    }

    fn on(&self, date: Date) -> bool {
        let has = |set: u64, value: i8| set >> value & 1 == 1;
        let (day, weekday) = (has(self.days, date.day()), has(self.weekdays, date.weekday().to_sunday_zero_offset()));
        has(self.months, date.month()) && if self.either { day || weekday } else { day && weekday }
    }

    fn times(&self) -> impl Iterator<Item = Time> {
        let among = |set: u64, end: i8| (0..end).filter(move |value| set >> value & 1 == 1);
        let minutes = self.minutes;
        among(self.hours, 24).flat_map(move |hour| among(minutes, 60).filter_map(move |minute| Time::new(hour, minute, 0, 0).ok()))
    }

    fn at(&self, date: Date, time: Time) -> Option<Timestamp> {
        let wanted = date.to_datetime(time);
        let at = self.zone.to_ambiguous_timestamp(wanted).compatible().ok()?;
        (self.zone.to_datetime(at) == wanted).then_some(at)
    }

    /// The last time at or before this one, within the last week and a day.
    pub fn last_until(&self, now: Timestamp) -> Option<Timestamp> {
        let mut at = now.checked_sub(SignedDuration::from_hours(8 * 24)).ok()?;
        let mut last = None;
        // At most one time a minute.
        for _minute in 0..=8 * 24 * 60 {
            at = self.next_after(at).filter(|at| *at <= now)?;
            last = Some(at);
            if self.next_after(at).is_none_or(|next| next > now) {
                break;
            }
        }
        last
    }
}

/// One field as a set of its values.
fn field(text: &str, min: u8, max: u8) -> Result<u64, BadCron> {
    let wrong = || BadCron::Field(text.to_owned());
    let number = |text: &str| text.parse::<u8>().ok().filter(|value| (min..=max).contains(value)).ok_or_else(wrong);
    let mut set = 0_u64;
    for part in text.split(',') {
        let (range, step) = match part.split_once('/') {
            Some((range, step)) => (range, step.parse::<u8>().ok().filter(|step| *step > 0).ok_or_else(wrong)?),
            None => (part, 1),
        };
        let (first, last) = match range.split_once('-') {
            _ if range == "*" => (min, max),
            Some((first, last)) => (number(first)?, number(last)?),
            None if part.contains('/') => (number(range)?, max),
            None => (number(range)?, number(range)?),
        };
        if first > last {
            return Err(wrong());
        }
        for value in (first..=last).step_by(usize::from(step)) {
            set |= 1 << value;
        }
    }
    Ok(set)
}
