//! From an event of API Gateway (HTTP API) or a function URL to a request, and from an answer back: payload format 2.0 (API Gateway
//! Developer Guide, "Create AWS Lambda proxy integrations for HTTP APIs").
//!
//! Nothing of the event is read but what a request is made of. The crate `lambda_http` reads all formats of all gateways and brings the
//! tables of every encoding of text: a tenth of a megabyte in each zip.

use axum::Router;
use axum::body::{Body, to_bytes};
use axum::response::Response;
use data_encoding::BASE64;
use http::header::{COOKIE, SET_COOKIE};
use http::{HeaderName, HeaderValue, Method, Request};
use serde::Deserialize;
use serde_json::{Map, Value, json};
use std::collections::BTreeMap;
use std::fmt::Write;
use tower::ServiceExt;

/// What Lambda hands back at most (AWS Lambda Developer Guide, quotas: 6 MB for answers).
const ANSWER_MAX: usize = 6 * 1024 * 1024;

/// Why an event has no answer.
#[derive(Debug, thiserror::Error)]
pub enum NotAnswered {
    /// It is an event of something else, or of another format.
    #[error("the event is no request: {0}")]
    NotARequest(String),
    /// The answer broke off, or is larger than Lambda hands back.
    #[error("there is no answer to hand back: {0}")]
    NoAnswer(#[from] axum::Error),
}

/// Answers an event by this router.
///
/// # Errors
/// [`NotAnswered`].
pub async fn handle(router: &Router, event: Value) -> Result<Value, NotAnswered> {
    let Ok(response) = router.clone().oneshot(request(event)?).await;
    answer(response).await
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
struct Event {
    raw_path: String,
    #[serde(default)]
    raw_query_string: String,
    #[serde(default)]
    cookies: Vec<String>,
    #[serde(default)]
    headers: BTreeMap<String, String>,
    request_context: Context,
    body: Option<String>,
    #[serde(default)]
    is_base64_encoded: bool,
}

#[derive(Debug, Deserialize)]
struct Context {
    http: Called,
}

#[derive(Debug, Deserialize)]
struct Called {
    method: String,
}

/// The request that an event stands for.
fn request(event: Value) -> Result<Request<Body>, NotAnswered> {
    let not = |why: &dyn ToString| NotAnswered::NotARequest(why.to_string());
    let event: Event = serde_json::from_value(event).map_err(|error| not(&error))?;
    let mut uri = escaped(&event.raw_path);
    if !event.raw_query_string.is_empty() {
        let _infallible = write!(uri, "?{}", escaped(&event.raw_query_string));
    }
    let body = match event.body {
        None => Vec::new(),
        Some(text) if event.is_base64_encoded => BASE64.decode(text.as_bytes()).map_err(|error| not(&error))?,
        Some(text) => text.into_bytes(),
    };
    let method: Method = event.request_context.http.method.parse().map_err(|error| not(&error))?;
    let mut request = Request::builder().method(method).uri(uri).body(Body::from(body)).map_err(|error| not(&error))?;
    let headers = request.headers_mut();
    // The gateway has joined what came more than once. What is no header is left out, as any server would.
    for (name, value) in &event.headers {
        if let (Ok(name), Ok(value)) = (name.parse::<HeaderName>(), HeaderValue::from_str(value)) {
            headers.insert(name, value);
        }
    }
    if !event.cookies.is_empty()
        && let Ok(cookies) = HeaderValue::from_str(&event.cookies.join("; "))
    {
        headers.insert(COOKIE, cookies);
    }
    Ok(request)
}

/// A path or a query as it may stand in an address: a gateway may have unpacked what the client had packed.
fn escaped(text: &str) -> String {
    text.bytes().fold(String::with_capacity(text.len()), |mut written, byte| {
        if byte.is_ascii_graphic() && !b"\"<>\\^`{|}#".contains(&byte) {
            written.push(char::from(byte));
        } else {
            let _infallible = write!(written, "%{byte:02X}");
        }
        written
    })
}

/// An answer, as the gateway takes it: text as it is, everything else in base64.
async fn answer(response: Response) -> Result<Value, NotAnswered> {
    let (parts, body) = response.into_parts();
    let bytes = to_bytes(body, ANSWER_MAX).await?;
    let text = |value: &HeaderValue| String::from_utf8_lossy(value.as_bytes()).into_owned();
    let mut headers = Map::new();
    for name in parts.headers.keys().filter(|name| **name != SET_COOKIE) {
        let values: Vec<String> = parts.headers.get_all(name).iter().map(text).collect();
        headers.insert(name.as_str().to_owned(), Value::from(values.join(", ")));
    }
    let cookies: Vec<String> = parts.headers.get_all(SET_COOKIE).iter().map(text).collect();
    let (body, packed) = match String::from_utf8(bytes.into()) {
        Ok(text) => (text, false),
        Err(error) => (BASE64.encode(error.as_bytes()), true),
    };
    Ok(json!({
        "statusCode": parts.status.as_u16(), "headers": headers, "cookies": cookies, "body": body, "isBase64Encoded": packed,
    }))
}

#[cfg(test)]
mod tests;
