//! Moves for a cluster.

use crate::Deps;
use crate::answer::{give, takes_gzip};
use crate::asked::{Asked, unsupported};
use crate::problem::Problem;
use axum::body::Bytes;
use axum::extract::State;
use axum::extract::rejection::BytesRejection;
use axum::response::Response;
use domain::decision::verify;
use domain::decision::{CONTRACT_VERSION, DecisionAnswer, DecisionRequest, DecisionType};
use http::{HeaderMap, StatusCode};
use std::sync::Arc;

type Body = Result<Bytes, BytesRejection>;

/// On-demand to spot, spot to better spot, and back to on-demand where spot is too risky.
pub async fn spot_optimize(State(deps): State<Arc<Deps>>, headers: HeaderMap, body: Body) -> Result<Response, Problem> {
    decide(deps, DecisionType::SpotOptimize, &headers, body).await
}

/// Fewer or cheaper nodes for the same pods.
pub async fn bin_pack(State(deps): State<Arc<Deps>>, headers: HeaderMap, body: Body) -> Result<Response, Problem> {
    decide(deps, DecisionType::BinPack, &headers, body).await
}

/// Nodes of a size that fits what they carry, one for one.
pub async fn rightsize(State(deps): State<Arc<Deps>>, headers: HeaderMap, body: Body) -> Result<Response, Problem> {
    decide(deps, DecisionType::Rightsize, &headers, body).await
}

async fn decide(deps: Arc<Deps>, kind: DecisionType, headers: &HeaderMap, body: Body) -> Result<Response, Problem> {
    let asked = Asked::new(headers, body, deps.limits)?;
    let gzip = takes_gzip(headers);
    // Seconds of pure work for the largest clusters: not where others wait. A panic stays in there, too.
    let work = tokio::task::spawn_blocking(move || {
        let request: DecisionRequest = asked.read(deps.limits)?;
        let id = request.request_id.clone();
        answer(&deps, kind, request).and_then(|answer| give(&answer, gzip, deps.limits)).map_err(|problem| problem.of_request(&id))
    });
    work.await.map_err(Problem::internal)?
}

fn answer(deps: &Deps, kind: DecisionType, request: DecisionRequest) -> Result<DecisionAnswer, Problem> {
    if request.version != CONTRACT_VERSION {
        return Err(unsupported(request.version));
    }
    if request.decision_type != kind {
        let detail = format!(
            "The path asks for {} and the body for {}. Post it to /api/v1/ml/decision/{}.",
            kind.as_str(),
            request.decision_type.as_str(),
            request.decision_type.path()
        );
        return Err(Problem::new(StatusCode::UNPROCESSABLE_ENTITY, "wrong-path", detail));
    }
    verify::request(&request).map_err(Problem::faults)?;
    let answer = deps.engine.decide(&request);
    Ok(DecisionAnswer { version: CONTRACT_VERSION, request_id: request.request_id, ..answer })
}
