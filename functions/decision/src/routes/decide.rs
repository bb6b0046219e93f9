//! Moves for a cluster.

use crate::Deps;
use crate::answer::{give, takes_gzip};
use crate::asked::{Asked, unsupported};
use crate::problem::{Document, Problem};
use axum::body::Bytes;
use axum::extract::State;
use axum::extract::rejection::BytesRejection;
use axum::response::Response;
use domain::decision::verify;
use domain::decision::{CONTRACT_VERSION, DecisionAnswer, DecisionRequest, DecisionType};
use http::{HeaderMap, StatusCode};
use std::sync::Arc;

type Body = Result<Bytes, BytesRejection>;

macro_rules! decision {
    ($(#[$doc:meta])* $name:ident, $path:literal, $kind:expr) => {
        $(#[$doc])*
        #[utoipa::path(
            post,
            path = $path,
            tag = "decision",
            security(("api_key" = []), ("bearer" = [])),
            request_body(
                description = "The cluster and what is wanted of it. JSON, plain or with `Content-Encoding: gzip`; or the same JSON \
                               packed, as `application/gzip`, for gateways that take what calls itself JSON for text.",
                content((DecisionRequest = "application/json"), ("application/gzip"))
            ),
            responses(
                (status = 200, description = "The moves; gzip where the caller accepts it.", body = DecisionAnswer),
                (status = 400, description = "The body cannot be read.", body = Document, content_type = "application/problem+json"),
                (status = 401, description = "The key is missing or wrong.", body = Document, content_type = "application/problem+json"),
                (status = 413, description = "The body is too large.", body = Document, content_type = "application/problem+json"),
                (status = 415, description = "The body is not JSON.", body = Document, content_type = "application/problem+json"),
                (status = 422, description = "Another version or path, a request that contradicts itself, or an answer that is too large.",
                 body = Document, content_type = "application/problem+json"),
                (status = 500, description = "A fault of the server.", body = Document, content_type = "application/problem+json"),
            )
        )]
        pub async fn $name(State(deps): State<Arc<Deps>>, headers: HeaderMap, body: Body) -> Result<Response, Problem> {
            decide(deps, $kind, &headers, body).await
        }
    };
}

decision!(
    /// On-demand to spot, spot to better spot, and back to on-demand where spot is too risky.
    spot_optimize, "/api/v1/ml/decision/spot-optimize", DecisionType::SpotOptimize);
decision!(
    /// Fewer or cheaper nodes for the same pods.
    bin_pack, "/api/v1/ml/decision/bin-pack", DecisionType::BinPack);
decision!(
    /// Nodes of a size that fits what they carry, one for one.
    rightsize, "/api/v1/ml/decision/rightsize", DecisionType::Rightsize);

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
