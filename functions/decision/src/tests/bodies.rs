//! Bodies: packed and plain, right and wrong, and what is said of each.

use super::support::{BIN_PACK, PREDICT, ask, post, question, send, server};
use crate::Limits;
use http::StatusCode;
use runtime::gzip::{pack, unpack};
use serde_json::{Value, json};

type Headers = &'static [(&'static str, &'static str)];

/// Headers and body, and what is said of them.
type Case<'a> = (Headers, &'a [u8], StatusCode, &'static str);

const JSON: (&str, &str) = ("content-type", "application/json");

#[tokio::test]
async fn a_question_is_answered_with_its_id_in_every_packing() {
    let server = server(Limits::default(), 10_000);
    let plain = question().to_string().into_bytes();
    let packed = pack(&plain).unwrap();
    let ways: [(Headers, &Vec<u8>); 4] = [
        (&[JSON], &plain),
        (&[("content-type", "application/json; charset=utf-8"), ("content-encoding", "identity")], &plain),
        (&[JSON, ("content-encoding", "gzip")], &packed),
        (&[("content-type", "application/gzip")], &packed),
    ];
    for (headers, body) in ways {
        let answer = send(&server, post(BIN_PACK, headers, body.clone())).await;
        assert_eq!(answer.status, StatusCode::OK, "{headers:?}");
        assert_eq!((answer.header("content-type"), answer.header("content-encoding")), ("application/json", ""));
        assert_eq!((&answer.json()["request_id"], &answer.json()["version"]), (&json!("r-1"), &json!(1)));
        let headers = [headers, &[("accept-encoding", "gzip")]].concat();
        let small = send(&server, post(BIN_PACK, &headers, body.clone())).await;
        assert_eq!(small.header("content-encoding"), "gzip");
        assert_eq!(unpack(&small.body, 1_000_000).unwrap(), answer.body);
    }
}

#[tokio::test]
async fn a_body_that_cannot_be_read_is_refused_with_its_reason() {
    let server = server(Limits::default(), 1);
    let packed = pack(question().to_string().as_bytes()).unwrap();
    let deep = "[".repeat(200_000);
    let cases: [Case<'_>; 14] = [
        (&[], b"{}", StatusCode::UNSUPPORTED_MEDIA_TYPE, "not-json"),
        (&[("content-type", "text/plain")], b"{}", StatusCode::UNSUPPORTED_MEDIA_TYPE, "not-json"),
        (&[JSON, ("content-encoding", "br")], b"{}", StatusCode::UNSUPPORTED_MEDIA_TYPE, "unsupported-encoding"),
        (&[JSON, ("content-encoding", "gzip, gzip")], b"{}", StatusCode::UNSUPPORTED_MEDIA_TYPE, "unsupported-encoding"),
        (&[JSON, ("content-encoding", "gzip")], b"{}", StatusCode::BAD_REQUEST, "malformed-gzip"),
        (&[JSON, ("content-encoding", "gzip")], &packed[..packed.len() - 5], StatusCode::BAD_REQUEST, "malformed-gzip"),
        (&[JSON], b"", StatusCode::BAD_REQUEST, "malformed-json"),
        (&[JSON], b"{", StatusCode::BAD_REQUEST, "malformed-json"),
        (&[JSON], b"{} {}", StatusCode::UNPROCESSABLE_ENTITY, "invalid-body"),
        (&[JSON], b"\xff\xfe{\x00}\x00", StatusCode::BAD_REQUEST, "malformed-json"),
        (&[JSON], b"NaN", StatusCode::BAD_REQUEST, "malformed-json"),
        (&[JSON], b"{\"version\":\"one\"}", StatusCode::UNPROCESSABLE_ENTITY, "invalid-body"),
        (&[JSON], b"{\"version\":1}", StatusCode::UNPROCESSABLE_ENTITY, "invalid-body"),
        (&[JSON], deep.as_bytes(), StatusCode::UNPROCESSABLE_ENTITY, "invalid-body"),
    ];
    for (headers, body, status, code) in cases {
        let answer = send(&server, post(BIN_PACK, headers, body.to_vec())).await;
        let shown = String::from_utf8_lossy(&body[..body.len().min(40)]).into_owned();
        assert_eq!((answer.status, answer.code().as_str()), (status, code), "{headers:?} {shown}");
        assert_eq!(answer.json()["type"], json!(format!("urn:cloudoptim:problem:{code}")));
    }
}

