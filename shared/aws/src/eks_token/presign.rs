//! The form of a token: a presigned request, in base64.

use crate::sigv4::{Scope, Unsigned};
use aws_credential_types::Credentials;
use aws_sigv4::http_request::{SignableBody, SignatureLocation, SigningSettings};
use data_encoding::BASE64URL_NOPAD;
use secrecy::SecretString;
use std::time::{Duration, SystemTime};

/// Before every token, so that an API server knows what it is looking at (aws-iam-authenticator, `v1Prefix`).
const PREFIX: &str = "k8s-aws-v1.";
/// Names the cluster; signed, so that a token for one cluster is none for another (aws-iam-authenticator, `clusterIDHeader`).
const CLUSTER_HEADER: &str = "x-k8s-aws-id";
/// What the authenticator's own client asks for; the API server goes by the date and its own quarter of an hour.
const EXPIRES: Duration = Duration::from_secs(60);

/// The token of these credentials for the cluster of this name.
///
/// # Errors
/// What is wrong with the name or the credentials; never holds a secret.
pub(super) fn token(credentials: &Credentials, region: &str, cluster: &str, at: SystemTime) -> Result<SecretString, String> {
    let host = host(region);
    let url = format!("https://{host}/?Action=GetCallerIdentity&Version=2011-06-15");
    let mut settings = SigningSettings::default();
    settings.signature_location = SignatureLocation::QueryParams;
    settings.expires_in = Some(EXPIRES);
    let unsigned = Unsigned { method: "GET", url: &url, headers: &[("host", host.as_str()), (CLUSTER_HEADER, cluster)] };
    let instructions = Scope { credentials, region, service: "sts", at }.sign(unsigned, SignableBody::Bytes(&[]), settings)?;
    let mut request = http::Request::get(&url).body(()).map_err(|error| error.to_string())?;
    instructions.apply_to_request_http1x(&mut request);
    Ok(SecretString::from(format!("{PREFIX}{}", BASE64URL_NOPAD.encode(request.uri().to_string().as_bytes()))))
}

/// STS of the Region itself: that of the world is an ocean away for most, and not switched on everywhere.
fn host(region: &str) -> String {
    let suffix = if region.starts_with("cn-") { "amazonaws.com.cn" } else { "amazonaws.com" };
    format!("sts.{region}.{suffix}")
}
