//! What an hour of an offering is expected to cost.

use super::{Candidate, Given, Hour, Need, Ranked, ZoneChoice};
use domain::ids::InstanceType;
use domain::market::Quote;
use domain::money::MicroDollars;
use domain::offering::{CapacityType, Offering};
use std::cmp::Ordering;
use std::collections::BTreeMap;

/// What an hour is expected to cost, and what makes it so. All in money per hour.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Cost {
    /// The price that is promised: of the pool where the zone is pinned, of the type's dearest zone where it is open; for
    /// on-demand, what commitments leave of it.
    pub price: MicroDollars,
    /// Expected interruptions: the probability of one within the hour, times what one costs
    /// ([`super::SpotPolicy::interruption_cost_minutes`] of the cheapest on-demand price). Rounded up.
    pub interruption: MicroDollars,
    /// What risk counts as ([`super::SpotPolicy::risk_premium_percent`] of the price). A preference, not a bill. Rounded up.
    pub premium: MicroDollars,
}

impl Cost {
    /// What the bill is expected to hold: price and interruptions.
    pub fn expected(self) -> MicroDollars {
        self.price + self.interruption
    }

    /// What offerings are compared by: the premium for risk included.
    pub fn effective(self) -> MicroDollars {
        self.expected() + self.premium
    }
}

/// The dearest price of each type and capacity type over the zones that are left, where the zone is open.
pub(super) fn worst_prices<'a>(
    fit: &[(&'a Candidate<'_>, Quote)],
    need: &Need,
) -> BTreeMap<(&'a InstanceType, CapacityType), MicroDollars> {
    let mut worst = BTreeMap::new();
    match need.zones {
        ZoneChoice::Pinned(_) => {}
        ZoneChoice::Open(_) => {
            for (candidate, price) in fit {
                let known = worst.entry((&candidate.pool.instance_type, candidate.pool.capacity)).or_insert(price.price_per_hour);
                *known = price.price_per_hour.max(*known);
            }
        }
    }
    worst
}

/// Puts the cost of a candidate together. `full` is the promised price before commitments.
pub(super) fn ranked(
    candidate: &Candidate<'_>,
    price: Quote,
    full: MicroDollars,
    on_demand: Option<MicroDollars>,
    given: &Given<'_>,
) -> Ranked {
    let hour = Hour { full, rate: candidate.committed_rate };
    let (cost, risk) = match candidate.pool.capacity {
        CapacityType::OnDemand => {
            let price = given.commitments.price_of_one_more(&candidate.pool, hour);
            (Cost { price, interruption: MicroDollars(0), premium: MicroDollars(0) }, 0.0)
        }
        CapacityType::Spot => {
            let one = scale(on_demand.unwrap_or(full), f64::from(given.policy.interruption_cost_minutes) / 60.0);
            let interruption = scale(one, candidate.interruption_per_hour);
            let premium = scale(full, candidate.risk * f64::from(given.policy.risk_premium_percent) / 100.0);
            (Cost { price: full, interruption, premium }, candidate.risk)
        }
    };
    let offering = Offering { pool: candidate.pool.clone(), subnet: candidate.subnet.clone(), price_per_hour: Some(price.price_per_hour) };
    Ranked { offering, price, cost, risk, hour }
}

/// A part of an amount, rounded up. Both are at least 0.
fn scale(amount: MicroDollars, by: f64) -> MicroDollars {
    #[expect(
        clippy::cast_precision_loss,
        clippy::cast_possible_truncation,
        reason = "a preference needs 53 bits at most; the cast saturates"
    )]
    let micros = (amount.0 as f64 * by).ceil() as i64;
    MicroDollars(micros)
}

/// Best first.
pub(super) fn order(a: &Ranked, b: &Ranked) -> Ordering {
    let key = |one: &Ranked| (one.cost.effective(), one.price.price_per_hour);
    key(a)
        .cmp(&key(b))
        .then_with(|| a.risk.total_cmp(&b.risk))
        .then_with(|| a.offering.pool.cmp(&b.offering.pool))
        .then_with(|| a.offering.subnet.cmp(&b.offering.subnet))
}