#[tokio::test]
async fn a_body_that_is_too_large_is_refused_packed_or_not() {
    let limits = Limits { wire_bytes_max: 20_000, plain_bytes_max: 1_000_000, answer_bytes_max: 6_000_000 };
    let server = server(limits, 1);
    let bomb = pack(&vec![b' '; 2_000_000]).unwrap();
    assert!(bomb.len() < 20_000);
    for (headers, body) in [(JSON, vec![b' '; 20_001]), (("content-type", "application/gzip"), bomb)] {
        let answer = send(&server, post(BIN_PACK, &[headers], body)).await;
        assert_eq!((answer.status, answer.code().as_str()), (StatusCode::PAYLOAD_TOO_LARGE, "body-too-large"), "{headers:?}");
    }
}

#[tokio::test]
async fn an_answer_that_cannot_travel_says_what_to_narrow() {
    let limits = Limits { answer_bytes_max: 50_000, ..Limits::default() };
    let server = server(limits, 20_000);
    let body = question().to_string().into_bytes();
    let answer = send(&server, post(BIN_PACK, &[JSON], body.clone())).await;
    assert_eq!((answer.status, answer.code().as_str()), (StatusCode::UNPROCESSABLE_ENTITY, "answer-too-large"));
    assert!(answer.json()["detail"].as_str().unwrap().contains("nodes_max"));
    assert_eq!(answer.json()["request_id"], json!("r-1"));
    let packed = send(&server, post(BIN_PACK, &[JSON, ("accept-encoding", "gzip")], body)).await;
    assert_eq!(packed.status, StatusCode::OK);
}

#[tokio::test]
async fn a_request_of_another_version_or_path_is_refused_by_name() {
    let mut other = question();
    other["version"] = json!(2);
    let answer = ask(&other).await;
    assert_eq!((answer.status, answer.code().as_str()), (StatusCode::UNPROCESSABLE_ENTITY, "unsupported-version"));
    assert_eq!(answer.json()["request_id"], json!("r-1"));
    let answer = ask(&json!({ "version": 3, "request_id": "r-9", "cluster": "other fields" })).await;
    assert_eq!((answer.code().as_str(), &answer.json()["request_id"]), ("unsupported-version", &json!("r-9")));
    let mut other = question();
    other["decision_type"] = json!("rightsize");
    let answer = ask(&other).await;
    assert_eq!((answer.status, answer.code().as_str()), (StatusCode::UNPROCESSABLE_ENTITY, "wrong-path"));
    assert!(answer.json()["detail"].as_str().unwrap().contains("/api/v1/ml/decision/rightsize"));
}

#[tokio::test]
async fn a_request_that_contradicts_itself_is_told_everything_at_once() {
    let mut request = question();
    request["request_id"] = json!("r 1");
    request["snapshot"]["cluster"] = json!("c-2");
    request["snapshot"]["pending"] = json!([{ "class": 0, "count": 1 }]);
    let answer = ask(&request).await;
    assert_eq!((answer.status, answer.code().as_str()), (StatusCode::UNPROCESSABLE_ENTITY, "invalid-request"));
    let document = answer.json();
    let objects: Vec<&Value> = document["errors"].as_array().unwrap().iter().map(|error| &error["object"]).collect();
    assert_eq!(objects, [&json!("request_id"), &json!("cluster_id"), &json!("snapshot.pending")]);
}

#[tokio::test]
async fn a_panic_of_the_engine_fails_one_request_and_tells_nothing() {
    let server = server(Limits::default(), 1);
    let mut request = question();
    request["request_id"] = json!("panic");
    let answer = send(&server, post(BIN_PACK, &[JSON], request.to_string().into_bytes())).await;
    assert_eq!((answer.status, answer.code().as_str()), (StatusCode::INTERNAL_SERVER_ERROR, "internal"));
    assert!(!String::from_utf8(answer.body).unwrap().contains("asked to"));
    let answer = send(&server, post(BIN_PACK, &[JSON], question().to_string().into_bytes())).await;
    assert_eq!(answer.status, StatusCode::OK);
}

#[tokio::test]
async fn chances_are_asked_for_a_horizon_and_for_pools() {
    let server = server(Limits::default(), 1);
    let pool = json!({ "instance_type": "m6i.large", "zone": "us-east-1a" });
    let ask = async |horizon: u32, pools: Value| {
        let body = json!({ "region": "us-east-1", "pools": pools, "horizon_minutes": horizon });
        send(&server, post(PREDICT, &[JSON], body.to_string().into_bytes())).await
    };
    let answer = ask(60, json!([pool])).await;
    assert_eq!((answer.status, &answer.json()[0]["pool"]), (StatusCode::OK, &pool));
    for (horizon, pools) in [(0, json!([pool])), (43_201, json!([pool])), (60, json!([]))] {
        assert_eq!(ask(horizon, pools).await.code(), "invalid-request");
    }
    assert_eq!(ask(60, json!([{ "instance_type": "none", "zone": "us-east-1a" }])).await.code(), "invalid-body");
}
