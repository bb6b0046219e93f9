//! Sessions: a signed cookie that says which key signed in, or whose token, and until when. Neither key nor token is in any of them.
//!
//! Each request looks the key up anew by its hash: one that was revoked ends its sessions at once. The hash opens nothing: the API wants
//! the key that it is made of. Nobody can take a token back; so a session that one began is over with it, and after an hour at the latest.

use data_encoding::{BASE64URL_NOPAD, HEXLOWER};
use domain::ids::CustomerId;
use domain::ports::{Registry, StoreError};
use domain::tenant::{ApiKey, Role};
use domain::{SignedDuration, Timestamp};
use hmac::{Hmac, Mac};
use http::{HeaderMap, header};
use runtime::web::caller::OPERATOR;
use runtime::web::keys::same;
use runtime::web::token::Claims;
use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};
use std::sync::Arc;

/// How long a session lasts: a working day.
pub const LASTS: SignedDuration = SignedDuration::from_hours(12);
/// How long a session lasts that a token began, if the token lasts as long.
pub const LASTS_BY_TOKEN: SignedDuration = SignedDuration::from_hours(1);
/// The cookie's name.
pub const COOKIE: &str = "cloudoptim_console";
/// The longest key that is looked at, in bytes.
const KEY_BYTES_MAX: usize = 512;

/// Signs sessions.
#[derive(Clone)]
pub struct Signer {
    key: Arc<[u8]>,
    secure: bool,
}

/// Who is signed in.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Session {
    /// The customer: nothing of another one exists here.
    pub customer: CustomerId,
    /// What the key is for, in its owner's words.
    pub label: String,
    /// What the key may do.
    pub role: Role,
    /// What a form must bring back: another site cannot know it.
    pub token: String,
    /// When it ends.
    pub until: Timestamp,
}

/// What a session rests on.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Ground {
    /// A key, by the hash that it is stored under.
    Key(String),
    /// A token that was judged.
    Token(Box<Claims>),
}

/// What a token said, as a cookie carries it.
#[derive(Serialize, Deserialize)]
struct Told {
    customer: String,
    role: Role,
    subject: String,
}

impl Ground {
    fn word(&self) -> String {
        match self {
            Ground::Key(hash) => hash.clone(),
            Ground::Token(claims) => {
                let told = Told { customer: claims.customer.clone(), role: claims.role, subject: claims.subject.clone() };
                // Three texts always have a JSON form.
                format!("t{}", BASE64URL_NOPAD.encode(&serde_json::to_vec(&told).unwrap_or_default()))
            }
        }
    }

    fn until(&self, now: Timestamp) -> Timestamp {
        match self {
            Ground::Key(_) => now + LASTS,
            Ground::Token(claims) => claims.until.min(now + LASTS_BY_TOKEN),
        }
    }
}

impl Signer {
    /// A signer. `secure`: cookies travel over https only; without it only on this machine.
    pub fn new(key: &[u8], secure: bool) -> Signer {
        Signer { key: key.into(), secure }
    }

    fn mac(&self, parts: [&str; 2]) -> Vec<u8> {
        // HMAC takes a key of any length.
        let Ok(mut mac) = Hmac::<Sha256>::new_from_slice(&self.key) else {
            return Vec::new();
        };
        mac.update(parts[0].as_bytes());
        mac.update(b"\n");
        mac.update(parts[1].as_bytes());
        mac.finalize().into_bytes().to_vec()
    }

    /// The `Set-Cookie` of a new session. `nonce` makes its token another than that of the session before.
    pub fn begin(&self, ground: &Ground, nonce: u128, now: Timestamp) -> String {
        let until = ground.until(now);
        let payload = format!("{}.{}.{nonce:032x}", ground.word(), until.as_second());
        let mac = BASE64URL_NOPAD.encode(&self.mac(["session", &payload]));
        format!(
            "{COOKIE}={payload}.{mac}; Path=/console; HttpOnly; SameSite=Strict; Max-Age={}{}",
            until.duration_since(now).as_secs().max(0),
            self.suffix()
        )
    }

