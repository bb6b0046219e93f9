//! Customers, their clusters, and the keys with which they call.

use crate::ids::{AccountId, ClusterId, CustomerId, Region, TargetId};
use crate::policy::ClusterPolicy;
use jiff::Timestamp;
use serde::{Deserialize, Serialize};

/// A customer.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Customer {
    /// Id.
    pub id: CustomerId,
    /// Name of the company.
    pub company_name: String,
    /// Whom to write to.
    pub email: String,
    /// The external id of the roles we assume for this customer: made by us, never taken from a request.
    pub external_id: String,
    /// `active` or `suspended`.
    pub status: CustomerStatus,
    /// Grows with every change; also the ETag.
    #[serde(default = "first_version")]
    pub version: u64,
    /// When it was made.
    pub created_at: Timestamp,
    /// When it was last changed.
    pub updated_at: Timestamp,
}

/// What items have that were written before there were versions.
fn first_version() -> u64 {
    1
}

/// Whether we act for a customer.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(rename_all = "lowercase")]
pub enum CustomerStatus {
    /// We do.
    Active,
    /// We do not.
    Suspended,
}

/// A ciphertext with the context that it is bound to: moved to another row, it does not open.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Sealed {
    /// The ciphertext, base64.
    pub ciphertext: String,
}

/// What a secret is sealed for. Goes into the KMS encryption context word for word.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum SealContext {
    /// The token of a cluster.
    Token {
        /// The customer.
        customer: CustomerId,
        /// The cluster.
        cluster: ClusterId,
        /// The endpoint that the secret may be sent to.
        endpoint: String,
    },
    /// The address or the signing secret of a target of notices.
    Target {
        /// The customer.
        customer: CustomerId,
        /// The target.
        target: TargetId,
    },
}

impl SealContext {
    /// Names and values, as they stand in the encryption context.
    pub fn pairs(&self) -> Vec<(&'static str, &str)> {
        match self {
            SealContext::Token { customer, cluster, endpoint } => {
                vec![("customer", customer.as_str()), ("cluster", cluster.as_str()), ("endpoint", endpoint)]
            }
            SealContext::Target { customer, target } => vec![("customer", customer.as_str()), ("target", target.as_str())],
        }
    }
}

/// Whether a cluster can be reached and acted on.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(rename_all = "kebab-case")]
pub enum ClusterStatus {
    /// Registered, not yet seen.
    Connecting,
    /// The last look succeeded.
    Connected,
    /// The last look failed; `status_reason` says why.
    NotResponding,
    /// The endpoint was changed and the stored credential dropped with it.
    NeedsToken,
}

/// A registered cluster.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Cluster {
    /// Id.
    pub id: ClusterId,
    /// The customer it belongs to.
    pub customer: CustomerId,
    /// The name the customer gave it; also the `<name>` of the tag `kubernetes.io/cluster/<name>`.
    pub name: String,
    /// `https://...`.
    pub k8s_api_endpoint: String,
    /// Certificate authority of the endpoint, PEM; `None`: the public ones.
    pub k8s_ca: Option<String>,
    /// The service account token, sealed.
    pub k8s_token: Option<Sealed>,
    /// When the token says it expires, where it says so.
    pub k8s_token_expires_at: Option<Timestamp>,
    /// The name that EKS knows the cluster by, where its API server takes tokens of AWS roles and no token is stored.
    #[serde(default)]
    pub eks_cluster_name: Option<String>,
    /// The role that we assume.
    pub aws_role_arn: String,
    /// The account of that role.
    pub account: AccountId,
    /// The Region.
    pub region: Region,
    /// The queue in the customer's account, where the brief's way of event delivery is used.
    pub sqs_queue_url: Option<String>,
    /// See [`ClusterStatus`].
    pub status: ClusterStatus,
    /// Why the status is what it is, in one sentence.
    pub status_reason: String,
    /// Nodes at the last look.
    pub node_count: u32,
    /// When its nodes were last looked at.
    pub seen_at: Option<Timestamp>,
    /// What the customer allows.
    pub policy: ClusterPolicy,
    /// Grows with every change; also the ETag.
    pub version: u64,
    /// When it was registered.
    pub created_at: Timestamp,
    /// When it was last changed.
    pub updated_at: Timestamp,
}

impl Cluster {
    /// What its token is sealed for.
    pub fn seal_context(&self) -> SealContext {
        SealContext::Token { customer: self.customer.clone(), cluster: self.id.clone(), endpoint: self.k8s_api_endpoint.clone() }
    }
}

/// What is needed to call AWS for a customer.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct AwsScope {
    /// The customer: also part of every cache key.
    pub customer: CustomerId,
    /// The account that the role must be in.
    pub account: AccountId,
    /// The Region.
    pub region: Region,
    /// The role to assume.
    pub role_arn: String,
    /// The external id to assume it with.
    pub external_id: String,
    /// Value of the tag `cloudoptim.io/cluster`, and `<name>` of `kubernetes.io/cluster/<name>`.
    pub cluster: ClusterId,
    /// The cluster's name.
    pub cluster_name: String,
}

/// The account in `arn:aws:iam::<account>:role/...`; `None` for what is no role.
pub fn role_account(arn: &str) -> Option<&str> {
    let parts: Vec<&str> = arn.splitn(6, ':').collect();
    match parts.as_slice() {
        ["arn", _partition, "iam", "", account, resource] if resource.starts_with("role/") => Some(account),
        _ => None,
    }
}

/// Longest session name that STS takes (STS API Reference, AssumeRole).
const SESSION_NAME_MAX: usize = 64;

/// `cloudoptim-<customer>-<cluster>`, in the characters and the length that STS takes: what the customer reads in CloudTrail and in
/// the audit log of the cluster.
pub fn session_name(customer: &CustomerId, cluster: &ClusterId) -> String {
    let name = format!("cloudoptim-{customer}-{cluster}");
    let allowed = |c: char| c.is_ascii_alphanumeric() || "_+=,.@-".contains(c);
    name.chars().map(|c| if allowed(c) { c } else { '-' }).take(SESSION_NAME_MAX).collect()
}

/// The role of an API key.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(rename_all = "lowercase")]
pub enum Role {
    /// May read.
    Viewer,
    /// May also ask for actions on clusters.
    Operator,
    /// May also register, change and remove clusters.
    Admin,
}

/// An API key as stored: its hash, never itself.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ApiKey {
    /// Its name in lists and paths. No secret. Empty for keys that were made before keys had names: they are in no list.
    #[serde(default)]
    pub id: String,
    /// SHA-256 of the key, hex.
    pub hash: String,
    /// The customer it acts for.
    pub customer: CustomerId,
    /// What it may do.
    pub role: Role,
    /// What it is for, in its owner's words.
    pub label: String,
    /// When it stops working.
    pub expires_at: Option<Timestamp>,
    /// Whether it was taken back.
    pub revoked: bool,
    /// When it was made.
    #[serde(default)]
    pub created_at: Option<Timestamp>,
}

impl ApiKey {
    /// Whether it may be used now.
    pub fn works(&self, now: Timestamp) -> bool {
        !self.revoked && self.expires_at.is_none_or(|end| end > now)
    }
}

/// A stop that people can pull. Read before every mutating call.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct Halt {
    /// `everything`, `customer <id>` or `cluster <id>`.
    pub scope: String,
    /// Why, in the words of who pulled it.
    pub reason: String,
}
