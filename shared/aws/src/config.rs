//! How the SDK clients are set up. One configuration, shared by all clients of a process.

use aws_config::environment::EnvironmentVariableCredentialsProvider;
use aws_config::retry::RetryConfig;
use aws_config::timeout::TimeoutConfig;
use aws_config::{BehaviorVersion, ConfigLoader, Region, SdkConfig};
use aws_credential_types::Credentials;
use aws_runtime::env_config::file::{EnvConfigFileKind, EnvConfigFiles};
use aws_smithy_http_client::tls::Provider;
use aws_smithy_http_client::tls::rustls_provider::CryptoMode;
use std::time::Duration;

/// One call with all its tries. Half of the interruption function's timeout, so that there is time left to say that it failed.
const OPERATION_TIMEOUT: Duration = Duration::from_secs(10);
/// One try. DynamoDB answers within 20 ms (p99); three seconds of silence is a lost connection.
const ATTEMPT_TIMEOUT: Duration = Duration::from_secs(3);
/// Tries in all, the first among them.
const ATTEMPTS: u32 = 3;

/// The configuration of a Lambda function: this Region, the credentials in the environment, and the endpoints of
/// `AWS_ENDPOINT_URL` and `AWS_ENDPOINT_URL_<SERVICE>` where they are set.
///
/// Reads no profile file and never asks the instance metadata service: both cost time at each cold start, and a function
/// has neither.
pub async fn sdk_config(region: &str) -> SdkConfig {
    base(region).credentials_provider(EnvironmentVariableCredentialsProvider::new()).load().await
}

/// The configuration for an emulator at this endpoint, with credentials that mean nothing. Reads nothing from the
/// environment that could lead a test to a real account.
pub async fn local_config(endpoint: &str, region: &str) -> SdkConfig {
    local_config_as(endpoint, region, "local").await
}

/// The same, and signs as this access key: for an emulator that looks at who calls.
pub async fn local_config_as(endpoint: &str, region: &str, access_key: &str) -> SdkConfig {
    let somebody = Credentials::new(access_key, "local", None, None, "local");
    base(region).endpoint_url(endpoint).credentials_provider(somebody).load().await
}

/// The one TLS stack of the process.
pub(crate) fn tls() -> Provider {
    Provider::Rustls(CryptoMode::Ring)
}

fn base(region: &str) -> ConfigLoader {
    // An empty file in memory stands for the profile files: the SDK insists on one, and looks on disk otherwise.
    let no_profile = EnvConfigFiles::builder().with_contents(EnvConfigFileKind::Config, "").build();
    let https = aws_smithy_http_client::Builder::new().tls_provider(tls()).build_https();
    aws_config::defaults(BehaviorVersion::latest())
        .http_client(https)
        .region(Region::new(region.to_owned()))
        .profile_files(no_profile)
        .retry_config(RetryConfig::standard().with_max_attempts(ATTEMPTS))
        .timeout_config(TimeoutConfig::builder().operation_timeout(OPERATION_TIMEOUT).operation_attempt_timeout(ATTEMPT_TIMEOUT).build())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn a_configuration_has_limits_and_an_explicit_region() {
        let config = local_config("http://127.0.0.1:1", "eu-west-1").await;
        assert_eq!(config.region().map(AsRef::as_ref), Some("eu-west-1"));
        assert_eq!(config.endpoint_url(), Some("http://127.0.0.1:1"));
        let timeouts = config.timeout_config().unwrap();
        assert_eq!(timeouts.operation_timeout(), Some(OPERATION_TIMEOUT));
        assert_eq!(timeouts.operation_attempt_timeout(), Some(ATTEMPT_TIMEOUT));
        assert_eq!(config.retry_config().map(RetryConfig::max_attempts), Some(ATTEMPTS));
    }

    #[tokio::test]
    async fn a_functions_configuration_loads_without_profile_files() {
        let config = sdk_config("us-east-1").await;
        assert!(config.credentials_provider().is_some());
    }
}
