//! Short-lived credentials of clusters that know AWS roles.

use crate::tenant::Cluster;
use async_trait::async_trait;
use secrecy::SecretString;

/// Why there is no credential. Never holds one.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum BearerError {
    /// AWS or the table did not answer; try again.
    #[error("the role for the cluster could not be taken: {0}")]
    Unreachable(String),
    /// The role does not let us, or the cluster is not one of this kind.
    #[error("the role for the cluster cannot be taken: {0}")]
    Refused(String),
}

/// Makes bearer tokens for clusters that are registered with the name that EKS knows them by.
#[async_trait]
pub trait Bearers: Send + Sync {
    /// A token that the cluster's API server takes for several minutes more. The same one is answered until it gets old.
    ///
    /// # Errors
    /// See [`BearerError`].
    async fn bearer(&self, cluster: &Cluster) -> Result<SecretString, BearerError>;
}
