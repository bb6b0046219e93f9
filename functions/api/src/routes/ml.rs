//! The decision server, through us: the same paths, for the keys of this API. What is asked is handed on, what is answered comes back.
//!
//! A key of ours opens no other server: it is not handed on, and the decision server's own key goes no further than there. Only these
//! paths are open; whatever else a server offers is for those who run it.

use super::{MANAGE, READ, Route};
use crate::Deps;
use crate::auth::{Caller, operator_only};
use crate::desk::Desk;
use crate::problem::Problem;
use axum::body::to_bytes;
use axum::extract::Request;
use axum::response::{IntoResponse, Response};
use axum::routing::{MethodRouter, get};
use http::{HeaderMap, HeaderValue, Method, StatusCode, header};
use runtime::http::{Answer, HttpError, Limits};
use runtime::web::answer::{send, takes_gzip};
use runtime::web::problem::MEDIA_TYPE;
use serde::de::IgnoredAny;
use serde_json::Value;
use std::sync::Arc;

/// The largest body that is handed on, in bytes: what Lambda takes.
const BODY_BYTES_MAX: usize = 6_000_000;
/// The largest answer that is handed back, in bytes: Lambda's 6 MB hold it base64-encoded.
const ANSWER_BYTES_MAX: usize = 4_400_000;
/// How to ask for less.
const NARROW: &str = "Accept gzip, or ask for fewer nodes or pools at once.";
/// Headers of a request that say what its body is, and which version it was made for.
const HANDED_ON: [header::HeaderName; 3] = [header::CONTENT_TYPE, header::CONTENT_ENCODING, header::IF_MATCH];

/// What the decision server is given: an answer before the gateway gives up after 30 s, and no more than fits into the memory.
pub const LIMITS: Limits = Limits { connect_s: 2, whole_s: 25, wire_bytes_max: 6_000_000, plain_bytes_max: 32_000_000 };

