//! How the SDK clients are set up. One configuration, shared by all clients of a process.

use crate::http::Aws;
use aws_credential_types::Credentials;
use aws_credential_types::provider::SharedCredentialsProvider;
use aws_sdk_sts::config::retry::RetryConfig;
use aws_sdk_sts::config::timeout::TimeoutConfig;
use aws_sdk_sts::config::{BehaviorVersion, IdentityCache, Region};
use aws_smithy_async::rt::sleep::TokioSleep;
use aws_smithy_async::time::SystemTimeSource;
use aws_types::SdkConfig;
use aws_types::origin::Origin;
use aws_types::sdk_config::Builder;
use aws_types::service_config::{LoadServiceConfig, ServiceConfigKey};
use std::time::Duration;

/// One call with all its tries. Half of the interruption function's timeout, so that there is time left to say that it failed.
const OPERATION_TIMEOUT: Duration = Duration::from_secs(10);
/// One try. DynamoDB answers within 20 ms (p99); three seconds of silence is a lost connection.
const ATTEMPT_TIMEOUT: Duration = Duration::from_secs(3);
/// Tries in all, the first among them.
const ATTEMPTS: u32 = 3;

/// The configuration of a Lambda function: this Region, the credentials in the environment, the endpoints of `AWS_ENDPOINT_URL` and
/// `AWS_ENDPOINT_URL_<SERVICE>` where they are set, and those of `AWS_USE_FIPS_ENDPOINT` and `AWS_USE_DUALSTACK_ENDPOINT` where these are
/// `true` (AWS SDKs and Tools Reference Guide). Without credentials each call is refused before it is sent.
///
/// Reads no profile file and never asks the instance metadata service: a function has neither. That is why it is not loaded by
/// `aws-config`, whose every other source of credentials would be linked into each function.
pub fn sdk_config(region: &str) -> SdkConfig {
    let asked = |name: &str| variable(name).map(|said| said.eq_ignore_ascii_case("true"));
    let mut builder = base(region).service_config(Environment);
    builder.set_endpoint_url(variable(ENDPOINT));
    builder.set_use_fips(asked("AWS_USE_FIPS_ENDPOINT"));
    builder.set_use_dual_stack(asked("AWS_USE_DUALSTACK_ENDPOINT"));
    builder.set_credentials_provider(own().map(SharedCredentialsProvider::new));
    builder.build()
}

/// The configuration for an emulator at this endpoint, with credentials that mean nothing. Reads nothing from the
/// environment that could lead a test to a real account.
pub fn local_config(endpoint: &str, region: &str) -> SdkConfig {
    local_config_as(endpoint, region, "local")
}

/// The same, and signs as this access key: for an emulator that looks at who calls.
pub fn local_config_as(endpoint: &str, region: &str, access_key: &str) -> SdkConfig {
    let somebody = Credentials::new(access_key, "local", None, None, "local");
    let mut builder = base(region).endpoint_url(endpoint).credentials_provider(SharedCredentialsProvider::new(somebody));
    // Said here, and stronger than what a service would be told by its own variable.
    builder.insert_origin("endpoint_url", Origin::shared_config());
    builder.build()
}

fn base(region: &str) -> Builder {
    let mut builder = SdkConfig::builder()
        .behavior_version(BehaviorVersion::latest())
        .http_client(Aws::default().client())
        .region(Region::new(region.to_owned()))
        .sleep_impl(TokioSleep::new())
        .time_source(SystemTimeSource::new())
        .identity_cache(IdentityCache::lazy().build())
        .retry_config(RetryConfig::standard().with_max_attempts(ATTEMPTS))
        .timeout_config(TimeoutConfig::builder().operation_timeout(OPERATION_TIMEOUT).operation_attempt_timeout(ATTEMPT_TIMEOUT).build());
    // Meant so: the client of DynamoDB has tries of its own for whoever did not say.
    builder.insert_origin("retry_config", Origin::shared_config());
    builder
}

/// Where all services are, where it is set.
const ENDPOINT: &str = "AWS_ENDPOINT_URL";

/// Those of the function's role, which Lambda puts there and changes with each start.
fn own() -> Option<Credentials> {
    let key = variable("AWS_ACCESS_KEY_ID")?;
    Some(Credentials::new(key, variable("AWS_SECRET_ACCESS_KEY")?, variable("AWS_SESSION_TOKEN"), None, "environment"))
}

/// What services ask the environment for: each its own variable first.
#[derive(Debug)]
struct Environment;

impl LoadServiceConfig for Environment {
    fn load_config(&self, key: ServiceConfigKey<'_>) -> Option<String> {
        variable(&own_variable(&key)).or_else(|| variable(key.env()))
    }
}

/// `AWS_ENDPOINT_URL` and `Elastic Load Balancing v2` -> `AWS_ENDPOINT_URL_ELASTIC_LOAD_BALANCING_V2`.
fn own_variable(key: &ServiceConfigKey<'_>) -> String {
    format!("{}_{}", key.env(), key.service_id().to_ascii_uppercase().replace([' ', '-'], "_"))
}

/// A variable of the SDKs, which are not ours to name: those of the product are read by `runtime::config`.
#[expect(clippy::disallowed_methods, reason = "read once, when the process is put together")]
fn variable(name: &str) -> Option<String> {
    std::env::var(name).ok().filter(|value| !value.trim().is_empty())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_configuration_has_limits_and_an_explicit_region() {
        let config = local_config("http://127.0.0.1:1", "eu-west-1");
        assert_eq!(config.region().map(AsRef::as_ref), Some("eu-west-1"));
        assert_eq!(config.endpoint_url(), Some("http://127.0.0.1:1"));
        assert!(config.credentials_provider().is_some());
        let timeouts = config.timeout_config().unwrap();
        assert_eq!(timeouts.operation_timeout(), Some(OPERATION_TIMEOUT));
        assert_eq!(timeouts.operation_attempt_timeout(), Some(ATTEMPT_TIMEOUT));
        assert_eq!(config.retry_config().map(RetryConfig::max_attempts), Some(ATTEMPTS));
        assert!(config.sleep_impl().is_some() && config.time_source().is_some(), "timeouts and signatures need them");
    }

    #[test]
    fn a_service_asks_for_its_own_variable() {
        let key =
            ServiceConfigKey::builder().service_id("Elastic Load Balancing v2").env(ENDPOINT).profile("endpoint_url").build().unwrap();
        assert_eq!(own_variable(&key), "AWS_ENDPOINT_URL_ELASTIC_LOAD_BALANCING_V2");
    }

    #[test]
    fn a_functions_configuration_is_made_of_the_environment_alone() {
        let config = sdk_config("us-east-1");
        assert_eq!(config.region().map(AsRef::as_ref), Some("us-east-1"));
        assert!(config.service_config().is_some());
    }
}
