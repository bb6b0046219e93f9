//! JSON Web Tokens, judged: pure. The algorithm is ours to choose, not the token's; keys come from the issuer's own list and from
//! nowhere that a token names.
//!
//! Written on the primitives that TLS brings along: the usual crate would change their features, and with them build every SDK anew.

use data_encoding::BASE64URL_NOPAD;
use domain::Timestamp;
use domain::tenant::Role;
use ring::signature::{ECDSA_P256_SHA256_FIXED, RSA_PKCS1_2048_8192_SHA256, RsaPublicKeyComponents, UnparsedPublicKey};
use serde::Deserialize;
use std::collections::BTreeMap;

/// How far clocks may be apart, in seconds.
const SKEW_S: i64 = 60;
/// The longest that a token may live, in seconds: who lost their rights a day ago has none.
const LIFE_MAX_S: i64 = 86_400;
/// Keys of an issuer that are looked at.
const KEYS_MAX: usize = 64;

/// What a token must say.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Expected {
    /// `iss`, letter for letter.
    pub issuer: String,
    /// What `aud` must be or hold.
    pub audience: String,
}

/// What a good token says.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Claims {
    /// Who, in the issuer's words.
    pub subject: String,
    /// For which customer: the claim `cloudoptim_customer`.
    pub customer: String,
    /// With which role: the claim `cloudoptim_role`.
    pub role: Role,
    /// When it is over: the claim `exp`.
    pub until: Timestamp,
}

/// The algorithms that are taken. There is no other way to sign: neither `none`, nor a secret that both sides know.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
enum Algorithm {
    RS256,
    ES256,
}

/// What the head of a token may say. Whatever points at keys elsewhere (`jku`, `x5u`, `jwk`, `x5c`), and `crit`, is refused with
/// all else that is not named here.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Head {
    alg: Algorithm,
    kid: String,
    typ: Option<String>,
    /// A fingerprint of the key, which some issuers add. Nothing is looked up by it.
    #[serde(rename = "x5t")]
    _x5t: Option<String>,
}

/// Numbers are whole seconds: a text, a fraction or a number without end is no time.
#[derive(Deserialize)]
struct Body {
    iss: String,
    aud: Audience,
    sub: String,
    exp: i64,
    iat: Option<i64>,
    nbf: Option<i64>,
    cloudoptim_customer: String,
    cloudoptim_role: Role,
}

#[derive(Deserialize)]
#[serde(untagged)]
enum Audience {
    One(String),
    Many(Vec<String>),
}

impl Audience {
    fn holds(&self, wanted: &str) -> bool {
        match self {
            Audience::One(one) => one == wanted,
            Audience::Many(many) => many.iter().any(|one| one == wanted),
        }
    }
}

/// A key of the issuer, good for one algorithm only.
enum Key {
    Rsa { n: Vec<u8>, e: Vec<u8> },
    P256(Vec<u8>),
}

/// The issuer's keys, by name.
#[derive(Default)]
pub struct Keys(BTreeMap<String, Key>);

#[derive(Deserialize)]
struct KeySet {
    keys: Vec<serde_json::Value>,
}

#[derive(Deserialize)]
struct Listed {
    kty: String,
    kid: String,
    alg: Option<String>,
    r#use: Option<String>,
    crv: Option<String>,
    n: Option<String>,
    e: Option<String>,
    x: Option<String>,
    y: Option<String>,
}

impl Keys {
    /// Reads a list of keys (RFC 7517). Keys of other kinds, and for other uses, are passed over.
    ///
    /// # Errors
    /// It is no list of keys.
    pub fn parse(text: &[u8]) -> Result<Keys, &'static str> {
        let set: KeySet = serde_json::from_slice(text).map_err(|_| "the issuer's list of keys cannot be read")?;
        let listed = set.keys.into_iter().take(KEYS_MAX).filter_map(|key| serde_json::from_value::<Listed>(key).ok());
        Ok(Keys(listed.filter_map(|key| Some((key.kid.clone(), usable(key)?))).collect()))
    }

    /// Whether there is a key of this name.
    pub fn know(&self, kid: &str) -> bool {
        self.0.contains_key(kid)
    }
}

