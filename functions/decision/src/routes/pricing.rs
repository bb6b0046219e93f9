//! What the market says, as this server knows it.

use super::gaps::{desk, region, series, sold, zones};
use crate::answer::{give, takes_gzip};
use crate::asked::{query, word};
use crate::knowledge::Knowledge;
use crate::problem::Problem;
use crate::{Deps, Desk};
use axum::extract::{RawQuery, State};
use axum::response::Response;
use domain::Timestamp;
use domain::decision::PoolName;
use domain::ids::{InstanceType, Region};
use domain::market::{PricePoint, PriceSource, Quote};
use domain::offering::Pool;
use http::HeaderMap;
use schemars::JsonSchema;
use serde::Serialize;
use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

/// The spot price of a pool.
#[derive(Debug, Serialize, JsonSchema)]
pub struct SpotPool {
    /// The pool.
    pool: PoolName,
    /// What it costs now, in millionths of a US dollar per hour; null: not known.
    price_per_hour: Option<i64>,
    /// Every change that is kept, oldest first.
    points: Vec<Point>,
}

/// A price and since when it held.
#[derive(Debug, Serialize, JsonSchema)]
pub struct Point {
    /// Since when.
    at: Timestamp,
    /// Millionths of a US dollar per hour.
    price_per_hour: i64,
    /// The filling that added it; null: it was read when it was new.
    filled_by: Option<String>,
}

/// The on-demand price of a type.
#[derive(Debug, Serialize, JsonSchema)]
pub struct OnDemand {
    /// The type.
    instance_type: InstanceType,
    /// The price, and how it is known.
    quote: Quote,
}

/// What the Spot Advisor says of a type.
#[derive(Debug, Serialize, JsonSchema)]
pub struct Advised {
    /// The type.
    instance_type: InstanceType,
    /// Its band, 0 (below 5 % interrupted in a month) to 4 (above 20 %).
    band: u8,
    /// How much cheaper than on-demand, in percent.
    savings_percent: i8,
    /// The date of the file.
    as_of: Timestamp,
}

/// How much is known of a Region's prices.
#[derive(Debug, Serialize, JsonSchema)]
pub struct Stats {
    /// The Region.
    region: Region,
    /// Types that are sold.
    types: u32,
    /// Spot pools with a price.
    spot_pools: u32,
    /// Changes of their prices that are kept.
    spot_points: u32,
    /// How many of those a filling added.
    filled_points: u32,
    /// The oldest change that is kept.
    oldest_point: Option<Timestamp>,
    /// When spot prices were last read.
    spot_read_at: Option<Timestamp>,
    /// On-demand prices that were read; the others are embedded.
    on_demand_read: u32,
    /// When they were last read.
    on_demand_read_at: Option<Timestamp>,
    /// Types that the Spot Advisor names.
    advised: u32,
    /// The date of its file.
    advised_as_of: Option<Timestamp>,
}

/// Points that fillings added to the pools of a type, with the filling of each.
type Marks = BTreeMap<(Pool, PricePoint), String>;

async fn marks(desk: &Desk, region: &Region, instance_type: &InstanceType) -> Result<Marks, Problem> {
    let filled = desk.work.filled_in(region, instance_type).await?;
    let of = filled.into_iter().flat_map(|filled| {
        let (pool, job) = (filled.pool, filled.job);
        filled.added.into_iter().map(move |point| ((pool.clone(), point), job.clone()))
    });
    Ok(of.collect())
}

/// Spot prices of a type.
pub async fn spot(State(deps): State<Arc<Deps>>, RawQuery(text): RawQuery, headers: HeaderMap) -> Result<Response, Problem> {
    let desk = desk(&deps)?;
    let query = query(text.as_deref());
    let (region, zones) = (region(&query)?, zones(&query, &region(&query)?)?);
    let instance_type: InstanceType = word(&query, "instance_type", "m6i.large, say")?;
    let found = series(&*desk.market, &region, std::slice::from_ref(&instance_type), &zones).await?;
    let marks = marks(desk, &region, &instance_type).await?;
    let now = desk.clock.now();
    let pools: Vec<SpotPool> = found
        .into_iter()
        .map(|(pool, series)| {
            let point = |point: &PricePoint| Point {
                at: point.at,
                price_per_hour: point.price_per_hour.0,
                filled_by: marks.get(&(pool.clone(), *point)).cloned(),
            };
            let points = series.points().iter().map(point).collect();
            let price_per_hour = series.price_at(now).map(|price| price.0);
            SpotPool { price_per_hour, points, pool: PoolName { instance_type: pool.instance_type, zone: pool.zone } }
        })
        .collect();
    give(&pools, takes_gzip(&headers), deps.limits)
}

