//! What clusters allow us.

use super::ClusterError;
use crate::permissions::Right;
use crate::tenant::Cluster;
use async_trait::async_trait;

/// Asks clusters what we may do there. Every caller may ask that of itself, and nothing is changed by it.
#[async_trait]
pub trait Rights: Send + Sync {
    /// Those of the rights that are missing, in the order asked.
    ///
    /// # Errors
    /// As any read: the connection, the credential, an answer that cannot be read.
    async fn missing(&self, cluster: &Cluster, rights: &[Right]) -> Result<Vec<Right>, ClusterError>;
}
