//! The customer's role: assumed per scope and task, kept until shortly before it expires, never shared between customers. What a
//! session may do is what its task needs ([`policy`]).

use crate::throttle::{Buckets, Call};
use aws_sdk_ec2::config::retry::RetryConfig;
use aws_sdk_ec2::config::timeout::TimeoutConfig;
use aws_sdk_ec2::config::{IdentityCache, Region};
use aws_types::SdkConfig;
use domain::ports::CloudError;
use domain::tenant::{AwsScope, role_account, session_name};
use sdk::Role;
use std::collections::HashMap;
use std::sync::Arc;
use std::time::Duration;
use tokio::sync::Mutex;

mod policy;

pub(crate) use policy::{Task, partition};

/// One call with all its retries. The SDK itself has no limit, and a hung socket would eat the whole invocation.
pub(crate) const OPERATION_TIMEOUT: Duration = Duration::from_secs(10);
/// One attempt of a call that may be repeated.
const ATTEMPT_TIMEOUT: Duration = Duration::from_secs(3);
/// A session this close to its end is replaced first, so that no call is signed with one that expires on the way.
const REFRESH_BEFORE: Duration = Duration::from_secs(120);
/// How many sessions are kept. Above it all are forgotten, which costs one AssumeRole each.
const SCOPES_MAX: usize = 1_000;

/// Clients that act as the role of one scope.
#[derive(Debug, Clone)]
pub(crate) struct Session {
    /// EC2.
    pub(crate) ec2: aws_sdk_ec2::Client,
    /// Auto Scaling.
    pub(crate) scaling: aws_sdk_autoscaling::Client,
    /// Load balancers of today's generation.
    pub(crate) balancers: aws_sdk_elasticloadbalancingv2::Client,
    /// Load balancers of the generation before.
    pub(crate) classic: aws_sdk_elasticloadbalancing::Client,
    buckets: Arc<Buckets>,
}

impl Session {
    fn over(config: &SdkConfig, buckets: Arc<Buckets>) -> Session {
        Session {
            ec2: aws_sdk_ec2::Client::new(config),
            scaling: aws_sdk_autoscaling::Client::new(config),
            balancers: aws_sdk_elasticloadbalancingv2::Client::new(config),
            classic: aws_sdk_elasticloadbalancing::Client::new(config),
            buckets,
        }
    }

    /// Waits for room in the account's rate, or answers [`CloudError::Throttled`] where that would take too long.
    pub(crate) async fn pace(&self, call: Call) -> Result<(), CloudError> {
        self.buckets.take(call).await
    }
}

/// Sessions by scope and task. The key is the whole scope: another customer, role or external id is another session, even where the
/// account is the same.
#[derive(Debug)]
pub(crate) struct Access {
    base: SdkConfig,
    sessions: Mutex<HashMap<(AwsScope, Task), Session>>,
    /// EC2 limits an account per Region, whoever calls: these are shared by scopes.
    buckets: Mutex<HashMap<(String, String), Arc<Buckets>>>,
}

impl Access {
    pub(crate) fn new(config: SdkConfig) -> Self {
        Self { base: limited(config), sessions: Mutex::new(HashMap::new()), buckets: Mutex::new(HashMap::new()) }
    }

    /// A session of this scope for this task. The role is assumed with the first call made in it, and again before it expires.
    ///
    /// # Errors
    /// [`CloudError::NoAccess`] where the role is not in the account that was registered.
    pub(crate) async fn session(&self, scope: &AwsScope, task: Task) -> Result<Session, CloudError> {
        if role_account(&scope.role_arn) != Some(scope.account.as_str()) {
            return Err(CloudError::NoAccess(format!("the role {} is not in the account {}", scope.role_arn, scope.account)));
        }
        let mut sessions = self.sessions.lock().await;
        let wanted = (scope.clone(), task);
        if let Some(session) = sessions.get(&wanted) {
            return Ok(session.clone());
        }
        let session = self.open(scope, &wanted.1).await;
        if sessions.len() >= SCOPES_MAX {
            sessions.clear();
        }
        sessions.insert(wanted, session.clone());
        Ok(session)
    }

    async fn open(&self, scope: &AwsScope, task: &Task) -> Session {
        let role = Role {
            arn: scope.role_arn.clone(),
            external_id: Some(scope.external_id.clone()),
            session_name: session_name(&scope.customer, &scope.cluster),
            policy: task.policy(scope),
            region: scope.region.as_str().to_owned(),
        };
        // A cache of its own: nothing that another scope obtained can be found in it.
        let cache = IdentityCache::lazy().buffer_time(REFRESH_BEFORE).build();
        let config = role.assumed(&self.base).identity_cache(cache).build();
        Session::over(&config, self.buckets_of(scope).await)
    }

    async fn buckets_of(&self, scope: &AwsScope) -> Arc<Buckets> {
        let key = (scope.account.as_str().to_owned(), scope.region.as_str().to_owned());
        Arc::clone(self.buckets.lock().await.entry(key).or_default())
    }
}

/// The configuration with our limits.
fn limited(config: SdkConfig) -> SdkConfig {
    let timeouts = TimeoutConfig::builder().operation_timeout(OPERATION_TIMEOUT).operation_attempt_timeout(ATTEMPT_TIMEOUT).build();
    config.into_builder().timeout_config(timeouts).retry_config(RetryConfig::standard()).build()
}

/// Clients that act as ourselves in a Region. Their pace is their own: keep one per Region.
pub(crate) fn own(config: SdkConfig, region: &domain::ids::Region) -> Session {
    let config = limited(config).into_builder().region(Region::new(region.as_str().to_owned())).build();
    Session::over(&config, Arc::default())
}

#[cfg(test)]
mod tests;
