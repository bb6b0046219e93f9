//! Clusters that take tokens of roles.

use super::{Safe, authority, cluster};
use crate::connect::{Connections, Settings};
use async_trait::async_trait;
use domain::ports::{BearerError, Bearers, ClusterError};
use domain::tenant::Cluster;
use gate::Gate;
use secrecy::SecretString;
use std::sync::atomic::{AtomicU32, Ordering};
use std::sync::{Arc, Mutex};

/// Answers with the token of its hour, or with what is wrong.
struct Mint {
    hour: AtomicU32,
    wrong: Mutex<Option<BearerError>>,
}

#[async_trait]
impl Bearers for Mint {
    async fn bearer(&self, cluster: &Cluster) -> Result<SecretString, BearerError> {
        match &*self.wrong.lock().unwrap() {
            Some(error) => Err(error.clone()),
            None => Ok(format!("k8s-aws-v1.{}{}", cluster.name, self.hour.load(Ordering::Relaxed)).into()),
        }
    }
}

fn by_role() -> Cluster {
    let mut cluster = cluster("a", &authority());
    (cluster.k8s_token, cluster.eks_cluster_name) = (None, Some("payments".to_owned()));
    cluster
}

#[tokio::test]
async fn a_connection_lasts_as_long_as_its_token() {
    let mint = Arc::new(Mint { hour: AtomicU32::new(1), wrong: Mutex::default() });
    let safe = Arc::new(Safe::default());
    let connections = Connections::new(safe.clone(), Settings::default(), Gate::this_machine()).with_bearers(mint.clone());
    let cluster = by_role();
    let first = connections.connection(&cluster).await.unwrap();
    assert!(Arc::ptr_eq(&first, &connections.connection(&cluster).await.unwrap()));
    mint.hour.store(2, Ordering::Relaxed);
    assert!(!Arc::ptr_eq(&first, &connections.connection(&cluster).await.unwrap()));
    assert_eq!(safe.opened.load(Ordering::Relaxed), 0, "no stored token is opened");
}

#[tokio::test]
async fn a_role_that_cannot_be_taken_is_told_as_what_it_is() {
    let mint = Arc::new(Mint { hour: AtomicU32::new(1), wrong: Mutex::new(Some(BearerError::Refused("no trust".into()))) });
    let connections = Connections::new(Arc::new(Safe::default()), Settings::default(), Gate::this_machine()).with_bearers(mint.clone());
    assert!(matches!(connections.connection(&by_role()).await.err(), Some(ClusterError::Refused(why)) if why.contains("no trust")));
    *mint.wrong.lock().unwrap() = Some(BearerError::Unreachable("timeout".into()));
    assert!(matches!(connections.connection(&by_role()).await.err(), Some(ClusterError::Unreachable(_))));
    let without = Connections::new(Arc::new(Safe::default()), Settings::default(), Gate::this_machine());
    assert!(matches!(without.connection(&by_role()).await.err(), Some(ClusterError::Refused(_))));
}
