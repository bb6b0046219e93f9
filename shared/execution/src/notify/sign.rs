//! Signatures after the Standard Webhooks specification 1.0 (symmetric, `v1`).

use data_encoding::BASE64;
use hmac::{Hmac, Mac};
use secrecy::{ExposeSecret, SecretString};
use sha2::Sha256;

/// What secrets begin with.
const PREFIX: &str = "whsec_";

/// Why a secret cannot be used.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("a signing secret is whsec_ and 24 to 64 bytes in base64")]
pub struct BadSecret;

/// The bytes of a secret.
///
/// # Errors
/// [`BadSecret`].
pub fn key(secret: &SecretString) -> Result<Vec<u8>, BadSecret> {
    let encoded = secret.expose_secret().strip_prefix(PREFIX).ok_or(BadSecret)?;
    let key = BASE64.decode(encoded.as_bytes()).map_err(|_| BadSecret)?;
    if (24..=64).contains(&key.len()) { Ok(key) } else { Err(BadSecret) }
}

/// A secret out of these bytes: 24 to 64 of them, from a generator fit for keys.
pub fn secret(bytes: &[u8]) -> SecretString {
    SecretString::from(format!("{PREFIX}{}", BASE64.encode(bytes)))
}

/// Value of the header `webhook-signature`: one signature for each secret, the newest first. `timestamp` in seconds since 1970.
///
/// # Errors
/// [`BadSecret`].
pub fn signatures(secrets: &[SecretString], id: &str, timestamp: i64, body: &str) -> Result<String, BadSecret> {
    let one = |secret: &SecretString| {
        // HMAC takes keys of any length; the error of the constructor does not occur.
        let mut mac = Hmac::<Sha256>::new_from_slice(&key(secret)?).map_err(|_| BadSecret)?;
        mac.update(format!("{id}.{timestamp}.{body}").as_bytes());
        Ok(format!("v1,{}", BASE64.encode(&mac.finalize().into_bytes())))
    };
    Ok(secrets.iter().map(one).collect::<Result<Vec<_>, _>>()?.join(" "))
}

#[cfg(test)]
mod tests {
    use super::{key, secret, signatures};
    use secrecy::{ExposeSecret, SecretString};

    /// The example of the specification's reference libraries.
    #[test]
    fn the_published_example_comes_out() {
        let secret = SecretString::from("whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw".to_owned());
        let body = r#"{"test": 2432232314}"#;
        let signed = signatures(&[secret], "msg_p5jXN8AQM9LWM0D4loKWxJek", 1_614_265_330, body).unwrap();
        assert_eq!(signed, "v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE=");
    }

    #[test]
    fn a_receiver_that_moves_over_finds_both_signatures() {
        let (new, old) = (secret(&[1; 32]), secret(&[2; 32]));
        let both = signatures(&[new.clone(), old.clone()], "a", 1, "{}").unwrap();
        let one = |secret| signatures(&[secret], "a", 1, "{}").unwrap();
        assert_eq!(both, format!("{} {}", one(new), one(old)));
    }

    #[test]
    fn secrets_that_are_none_are_refused() {
        for text in ["", "whsec_", "whsec_AAAA", "MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw", "whsec_not base64"] {
            assert!(key(&SecretString::from(text.to_owned())).is_err(), "{text:?}");
        }
        assert_eq!(key(&secret(&[7; 24])).unwrap(), [7; 24]);
        assert!(secret(&[7; 24]).expose_secret().starts_with("whsec_"));
    }
}
