//! Requests to S3, signed: in their headers where we send them, in their address where others do.

use crate::sigv4::{Scope, Unsigned};
use aws_credential_types::Credentials;
use aws_sigv4::http_request::{
    PayloadChecksumKind, PercentEncodingMode, SignableBody, SignatureLocation, SigningSettings, UriPathNormalizationMode,
};
use data_encoding::{BASE64, HEXLOWER_PERMISSIVE};
use std::collections::BTreeMap;
use std::time::{Duration, SystemTime};

/// A call of S3, by its name in IAM.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum S3 {
    /// Reads a file.
    GetObject,
    /// Writes one.
    PutObject,
    /// Removes one.
    DeleteObject,
    /// Makes the bucket.
    CreateBucket,
}

impl S3 {
    fn method(self) -> &'static str {
        match self {
            Self::GetObject => "GET",
            Self::PutObject | Self::CreateBucket => "PUT",
            Self::DeleteObject => "DELETE",
        }
    }
}

/// Where a bucket is.
#[derive(Debug, Clone)]
pub(super) struct Bucket {
    region: String,
    /// `https://bucket.s3.region.amazonaws.com`; at an endpoint of its own the bucket stands in the path.
    base: String,
}

impl Bucket {
    /// Of this name: at AWS, or at an endpoint of its own.
    pub(super) fn new(name: &str, region: &str, endpoint: Option<&str>) -> Bucket {
        let suffix = if region.starts_with("cn-") { "amazonaws.com.cn" } else { "amazonaws.com" };
        let base = match endpoint {
            Some(endpoint) => format!("{}/{name}", endpoint.trim_end_matches('/')),
            None => format!("https://{name}.s3.{region}.{suffix}"),
        };
        Bucket::at(base, region)
    }

    /// Whose keys stand behind this address.
    pub(super) fn at(base: String, region: &str) -> Bucket {
        Bucket { region: region.to_owned(), base }
    }

    /// `https://host`: what stands before the path.
    pub(super) fn origin(&self) -> String {
        let (scheme, rest) = self.base.split_once("://").unwrap_or(("https", &self.base));
        format!("{scheme}://{}", rest.split('/').next().unwrap_or_default())
    }

    fn host(&self) -> String {
        self.origin().split_once("://").map_or_else(String::new, |(_, host)| host.to_owned())
    }

    /// A request of ours, whose body is signed with it.
    ///
    /// # Errors
    /// What is wrong with it; never holds a secret.
    pub(super) fn signed(
        &self,
        call: S3,
        key: &str,
        body: &[u8],
        credentials: &Credentials,
        at: SystemTime,
    ) -> Result<http::Request<()>, String> {
        let mut settings = settings();
        settings.payload_checksum_kind = PayloadChecksumKind::XAmzSha256;
        let host = self.host();
        self.apply(call, key, &[("host", &host)], SignableBody::Bytes(body), settings, credentials, at)
    }

    /// An address for a request of others: with these headers, for so long.
    ///
    /// # Errors
    /// As [`Bucket::signed`].
    pub(super) fn presigned(
        &self,
        call: S3,
        key: &str,
        headers: &BTreeMap<String, String>,
        credentials: &Credentials,
        at: SystemTime,
        lasts: Duration,
    ) -> Result<String, String> {
        let mut settings = settings();
        settings.signature_location = SignatureLocation::QueryParams;
        settings.expires_in = Some(lasts);
        let host = self.host();
        let mut signed: Vec<(&str, &str)> = vec![("host", &host)];
        signed.extend(headers.iter().map(|(name, value)| (name.as_str(), value.as_str())));
        // Of the body nothing is known yet but what the headers say.
        let request = self.apply(call, key, &signed, SignableBody::UnsignedPayload, settings, credentials, at)?;
        Ok(request.uri().to_string())
    }

    #[expect(clippy::too_many_arguments, reason = "the parts of one request, each said once by its two callers")]
    fn apply(
        &self,
        call: S3,
        key: &str,
        headers: &[(&str, &str)],
        body: SignableBody<'_>,
        settings: SigningSettings,
        credentials: &Credentials,
        at: SystemTime,
    ) -> Result<http::Request<()>, String> {
        let url = format!("{}/{key}", self.base);
        let unsigned = Unsigned { method: call.method(), url: &url, headers };
        let instructions = Scope { credentials, region: &self.region, service: "s3", at }.sign(unsigned, body, settings)?;
        let request = http::Request::builder().method(call.method()).uri(&url);
        let mut request = request.body(()).map_err(|error| error.to_string())?;
        instructions.apply_to_request_http1x(&mut request);
        Ok(request)
    }
}

/// S3 takes paths as they are (Amazon S3 API Reference, "Authenticating Requests").
fn settings() -> SigningSettings {
    let mut settings = SigningSettings::default();
    settings.percent_encoding_mode = PercentEncodingMode::Single;
    settings.uri_path_normalization_mode = UriPathNormalizationMode::Disabled;
    settings
}

/// A hash as S3 wants it in headers.
///
/// # Errors
/// It is no hex.
pub(super) fn base64_of(hex: &str) -> Result<String, String> {
    let bytes = HEXLOWER_PERMISSIVE.decode(hex.as_bytes()).map_err(|error| format!("the SHA-256 is no hex: {error}"))?;
    Ok(BASE64.encode(&bytes))
}
