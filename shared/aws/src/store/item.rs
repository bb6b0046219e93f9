//! Items: maps of attributes, most of them one JSON text beside what is indexed.

use super::keys::{EXPIRES_AT, GSI1PK, GSI1SK, Key, PK, SK};
use super::schema::incomplete;
use aws_sdk_dynamodb::primitives::Blob;
use aws_sdk_dynamodb::types::{AttributeValue, Put, TransactWriteItem};
use domain::Timestamp;
use domain::ports::StoreError;
use flate2::read::ZlibDecoder;
use flate2::write::ZlibEncoder;
use flate2::{Compress, Compression, Decompress};
use serde::Serialize;
use serde::de::DeserializeOwned;
use std::collections::HashMap;
use std::io::{Read, Write};

/// An item as the SDK has it.
pub(super) type Item = HashMap<String, AttributeValue>;

/// The JSON text of what the item is.
pub(super) const BODY: &str = "body";
/// The same text as a zlib stream (RFC 1950), as items were packed at first.
const PACKED: &str = "packed";
/// The same text as a deflate stream (RFC 1951) that goes on behind words which most such rows say: a row need only name the place. Words are
/// never changed, or what was packed with them could not be read: other words are another file, and another attribute.
pub(super) struct Words {
    attribute: &'static str,
    text: &'static [u8],
}

/// What rows of all kinds say.
pub(super) const ROWS: Words = Words { attribute: "primed_1", text: include_bytes!("item/words-1.txt") };
/// What runs say.
pub(super) const RUNS: Words = Words { attribute: "primed_runs_1", text: include_bytes!("item/words-runs-1.txt") };

/// More does not come out of a packed body: a hundred times what an item can hold (400 kB) is a mistake, or worse.
const PLAIN_MAX: u64 = 40_000_000;

/// A text attribute.
pub(super) fn s(value: impl Into<String>) -> AttributeValue {
    AttributeValue::S(value.into())
}

/// A number attribute.
pub(super) fn n(value: impl ToString) -> AttributeValue {
    AttributeValue::N(value.to_string())
}

/// A primary key as attributes.
pub(super) fn key_attributes(key: Key) -> Item {
    HashMap::from([(PK.to_owned(), s(key.pk)), (SK.to_owned(), s(key.sk))])
}

/// An item with this body. `kind` is for people who look at the table.
///
/// # Errors
/// [`StoreError::Refused`]: the value has no JSON form.
pub(super) fn item<T: Serialize>(key: Key, kind: &str, body: &T) -> Result<Item, StoreError> {
    let mut item = key_attributes(key);
    item.insert("kind".to_owned(), s(kind));
    item.insert(BODY.to_owned(), s(to_json(body)?));
    Ok(item)
}

/// An item whose body is packed, where that makes it smaller: a row is paid for by its kilobytes, and what is written each round says
/// the same words of every node.
///
/// # Errors
/// [`StoreError::Refused`]: the value has no JSON form.
pub(super) fn packed<T: Serialize>(key: Key, kind: &str, body: &T, words: &Words) -> Result<Item, StoreError> {
    let plain = to_json(body)?;
    let refused = |error: &dyn std::fmt::Display| StoreError::Refused(format!("cannot be packed: {error}"));
    let mut primed = Compress::new(Compression::default(), false);
    primed.set_dictionary(words.text).map_err(|error| refused(&error))?;
    let mut packer = ZlibEncoder::new_with_compress(Vec::with_capacity(plain.len() / 4), primed);
    let written = packer.write_all(plain.as_bytes()).and_then(|()| packer.finish());
    let packed = written.map_err(|error| refused(&error))?;
    let mut item = key_attributes(key);
    item.insert("kind".to_owned(), s(kind));
    if packed.len() < plain.len() {
        item.insert(words.attribute.to_owned(), AttributeValue::B(Blob::new(packed)));
    } else {
        item.insert(BODY.to_owned(), s(plain));
    }
    Ok(item)
}

/// Puts the item into the index.
pub(super) fn index(item: &mut Item, partition: String, place: String) {
    item.insert(GSI1PK.to_owned(), s(partition));
    item.insert(GSI1SK.to_owned(), s(place));
}

