//! What of the market is read anew, and how often.

use super::{RefreshWish, Schedule};
use jiff::{SignedDuration, Timestamp};
use serde::{Deserialize, Serialize};

/// A part of what is known of the market. Each is read by itself: one that fails does not keep the others old.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(rename_all = "kebab-case")]
pub enum Part {
    /// Spot prices per pool.
    SpotPrices,
    /// On-demand prices.
    OnDemand,
    /// The Spot Advisor's file.
    Advisor,
}

impl Part {
    /// Every part, the most perishable first.
    pub const ALL: [Part; 3] = [Part::SpotPrices, Part::OnDemand, Part::Advisor];

    /// How long it stays fresh where nobody has set another time. Spot prices seldom move (179 of 9,100 pools changed more than once in 5.6 hours, 2022-05), and a
    /// plan wants prices of at most 15 minutes: 10 leave room for a run that failed. On-demand prices change a few times a year.
    /// The Spot Advisor looks back 30 days and is published a few times a day.
    pub fn interval(self) -> SignedDuration {
        match self {
            Part::SpotPrices => SignedDuration::from_mins(10),
            Part::OnDemand => SignedDuration::from_hours(24),
            Part::Advisor => SignedDuration::from_hours(6),
        }
    }
}

/// When each part of a Region was last read with success; `None`: never.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct Refreshed {
    /// Spot prices.
    pub spot_prices: Option<Timestamp>,
    /// On-demand prices.
    pub on_demand: Option<Timestamp>,
    /// The Spot Advisor.
    pub advisor: Option<Timestamp>,
}

impl Refreshed {
    /// When a part was last read.
    pub fn at(&self, part: Part) -> Option<Timestamp> {
        match part {
            Part::SpotPrices => self.spot_prices,
            Part::OnDemand => self.on_demand,
            Part::Advisor => self.advisor,
        }
    }

    /// The same after a part was read. A slower worker does not turn time back.
    #[must_use]
    pub fn with(mut self, part: Part, at: Timestamp) -> Refreshed {
        let place = match part {
            Part::SpotPrices => &mut self.spot_prices,
            Part::OnDemand => &mut self.on_demand,
            Part::Advisor => &mut self.advisor,
        };
        *place = (*place).max(Some(at));
        self
    }

    /// What somebody asked for and was not read since: it is read even if it is fresh.
    pub fn wanted(&self, wish: Option<&RefreshWish>, schedule: &Schedule, now: Timestamp) -> Vec<Part> {
        let due = self.due(schedule, now);
        let asked = |part: Part| wish.is_some_and(|wish| wish.parts.contains(&part) && self.at(part).is_none_or(|at| at < wish.at));
        Part::ALL.into_iter().filter(|part| due.contains(part) || asked(*part)).collect()
    }

    /// What is to be read now, the most perishable first. A time in the future (another clock) counts as never, or the part
    /// would stay as it is for as long as that clock was ahead.
    pub fn due(&self, schedule: &Schedule, now: Timestamp) -> Vec<Part> {
        let old = |part: &Part| self.at(*part).is_none_or(|at| at > now || now.duration_since(at) >= schedule.interval(*part));
        Part::ALL.into_iter().filter(old).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn now() -> Timestamp {
        "2026-08-01T12:00:00Z".parse().unwrap()
    }

    fn all(age: SignedDuration) -> Refreshed {
        Part::ALL.into_iter().fold(Refreshed::default(), |state, part| state.with(part, now() - age))
    }

    #[test]
    fn what_was_never_read_is_due_and_what_was_just_read_is_not() {
        assert_eq!(Refreshed::default().due(&Schedule::default(), now()), Part::ALL);
        assert_eq!(all(SignedDuration::ZERO).due(&Schedule::default(), now()), []);
    }

    #[test]
    fn each_part_is_due_after_its_own_time() {
        assert_eq!(all(SignedDuration::from_mins(9)).due(&Schedule::default(), now()), []);
        assert_eq!(all(SignedDuration::from_mins(10)).due(&Schedule::default(), now()), [Part::SpotPrices]);
        assert_eq!(all(SignedDuration::from_hours(6)).due(&Schedule::default(), now()), [Part::SpotPrices, Part::Advisor]);
        assert_eq!(all(SignedDuration::from_hours(24)).due(&Schedule::default(), now()), Part::ALL);
    }

    #[test]
    fn a_part_is_due_when_somebody_has_set_it_to_be() {
        let often = Schedule { spot_prices_minutes: 3, advisor_minutes: 1_440, ..Schedule::default() };
        assert_eq!(all(SignedDuration::from_mins(3)).due(&often, now()), [Part::SpotPrices]);
        assert_eq!(all(SignedDuration::from_hours(6)).due(&often, now()), [Part::SpotPrices]);
        let seldom = Schedule { spot_prices_minutes: 15, ..Schedule::default() };
        assert_eq!(all(SignedDuration::from_mins(14)).due(&seldom, now()), []);
    }

    #[test]
    fn what_somebody_asks_for_is_read_though_it_is_fresh_and_once() {
        let wish =
            |at| RefreshWish { region: "us-east-1".to_owned().try_into().unwrap(), parts: vec![Part::Advisor], by: String::new(), at };
        let read = all(SignedDuration::from_mins(1));
        assert_eq!(read.wanted(Some(&wish(now())), &Schedule::default(), now()), [Part::Advisor]);
        assert_eq!(read.with(Part::Advisor, now()).wanted(Some(&wish(now())), &Schedule::default(), now()), []);
        assert_eq!(
            all(SignedDuration::from_mins(10)).wanted(Some(&wish(now())), &Schedule::default(), now()),
            [Part::SpotPrices, Part::Advisor]
        );
    }

    #[test]
    fn a_clock_that_was_ahead_does_not_keep_a_part_old_and_a_slow_worker_does_not_make_it_older() {
        assert_eq!(all(SignedDuration::from_hours(-1)).due(&Schedule::default(), now()), Part::ALL);
        let state = all(SignedDuration::ZERO);
        assert_eq!(state.with(Part::Advisor, now() - SignedDuration::from_hours(9)), state);
    }
}
