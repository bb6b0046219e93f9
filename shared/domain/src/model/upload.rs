//! Files of models that are too large for a request: put where the server says, and named when the model is registered.

use super::MODEL_UPLOAD_BYTES_MAX;
use crate::SignedDuration;
use jiff::Timestamp;
use serde::{Deserialize, Serialize};

/// How long an address takes a file. A quarter of an hour: enough for 32 MB at 36 kB a second.
pub const UPLOAD_LASTS: SignedDuration = SignedDuration::from_mins(15);

/// How long after it was asked for an upload may be registered. Objects are removed after a day, so none is gone before.
pub const REGISTER_WITHIN: SignedDuration = SignedDuration::from_mins(60);

/// A place that somebody was given for a file.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Upload {
    /// 32 hex digits that nobody guesses.
    pub id: String,
    /// Who asked for it.
    pub by: String,
    /// When.
    pub at: Timestamp,
    /// The size that was announced, in bytes.
    pub bytes: Option<u32>,
    /// Hex SHA-256 that was announced.
    pub sha256: Option<String>,
    /// The model that was made of it: the same upload may be registered again, and is the same model.
    pub model: Option<String>,
}

/// Why an upload is not taken.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum UploadRefusal {
    /// Nobody was given it, or it was forgotten.
    #[error("there is no such upload: ask for one with POST /api/v1/ml/models/uploads, and register it within {} minutes", REGISTER_WITHIN.as_mins())]
    Unknown,
    /// It was asked for too long ago.
    #[error("the upload was asked for more than {} minutes ago: ask for another, put the file there, and register it", REGISTER_WITHIN.as_mins())]
    Expired,
    /// Nothing was put there.
    #[error(
        "nothing was put at the address of the upload: PUT the file there with the headers that came with the address, then register it"
    )]
    Missing,
    /// What was put there, or announced, is too large.
    #[error(
        "the file has {0} bytes or more, and {MODEL_UPLOAD_BYTES_MAX} at most are taken: make the model smaller, and ask for another upload"
    )]
    TooLarge(u64),
    /// It is another file than was announced.
    #[error(
        "what was put at the address of the upload is not what was announced: {0}. Ask for another upload, and announce the file that you send"
    )]
    Other(String),
}

impl UploadRefusal {
    /// The code in answers. It never changes.
    pub fn code(&self) -> &'static str {
        match self {
            UploadRefusal::Unknown => "upload-unknown",
            UploadRefusal::Expired => "upload-expired",
            UploadRefusal::Missing => "upload-missing",
            UploadRefusal::TooLarge(_) => "upload-too-large",
            UploadRefusal::Other(_) => "upload-not-as-announced",
        }
    }
}

impl Upload {
    /// When its address is no longer taken.
    pub fn expires_at(&self) -> Timestamp {
        self.at.saturating_add(UPLOAD_LASTS).unwrap_or(Timestamp::MAX)
    }

    /// Where the file lies until it is registered.
    pub fn key(&self) -> String {
        format!("uploads/{}", self.id)
    }

    /// That it may be registered now.
    ///
    /// # Errors
    /// [`UploadRefusal::Expired`].
    pub fn open(&self, now: Timestamp) -> Result<(), UploadRefusal> {
        let last = self.at.saturating_add(REGISTER_WITHIN).unwrap_or(Timestamp::MAX);
        if now <= last { Ok(()) } else { Err(UploadRefusal::Expired) }
    }

    /// That what was found is what was announced.
    ///
    /// # Errors
    /// [`UploadRefusal::Other`].
    pub fn holds(&self, bytes: usize, sha256: &str) -> Result<(), UploadRefusal> {
        if let Some(announced) = self.bytes
            && u32::try_from(bytes) != Ok(announced)
        {
            return Err(UploadRefusal::Other(format!("it has {bytes} bytes, and {announced} were announced")));
        }
        match &self.sha256 {
            Some(announced) if announced != sha256 => {
                Err(UploadRefusal::Other(format!("its SHA-256 is {sha256}, and {announced} was announced")))
            }
            Some(_) | None => Ok(()),
        }
    }
}

/// Whether a text can be the id of an upload.
pub fn is_upload_id(text: &str) -> bool {
    text.len() == 32 && text.bytes().all(|b| b.is_ascii_digit() || (b'a'..=b'f').contains(&b))
}

/// Where the file of a model lies that is too large for the table.
pub fn model_key(sha256: &str) -> String {
    format!("models/{sha256}")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn upload() -> Upload {
        let at = "2026-11-23T12:00:00Z".parse().unwrap();
        Upload { id: "0123456789abcdef".repeat(2), by: "ann".to_owned(), at, bytes: None, sha256: None, model: None }
    }

    #[test]
    fn an_upload_may_be_registered_for_an_hour_and_its_address_lasts_a_quarter() {
        let upload = upload();
        assert_eq!(upload.expires_at(), upload.at + SignedDuration::from_mins(15));
        assert_eq!(upload.open(upload.at + SignedDuration::from_mins(60)), Ok(()));
        assert_eq!(upload.open(upload.at + SignedDuration::from_secs(3_601)), Err(UploadRefusal::Expired));
    }

    #[test]
    fn what_was_announced_is_held_and_what_was_not_is_free() {
        assert_eq!(upload().holds(7, "any"), Ok(()));
        let pinned = Upload { bytes: Some(7), sha256: Some("ab".repeat(32)), ..upload() };
        assert_eq!(pinned.holds(7, &"ab".repeat(32)), Ok(()));
        for (bytes, sha256) in [(8, "ab".repeat(32)), (7, "cd".repeat(32))] {
            assert!(matches!(pinned.holds(bytes, &sha256), Err(UploadRefusal::Other(_))), "{bytes}");
        }
    }

    #[test]
    fn an_id_is_32_hex_digits_and_leads_nowhere_else() {
        assert!(is_upload_id(&upload().id) && upload().key() == format!("uploads/{}", upload().id));
        assert!(["", "..", "../models/x", &"A".repeat(32), &"a".repeat(31), &"a".repeat(33)].iter().all(|text| !is_upload_id(text)));
    }
}
