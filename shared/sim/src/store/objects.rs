//! The store of files in memory, and the door at which strangers put theirs: what S3 does with a presigned PUT, done here.

use async_trait::async_trait;
use axum::Router;
use axum::body::{Body, to_bytes};
use axum::extract::{Path, State};
use axum::routing::put;
use data_encoding::{BASE64, HEXLOWER_PERMISSIVE};
use domain::Timestamp;
use domain::ports::{Clock, OBJECT_MEDIA, ObjectError, Objects, Permit, Place, is_object_key};
use http::{HeaderMap, StatusCode};
use sha2::{Digest, Sha256};
use std::collections::BTreeMap;
use std::path::PathBuf;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

/// Makes names that nobody guesses.
pub type Names = Arc<dyn Fn() -> u128 + Send + Sync>;

/// Files by key.
pub struct MemoryObjects {
    origin: String,
    clock: Arc<dyn Clock>,
    names: Names,
    /// Where files outlive the process; `None`: nowhere.
    folder: Option<PathBuf>,
    state: Mutex<Held>,
}

#[derive(Default)]
struct Held {
    files: BTreeMap<String, Vec<u8>>,
    /// By the token in their address.
    open: BTreeMap<String, (Permit, Timestamp)>,
}

impl MemoryObjects {
    /// Empty; its door is to answer at this origin.
    pub fn new(origin: &str, clock: Arc<dyn Clock>, names: Names) -> MemoryObjects {
        MemoryObjects { origin: origin.to_owned(), clock, names, folder: None, state: Mutex::default() }
    }

    /// The same, in a folder of its own, where files outlive the process. Its addresses do not, and what was put at one and never taken
    /// does not either.
    #[must_use]
    pub fn kept_in(self, folder: PathBuf) -> MemoryObjects {
        // That there is none is what the first start finds.
        drop(std::fs::remove_dir_all(folder.join("uploads")));
        MemoryObjects { folder: Some(folder), ..self }
    }

    fn lock(&self) -> MutexGuard<'_, Held> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// The file of a key on disk: its parts are names of one folder each, for [`is_object_key`] lets nothing else through.
    fn path(&self, key: &str) -> Result<Option<PathBuf>, ObjectError> {
        if !is_object_key(key) {
            return Err(ObjectError::Refused(format!("{key:?} is no key")));
        }
        Ok(self.folder.as_ref().map(|folder| folder.join(key)))
    }

    /// The bodies that are taken by this token now.
    fn permit(&self, token: &str) -> Option<Permit> {
        let now = self.clock.now();
        let mut state = self.lock();
        state.open.retain(|_, (_, until)| now <= *until);
        state.open.get(token).map(|(permit, _)| permit.clone())
    }
}

fn disk(error: &std::io::Error) -> ObjectError {
    ObjectError::Unreachable(error.to_string())
}

#[async_trait]
impl Objects for MemoryObjects {
    fn origin(&self) -> String {
        self.origin.clone()
    }

    async fn place(&self, permit: &Permit) -> Result<Place, ObjectError> {
        self.path(&permit.key)?;
        let token = format!("{:032x}", (self.names)());
        let until = self.clock.now().saturating_add(permit.lasts).unwrap_or(Timestamp::MAX);
        self.lock().open.insert(token.clone(), (permit.clone(), until));
        Ok(Place { url: format!("{}/uploads/{token}", self.origin), headers: headers(permit) })
    }

    async fn read(&self, key: &str, bytes_max: usize) -> Result<Option<Vec<u8>>, ObjectError> {
        let Some(path) = self.path(key)? else {
            return fits(self.lock().files.get(key), bytes_max).map(|found| found.cloned());
        };
        let size = match std::fs::metadata(&path) {
            Ok(about) => about.len(),
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => return Ok(None),
            Err(error) => return Err(disk(&error)),
        };
        if usize::try_from(size).map_or(true, |size| size > bytes_max) {
            return Err(ObjectError::TooLarge(size));
        }
        std::fs::read(&path).map(Some).map_err(|error| disk(&error))
    }

