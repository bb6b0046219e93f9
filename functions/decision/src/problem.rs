//! Errors as RFC 9457 problem documents: what is wrong, and what the caller can do about it. Nothing of our inside.

use axum::extract::Request;
use axum::middleware::Next;
use axum::response::{IntoResponse, Response};
use domain::decision::verify::Refusal;
use http::header::{CONTENT_LENGTH, CONTENT_TYPE, HeaderValue, WWW_AUTHENTICATE};
use http::{HeaderMap, StatusCode};
use serde::Serialize;

/// The media type of the documents.
pub const MEDIA_TYPE: &str = "application/problem+json";

/// Why a request was not answered. Becomes a [`Document`] in [`render`], which knows the path.
#[derive(Debug, Clone)]
pub struct Problem(Box<Parts>);

#[derive(Debug, Clone)]
struct Parts {
    status: StatusCode,
    code: &'static str,
    detail: String,
    request_id: Option<String>,
    errors: Vec<Fault>,
    cause: Option<String>,
}

/// What callers get of a [`Problem`].
#[derive(Debug, Serialize, schemars::JsonSchema)]
#[schemars(rename = "Problem")]
pub struct Document {
    /// `urn:cloudoptim:problem:` and the code.
    r#type: String,
    /// The status in words.
    title: String,
    /// The status.
    status: u16,
    /// What is wrong and what to do, for a person.
    detail: String,
    /// The path that was called.
    instance: String,
    /// For programs. Never changes its meaning.
    code: String,
    /// The id of the request, as far as it could be read.
    #[serde(skip_serializing_if = "Option::is_none")]
    request_id: Option<String>,
    /// Everything that is wrong with a request that contradicts itself.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    #[schemars(default)]
    errors: Vec<Fault>,
}

/// One thing that is wrong with a request.
#[derive(Debug, Clone, Serialize, schemars::JsonSchema)]
pub struct Fault {
    /// Which rule says so.
    rule: &'static str,
    /// The field or object.
    object: String,
    /// The sentence.
    detail: String,
}

impl Problem {
    /// A problem. `code` is for programs and never changes its meaning; `detail` is for people and says what to do.
    pub fn new(status: StatusCode, code: &'static str, detail: impl Into<String>) -> Self {
        Problem(Box::new(Parts { status, code, detail: detail.into(), request_id: None, errors: Vec::new(), cause: None }))
    }

    /// What was behind it: for the log, never for the caller.
    #[must_use]
    pub fn because(mut self, cause: impl std::fmt::Display) -> Self {
        self.0.cause = Some(cause.to_string());
        self
    }

    /// Which request it is about.
    #[must_use]
    pub fn of_request(mut self, id: &str) -> Self {
        self.0.request_id = Some(domain::decision::verify::harmless(id, 128));
        self
    }

    /// A request that contradicts itself.
    pub fn faults(refusals: Vec<Refusal>) -> Self {
        let detail = format!("{}. `errors` says all that is wrong.", refusals.first().map_or("The request is wrong", |first| &first.why));
        let mut problem = Problem::new(StatusCode::UNPROCESSABLE_ENTITY, "invalid-request", detail);
        let faults = refusals.into_iter();
        problem.0.errors =
            faults.map(|refusal| Fault { rule: refusal.rule.as_str(), object: refusal.object, detail: refusal.why }).collect();
        problem
    }

    /// Something that should not happen, and that the caller cannot mend.
    pub fn internal(cause: impl std::fmt::Display) -> Self {
        let detail = "Something went wrong on our side and is in our log. Try again; tell us if it stays.";
        Problem::new(StatusCode::INTERNAL_SERVER_ERROR, "internal", detail).because(cause)
    }

    /// For answers that the web framework gives by itself.
    fn of_status(status: StatusCode) -> Self {
        match status {
            StatusCode::NOT_FOUND => {
                Problem::new(status, "no-such-route", "There is nothing at this path. GET /api/v1/ml/openapi.json lists all paths.")
            }
            StatusCode::METHOD_NOT_ALLOWED => {
                Problem::new(status, "method-not-allowed", "This path does not take this method. The header Allow lists those it takes.")
            }
            _ if status.is_client_error() => Problem::new(status, "bad-request", "The request cannot be read. Check its path and body."),
            _ => {
                let mut problem = Problem::internal("the framework answered by itself");
                problem.0.status = status;
                problem
            }
        }
    }

    fn response(self, path: String, mut headers: HeaderMap) -> Response {
        let Parts { status, code, detail, request_id, errors, .. } = *self.0;
        let document = Document {
            r#type: format!("urn:cloudoptim:problem:{code}"),
            title: status.canonical_reason().unwrap_or("Error").to_owned(),
            status: status.as_u16(),
            detail,
            instance: path,
            code: code.to_owned(),
            request_id,
            errors,
        };
        headers.remove(CONTENT_LENGTH);
        headers.insert(CONTENT_TYPE, HeaderValue::from_static(MEDIA_TYPE));
        if status == StatusCode::UNAUTHORIZED {
            headers.insert(WWW_AUTHENTICATE, HeaderValue::from_static("Bearer realm=\"cloudoptim\""));
        }
        let body = serde_json::to_string(&document).unwrap_or_default();
        (status, headers, body).into_response()
    }
}

impl IntoResponse for Problem {
    fn into_response(self) -> Response {
        let mut response = self.0.status.into_response();
        response.extensions_mut().insert(self);
        response
    }
}

/// The outermost layer: makes a document of every error, ours or the framework's, and logs one line per request.
pub async fn render(request: Request, next: Next) -> Response {
    let (method, path) = (request.method().clone(), request.uri().path().to_owned());
    let mut response = next.run(request).await;
    let status = response.status();
    let problem = match response.extensions_mut().remove::<Problem>() {
        None if status.is_client_error() || status.is_server_error() => Some(Problem::of_status(status)),
        other => other,
    };
    let (code, cause) = problem.as_ref().map_or(("", None), |p| (p.0.code, p.0.cause.as_deref()));
    if status.is_server_error() {
        tracing::error!(%method, path, status = status.as_u16(), code, cause, "Answered a request");
    } else {
        tracing::info!(%method, path, status = status.as_u16(), code, cause, "Answered a request");
    }
    match problem {
        Some(problem) => problem.response(path, std::mem::take(response.headers_mut())),
        None => response,
    }
}
