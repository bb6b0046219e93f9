//! Where AWS publishes the Spot Advisor's file.

use domain::Timestamp;
use domain::address::Rules;
use domain::ports::{AdvisorFile, SourceError};
use gate::Gate;
use http::{HeaderName, HeaderValue, Request, StatusCode, header};
use runtime::http::{Answer, Client, HttpError, Limits, NotAServer, Server};

/// The bucket behind <https://aws.amazon.com/ec2/spot/instance-advisor/>, and the file in it. Needs no account.
const SERVER: &str = "https://spot-bid-advisor.s3.amazonaws.com";
const FILE: &str = "/spot-advisor-data.json";
/// Seconds for the connection, and for the whole file: it has 0.7 MB, and nobody waits for it.
const LIMITS_S: (u32, u32) = (5, 30);

/// The Spot Advisor's file over HTTPS.
///
/// # Guarantees
/// No more is read than was allowed, no redirect is followed, and every call ends.
#[derive(Clone)]
pub struct AdvisorSite {
    server: Server,
    gate: Gate,
}

impl AdvisorSite {
    /// Where AWS publishes it.
    ///
    /// # Errors
    /// None in truth: the address is a constant, and a test reads it.
    pub fn aws() -> Result<AdvisorSite, NotAServer> {
        AdvisorSite::at(SERVER, Gate::internet(Rules::public()))
    }

    /// A copy of it on another server, under the same path.
    ///
    /// # Errors
    /// [`NotAServer`] says what is wrong with the address.
    pub fn at(server: &str, gate: Gate) -> Result<AdvisorSite, NotAServer> {
        Ok(AdvisorSite { server: Server::parse(server)?, gate })
    }

    /// The file; `None` where it is still the version that is `known`. At most `bytes_max` are read. Must be called inside a Tokio
    /// runtime.
    ///
    /// # Errors
    /// [`SourceError`].
    pub async fn fetch(&self, known: Option<&str>, bytes_max: usize) -> Result<Option<AdvisorFile>, SourceError> {
        let limits = Limits { connect_s: LIMITS_S.0, whole_s: LIMITS_S.1, wire_bytes_max: bytes_max, plain_bytes_max: bytes_max };
        let client = Client::new(self.server.clone(), limits, &self.gate).map_err(source_error)?;
        let mut request = Request::get(FILE).body(Vec::new()).map_err(|error| SourceError::Refused(error.to_string()))?;
        // A version that cannot be sent costs a file, nothing else.
        if let Some((name, value)) = known.and_then(condition) {
            request.headers_mut().insert(name, value);
        }
        let answer = client.send(request).await.map_err(source_error)?;
        match answer.status {
            StatusCode::OK => file(answer).map(Some),
            StatusCode::NOT_MODIFIED if known.is_some() => Ok(None),
            StatusCode::TOO_MANY_REQUESTS | StatusCode::SERVICE_UNAVAILABLE => Err(SourceError::Throttled),
            status if status.is_server_error() => Err(SourceError::Unreachable(format!("status {status}"))),
            status => Err(SourceError::Refused(format!("status {status}"))),
        }
    }
}

/// The header that asks for another version than this: by its ETag, which is quoted, or by its date.
fn condition(known: &str) -> Option<(HeaderName, HeaderValue)> {
    let name = if known.ends_with('"') { header::IF_NONE_MATCH } else { header::IF_MODIFIED_SINCE };
    Some((name, HeaderValue::try_from(known).ok()?))
}

fn file(answer: Answer) -> Result<AdvisorFile, SourceError> {
    let text = |name: HeaderName| answer.headers.get(name).and_then(|value| value.to_str().ok()).map(str::to_owned);
    let modified = text(header::LAST_MODIFIED).ok_or_else(|| SourceError::Refused("the file has no date".to_owned()))?;
    let as_of = date(&modified).ok_or_else(|| SourceError::Refused("the file has a date that is none".to_owned()))?;
    Ok(AdvisorFile { version: text(header::ETAG).unwrap_or(modified), as_of, bytes: answer.body })
}

/// A date of HTTP, such as `Tue, 15 Nov 1994 08:12:31 GMT`: the form of mail, which is all that servers may send since 1999.
fn date(text: &str) -> Option<Timestamp> {
    jiff::fmt::rfc2822::DateTimeParser::new().parse_timestamp(text).ok()
}

fn source_error(error: HttpError) -> SourceError {
    match error {
        HttpError::TooLarge(max) => SourceError::TooLong(max),
        HttpError::Unreachable(why) | HttpError::Broken(why) => SourceError::Unreachable(why),
        HttpError::Slow(_) => SourceError::Unreachable(error.to_string()),
        HttpError::Ours(why) => SourceError::Refused(why),
    }
}

#[cfg(test)]
mod tests;
