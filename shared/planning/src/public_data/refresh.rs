//! What a newly read market changes in what is kept.

use domain::market::{PricePoint, PriceSeries};
use domain::offering::{CapacityType, Pool};
use domain::ports::cloud::SpotPrice;
use domain::{SignedDuration, Timestamp};
use std::collections::BTreeMap;

/// How long spot prices are kept. Volatility looks back seven days; the eighth is for a Region that was not read for a day.
pub const HISTORY_KEPT: SignedDuration = SignedDuration::from_hours(8 * 24);

/// The series that newly read spot prices change, by pool: only these need to be written. `known` are the series that are kept,
/// at least of the pools that were read; a read may overlap the last one. Prices of on-demand pools, which no spot price
/// history holds, are passed over.
pub fn changed_series(known: Vec<(Pool, PriceSeries)>, read: Vec<SpotPrice>, now: Timestamp) -> Vec<(Pool, PriceSeries)> {
    let mut known: BTreeMap<Pool, PriceSeries> = known.into_iter().collect();
    let mut by_pool: BTreeMap<Pool, Vec<PricePoint>> = BTreeMap::new();
    for price in read.into_iter().filter(|price| price.pool.capacity == CapacityType::Spot) {
        let point = PricePoint { at: price.since, price_per_hour: price.price_per_hour };
        by_pool.entry(price.pool).or_default().push(point);
    }
    let merged = by_pool.into_iter().filter_map(|(pool, points)| {
        let before = known.remove(&pool).unwrap_or_default();
        let after = before.clone().merged(points, now, HISTORY_KEPT);
        (after != before).then_some((pool, after))
    });
    merged.collect()
}
