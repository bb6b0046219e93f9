//! Signatures of our own requests, for servers of ours that ask who calls.

use async_trait::async_trait;

/// A request that is about to be sent.
#[derive(Debug, Clone, Copy)]
pub struct Outgoing<'a> {
    /// `GET`, `POST`, ...
    pub method: &'a str,
    /// The whole address, with its host and its query.
    pub url: &'a str,
    /// All of the body.
    pub body: &'a [u8],
}

/// Why there is no signature. Never holds a secret.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("the request could not be signed: {0}")]
pub struct SignError(pub String);

/// Signs requests as ourselves.
#[async_trait]
pub trait Signer: Send + Sync {
    /// The headers that make the request ours, by name and value; none where its server asks for no signature.
    ///
    /// # Errors
    /// [`SignError`]: there are no credentials, or the request has no form that could be signed.
    async fn sign(&self, request: &Outgoing<'_>) -> Result<Vec<(String, String)>, SignError>;
}
