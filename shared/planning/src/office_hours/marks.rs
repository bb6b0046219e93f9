//! Marks for a later operation, as Cloud Custodian writes them into tags, and the cap on how much one run may touch.

use super::hours_tag;
use domain::{SignedDuration, Timestamp};
use jiff::civil::Date;
use jiff::tz::TimeZone;

/// What a mark says: `<message>: <op>@YYYY/MM/DD`, and `HHMM TZ` behind it where it was set in hours.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Mark {
    /// The operation.
    pub op: String,
    /// From when on it is due; `None`: from the beginning of the day on, in the zone of who asks.
    at: Option<Timestamp>,
    day: Date,
}

/// Reads a mark. `None`: it is none; it is passed over, and a person should look.
pub fn read(value: &str) -> Option<Mark> {
    let (_, action) = value.rsplit_once(": ").or_else(|| value.rsplit_once(':'))?;
    let (op, date) = action.trim().split_once('@')?;
    let mut words = date.split_whitespace();
    let day = Date::strptime("%Y/%m/%d", words.next()?).ok()?;
    let at = match (words.next(), words.next()) {
        (Some(time), Some(zone)) => {
            let time = jiff::civil::Time::strptime("%H%M", time).ok()?;
            Some(hours_tag::zone(zone)?.to_timestamp(day.to_datetime(time)).ok()?)
        }
        (None, _) => None,
        (Some(_), None) => return None,
    };
    Some(Mark { op: op.to_owned(), at, day })
}

impl Mark {
    /// Whether the operation is due: its day (or its minute) has come within `skew_days` from now.
    pub fn due(&self, op: &str, skew_days: i64, now: Timestamp, zone: &TimeZone) -> bool {
        let then = now.checked_add(SignedDuration::from_hours(24 * skew_days)).unwrap_or(now);
        self.op == op
            && match self.at {
                Some(at) => at <= then,
                None => self.day <= zone.to_datetime(then).date(),
            }
    }
}

/// The text of a mark that is set now: with days it names a day, with hours a minute, with neither today.
pub fn write(message: &str, op: &str, days: Option<i64>, hours: Option<i64>, now: Timestamp, zone: &TimeZone) -> String {
    let ahead = SignedDuration::from_hours(24 * days.unwrap_or(0) + hours.unwrap_or(0));
    let then = zone.to_datetime(now.checked_add(ahead).unwrap_or(now));
    let time = hours.map(|_| format!(" {} {}", then.strftime("%H%M"), zone.iana_name().unwrap_or("UTC"))).unwrap_or_default();
    format!("{message}: {op}@{}{time}", then.strftime("%Y/%m/%d"))
}

/// How much one run may touch at the most.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Cap {
    /// This many.
    Amount(u64),
    /// This share of all, in percent.
    Percent(u64),
    /// It is too much only where both are exceeded.
    Both(u64, u64),
    /// It is too much where either is exceeded.
    Either(u64, u64),
}

impl Cap {
    /// Whether a run that would touch `selected` of `population` must stop before it begins.
    pub fn stops(self, selected: u64, population: u64) -> bool {
        let over_amount = |amount: u64| selected > amount;
        let over_percent = |percent: u64| selected.saturating_mul(100) > population.saturating_mul(percent);
        match self {
            Cap::Amount(amount) => over_amount(amount),
            Cap::Percent(percent) => over_percent(percent),
            Cap::Both(amount, percent) => over_amount(amount) && over_percent(percent),
            Cap::Either(amount, percent) => over_amount(amount) || over_percent(percent),
        }
    }
}
