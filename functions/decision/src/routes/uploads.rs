//! Files that are too large for a request: an address is asked for, the file is put there, and the model registered with the upload's id.

use super::models::{Body, bench, invalid};
use crate::Deps;
use crate::asked::{Asked, asked_by};
use crate::models::{Bench, Uploads};
use crate::problem::{self, Problem};
use axum::Json;
use axum::extract::State;
use axum::response::IntoResponse;
use domain::Timestamp;
use domain::model::{MODEL_UPLOAD_BYTES_MAX, UPLOAD_LASTS, Upload, UploadRefusal, is_upload_id};
use domain::ports::{ObjectError, Permit};
use http::{HeaderMap, StatusCode, header};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;
use std::sync::Arc;

/// What is said of a file before it is put. All of it may be left out.
#[derive(Debug, Default, Deserialize, JsonSchema)]
#[serde(default)]
pub struct Announced {
    /// Its size in bytes: then a file of another size is not taken.
    pub bytes: Option<u32>,
    /// Hex SHA-256 of it: then another file is not taken.
    pub sha256: Option<String>,
}

/// Where a file is put, and how.
#[derive(Debug, Serialize, JsonSchema)]
pub struct Begun {
    /// What the model is registered with afterwards, within an hour.
    upload_id: String,
    /// Where the file is put. Whoever has it may put one: it is a secret as long as it lasts.
    url: String,
    /// How: `PUT`.
    method: &'static str,
    /// Headers that the request must have, to the letter.
    headers: BTreeMap<String, String>,
    /// When the address is no longer taken.
    expires_at: Timestamp,
    /// The largest file, in bytes.
    bytes_max: usize,
}

/// How uploads are taken here.
#[derive(Debug, Serialize, JsonSchema)]
pub struct TakesUploads {
    /// The largest file, in bytes.
    bytes_max: usize,
    /// The origin of every address: what a page must allow.
    origin: String,
}

impl TakesUploads {
    /// By this store.
    pub fn of(uploads: &Uploads) -> TakesUploads {
        TakesUploads { bytes_max: MODEL_UPLOAD_BYTES_MAX, origin: uploads.objects.origin() }
    }
}

impl Announced {
    /// As it is written down: hashes in small letters.
    fn checked(self) -> Result<Announced, Problem> {
        let bytes = self.bytes.map_or(1, u64::from);
        if bytes > MODEL_UPLOAD_BYTES_MAX as u64 {
            return Err(refused(&UploadRefusal::TooLarge(bytes)));
        }
        let sha256 = self.sha256.map(|text| text.trim().to_ascii_lowercase());
        let is_hash = |text: &String| text.len() == 64 && text.bytes().all(|b| b.is_ascii_hexdigit());
        if bytes == 0 || !sha256.as_ref().is_none_or(is_hash) {
            return Err(invalid("`bytes` is the size of the file, 1 or more, and `sha256` has 64 hex digits. Both may be left out."));
        }
        Ok(Announced { sha256, ..self })
    }
}

/// Gives an address for a file.
pub async fn begin(State(deps): State<Arc<Deps>>, headers: HeaderMap, body: Body) -> Result<impl IntoResponse, Problem> {
    let bench = bench(&deps)?;
    let uploads = bench.uploads.as_ref().ok_or_else(problem::no_upload_store)?;
    let announced: Announced = match &body {
        Ok(bytes) if bytes.is_empty() => Announced::default(),
        Ok(_) | Err(_) => Asked::new(&headers, body, deps.limits)?.read(deps.limits)?,
    };
    let Announced { bytes, sha256 } = announced.checked()?;
    let (id, at) = (format!("{:032x}", (uploads.ids)()), bench.clock.now());
    let upload = Upload { id, by: asked_by(&headers), at, bytes, sha256, model: None };
    let permit = Permit {
        key: upload.key(),
        bytes: upload.bytes.map(u64::from),
        sha256: upload.sha256.clone(),
        bytes_max: MODEL_UPLOAD_BYTES_MAX as u64,
        lasts: UPLOAD_LASTS,
    };
    let place = uploads.objects.place(&permit).await.map_err(problem::of_objects)?;
    bench.store.put_upload(&upload).await?;
    tracing::info!(upload = upload.id, by = upload.by, bytes = upload.bytes, "An upload was asked for");
    let begun = Begun {
        expires_at: upload.expires_at(),
        upload_id: upload.id,
        url: place.url,
        method: "PUT",
        headers: place.headers,
        bytes_max: MODEL_UPLOAD_BYTES_MAX,
    };
    // The address is a secret: nobody on the way keeps it.
    Ok(([(header::CACHE_CONTROL, "no-store")], Json(begun)))
}

/// An upload that may be registered now, or was.
pub(super) async fn open(bench: &Bench, id: &str) -> Result<Upload, Problem> {
    if bench.uploads.is_none() {
        return Err(problem::no_upload_store());
    }
    let found = if is_upload_id(id) { bench.store.upload(id).await? } else { None };
    let upload = found.ok_or_else(|| refused(&UploadRefusal::Unknown))?;
    upload.open(bench.clock.now()).map_err(|refusal| refused(&refusal))?;
    Ok(upload)
}

/// What was put there. No more than the limit is read, and nothing else than was announced is given.
pub(super) async fn file(bench: &Bench, upload: &Upload) -> Result<Vec<u8>, Problem> {
    let uploads = bench.uploads.as_ref().ok_or_else(problem::no_upload_store)?;
    let most = upload.bytes.and_then(|bytes| usize::try_from(bytes).ok()).unwrap_or(MODEL_UPLOAD_BYTES_MAX);
    let other = |found: u64| match upload.bytes {
        Some(bytes) => UploadRefusal::Other(format!("it has {found} bytes or more, and {bytes} were announced")),
        None => UploadRefusal::TooLarge(found),
    };
    let found = uploads.objects.read(&upload.key(), most).await;
    let onnx = found.map_err(|error| match error {
        ObjectError::TooLarge(found) => refused(&other(found)),
        ObjectError::Unreachable(_) | ObjectError::Refused(_) => problem::of_objects(error),
    })?;
    onnx.ok_or_else(|| refused(&UploadRefusal::Missing))
}

/// A model was made of it: the same upload is that model from now on, and the file is no longer needed. What fails here costs nothing: the
/// same file is the same model, and what is left over is removed after a day.
pub(super) async fn done(bench: &Bench, upload: Upload, model: &str) {
    let key = upload.key();
    if let Err(error) = bench.store.put_upload(&Upload { model: Some(model.to_owned()), ..upload }).await {
        tracing::warn!(key, %error, "What became of an upload was not written down");
        return;
    }
    if let Some(uploads) = &bench.uploads
        && let Err(error) = uploads.objects.discard(&key).await
    {
        tracing::warn!(key, %error, "The file of an upload was not removed; it is after a day");
    }
}

/// Why an upload is not taken, as a problem.
pub(super) fn refused(refusal: &UploadRefusal) -> Problem {
    let status = match refusal {
        UploadRefusal::Unknown => StatusCode::NOT_FOUND,
        UploadRefusal::Expired | UploadRefusal::Missing => StatusCode::CONFLICT,
        UploadRefusal::TooLarge(_) | UploadRefusal::Other(_) => StatusCode::UNPROCESSABLE_ENTITY,
    };
    Problem::new(status, refusal.code(), format!("The upload is not taken: {refusal}."))
}
