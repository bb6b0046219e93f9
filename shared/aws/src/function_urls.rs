//! Signatures for functions of ours that are called over addresses of their own (Lambda function URLs with `AWS_IAM`).

use crate::sigv4::{Scope, Unsigned};
use async_trait::async_trait;
use aws_credential_types::Credentials;
use aws_credential_types::provider::ProvideCredentials;
use aws_sigv4::http_request::{SignableBody, SigningSettings};
use aws_types::SdkConfig;
use domain::ports::{Clock, Outgoing, SignError, Signer};
use std::sync::Arc;
use std::time::SystemTime;

/// What the host of such an address has behind its Region (AWS Lambda Developer Guide, "Lambda function URLs").
const SUFFIX: &str = ".on.aws";
/// What it has before it, behind its id.
const SERVICE: &str = "lambda-url";

/// Signs what goes to a function URL, with the credentials of this process. All other servers get no signature.
pub struct FunctionUrls {
    config: SdkConfig,
    clock: Arc<dyn Clock>,
}

impl FunctionUrls {
    /// Makes no call.
    pub fn new(config: SdkConfig, clock: Arc<dyn Clock>) -> FunctionUrls {
        FunctionUrls { config, clock }
    }
}

#[async_trait]
impl Signer for FunctionUrls {
    async fn sign(&self, request: &Outgoing<'_>) -> Result<Vec<(String, String)>, SignError> {
        let Some((host, region)) = function_url(request.url) else {
            return Ok(Vec::new());
        };
        let provider = self.config.credentials_provider().ok_or_else(|| SignError("there are no credentials".to_owned()))?;
        let credentials = provider.provide_credentials().await.map_err(|error| SignError(error.to_string()))?;
        signed(&credentials, host, region, request, self.clock.now().into())
    }
}

/// The host of a function URL and its Region; `None`: it is the address of something else.
fn function_url(url: &str) -> Option<(&str, &str)> {
    let rest = url.strip_prefix("https://")?;
    let host = rest.split(['/', '?', '#']).next()?;
    let mut labels = host.strip_suffix(SUFFIX)?.split('.');
    let (id, service, region) = (labels.next()?, labels.next()?, labels.next()?);
    (labels.next().is_none() && !id.is_empty() && service == SERVICE && !region.is_empty()).then_some((host, region))
}

fn signed(
    credentials: &Credentials,
    host: &str,
    region: &str,
    request: &Outgoing<'_>,
    at: SystemTime,
) -> Result<Vec<(String, String)>, SignError> {
    let unsigned = Unsigned { method: request.method, url: request.url, headers: &[("host", host)] };
    let scope = Scope { credentials, region, service: "lambda", at };
    let instructions = scope.sign(unsigned, SignableBody::Bytes(request.body), SigningSettings::default()).map_err(SignError)?;
    Ok(instructions.headers().map(|(name, value)| (name.to_owned(), value.to_owned())).collect())
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::collections::BTreeMap;

    const URL: &str = "https://abc123.lambda-url.eu-west-1.on.aws/api/v1/ml/decision/bin-pack";

    #[derive(Debug)]
    struct Noon;

    #[async_trait]
    impl Clock for Noon {
        fn now(&self) -> domain::Timestamp {
            domain::Timestamp::from_second(1_800_000_000).unwrap()
        }
        async fn sleep(&self, _: domain::SignedDuration) {}
    }

    async fn headers(url: &str, body: &[u8]) -> BTreeMap<String, String> {
        let signer = FunctionUrls::new(sdk::local_config_as("http://127.0.0.1:1", "us-east-1", "AKIDEXAMPLE"), Arc::new(Noon));
        signer.sign(&Outgoing { method: "POST", url, body }).await.unwrap().into_iter().collect()
    }

    #[tokio::test]
    async fn what_goes_to_a_function_url_is_signed_for_its_region_and_its_body() {
        let one = headers(URL, b"{}").await;
        let authorization = &one["authorization"];
        assert!(
            authorization.starts_with("AWS4-HMAC-SHA256 Credential=AKIDEXAMPLE/20270115/eu-west-1/lambda/aws4_request"),
            "{authorization}"
        );
        assert_eq!(one["x-amz-date"], "20270115T080000Z");
        assert_eq!(headers(URL, b"{}").await, one, "the same request has the same signature");
        assert_ne!(headers(URL, b"{ }").await["authorization"], *authorization);
        assert_ne!(headers(&format!("{URL}?a=b"), b"{}").await["authorization"], *authorization);
    }

    #[tokio::test]
    async fn nobody_else_is_shown_a_signature() {
        for url in [
            "https://ml.example.com/api",
            "http://abc123.lambda-url.eu-west-1.on.aws/",
            "https://abc123.lambda-url.eu-west-1.on.aws.example.com/",
            "https://lambda-url.eu-west-1.on.aws/",
            "https://a.b.lambda-url.eu-west-1.on.aws/",
            "https://abc123.lambda-url..on.aws/",
            "https://example.com/?x=.lambda-url.eu-west-1.on.aws",
        ] {
            assert!(headers(url, b"").await.is_empty(), "{url}");
        }
    }
}
