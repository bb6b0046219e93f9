//! How an answer travels: JSON, packed where the caller takes that and it is worth it.

use super::problem::Problem;
use crate::gzip;
use axum::body::Body;
use axum::response::Response;
use http::{HeaderMap, HeaderValue, StatusCode, header};

/// Answers from this size on are packed, in bytes.
const PACK_FROM: usize = 16_384;

/// Whether a caller takes gzip.
pub fn takes_gzip(headers: &HeaderMap) -> bool {
    let listed = headers.get_all(header::ACCEPT_ENCODING).iter().filter_map(|value| value.to_str().ok()).flat_map(|list| list.split(','));
    let mut any = false;
    for entry in listed {
        let (name, parameters) = entry.split_once(';').unwrap_or((entry, ""));
        let weight = parameters.trim().strip_prefix("q=").map_or(1.0, |q| q.trim().parse::<f32>().unwrap_or(0.0));
        match name.trim().to_ascii_lowercase().as_str() {
            "gzip" | "x-gzip" => return weight > 0.0,
            "*" => any = weight > 0.0,
            _ => {}
        }
    }
    any
}

/// A JSON text as an answer.
///
/// # Errors
/// 422 where it is larger than may travel; `narrow` says how to ask for less.
pub fn send(plain: Vec<u8>, gzip: bool, bytes_max: usize, narrow: &str) -> Result<Response, Problem> {
    let packed = gzip && plain.len() >= PACK_FROM;
    let body = if packed { gzip::pack(&plain).map_err(Problem::internal)? } else { plain };
    if body.len() > bytes_max {
        let detail = format!("The answer is larger than {bytes_max} bytes. {narrow}");
        return Err(Problem::new(StatusCode::UNPROCESSABLE_ENTITY, "answer-too-large", detail));
    }
    let mut response = Response::new(Body::from(body));
    let headers = response.headers_mut();
    headers.insert(header::CONTENT_TYPE, HeaderValue::from_static("application/json"));
    headers.insert(header::VARY, HeaderValue::from_static("accept-encoding"));
    if packed {
        headers.insert(header::CONTENT_ENCODING, HeaderValue::from_static("gzip"));
    }
    Ok(response)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn gzip_is_taken_where_it_is_named_and_not_refused() {
        let takes = |value: &'static str| takes_gzip(&HeaderMap::from_iter([(header::ACCEPT_ENCODING, HeaderValue::from_static(value))]));
        assert!(["gzip", "br, GZIP;q=0.5", "*", "deflate, *;q=0.1"].into_iter().all(takes));
        assert!(!["", "br", "gzip;q=0", "gzip;q=0, *", "*;q=0", "identity"].into_iter().any(takes));
    }
}
