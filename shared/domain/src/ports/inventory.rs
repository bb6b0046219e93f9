//! What stands in a cluster's API besides nodes and pods, as far as waste is looked for in it.

use super::ClusterError;
use async_trait::async_trait;

/// A PersistentVolume.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PersistentVolume {
    /// Its name.
    pub name: String,
    /// The EBS volume behind it (`vol-...`), where it is one.
    pub volume: Option<String>,
    /// Whether its reclaim policy is `Retain`: its volume is to stay when the claim goes.
    pub retain: bool,
}

/// Lists of one cluster's API.
#[async_trait]
pub trait Inventory: Send + Sync {
    /// Every PersistentVolume.
    async fn persistent_volumes(&self) -> Result<Vec<PersistentVolume>, ClusterError>;
}
