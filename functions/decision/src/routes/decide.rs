//! Moves for a cluster.

use crate::Deps;
use crate::answer::{give, takes_gzip};
use crate::asked::{Asked, unsupported};
use crate::problem::{Problem, faults, of_request};
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
    let limits = deps.limits;
    // Reading a large body takes a while, and deciding seconds of pure work: not where others wait. A panic stays in there, too.
    let read = tokio::task::spawn_blocking(move || {
        let request: DecisionRequest = asked.read(limits)?;
        let id = request.request_id.clone();
        checked(kind, request).map_err(|problem| of_request(problem, &id))
    });
    let request: DecisionRequest = read.await.map_err(Problem::internal)??;
    let zones = request.snapshot.subnets.iter().map(|subnet| subnet.zone.clone()).collect();
    let known = deps.library.of_zones(&request.snapshot.region, &zones).await;
    let work = tokio::task::spawn_blocking(move || {
        let answer = deps.engine.decide(&request, &known);
        let id = request.request_id;
        let answer = DecisionAnswer { version: CONTRACT_VERSION, request_id: id.clone(), ..answer };
        give(&answer, gzip, limits).map_err(|problem| of_request(problem, &id))
    });
    work.await.map_err(Problem::internal)?
}

/// The request, if it is of our version and of this path, and does not contradict itself.
fn checked(kind: DecisionType, request: DecisionRequest) -> Result<DecisionRequest, Problem> {
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
    verify::request(&request).map_err(faults)?;
    Ok(request)
}
