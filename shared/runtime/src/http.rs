//! A small HTTP client for one server that may be down, slow or lying: through the [`Gate`], trusted roots only, no redirects, and a
//! limit on everything that comes back.

use crate::gzip::{self, UnpackError};
use ::http::{HeaderMap, Request, Response, StatusCode, Uri, header};
use gate::Gate;
use http_body_util::BodyExt;
use https::{Settings, Trust};
use std::time::Duration;

mod server;

pub use server::{NotAServer, Server};

/// What a server is given.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Limits {
    /// Seconds until the TCP connection is up.
    pub connect_s: u32,
    /// Seconds from the beginning to the last byte of the answer.
    pub whole_s: u32,
    /// Bytes of an answer as they travel; what comes after is not read.
    pub wire_bytes_max: usize,
    /// Bytes of an answer once it is unpacked.
    pub plain_bytes_max: usize,
}

impl Default for Limits {
    fn default() -> Self {
        Limits { connect_s: 2, whole_s: 20, wire_bytes_max: 8_000_000, plain_bytes_max: 64_000_000 }
    }
}

/// Why there is no answer.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum HttpError {
    /// No connection, or it broke.
    #[error("{0}")]
    Unreachable(String),
    /// The time was over, in seconds.
    #[error("no answer within {0} s")]
    Slow(u32),
    /// The answer is larger than this, in bytes.
    #[error("the answer is larger than {0} bytes")]
    TooLarge(usize),
    /// The answer is packed in a way that we do not read, or badly.
    #[error("the answer cannot be unpacked: {0}")]
    Broken(String),
    /// What was to be sent is no request, or TLS cannot be set up: a fault on our side.
    #[error("{0}")]
    Ours(String),
}

/// A whole answer, unpacked.
#[derive(Debug, Clone)]
pub struct Answer {
    /// The status.
    pub status: StatusCode,
    /// The headers.
    pub headers: HeaderMap,
    /// The body.
    pub body: Vec<u8>,
    /// How many bytes of it travelled.
    pub wire_bytes: usize,
}

impl Answer {
    /// The media type without its parameters, in lower case.
    pub fn media_type(&self) -> String {
        let value = self.headers.get(header::CONTENT_TYPE).and_then(|value| value.to_str().ok()).unwrap_or_default();
        value.split(';').next().unwrap_or_default().trim().to_ascii_lowercase()
    }
}

/// A client of one server.
pub struct Client {
    server: Server,
    limits: Limits,
    inner: https::Client,
}

impl Client {
    /// Connects to nothing yet. Must be called inside a Tokio runtime.
    ///
    /// # Errors
    /// [`HttpError::Ours`] where the server speaks TLS and this machine knows no certificate authorities.
    pub fn new(server: Server, limits: Limits, gate: &Gate) -> Result<Client, HttpError> {
        let gate = gate.clone().waiting(Duration::from_secs(limits.connect_s.into()));
        let trust = if server.tls() { Trust::Public } else { Trust::Nobody };
        let tls = https::trusting(trust).map_err(|error| HttpError::Ours(error.to_string()))?.with_no_client_auth();
        let settings = Settings { plain: !server.tls(), shared: true };
        let inner = https::client(settings, tls, gate);
        Ok(Client { server, limits, inner })
    }

    /// The whole address of a path of the server, as it is sent.
    ///
    /// # Errors
    /// [`HttpError::Ours`]: it is no address.
    pub fn address(&self, path: &Uri) -> Result<String, HttpError> {
        self.server.uri(path).map(|uri| uri.to_string()).map_err(|error| HttpError::Ours(error.to_string()))
    }

    /// Sends one request to a path of the server. Says that gzip is understood. A redirect is an answer like any other.
    ///
    /// # Errors
    /// [`HttpError`]. A status that is no success is none.
    pub async fn send(&self, request: Request<Vec<u8>>) -> Result<Answer, HttpError> {
        self.send_within(request, self.limits.whole_s).await
    }

    /// The same, with other seconds until the last byte of the answer: for what is known to take longer.
    ///
    /// # Errors
    /// As [`Client::send`].
    pub async fn send_within(&self, mut request: Request<Vec<u8>>, whole_s: u32) -> Result<Answer, HttpError> {
        let uri = self.server.uri(request.uri()).map_err(|error| HttpError::Ours(error.to_string()))?;
        *request.uri_mut() = uri;
        request.headers_mut().insert(header::ACCEPT_ENCODING, header::HeaderValue::from_static("gzip"));
        let request = request.map(https::body);
        let whole = async {
            let response = self.inner.request(request).await.map_err(|error| unreachable(&error))?;
            self.read(response).await
        };
        match tokio::time::timeout(Duration::from_secs(whole_s.into()), whole).await {
            Ok(answer) => answer,
            Err(_) => Err(HttpError::Slow(whole_s)),
        }
    }

    async fn read<B>(&self, response: Response<B>) -> Result<Answer, HttpError>
    where
        B: BodyExt + Unpin,
        B::Error: std::error::Error,
        B::Data: AsRef<[u8]>,
    {
        let max = self.limits.wire_bytes_max;
        let (parts, mut body) = response.into_parts();
        let announced = parts.headers.get(header::CONTENT_LENGTH).and_then(|length| length.to_str().ok()?.parse::<usize>().ok());
        if announced.is_some_and(|length| length > max) {
            return Err(HttpError::TooLarge(max));
        }
        let mut bytes: Vec<u8> = Vec::with_capacity(announced.unwrap_or(0));
        while let Some(frame) = body.frame().await {
            let frame = frame.map_err(|error| HttpError::Unreachable(format!("the answer broke off: {}", chain(&error))))?;
            let Some(data) = frame.data_ref() else { continue };
            if bytes.len() + data.as_ref().len() > max {
                return Err(HttpError::TooLarge(max));
            }
            bytes.extend_from_slice(data.as_ref());
        }
        let wire_bytes = bytes.len();
        let body = self.plain(&parts.headers, bytes)?;
        Ok(Answer { status: parts.status, headers: parts.headers, body, wire_bytes })
    }

    fn plain(&self, headers: &HeaderMap, bytes: Vec<u8>) -> Result<Vec<u8>, HttpError> {
        let codings: Vec<&[u8]> = headers.get_all(header::CONTENT_ENCODING).iter().map(header::HeaderValue::as_bytes).collect();
        match codings.as_slice() {
            [] | [b"identity"] if bytes.len() > self.limits.plain_bytes_max => Err(HttpError::TooLarge(self.limits.plain_bytes_max)),
            [] | [b"identity"] => Ok(bytes),
            [b"gzip"] => gzip::unpack(&bytes, self.limits.plain_bytes_max).map_err(|error| match error {
                UnpackError::TooLarge(max) => HttpError::TooLarge(max),
                UnpackError::Broken(_) => HttpError::Broken(error.to_string()),
            }),
            _ => Err(HttpError::Broken("it is encoded in a way that was not asked for".to_owned())),
        }
    }
}

/// No answer, or none that is fetched: whoever set the address of this server is told to look at it.
fn unreachable(error: &https::Error) -> HttpError {
    match gate::refusal(error) {
        Some(refused) => HttpError::Ours(format!("the server is not called: {refused}")),
        None => HttpError::Unreachable(chain(error)),
    }
}

/// An error with what is behind it: the client's own says only "client error".
fn chain(error: &dyn std::error::Error) -> String {
    let mut text = error.to_string();
    let mut cause = error.source();
    while let Some(error) = cause {
        text.push_str(": ");
        text.push_str(&error.to_string());
        cause = error.source();
    }
    text
}

#[cfg(test)]
mod tests;
