//! The decision server as it must be expected: down, slow, lying. Each is the error that it is, and none takes memory or time.

use super::*;
use domain::ids::Region;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};

const KEY: &str = "a-key-that-must-never-be-seen";

/// What a server does with a connection once the request is there.
#[derive(Clone)]
enum Does {
    Says(Vec<u8>),
    Hangs,
    /// Says this, and then one byte of this now and then, until nobody listens.
    Drips(Vec<u8>),
    /// Says the first, then the second again and again until nobody listens.
    Floods(Vec<u8>, Vec<u8>),
}

struct Liar {
    url: String,
    requests: Arc<AtomicUsize>,
    sent: Arc<AtomicUsize>,
}

async fn liar(does: Does) -> Liar {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("http://{}", listener.local_addr().unwrap());
    let (requests, sent) = (Arc::<AtomicUsize>::default(), Arc::<AtomicUsize>::default());
    let (count, bytes) = (Arc::clone(&requests), Arc::clone(&sent));
    tokio::spawn(async move {
        while let Ok((stream, _)) = listener.accept().await {
            count.fetch_add(1, Ordering::SeqCst);
            tokio::spawn(one(stream, does.clone(), Arc::clone(&bytes)));
        }
    });
    Liar { url, requests, sent }
}

async fn one(mut stream: TcpStream, does: Does, sent: Arc<AtomicUsize>) {
    let mut buffer = vec![0; 65_536];
    let _ = stream.read(&mut buffer).await;
    match does {
        Does::Says(bytes) => {
            let _ = stream.write_all(&bytes).await;
            let _ = stream.shutdown().await;
        }
        Does::Hangs => {
            // Until the client gives up.
            while stream.read(&mut buffer).await.is_ok_and(|read| read > 0) {}
        }
        Does::Drips(bytes) => {
            let _ = stream.write_all(&bytes).await;
            let mut often = tokio::time::interval(std::time::Duration::from_millis(20));
            while stream.write_all(b" ").await.is_ok() {
                often.tick().await;
            }
        }
        Does::Floods(first, again) => {
            let _ = stream.write_all(&first).await;
            while stream.write_all(&again).await.is_ok() {
                sent.fetch_add(again.len(), Ordering::SeqCst);
            }
        }
    }
}

fn response(status: &str, headers: &[(&str, &str)], body: &[u8]) -> Vec<u8> {
    let mut text = format!("HTTP/1.1 {status}\r\nconnection: close\r\ncontent-length: {}\r\n", body.len());
    for (name, value) in headers {
        text.push_str(&format!("{name}: {value}\r\n"));
    }
    [text.as_bytes(), b"\r\n", body].concat()
}

fn json(body: &str) -> Vec<u8> {
    response("200 OK", &[("content-type", "application/json")], body.as_bytes())
}

fn quick() -> Limits {
    Limits { whole_s: 1, ..Limits::default() }
}

fn question() -> PredictRequest {
    PredictRequest { region: Region::parse("us-east-1").unwrap(), pools: Vec::new(), horizon_minutes: 60 }
}

async fn ask(url: &str, limits: Limits) -> Result<Vec<Prediction>, AdvisorError> {
    HttpAdvisor::new(url, &KEY.to_owned().into(), limits, &Gate::this_machine()).unwrap().predict(&question()).await
}

async fn says(bytes: Vec<u8>) -> AdvisorError {
    ask(&liar(Does::Says(bytes)).await.url, Limits::default()).await.unwrap_err()
}

#[tokio::test]
async fn an_answer_is_read_packed_or_not() {
    let good = r#"[{"pool":{"instance_type":"m6i.large","zone":"us-east-1a"},"probability":0.25,"risk":null,"because":["x"]}]"#;
    let packed = response(
        "200 OK",
        &[("content-type", "application/json; charset=utf-8"), ("content-encoding", "gzip")],
        &gzip::pack(good.as_bytes()).unwrap(),
    );
    for bytes in [json(good), packed] {
        let answer = ask(&liar(Does::Says(bytes)).await.url, Limits::default()).await.unwrap();
        assert_eq!(answer[0].probability, Some(0.25));
    }
}

#[tokio::test]
async fn a_server_that_is_down_or_hangs_up_is_down() {
    let gone = TcpListener::bind("127.0.0.1:0").await.unwrap().local_addr().unwrap();
    let error = ask(&format!("http://{gone}"), Limits::default()).await.unwrap_err();
    assert!(matches!(error, AdvisorError::Down(_)), "{error}");
    for bytes in [Vec::new(), b"HTTP/1.1 200 OK\r\ncontent-length: 100\r\ncontent-type: application/json\r\n\r\n[".to_vec()] {
        let error = says(bytes).await;
        assert!(matches!(error, AdvisorError::Down(_)), "{error}");
    }
    let error = says(response("503 Service Unavailable", &[], b"")).await;
    assert_eq!(error, AdvisorError::Down("503 Service Unavailable".to_owned()));
}

#[tokio::test]
async fn a_server_that_hangs_or_drips_is_slow_after_its_time() {
    let headers = b"HTTP/1.1 200 OK\r\ncontent-type: application/json\r\ntransfer-encoding: chunked\r\n\r\n".to_vec();
    let unfinished = b"HTTP/1.1 200 OK\r\ncontent-type: application/json\r\ncontent-length: 1000000\r\n\r\n[".to_vec();
    let cases = [Does::Hangs, Does::Drips(unfinished), Does::Drips([headers, b"FFFFF\r\n".to_vec()].concat())];
    let asked = cases.map(|does| async { ask(&liar(does).await.url, quick()).await.unwrap_err() });
    for error in futures::future::join_all(asked).await {
        assert_eq!(error, AdvisorError::Slow(1));
    }
}

