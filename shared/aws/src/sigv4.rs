//! Signatures of requests that no SDK sends for us (AWS Signature Version 4).

use aws_credential_types::Credentials;
use aws_sigv4::http_request::{SignableBody, SignableRequest, SigningInstructions, SigningSettings, sign};
use aws_sigv4::sign::v4::SigningParams;
use std::time::SystemTime;

/// Who signs, for which service of which Region, and when.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Scope<'a> {
    pub(crate) credentials: &'a Credentials,
    pub(crate) region: &'a str,
    /// As it stands in a signature: `sts`, `s3`, `lambda`.
    pub(crate) service: &'a str,
    pub(crate) at: SystemTime,
}

/// A request as far as it is signed.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Unsigned<'a> {
    pub(crate) method: &'a str,
    pub(crate) url: &'a str,
    pub(crate) headers: &'a [(&'a str, &'a str)],
}

impl Scope<'_> {
    /// What is to be added to the request.
    ///
    /// # Errors
    /// What is wrong with it; never holds a secret.
    pub(crate) fn sign(
        &self,
        request: Unsigned<'_>,
        body: SignableBody<'_>,
        settings: SigningSettings,
    ) -> Result<SigningInstructions, String> {
        let identity = self.credentials.clone().into();
        let params = SigningParams::builder()
            .identity(&identity)
            .region(self.region)
            .name(self.service)
            .time(self.at)
            .settings(settings)
            .build()
            .map_err(|error| error.to_string())?
            .into();
        let signable = SignableRequest::new(request.method, request.url, request.headers.iter().copied(), body);
        let (instructions, _) =
            sign(signable.map_err(|error| error.to_string())?, &params).map_err(|error| error.to_string())?.into_parts();
        Ok(instructions)
    }
}
