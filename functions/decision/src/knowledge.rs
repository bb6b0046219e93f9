//! What is known of the market when an answer is made.

use crate::learnt::Learnt;
use domain::Timestamp;
use domain::ids::{InstanceType, Region};
use domain::market::{Advice, PriceSeries, PriceSource, Quote};
use domain::money::MicroDollars;
use domain::offering::Pool;
use planning::public_data::{Catalogue, Sheet};
use std::collections::BTreeMap;
use std::sync::{Arc, LazyLock};

/// One copy for all knowledge that has nothing else.
static EMBEDDED: LazyLock<Arc<Catalogue>> = LazyLock::new(|| Arc::new(Catalogue::embedded().clone()));

/// What is known of the market.
#[derive(Debug, Clone)]
pub struct Knowledge {
    /// Types, on-demand prices, and how often spot is taken back.
    pub catalogue: Arc<Catalogue>,
    /// Spot prices as they were read, by pool. A pool that is not here has an estimated price.
    pub series: BTreeMap<Pool, PriceSeries>,
    /// When AWS was last asked for spot prices of the Region; `None`: never. Until then each series is known to hold.
    pub spot_read_at: Option<Timestamp>,
    /// What earlier predictions were worth, and how they are corrected.
    pub learnt: Arc<Learnt>,
    /// What whoever reads the answer should know of all this, in sentences.
    pub notes: Vec<String>,
}

impl Knowledge {
    /// The embedded public data alone.
    pub fn day_zero() -> Knowledge {
        Knowledge::with(Arc::clone(&EMBEDDED))
    }

    fn with(catalogue: Arc<Catalogue>) -> Knowledge {
        Knowledge { catalogue, series: BTreeMap::new(), spot_read_at: None, learnt: Arc::default(), notes: Vec::new() }
    }

    /// The embedded public data with what was read of one Region laid over it. What is older than the embedded tables is passed over.
    pub fn of(region: &Region, on_demand: Vec<(InstanceType, Quote)>, advice: Vec<(InstanceType, Advice)>) -> Knowledge {
        let mut prices: Sheet<MicroDollars> = Sheet::default();
        for (name, quote) in on_demand {
            prices.insert(region, name, quote.price_per_hour, said_at(quote.source));
        }
        let mut advised: Sheet<Advice> = Sheet::default();
        for (name, advice) in advice {
            advised.insert(region, name, advice, advice.as_of);
        }
        let catalogue = Catalogue::embedded().clone().with_on_demand(prices).with_advisor(advised);
        Knowledge::with(Arc::new(catalogue))
    }

    /// The spot price of a pool at a time, as far as it was read. It is as old as the last look at the market, not as the price.
    pub fn spot_price(&self, pool: &Pool, now: Timestamp) -> Option<Quote> {
        let series = self.series.get(pool)?;
        let price_per_hour = series.price_at(now)?;
        let at = self.spot_read_at.or_else(|| series.points().last().map(|point| point.at)).unwrap_or(now);
        Some(Quote { price_per_hour, source: PriceSource::Observed { at: at.min(now) } })
    }
}

fn said_at(source: PriceSource) -> Timestamp {
    match source {
        PriceSource::Observed { at } | PriceSource::PublicEstimate { as_of: at } => at,
    }
}
