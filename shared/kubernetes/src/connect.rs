//! Connections: opened from validated fields, kept while nothing about them changes.

use crate::call::Api;
use crate::connection::Connection;
use crate::endpoint::Endpoint;
use crate::rights;
use crate::transport;
use async_trait::async_trait;
use domain::ids::ClusterId;
use domain::permissions::Right;
use domain::ports::{BearerError, Bearers, Cluster, ClusterError, Clusters, Rights, Vault, VaultError};
use domain::tenant;
use gate::Gate;
use http::HeaderValue;
use secrecy::{ExposeSecret, SecretString};
use sha2::{Digest, Sha256};
use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};

/// Connections kept; beyond, the one that was not asked for longest goes.
const KEPT: usize = 64;

/// How calls are limited and repeated.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Settings {
    /// `K8S_API_TIMEOUT_SECONDS`: limit of one call with all its tries (of a list: of one page), in seconds. At least 1; evictions
    /// need more than 10.
    pub timeout_s: u32,
    /// `K8S_API_RETRY_ATTEMPTS`: how often a call is tried in all. 0 and 1: once.
    pub retry_attempts: u32,
    /// `K8S_API_BACKOFF_FACTOR`: by how much each pause between two tries is longer than the one before it. The first is 0.1 s.
    pub backoff_factor: u32,
}

impl Default for Settings {
    fn default() -> Self {
        Self { timeout_s: 30, retry_attempts: 3, backoff_factor: 2 }
    }
}

/// Everything that a connection depends on: with any of it changed, a new one is opened.
type Fingerprint = [u8; 32];

struct Kept {
    fingerprint: Fingerprint,
    connection: Arc<Connection>,
    asked_for: u64,
}

#[derive(Default)]
struct Cache {
    clusters: HashMap<ClusterId, Kept>,
    asked: u64,
}

/// Gives access to clusters by their stored fields. One connection per cluster; it is dropped when its endpoint, certificate
/// authority or credential changes, and when the API server does not accept the credential any more.
pub struct Connections {
    vault: Arc<dyn Vault>,
    bearers: Option<Arc<dyn Bearers>>,
    settings: Settings,
    gate: Gate,
    cache: Mutex<Cache>,
}

impl Connections {
    /// The vault opens the credentials, the gate the way to the endpoints.
    pub fn new(vault: Arc<dyn Vault>, settings: Settings, gate: Gate) -> Self {
        Self { vault, bearers: None, settings, gate, cache: Mutex::default() }
    }

    /// Clusters that are registered with their EKS name are called with these tokens.
    #[must_use]
    pub fn with_bearers(self, bearers: Arc<dyn Bearers>) -> Self {
        Self { bearers: Some(bearers), ..self }
    }

    async fn connection(&self, cluster: &tenant::Cluster) -> Result<Arc<Connection>, ClusterError> {
        // Asked for each time: it is made of nothing but time, and a new one is another connection.
        let minted = match &cluster.eks_cluster_name {
            Some(_) => Some(self.mint(cluster).await?),
            None => None,
        };
        let fingerprint = fingerprint(cluster, minted.as_ref());
        if let Some(kept) = self.cached(&cluster.id, &fingerprint) {
            return Ok(kept);
        }
        let endpoint = Endpoint::parse(&cluster.k8s_api_endpoint)?;
        let tls = transport::tls(cluster.k8s_ca.as_deref())?;
        let token = match minted {
            Some(token) => token,
            None => self.stored(cluster).await?,
        };
        let connection = Arc::new(Connection { api: Api::new(endpoint, Some(bearer(&token)?), tls, self.settings, self.gate.clone()) });
        self.keep(cluster.id.clone(), fingerprint, &connection);
        Ok(connection)
    }

