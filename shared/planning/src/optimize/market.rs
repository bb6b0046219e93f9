//! What can be bought, as a plain value.

use domain::catalog::TypeInfo;
use domain::decision::{Commitment, Constraints};
use domain::ids::InstanceType;
use domain::market::{PriceSource, Quote};
use domain::money::MicroDollars;
use domain::offering::Pool;
use std::collections::{BTreeMap, BTreeSet};

/// One thing to buy.
#[derive(Debug, Clone, PartialEq)]
pub struct Offer {
    /// Type, zone and capacity type.
    pub pool: Pool,
    /// Its price; `None`: not known, and then it is not bought.
    pub quote: Option<Quote>,
    /// What its interruptions are expected to cost per hour: the chance per hour times what one costs. Zero for on-demand.
    pub interruption_cost_per_hour: MicroDollars,
    /// Risk score, 0 to 1, where there is one: for people.
    pub risk: Option<f64>,
}

/// What a Region sells, and what is paid for already.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Market {
    /// The types, by name. An offer whose type is not here is not bought.
    pub types: BTreeMap<InstanceType, TypeInfo>,
    /// What is on offer.
    pub offers: Vec<Offer>,
    /// Pools that have no capacity, or lost a node not long ago: nothing is launched there.
    pub unavailable: BTreeSet<Pool>,
    /// On-demand hours that are paid for in any case.
    pub commitments: Vec<Commitment>,
}

impl Market {
    /// The market with what the request knows better: newer prices, pools to avoid, commitments.
    pub fn with(&self, constraints: &Constraints) -> Market {
        let mut market = self.clone();
        let newer: BTreeMap<&Pool, _> = constraints.prices.iter().map(|price| (&price.pool, price)).collect();
        for offer in &mut market.offers {
            let Some(price) = newer.get(&offer.pool) else { continue };
            let known = offer.quote.map(|quote| match quote.source {
                PriceSource::Observed { at } => at,
                PriceSource::PublicEstimate { as_of } => as_of,
            });
            if known.is_none_or(|known| known < price.as_of) {
                offer.quote = Some(Quote { price_per_hour: price.per_hour, source: PriceSource::Observed { at: price.as_of } });
            }
        }
        market.unavailable.extend(constraints.avoid.iter().cloned());
        market.commitments.extend(constraints.commitments.iter().cloned());
        market
    }

    /// The offer of a pool.
    pub fn offer(&self, pool: &Pool) -> Option<&Offer> {
        self.offers.iter().find(|offer| offer.pool == *pool)
    }
}
