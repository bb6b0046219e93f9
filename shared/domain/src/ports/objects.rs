//! Files that are too large for a table, and places where whoever was given the address may put one.

use async_trait::async_trait;
use jiff::SignedDuration;
use std::collections::BTreeMap;

/// Why a file was not read or written.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum ObjectError {
    /// It is larger than what may be read: so many bytes, or more. No more than may be read was read.
    #[error("it has {0} bytes or more")]
    TooLarge(u64),
    /// The store did not answer. It may or may not have happened; every call may be repeated.
    #[error("the store of files did not answer: {0}")]
    Unreachable(String),
    /// It did not happen, and a retry will not help: rights, a missing bucket, a key that can be none.
    #[error("the store of files refused: {0}")]
    Refused(String),
}

/// What may be put where.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Permit {
    /// The key: letters, digits, `-` and `/`.
    pub key: String,
    /// The size of the file, where it was announced.
    pub bytes: Option<u64>,
    /// Hex SHA-256 of the file, where it was announced.
    pub sha256: Option<String>,
    /// The largest file that whoever reads it will take.
    pub bytes_max: u64,
    /// How long.
    pub lasts: SignedDuration,
}

/// An address for one file. Whoever has it may put the file there: it is a secret as long as it lasts.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Place {
    /// Where.
    pub url: String,
    /// Headers that the PUT must have, to the letter.
    pub headers: BTreeMap<String, String>,
}

/// The media type of what is put at a [`Place`].
pub const OBJECT_MEDIA: &str = "application/octet-stream";

/// Files by key.
///
/// # Guarantees
/// Every call may be repeated. What was put is read whole or not at all. A [`Place`] takes a PUT to its one key, and nothing else; it takes
/// none when its time is over, and none with other headers than it names. Where the size was announced it takes no other. Where the hash
/// was, it takes no other file, if the store checks that.
///
/// # Assumptions
/// None on what is put at a place: where the size was not announced it may be larger than `bytes_max`, and whatever was put may be put anew
/// until the time is over. Whoever reads checks what was read.
#[async_trait]
pub trait Objects: Send + Sync {
    /// The origin of all places, as browsers know it: `https://host`.
    fn origin(&self) -> String;
    /// An address. Nothing is sent when one is made.
    async fn place(&self, permit: &Permit) -> Result<Place, ObjectError>;
    /// A file, of which no more than so many bytes are read. `None`: there is none.
    async fn read(&self, key: &str, bytes_max: usize) -> Result<Option<Vec<u8>>, ObjectError>;
    /// Keeps a file, in the place of what was there.
    async fn put(&self, key: &str, bytes: Vec<u8>) -> Result<(), ObjectError>;
    /// Discards a file. That there is none is no error.
    async fn discard(&self, key: &str) -> Result<(), ObjectError>;
}

/// Whether a key is one: neither empty nor leading anywhere else, whoever makes an address or a path of it.
pub fn is_object_key(key: &str) -> bool {
    let part = |part: &str| !part.is_empty() && part.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'-');
    key.len() <= 200 && key.split('/').all(part)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_key_leads_nowhere_else() {
        assert!(["uploads/0a", "models/ff-0"].iter().all(|key| is_object_key(key)));
        assert!(["", "/", "a/", "/a", "a//b", "a/../b", "a b", "a?b", "a%2f", "ä"].iter().all(|key| !is_object_key(key)));
    }
}
