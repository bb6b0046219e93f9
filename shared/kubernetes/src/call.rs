//! One call: its time limits, its retries, and the connection under it.

use crate::connect::Settings;
use crate::endpoint::Endpoint;
use crate::errors;
use crate::transport;
use domain::ports::ClusterError;
use gate::Gate;
use http::header::{ACCEPT, ACCEPT_ENCODING, AUTHORIZATION, CONTENT_ENCODING, CONTENT_TYPE, RETRY_AFTER, USER_AGENT};
use http::{HeaderValue, Method, Request, StatusCode};
use http_body_util::{BodyExt, Limited};
use https::Client;
use https::gzip::{self, UnpackError};
use jiff::SignedDuration;
use rustls::ClientConfig;
use serde::de::DeserializeOwned;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;
use tokio::time::Instant;

/// No answer may be larger, packed or not: a page of 500 pods is about 4 MB.
const BODY_MAX: usize = 64 << 20;
/// The first wait between two tries; each further one is longer by the backoff factor.
const FIRST_WAIT: Duration = Duration::from_millis(100);
/// No wait is longer, whatever the server asks for: the caller has a deadline.
const LONGEST_WAIT: Duration = Duration::from_secs(5);

/// How long one try may take.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Patience {
    /// Anything small: 3 s.
    Quick,
    /// A page of a list: 10 s.
    Page,
    /// An eviction: 14 s, because the API server may hold it for about 10 s while it counts a busy budget (20 x 500 ms).
    Eviction,
}

impl Patience {
    fn limit(self) -> Duration {
        match self {
            Patience::Quick => Duration::from_secs(3),
            Patience::Page => Duration::from_secs(10),
            Patience::Eviction => Duration::from_secs(14),
        }
    }
}

/// What is asked of the API server.
#[derive(Debug, Clone)]
pub(crate) struct Call {
    pub(crate) method: Method,
    /// Path and query.
    pub(crate) path: String,
    /// Content type and bytes.
    pub(crate) body: Option<(&'static str, Vec<u8>)>,
    pub(crate) patience: Patience,
}

impl Call {
    pub(crate) fn get(path: String) -> Self {
        Self { method: Method::GET, path, body: None, patience: Patience::Quick }
    }

    pub(crate) fn with_json(method: Method, path: String, content_type: &'static str, body: &serde_json::Value) -> Self {
        Self { method, path, body: Some((content_type, body.to_string().into_bytes())), patience: Patience::Quick }
    }

    pub(crate) fn patience(self, patience: Patience) -> Self {
        Self { patience, ..self }
    }
}

/// What the API server answered, whatever the status.
#[derive(Debug, Clone)]
pub(crate) struct Answer {
    pub(crate) status: StatusCode,
    /// The header, where it holds a number of seconds.
    pub(crate) retry_after: Option<SignedDuration>,
    pub(crate) body: Vec<u8>,
}

impl Answer {
    /// The body of a 2xx; any other status as an error.
    pub(crate) fn ok(self) -> Result<Self, ClusterError> {
        if self.status.is_success() { Ok(self) } else { Err(errors::refusal(&self)) }
    }

    /// The body of a 2xx, decoded.
    pub(crate) fn decode<T: DeserializeOwned>(self) -> Result<T, ClusterError> {
        let answer = self.ok()?;
        serde_json::from_slice(&answer.body).map_err(|error| ClusterError::Refused(format!("an answer cannot be read: {error}")))
    }
}

/// Why there is no answer.
#[derive(Debug)]
enum Failure {
    Timeout,
    /// The connection broke or never came up.
    Broken(String),
    /// The endpoint leads to an address that is not called.
    Forbidden(String),
    TooLarge,
}

/// A client with its generation: a connection that went silent is given up for a new one.
struct Live {
    generation: u64,
    client: Client,
    /// Until the first answer, calls go one by one: else each of a burst would open a connection of its own.
    warm: Arc<tokio::sync::Mutex<bool>>,
}

/// The API server of one cluster.
pub(crate) struct Api {
    endpoint: Endpoint,
    /// `None`: the client certificate says who we are.
    authorization: Option<HeaderValue>,
    tls: ClientConfig,
    gate: Gate,
    settings: Settings,
    live: Mutex<Live>,
    rejected: AtomicBool,
}

impl Api {
    /// Must be called inside a Tokio runtime. Makes no call.
    pub(crate) fn new(endpoint: Endpoint, authorization: Option<HeaderValue>, tls: ClientConfig, settings: Settings, gate: Gate) -> Self {
        let live = Mutex::new(fresh(0, &tls, &gate));
        Self { endpoint, authorization, tls, gate, settings, live, rejected: AtomicBool::new(false) }
    }