/// Lets the table remove the item some time after this instant. Nothing may rest on when.
pub(super) fn expire(item: &mut Item, at: Timestamp) {
    item.insert(EXPIRES_AT.to_owned(), n(at.as_second()));
}

/// Writes the item where its key is free.
///
/// # Errors
/// [`StoreError::Refused`]: the SDK found it incomplete.
pub(super) fn put_if_free(table: &str, item: Item) -> Result<TransactWriteItem, StoreError> {
    let put = Put::builder().table_name(table).set_item(Some(item)).condition_expression("attribute_not_exists(pk)");
    Ok(TransactWriteItem::builder().put(put.build().map_err(incomplete)?).build())
}

/// Writes the item, whatever is there.
///
/// # Errors
/// [`StoreError::Refused`]: the SDK found it incomplete.
pub(super) fn put(table: &str, item: Item) -> Result<TransactWriteItem, StoreError> {
    let put = Put::builder().table_name(table).set_item(Some(item)).build().map_err(incomplete)?;
    Ok(TransactWriteItem::builder().put(put).build())
}

/// Days later, as far as time goes.
pub(super) fn days_after(at: Timestamp, days: i64) -> Timestamp {
    at.saturating_add(domain::SignedDuration::from_hours(days.saturating_mul(24))).unwrap_or(at)
}

/// A JSON text.
pub(super) fn to_json<T: Serialize>(value: &T) -> Result<String, StoreError> {
    serde_json::to_string(value).map_err(|e| StoreError::Refused(format!("cannot be written as JSON: {e}")))
}

/// The body of an item, packed or not.
///
/// # Errors
/// [`StoreError::Corrupt`] names the item, never its content.
pub(super) fn body<T: DeserializeOwned>(item: &Item) -> Result<T, StoreError> {
    let blob = |name: &str| item.get(name).and_then(|value| value.as_b().ok()).map(Blob::as_ref);
    let primed = [ROWS, RUNS].into_iter().find_map(|words| Some((words.attribute, unprimed(blob(words.attribute)?, &words))));
    let Some((name, unpacked)) = primed.or_else(|| Some((PACKED, unpacked(ZlibDecoder::new(blob(PACKED)?))))) else {
        return json(item, BODY);
    };
    let plain = unpacked.map_err(|e| corrupt(item, &format!("{name}: {e}")))?;
    serde_json::from_slice(&plain).map_err(|e| corrupt(item, &format!("{name}: {e}")))
}

fn unprimed(packed: &[u8], words: &Words) -> std::io::Result<Vec<u8>> {
    let mut primed = Decompress::new(false);
    primed.set_dictionary(words.text).map_err(std::io::Error::other)?;
    unpacked(ZlibDecoder::new_with_decompress(packed, primed))
}

fn unpacked(packed: impl Read) -> std::io::Result<Vec<u8>> {
    let mut plain = Vec::new();
    packed.take(PLAIN_MAX).read_to_end(&mut plain)?;
    Ok(plain)
}

/// A JSON attribute.
pub(super) fn json<T: DeserializeOwned>(item: &Item, name: &str) -> Result<T, StoreError> {
    serde_json::from_str(text(item, name)?).map_err(|e| corrupt(item, &format!("{name}: {e}")))
}

/// A text attribute.
pub(super) fn text<'a>(item: &'a Item, name: &str) -> Result<&'a str, StoreError> {
    match item.get(name).map(AttributeValue::as_s) {
        Some(Ok(text)) => Ok(text),
        Some(Err(_)) | None => Err(corrupt(item, &format!("{name} is no text"))),
    }
}

/// A number attribute.
pub(super) fn number<T: std::str::FromStr>(item: &Item, name: &str) -> Result<T, StoreError> {
    let text = match item.get(name).map(AttributeValue::as_n) {
        Some(Ok(text)) => text,
        Some(Err(_)) | None => return Err(corrupt(item, &format!("{name} is no number"))),
    };
    text.parse().map_err(|_| corrupt(item, &format!("{name} is out of range")))
}

/// Says which item cannot be read, and why.
pub(super) fn corrupt(item: &Item, why: &str) -> StoreError {
    let part = |name: &str| item.get(name).and_then(|v| v.as_s().ok()).map_or("?", String::as_str).to_owned();
    StoreError::Corrupt(format!("{} / {}: {why}", part(PK), part(SK)))
}

#[cfg(test)]
mod tests;
