//! Files in a bucket of S3, and addresses at which others put theirs.
//!
//! Three calls and a presigned one: signed here and sent over the stack that the SDKs use. An SDK of S3 would be more code than all
//! the rest of the decision server.

use async_trait::async_trait;
use aws_credential_types::Credentials;
use aws_credential_types::provider::ProvideCredentials;
use aws_smithy_runtime_api::client::http::{HttpConnector, SharedHttpConnector};
use aws_smithy_runtime_api::client::orchestrator::{HttpRequest, HttpResponse};
use aws_smithy_types::body::SdkBody;
use aws_smithy_types::byte_stream::ByteStream;
use aws_types::SdkConfig;
use domain::SignedDuration;
use domain::ports::{Clock, OBJECT_MEDIA, ObjectError, Objects, Permit, Place, is_object_key};
use request::{Bucket, S3};
use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

mod request;

/// One try, with all of the file: 32 MB at 4 MB a second. Lambda has about 70 MB a second.
const ATTEMPT_TIMEOUT: Duration = Duration::from_secs(8);
/// Tries in all: S3 asks to be called again now and then (503 Slow Down).
const ATTEMPTS: u32 = 2;
/// Before the second try.
const PAUSE: SignedDuration = SignedDuration::from_millis(300);
/// How much of a refusal is read, in bytes.
const WORDS_MAX: usize = 2_048;

/// The files of one bucket.
pub struct BucketObjects {
    config: SdkConfig,
    bucket: Bucket,
    clock: Arc<dyn Clock>,
    http: SharedHttpConnector,
}

impl BucketObjects {
    /// The bucket of this name, in the Region and at the endpoint of the configuration. Makes no call.
    pub fn new(config: &SdkConfig, bucket: &str, clock: Arc<dyn Clock>) -> BucketObjects {
        let region = config.region().map_or("us-east-1", |region| region.as_ref());
        BucketObjects { bucket: Bucket::new(bucket, region, config.endpoint_url()), config: config.clone(), clock, http: sdk::connector() }
    }

    async fn credentials(&self) -> Result<Credentials, ObjectError> {
        let provider = self.config.credentials_provider().ok_or_else(|| ObjectError::Refused("there are no credentials".to_owned()))?;
        provider.provide_credentials().await.map_err(|error| ObjectError::Unreachable(format!("no credentials: {error}")))
    }

    /// Sends one call, and once more where S3 may answer then. Gives the status and what may be read of the answer.
    async fn send(&self, call: S3, key: &str, body: &[u8], bytes_max: usize) -> Result<(u16, Vec<u8>), ObjectError> {
        let mut attempt = 1;
        loop {
            let tried = match tokio::time::timeout(ATTEMPT_TIMEOUT, self.attempt(call, key, body, bytes_max)).await {
                Ok(tried) => tried,
                Err(_) => Err(ObjectError::Unreachable(format!("no answer within {} s", ATTEMPT_TIMEOUT.as_secs()))),
            };
            match tried {
                Err(ObjectError::Unreachable(_)) if attempt < ATTEMPTS => {
                    attempt += 1;
                    self.clock.sleep(PAUSE).await;
                }
                done => return done,
            }
        }
    }

    async fn attempt(&self, call: S3, key: &str, body: &[u8], bytes_max: usize) -> Result<(u16, Vec<u8>), ObjectError> {
        let signed = self.bucket.signed(call, key, body, &self.credentials().await?, self.clock.now().into());
        let signed = signed.map_err(ObjectError::Refused)?;
        let request = HttpRequest::try_from(signed.map(|()| SdkBody::from(body.to_vec())));
        let request = request.map_err(|error| ObjectError::Refused(error.to_string()))?;
        let answer = self.http.call(request).await.map_err(|error| ObjectError::Unreachable(words(&error)))?;
        let status = answer.status().as_u16();
        match status {
            200..300 => read(answer, bytes_max).await.map(|bytes| (status, bytes)),
            404 => Ok((status, Vec::new())),
            429 | 500.. => Err(ObjectError::Unreachable(format!("status {status}"))),
            _ => {
                // What S3 says names the bucket and the key, and no secret.
                let said = read(answer, WORDS_MAX).await.unwrap_or_default();
                Err(ObjectError::Refused(format!("status {status}: {}", code(&String::from_utf8_lossy(&said)))))
            }
        }
    }
}