async fn knowledge(desk: &Desk, region: &Region) -> Result<Knowledge, Problem> {
    let (on_demand, advice) = futures::try_join!(desk.market.on_demand(region), desk.market.advice(region))?;
    Ok(Knowledge::of(region, on_demand, advice))
}

/// On-demand prices of a Region.
pub async fn on_demand(State(deps): State<Arc<Deps>>, RawQuery(text): RawQuery, headers: HeaderMap) -> Result<Response, Problem> {
    let desk = desk(&deps)?;
    let query = query(text.as_deref());
    let region = region(&query)?;
    let known = knowledge(desk, &region).await?;
    let of = |name: InstanceType| known.catalogue.on_demand_quote(&region, &name).map(|quote| OnDemand { instance_type: name, quote });
    let prices: Vec<OnDemand> = sold(&region, crate::asked::text(&query, "family")).into_iter().filter_map(of).collect();
    give(&prices, takes_gzip(&headers), deps.limits)
}

/// What the Spot Advisor says of the types of a Region.
pub async fn spot_advisor(State(deps): State<Arc<Deps>>, RawQuery(text): RawQuery, headers: HeaderMap) -> Result<Response, Problem> {
    let desk = desk(&deps)?;
    let query = query(text.as_deref());
    let region = region(&query)?;
    let known = knowledge(desk, &region).await?;
    let of = |name: InstanceType| {
        let advice = known.catalogue.advisor(&region, &name)?;
        Some(Advised { instance_type: name, band: advice.band.index(), savings_percent: advice.savings_percent, as_of: advice.as_of })
    };
    let all: Vec<Advised> = sold(&region, crate::asked::text(&query, "family")).into_iter().filter_map(of).collect();
    give(&all, takes_gzip(&headers), deps.limits)
}

/// How much is known of a Region's prices.
pub async fn stats(State(deps): State<Arc<Deps>>, RawQuery(text): RawQuery, headers: HeaderMap) -> Result<Response, Problem> {
    let desk = desk(&deps)?;
    let region = region(&query(text.as_deref()))?;
    let types = sold(&region, None);
    let zones = zones(&query(None), &region)?;
    let found = series(&*desk.market, &region, &types, &zones).await?;
    let (refreshed, on_demand, advice) =
        futures::try_join!(desk.market.refreshed(&region), desk.market.on_demand(&region), desk.market.advice(&region))?;
    let names: BTreeSet<&InstanceType> = found.keys().map(|pool| &pool.instance_type).collect();
    let marked = futures::future::try_join_all(names.into_iter().map(|name| marks(desk, &region, name))).await?;
    let kept = |(pool, point): &(Pool, PricePoint)| found.get(pool).is_some_and(|series| series.points().contains(point));
    let count = |n: usize| u32::try_from(n).unwrap_or(u32::MAX);
    let said = |quote: &Quote| match quote.source {
        PriceSource::Observed { at } | PriceSource::PublicEstimate { as_of: at } => at,
    };
    let stats = Stats {
        types: count(types.len()),
        spot_pools: count(found.len()),
        spot_points: count(found.values().map(|series| series.points().len()).sum()),
        filled_points: count(marked.iter().flat_map(BTreeMap::keys).filter(|mark| kept(mark)).count()),
        oldest_point: found.values().filter_map(|series| series.points().first()).map(|point| point.at).min(),
        spot_read_at: refreshed.spot_prices,
        on_demand_read: count(on_demand.len()),
        on_demand_read_at: on_demand.iter().map(|(_, quote)| said(quote)).max(),
        advised: count(advice.len()),
        advised_as_of: advice.iter().map(|(_, advice)| advice.as_of).max(),
        region,
    };
    give(&stats, takes_gzip(&headers), deps.limits)
}
