//! Sessions: a signed cookie that says which key signed in, and until when. The key itself is in none of them.
//!
//! Each request looks the key up anew by its hash: one that was revoked ends its sessions at once. The hash opens nothing: the API wants
//! the key that it is made of.

use data_encoding::{BASE64URL_NOPAD, HEXLOWER};
use domain::ids::CustomerId;
use domain::ports::{Registry, StoreError};
use domain::tenant::{ApiKey, Role};
use domain::{SignedDuration, Timestamp};
use hmac::{Hmac, Mac};
use http::{HeaderMap, header};
use runtime::web::keys::same;
use sha2::{Digest, Sha256};

/// How long a session lasts: a working day.
pub const LASTS: SignedDuration = SignedDuration::from_hours(12);
/// The cookie's name.
pub const COOKIE: &str = "cloudoptim_console";
/// The longest key that is looked at, in bytes.
const KEY_BYTES_MAX: usize = 512;

/// Signs sessions.
pub struct Signer {
    key: Vec<u8>,
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

impl Signer {
    /// A signer. `secure`: cookies travel over https only; without it only on this machine.
    pub fn new(key: &[u8], secure: bool) -> Signer {
        Signer { key: key.to_vec(), secure }
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
    pub fn begin(&self, hash: &str, nonce: u128, now: Timestamp) -> String {
        let payload = format!("{hash}.{}.{nonce:032x}", (now + LASTS).as_second());
        let mac = BASE64URL_NOPAD.encode(&self.mac(["session", &payload]));
        format!("{COOKIE}={payload}.{mac}; Path=/console; HttpOnly; SameSite=Strict; Max-Age={}{}", LASTS.as_secs(), self.suffix())
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
