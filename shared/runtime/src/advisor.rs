//! The decision server over HTTP: the adapter to the port [`Advisor`].

use crate::gzip;
use crate::http::{Answer, Client, HttpError, Limits, Server};
use ::http::{HeaderName, HeaderValue, Method, Request, StatusCode, header};
use async_trait::async_trait;
use domain::decision::verify::harmless;
use domain::decision::{CONTRACT_VERSION, DecisionAnswer, DecisionRequest, Kept, PredictRequest, Prediction, PredictionOutcome};
use domain::ports::{Advisor, AdvisorError, Outgoing, Signer};
use gate::Gate;
use secrecy::{ExposeSecret, SecretString};
use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};
use std::sync::Arc;

/// Bodies from this size on are packed, in bytes: below, packing costs more than it saves.
const PACK_FROM: usize = 16_384;
/// How much of a server's own words is kept, in characters.
const WORDS_MAX: usize = 300;

/// The way to a decision server: its address, and the key that it asks for.
///
/// # Guarantees
/// It goes through the gate, so that the address is judged at each connection; every call ends within [`Limits::whole_s`]; no more than the limits of an answer is ever read or held; no redirect is followed;
/// the key is sent to this server alone and never printed.
///
pub struct Connection {
    client: Client,
    key: HeaderValue,
    signer: Option<Arc<dyn Signer>>,
}

impl Connection {
    /// Connects to nothing yet. Must be called inside a Tokio runtime.
    ///
    /// # Errors
    /// [`AdvisorError::Refused`] where the address is none (`https://`, or `http://` on this machine) or the key cannot be sent.
    pub fn new(url: &str, key: &SecretString, limits: Limits, gate: &Gate) -> Result<Connection, AdvisorError> {
        let server = Server::parse(url).map_err(|error| AdvisorError::Refused(format!("ML_SERVER_URL: {error}")))?;
        let text = key.expose_secret().trim();
        let unusable = || AdvisorError::Refused("ML_SERVER_API_KEY cannot be sent in a header".to_owned());
        if text.is_empty() || text.bytes().any(|b| !b.is_ascii_graphic()) {
            return Err(unusable());
        }
        let mut key = HeaderValue::try_from(text).map_err(|_| unusable())?;
        key.set_sensitive(true);
        let client = Client::new(server, limits, gate).map_err(|error| AdvisorError::Down(error.to_string()))?;
        Ok(Connection { client, key, signer: None })
    }

    /// Has each request signed by this, where its server asks for it.
    #[must_use]
    pub fn signed_by(self, signer: Arc<dyn Signer>) -> Connection {
        Connection { signer: Some(signer), ..self }
    }

    /// Sends a request with our key, whatever key stood in it.
    ///
    /// # Errors
    /// [`HttpError`]. A status that is no success is none.
    pub async fn send(&self, mut request: Request<Vec<u8>>) -> Result<Answer, HttpError> {
        self.sign(&mut request).await?;
        self.client.send(request).await
    }

    /// The same, with other seconds until the last byte of the answer: for what is known to take longer.
    ///
    /// # Errors
    /// As [`Connection::send`].
    pub async fn send_within(&self, mut request: Request<Vec<u8>>, whole_s: u32) -> Result<Answer, HttpError> {
        self.sign(&mut request).await?;
        self.client.send_within(request, whole_s).await
    }

    /// Our key, and our signature where the server asks for one.
    async fn sign(&self, request: &mut Request<Vec<u8>>) -> Result<(), HttpError> {
        request.headers_mut().remove(header::AUTHORIZATION);
        request.headers_mut().insert("x-api-key", self.key.clone());
        let Some(signer) = &self.signer else { return Ok(()) };
        let url = self.client.address(request.uri())?;
        let outgoing = Outgoing { method: request.method().as_str(), url: &url, body: request.body() };
        let headers = signer.sign(&outgoing).await.map_err(|error| HttpError::Ours(error.to_string()))?;
        for (name, value) in headers {
            let unusable = || HttpError::Ours("a signature has no form of a header".to_owned());
            let mut value = HeaderValue::try_from(value).map_err(|_| unusable())?;
            value.set_sensitive(true);
            request.headers_mut().insert(HeaderName::try_from(name).map_err(|_| unusable())?, value);
        }
        Ok(())
    }
}

/// A decision server that speaks the published contract.
///
/// # Assumptions
/// None on what the answer says: `domain::decision::verify` looks at that.
pub struct HttpAdvisor(Connection);

impl HttpAdvisor {
    /// Connects to nothing yet. Must be called inside a Tokio runtime.
    ///
    /// # Errors
    /// As [`Connection::new`].
    pub fn new(url: &str, key: &SecretString, limits: Limits, gate: &Gate) -> Result<HttpAdvisor, AdvisorError> {
        Connection::new(url, key, limits, gate).map(HttpAdvisor)
    }

