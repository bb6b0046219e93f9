//! What is asked: a JSON body, packed or not, within its limits.

use crate::Limits;
use crate::problem::{Problem, of_request};
use axum::body::Bytes;
use axum::extract::rejection::BytesRejection;
use domain::decision::CONTRACT_VERSION;
use domain::decision::verify::harmless;
use http::{HeaderMap, StatusCode, header};
use runtime::gzip::{self, UnpackError};
use runtime::web::json::{malformed, no_list, unreadable};
use serde::Deserialize;
use serde::de::DeserializeOwned;
use std::collections::BTreeMap;

/// A body as it came.
pub struct Asked {
    packed: bool,
    bytes: Bytes,
}

impl Asked {
    /// Takes a body whose headers say what it is: `application/json`, plain or with `Content-Encoding: gzip`; or `application/gzip`,
    /// which gateways that take JSON for text leave alone.
    ///
    /// # Errors
    /// 400, 413 and 415 as [`Problem`]s.
    pub fn new(headers: &HeaderMap, body: Result<Bytes, BytesRejection>, limits: Limits) -> Result<Asked, Problem> {
        let packed = packed(headers)?;
        let too_large = || too_large(limits.wire_bytes_max, "as it travels");
        let bytes = body.map_err(|rejection| unreadable(rejection.status(), too_large))?;
        Ok(Asked { packed, bytes })
    }

    /// Unpacks and reads it; it must be an object. Takes time: some hundred milliseconds for the largest.
    ///
    /// # Errors
    /// 400, 413 and 422 as [`Problem`]s.
    pub fn read<T: DeserializeOwned>(self, limits: Limits) -> Result<T, Problem> {
        let plain = self.plain(limits)?;
        no_list(&plain)?;
        parse(&plain)
    }

    /// The same of a list.
    ///
    /// # Errors
    /// As [`Asked::read`].
    pub fn read_list<T: DeserializeOwned>(self, limits: Limits) -> Result<Vec<T>, Problem> {
        parse(&self.plain(limits)?)
    }

    fn plain(self, limits: Limits) -> Result<Bytes, Problem> {
        if !self.packed {
            return Ok(self.bytes);
        }
        let plain = gzip::unpack(&self.bytes, limits.plain_bytes_max).map_err(|error| match error {
            UnpackError::TooLarge(max) => too_large(max, "unpacked"),
            UnpackError::Broken(_) => {
                Problem::new(StatusCode::BAD_REQUEST, "malformed-gzip", "The body is no whole gzip. Pack it again.").because(error)
            }
        })?;
        Ok(plain.into())
    }
}

fn packed(headers: &HeaderMap) -> Result<bool, Problem> {
    let text = |name| headers.get(name).and_then(|value| value.to_str().ok()).unwrap_or_default().trim().to_ascii_lowercase();
    let media = text(header::CONTENT_TYPE);
    let media = media.split(';').next().unwrap_or_default().trim();
    match (media, text(header::CONTENT_ENCODING).as_str()) {
        ("application/json", "" | "identity") => Ok(false),
        ("application/json", "gzip") | ("application/gzip", "" | "identity") => Ok(true),
        ("application/json" | "application/gzip", _) => {
            let detail = "Send the body plain, with Content-Encoding: gzip, or as application/gzip.";
            Err(Problem::new(StatusCode::UNSUPPORTED_MEDIA_TYPE, "unsupported-encoding", detail))
        }
        _ => {
            let detail = "Send the body as JSON, with Content-Type: application/json, or packed as application/gzip.";
            Err(Problem::new(StatusCode::UNSUPPORTED_MEDIA_TYPE, "not-json", detail))
        }
    }
}

fn too_large(max: usize, how: &str) -> Problem {
    let detail = format!("The body is larger than {max} bytes {how}. Pack it, or leave out labels that no selector looks at.");
    Problem::new(StatusCode::PAYLOAD_TOO_LARGE, "body-too-large", detail)
}

#[derive(Deserialize)]
struct Head {
    version: Option<u32>,
    request_id: Option<String>,
}

fn parse<T: DeserializeOwned>(plain: &[u8]) -> Result<T, Problem> {
    serde_json::from_slice(plain).map_err(|error| {
        // Another version may have other fields: then that is what is wrong, and not the first field that does not fit.
        let head: Option<Head> = serde_json::from_slice(plain).ok();
        let problem = match head.as_ref().and_then(|head| head.version) {
            Some(version) if version != CONTRACT_VERSION => unsupported(version),
            _ => malformed(&error),
        };
        match head.and_then(|head| head.request_id) {
            Some(id) => of_request(problem, &id),
            None => problem,
        }
    })
}

/// A version that is not ours.
pub(crate) fn unsupported(version: u32) -> Problem {
    let detail = format!("This server speaks version {CONTRACT_VERSION} of the contract, and the request is of version {version}.");
    Problem::new(StatusCode::UNPROCESSABLE_ENTITY, "unsupported-version", detail)
}

/// Parameters of a query. Of two with one name the last counts.
pub type Query = BTreeMap<String, String>;

/// The parameters of a query.
pub fn query(text: Option<&str>) -> Query {
    let pairs = form_urlencoded::parse(text.unwrap_or_default().as_bytes());
    pairs.map(|(name, value)| (name.into_owned(), value.trim().to_owned())).collect()
}

/// A text of a query; an empty one is none. Of a number it is not: nothing is no number.
pub fn text<'q>(query: &'q Query, name: &str) -> Option<&'q str> {
    query.get(name).map(String::as_str).filter(|text| !text.is_empty())
}

fn wrong(name: &str, why: &str) -> Problem {
    Problem::new(StatusCode::BAD_REQUEST, "invalid-query", format!("`{name}` {why}."))
}

/// A number of a query within its limits; where none is given, what it is then.
///
/// # Errors
/// 400: it is none, or out of its limits.
pub fn number(query: &Query, name: &str, or: i64, low: i64, high: i64) -> Result<i64, Problem> {
    let Some(text) = query.get(name) else { return Ok(or) };
    text.parse().ok().filter(|number| (low..=high).contains(number)).ok_or_else(|| wrong(name, &format!("must be {low} to {high}")))
}

/// A word of a query as what it stands for.
///
/// # Errors
/// 400: it is missing, or stands for nothing.
pub fn word<T: TryFrom<String>>(query: &Query, name: &str, like: &str) -> Result<T, Problem> {
    let found = text(query, name).and_then(|text| T::try_from(text.to_owned()).ok());
    found.ok_or_else(|| wrong(name, &format!("is missing, or is none: {like}")))
}

/// Who asked, as whoever hands requests on says it. For people who look at what was changed: nothing rests on it.
pub fn asked_by(headers: &HeaderMap) -> String {
    let name = headers.get("x-asked-by").and_then(|value| value.to_str().ok()).map(str::trim).filter(|name| !name.is_empty());
    harmless(name.unwrap_or("whoever has the key"), 128)
}
