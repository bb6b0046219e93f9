use super::{refusal, seconds};
use crate::call::Answer;
use domain::ports::ClusterError;
use http::{HeaderValue, StatusCode};
use jiff::SignedDuration;

fn answer(status: u16, body: &str) -> Answer {
    Answer { status: StatusCode::from_u16(status).unwrap(), retry_after: None, body: body.as_bytes().to_vec() }
}

#[test]
fn each_status_means_one_thing_to_the_caller() {
    let body = r#"{"kind":"Status","message":"why","reason":"x"}"#;
    assert!(matches!(refusal(&answer(401, body)), ClusterError::Unauthorized));
    assert!(matches!(refusal(&answer(403, body)), ClusterError::Forbidden(text) if text == "why"));
    assert!(matches!(refusal(&answer(404, body)), ClusterError::Gone));
    assert!(matches!(refusal(&answer(409, body)), ClusterError::Conflict));
    assert!(matches!(refusal(&answer(422, body)), ClusterError::Refused(text) if text == "why"));
    assert!(matches!(refusal(&answer(429, body)), ClusterError::Overloaded(None)));
    for status in [500, 502, 503, 504] {
        assert!(matches!(refusal(&answer(status, body)), ClusterError::Unreachable(text) if text == "why"));
    }
}

#[test]
fn a_redirect_is_a_refusal() {
    assert!(matches!(refusal(&answer(302, "")), ClusterError::Refused(_)));
}

#[test]
fn a_body_that_is_no_status_leaves_the_number() {
    for body in ["", "<html>", "null", "[]", r#"{"message":7}"#, r#"{"details":null}"#] {
        assert!(matches!(refusal(&answer(503, body)), ClusterError::Unreachable(text) if text == "HTTP 503"), "{body}");
    }
}

#[test]
fn a_long_message_is_cut() {
    let body = format!(r#"{{"message":"{}"}}"#, "é".repeat(10_000));
    assert!(matches!(refusal(&answer(403, &body)), ClusterError::Forbidden(text) if text.chars().count() == 500));
}

#[test]
fn the_wait_is_read_from_the_header_else_from_the_body() {
    let body = r#"{"details":{"retryAfterSeconds":7}}"#;
    assert!(matches!(refusal(&answer(429, body)), ClusterError::Overloaded(Some(wait)) if wait == SignedDuration::from_secs(7)));
    let headed = Answer { retry_after: Some(SignedDuration::from_secs(1)), ..answer(429, body) };
    assert!(matches!(refusal(&headed), ClusterError::Overloaded(Some(wait)) if wait == SignedDuration::from_secs(1)));
}

#[test]
fn a_garbage_retry_after_is_none() {
    assert_eq!(seconds(&HeaderValue::from_static(" 12 ")), Some(SignedDuration::from_secs(12)));
    for text in ["", "soon", "-1", "1.5", "99999999", "99999999999999999999", "Wed, 21 Oct 2026 07:28:00 GMT"] {
        assert_eq!(seconds(&HeaderValue::from_static(text)), None, "{text}");
    }
    assert_eq!(seconds(&HeaderValue::from_bytes(&[0xff]).unwrap()), None);
}
