//! Chances of interruption.

use crate::Deps;
use crate::answer::{give, takes_gzip};
use crate::asked::Asked;
use crate::models::told;
use crate::problem::{Problem, faults};
use axum::body::Bytes;
use axum::extract::State;
use axum::extract::rejection::BytesRejection;
use axum::response::Response;
use domain::decision::PredictRequest;
use domain::decision::verify;
use domain::offering::{CapacityType, Pool};
use http::HeaderMap;
use std::sync::Arc;

/// The chance that an instance of a spot pool is taken back within a horizon, for each pool.
pub async fn spot_interruption(
    State(deps): State<Arc<Deps>>,
    headers: HeaderMap,
    body: Result<Bytes, BytesRejection>,
) -> Result<Response, Problem> {
    let asked = Asked::new(&headers, body, deps.limits)?;
    let gzip = takes_gzip(&headers);
    let limits = deps.limits;
    let read = tokio::task::spawn_blocking(move || {
        let question: PredictRequest = asked.read(limits)?;
        verify::question(&question).map_err(faults)?;
        Ok::<_, Problem>(question)
    });
    let question: PredictRequest = read.await.map_err(Problem::internal)??;
    let pools = question.pools.iter().map(|name| Pool {
        instance_type: name.instance_type.clone(),
        zone: name.zone.clone(),
        capacity: CapacityType::Spot,
    });
    let known = deps.library.of_pools(&question.region, pools.collect()).await;
    let engine = Arc::clone(&deps.engine);
    let work = tokio::task::spawn_blocking(move || {
        let (own, rows) = (engine.predict(&question, &known), engine.features(&question, &known));
        (question, own, rows)
    });
    let (question, own, rows) = work.await.map_err(Problem::internal)?;
    let predictions = match &deps.bench {
        Some(bench) => told(bench, &question, own, rows).await,
        None => own,
    };
    give(&predictions, gzip, deps.limits)
}