    /// Over a connection.
    pub fn over(connection: Connection) -> HttpAdvisor {
        HttpAdvisor(connection)
    }

    async fn ask<Q: Serialize + Sync, A: DeserializeOwned>(&self, path: &str, question: &Q) -> Result<A, AdvisorError> {
        let ours = |error: &dyn std::fmt::Display| AdvisorError::Refused(format!("the request cannot be made: {error}"));
        let plain = serde_json::to_vec(question).map_err(|error| ours(&error))?;
        // As a media type of its own and not as a content encoding: gateways take what calls itself JSON for text, and break it.
        let (media, body) = if plain.len() < PACK_FROM {
            ("application/json", plain)
        } else {
            ("application/gzip", gzip::pack(&plain).map_err(|error| ours(&error))?)
        };
        let request = Request::builder()
            .method(Method::POST)
            .uri(path)
            .header(header::CONTENT_TYPE, media)
            .header(header::ACCEPT, "application/json")
            .body(body)
            .map_err(|error| ours(&error))?;
        read(self.0.send(request).await.map_err(AdvisorError::from)?)
    }
}

#[async_trait]
impl Advisor for HttpAdvisor {
    async fn decide(&self, request: &DecisionRequest) -> Result<DecisionAnswer, AdvisorError> {
        let answer: DecisionAnswer = self.ask(&format!("/api/v1/ml/decision/{}", request.decision_type.path()), request).await?;
        match answer.version {
            CONTRACT_VERSION => Ok(answer),
            other => Err(AdvisorError::Unreadable(format!("it is of version {other}, and we speak {CONTRACT_VERSION}"))),
        }
    }

    async fn predict(&self, request: &PredictRequest) -> Result<Vec<Prediction>, AdvisorError> {
        self.ask("/api/v1/ml/predict/spot-interruption", request).await
    }

    async fn learn(&self, outcomes: &[PredictionOutcome]) -> Result<(), AdvisorError> {
        self.ask::<_, Kept>("/api/v1/ml/outcomes", &outcomes).await.map(drop)
    }
}

impl From<HttpError> for AdvisorError {
    fn from(error: HttpError) -> AdvisorError {
        match error {
            HttpError::Unreachable(why) => AdvisorError::Down(words(&why)),
            HttpError::Slow(seconds) => AdvisorError::Slow(seconds),
            HttpError::TooLarge(bytes) => AdvisorError::TooLarge(bytes),
            HttpError::Broken(why) => AdvisorError::Unreadable(words(&why)),
            HttpError::Ours(why) => AdvisorError::Refused(words(&why)),
        }
    }
}

fn read<A: DeserializeOwned>(answer: Answer) -> Result<A, AdvisorError> {
    let status = answer.status;
    if status == StatusCode::UNAUTHORIZED || status == StatusCode::FORBIDDEN {
        return Err(AdvisorError::Unauthorized);
    }
    if status.is_redirection() {
        return Err(AdvisorError::Unreadable(format!("it leads elsewhere ({status}), and is not followed")));
    }
    if status.is_server_error() || status == StatusCode::TOO_MANY_REQUESTS {
        return Err(AdvisorError::Down(format!("{status}{}", detail(&answer))));
    }
    if status.is_client_error() {
        return Err(AdvisorError::Refused(format!("{status}{}", detail(&answer))));
    }
    if status != StatusCode::OK {
        return Err(AdvisorError::Unreadable(format!("it has the status {status}")));
    }
    if answer.media_type() != "application/json" {
        return Err(AdvisorError::Unreadable("it is not application/json".to_owned()));
    }
    serde_json::from_slice(&answer.body).map_err(|error| match serde_json::from_slice::<Version>(&answer.body) {
        Ok(Version { version }) if version != CONTRACT_VERSION => {
            AdvisorError::Unreadable(format!("it is of version {version}, and we speak {CONTRACT_VERSION}"))
        }
        // The text of the error repeats values of the answer; they are made harmless like all its words.
        Ok(_) | Err(_) => AdvisorError::Unreadable(words(&error.to_string())),
    })
}

#[derive(Deserialize)]
struct Version {
    version: u32,
}

/// What a problem document says, behind a colon.
fn detail(answer: &Answer) -> String {
    #[derive(Deserialize)]
    struct Document {
        detail: String,
    }
    let document: Option<Document> = serde_json::from_slice(&answer.body).ok();
    document.map_or_else(String::new, |document| format!(": {}", words(&document.detail)))
}

/// Words of another server, made harmless for our logs and pages.
fn words(text: &str) -> String {
    harmless(text, WORDS_MAX)
}

#[cfg(test)]
mod tests;
