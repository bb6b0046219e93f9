//! When the market is read: asked for, shown, remembered.

use super::gaps::{desk, region};
use crate::asked::{Asked, asked_by, number, query};
use crate::problem::Problem;
use crate::{Deps, Desk};
use axum::Json;
use axum::body::Bytes;
use axum::extract::rejection::BytesRejection;
use axum::extract::{RawQuery, State};
use domain::ids::Region;
use domain::market::{Part, ReadRun, RefreshWish};
use domain::{SignedDuration, Timestamp};
use http::HeaderMap;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use std::sync::Arc;

/// How often the function `market` looks for what is due: its schedule in `template.yaml`.
const TICK: SignedDuration = SignedDuration::from_mins(3);

/// What is to be read anew.
#[derive(Debug, Deserialize, JsonSchema)]
pub struct Trigger {
    /// The Region. Only Regions that have a cluster are read.
    pub region: Region,
    /// The parts; none: all of them.
    #[serde(default)]
    pub parts: Vec<Part>,
}

/// When a Region's market was read.
#[derive(Debug, Serialize, JsonSchema)]
pub struct Status {
    /// The Region.
    region: Region,
    /// Its parts.
    parts: Vec<PartStatus>,
    /// What was asked for last; null: nothing.
    wish: Option<RefreshWish>,
}

/// When one part was read.
#[derive(Debug, Serialize, JsonSchema)]
pub struct PartStatus {
    /// The part.
    part: Part,
    /// When it was last read with success; null: never.
    read_at: Option<Timestamp>,
    /// When it is read next, give or take a tick.
    due_at: Timestamp,
    /// Whether somebody asked for it and it was not read since.
    asked_for: bool,
}

/// How often a part is read.
#[derive(Debug, Serialize, JsonSchema)]
pub struct Interval {
    /// The part.
    part: Part,
    /// Every so many minutes.
    minutes: i64,
    /// Looked for every so many minutes.
    tick_minutes: i64,
}

async fn of(desk: &Desk, region: Region) -> Result<Status, Problem> {
    let now = desk.clock.now();
    let (refreshed, wish) = futures::try_join!(desk.market.refreshed(&region), desk.wishes.refresh_wish(&region))?;
    let wanted = refreshed.wanted(wish.as_ref(), now);
    let due = refreshed.due(now);
    let part = |part: Part| {
        let read_at = refreshed.at(part);
        let next = read_at.and_then(|at| at.saturating_add(part.interval()).ok()).filter(|next| *next > now && !wanted.contains(&part));
        PartStatus { part, read_at, due_at: next.unwrap_or(now), asked_for: wanted.contains(&part) && !due.contains(&part) }
    };
    Ok(Status { parts: Part::ALL.into_iter().map(part).collect(), region, wish })
}

/// Asks for parts to be read anew.
pub async fn trigger(
    State(deps): State<Arc<Deps>>,
    headers: HeaderMap,
    body: Result<Bytes, BytesRejection>,
) -> Result<Json<Status>, Problem> {
    let desk = desk(&deps)?;
    let asked: Trigger = Asked::new(&headers, body, deps.limits)?.read(deps.limits)?;
    let parts = if asked.parts.is_empty() { Part::ALL.to_vec() } else { asked.parts };
    let wish = RefreshWish { region: asked.region.clone(), parts, by: asked_by(&headers), at: desk.clock.now() };
    desk.wishes.put_refresh_wish(&wish).await?;
    Ok(Json(of(desk, asked.region).await?))
}

/// When the parts of a Region were read.
pub async fn status(State(deps): State<Arc<Deps>>, RawQuery(text): RawQuery) -> Result<Json<Status>, Problem> {
    Ok(Json(of(desk(&deps)?, region(&query(text.as_deref()))?).await?))
}

/// Runs over the market, newest first.
pub async fn history(State(deps): State<Arc<Deps>>, RawQuery(text): RawQuery) -> Result<Json<Vec<ReadRun>>, Problem> {
    let desk = desk(&deps)?;
    let query = query(text.as_deref());
    let (days, limit) = (number(&query, "days", 2, 1, 30)?, number(&query, "limit", 100, 1, 1_000)?);
    let now = desk.clock.now();
    let since = now.saturating_add(-SignedDuration::from_hours(24 * days)).unwrap_or(now);
    Ok(Json(desk.work.runs(since, now, usize::try_from(limit).unwrap_or_default()).await?))
}

/// How often each part is read.
pub async fn schedule() -> Json<Vec<Interval>> {
    let of = |part: Part| Interval { part, minutes: part.interval().as_mins(), tick_minutes: TICK.as_mins() };
    Json(Part::ALL.into_iter().map(of).collect())
}
