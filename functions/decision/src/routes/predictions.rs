//! The log of predictions, and what became of them.

use super::models::bench;
use crate::answer::{give, takes_gzip};
use crate::asked::{Query, number, query};
use crate::models::compare::{Day, Score, by_day, pairs, scores};
use crate::problem::Problem;
use crate::{Deps, problem};
use axum::extract::{RawQuery, State};
use axum::response::Response;
use domain::SignedDuration;
use domain::decision::PredictionOutcome;
use domain::model::PredictionBatch;
use domain::ports::{Outcomes, PREDICTIONS_KEPT_DAYS, PredictionLog};
use http::HeaderMap;
use schemars::JsonSchema;
use serde::Serialize;
use std::sync::Arc;

/// How many batches and how many outcomes are read to be held against each other, the newest.
const HEARD_MAX: usize = 20_000;
/// How many batches one list holds at most.
const LIST_MAX: i64 = 200;

/// Predictions against what happened.
#[derive(Debug, Serialize, JsonSchema)]
pub struct Compared {
    /// How many days back.
    days: i64,
    /// How many batches of predictions were read.
    batches: u32,
    /// How many outcomes were read.
    outcomes: u32,
    /// How many outcomes have their prediction in the log.
    pairs: u32,
    /// How good each voice was, horizon by horizon.
    scores: Vec<Score>,
    /// What was told and what happened, day by day (UTC), oldest first.
    by_day: Vec<Day>,
}

/// How many days back is looked.
pub(super) fn days(query: &Query) -> Result<i64, Problem> {
    number(query, "days", 7, 1, PREDICTIONS_KEPT_DAYS)
}

/// What was predicted, newest first.
pub async fn list(State(deps): State<Arc<Deps>>, RawQuery(text): RawQuery, headers: HeaderMap) -> Result<Response, Problem> {
    let bench = bench(&deps)?;
    let query = query(text.as_deref());
    let (days, limit) = (days(&query)?, number(&query, "limit", 50, 1, LIST_MAX)?);
    let now = bench.clock.now();
    let since = now.saturating_add(-SignedDuration::from_hours(24 * days)).unwrap_or(now);
    let batches = bench.store.predictions(since, now, usize::try_from(limit).unwrap_or_default()).await?;
    give(&batches, takes_gzip(&headers), deps.limits)
}

/// Predictions and outcomes of the last days.
pub(super) async fn heard(deps: &Deps, days: i64) -> Result<(Vec<PredictionBatch>, Vec<PredictionOutcome>), Problem> {
    let bench = bench(deps)?;
    let records = deps.records.as_ref().ok_or_else(problem::no_records)?;
    let now = bench.clock.now();
    let since = now.saturating_add(-SignedDuration::from_hours(24 * days)).unwrap_or(now);
    let (log, outcomes): (&dyn PredictionLog, &dyn Outcomes) = (&*bench.store, &*records.store);
    Ok(futures::try_join!(log.predictions(since, now, HEARD_MAX), outcomes.outcomes(since, now, HEARD_MAX))?)
}

/// Predictions against what happened.
pub async fn comparison(State(deps): State<Arc<Deps>>, RawQuery(text): RawQuery, headers: HeaderMap) -> Result<Response, Problem> {
    let days = days(&query(text.as_deref()))?;
    let (batches, outcomes) = heard(&deps, days).await?;
    let judged = tokio::task::spawn_blocking(move || {
        let whole = |n: usize| u32::try_from(n).unwrap_or(u32::MAX);
        let pairs = pairs(&batches, &outcomes);
        Compared {
            days,
            batches: whole(batches.len()),
            outcomes: whole(outcomes.len()),
            pairs: whole(pairs.len()),
            scores: scores(&pairs),
            by_day: by_day(&outcomes),
        }
    });
    give(&judged.await.map_err(Problem::internal)?, takes_gzip(&headers), deps.limits)
}
