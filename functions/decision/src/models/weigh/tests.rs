//! Files that are small and would become large.

use super::*;
use domain::model::MODEL_UPLOAD_BYTES_MAX;

/// A field with content: its tag, then how long it is.
fn field(tag: u8, content: &[u8]) -> Vec<u8> {
    let mut made = vec![tag << 3 | 2];
    let mut length = content.len();
    while length >= 0x80 {
        made.push(u8::try_from(length & 0x7f).unwrap() | 0x80);
        length >>= 7;
    }
    made.push(u8::try_from(length).unwrap());
    made.extend_from_slice(content);
    made
}

/// A model whose graph is this.
fn graph(content: &[u8]) -> Vec<u8> {
    field(7, content)
}

/// As many of it as fit into the largest file.
fn full(one: &[u8]) -> Vec<u8> {
    one.repeat((MODEL_UPLOAD_BYTES_MAX - 100) / one.len())
}

#[test]
fn what_is_two_bytes_in_a_file_and_a_hundred_in_memory_is_refused_before_it_is_read() {
    let node = |content: &[u8]| graph(&field(1, content));
    let bombs = [
        ("empty operations", graph(&full(&field(1, b"")))),
        ("empty tensors", graph(&full(&field(5, b"")))),
        ("empty values", graph(&full(&field(11, b"")))),
        ("names without letters", node(&full(&field(1, b"")))),
        ("empty attributes", node(&full(&field(5, b"")))),
        ("words without letters", node(&field(5, &full(&field(9, b""))))),
        ("functions without operations", full(&[0xca, 0x01, 0x00])),
    ];
    for (name, onnx) in &bombs {
        assert!(onnx.len() <= MODEL_UPLOAD_BYTES_MAX);
        assert_eq!(weigh(onnx), Err(Fault::Unpacks), "{name}");
    }
}

#[test]
fn what_weighs_little_passes_and_what_is_cut_off_is_no_model() {
    let tree = include_bytes!("../../../testdata/tree.onnx");
    assert_eq!(weigh(tree), Ok(()));
    // A file of one tensor becomes what it is.
    assert_eq!(weigh(&graph(&field(5, &field(9, &vec![0; MODEL_UPLOAD_BYTES_MAX - 100])))), Ok(()));
    for broken in [&[0x3a_u8][..], &[0x3a, 0x05, 0x00], &[0x0b], &[0xff; 11], &tree[..tree.len() - 1]] {
        assert!(matches!(weigh(broken), Err(Fault::NotOnnx(_))), "{broken:?}");
    }
}
