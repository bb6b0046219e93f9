//! Holes in price histories: found here, filled by whoever may read the market.

use crate::asked::{Asked, Query, asked_by, number, query, word};
use crate::gaps::{Known, known, since};
use crate::problem::{Problem, no_records};
use crate::{Deps, Desk};
use axum::Json;
use axum::body::Bytes;
use axum::extract::rejection::BytesRejection;
use axum::extract::{Path, RawQuery, State};
use axum::response::Response;
use domain::Timestamp;
use domain::decision::PoolName;
use domain::ids::{InstanceType, Region, Zone};
use domain::market::{Asked as Whose, FillProgress, FillState, FillWish, FilledPool, PriceSeries};
use domain::offering::{CapacityType, Pool};
use domain::ports::MarketStore;
use http::{HeaderMap, StatusCode};
use planning::public_data::Catalogue;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};
use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

/// How many pools one answer lists.
const POOLS_MAX: i64 = 2_000;
/// How many pools one call of the table asks for.
const POOLS_PER_CALL: usize = 500;
/// Zones of a Region are named by letters; no Region has more for everybody.
const LETTERS: [&str; 6] = ["a", "b", "c", "d", "e", "f"];

/// What is known of the prices of a Region.
#[derive(Debug, Serialize, JsonSchema)]
pub struct Analysis {
    /// The Region.
    region: Region,
    /// Since when prices are wanted.
    since: Timestamp,
    /// Until when.
    until: Timestamp,
    /// When the market of the Region was last read; null: never.
    read_at: Option<Timestamp>,
    /// How many pools were looked at: types that are sold, in zones that sell some.
    pools: u32,
    /// How many of them have no hole.
    whole: u32,
    /// Pools with holes, the least known first; those without follow where there is room.
    coverage: Vec<Known>,
}

/// What is to be filled.
#[derive(Debug, Deserialize, JsonSchema)]
pub struct Fill {
    /// The Region.
    pub region: Region,
    /// The types whose pools are filled. None: all that the Region sells.
    #[serde(default)]
    pub types: Vec<InstanceType>,
}

/// A filling, and how far it is.
#[derive(Debug, Serialize, JsonSchema)]
pub struct Filling {
    /// What was asked for.
    #[serde(flatten)]
    wish: FillWish,
    /// How it stands: `queued`, `running`, `done`, `failed`, `undoing` or `undone`.
    state: &'static str,
    /// How much is done, in percent.
    percent: u32,
    /// How long the rest will take, in seconds; null: not known, or nothing is left.
    left_s: Option<i64>,
    /// What was done; null: nothing yet. It is begun within three minutes.
    progress: Option<FillProgress>,
}

/// Points that a filling added.
#[derive(Debug, Serialize, JsonSchema)]
pub struct Rows {
    /// By pool.
    pools: Vec<FilledRow>,
}

/// Points that a filling added to one pool.
#[derive(Debug, Serialize, JsonSchema)]
pub struct FilledRow {
    /// The pool.
    pool: PoolName,
    /// The points, oldest first.
    points: Vec<FilledPoint>,
}

/// A price and since when it held.
#[derive(Debug, Serialize, JsonSchema)]
pub struct FilledPoint {
    /// Since when.
    at: Timestamp,
    /// Millionths of a US dollar per hour.
    price_per_hour: i64,
}

pub(super) fn desk(deps: &Deps) -> Result<&Desk, Problem> {
    deps.desk.as_ref().ok_or_else(no_records)
}

pub(super) fn region(query: &Query) -> Result<Region, Problem> {
    word(query, "region", "us-east-1, say")
}

/// Types that a Region sells, of a family where one is named.
pub(super) fn sold(region: &Region, family: Option<&str>) -> Vec<InstanceType> {
    let catalogue = Catalogue::embedded();
    let of = |name: &InstanceType| family.is_none_or(|family| name.as_str().split('.').next() == Some(family));
    let here = catalogue.iter().map(|info| &info.name).filter(|name| of(name) && catalogue.on_demand(region, name).is_some());
    here.cloned().collect()
}

