//! Secrets, over KMS: sealed and opened under the encryption context of one customer, cluster and endpoint.

use async_trait::async_trait;
use aws_sdk_kms::Client;
use aws_sdk_kms::error::{ProvideErrorMetadata, SdkError};
use aws_sdk_kms::primitives::Blob;
use aws_types::SdkConfig;
use data_encoding::BASE64;
use domain::ports::{Vault, VaultError};
use domain::tenant::{SealContext, Sealed};
use secrecy::{ExposeSecret, SecretString};
use std::collections::HashMap;

/// Secrets sealed with one KMS key.
#[derive(Debug, Clone)]
pub struct KeyVault {
    client: Client,
    key_id: String,
}

impl KeyVault {
    /// Seals with the key of this id, ARN or alias. Makes no call.
    pub fn new(config: &SdkConfig, key_id: String) -> KeyVault {
        KeyVault { client: Client::new(config), key_id }
    }
}

#[async_trait]
impl Vault for KeyVault {
    async fn seal(&self, context: &SealContext, secret: &SecretString) -> Result<Sealed, VaultError> {
        let answer = self
            .client
            .encrypt()
            .key_id(&self.key_id)
            .plaintext(Blob::new(secret.expose_secret().as_bytes()))
            .set_encryption_context(Some(encryption_context(context)))
            .send()
            .await
            .map_err(vault_error)?;
        let blob = answer.ciphertext_blob.ok_or_else(|| VaultError::Refused("KMS answered without a ciphertext".to_owned()))?;
        Ok(Sealed { ciphertext: BASE64.encode(blob.as_ref()) })
    }

    async fn open(&self, context: &SealContext, sealed: &Sealed) -> Result<SecretString, VaultError> {
        let bytes = BASE64
            .decode(sealed.ciphertext.as_bytes())
            .map_err(|_| VaultError::Refused("the stored ciphertext is not base64".to_owned()))?;
        // The key is named, so that a ciphertext of some other key, put there by somebody else, does not open.
        let answer = self
            .client
            .decrypt()
            .key_id(&self.key_id)
            .ciphertext_blob(Blob::new(bytes))
            .set_encryption_context(Some(encryption_context(context)))
            .send()
            .await
            .map_err(vault_error)?;
        let blob = answer.plaintext.ok_or_else(|| VaultError::Refused("KMS answered without a plaintext".to_owned()))?;
        let text = String::from_utf8(blob.into_inner()).map_err(|_| VaultError::Refused("the secret is not text".to_owned()))?;
        Ok(SecretString::from(text))
    }
}

/// Word for word: the key policy and CloudTrail show the same names.
fn encryption_context(context: &SealContext) -> HashMap<String, String> {
    context.pairs().into_iter().map(|(name, value)| (name.to_owned(), value.to_owned())).collect()
}

/// Only the code and message of KMS: neither holds the secret.
fn vault_error<E: ProvideErrorMetadata>(error: SdkError<E>) -> VaultError {
    let SdkError::ServiceError(service) = &error else {
        return VaultError::Unreachable(error.to_string());
    };
    let code = service.err().code().unwrap_or("unknown error");
    let text = format!("{code}: {}", service.err().message().unwrap_or("no message"));
    let passing =
        ["ThrottlingException", "LimitExceededException", "DependencyTimeoutException", "KMSInternalException", "KeyUnavailableException"];
    if service.raw().status().as_u16() >= 500 || passing.contains(&code) {
        VaultError::Unreachable(text)
    } else {
        VaultError::Refused(text)
    }
}

/// Makes a key: for local mode and tests. Answers its id.
///
/// # Errors
/// KMS did not do it.
pub async fn create_key(config: &SdkConfig) -> Result<String, VaultError> {
    let made = Client::new(config).create_key().description("CloudOptim, local").send().await.map_err(vault_error)?;
    made.key_metadata.map(|key| key.key_id).ok_or_else(|| VaultError::Refused("KMS gave the new key no id".to_owned()))
}
