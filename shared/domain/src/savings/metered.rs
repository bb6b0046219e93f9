//! What a month comes to, cluster by cluster: what is billed. It rests on the hours of the ledger and on nothing else: an hour that was
//! not seen whole is not closed, and what is not closed is not billed. It outlives the cluster.

use super::Hour;
use crate::ids::ClusterId;
use crate::money::MicroDollars;
use jiff::Timestamp;
use jiff::tz::TimeZone;
use serde::{Deserialize, Serialize};

/// A month of the calendar, in UTC.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct Month {
    year: i16,
    month: i8,
}

impl Month {
    /// The month that an instant lies in.
    pub fn of(at: Timestamp) -> Month {
        let date = at.to_zoned(TimeZone::UTC).date();
        Month { year: date.year(), month: date.month() }
    }

    /// Reads `2026-11`; `None` for what is no month.
    pub fn parse(text: &str) -> Option<Month> {
        let (year, month) = text.split_once('-').filter(|(year, month)| year.len() == 4 && month.len() == 2)?;
        let digits = |text: &str| text.bytes().all(|b| b.is_ascii_digit());
        if !digits(year) || !digits(month) {
            return None;
        }
        let (year, month) = (year.parse().ok()?, month.parse().ok()?);
        (1..=12).contains(&month).then_some(Month { year, month })
    }
}

impl std::fmt::Display for Month {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{:04}-{:02}", self.year, self.month)
    }
}

/// One cluster in one month.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct Metered {
    /// The cluster. It may be registered no more.
    pub cluster_id: ClusterId,
    /// Hours that were closed.
    pub hours: u64,
    /// Virtual cores that were managed, each for so many hours.
    pub vcpu_hours: u64,
    /// What the nodes that were there cost, millionths of a US dollar.
    pub cost: MicroDollars,
    /// What the same work would have cost by the baseline.
    pub expected_cost: MicroDollars,
    /// What was really saved.
    pub saved: MicroDollars,
}

impl Metered {
    /// Nothing yet.
    pub fn new(cluster_id: ClusterId) -> Metered {
        let none = MicroDollars::default();
        Metered { cluster_id, hours: 0, vcpu_hours: 0, cost: none, expected_cost: none, saved: none }
    }

    /// With one more hour.
    pub fn add(&mut self, hour: &Hour) {
        self.hours += 1;
        self.vcpu_hours += u64::from(hour.vcpus);
        self.cost = self.cost + hour.cost;
        self.expected_cost = self.expected_cost + hour.expected;
        self.saved = self.saved + hour.realised_sum();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_month_is_one_of_the_calendar_and_changes_at_midnight_utc() {
        let month = |text: &str| Month::parse(text).map(|month| month.to_string());
        assert_eq!(month("2026-11").as_deref(), Some("2026-11"));
        for none in ["", "2026", "2026-13", "2026-00", "2026-1", "26-11", "2026-11-01", "+026-11", "2026-+1", "2026/11"] {
            assert_eq!(month(none), None, "{none}");
        }
        let of = |text: &str| Month::of(text.parse().unwrap()).to_string();
        assert_eq!((of("2026-11-30T23:59:59Z"), of("2026-12-01T00:00:00Z")), ("2026-11".to_owned(), "2026-12".to_owned()));
    }
}
