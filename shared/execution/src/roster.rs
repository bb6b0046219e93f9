//! All clusters, for whoever visits each of them every minute: their names are read anew each time, what they are only now and then.
//!
//! # Guarantees
//! A cluster that is registered is among them at once, and one that is gone is not. What is said of one may be as old as the roster allows:
//! whoever acts on a cluster reads it first.

use domain::ports::{ClusterName, Registry, StoreError};
use domain::tenant::Cluster;
use domain::{SignedDuration, Timestamp};
use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, PoisonError};

/// How old what is said of a cluster may be. Each look at each cluster is paid for, and what is set by people changes now and then.
const OLD_MAX: SignedDuration = SignedDuration::from_mins(5);

/// Clusters as they were read last, by one process.
#[derive(Debug, Clone, Default)]
pub struct Roster(Arc<Mutex<BTreeMap<ClusterName, (Timestamp, Cluster)>>>);

impl Roster {
    /// All clusters, by id.
    ///
    /// # Errors
    /// The table did not answer.
    pub async fn every(&self, registry: &dyn Registry, now: Timestamp) -> Result<Vec<Cluster>, StoreError> {
        let names = registry.every_cluster_name().await?;
        let missing: Vec<ClusterName> = {
            let mut known = self.0.lock().unwrap_or_else(PoisonError::into_inner);
            known.retain(|_, (read, _)| now < *read + OLD_MAX && *read <= now);
            names.iter().filter(|name| !known.contains_key(*name)).cloned().collect()
        };
        let read = registry.named_clusters(&missing).await?;
        let mut known = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        known.extend(read.into_iter().map(|cluster| ((cluster.customer.clone(), cluster.id.clone()), (now, cluster))));
        Ok(names.iter().filter_map(|name| known.get(name).map(|(_, cluster)| cluster.clone())).collect())
    }

    /// What is known of a cluster has changed: it is read anew next time.
    pub fn forget(&self, cluster: &Cluster) {
        let mut known = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        known.remove(&(cluster.customer.clone(), cluster.id.clone()));
    }
}
