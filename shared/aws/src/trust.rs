//! Whom the roles of customers trust, asked of STS. A session that is given may do nothing, whatever its role may.

use crate::eks_token::{EksRole, SESSION_POLICY};
use async_trait::async_trait;
use aws_types::SdkConfig;
use domain::ports::{Taken, Trust, Trusts};
use domain::tenant::{Cluster, role_account, session_name};
use sdk::Role;

/// Asks for roles.
pub struct RoleTrust {
    base: SdkConfig,
    role: EksRole,
}

impl RoleTrust {
    /// Takes our own credentials from `base`, and asks for the registered role or for the one that only looks. Makes no call.
    pub fn new(base: SdkConfig, role: EksRole) -> RoleTrust {
        RoleTrust { base, role }
    }

    async fn take(&self, cluster: &Cluster, external_id: Option<&str>) -> Taken {
        let role = Role {
            arn: self.role.arn(&cluster.aws_role_arn),
            external_id: external_id.map(str::to_owned),
            session_name: session_name(&cluster.customer, &cluster.id),
            policy: SESSION_POLICY.to_owned(),
            region: cluster.region.as_str().to_owned(),
        };
        match role.assumed_now(&self.base).await {
            Ok(_) => Taken::Given,
            Err(error) => {
                let text = aws_sdk_sts::error::DisplayErrorContext(&error).to_string();
                if text.contains("AccessDenied") {
                    return Taken::Denied;
                }
                tracing::warn!(error = text, cluster.id = %cluster.id, "STS did not say whether a role is given");
                Taken::Unclear("STS did not answer".to_owned())
            }
        }
    }
}

#[async_trait]
impl Trusts for RoleTrust {
    async fn trust(&self, cluster: &Cluster, external_id: &str) -> Trust {
        // The placeholder of a printed example is nobody's account.
        let account = cluster.account.as_str();
        if role_account(&cluster.aws_role_arn) != Some(account) || account.len() != 12 || !account.bytes().all(|b| b.is_ascii_digit()) {
            return Trust::Unknown { why: format!("{account} is no AWS account id") };
        }
        // Nobody has it: not even we remember it.
        let wrong = format!("{:032x}", fastrand::u128(..));
        let (without, wrong, right) =
            tokio::join!(self.take(cluster, None), self.take(cluster, Some(&wrong)), self.take(cluster, Some(external_id)));
        Trust::judged(&without, &wrong, &right)
    }
}
