//! From an instance to its cluster and node.

use super::StoreError;
use crate::ids::{AccountId, ClusterId, CustomerId, InstanceKey};
use crate::node::NodeRecord;
use crate::tenant::Cluster;
use async_trait::async_trait;

/// The index that every refresh of a cluster writes and every notice reads once.
#[async_trait]
pub trait Routes: Send + Sync {
    /// The node behind an instance.
    async fn route(&self, key: &InstanceKey) -> Result<Option<NodeRecord>, StoreError>;
    /// The clusters of an account, whoever the customer: for a miss. Empty: the account is unknown to us.
    async fn clusters_of(&self, account: &AccountId) -> Result<Vec<Cluster>, StoreError>;
    /// Replaces the nodes of a cluster: writes these, forgets those that are not among them.
    async fn put_nodes(&self, customer: &CustomerId, cluster: &ClusterId, nodes: &[NodeRecord]) -> Result<(), StoreError>;
    /// The nodes of a cluster at the last refresh. May lag by a moment.
    async fn nodes(&self, customer: &CustomerId, cluster: &ClusterId) -> Result<Vec<NodeRecord>, StoreError>;
}