fn usable(key: Listed) -> Option<Key> {
    let bytes = |text: Option<String>| BASE64URL_NOPAD.decode(text?.as_bytes()).ok();
    if key.r#use.is_some_and(|used| used != "sig") {
        return None;
    }
    match (key.kty.as_str(), key.alg.as_deref()) {
        ("RSA", None | Some("RS256")) => Some(Key::Rsa { n: bytes(key.n)?, e: bytes(key.e)? }),
        ("EC", None | Some("ES256")) if key.crv.as_deref() == Some("P-256") => {
            let (x, y) = (bytes(key.x)?, bytes(key.y)?);
            (x.len() == 32 && y.len() == 32).then(|| Key::P256([&[4_u8][..], &x, &y].concat()))
        }
        _ => None,
    }
}

/// A token that was taken apart, and not believed yet.
pub struct Unverified<'a> {
    head: Head,
    signed: &'a str,
    body: &'a str,
    signature: Vec<u8>,
}

impl<'a> Unverified<'a> {
    /// Takes a token apart.
    ///
    /// # Errors
    /// What is wrong with it, for the log.
    pub fn read(token: &'a str) -> Result<Self, &'static str> {
        let (signed, signature) = token.rsplit_once('.').ok_or("it has no signature")?;
        let (head, body) = signed.split_once('.').ok_or("it has no body")?;
        let decode = |text: &str| BASE64URL_NOPAD.decode(text.as_bytes()).map_err(|_| "a part is not base64url");
        let head: Head = serde_json::from_slice(&decode(head)?).map_err(|_| "its head asks for what is not taken here")?;
        if head.typ.as_deref().is_some_and(|typ| !["jwt", "at+jwt"].contains(&typ.to_ascii_lowercase().as_str())) {
            return Err("it is of another type");
        }
        Ok(Unverified { head, signed, body, signature: decode(signature)? })
    }

    /// The name of the key that it says it was signed with.
    pub fn kid(&self) -> &str {
        &self.head.kid
    }

    /// Judges it.
    ///
    /// # Errors
    /// What is wrong with it, for the log.
    pub fn judge(&self, keys: &Keys, expected: &Expected, now: Timestamp) -> Result<Claims, &'static str> {
        let key = keys.0.get(&self.head.kid).ok_or("no key of the issuer has this name")?;
        let signed = self.signed.as_bytes();
        // A key is good for one algorithm: an RSA key that is public cannot be taken for a secret.
        let fine = match (self.head.alg, key) {
            (Algorithm::RS256, Key::Rsa { n, e }) => {
                RsaPublicKeyComponents { n, e }.verify(&RSA_PKCS1_2048_8192_SHA256, signed, &self.signature).is_ok()
            }
            (Algorithm::ES256, Key::P256(point)) => {
                UnparsedPublicKey::new(&ECDSA_P256_SHA256_FIXED, point).verify(signed, &self.signature).is_ok()
            }
            (Algorithm::RS256, Key::P256(_)) | (Algorithm::ES256, Key::Rsa { .. }) => false,
        };
        if !fine {
            return Err("its signature is not the issuer's");
        }
        let body = BASE64URL_NOPAD.decode(self.body.as_bytes()).map_err(|_| "a part is not base64url")?;
        let body: Body = serde_json::from_slice(&body).map_err(|_| "a claim is missing, or not of its kind")?;
        within(&body, now.as_second())?;
        if body.iss != expected.issuer {
            return Err("another issuer made it");
        }
        if !body.aud.holds(&expected.audience) {
            return Err("it is for another audience");
        }
        if !(1..=200).contains(&body.sub.len()) || body.sub.chars().any(char::is_control) {
            return Err("its subject is no name");
        }
        let until = Timestamp::from_second(body.exp).map_err(|_| "its end is no time")?;
        Ok(Claims { until, subject: body.sub, customer: body.cloudoptim_customer, role: body.cloudoptim_role })
    }
}

fn within(body: &Body, now: i64) -> Result<(), &'static str> {
    let from = body.iat.unwrap_or(now);
    if body.exp <= now.saturating_sub(SKEW_S) {
        return Err("it has expired");
    }
    if body.nbf.unwrap_or(now) > now.saturating_add(SKEW_S) || from > now.saturating_add(SKEW_S) {
        return Err("it is not valid yet");
    }
    if body.exp.saturating_sub(from) > LIFE_MAX_S {
        return Err("it lives longer than a day");
    }
    Ok(())
}

#[cfg(test)]
mod tests;
