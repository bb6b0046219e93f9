//! What pools cost now, and how that is known.

use crate::Deps;
use crate::failure::Failure;
use domain::Timestamp;
use domain::ids::Region;
use domain::market::{PriceSource, Quote};
use domain::node::NodeRecord;
use domain::offering::{CapacityType, Pool};
use planning::public_data::Catalogue;
use std::collections::BTreeMap;

/// Prices of pools of a Region: spot as the market was last read, else by public data; on-demand by public data.
///
/// # Errors
/// The table did not answer.
pub async fn of(deps: &Deps, region: &Region, pools: &[Pool], now: Timestamp) -> Result<BTreeMap<Pool, Quote>, Failure> {
    let catalogue = Catalogue::embedded();
    let spot: Vec<Pool> = pools.iter().filter(|pool| pool.capacity == CapacityType::Spot).cloned().collect();
    let mut known = BTreeMap::new();
    if !spot.is_empty() {
        for (pool, series) in deps.market.spot_series(region, &spot).await? {
            let since = series.points().iter().rev().find(|point| point.at <= now).map(|point| point.at);
            if let (Some(price_per_hour), Some(at)) = (series.price_at(now), since) {
                known.insert(pool, Quote { price_per_hour, source: PriceSource::Observed { at } });
            }
        }
    }
    for pool in pools {
        let estimate = match pool.capacity {
            CapacityType::Spot => catalogue.spot_estimate(region, &pool.instance_type),
            CapacityType::OnDemand => catalogue.on_demand_quote(region, &pool.instance_type),
        };
        if let Some(quote) = estimate {
            known.entry(pool.clone()).or_insert(quote);
        }
    }
    Ok(known)
}

/// Prices of nodes.
///
/// # Errors
/// As [`of`].
pub async fn of_nodes(deps: &Deps, region: &Region, nodes: &[NodeRecord], now: Timestamp) -> Result<BTreeMap<Pool, Quote>, Failure> {
    let mut pools: Vec<Pool> = nodes.iter().map(|node| node.pool.clone()).collect();
    pools.sort();
    pools.dedup();
    of(deps, region, &pools, now).await
}

/// How a price is known, in words.
pub fn source(quote: &Quote, now: Timestamp) -> String {
    match quote.source {
        PriceSource::Observed { at } => format!("market, unchanged for {}", crate::show::lasting(now.duration_since(at))),
        PriceSource::PublicEstimate { as_of } => format!("public data of {}", crate::show::utc(as_of).get(..10).unwrap_or_default()),
    }
}
