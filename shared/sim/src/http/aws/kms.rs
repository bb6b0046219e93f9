//! KMS: seals under a key and a context. A toy: it keeps the laws of KMS, not secrets.

use super::answer::Fault;
use data_encoding::BASE64;
use serde_json::{Value, json};
use sha2::{Digest, Sha256};
use std::collections::BTreeSet;
use std::sync::Mutex;

/// The namespace of its errors.
pub(crate) const NAMESPACE: &str = "com.amazonaws.kms";

const TAG: usize = 32;

/// The key service.
#[derive(Debug, Default)]
pub(crate) struct Kms {
    disabled: Mutex<BTreeSet<String>>,
}

impl Kms {
    /// Disables a key, or enables it again.
    pub(crate) fn set_disabled(&self, key: &str, disabled: bool) {
        let mut all = self.disabled.lock().unwrap_or_else(std::sync::PoisonError::into_inner);
        if disabled {
            all.insert(key.to_owned())
        } else {
            all.remove(key)
        };
    }

    pub(crate) fn call(&self, operation: &str, body: &Value) -> Result<Value, Fault> {
        match operation {
            "Encrypt" => self.encrypt(body),
            "Decrypt" => self.decrypt(body),
            other => Err(Fault::client("UnknownOperationException", format!("{other} is not simulated"))),
        }
    }

    fn encrypt(&self, body: &Value) -> Result<Value, Fault> {
        let key = body["KeyId"].as_str().unwrap_or_default();
        self.usable(key)?;
        let plain = bytes(&body["Plaintext"])?;
        if plain.len() > 4_096 {
            return Err(Fault::client("ValidationException", "'plaintext' must be at most 4096 bytes"));
        }
        let context = context(body);
        let masked = mask(key, &context, &plain);
        let mut blob = Vec::with_capacity(2 + key.len() + TAG + masked.len());
        let length = u16::try_from(key.len()).map_err(|_| not_found(key))?;
        blob.extend(length.to_be_bytes());
        blob.extend(key.as_bytes());
        blob.extend(tag(key, &context, &masked));
        blob.extend(masked);
        Ok(json!({ "CiphertextBlob": BASE64.encode(&blob), "KeyId": arn(key), "EncryptionAlgorithm": "SYMMETRIC_DEFAULT" }))
    }

    fn decrypt(&self, body: &Value) -> Result<Value, Fault> {
        let invalid = || Fault::client("InvalidCiphertextException", "the ciphertext or its encryption context is not as it was sealed");
        let blob = bytes(&body["CiphertextBlob"])?;
        let (length, rest) = blob.split_first_chunk::<2>().ok_or_else(invalid)?;
        let (key, rest) = rest.split_at_checked(usize::from(u16::from_be_bytes(*length))).ok_or_else(invalid)?;
        let (expected, masked) = rest.split_at_checked(TAG).ok_or_else(invalid)?;
        let key = std::str::from_utf8(key).map_err(|_| invalid())?;
        if let Some(asked) = body["KeyId"].as_str()
            && arn(asked) != arn(key)
        {
            return Err(Fault::client("IncorrectKeyException", "the ciphertext was sealed under another key"));
        }
        self.usable(key)?;
        let context = context(body);
        if tag(key, &context, masked) != expected {
            return Err(invalid());
        }
        let plain = mask(key, &context, masked);
        Ok(json!({ "Plaintext": BASE64.encode(&plain), "KeyId": arn(key), "EncryptionAlgorithm": "SYMMETRIC_DEFAULT" }))
    }

    fn usable(&self, key: &str) -> Result<(), Fault> {
        if key.is_empty() {
            return Err(not_found(key));
        }
        if self.disabled.lock().unwrap_or_else(std::sync::PoisonError::into_inner).contains(key) {
            return Err(Fault::client("DisabledException", format!("{} is disabled.", arn(key))));
        }
        Ok(())
    }
}

fn not_found(key: &str) -> Fault {
    Fault::client("NotFoundException", format!("Key '{key}' does not exist"))
}

fn arn(key: &str) -> String {
    if key.starts_with("arn:") { key.to_owned() } else { format!("arn:aws:kms:us-east-1:{}:key/{key}", super::OWN_ACCOUNT) }
}

/// The encryption context in one order, whatever the order it was sent in.
fn context(body: &Value) -> String {
    let pairs: std::collections::BTreeMap<&String, &Value> = body["EncryptionContext"].as_object().into_iter().flatten().collect();
    serde_json::to_string(&pairs).unwrap_or_default()
}

fn bytes(value: &Value) -> Result<Vec<u8>, Fault> {
    let text = value.as_str().unwrap_or_default();
    BASE64.decode(text.as_bytes()).map_err(|_| Fault::client("SerializationException", "not base64"))
}

fn tag(key: &str, context: &str, masked: &[u8]) -> [u8; TAG] {
    Sha256::new().chain_update("tag\n").chain_update(key).chain_update("\n").chain_update(context).chain_update(masked).finalize().into()
}

/// Hides the text, and finds it again: applied twice it does nothing.
fn mask(key: &str, context: &str, text: &[u8]) -> Vec<u8> {
    let block = |n: usize| Sha256::new().chain_update(n.to_be_bytes()).chain_update(key).chain_update(context).finalize();
    let stream = (0..).flat_map(block);
    text.iter().zip(stream).map(|(byte, hide)| byte ^ hide).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn seal(kms: &Kms, tenant: &str) -> String {
        let body = json!({ "KeyId": "key", "Plaintext": BASE64.encode(b"token"), "EncryptionContext": { "customer": tenant, "b": "2" } });
        kms.call("Encrypt", &body).unwrap()["CiphertextBlob"].as_str().unwrap().to_owned()
    }

    fn open(kms: &Kms, blob: &str, tenant: &str) -> Result<Vec<u8>, Fault> {
        let body = json!({ "CiphertextBlob": blob, "EncryptionContext": { "b": "2", "customer": tenant } });
        kms.call("Decrypt", &body).map(|answer| bytes(&answer["Plaintext"]).unwrap())
    }

    #[test]
    fn a_secret_opens_under_its_context_only() {
        let kms = Kms::default();
        let blob = seal(&kms, "acme");
        assert_eq!(open(&kms, &blob, "acme").unwrap(), b"token");
        assert_eq!(open(&kms, &blob, "globex").unwrap_err().code, "InvalidCiphertextException");
        let mut changed = BASE64.decode(blob.as_bytes()).unwrap();
        *changed.last_mut().unwrap() ^= 1;
        assert_eq!(open(&kms, &BASE64.encode(&changed), "acme").unwrap_err().code, "InvalidCiphertextException");
        assert_eq!(open(&kms, "", "acme").unwrap_err().code, "InvalidCiphertextException");
    }

    #[test]
    fn a_disabled_key_neither_seals_nor_opens() {
        let kms = Kms::default();
        let blob = seal(&kms, "acme");
        kms.set_disabled("key", true);
        assert_eq!(open(&kms, &blob, "acme").unwrap_err().code, "DisabledException");
        kms.set_disabled("key", false);
        assert!(open(&kms, &blob, "acme").is_ok());
    }
}
