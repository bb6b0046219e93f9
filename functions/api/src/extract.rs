//! What handlers take out of a request, with problems instead of the framework's plain texts.

use crate::problem::{Problem, too_large};
use axum::body::Bytes;
use axum::extract::{FromRequest, FromRequestParts, Query, Request};
use http::request::Parts;
use http::{HeaderMap, StatusCode, header};
use runtime::web::json::{malformed, no_list, unreadable};
use serde::de::DeserializeOwned;
use serde::{Deserialize, Deserializer};

/// The largest body that is read, in bytes.
pub const BODY_BYTES_MAX: usize = 1024 * 1024;

/// Reads JSON of which every field is known, however deep. What lies in the table may hold what a later version has added, so the types
/// themselves are not strict; a request is, for a field that nobody reads is a wish that nobody hears.
fn whole<T: DeserializeOwned>(bytes: &[u8]) -> Result<T, Problem> {
    no_list(bytes)?;
    let mut reader = serde_json::Deserializer::from_slice(bytes);
    let (value, unknown) = known(&mut reader).map_err(|error| malformed(&error))?;
    reader.end().map_err(|error| malformed(&error))?;
    match unknown {
        Some(field) => {
            let detail = format!("The body does not fit: unknown field `{field}`.");
            Err(Problem::new(StatusCode::UNPROCESSABLE_ENTITY, "invalid-body", detail))
        }
        None => Ok(value),
    }
}

/// A value, and the first field of its text that nobody reads.
///
/// # Errors
/// It is not of the kind that it must be.
pub(crate) fn known<'de, T, D>(reader: D) -> Result<(T, Option<String>), D::Error>
where
    T: Deserialize<'de>,
    D: Deserializer<'de>,
{
    let mut unknown = None;
    let value = serde_ignored::deserialize(reader, |path| {
        // An optional part stands as `?` in the path.
        unknown.get_or_insert_with(|| path.to_string().replace("?.", ""));
    })?;
    Ok((value, unknown))
}

/// A JSON body.
#[derive(Debug, Clone, Copy)]
pub struct Body<T>(pub T);

impl<S: Send + Sync, T: DeserializeOwned> FromRequest<S> for Body<T> {
    type Rejection = Problem;

    async fn from_request(request: Request, state: &S) -> Result<Self, Problem> {
        if !is_json(request.headers()) {
            let detail = "Send the body as JSON, with Content-Type: application/json.";
            return Err(Problem::new(StatusCode::UNSUPPORTED_MEDIA_TYPE, "not-json", detail));
        }
        let bytes = Bytes::from_request(request, state).await.map_err(|rejection| unreadable(rejection.status(), too_large))?;
        whole(&bytes).map(Body)
    }
}

fn is_json(headers: &HeaderMap) -> bool {
    let media = headers.get(header::CONTENT_TYPE).and_then(|v| v.to_str().ok()).unwrap_or_default();
    let media = media.split(';').next().unwrap_or_default().trim().to_ascii_lowercase();
    media == "application/json" || (media.starts_with("application/") && media.ends_with("+json"))
}

/// A query string. What it does not name is left alone.
#[derive(Debug, Clone, Copy)]
pub struct Params<T>(pub T);

impl<S: Send + Sync, T: DeserializeOwned> FromRequestParts<S> for Params<T> {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, state: &S) -> Result<Self, Problem> {
        let read = Query::<T>::from_request_parts(parts, state).await;
        read.map(|Query(params)| Params(params)).map_err(|rejection| {
            let detail = "The query string cannot be read. Check the names and values of its parameters.";
            Problem::new(StatusCode::BAD_REQUEST, "invalid-query", detail).because(rejection)
        })
    }
}

/// Whether only the plan is wanted: `?dryRun=true`. A body can say the same.
#[derive(Debug, Clone, Copy, Default, Deserialize)]
pub struct Dry {
    /// It is.
    #[serde(default, rename = "dryRun", alias = "dry_run")]
    pub dry_run: bool,
}

/// The id for what this request makes: the same again when the request is repeated with its idempotency key.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NewId(pub String);

impl<S: Sync> FromRequestParts<S> for NewId {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, _state: &S) -> Result<Self, Problem> {
        parts.extensions.get::<NewId>().cloned().ok_or_else(|| Problem::internal("a request that makes something has no new id"))
    }
}