/// The code in an error document; the rest of it is for machines of S3's own.
fn code(document: &str) -> String {
    let code = document.split_once("<Code>").and_then(|(_, rest)| rest.split_once("</Code>")).map(|(code, _)| code);
    code.map_or_else(|| "it does not say why".to_owned(), |code| code.chars().filter(char::is_ascii_alphanumeric).take(60).collect())
}

/// The body, of which no more than so many bytes are held: a length that is announced is believed where it is too large.
async fn read(answer: HttpResponse, bytes_max: usize) -> Result<Vec<u8>, ObjectError> {
    let announced: Option<u64> = answer.headers().get("content-length").and_then(|length| length.parse().ok());
    let most = u64::try_from(bytes_max).unwrap_or(u64::MAX);
    if let Some(bytes) = announced.filter(|bytes| *bytes > most) {
        return Err(ObjectError::TooLarge(bytes));
    }
    let mut bytes = Vec::with_capacity(announced.and_then(|bytes| usize::try_from(bytes).ok()).unwrap_or(0));
    let mut body = ByteStream::new(answer.into_body());
    while let Some(part) = body.next().await {
        let part = part.map_err(|error| ObjectError::Unreachable(format!("the answer broke off: {error}")))?;
        if bytes.len() + part.len() > bytes_max {
            return Err(ObjectError::TooLarge(most.saturating_add(1)));
        }
        bytes.extend_from_slice(&part);
    }
    if announced.is_some_and(|announced| u64::try_from(bytes.len()) != Ok(announced)) {
        return Err(ObjectError::Unreachable("the answer broke off".to_owned()));
    }
    Ok(bytes)
}

fn words(error: &(dyn std::error::Error + 'static)) -> String {
    aws_sdk_sts::error::DisplayErrorContext(error).to_string().chars().take(300).collect()
}

fn known(key: &str) -> Result<(), ObjectError> {
    if is_object_key(key) { Ok(()) } else { Err(ObjectError::Refused(format!("{key:?} is no key"))) }
}

#[async_trait]
impl Objects for BucketObjects {
    fn origin(&self) -> String {
        self.bucket.origin()
    }

    async fn place(&self, permit: &Permit) -> Result<Place, ObjectError> {
        known(&permit.key)?;
        let mut headers = BTreeMap::from([("content-type".to_owned(), OBJECT_MEDIA.to_owned())]);
        headers.extend(permit.bytes.map(|bytes| ("content-length".to_owned(), bytes.to_string())));
        if let Some(hex) = &permit.sha256 {
            headers.insert("x-amz-checksum-sha256".to_owned(), request::base64_of(hex).map_err(ObjectError::Refused)?);
        }
        let lasts = Duration::try_from(permit.lasts).map_err(|error| ObjectError::Refused(error.to_string()))?;
        let at = self.clock.now().into();
        let url = self.bucket.presigned(S3::PutObject, &permit.key, &headers, &self.credentials().await?, at, lasts);
        Ok(Place { url: url.map_err(ObjectError::Refused)?, headers })
    }

    async fn read(&self, key: &str, bytes_max: usize) -> Result<Option<Vec<u8>>, ObjectError> {
        known(key)?;
        let (status, bytes) = self.send(S3::GetObject, key, &[], bytes_max).await?;
        Ok((status != 404).then_some(bytes))
    }

    async fn put(&self, key: &str, bytes: Vec<u8>) -> Result<(), ObjectError> {
        known(key)?;
        match self.send(S3::PutObject, key, &bytes, WORDS_MAX).await? {
            (404, _) => Err(ObjectError::Refused("there is no such bucket".to_owned())),
            (_, _) => Ok(()),
        }
    }

    async fn discard(&self, key: &str) -> Result<(), ObjectError> {
        known(key)?;
        self.send(S3::DeleteObject, key, &[], WORDS_MAX).await.map(drop)
    }
}

/// Makes a bucket, for emulators.
///
/// # Errors
/// The endpoint does not make it.
pub async fn create_bucket(config: &SdkConfig, name: &str, clock: Arc<dyn Clock>) -> Result<(), ObjectError> {
    let objects = BucketObjects::new(config, name, clock);
    objects.send(S3::CreateBucket, "", &[], WORDS_MAX).await.map(drop)
}

#[cfg(test)]
mod tests;