#[tokio::test]
async fn a_hundred_megabytes_are_cut_off_while_they_stream() {
    let announced = b"HTTP/1.1 200 OK\r\ncontent-type: application/json\r\ncontent-length: 100000000\r\n\r\n".to_vec();
    let endless = b"HTTP/1.1 200 OK\r\ncontent-type: application/json\r\ntransfer-encoding: chunked\r\n\r\n".to_vec();
    let chunk = [b"10000\r\n".to_vec(), vec![b' '; 65_536], b"\r\n".to_vec()].concat();
    for does in [Does::Floods(announced, vec![b' '; 65_536]), Does::Floods(endless, chunk)] {
        let liar = liar(does).await;
        assert_eq!(ask(&liar.url, Limits::default()).await.unwrap_err(), AdvisorError::TooLarge(8_000_000));
        // What the system had buffered on both sides, and no more.
        assert!(liar.sent.load(Ordering::SeqCst) < 30_000_000);
    }
}

#[tokio::test]
async fn a_packed_bomb_is_too_large() {
    let bomb = gzip::pack(&vec![b' '; 70_000_000]).unwrap();
    assert!(bomb.len() < 1_000_000);
    let error = says(response("200 OK", &[("content-type", "application/json"), ("content-encoding", "gzip")], &bomb)).await;
    assert_eq!(error, AdvisorError::TooLarge(64_000_000));
}

#[tokio::test]
async fn what_cannot_be_read_is_unreadable() {
    let packed = gzip::pack(b"[]").unwrap();
    let gzip = [("content-type", "application/json"), ("content-encoding", "gzip")];
    let probability = |text: &str| {
        json(&format!(r#"[{{"pool":{{"instance_type":"m6i.large","zone":"us-east-1a"}},"probability":{text},"risk":null,"because":[]}}]"#))
    };
    let cases = [
        response("200 OK", &gzip, &packed[..packed.len() - 3]),
        response("200 OK", &gzip, b"[]"),
        response("200 OK", &[("content-type", "application/json"), ("content-encoding", "br")], b"[]"),
        response("200 OK", &[("content-type", "text/html")], b"[]"),
        response("200 OK", &[], b"[]"),
        response("204 No Content", &[], b""),
        response("302 Found", &[("location", "http://169.254.169.254/")], b""),
        json("[{]"),
        json(""),
        json("[] behind"),
        json(&"[".repeat(100_000)),
        json("{\"a\":1}"),
        response("200 OK", &[("content-type", "application/json")], b"[\xff\xfe]"),
        probability("NaN"),
        probability("1e400"),
        probability("\"high\""),
    ];
    for bytes in cases {
        let shown = String::from_utf8_lossy(&bytes[..bytes.len().min(200)]).into_owned();
        let error = says(bytes).await;
        assert!(matches!(error, AdvisorError::Unreadable(_)), "{shown}: {error}");
    }
}

#[tokio::test]
async fn a_redirect_is_not_followed() {
    let other = liar(Does::Says(json("[]"))).await;
    let error = says(response("307 Temporary Redirect", &[("location", &other.url)], b"")).await;
    assert!(matches!(error, AdvisorError::Unreadable(_)), "{error}");
    assert_eq!(other.requests.load(Ordering::SeqCst), 0);
}

#[tokio::test]
async fn a_refusal_keeps_the_servers_reason_without_its_tricks() {
    let body = format!(r#"{{"detail":"the\u001b[31m snapshot\nis too old {}"}}"#, "x".repeat(100_000));
    let error = says(response("422 Unprocessable Content", &[("content-type", "application/problem+json")], body.as_bytes())).await;
    let AdvisorError::Refused(why) = error else { panic!("{error}") };
    assert!(why.contains("snapshot is too old") && !why.contains('\u{1b}') && why.len() < 400, "{why}");
    assert_eq!(says(response("401 Unauthorized", &[], b"")).await, AdvisorError::Unauthorized);
    assert_eq!(says(response("403 Forbidden", &[], b"")).await, AdvisorError::Unauthorized);
}

#[tokio::test]
async fn an_answer_of_another_version_says_so() {
    let error = HttpAdvisor::new(
        &liar(Does::Says(json(r#"{"version":7}"#))).await.url,
        &KEY.to_owned().into(),
        Limits::default(),
        &Gate::this_machine(),
    )
    .unwrap()
    .ask::<_, DecisionAnswer>("/x", &question())
    .await
    .unwrap_err();
    assert_eq!(error, AdvisorError::Unreadable("it is of version 7, and we speak 1".to_owned()));
}

#[tokio::test]
async fn no_error_and_no_header_shows_the_key() {
    let advisor = HttpAdvisor::new("http://127.0.0.1:9", &KEY.to_owned().into(), Limits::default(), &Gate::this_machine()).unwrap();
    assert!(!format!("{:?}", advisor.0.key).contains(KEY));
    let errors = [
        advisor.predict(&question()).await.unwrap_err(),
        HttpAdvisor::new("http://127.0.0.1:9", &format!("{KEY}\r\nx: y").into(), Limits::default(), &Gate::this_machine()).err().unwrap(),
        HttpAdvisor::new("http://ml.example.com", &KEY.to_owned().into(), Limits::default(), &Gate::this_machine()).err().unwrap(),
    ];
    assert!(errors.iter().all(|error| !format!("{error} {error:?}").contains(KEY)), "{errors:?}");
}
