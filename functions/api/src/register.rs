//! Registration and change of clusters: pure. All that is wrong with a request is told at once, field by field.

use domain::Timestamp;
use domain::address::Rules;
use domain::ids::{AccountId, ClusterId, CustomerId, Region};
use domain::policy::ClusterPolicy;
use domain::ports::Whereabouts;
use domain::tenant::{AwsScope, Cluster, ClusterStatus};
use secrecy::SecretString;
use serde::{Deserialize, Deserializer};
use serde_json::Value;

pub mod fields;

/// A field that is not what it must be.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Wrong {
    /// The field, as the request spells it.
    pub field: &'static str,
    /// What it must be. Never repeats a secret.
    pub detail: String,
}

/// The body of a registration: the product brief's, with the optional `k8s_ca` and `policy`, and with `eks_cluster_name` in place
/// of `k8s_token` where the cluster takes tokens of AWS roles; EKS then says the address and the authority, where they are not named.
/// Has no `Debug`: it holds the token.
#[derive(Deserialize, schemars::JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Registration {
    #[schemars(regex(pattern = "^[A-Za-z0-9][A-Za-z0-9._-]{0,127}$"))]
    cluster_name: String,
    #[schemars(regex(pattern = "^https://"), length(max = 512))]
    k8s_api_endpoint: Option<String>,
    k8s_token: Option<String>,
    eks_cluster_name: Option<String>,
    /// `arn:aws:iam::<account>:role/<name>`.
    #[schemars(regex(pattern = "^arn:[a-z-]+:iam::[A-Za-z0-9]+:role/"))]
    aws_role_arn: String,
    sqs_queue_url: Option<String>,
    /// Such as `us-east-1`.
    #[schemars(regex(pattern = "^[a-z0-9]*-[a-z0-9]*-[a-z0-9-]*$"), length(max = 32))]
    region: String,
    k8s_ca: Option<String>,
    /// What the customer allows, as `GET` of a cluster shows it.
    policy: Option<ClusterPolicy>,
}

impl Registration {
    /// Whether it says which policy it wants.
    pub fn has_policy(&self) -> bool {
        self.policy.is_some()
    }

    /// With a policy of the customer's own, where it names none.
    #[must_use]
    pub fn or_policy(mut self, policy: Option<ClusterPolicy>) -> Self {
        self.policy = self.policy.or(policy);
        self
    }

    /// At the address that EKS says, with the authority that it says.
    #[must_use]
    pub fn found_at(mut self, found: Whereabouts) -> Self {
        self.k8s_api_endpoint = Some(found.endpoint);
        self.k8s_ca = Some(found.authority);
        self
    }
}

/// What EKS must be asked before a cluster can be registered.
#[derive(Debug, PartialEq, Eq)]
pub struct Sought {
    /// In whose name, and where. Without the customer's external id, which is not the request's to say.
    pub scope: AwsScope,
    /// The cluster's name in EKS.
    pub name: String,
}

/// Whether EKS must be asked where the cluster is: the request names it and no address.
///
/// # Errors
/// Every [`Wrong`] field of those that the question is made of.
pub fn sought(body: &Registration, id: &ClusterId, customer: &CustomerId) -> Result<Option<Sought>, Vec<Wrong>> {
    let (None, Some(name)) = (&body.k8s_api_endpoint, &body.eks_cluster_name) else {
        return Ok(None);
    };
    let mut checks = Checks::default();
    let name = checks.check("eks_cluster_name", fields::eks_name(name));
    checks.check("k8s_token", one_credential(body.k8s_token.is_some(), true));
    let account = checks.check("aws_role_arn", fields::role(&body.aws_role_arn));
    let region = checks.check("region", Region::parse(body.region.clone()).map_err(|e| e.to_string()));
    if body.k8s_ca.is_some() {
        checks.check::<()>("k8s_ca", Err("only together with k8s_api_endpoint: EKS says both, or neither".to_owned()));
    }
    let (Some(name), Some(account), Some(region), true) = (name, account, region, checks.0.is_empty()) else {
        return Err(checks.0);
    };
    let scope = AwsScope {
        customer: customer.clone(),
        account,
        region,
        role_arn: body.aws_role_arn.clone(),
        external_id: String::new(),
        cluster: id.clone(),
        cluster_name: body.cluster_name.clone(),
    };
    Ok(Some(Sought { scope, name }))
}

