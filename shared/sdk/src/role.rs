//! Roles of customers, taken for a quarter of an hour: what every adapter stands on that works in an account of somebody else.
//!
//! The loader of the SDK takes roles, too, but knows every other source of credentials with it (profiles, instance metadata, containers),
//! of which a function has none: a tenth of a megabyte in each zip.

use aws_credential_types::Credentials;
use aws_credential_types::provider::error::CredentialsError;
use aws_credential_types::provider::{self, ProvideCredentials, SharedCredentialsProvider, future};
use aws_sdk_sts::config::{IdentityCache, Region};
use aws_sdk_sts::operation::assume_role::AssumeRoleError;
use aws_sdk_sts::operation::assume_role::builders::AssumeRoleFluentBuilder;
use aws_types::SdkConfig;
use std::fmt;
use std::time::{Duration, SystemTime};

/// The shortest session that STS gives (STS API Reference, AssumeRole, DurationSeconds): what leaks, leaks for a quarter of an hour.
pub const SESSION: Duration = Duration::from_secs(SESSION_S as u64);
/// The same in seconds, as STS takes it.
const SESSION_S: i32 = 900;

/// A role, and under which conditions it is taken.
#[derive(Clone, PartialEq, Eq)]
pub struct Role {
    /// Its ARN.
    pub arn: String,
    /// What its trust policy asks for; `None`: nothing is said, as whoever only knows the ARN would have it.
    pub external_id: Option<String>,
    /// How the session is called in the customer's trail: 2 to 64 characters of `[\w+=,.@-]`.
    pub session_name: String,
    /// What the session may do, whatever else the role may: an IAM policy in JSON, at most 2,048 characters.
    pub policy: String,
    /// Where STS is asked, and where the session works.
    pub region: String,
}

impl Role {
    /// `base` as this role, in its Region. STS is asked with the first call, and again before a session ends; `base` signs that.
    pub fn assumed(self, base: &SdkConfig) -> aws_types::sdk_config::Builder {
        let region = Region::new(self.region.clone());
        base.to_builder().region(region).credentials_provider(SharedCredentialsProvider::new(self.taken(base)))
    }

    /// A session of this role, now.
    ///
    /// # Errors
    /// [`CredentialsError::InvalidConfiguration`] where STS will never give it so: the policy is malformed, or STS is not active in the
    /// Region. Any other where it refused or was not reached; the text of the source says which.
    pub async fn assumed_now(self, base: &SdkConfig) -> provider::Result {
        self.taken(base).credentials().await
    }

    fn taken(self, base: &SdkConfig) -> Taken {
        // Nothing is kept of who asks: what is kept, is what was given.
        let asking = base.to_builder().region(Region::new(self.region)).identity_cache(IdentityCache::no_cache()).build();
        let client = aws_sdk_sts::Client::new(&asking);
        let call = client
            .assume_role()
            .role_arn(self.arn)
            .set_external_id(self.external_id)
            .role_session_name(self.session_name)
            .policy(self.policy)
            .duration_seconds(SESSION_S);
        Taken { call }
    }
}

/// What asks STS for a session, as often as one is wanted.
struct Taken {
    call: AssumeRoleFluentBuilder,
}

impl fmt::Debug for Taken {
    /// Names nothing: the external id is a secret between the customer and us.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Taken")
    }
}

impl Taken {
    async fn credentials(&self) -> provider::Result {
        let answer = self.call.clone().send().await.map_err(|error| match error.as_service_error() {
            Some(AssumeRoleError::MalformedPolicyDocumentException(_) | AssumeRoleError::RegionDisabledException(_)) => {
                CredentialsError::invalid_configuration(error)
            }
            _ => CredentialsError::provider_error(error),
        })?;
        let given = answer.credentials.ok_or_else(|| CredentialsError::unhandled("STS gave no credentials"))?;
        let end = SystemTime::try_from(given.expiration).map_err(CredentialsError::unhandled)?;
        let built = Credentials::builder().access_key_id(given.access_key_id).secret_access_key(given.secret_access_key);
        Ok(built.session_token(given.session_token).expiry(end).provider_name("roles").build())
    }
}

impl ProvideCredentials for Taken {
    fn provide_credentials<'a>(&'a self) -> future::ProvideCredentials<'a>
    where
        Self: 'a,
    {
        future::ProvideCredentials::new(self.credentials())
    }
}

#[cfg(test)]
mod tests;
