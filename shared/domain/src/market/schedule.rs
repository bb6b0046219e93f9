//! How often the market is read, as somebody set it.

use super::Part;
use jiff::{SignedDuration, Timestamp};
use serde::{Deserialize, Serialize};

/// How often each part of the market is read, for all Regions alike. One that was never set is [`Part::interval`].
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct Schedule {
    /// Spot prices, every so many minutes.
    pub spot_prices_minutes: u32,
    /// On-demand prices, every so many minutes.
    pub on_demand_minutes: u32,
    /// The Spot Advisor's file, every so many minutes.
    pub advisor_minutes: u32,
    /// Who set it; null: nobody has.
    pub by: Option<String>,
    /// When.
    pub at: Option<Timestamp>,
    /// Grows with every change; 0 where nobody has set it yet.
    pub version: u64,
}

impl Default for Schedule {
    fn default() -> Schedule {
        let minutes = |part: Part| minutes(part.interval());
        Schedule {
            spot_prices_minutes: minutes(Part::SpotPrices),
            on_demand_minutes: minutes(Part::OnDemand),
            advisor_minutes: minutes(Part::Advisor),
            by: None,
            at: None,
            version: 0,
        }
    }
}

fn minutes(span: SignedDuration) -> u32 {
    u32::try_from(span.as_mins()).unwrap_or(u32::MAX)
}

impl Part {
    /// The fewest and the most minutes between two reads.
    ///
    /// The fewest is the source's own pace: the function `market` looks every three minutes, the Spot Advisor's file is published a few
    /// times a day, and the Price List once a day at most. The most is what plans can bear: prices of spot must be younger than 15
    /// minutes, the Spot Advisor's file is made anew every day, and a week is what a change of on-demand prices may go unseen.
    pub fn bounds(self) -> (u32, u32) {
        match self {
            Part::SpotPrices => (3, 15),
            Part::OnDemand => (360, 10_080),
            Part::Advisor => (60, 1_440),
        }
    }

    /// The word for it.
    pub fn as_str(self) -> &'static str {
        match self {
            Part::SpotPrices => "spot-prices",
            Part::OnDemand => "on-demand",
            Part::Advisor => "advisor",
        }
    }
}

impl Schedule {
    /// What is set for a part, in minutes.
    pub fn minutes(&self, part: Part) -> u32 {
        match part {
            Part::SpotPrices => self.spot_prices_minutes,
            Part::OnDemand => self.on_demand_minutes,
            Part::Advisor => self.advisor_minutes,
        }
    }

    /// How often a part is read: what is set, within its bounds whatever stands in the table.
    pub fn interval(&self, part: Part) -> SignedDuration {
        let (fewest, most) = part.bounds();
        SignedDuration::from_mins(i64::from(self.minutes(part).clamp(fewest, most)))
    }

    /// Every part that is set out of its bounds, in one sentence each. Empty: it can be kept.
    pub fn faults(&self) -> Vec<(Part, String)> {
        let fault = |part: Part| {
            let (fewest, most) = part.bounds();
            let wrong = !(fewest..=most).contains(&self.minutes(part));
            wrong.then(|| {
                (part, format!("{} can be read every {fewest} to {most} minutes, and not every {}", part.as_str(), self.minutes(part)))
            })
        };
        Part::ALL.into_iter().filter_map(fault).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_nobody_has_set_is_what_was_built_in_and_fits() {
        let schedule = Schedule::default();
        assert!(Part::ALL.iter().all(|part| schedule.interval(*part) == part.interval()));
        assert_eq!((schedule.faults(), schedule.version), (vec![], 0));
    }

    #[test]
    fn a_source_is_not_asked_faster_than_it_says_something_new_nor_so_seldom_that_plans_stand_still() {
        let wild = Schedule { spot_prices_minutes: 0, on_demand_minutes: 1, advisor_minutes: u32::MAX, ..Schedule::default() };
        let named: Vec<Part> = wild.faults().into_iter().map(|(part, _)| part).collect();
        assert_eq!(named, Part::ALL);
        assert_eq!(
            Part::ALL.map(|part| wild.interval(part).as_mins()),
            [3, 360, 1_440],
            "what stands in the table is held within the bounds"
        );
        let edge = Schedule { spot_prices_minutes: 15, on_demand_minutes: 10_080, advisor_minutes: 60, ..Schedule::default() };
        assert_eq!(edge.faults(), []);
    }
}