/// The body of a change: what is not named stays. `null` takes away what is optional. Has no `Debug`: it may hold a token.
#[derive(Deserialize, schemars::JsonSchema)]
#[serde(deny_unknown_fields)]
#[schemars(rename = "ClusterChange")]
pub struct Update {
    cluster_name: Option<String>,
    k8s_api_endpoint: Option<String>,
    k8s_token: Option<String>,
    aws_role_arn: Option<String>,
    #[serde(default, deserialize_with = "told")]
    #[schemars(with = "Option<String>")]
    eks_cluster_name: Option<Option<String>>,
    #[serde(default, deserialize_with = "told")]
    #[schemars(with = "Option<String>")]
    sqs_queue_url: Option<Option<String>>,
    region: Option<String>,
    #[serde(default, deserialize_with = "told")]
    #[schemars(with = "Option<String>")]
    k8s_ca: Option<Option<String>>,
    policy: Option<Value>,
}

/// Tells `null` from a field that is not there.
fn told<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Option<Option<String>>, D::Error> {
    Option::deserialize(deserializer).map(Some)
}

/// A cluster as wanted, and the token that is still to be sealed for it.
pub struct Wanted {
    /// The cluster; its stored token is already gone where it must go.
    pub cluster: Cluster,
    /// The new token.
    pub token: Option<SecretString>,
}

/// Collects what is wrong.
#[derive(Default)]
struct Checks(Vec<Wrong>);

impl Checks {
    fn check<T>(&mut self, field: &'static str, outcome: Result<T, String>) -> Option<T> {
        outcome.map_err(|detail| self.0.push(Wrong { field, detail })).ok()
    }
}

const NOT_SEEN: &str = "Registered; not looked at yet.";

/// Makes a cluster of a registration.
///
/// # Errors
/// Every [`Wrong`] field.
pub fn register(body: Registration, id: ClusterId, customer: CustomerId, now: Timestamp, rules: &Rules) -> Result<Wanted, Vec<Wrong>> {
    let mut checks = Checks::default();
    let name = checks.check("cluster_name", fields::name(&body.cluster_name));
    let endpoint = body.k8s_api_endpoint.as_deref().ok_or_else(no_endpoint).and_then(|address| fields::endpoint(address, rules));
    let endpoint = checks.check("k8s_api_endpoint", endpoint);
    let expires_at = checks.check("k8s_token", body.k8s_token.as_deref().map(|token| fields::token(token, now)).transpose());
    let eks = checks.check("eks_cluster_name", body.eks_cluster_name.as_deref().map(fields::eks_name).transpose());
    checks.check("k8s_token", one_credential(body.k8s_token.is_some(), body.eks_cluster_name.is_some()));
    let account = checks.check("aws_role_arn", fields::role(&body.aws_role_arn));
    let queue = checks.check("sqs_queue_url", body.sqs_queue_url.as_deref().map(fields::queue_url).transpose());
    let region = checks.check("region", Region::parse(body.region).map_err(|e| e.to_string()));
    let ca = checks.check("k8s_ca", body.k8s_ca.as_deref().map(fields::authority).transpose());
    let policy = body.policy.unwrap_or_default();
    checks.check("policy", fields::policy(&policy));
    if let (Some(Some(_)), Some(endpoint), Some(region)) = (&eks, &endpoint, &region) {
        checks.check("k8s_api_endpoint", fields::eks_endpoint(endpoint, region));
    }
    let (Some(name), Some(k8s_api_endpoint), Some(expires_at), Some(eks), Some(account), Some(queue), Some(region), Some(k8s_ca), true) =
        (name, endpoint, expires_at, eks, account, queue, region, ca, checks.0.is_empty())
    else {
        return Err(checks.0);
    };
    let cluster = Cluster {
        id,
        customer,
        name,
        k8s_api_endpoint,
        k8s_ca,
        k8s_token: None,
        k8s_token_expires_at: expires_at.flatten(),
        eks_cluster_name: eks,
        aws_role_arn: body.aws_role_arn,
        status_reason: reason(&account),
        account,
        region,
        sqs_queue_url: queue,
        status: ClusterStatus::Connecting,
        node_count: 0,
        seen_at: None,
        policy,
        version: 1,
        created_at: now,
        updated_at: now,
    };
    Ok(Wanted { cluster, token: body.k8s_token.map(SecretString::from) })
}

fn no_endpoint() -> String {
    "the address of the API server; where eks_cluster_name is given, EKS is asked for it".to_owned()
}

/// A cluster is called with a stored token or with tokens of a role, never with either.
fn one_credential(token: bool, eks: bool) -> Result<(), String> {
    match (token, eks) {
        (true, true) => Err("either a k8s_token or an eks_cluster_name, not both".to_owned()),
        (false, false) => Err("a service account token, or eks_cluster_name in its place where the cluster takes AWS roles".to_owned()),
        (true, false) | (false, true) => Ok(()),
    }
}

