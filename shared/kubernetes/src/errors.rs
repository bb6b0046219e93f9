//! What the API server's refusals mean.

use crate::call::Answer;
use domain::ports::ClusterError;
use http::{HeaderValue, StatusCode};
use jiff::SignedDuration;
use serde::Deserialize;
use slim::nullable;

/// A `Status` object, the body of every refusal. Rubbish becomes an empty one.
#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub(crate) struct Status {
    #[serde(deserialize_with = "nullable")]
    pub(crate) message: String,
    #[serde(deserialize_with = "nullable")]
    pub(crate) details: Details,
}

/// Its details.
#[derive(Debug, Default, Deserialize)]
#[serde(default, rename_all = "camelCase")]
pub(crate) struct Details {
    #[serde(deserialize_with = "nullable")]
    pub(crate) causes: Vec<Cause>,
    pub(crate) retry_after_seconds: i64,
}

/// One cause.
#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub(crate) struct Cause {
    pub(crate) reason: String,
    pub(crate) message: String,
}

impl Status {
    pub(crate) fn of(answer: &Answer) -> Self {
        serde_json::from_slice(&answer.body).unwrap_or_default()
    }

    pub(crate) fn cause(&self, reason: &str) -> Option<&Cause> {
        self.details.causes.iter().find(|cause| cause.reason == reason)
    }

    /// The message, short enough for a log line and an audit row.
    pub(crate) fn text(&self, status: StatusCode) -> String {
        if self.message.is_empty() { format!("HTTP {}", status.as_u16()) } else { shorten(&self.message) }
    }
}

pub(crate) fn shorten(text: &str) -> String {
    text.chars().take(500).collect()
}

/// What an answer other than 2xx means to the caller.
pub(crate) fn refusal(answer: &Answer) -> ClusterError {
    let status = Status::of(answer);
    let text = status.text(answer.status);
    match answer.status.as_u16() {
        401 => ClusterError::Unauthorized,
        403 => ClusterError::Forbidden(text),
        404 => ClusterError::Gone,
        409 => ClusterError::Conflict,
        429 => ClusterError::Overloaded(retry_after(answer, &status)),
        300..=399 => ClusterError::Refused("the endpoint redirects, and redirects are not followed".to_owned()),
        500..=599 => ClusterError::Unreachable(text),
        _ => ClusterError::Refused(text),
    }
}

/// How long the server asks us to wait: the header, else the body.
pub(crate) fn retry_after(answer: &Answer, status: &Status) -> Option<SignedDuration> {
    let seconds = status.details.retry_after_seconds;
    answer.retry_after.or_else(|| (1..=86_400).contains(&seconds).then(|| SignedDuration::from_secs(seconds)))
}

/// A `Retry-After` in seconds. A date, a negative or absurd number, or rubbish: `None`.
pub(crate) fn seconds(header: &HeaderValue) -> Option<SignedDuration> {
    let seconds: u32 = header.to_str().ok()?.trim().parse().ok()?;
    (seconds <= 86_400).then(|| SignedDuration::from_secs(i64::from(seconds)))
}

#[cfg(test)]
mod tests;
