//! Errors as RFC 9457 problem documents: what is wrong, and what the caller can do about it. Nothing of our inside.

use axum::extract::{MatchedPath, Request, State};
use axum::middleware::Next;
use axum::response::{IntoResponse, Response};
use http::header::{CONTENT_LENGTH, CONTENT_TYPE, HeaderValue, RETRY_AFTER, WWW_AUTHENTICATE};
use http::{HeaderMap, StatusCode};
use serde_json::{Map, Value, json};

mod from;

/// The media type of the documents.
pub const MEDIA_TYPE: &str = "application/problem+json";

/// What a server says where the framework answers by itself.
#[derive(Debug, Clone, Copy)]
pub struct Manners {
    /// Where nothing is at a path.
    pub no_such_route: &'static str,
    /// Where a body is too large.
    pub body_too_large: &'static str,
}

/// Why a request was not done. Becomes a document in [`render`], which knows the path.
#[derive(Debug, Clone)]
pub struct Problem(Box<Parts>);

#[derive(Debug, Clone)]
struct Parts {
    status: StatusCode,
    code: &'static str,
    detail: String,
    more: Map<String, Value>,
    retry_after_s: Option<i64>,
    cause: Option<String>,
}

impl Problem {
    /// A problem. `code` is for programs and never changes its meaning; `detail` is for people and says what to do.
    pub fn new(status: StatusCode, code: &'static str, detail: impl Into<String>) -> Self {
        Problem(Box::new(Parts { status, code, detail: detail.into(), more: Map::new(), retry_after_s: None, cause: None }))
    }

    /// Adds a member to the document.
    #[must_use]
    pub fn with(mut self, name: &str, value: Value) -> Self {
        self.0.more.insert(name.to_owned(), value);
        self
    }

    /// Says when to try again, in seconds.
    #[must_use]
    pub fn retry_after(mut self, seconds: i64) -> Self {
        self.0.retry_after_s = Some(seconds.max(1));
        self
    }

    /// What was behind it: for the log, never for the caller.
    #[must_use]
    pub fn because(mut self, cause: impl std::fmt::Display) -> Self {
        self.0.cause = Some(cause.to_string());
        self
    }

    /// The object is not there, or is another customer's: the two look alike.
    pub fn absent(what: &str) -> Self {
        Problem::new(StatusCode::NOT_FOUND, "not-found", format!("There is no such {what}. Look its id up in the list of those you have."))
    }

    /// Something that should not happen, and that the caller cannot mend.
    pub fn internal(cause: impl std::fmt::Display) -> Self {
        let detail = "Something went wrong on our side and is in our log. Try again; tell us if it stays.";
        Problem::new(StatusCode::INTERNAL_SERVER_ERROR, "internal", detail).because(cause)
    }

    /// For answers that the web framework gives by itself.
    fn of_status(status: StatusCode, manners: Manners) -> Self {
        let (code, detail) = match status {
            StatusCode::NOT_FOUND => ("no-such-route", manners.no_such_route),
            StatusCode::METHOD_NOT_ALLOWED => {
                ("method-not-allowed", "This path does not take this method. The header Allow lists those it takes.")
            }
            StatusCode::PAYLOAD_TOO_LARGE => ("body-too-large", manners.body_too_large),
            StatusCode::UNSUPPORTED_MEDIA_TYPE => ("not-json", "Send the body as JSON, with Content-Type: application/json."),
            _ if status.is_client_error() => ("bad-request", "The request cannot be read. Check its path, query and body."),
            _ => return Problem::internal("the framework answered by itself").with_status(status),
        };
        Problem::new(status, code, detail)
    }

    fn with_status(mut self, status: StatusCode) -> Self {
        self.0.status = status;
        self
    }

    fn document(&self, path: &str) -> Value {
        let Parts { status, code, detail, more, .. } = &*self.0;
        let mut document = json!({
            "type": format!("urn:cloudoptim:problem:{code}"),
            "title": status.canonical_reason().unwrap_or("Error"),
            "status": status.as_u16(),
            "detail": detail,
            "instance": path,
            "code": code,
        });
        if let Value::Object(fields) = &mut document {
            fields.extend(more.clone());
        }
        document
    }

    fn response(&self, path: &str, mut headers: HeaderMap) -> Response {
        headers.remove(CONTENT_LENGTH);
        headers.insert(CONTENT_TYPE, HeaderValue::from_static(MEDIA_TYPE));
        if let Some(seconds) = self.0.retry_after_s {
            headers.insert(RETRY_AFTER, HeaderValue::from(seconds));
        }
        if self.0.status == StatusCode::UNAUTHORIZED {
            headers.insert(WWW_AUTHENTICATE, HeaderValue::from_static("Bearer realm=\"cloudoptim\""));
        }
        (self.0.status, headers, self.document(path).to_string()).into_response()
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
pub async fn render(State(manners): State<Manners>, request: Request, next: Next) -> Response {
    let (method, path) = (request.method().clone(), request.uri().path().to_owned());
    // The log has the route and not the path: whoever puts a secret into a path has it back, and nobody else reads it.
    let route = request.extensions().get::<MatchedPath>().map_or_else(|| "none".to_owned(), |route| route.as_str().to_owned());
    let mut response = next.run(request).await;
    let status = response.status();
    let problem = response.extensions_mut().remove::<Problem>();
    let problem = match problem {
        // A document that was handed on from another server is one already.
        None if (status.is_client_error() || status.is_server_error()) && !is_document(response.headers()) => {
            Some(Problem::of_status(status, manners))
        }
        other => other,
    };
    let (code, cause) = problem.as_ref().map_or(("", None), |p| (p.0.code, p.0.cause.as_deref()));
    if status.is_server_error() {
        tracing::error!(%method, route, status = status.as_u16(), code, cause, "Answered a request");
    } else {
        tracing::info!(%method, route, status = status.as_u16(), code, cause, "Answered a request");
    }
    match problem {
        Some(problem) => problem.response(&path, std::mem::take(response.headers_mut())),
        None => response,
    }
}

fn is_document(headers: &HeaderMap) -> bool {
    headers.get(CONTENT_TYPE).is_some_and(|media| media == MEDIA_TYPE)
}
