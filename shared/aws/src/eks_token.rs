//! Tokens for clusters that take AWS roles: made here, kept for minutes, stored nowhere.
//!
//! EKS takes a presigned `GetCallerIdentity` for a bearer token and asks STS whose it is (aws-iam-authenticator, "API
//! Authorization from Outside a Cluster"). Nothing is sent when one is made, but for taking the customer's role.

use async_trait::async_trait;
use aws_credential_types::Credentials;
use aws_credential_types::provider::error::CredentialsError;
use aws_types::SdkConfig;
use domain::ports::{BearerError, Bearers, Clock, Registry};
use domain::tenant::{Cluster, role_account, session_name};
use domain::{SignedDuration, Timestamp};
use sdk::{Role, SESSION};
use secrecy::SecretString;
use std::collections::HashMap;
use std::sync::Arc;
use tokio::sync::Mutex;

mod presign;

/// The API server takes a token for a quarter of an hour from its date (aws-iam-authenticator), and STS knows its signer as long
/// as the [`SESSION`] lasts, which is as long. A token this close to its end is replaced, so that none runs out during an invocation.
const RENEW_BEFORE: SignedDuration = SignedDuration::from_mins(5);
/// How many clusters' tokens are kept; above it all are forgotten, which costs one AssumeRole each.
const KEPT_MAX: usize = 1_000;
/// What the session may do beside saying who it is, which needs no right: nothing. A leaked token is worth no AWS call.
pub(crate) const SESSION_POLICY: &str = r#"{"Version":"2012-10-17","Statement":[{"Effect":"Deny","Action":"*","Resource":"*"}]}"#;

/// As whom a cluster is called.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum EksRole {
    /// The registered role: what it may do in the cluster is what its access entry says.
    Act,
    /// The role beside it that only looks: its name is that of the registered role with `-look` behind.
    Look,
}

impl EksRole {
    pub(crate) fn arn(self, registered: &str) -> String {
        match self {
            EksRole::Act => registered.to_owned(),
            EksRole::Look => format!("{registered}-look"),
        }
    }
}

/// A token and what it was made for: with any of it changed, another one is made.
struct Kept {
    made_for: [String; 4],
    token: SecretString,
    renew_at: Timestamp,
}

/// One cluster's token: whoever makes it is waited for by the others.
type Slot = Arc<Mutex<Option<Kept>>>;

/// Tokens by cluster.
pub struct EksTokens {
    base: SdkConfig,
    registry: Arc<dyn Registry>,
    clock: Arc<dyn Clock>,
    role: EksRole,
    slots: Mutex<HashMap<(String, String), Slot>>,
}

impl EksTokens {
    /// Takes our own credentials from `base`; the registry knows the external ids. Makes no call.
    pub fn new(base: SdkConfig, registry: Arc<dyn Registry>, clock: Arc<dyn Clock>, role: EksRole) -> EksTokens {
        EksTokens { base, registry, clock, role, slots: Mutex::default() }
    }

    async fn slot(&self, cluster: &Cluster) -> Slot {
        let mut slots = self.slots.lock().await;
        let key = (cluster.customer.as_str().to_owned(), cluster.id.as_str().to_owned());
        if slots.len() >= KEPT_MAX && !slots.contains_key(&key) {
            slots.clear();
        }
        Arc::clone(slots.entry(key).or_default())
    }

    async fn make(&self, cluster: &Cluster, name: &str, role: &str) -> Result<(SecretString, Timestamp), BearerError> {
        if role_account(&cluster.aws_role_arn) != Some(cluster.account.as_str()) {
            return Err(BearerError::Refused(format!("the role {role} is not in the account {}", cluster.account)));
        }
        let customer = self.registry.customer(&cluster.customer).await.map_err(|error| BearerError::Unreachable(error.to_string()))?;
        let Some(customer) = customer else {
            return Err(BearerError::Refused("its customer is not registered any more".to_owned()));
        };
        let role = Role {
            arn: role.to_owned(),
            external_id: Some(customer.external_id),
            session_name: session_name(&cluster.customer, &cluster.id),
            policy: SESSION_POLICY.to_owned(),
            region: cluster.region.as_str().to_owned(),
        };
        let credentials = role.assumed_now(&self.base).await.map_err(|error| refused(&error))?;
        let now = self.clock.now();
        let token = presign::token(&credentials, cluster.region.as_str(), name, now.into()).map_err(BearerError::Refused)?;
        Ok((token, renew_at(&credentials, now)))
    }
}

/// As long as both the token and its session are good, less [`RENEW_BEFORE`].
fn renew_at(credentials: &Credentials, now: Timestamp) -> Timestamp {
    let own = now + SignedDuration::try_from(SESSION).unwrap_or(SignedDuration::ZERO);
    let session = credentials.expiry().and_then(|end| Timestamp::try_from(end).ok()).unwrap_or(own);
    own.min(session) - RENEW_BEFORE
}

/// What STS says no to stays no; all else may be tried again.
fn refused(error: &CredentialsError) -> BearerError {
    let text = aws_sdk_sts::error::DisplayErrorContext(error).to_string();
    if text.contains("AccessDenied") || matches!(error, CredentialsError::InvalidConfiguration(_)) {
        return BearerError::Refused("STS does not let us assume it (trust policy, external id)".to_owned());
    }
    BearerError::Unreachable(text.chars().take(300).collect())
}

#[async_trait]
impl Bearers for EksTokens {
    async fn bearer(&self, cluster: &Cluster) -> Result<SecretString, BearerError> {
        let Some(name) = &cluster.eks_cluster_name else {
            return Err(BearerError::Refused("it is not registered with the name that EKS knows it by".to_owned()));
        };
        let role = self.role.arn(&cluster.aws_role_arn);
        let made_for = [name.clone(), role.clone(), cluster.region.as_str().to_owned(), cluster.k8s_api_endpoint.clone()];
        let slot = self.slot(cluster).await;
        let mut kept = slot.lock().await;
        if let Some(kept) = kept.as_ref().filter(|kept| kept.made_for == made_for && self.clock.now() < kept.renew_at) {
            return Ok(kept.token.clone());
        }
        let (token, renew_at) = self.make(cluster, name, &role).await?;
        *kept = Some(Kept { made_for, token: token.clone(), renew_at });
        Ok(token)
    }
}

#[cfg(test)]
mod tests;
