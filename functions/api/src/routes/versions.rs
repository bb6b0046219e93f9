//! If-Match: who changes something says which version of it they have read.

use crate::problem::Problem;
use http::{HeaderMap, StatusCode, header};

/// Whether If-Match is there and names what is in the table.
///
/// # Errors
/// 428 where it is missing, 412 where it names something else.
pub(super) fn matching(headers: &HeaderMap, tag: &str) -> Result<(), Problem> {
    if !headers.contains_key(header::IF_MATCH) {
        let detail = "Read it first and send its ETag as If-Match, so that no change of somebody else is lost.";
        return Err(Problem::new(StatusCode::PRECONDITION_REQUIRED, "if-match-missing", detail));
    }
    matching_if_sent(headers, tag)
}

/// Whether If-Match, where it is sent, names what is in the table.
///
/// # Errors
/// 412 where it names something else.
pub(super) fn matching_if_sent(headers: &HeaderMap, tag: &str) -> Result<(), Problem> {
    let Some(wanted) = headers.get(header::IF_MATCH) else { return Ok(()) };
    let wanted = wanted.to_str().unwrap_or_default();
    if wanted.split(',').map(str::trim).any(|one| one == "*" || one == tag) { Ok(()) } else { Err(stale()) }
}

/// Somebody else changed it first.
pub(super) fn stale() -> Problem {
    let detail = "It was changed since you read it. Read it again, look at the change, and repeat yours with the new ETag.";
    Problem::new(StatusCode::PRECONDITION_FAILED, "stale-version", detail)
}
