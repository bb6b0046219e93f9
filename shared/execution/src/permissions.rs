//! Looks what we may do in a cluster and in its account, and writes down what is missing. Nothing is changed by looking.

use crate::ports::Ports;
use domain::permissions::{Checklist, all_rights, asked_key, key};
use domain::ports::{Clock, Cloud, ClusterError, Registry, Rights, StoreError, Trust, Trusts};
use domain::tenant::{AwsScope, Cluster};
use std::sync::Arc;

mod account;

/// Who looks.
#[derive(Clone)]
pub struct Inspector {
    /// Where checklists are kept.
    pub registry: Arc<dyn Registry>,
    /// What clusters allow.
    pub rights: Arc<dyn Rights>,
    /// Whom the role that acts trusts.
    pub trust: Arc<dyn Trusts>,
    /// What accounts allow.
    pub cloud: Arc<dyn Cloud>,
    /// Time.
    pub clock: Arc<dyn Clock>,
}

impl Inspector {
    /// One that reads and writes where the rest of a process does.
    pub fn on(ports: &Ports, rights: Arc<dyn Rights>, trust: Arc<dyn Trusts>) -> Inspector {
        Inspector { registry: ports.registry.clone(), rights, trust, cloud: ports.cloud.clone(), clock: ports.clock.clone() }
    }

    /// Looks, unless somebody has looked not long ago and nobody has asked since; says whether it did.
    ///
    /// # Errors
    /// The table did not answer. What the cluster or AWS does not answer is what is found.
    pub async fn look(&self, cluster: &Cluster, scope: &AwsScope) -> Result<bool, StoreError> {
        let now = self.clock.now();
        let key = key(&cluster.id);
        let read = async |key: &str| self.registry.config(&cluster.customer, key).await;
        let before: Option<Checklist> = read(&key).await?.and_then(|value| serde_json::from_value(value).ok());
        let asked_at = read(&asked_key(&cluster.id)).await?.and_then(|value| serde_json::from_value(value).ok());
        if before.is_some_and(|list| list.holds(asked_at, now)) {
            return Ok(false);
        }
        let (role, missing, account) = Box::pin(futures::future::join3(
            self.trust.trust(cluster, &scope.external_id),
            self.rights.missing(cluster, &all_rights()),
            account::look(self.cloud.as_ref(), scope),
        ))
        .await;
        if role == Trust::Anybody {
            tracing::error!(cluster.id = %cluster.id, "The role of a cluster is given to us without its external id: it trusts anybody");
        }
        let (missing, why) = match missing {
            Ok(missing) => (Some(missing), None),
            Err(error) => (None, Some(said(&error).to_owned())),
        };
        let list = serde_json::to_value(Checklist { at: now, role, missing, why, account })
            .map_err(|error| StoreError::Refused(error.to_string()))?;
        self.registry.put_config(&cluster.customer, &key, &list).await?;
        Ok(true)
    }
}

/// Why a cluster could not be asked: constant words, because customers read them.
fn said(error: &ClusterError) -> &'static str {
    match error {
        ClusterError::Unreachable(_) => "The Kubernetes API of the cluster does not answer.",
        ClusterError::Unauthorized => "The Kubernetes API does not accept our credential.",
        ClusterError::Forbidden(_) | ClusterError::Gone | ClusterError::Conflict | ClusterError::Refused(_) => {
            "The Kubernetes API does not say what we may do."
        }
        ClusterError::Overloaded(_) => "The Kubernetes API of the cluster is overloaded.",
    }
}