    async fn mint(&self, cluster: &tenant::Cluster) -> Result<SecretString, ClusterError> {
        let Some(bearers) = &self.bearers else {
            return Err(ClusterError::Refused(
                "the cluster is registered for tokens of AWS roles, which this process cannot make".to_owned(),
            ));
        };
        bearers.bearer(cluster).await.map_err(|error| match error {
            BearerError::Unreachable(_) => ClusterError::Unreachable(error.to_string()),
            BearerError::Refused(_) => ClusterError::Refused(error.to_string()),
        })
    }

    async fn stored(&self, cluster: &tenant::Cluster) -> Result<SecretString, ClusterError> {
        let sealed =
            cluster.k8s_token.as_ref().ok_or_else(|| ClusterError::Refused("no credential is stored for this cluster".to_owned()))?;
        self.vault.open(&cluster.seal_context(), sealed).await.map_err(|error| match error {
            VaultError::Unreachable(_) => ClusterError::Unreachable(error.to_string()),
            VaultError::Refused(_) => ClusterError::Refused(error.to_string()),
        })
    }

    fn cached(&self, id: &ClusterId, fingerprint: &Fingerprint) -> Option<Arc<Connection>> {
        let mut cache = self.cache.lock().unwrap_or_else(PoisonError::into_inner);
        cache.asked += 1;
        let asked = cache.asked;
        let kept = cache.clusters.get_mut(id)?;
        if kept.fingerprint != *fingerprint || kept.connection.api.rejected() {
            cache.clusters.remove(id);
            return None;
        }
        kept.asked_for = asked;
        Some(Arc::clone(&kept.connection))
    }

    fn keep(&self, id: ClusterId, fingerprint: Fingerprint, connection: &Arc<Connection>) {
        let mut cache = self.cache.lock().unwrap_or_else(PoisonError::into_inner);
        if cache.clusters.len() >= KEPT && !cache.clusters.contains_key(&id) {
            let oldest = cache.clusters.iter().min_by_key(|(_, kept)| kept.asked_for).map(|(id, _)| id.clone());
            if let Some(oldest) = oldest {
                cache.clusters.remove(&oldest);
            }
        }
        let asked_for = cache.asked;
        cache.clusters.insert(id, Kept { fingerprint, connection: Arc::clone(connection), asked_for });
    }
}

#[async_trait]
impl Rights for Connections {
    async fn missing(&self, cluster: &tenant::Cluster, rights: &[Right]) -> Result<Vec<Right>, ClusterError> {
        rights::missing(&self.connection(cluster).await?.api, rights).await
    }
}

#[async_trait]
impl Clusters for Connections {
    async fn connect(&self, cluster: &tenant::Cluster) -> Result<Arc<dyn Cluster>, ClusterError> {
        Ok(self.connection(cluster).await?)
    }
}

/// The credential as a header that is never printed.
pub(crate) fn bearer(token: &SecretString) -> Result<HeaderValue, ClusterError> {
    let token = token.expose_secret().trim();
    let refuse = || ClusterError::Refused("the stored credential is not a token".to_owned());
    if token.is_empty() || token.bytes().any(|b| !b.is_ascii_graphic()) {
        return Err(refuse());
    }
    let mut header = HeaderValue::try_from(format!("Bearer {token}")).map_err(|_| refuse())?;
    header.set_sensitive(true);
    Ok(header)
}

fn fingerprint(cluster: &tenant::Cluster, minted: Option<&SecretString>) -> Fingerprint {
    let parts = [
        Some(cluster.customer.as_str()),
        Some(cluster.k8s_api_endpoint.as_str()),
        cluster.k8s_ca.as_deref(),
        cluster.k8s_token.as_ref().map(|sealed| sealed.ciphertext.as_str()),
        minted.map(ExposeSecret::expose_secret),
    ];
    let mut hash = Sha256::new();
    for part in parts {
        // Each part with its length, so that no two lists of parts look alike.
        hash.update(part.map_or(u64::MAX, |text| text.len() as u64).to_be_bytes());
        hash.update(part.unwrap_or_default());
    }
    hash.finalize().into()
}

#[cfg(test)]
mod tests;
