//! The key service. A seal is bound to its context: under another one it does not open.

use async_trait::async_trait;
use data_encoding::BASE64;
use domain::ports::{Vault, VaultError};
use domain::tenant::{SealContext, Sealed};
use secrecy::{ExposeSecret, SecretString};
use sha2::{Digest, Sha256};
use std::sync::atomic::{AtomicBool, Ordering};

/// A vault in memory. It keeps nobody out who can read memory: it behaves like KMS, it does not protect like KMS.
#[derive(Default)]
pub struct MemoryVault {
    disabled: AtomicBool,
}

impl MemoryVault {
    /// Disables or enables the key.
    pub fn disable(&self, disabled: bool) {
        self.disabled.store(disabled, Ordering::SeqCst);
    }

    fn usable(&self) -> Result<(), VaultError> {
        if self.disabled.load(Ordering::SeqCst) {
            return Err(VaultError::Refused("the key is disabled".to_owned()));
        }
        Ok(())
    }
}

const SEAL_BYTES: usize = 32;

fn seal_of(context: &SealContext, secret: &[u8]) -> Vec<u8> {
    let mut hash = Sha256::new();
    let pairs = context.pairs();
    for part in pairs.iter().flat_map(|(name, value)| [name.as_bytes(), value.as_bytes()]).chain([secret]) {
        hash.update((part.len() as u64).to_be_bytes());
        hash.update(part);
    }
    hash.finalize().to_vec()
}

#[async_trait]
impl Vault for MemoryVault {
    async fn seal(&self, context: &SealContext, secret: &SecretString) -> Result<Sealed, VaultError> {
        self.usable()?;
        let secret = secret.expose_secret().as_bytes();
        let mut bytes = seal_of(context, secret);
        bytes.extend(secret.iter().map(|b| b ^ 0x5a));
        Ok(Sealed { ciphertext: BASE64.encode(&bytes) })
    }

    async fn open(&self, context: &SealContext, sealed: &Sealed) -> Result<SecretString, VaultError> {
        self.usable()?;
        let refused = || VaultError::Refused("the ciphertext does not belong to this context".to_owned());
        let bytes = BASE64.decode(sealed.ciphertext.as_bytes()).map_err(|_| refused())?;
        let (seal, masked) = bytes.split_at_checked(SEAL_BYTES).ok_or_else(refused)?;
        let secret: Vec<u8> = masked.iter().map(|b| b ^ 0x5a).collect();
        if seal != seal_of(context, &secret) {
            return Err(refused());
        }
        String::from_utf8(secret).map(SecretString::from).map_err(|_| refused())
    }
}
