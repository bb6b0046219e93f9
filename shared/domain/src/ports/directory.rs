//! Where clusters are, by their names.

use crate::tenant::AwsScope;
use async_trait::async_trait;

/// Where a cluster's API server is, and whose certificates it shows.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Whereabouts {
    /// `https://...`, as EKS gives it out.
    pub endpoint: String,
    /// The certificate authority, as EKS gives it out: PEM in base64.
    pub authority: String,
}

/// Why there is no answer.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum DirectoryError {
    /// There is no cluster of this name, or it is being made and has no address yet.
    #[error("EKS knows no such cluster: {0}")]
    Unknown(String),
    /// The role cannot be taken, or may not ask.
    #[error("EKS may not be asked: {0}")]
    Refused(String),
    /// AWS did not answer; try again.
    #[error("EKS did not answer: {0}")]
    Unreachable(String),
}

/// Knows clusters by the names that EKS knows them by.
#[async_trait]
pub trait Directory: Send + Sync {
    /// Where the cluster of this name is, in the scope's account and Region. Asked in the name of the role that only looks.
    ///
    /// # Errors
    /// See [`DirectoryError`].
    async fn whereabouts(&self, scope: &AwsScope, name: &str) -> Result<Whereabouts, DirectoryError>;
}