    /// Whether the API server answered 401 since this was made.
    pub(crate) fn rejected(&self) -> bool {
        self.rejected.load(Ordering::Relaxed)
    }

    /// Calls, and repeats what may be repeated until an answer comes that a repetition would not better, the tries are used
    /// up, or the time is. The answer may have any status; [`ClusterError::Unreachable`] where there is none.
    pub(crate) async fn call(&self, call: &Call) -> Result<Answer, ClusterError> {
        let deadline = Instant::now() + Duration::from_secs(u64::from(self.settings.timeout_s.max(1)));
        let mut tries = 0;
        loop {
            let outcome = self.attempt(call, deadline).await;
            tries += 1;
            let wait = pause(&outcome, tries, self.settings.backoff_factor);
            if tries >= self.settings.retry_attempts || !repeats(call.patience, &outcome) || Instant::now() + wait >= deadline {
                return outcome.map_err(|failure| match failure {
                    Failure::Timeout => ClusterError::Unreachable("no answer in time".to_owned()),
                    Failure::Broken(why) => ClusterError::Unreachable(why),
                    Failure::Forbidden(why) => ClusterError::Refused(why),
                    Failure::TooLarge => ClusterError::Refused("an answer is larger than 64 MB".to_owned()),
                });
            }
            rest(wait).await;
        }
    }

    async fn attempt(&self, call: &Call, deadline: Instant) -> Result<Answer, Failure> {
        let (generation, client, warm) = {
            let live = self.live.lock().unwrap_or_else(PoisonError::into_inner);
            (live.generation, live.client.clone(), Arc::clone(&live.warm))
        };
        let until = deadline.min(Instant::now() + call.patience.limit());
        let outcome = tokio::time::timeout_at(until, self.send_warm(&client, &warm, call)).await.unwrap_or(Err(Failure::Timeout));
        match &outcome {
            Ok(answer) if answer.status == StatusCode::UNAUTHORIZED => self.rejected.store(true, Ordering::Relaxed),
            Ok(_) | Err(Failure::TooLarge | Failure::Forbidden(_)) => {}
            // Calls under way keep the old connection; new ones get a new one.
            Err(Failure::Timeout | Failure::Broken(_)) => {
                let mut live = self.live.lock().unwrap_or_else(PoisonError::into_inner);
                if live.generation == generation {
                    *live = fresh(generation + 1, &self.tls, &self.gate);
                }
            }
        }
        outcome
    }

    async fn send_warm(&self, client: &Client, warm: &tokio::sync::Mutex<bool>, call: &Call) -> Result<Answer, Failure> {
        let mut warmed = warm.lock().await;
        if !*warmed {
            if call.patience == Patience::Quick {
                let answer = self.send(client, call).await?;
                *warmed = true;
                return Ok(answer);
            }
            // A slow call would keep the others waiting: a small one goes ahead of it.
            self.send(client, &Call::get("/version".to_owned())).await?;
            *warmed = true;
        }
        drop(warmed);
        self.send(client, call).await
    }

