//! The issuer whose tokens are taken: where its keys are read, and for how long they are believed.

use super::token::{Claims, Expected, Keys, Unverified};
use crate::config::Tokens;
use crate::http::{Client, HttpError, Limits, NotAServer, Server};
use async_trait::async_trait;
use domain::{SignedDuration, Timestamp};
use gate::Gate;
use http::{Request, StatusCode};
use std::sync::{Arc, Mutex, PoisonError};

/// How long a list of keys is believed: a key that the issuer takes back is good for no longer.
const FRESH: SignedDuration = SignedDuration::from_secs(60);
/// How long is waited between two readings, however many tokens name keys that nobody knows.
const PAUSE: SignedDuration = SignedDuration::from_secs(5);
/// A list of keys has a few kilobytes.
const LIMITS: Limits = Limits { connect_s: 2, whole_s: 4, wire_bytes_max: 262_144, plain_bytes_max: 262_144 };

/// Why a token says nothing.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Untold {
    /// It is not to be believed; why, for the log.
    Refused(&'static str),
    /// The issuer's keys cannot be read.
    Unavailable(String),
}

/// Where a list of keys is read.
#[async_trait]
pub trait KeySource: Send + Sync {
    /// Reads it.
    ///
    /// # Errors
    /// Why not, for the log.
    async fn read(&self) -> Result<Vec<u8>, String>;
}

/// The issuer.
pub struct Issuer {
    expected: Expected,
    source: Arc<dyn KeySource>,
    seen: Mutex<Seen>,
}

#[derive(Default)]
struct Seen {
    keys: Option<(Arc<Keys>, Timestamp)>,
    tried_at: Option<Timestamp>,
}

impl Issuer {
    /// Reads nothing yet.
    pub fn new(expected: Expected, source: Arc<dyn KeySource>) -> Issuer {
        Issuer { expected, source, seen: Mutex::default() }
    }

    /// As the environment names it. Must be called inside a Tokio runtime.
    ///
    /// # Errors
    /// Its address is none that is called, or TLS cannot be set up.
    pub fn named(tokens: &Tokens, gate: &Gate) -> Result<Issuer, PublishedError> {
        let expected = Expected { issuer: tokens.issuer.clone(), audience: tokens.audience.clone() };
        Ok(Issuer::new(expected, Arc::new(Published::new(&tokens.keys_url, gate)?)))
    }

    /// Judges a token.
    ///
    /// # Errors
    /// [`Untold`].
    pub async fn judge(&self, token: &str, now: Timestamp) -> Result<Claims, Untold> {
        let read = Unverified::read(token).map_err(Untold::Refused)?;
        let keys = self.keys(read.kid(), now).await?;
        read.judge(&keys, &self.expected, now).map_err(Untold::Refused)
    }

    /// Keys that are fresh. A name that they do not know may be of a new key: they are read again, but not at every token.
    async fn keys(&self, kid: &str, now: Timestamp) -> Result<Arc<Keys>, Untold> {
        let fresh = {
            let mut seen = self.seen.lock().unwrap_or_else(PoisonError::into_inner);
            let fresh = seen.keys.as_ref().filter(|(_, at)| now < *at + FRESH).map(|(keys, _)| Arc::clone(keys));
            let paused = seen.tried_at.is_some_and(|at| now < at + PAUSE);
            match fresh {
                Some(keys) if keys.know(kid) || paused => return Ok(keys),
                None if paused => return Err(Untold::Unavailable("the issuer did not answer a moment ago".to_owned())),
                other => {
                    seen.tried_at = Some(now);
                    other
                }
            }
        };
        match self.source.read().await.and_then(|text| Keys::parse(&text).map_err(str::to_owned)) {
            Ok(keys) => {
                let keys = Arc::new(keys);
                self.seen.lock().unwrap_or_else(PoisonError::into_inner).keys = Some((Arc::clone(&keys), now));
                Ok(keys)
            }
            // Those that are fresh still hold: whoever sends unknown names must not be able to lock the others out.
            Err(why) => fresh.ok_or(Untold::Unavailable(why)),
        }
    }
}

/// A list of keys at an address that whoever runs this control plane has set. Redirects are not followed.
pub struct Published {
    client: Client,
    path: String,
}

impl Published {
    /// Connects to nothing yet. Must be called inside a Tokio runtime.
    ///
    /// # Errors
    /// The URL is none that is called, or TLS cannot be set up.
    pub fn new(url: &str, gate: &Gate) -> Result<Published, PublishedError> {
        // Judged as a whole first: what is no address must not become one by being cut.
        Server::parse(url)?;
        let host = url.find("://").map_or(0, |at| at + 3);
        let (origin, path) = url.split_at(url.get(host..).and_then(|rest| rest.find('/')).map_or(url.len(), |at| host + at));
        let path = if path.is_empty() { "/" } else { path };
        Ok(Published { client: Client::new(Server::parse(origin)?, LIMITS, gate)?, path: path.to_owned() })
    }
}

/// Why an address of keys is of no use.
#[derive(Debug, thiserror::Error)]
pub enum PublishedError {
    /// It is no address.
    #[error(transparent)]
    NotAServer(#[from] NotAServer),
    /// TLS cannot be set up.
    #[error(transparent)]
    Http(#[from] HttpError),
}

#[async_trait]
impl KeySource for Published {
    async fn read(&self) -> Result<Vec<u8>, String> {
        let request = Request::get(&self.path).body(Vec::new()).map_err(|error| error.to_string())?;
        let answer = self.client.send(request).await.map_err(|error| error.to_string())?;
        if answer.status == StatusCode::OK { Ok(answer.body) } else { Err(format!("the issuer answered {}", answer.status)) }
    }
}

#[cfg(test)]
mod tests;
