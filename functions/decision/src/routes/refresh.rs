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
use domain::market::{Part, ReadRun, RefreshWish, Schedule};
use domain::ports::StoreError;
use domain::{SignedDuration, Timestamp};
use http::{HeaderMap, HeaderName, StatusCode, header};
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
    /// The fewest minutes that can be set: the source says nothing new more often.
    fewest_minutes: u32,
    /// The most: older than that, plans would stand still or rest on what is no more.
    most_minutes: u32,
    /// Who set the schedule; null: nobody, it is as it was built in.
    set_by: Option<String>,
    /// When.
    set_at: Option<Timestamp>,
}

/// How often parts are to be read. What is left out stays as it is.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Change {
    /// Spot prices, every so many minutes: 3 to 15.
    #[serde(default)]
    pub spot_prices_minutes: Option<u32>,
    /// On-demand prices, every so many minutes: 360 to 10,080.
    #[serde(default)]
    pub on_demand_minutes: Option<u32>,
    /// The Spot Advisor's file, every so many minutes: 60 to 1,440.
    #[serde(default)]
    pub advisor_minutes: Option<u32>,
}

async fn of(desk: &Desk, region: Region) -> Result<Status, Problem> {
    let now = desk.clock.now();
    let (refreshed, wish, schedule) =
        futures::try_join!(desk.market.refreshed(&region), desk.wishes.refresh_wish(&region), desk.wishes.schedule())?;
    let wanted = refreshed.wanted(wish.as_ref(), &schedule, now);
    let due = refreshed.due(&schedule, now);
    let part = |part: Part| {
        let read_at = refreshed.at(part);
        let next =
            read_at.and_then(|at| at.saturating_add(schedule.interval(part)).ok()).filter(|next| *next > now && !wanted.contains(&part));
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

/// The schedule, and what its version is called.
type Shown = ([(HeaderName, String); 1], Json<Vec<Interval>>);

fn tag(schedule: &Schedule) -> String {
    format!("\"{}\"", schedule.version)
}

fn shown(schedule: &Schedule) -> Shown {
    let of = |part: Part| {
        let (fewest_minutes, most_minutes) = part.bounds();
        let (minutes, tick_minutes) = (schedule.interval(part).as_mins(), TICK.as_mins());
        Interval { part, minutes, tick_minutes, fewest_minutes, most_minutes, set_by: schedule.by.clone(), set_at: schedule.at }
    };
    ([(header::ETAG, tag(schedule))], Json(Part::ALL.into_iter().map(of).collect()))
}

/// How often each part is read.
pub async fn schedule(State(deps): State<Arc<Deps>>) -> Result<Shown, Problem> {
    Ok(shown(&desk(&deps)?.wishes.schedule().await?))
}

/// Sets how often parts are read. The function `market` goes by it from its next tick on.
pub async fn set_schedule(
    State(deps): State<Arc<Deps>>,
    headers: HeaderMap,
    body: Result<Bytes, BytesRejection>,
) -> Result<Shown, Problem> {
    let desk = desk(&deps)?;
    let change: Change = Asked::new(&headers, body, deps.limits)?.read(deps.limits)?;
    let now = desk.wishes.schedule().await?;
    matching(&headers, &tag(&now))?;
    let next = Schedule {
        spot_prices_minutes: change.spot_prices_minutes.unwrap_or(now.spot_prices_minutes),
        on_demand_minutes: change.on_demand_minutes.unwrap_or(now.on_demand_minutes),
        advisor_minutes: change.advisor_minutes.unwrap_or(now.advisor_minutes),
        by: Some(asked_by(&headers)),
        at: Some(desk.clock.now()),
        version: now.version + 1,
    };
    let faults: Vec<String> = next.faults().into_iter().map(|(_, why)| why).collect();
    if !faults.is_empty() {
        return Err(Problem::new(StatusCode::UNPROCESSABLE_ENTITY, "invalid-schedule", format!("{}.", faults.join("; "))));
    }
    match desk.wishes.put_schedule(&next).await {
        Ok(()) => {}
        Err(StoreError::Conflict) => return Err(stale()),
        Err(other) => return Err(other.into()),
    }
    tracing::info!(version = next.version, by = next.by, "The schedule of the market was set");
    Ok(shown(&next))
}

/// Whether If-Match is there and names the version that holds.
fn matching(headers: &HeaderMap, tag: &str) -> Result<(), Problem> {
    let Some(wanted) = headers.get(header::IF_MATCH) else {
        let detail = "Read it first and send its ETag as If-Match, so that no change of somebody else is lost.";
        return Err(Problem::new(StatusCode::PRECONDITION_REQUIRED, "if-match-missing", detail));
    };
    let wanted = wanted.to_str().unwrap_or_default();
    if wanted.split(',').map(str::trim).any(|one| one == "*" || one == tag) { Ok(()) } else { Err(stale()) }
}

fn stale() -> Problem {
    let detail = "It was changed since you read it. Read it again, look at the change, and repeat yours with the new ETag.";
    Problem::new(StatusCode::PRECONDITION_FAILED, "stale-version", detail)
}