/// The placeholders of a printed example are accepted and told, so that the example can be tried before there is an account.
fn reason(account: &AccountId) -> String {
    if account.as_str().len() == 12 && account.as_str().bytes().all(|b| b.is_ascii_digit()) {
        return NOT_SEEN.to_owned();
    }
    format!("{NOT_SEEN} The account {account} in aws_role_arn is no AWS account id (12 digits).")
}

/// Changes a cluster.
///
/// Another endpoint or another certificate authority drops the stored token, unless a new one comes with it: whoever may change
/// where a cluster is must not be able to have its token sent there.
///
/// # Errors
/// Every [`Wrong`] field.
pub fn update(cluster: &Cluster, body: Update, now: Timestamp, rules: &Rules) -> Result<Wanted, Vec<Wrong>> {
    let mut checks = Checks::default();
    let mut to = cluster.clone();
    if let Some(name) = body.cluster_name {
        to.name = checks.check("cluster_name", fields::name(&name)).unwrap_or_default();
    }
    if let Some(endpoint) = body.k8s_api_endpoint {
        to.k8s_api_endpoint = checks.check("k8s_api_endpoint", fields::endpoint(&endpoint, rules)).unwrap_or_default();
    }
    if let Some(ca) = body.k8s_ca {
        to.k8s_ca = checks.check("k8s_ca", ca.as_deref().map(fields::authority).transpose()).flatten();
    }
    if let Some(arn) = body.aws_role_arn {
        if let Some(account) = checks.check("aws_role_arn", fields::role(&arn)) {
            to.account = account;
        }
        to.aws_role_arn = arn;
    }
    if let Some(queue) = body.sqs_queue_url {
        to.sqs_queue_url = checks.check("sqs_queue_url", queue.as_deref().map(fields::queue_url).transpose()).flatten();
    }
    if let Some(region) = body.region
        && let Some(region) = checks.check("region", Region::parse(region).map_err(|e| e.to_string()))
    {
        to.region = region;
    }
    if let Some(patch) = body.policy
        && let Some(policy) = checks.check("policy", fields::patched(&cluster.policy, patch))
    {
        to.policy = policy;
    }
    let token = body.k8s_token.and_then(|token| {
        let expires_at = checks.check("k8s_token", fields::token(&token, now))?;
        to.k8s_token_expires_at = expires_at;
        Some(SecretString::from(token))
    });
    if let Some(name) = body.eks_cluster_name {
        to.eks_cluster_name = checks.check("eks_cluster_name", name.as_deref().map(fields::eks_name).transpose()).flatten();
        checks.check("k8s_token", one_credential(token.is_some(), to.eks_cluster_name.is_some()));
    } else if token.is_some() {
        to.eks_cluster_name = None;
    }
    if to.eks_cluster_name.is_some() {
        checks.check("k8s_api_endpoint", fields::eks_endpoint(&to.k8s_api_endpoint, &to.region));
    }
    if !checks.0.is_empty() {
        return Err(checks.0);
    }
    settle(cluster, &mut to, token.is_some());
    to.version = cluster.version.saturating_add(1);
    to.updated_at = now;
    Ok(Wanted { cluster: to, token })
}

/// What a change does to the stored token and the status.
fn settle(from: &Cluster, to: &mut Cluster, new_token: bool) {
    let moved = from.k8s_api_endpoint != to.k8s_api_endpoint || from.k8s_ca != to.k8s_ca;
    if to.eks_cluster_name.is_some() {
        // Its address is one that EKS gives out, and its token is made for its name: nothing is stored that could be sent elsewhere.
        to.k8s_token = None;
        to.k8s_token_expires_at = None;
        if moved || from.eks_cluster_name != to.eks_cluster_name {
            to.status = ClusterStatus::Connecting;
            to.status_reason = "Its place or its credential was changed; not looked at yet.".to_owned();
        }
    } else if new_token {
        to.k8s_token = None;
        to.status = ClusterStatus::Connecting;
        to.status_reason = "A new token came; not looked at yet.".to_owned();
    } else if moved {
        to.k8s_token = None;
        to.k8s_token_expires_at = None;
        to.status = ClusterStatus::NeedsToken;
        to.status_reason =
            "k8s_api_endpoint or k8s_ca was changed, so the stored token was dropped. PUT a k8s_token for the new place.".to_owned();
    }
}

#[cfg(test)]
mod tests;
