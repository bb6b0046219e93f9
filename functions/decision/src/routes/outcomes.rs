//! What became of predictions, and how good they were.

use crate::Deps;
use crate::answer::{give, takes_gzip};
use crate::asked::Asked;
use crate::calibration::{READ_MAX, judge};
use crate::problem::{Problem, faults, no_records};
use axum::body::Bytes;
use axum::extract::State;
use axum::extract::rejection::BytesRejection;
use axum::response::Response;
use domain::SignedDuration;
use domain::decision::{JUDGED_DAYS, Kept, PredictionOutcome, verify};
use domain::ports::{Clock, Outcomes};
use http::HeaderMap;
use std::sync::Arc;

/// Where outcomes are kept, and the time.
#[derive(Clone)]
pub struct Records {
    /// Where.
    pub store: Arc<dyn Outcomes>,
    /// Time: how far back is judged.
    pub clock: Arc<dyn Clock>,
}

/// Keeps what became of predictions.
pub async fn keep(State(deps): State<Arc<Deps>>, headers: HeaderMap, body: Result<Bytes, BytesRejection>) -> Result<Response, Problem> {
    let records = records(&deps)?;
    let asked = Asked::new(&headers, body, deps.limits)?;
    let outcomes: Vec<PredictionOutcome> = asked.read_list(deps.limits)?;
    verify::outcomes(&outcomes).map_err(faults)?;
    records.store.put_outcomes(&outcomes).await?;
    give(&Kept { kept: u32::try_from(outcomes.len()).unwrap_or(u32::MAX) }, takes_gzip(&headers), deps.limits)
}

/// How good predictions of the last months were, horizon by horizon.
pub async fn calibration(State(deps): State<Arc<Deps>>, headers: HeaderMap) -> Result<Response, Problem> {
    let records = records(&deps)?;
    let now = records.clock.now();
    let since = now.saturating_add(-SignedDuration::from_hours(24 * JUDGED_DAYS)).unwrap_or(now);
    let outcomes = records.store.outcomes(since, now, READ_MAX).await?;
    let judged = tokio::task::spawn_blocking(move || judge(&outcomes)).await.map_err(Problem::internal)?;
    give(&judged, takes_gzip(&headers), deps.limits)
}

fn records(deps: &Deps) -> Result<&Records, Problem> {
    deps.records.as_ref().ok_or_else(no_records)
}
