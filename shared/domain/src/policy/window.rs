//! When a weekly window is open, on the wall clock of its zone.

use super::Window;
use jiff::civil::{Time, Weekday};
use jiff::tz::TimeZone;
use jiff::{SignedDuration, Timestamp, ToSpan};

/// Why a window can never open.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum BadWindow {
    /// The zone is not in the IANA database.
    #[error("{0:?} is no time zone of the IANA database, such as Europe/Berlin")]
    Zone(String),
    /// A day that is none.
    #[error("{0:?} is no day: mon, tue, wed, thu, fri, sat or sun")]
    Day(String),
    /// No time of day.
    #[error("{0:?} is no time of day: HH:MM, 00:00 to 23:59")]
    From(String),
    /// It lasts no time, or more than a week.
    #[error("a window lasts 1 to {WEEK} minutes, not {0}")]
    Minutes(u32),
    /// It begins on no day.
    #[error("a window begins on one day at least")]
    NoDay,
}

/// Minutes of a week.
const WEEK: u32 = 7 * 24 * 60;

/// A window whose texts make sense.
struct Parsed {
    days: Vec<Weekday>,
    from: Time,
    lasts: SignedDuration,
    zone: TimeZone,
}

impl Window {
    /// Whether the window makes sense.
    ///
    /// # Errors
    /// [`BadWindow`]: which of its texts does not, and what would.
    pub fn check(&self) -> Result<(), BadWindow> {
        self.parse().map(|_| ())
    }

    /// Whether it is open now. It opens at `from` on the wall clock of its zone, and closes `minutes` later by a clock that knows
    /// no summer time: a night in which the clocks change is as long as it really is. A time that the clocks jump over stands
    /// for the one just behind the gap; of one that comes twice the first is meant.
    ///
    /// # Errors
    /// [`BadWindow`]: it can never open.
    pub fn open(&self, now: Timestamp) -> Result<bool, BadWindow> {
        let Parsed { days, from, lasts, zone } = self.parse()?;
        let today = now.to_zoned(zone.clone()).date();
        // A window that began up to a week ago may still be open; the date in its zone can be a day off.
        let begins = (0..=8).filter_map(|back| today.checked_sub(back.days()).ok()).filter(|date| days.contains(&date.weekday()));
        let mut opened = begins.filter_map(|date| date.to_datetime(from).to_zoned(zone.clone()).ok()).map(|begin| begin.timestamp());
        Ok(opened.any(|begin| begin <= now && now.duration_since(begin) < lasts))
    }

    fn parse(&self) -> Result<Parsed, BadWindow> {
        let zone = TimeZone::get(&self.time_zone).map_err(|_| BadWindow::Zone(self.time_zone.clone()))?;
        let days = self.days.iter().map(|day| weekday(day)).collect::<Result<Vec<_>, _>>()?;
        if days.is_empty() {
            return Err(BadWindow::NoDay);
        }
        if !(1..=WEEK).contains(&self.minutes) {
            return Err(BadWindow::Minutes(self.minutes));
        }
        let from = time_of_day(&self.from).ok_or_else(|| BadWindow::From(self.from.clone()))?;
        Ok(Parsed { days, from, lasts: SignedDuration::from_mins(i64::from(self.minutes)), zone })
    }
}

fn weekday(day: &str) -> Result<Weekday, BadWindow> {
    match day {
        "mon" => Ok(Weekday::Monday),
        "tue" => Ok(Weekday::Tuesday),
        "wed" => Ok(Weekday::Wednesday),
        "thu" => Ok(Weekday::Thursday),
        "fri" => Ok(Weekday::Friday),
        "sat" => Ok(Weekday::Saturday),
        "sun" => Ok(Weekday::Sunday),
        other => Err(BadWindow::Day(other.to_owned())),
    }
}

fn time_of_day(text: &str) -> Option<Time> {
    let two_digits = |part: &str| part.len() == 2 && part.bytes().all(|b| b.is_ascii_digit());
    let (hour, minute) = text.split_once(':').filter(|(hour, minute)| two_digits(hour) && two_digits(minute))?;
    Time::new(hour.parse().ok()?, minute.parse().ok()?, 0, 0).ok()
}

#[cfg(test)]
mod tests;
