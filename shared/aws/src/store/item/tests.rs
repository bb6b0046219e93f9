use super::*;
use serde_json::{Value, json};

fn key() -> Key {
    Key { pk: "T#acme#X".to_owned(), sk: "X".to_owned() }
}

#[test]
fn what_is_packed_is_read_as_it_was() {
    let long: Vec<Value> = (0..500).map(|n| json!({ "node": format!("ip-10-0-0-{n}"), "why": "it is as good as it can be" })).collect();
    for body in [json!({}), json!("short"), json!(long), json!({ "status": "connected", "office_hours": { "mode": "observe" } })] {
        for words in [ROWS, RUNS] {
            let row = packed(key(), "x", &body, &words).unwrap();
            assert_eq!(super::body::<Value>(&row).unwrap(), body);
        }
    }
}

#[test]
fn what_was_packed_without_words_is_read_still() {
    let plain = br#"{"a":"an old row, an old row, an old row"}"#;
    let mut packer = ZlibEncoder::new(Vec::new(), Compression::default());
    packer.write_all(plain).unwrap();
    let mut row = key_attributes(key());
    row.insert("packed".to_owned(), AttributeValue::B(Blob::new(packer.finish().unwrap())));
    assert_eq!(body::<Value>(&row).unwrap(), serde_json::from_slice::<Value>(plain).unwrap());
}

#[test]
fn the_words_are_those_that_rows_were_packed_with() {
    use sha2::{Digest, Sha256};
    for (words, hash) in [
        (ROWS, "cf20ac1d508efaa62effc3a4e8ff6ed8c31b1131e65b0d4cadeaed4177c83a23"),
        (RUNS, "265a1e0bcf18be333158a8b168eb53159683afd9bef6ae1bdb448f2a7598316f"),
    ] {
        let found = data_encoding::HEXLOWER.encode(&Sha256::digest(words.text));
        assert_eq!(found, hash, "what was packed with {} cannot be read", words.attribute);
    }
}

#[test]
fn a_torn_row_is_corrupt_and_says_which() {
    let mut row = packed(key(), "x", &json!({ "status": "connected", "office_hours": { "mode": "observe" } }), &ROWS).unwrap();
    let Some(AttributeValue::B(bytes)) = row.remove(ROWS.attribute) else { panic!("it is packed") };
    let half = bytes.as_ref()[..bytes.as_ref().len() / 2].to_vec();
    row.insert(ROWS.attribute.to_owned(), AttributeValue::B(Blob::new(half)));
    assert!(matches!(body::<Value>(&row), Err(StoreError::Corrupt(why)) if why.contains("T#acme#X")));
}
