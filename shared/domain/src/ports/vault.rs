//! Secrets.

use crate::tenant::{SealContext, Sealed};
use async_trait::async_trait;
use secrecy::SecretString;

/// Why a secret was not sealed or opened. Never holds the secret.
#[derive(Debug, thiserror::Error)]
pub enum VaultError {
    /// The key service did not answer; try again.
    #[error("the key service did not answer: {0}")]
    Unreachable(String),
    /// The key is disabled, the context differs, the ciphertext was changed, or we have no right.
    #[error("the secret cannot be opened: {0}")]
    Refused(String),
}

/// Seals secrets under a context. A ciphertext does not open under any other context.
#[async_trait]
pub trait Vault: Send + Sync {
    /// Encrypts.
    async fn seal(&self, context: &SealContext, secret: &SecretString) -> Result<Sealed, VaultError>;
    /// Decrypts.
    async fn open(&self, context: &SealContext, sealed: &Sealed) -> Result<SecretString, VaultError>;
}