    async fn put(&self, key: &str, bytes: Vec<u8>) -> Result<(), ObjectError> {
        let Some(path) = self.path(key)? else {
            self.lock().files.insert(key.to_owned(), bytes);
            return Ok(());
        };
        // Under another name first: what is there under its own is whole.
        let beside = path.with_extension("part");
        let write = || {
            path.parent().map_or(Ok(()), std::fs::create_dir_all)?;
            std::fs::write(&beside, &bytes)?;
            std::fs::rename(&beside, &path)
        };
        write().map_err(|error| disk(&error))
    }

    async fn discard(&self, key: &str) -> Result<(), ObjectError> {
        let Some(path) = self.path(key)? else {
            self.lock().files.remove(key);
            return Ok(());
        };
        match std::fs::remove_file(path) {
            Err(error) if error.kind() != std::io::ErrorKind::NotFound => Err(disk(&error)),
            Ok(()) | Err(_) => Ok(()),
        }
    }
}

fn fits(found: Option<&Vec<u8>>, bytes_max: usize) -> Result<Option<&Vec<u8>>, ObjectError> {
    match found {
        Some(bytes) if bytes.len() > bytes_max => Err(ObjectError::TooLarge(bytes.len() as u64)),
        found => Ok(found),
    }
}

/// As S3 would want them: what is pinned is a header that is signed.
fn headers(permit: &Permit) -> BTreeMap<String, String> {
    let media = ("content-type".to_owned(), OBJECT_MEDIA.to_owned());
    let length = permit.bytes.map(|bytes| ("content-length".to_owned(), bytes.to_string()));
    let hash = permit.sha256.as_ref().and_then(|hex| HEXLOWER_PERMISSIVE.decode(hex.as_bytes()).ok());
    let hash = hash.map(|hash| ("x-amz-checksum-sha256".to_owned(), BASE64.encode(&hash)));
    [Some(media), length, hash].into_iter().flatten().collect()
}

/// Where files are put: `PUT /uploads/{token}`. Who has no token that is good now learns nothing else.
pub fn door(objects: Arc<MemoryObjects>) -> Router {
    Router::new().route("/uploads/{token}", put(take)).with_state(objects)
}

async fn take(
    State(objects): State<Arc<MemoryObjects>>,
    Path(token): Path<String>,
    said: HeaderMap,
    body: Body,
) -> Result<StatusCode, (StatusCode, String)> {
    let refuse = |status: StatusCode, why: &str| (status, format!("{why}\n"));
    let Some(permit) = objects.permit(&token) else {
        return Err(refuse(StatusCode::FORBIDDEN, "This address is not, or no longer, taken."));
    };
    for (name, value) in headers(&permit) {
        if said.get(&name).and_then(|said| said.to_str().ok()) != Some(value.as_str()) {
            return Err(refuse(StatusCode::FORBIDDEN, &format!("The header {name} must be {value}.")));
        }
    }
    let most = usize::try_from(permit.bytes.unwrap_or(permit.bytes_max).min(permit.bytes_max)).unwrap_or(usize::MAX);
    let bytes = to_bytes(body, most)
        .await
        .map_err(|_| refuse(StatusCode::PAYLOAD_TOO_LARGE, &format!("The file has more than {most} bytes, or broke off.")))?;
    let digest: [u8; 32] = Sha256::digest(&bytes).into();
    let announced = permit.sha256.as_ref().map(|hex| HEXLOWER_PERMISSIVE.decode(hex.as_bytes()));
    if announced.is_some_and(|hash| hash.ok().as_deref() != Some(digest.as_slice())) {
        return Err(refuse(StatusCode::BAD_REQUEST, "The SHA-256 of the file is not the one that was announced."));
    }
    let kept = objects.put(&permit.key, bytes.to_vec()).await;
    kept.map(|()| StatusCode::OK).map_err(|error| refuse(StatusCode::SERVICE_UNAVAILABLE, &error.to_string()))
}