    /// The `Set-Cookie` that ends a session.
    pub fn end(&self) -> String {
        format!("{COOKIE}=; Path=/console; HttpOnly; SameSite=Strict; Max-Age=0{}", self.suffix())
    }

    fn suffix(&self) -> &'static str {
        if self.secure { "; Secure" } else { "" }
    }

    /// The session of a request; `None`: there is none that holds.
    ///
    /// # Errors
    /// Keys cannot be read.
    pub async fn session(&self, headers: &HeaderMap, registry: &dyn Registry, now: Timestamp) -> Result<Option<Session>, StoreError> {
        let Some((hash, until, token)) = cookie(headers).and_then(|value| self.opened(value, now)) else {
            return Ok(None);
        };
        if let Some(told) = hash.strip_prefix('t') {
            return of_token(registry, told, until, token).await;
        }
        let key = holding(registry, &hash, now).await?;
        Ok(key.map(|key| Session { customer: key.customer, label: key.label, role: key.role, token, until }))
    }

    /// What stands in a cookie that we signed and that is not over.
    fn opened(&self, value: &str, now: Timestamp) -> Option<(String, Timestamp, String)> {
        let (payload, mac) = value.rsplit_once('.')?;
        let mac = BASE64URL_NOPAD.decode(mac.as_bytes()).ok()?;
        if !same(&mac, &self.mac(["session", payload])) {
            return None;
        }
        let mut parts = payload.split('.');
        let (hash, until) = (parts.next()?, parts.next()?.parse().ok()?);
        let until = Timestamp::from_second(until).ok().filter(|until| *until > now)?;
        Some((hash.to_owned(), until, HEXLOWER.encode(&self.mac(["form", payload]))))
    }
}

/// The session of a token: its customer must be registered still.
async fn of_token(registry: &dyn Registry, told: &str, until: Timestamp, token: String) -> Result<Option<Session>, StoreError> {
    let read = BASE64URL_NOPAD.decode(told.as_bytes()).ok().and_then(|json| serde_json::from_slice::<Told>(&json).ok());
    let Some((told, customer)) = read.and_then(|told| CustomerId::parse(&told.customer).ok().map(|customer| (told, customer))) else {
        return Ok(None);
    };
    if !registered(registry, &customer).await? {
        return Ok(None);
    }
    Ok(Some(Session { customer, label: told.subject, role: told.role, token, until }))
}

/// A token may name anybody; only who is registered has anything here.
///
/// # Errors
/// Customers cannot be read.
pub async fn registered(registry: &dyn Registry, customer: &CustomerId) -> Result<bool, StoreError> {
    Ok(customer.as_str() == OPERATOR || registry.customer(customer).await?.is_some())
}

fn cookie(headers: &HeaderMap) -> Option<&str> {
    let all = headers.get_all(header::COOKIE).iter().filter_map(|value| value.to_str().ok()).flat_map(|value| value.split(';'));
    all.filter_map(|pair| pair.trim().split_once('=')).find(|(name, _)| *name == COOKIE).map(|(_, value)| value)
}

/// The hash that a key is stored under; `None`: it is no key.
pub fn hash_of(key: &str) -> Option<String> {
    let key = key.trim();
    (1..=KEY_BYTES_MAX).contains(&key.len()).then(|| HEXLOWER.encode(&Sha256::digest(key)))
}

/// A stored key that is neither revoked nor over.
///
/// # Errors
/// Keys cannot be read.
pub async fn holding(registry: &dyn Registry, hash: &str, now: Timestamp) -> Result<Option<ApiKey>, StoreError> {
    let known = registry.api_key(hash).await?;
    Ok(known.filter(|key| !key.revoked && key.expires_at.is_none_or(|end| end > now)))
}