    async fn send(&self, client: &Client, call: &Call) -> Result<Answer, Failure> {
        let broken = |error: String| Failure::Broken(error);
        let mut request = Request::builder()
            .method(call.method.clone())
            .uri(self.endpoint.url(&call.path))
            .header(ACCEPT, "application/json")
            // What is larger than 128 KiB comes packed then, to a tenth: pages of pods cross Regions.
            .header(ACCEPT_ENCODING, "gzip")
            .header(USER_AGENT, "cloudoptim");
        if let Some(authorization) = &self.authorization {
            request = request.header(AUTHORIZATION, authorization.clone());
        }
        let body = match &call.body {
            Some((content_type, bytes)) => {
                request = request.header(CONTENT_TYPE, *content_type);
                bytes.clone()
            }
            None => Vec::new(),
        };
        let request = request.body(https::body(body)).map_err(|error| broken(error.to_string()))?;
        let response = client.request(request).await.map_err(|error| match gate::refusal(&error) {
            Some(refused) => Failure::Forbidden(format!("the endpoint is not called: {refused}")),
            None => broken(chain(&error)),
        })?;
        let (parts, body) = response.into_parts();
        let retry_after = parts.headers.get(RETRY_AFTER).and_then(errors::seconds);
        // Frame by frame into one buffer: a page is held once, not once in pieces and once whole.
        let (mut body, mut whole) = (Limited::new(body, BODY_MAX), Vec::new());
        while let Some(frame) = body.frame().await {
            let frame = frame.map_err(|error| {
                if error.is::<http_body_util::LengthLimitError>() { Failure::TooLarge } else { broken(error.to_string()) }
            })?;
            if let Some(bytes) = frame.data_ref() {
                whole.extend_from_slice(bytes);
            }
        }
        Ok(Answer { status: parts.status, retry_after, body: plain(parts.headers.get(CONTENT_ENCODING), whole)? })
    }
}

/// A body as it was before it was packed.
fn plain(coding: Option<&HeaderValue>, body: Vec<u8>) -> Result<Vec<u8>, Failure> {
    if coding.is_none_or(|coding| coding != "gzip") {
        return Ok(body);
    }
    gzip::unpack(&body, BODY_MAX).map_err(|error| match error {
        UnpackError::TooLarge(_) => Failure::TooLarge,
        UnpackError::Broken(why) => Failure::Broken(why),
    })
}

fn fresh(generation: u64, tls: &ClientConfig, gate: &Gate) -> Live {
    Live { generation, client: transport::client(tls.clone(), gate), warm: Arc::new(tokio::sync::Mutex::new(false)) }
}

/// An error with its causes: hyper's own text says only "client error (Connect)".
fn chain(error: &dyn std::error::Error) -> String {
    let mut text = error.to_string();
    let mut source = error.source();
    while let Some(cause) = source {
        let cause_text = cause.to_string();
        if !text.contains(&cause_text) {
            text = format!("{text}: {cause_text}");
        }
        source = cause.source();
    }
    text.chars().take(300).collect()
}

/// Whether the same call again could end better. All calls of this crate may be repeated: those that change something name
/// a uid. An eviction is repeated only where the connection broke: what the budgets answer is the drain's to judge.
fn repeats(patience: Patience, outcome: &Result<Answer, Failure>) -> bool {
    match (patience, outcome) {
        (_, Err(Failure::Broken(_))) => true,
        (_, Err(Failure::TooLarge | Failure::Forbidden(_))) | (Patience::Eviction, _) => false,
        (Patience::Quick | Patience::Page, Err(Failure::Timeout)) => true,
        (Patience::Quick | Patience::Page, Ok(answer)) => answer.status == StatusCode::TOO_MANY_REQUESTS || answer.status.is_server_error(),
    }
}

/// The wait before the next try: what the server asks for, else the backoff; a random part keeps many callers apart.
fn pause(outcome: &Result<Answer, Failure>, tries: u32, factor: u32) -> Duration {
    let asked = outcome.as_ref().ok().and_then(|answer| answer.retry_after).and_then(|asked| Duration::try_from(asked).ok());
    let backoff = FIRST_WAIT.saturating_mul(factor.max(1).saturating_pow(tries.saturating_sub(1))).min(LONGEST_WAIT);
    let half = u64::try_from(backoff.as_millis() / 2).unwrap_or(u64::MAX);
    asked.unwrap_or_else(|| backoff / 2 + Duration::from_millis(fastrand::u64(0..=half))).min(LONGEST_WAIT)
}

#[expect(clippy::disallowed_methods, reason = "the pause between two tries of one call, bounded by the call's own time limit")]
async fn rest(wait: Duration) {
    tokio::time::sleep(wait).await;
}

#[cfg(test)]
mod tests;