/// Something of the decision server that everybody may read: what the market says, how good predictions were.
pub(super) const fn read(path: &'static str, asks: &'static [&'static str], does: &'static str) -> Route {
    Route::new(Method::GET, path, READ, || get(forward), does).asks(asks).gives::<Value>().passed_on()
}

/// Something that whoever runs this control plane may read.
pub(super) const fn inspect(path: &'static str, asks: &'static [&'static str], does: &'static str) -> Route {
    Route::new(Method::GET, path, MANAGE, || get(forward_for_operator), does).asks(asks).gives::<Value>().passed_on()
}

/// Something that they may change. It goes through the trail, and is done once under an `Idempotency-Key`.
pub(super) const fn manage(method: Method, path: &'static str, handler: fn() -> MethodRouter<Arc<Deps>>, does: &'static str) -> Route {
    Route::new(method, path, MANAGE, handler, does).gives::<Value>().foreign()
}

/// Hands a request on, and its answer back.
///
/// # Errors
/// 413 where the body is too large, 502 to 504 where the decision server gives no answer that could be handed back.
pub async fn forward(Desk(deps): Desk, request: Request) -> Result<Response, Problem> {
    hand_on(&deps, request, None).await
}

/// The same for what concerns every customer: models, who answers, what the market is asked, and what was predicted for whom it may be. It
/// is told who asks.
///
/// # Errors
/// As [`forward`], and 403 for all but whoever runs this control plane.
pub async fn forward_for_operator(Desk(deps): Desk, caller: Caller, request: Request) -> Result<Response, Problem> {
    operator_only(&caller)?;
    hand_on(&deps, request, Some(&caller)).await
}

async fn hand_on(deps: &Deps, request: Request, caller: Option<&Caller>) -> Result<Response, Problem> {
    let Some(server) = &deps.ml else {
        let detail = "No decision server is set up here. Set ML_SERVER_URL and ML_SERVER_API_KEY.";
        return Err(Problem::new(StatusCode::SERVICE_UNAVAILABLE, "no-ml-server", detail));
    };
    let (parts, body) = request.into_parts();
    let path = parts.uri.path();
    if !path.bytes().all(|b| b.is_ascii_alphanumeric() || b"/-_.".contains(&b)) || path.contains("..") {
        return Err(Problem::absent("path"));
    }
    let body = to_bytes(body, BODY_BYTES_MAX).await.map_err(|_| {
        let detail = format!("The body is larger than {BODY_BYTES_MAX} bytes as it travels, or broke off. Pack it with gzip.");
        Problem::new(StatusCode::PAYLOAD_TOO_LARGE, "body-too-large", detail)
    })?;
    let target = parts.uri.path_and_query().map_or(path, |target| target.as_str());
    let mut on = http::Request::builder().method(parts.method.clone()).uri(target).header(header::ACCEPT, "application/json");
    for name in HANDED_ON {
        if let Some(value) = parts.headers.get(&name) {
            on = on.header(name, value);
        }
    }
    if let Some(caller) = caller {
        let who: String =
            format!("{} ({})", caller.label, caller.credential).chars().map(|c| if c.is_ascii_graphic() { c } else { ' ' }).collect();
        on = on.header("x-asked-by", who);
    }
    let answer = server.send(on.body(body.to_vec()).map_err(Problem::internal)?).await.map_err(down)?;
    back(answer, &parts.headers)
}

/// What is handed back: JSON that is some, and problems of the request. All else is a fault of the server behind us.
fn back(answer: Answer, asked: &HeaderMap) -> Result<Response, Problem> {
    let (status, media) = (answer.status, answer.media_type());
    let json = || serde_json::from_slice::<IgnoredAny>(&answer.body).is_ok();
    match status {
        StatusCode::OK | StatusCode::ACCEPTED if media == "application/json" && json() => {
            let tag = answer.headers.get(header::ETAG).cloned();
            let once = answer.headers.get(header::CACHE_CONTROL).filter(|said| *said == "no-store").cloned();
            let mut response = send(answer.body, takes_gzip(asked), ANSWER_BYTES_MAX, NARROW)?;
            *response.status_mut() = status;
            response.headers_mut().extend(tag.map(|tag| (header::ETAG, tag)));
            // What is shown once is kept nowhere on the way, nor for an Idempotency-Key.
            response.headers_mut().extend(once.map(|once| (header::CACHE_CONTROL, once)));
            Ok(response)
        }
        StatusCode::UNAUTHORIZED | StatusCode::FORBIDDEN => {
            let detail = "The decision server does not accept the key that is set up here. Correct ML_SERVER_API_KEY.";
            Err(Problem::new(StatusCode::BAD_GATEWAY, "ml-server-unauthorized", detail))
        }
        StatusCode::TOO_MANY_REQUESTS | StatusCode::SERVICE_UNAVAILABLE => {
            let detail = "The decision server takes no more requests now. Try again after the time in Retry-After.";
            Err(Problem::new(StatusCode::SERVICE_UNAVAILABLE, "ml-server-busy", detail).retry_after(10))
        }
        _ if status.is_client_error() && media == MEDIA_TYPE && json() => {
            Ok((status, [(header::CONTENT_TYPE, HeaderValue::from_static(MEDIA_TYPE))], answer.body).into_response())
        }
        _ => {
            let detail = "The decision server failed, or gave an answer that is none. Its log says more; GET /api/v1/ml/health shows whether it runs.";
            Err(Problem::new(StatusCode::BAD_GATEWAY, "ml-server-failed", detail).because(format!("{status} {media}")))
        }
    }
}

fn down(error: HttpError) -> Problem {
    let (status, code, detail) = match &error {
        HttpError::Unreachable(_) => (
            StatusCode::BAD_GATEWAY,
            "ml-server-unreachable",
            "The decision server cannot be reached. Nothing is optimised while it is down; interruptions are handled as ever. Try again later.",
        ),
        HttpError::Slow(_) => (
            StatusCode::GATEWAY_TIMEOUT,
            "ml-server-slow",
            "The decision server did not answer in time. Ask for less at once, or try again later.",
        ),
        HttpError::TooLarge(_) => (
            StatusCode::BAD_GATEWAY,
            "ml-server-answer-too-large",
            "The decision server answered more than is handed back. Ask for less at once.",
        ),
        HttpError::Broken(_) => {
            (StatusCode::BAD_GATEWAY, "ml-server-failed", "The decision server gave an answer that cannot be unpacked.")
        }
        HttpError::Ours(_) => return Problem::internal(error),
    };
    Problem::new(status, code, detail).because(error)
}
