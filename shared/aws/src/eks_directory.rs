//! Addresses of clusters, from EKS itself: asked with the customer's role that looks, for one cluster, and kept nowhere.

use async_trait::async_trait;
use aws_sdk_eks::Client;
use aws_sdk_eks::config::timeout::TimeoutConfig;
use aws_sdk_eks::error::{DisplayErrorContext, SdkError};
use aws_sdk_eks::operation::describe_cluster::DescribeClusterError;
use aws_types::SdkConfig;
use domain::ports::{Directory, DirectoryError, Whereabouts};
use domain::tenant::{AwsScope, role_account, session_name};
use sdk::Role;
use std::time::Duration;

/// The name of the role that looks is that of the registered role with this behind.
const ROLE_SUFFIX: &str = "-look";
/// Somebody waits for the answer, and for the rest of a registration with it.
const OPERATION_TIMEOUT: Duration = Duration::from_secs(8);
const ATTEMPT_TIMEOUT: Duration = Duration::from_secs(3);
/// How much of an error is told.
const WHY_MAX: usize = 300;

/// EKS of customers.
#[derive(Debug, Clone)]
pub struct EksDirectory {
    base: SdkConfig,
}

impl EksDirectory {
    /// Takes our own credentials from `base`. Makes no call.
    pub fn new(base: &SdkConfig) -> EksDirectory {
        let timeouts = TimeoutConfig::builder().operation_timeout(OPERATION_TIMEOUT).operation_attempt_timeout(ATTEMPT_TIMEOUT).build();
        EksDirectory { base: base.to_builder().timeout_config(timeouts).build() }
    }

    fn client(&self, scope: &AwsScope, name: &str) -> Result<Client, DirectoryError> {
        if role_account(&scope.role_arn) != Some(scope.account.as_str()) {
            return Err(DirectoryError::Refused(format!("the role {} is not in the account {}", scope.role_arn, scope.account)));
        }
        let role = Role {
            arn: format!("{}{ROLE_SUFFIX}", scope.role_arn),
            external_id: Some(scope.external_id.clone()),
            session_name: session_name(&scope.customer, &scope.cluster),
            policy: only(scope, name),
            region: scope.region.as_str().to_owned(),
        };
        Ok(Client::new(&role.assumed(&self.base).build()))
    }
}

/// What the session may do: ask for this one cluster.
fn only(scope: &AwsScope, name: &str) -> String {
    let partition = scope.role_arn.split(':').nth(1).unwrap_or("aws");
    let cluster = format!("arn:{partition}:eks:{}:{}:cluster/{name}", scope.region, scope.account);
    let statement = serde_json::json!({ "Effect": "Allow", "Action": "eks:DescribeCluster", "Resource": cluster });
    serde_json::json!({ "Version": "2012-10-17", "Statement": [statement] }).to_string()
}

/// What another try cannot mend is refused.
fn failed(error: &SdkError<DescribeClusterError>) -> DirectoryError {
    let text: String = DisplayErrorContext(error).to_string().chars().take(WHY_MAX).collect();
    if error.as_service_error().is_some_and(DescribeClusterError::is_resource_not_found_exception) {
        return DirectoryError::Unknown(text);
    }
    match error.raw_response().map(|answer| answer.status().as_u16()) {
        Some(429) | Some(500..) => DirectoryError::Unreachable(text),
        Some(_) => DirectoryError::Refused(text),
        // STS says no before EKS is asked.
        None if text.contains("AccessDenied") => {
            DirectoryError::Refused("STS does not let us assume the role that looks (trust policy, external id)".to_owned())
        }
        None => DirectoryError::Unreachable(text),
    }
}

#[async_trait]
impl Directory for EksDirectory {
    async fn whereabouts(&self, scope: &AwsScope, name: &str) -> Result<Whereabouts, DirectoryError> {
        let client = self.client(scope, name)?;
        let answer = client.describe_cluster().name(name).send().await.map_err(|error| failed(&error))?;
        let cluster = answer.cluster.unwrap_or_else(|| aws_sdk_eks::types::Cluster::builder().build());
        let authority = cluster.certificate_authority.and_then(|authority| authority.data);
        let (Some(endpoint), Some(authority)) = (cluster.endpoint, authority) else {
            return Err(DirectoryError::Unknown("it has no address yet: EKS is still making it".to_owned()));
        };
        Ok(Whereabouts { endpoint, authority })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_session_may_ask_for_one_cluster_and_do_nothing_else() {
        let scope = AwsScope {
            customer: domain::ids::CustomerId::parse("acme").unwrap(),
            account: domain::ids::AccountId::parse("111122223333").unwrap(),
            region: domain::ids::Region::parse("cn-north-1").unwrap(),
            role_arn: "arn:aws-cn:iam::111122223333:role/CloudOptim-cn-north-1".to_owned(),
            external_id: "e".to_owned(),
            cluster: domain::ids::ClusterId::parse("c-1").unwrap(),
            cluster_name: "shop".to_owned(),
        };
        let policy: serde_json::Value = serde_json::from_str(&only(&scope, "payments")).unwrap();
        let statements = policy["Statement"].as_array().unwrap();
        assert_eq!(statements.len(), 1);
        assert_eq!(statements[0]["Action"], "eks:DescribeCluster");
        assert_eq!(statements[0]["Resource"], "arn:aws-cn:eks:cn-north-1:111122223333:cluster/payments");
    }
}