/// Zones: those that are named, or all that a Region may have.
pub(super) fn zones(query: &Query, region: &Region) -> Result<BTreeSet<Zone>, Problem> {
    let parse = |text: &str| Zone::parse(text).ok().filter(|zone| zone.as_str().starts_with(region.as_str()));
    let named: Option<BTreeSet<Zone>> = match crate::asked::text(query, "zones") {
        Some(text) => text.split(',').map(|text| parse(text.trim())).collect(),
        None => LETTERS.iter().map(|letter| parse(&format!("{region}{letter}"))).collect(),
    };
    named.filter(|zones| zones.len() <= 20).ok_or_else(|| {
        let detail = format!("`zones` must name zones of {region}, with commas between them; 20 at most.");
        Problem::new(StatusCode::BAD_REQUEST, "invalid-query", detail)
    })
}

/// The series of these types in these zones.
pub(super) async fn series(
    market: &dyn MarketStore,
    region: &Region,
    types: &[InstanceType],
    zones: &BTreeSet<Zone>,
) -> Result<BTreeMap<Pool, PriceSeries>, Problem> {
    let pool = |name: &InstanceType, zone: &Zone| Pool { instance_type: name.clone(), zone: zone.clone(), capacity: CapacityType::Spot };
    let pools: Vec<Pool> = types.iter().flat_map(|name| zones.iter().map(move |zone| pool(name, zone))).collect();
    let calls = pools.chunks(POOLS_PER_CALL).map(|some| market.spot_series(region, some));
    Ok(futures::future::try_join_all(calls).await?.into_iter().flatten().collect())
}

/// Where the price history of a Region has holes.
pub async fn analyze(State(deps): State<Arc<Deps>>, RawQuery(text): RawQuery, headers: HeaderMap) -> Result<Response, Problem> {
    let desk = desk(&deps)?;
    let query = query(text.as_deref());
    let region = region(&query)?;
    let limit = usize::try_from(number(&query, "limit", 200, 1, POOLS_MAX)?).unwrap_or_default();
    let (types, zones) = (sold(&region, crate::asked::text(&query, "family")), zones(&query, &region)?);
    let now = desk.clock.now();
    let found = series(&*desk.market, &region, &types, &zones).await?;
    let read_at = desk.market.refreshed(&region).await?.spot_prices;
    // A zone in which nothing is known may be none of this Region: it is left out, unless it is named.
    let named = query.contains_key("zones");
    let sells = |zone: &Zone| named || found.keys().any(|pool| pool.zone == *zone);
    let pools = types.iter().flat_map(|name| zones.iter().filter(|zone| sells(zone)).map(move |zone| (name, zone)));
    let mut coverage: Vec<Known> = pools
        .map(|(name, zone)| {
            let pool = Pool { instance_type: name.clone(), zone: zone.clone(), capacity: CapacityType::Spot };
            known(&pool, found.get(&pool), read_at, now)
        })
        .collect();
    let count = |n: usize| u32::try_from(n).unwrap_or(u32::MAX);
    let (pools, whole) = (count(coverage.len()), count(coverage.iter().filter(|known| known.holes.is_empty()).count()));
    coverage.sort_by(|a, b| a.share.total_cmp(&b.share).then_with(|| a.pool.cmp(&b.pool)));
    coverage.truncate(limit);
    let analysis = Analysis { since: since(now), until: now, region, read_at, pools, whole, coverage };
    crate::answer::give(&analysis, crate::answer::takes_gzip(&headers), deps.limits)
}

/// Asks for holes to be filled.
pub async fn fill(
    State(deps): State<Arc<Deps>>,
    headers: HeaderMap,
    body: Result<Bytes, BytesRejection>,
) -> Result<Json<Filling>, Problem> {
    let desk = desk(&deps)?;
    let fill: Fill = Asked::new(&headers, body, deps.limits)?.read(deps.limits)?;
    let sold: BTreeSet<InstanceType> = sold(&fill.region, None).into_iter().collect();
    let types: BTreeSet<InstanceType> =
        if fill.types.is_empty() { sold } else { fill.types.into_iter().filter(|name| sold.contains(name)).collect() };
    if types.is_empty() {
        let detail = format!("None of these types is sold in {}, or nothing is known of that Region.", fill.region);
        return Err(Problem::new(StatusCode::UNPROCESSABLE_ENTITY, "nothing-to-fill", detail));
    }
    let (now, by) = (desk.clock.now(), asked_by(&headers));
    let text = format!("{now} {} {by} {}", fill.region, types.len());
    let hash: String = data_encoding::HEXLOWER.encode(&Sha256::digest(text)).chars().take(8).collect();
    // Names order as time does: the list shows the newest first.
    let id = format!("f-{}-{hash}", now.strftime("%Y%m%dT%H%M%S"));
    let wish = FillWish { id, region: fill.region, types: types.into_iter().collect(), since: since(now), by, at: now, undo: None };
    desk.wishes.put_fill_wish(&wish).await?;
    tracing::info!(fill = wish.id, region = %wish.region, by = wish.by, "A filling of price histories is asked for");
    Ok(Json(filling(wish, None)))
}

