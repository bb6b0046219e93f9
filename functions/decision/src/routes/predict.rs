//! Chances of interruption.

use crate::Deps;
use crate::answer::{give, takes_gzip};
use crate::asked::Asked;
use crate::problem::{Document, Problem};
use axum::body::Bytes;
use axum::extract::State;
use axum::extract::rejection::BytesRejection;
use axum::response::Response;
use domain::decision::verify;
use domain::decision::{PredictRequest, Prediction};
use http::HeaderMap;
use std::sync::Arc;

/// The chance that an instance of a spot pool is taken back within a horizon, for each pool.
#[utoipa::path(
    post,
    path = "/api/v1/ml/predict/spot-interruption",
    tag = "prediction",
    security(("api_key" = []), ("bearer" = [])),
    request_body(
        description = "The pools and the horizon.",
        content((PredictRequest = "application/json"), ("application/gzip"))
    ),
    responses(
        (status = 200, description = "The chances; gzip where the caller accepts it.", body = Vec<Prediction>),
        (status = 400, description = "The body cannot be read.", body = Document, content_type = "application/problem+json"),
        (status = 401, description = "The key is missing or wrong.", body = Document, content_type = "application/problem+json"),
        (status = 413, description = "The body is too large.", body = Document, content_type = "application/problem+json"),
        (status = 415, description = "The body is not JSON.", body = Document, content_type = "application/problem+json"),
        (status = 422, description = "A question that cannot be answered.", body = Document, content_type = "application/problem+json"),
        (status = 500, description = "A fault of the server.", body = Document, content_type = "application/problem+json"),
    )
)]
pub async fn spot_interruption(
    State(deps): State<Arc<Deps>>,
    headers: HeaderMap,
    body: Result<Bytes, BytesRejection>,
) -> Result<Response, Problem> {
    let asked = Asked::new(&headers, body, deps.limits)?;
    let gzip = takes_gzip(&headers);
    let work = tokio::task::spawn_blocking(move || {
        let question: PredictRequest = asked.read(deps.limits)?;
        verify::question(&question).map_err(Problem::faults)?;
        give(&deps.engine.predict(&question), gzip, deps.limits)
    });
    work.await.map_err(Problem::internal)?
}
