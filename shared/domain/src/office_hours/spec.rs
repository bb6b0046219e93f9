//! When: recurring hours on the wall clock of a time zone, and absolute spans.

use jiff::Timestamp;
use jiff::civil::Weekday;
use jiff::tz::TimeZone;
use serde::{Deserialize, Serialize};

mod parse;

pub use parse::{weekdays, zone};

/// Whose rules a text is read by. They differ in what they accept and in what they mean.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(rename_all = "kebab-case")]
pub enum Dialect {
    /// py-kube-downscaler: hours never reach past midnight, the end of an absolute span belongs to it, and an item that cannot be
    /// read is an error only when it is come to.
    Python,
    /// GoKubeDownscaler, and our own: hours may reach past midnight, ends are exclusive, and all is read at once.
    #[default]
    Go,
}

/// What is meant where a text leaves it open.
#[derive(Debug, Clone, Copy, Default)]
pub struct Defaults<'a> {
    /// The time zone.
    pub zone: Option<&'a str>,
    /// The days.
    pub weekdays: Option<&'a str>,
}

/// Why a text is no specification of time.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum SpecError {
    /// Nothing is said.
    #[error("no time is given: write \"always\", \"never\" or, say, \"Mon-Fri 07:30-20:30 Europe/Berlin\"")]
    Empty,
    /// An item of no known form.
    #[error("{0:?} is no span of time: write, say, \"Mon-Fri 07:30-20:30 Europe/Berlin\"")]
    Form(String),
    /// A day that is none.
    #[error("{0:?} is no span of days: write, say, Mon-Fri, or Sat-Sat for one day")]
    Days(String),
    /// A zone that is not in the database.
    #[error("{0:?} is no time zone of the IANA database, such as Europe/Berlin")]
    Zone(String),
    /// No zone is named, and there is no default.
    #[error("{0:?} names no time zone")]
    NoZone(String),
    /// No days are named, and there is no default.
    #[error("{0:?} names no days, such as Mon-Fri")]
    NoDays(String),
    /// No time of day.
    #[error("{0:?} is no time of day: HH:MM, 00:00 to 24:00")]
    Time(String),
}

/// One span of time.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Span {
    /// All of it.
    Always,
    /// None of it.
    Never,
    /// Every week, on the wall clock.
    Recurring(Recurring),
    /// From an instant on, to another; either may be open.
    Absolute { from: Option<Timestamp>, until: Option<Timestamp>, end: End },
}

/// Whether the last instant belongs to a span.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum End {
    Inclusive,
    Exclusive,
}

/// What hours mean whose end stands before their beginning.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Overnight {
    /// They never come.
    Never,
    /// They reach past midnight. Their days are those of the moment, so `Mon-Fri 20:00-06:00` ends with Friday's midnight.
    Wraps,
}

/// Hours of a week.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Recurring {
    pub(super) first: Weekday,
    pub(super) last: Weekday,
    /// Minutes since midnight.
    pub(super) from: u16,
    pub(super) to: u16,
    pub(super) zone: TimeZone,
    pub(super) overnight: Overnight,
}

impl Recurring {
    /// On the wall clock at this moment: so a change of the clocks moves nothing, an hour that is left out is not there, and one that
    /// comes twice counts twice.
    fn holds(&self, now: Timestamp) -> bool {
        let local = self.zone.to_datetime(now);
        let day = |weekday: Weekday| weekday.to_monday_zero_offset();
        let (first, last, today) = (day(self.first), day(self.last), day(local.weekday()));
        let on_day = if first <= last { (first..=last).contains(&today) } else { today >= first || today <= last };
        let minute = u16::from(local.hour().unsigned_abs()) * 60 + u16::from(local.minute().unsigned_abs());
        let in_hours = match (self.from <= self.to, self.overnight) {
            (true, Overnight::Never | Overnight::Wraps) => (self.from..self.to).contains(&minute),
            (false, Overnight::Wraps) => minute >= self.from || minute < self.to,
            (false, Overnight::Never) => false,
        };
        on_day && in_hours
    }
}

/// A specification of time: spans, of which any may hold. Two are equal if they were written alike.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(try_from = "String", into = "String")]
pub struct Spec {
    text: String,
    items: Vec<Result<Span, SpecError>>,
}

impl PartialEq for Spec {
    fn eq(&self, other: &Self) -> bool {
        self.text == other.text
    }
}

impl Eq for Spec {}

impl Spec {
    /// All of the time.
    pub fn always() -> Spec {
        Spec { text: "always".to_owned(), items: vec![Ok(Span::Always)] }
    }

    /// None of it.
    pub fn never() -> Spec {
        Spec { text: "never".to_owned(), items: vec![Ok(Span::Never)] }
    }

    /// Reads a text.
    ///
    /// # Errors
    /// [`SpecError`]: why it is none. In [`Dialect::Python`] only where the first item cannot be read.
    pub fn parse(text: &str, dialect: Dialect, defaults: Defaults<'_>) -> Result<Spec, SpecError> {
        let items = parse::items(text, dialect, defaults)?;
        match items.first() {
            None => Err(SpecError::Empty),
            Some(Err(error)) => Err(error.clone()),
            Some(Ok(_)) => Ok(Spec { text: text.to_owned(), items }),
        }
    }

    /// Whether it holds at this moment.
    ///
    /// # Errors
    /// [`SpecError`]: an item cannot be read, and none before it holds. Never in [`Dialect::Go`].
    pub fn holds(&self, now: Timestamp) -> Result<bool, SpecError> {
        for item in &self.items {
            let holds = match item {
                Err(error) => return Err(error.clone()),
                Ok(Span::Always) => true,
                Ok(Span::Never) => false,
                Ok(Span::Recurring(recurring)) => recurring.holds(now),
                Ok(Span::Absolute { from, until, end }) => {
                    let begun = from.is_none_or(|from| from <= now);
                    let over = until.is_some_and(|until| match end {
                        End::Inclusive => until < now,
                        End::Exclusive => until <= now,
                    });
                    begun && !over
                }
            };
            if holds {
                return Ok(true);
            }
        }
        Ok(false)
    }

    /// Whether nothing but `never` was written.
    pub fn is_never(&self) -> bool {
        self.items.iter().all(|item| matches!(item, Ok(Span::Never)))
    }
}

impl std::fmt::Display for Spec {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(&self.text)
    }
}

impl TryFrom<String> for Spec {
    type Error = SpecError;

    fn try_from(text: String) -> Result<Spec, SpecError> {
        Spec::parse(&text, Dialect::Go, Defaults::default())
    }
}

impl From<Spec> for String {
    fn from(spec: Spec) -> String {
        spec.text
    }
}

#[cfg(test)]
mod tests;