fn filling(wish: FillWish, progress: Option<FillProgress>) -> Filling {
    let state = match (&wish.undo, progress.as_ref().map(|progress| progress.state)) {
        (_, Some(FillState::Undone)) => "undone",
        (Some(_), _) => "undoing",
        (None, None) => "queued",
        (None, Some(FillState::Running)) => "running",
        (None, Some(FillState::Done)) => "done",
        (None, Some(FillState::Failed)) => "failed",
    };
    let percent = progress.as_ref().map_or(0, FillProgress::percent);
    let left_s = progress.as_ref().and_then(FillProgress::left).map(|left| left.as_secs());
    Filling { wish, state, percent, left_s, progress }
}

async fn wish(desk: &Desk, id: &str) -> Result<FillWish, Problem> {
    let sound = id.len() <= 64 && id.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'-');
    let found = if sound { desk.wishes.fill_wish(id).await? } else { None };
    found.ok_or_else(|| Problem::absent("filling"))
}

/// How far a filling is.
pub async fn status(State(deps): State<Arc<Deps>>, Path(id): Path<String>) -> Result<Json<Filling>, Problem> {
    let desk = desk(&deps)?;
    let wish = wish(desk, &id).await?;
    let progress = desk.work.fill_progress(&id).await?;
    Ok(Json(filling(wish, progress)))
}

/// Fillings, newest first.
pub async fn history(State(deps): State<Arc<Deps>>, RawQuery(text): RawQuery) -> Result<Json<Vec<Filling>>, Problem> {
    let desk = desk(&deps)?;
    let limit = number(&query(text.as_deref()), "limit", 20, 1, 100)?;
    let wishes = desk.wishes.fill_wishes(usize::try_from(limit).unwrap_or_default()).await?;
    let with = |wish: FillWish| async move { Ok::<_, Problem>(filling(wish.clone(), desk.work.fill_progress(&wish.id).await?)) };
    Ok(Json(futures::future::try_join_all(wishes.into_iter().map(with)).await?))
}

/// The points that a filling added.
pub async fn rows(
    State(deps): State<Arc<Deps>>,
    Path(id): Path<String>,
    RawQuery(text): RawQuery,
    headers: HeaderMap,
) -> Result<Response, Problem> {
    let desk = desk(&deps)?;
    wish(desk, &id).await?;
    let limit = number(&query(text.as_deref()), "limit", 500, 1, POOLS_MAX)?;
    let filled = desk.work.filled_by(&id, usize::try_from(limit).unwrap_or_default()).await?;
    let rows = Rows { pools: filled.into_iter().map(row).collect() };
    crate::answer::give(&rows, crate::answer::takes_gzip(&headers), deps.limits)
}

fn row(filled: FilledPool) -> FilledRow {
    let point = |point: &domain::market::PricePoint| FilledPoint { at: point.at, price_per_hour: point.price_per_hour.0 };
    let pool = PoolName { instance_type: filled.pool.instance_type, zone: filled.pool.zone };
    FilledRow { pool, points: filled.added.iter().map(point).collect() }
}

/// Takes out what a filling added.
pub async fn undo(State(deps): State<Arc<Deps>>, Path(id): Path<String>, headers: HeaderMap) -> Result<Json<Filling>, Problem> {
    let desk = desk(&deps)?;
    let mut wish = wish(desk, &id).await?;
    if wish.undo.is_none() {
        wish.undo = Some(Whose { by: asked_by(&headers), at: desk.clock.now() });
        desk.wishes.put_fill_wish(&wish).await?;
    }
    let progress = desk.work.fill_progress(&id).await?;
    Ok(Json(filling(wish, progress)))
}
