//! What is signed, against what AWS itself publishes.

use super::request::{Bucket, S3};
use super::*;
use std::time::SystemTime;

/// The credentials and the time of the examples in the Amazon S3 API Reference, "Authenticating Requests".
fn example() -> (Credentials, SystemTime) {
    let credentials = Credentials::new("AKIAIOSFODNN7EXAMPLE", "wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY", None, None, "example");
    let at: domain::Timestamp = "2013-05-24T00:00:00Z".parse().unwrap();
    (credentials, at.into())
}

fn signature(url: &str) -> &str {
    url.split_once("X-Amz-Signature=").unwrap().1.split('&').next().unwrap()
}

/// The example's host has no Region in it.
fn examples_bucket() -> Bucket {
    Bucket::at("https://examplebucket.s3.amazonaws.com".to_owned(), "us-east-1")
}

#[test]
fn an_address_has_the_signature_of_the_example_that_s3_publishes() {
    let (credentials, at) = example();
    let day = Duration::from_secs(86_400);
    let url = examples_bucket().presigned(S3::GetObject, "test.txt", &BTreeMap::new(), &credentials, at, day).unwrap();
    assert_eq!(signature(&url), "aeeed9bbccd4d02ee5c0109b86d86835f995330da4c265957d157751f604d404", "{url}");
}

#[test]
fn what_is_pinned_is_signed_and_anything_else_is_another_address() {
    let (credentials, at) = example();
    let bucket = Bucket::new("models-1", "eu-west-1", None);
    let url = |pairs: &[(&str, &str)]| {
        let headers = pairs.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect();
        bucket.presigned(S3::PutObject, "uploads/0a", &headers, &credentials, at, Duration::from_secs(900)).unwrap()
    };
    let pins = [("content-length", "7"), ("content-type", OBJECT_MEDIA), ("x-amz-checksum-sha256", "q80=")];
    let pinned = url(&pins);
    assert!(pinned.starts_with("https://models-1.s3.eu-west-1.amazonaws.com/uploads/0a?"), "{pinned}");
    assert!(pinned.contains("X-Amz-SignedHeaders=content-length%3Bcontent-type%3Bhost%3Bx-amz-checksum-sha256"), "{pinned}");
    assert!(pinned.contains("X-Amz-Expires=900"), "{pinned}");
    let other = url(&[("content-length", "8"), pins[1], pins[2]]);
    assert_ne!(signature(&pinned), signature(&other), "another size is another signature");
    assert_ne!(signature(&pinned), signature(&url(&pins[..2])));
}

#[test]
fn a_bucket_is_a_host_at_aws_and_a_path_at_an_emulator() {
    let origin = |region, endpoint| Bucket::new("b-1", region, endpoint).origin();
    assert_eq!(origin("eu-west-1", None), "https://b-1.s3.eu-west-1.amazonaws.com");
    assert_eq!(origin("cn-north-1", None), "https://b-1.s3.cn-north-1.amazonaws.com.cn");
    assert_eq!(origin("eu-west-1", Some("http://127.0.0.1:5000/")), "http://127.0.0.1:5000");
    let (credentials, at) = example();
    let request = Bucket::new("b-1", "eu-west-1", Some("http://127.0.0.1:5000/")).signed(S3::GetObject, "a", b"", &credentials, at);
    assert_eq!(request.unwrap().uri().to_string(), "http://127.0.0.1:5000/b-1/a");
}

#[test]
fn of_a_refusal_the_code_is_told_and_nothing_else() {
    assert_eq!(code("<Error><Code>AccessDenied</Code><Message>a key</Message></Error>"), "AccessDenied");
    assert_eq!(code("<html>"), "it does not say why");
}
