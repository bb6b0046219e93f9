//! Bodies that cannot be read, in words that help and repeat nothing: a secret may stand in the wrong field.

use super::problem::Problem;
use http::StatusCode;

/// Refuses a list where an object must stand: serde takes one for a structure whose fields come in that order, and `[]` for one whose fields
/// may all be left out.
///
/// # Errors
/// 422 as a [`Problem`].
pub fn no_list(bytes: &[u8]) -> Result<(), Problem> {
    if bytes.trim_ascii_start().starts_with(b"[") {
        let detail = "The body does not fit: it is a list and must be an object.";
        return Err(Problem::new(StatusCode::UNPROCESSABLE_ENTITY, "invalid-body", detail));
    }
    Ok(())
}

/// Says where JSON is wrong.
pub fn malformed(error: &serde_json::Error) -> Problem {
    let place = format!("line {}, column {}", error.line(), error.column());
    if !error.is_data() {
        let detail = format!("The body is not JSON: it goes wrong at {place}.");
        return Problem::new(StatusCode::BAD_REQUEST, "malformed-json", detail);
    }
    let text = error.to_string();
    let harmless = ["unknown field", "missing field", "duplicate field"].iter().any(|known| text.starts_with(known));
    let detail = if harmless {
        format!("The body does not fit: {text}.")
    } else {
        format!("The value at {place} is not of the kind that it must be.")
    };
    Problem::new(StatusCode::UNPROCESSABLE_ENTITY, "invalid-body", detail)
}

/// A body that could not be read from the wire: too large, in the words of `too_large`, or broken off.
pub fn unreadable(status: StatusCode, too_large: impl FnOnce() -> Problem) -> Problem {
    match status {
        StatusCode::PAYLOAD_TOO_LARGE => too_large(),
        _ => Problem::new(StatusCode::BAD_REQUEST, "body-unreadable", "The body broke off. Send it again."),
    }
}
