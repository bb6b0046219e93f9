use super::*;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpListener;
use tokio::task::JoinHandle;

const DATED: &str = "last-modified: Tue, 15 Nov 1994 08:12:31 GMT\r\n";

/// A server that answers one request with this head and body, and hands back what was asked.
async fn serve(status: &str, headers: &str, body: &str) -> (AdvisorSite, JoinHandle<String>) {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let site = AdvisorSite::at(&format!("http://{}", listener.local_addr().unwrap()), Gate::this_machine()).unwrap();
    let answer = format!("HTTP/1.1 {status}\r\n{headers}content-length: {}\r\nconnection: close\r\n\r\n{body}", body.len());
    let asked = tokio::spawn(async move {
        let (mut stream, _) = listener.accept().await.unwrap();
        let mut bytes = Vec::new();
        while !bytes.ends_with(b"\r\n\r\n") {
            assert!(stream.read_buf(&mut bytes).await.unwrap() > 0, "the request broke off");
        }
        stream.write_all(answer.as_bytes()).await.unwrap();
        stream.shutdown().await.unwrap();
        String::from_utf8(bytes).unwrap().to_ascii_lowercase()
    });
    (site, asked)
}

#[tokio::test]
async fn a_file_comes_with_its_version_and_its_date() {
    let (site, asked) = serve("200 OK", &format!("etag: \"0a1b\"\r\n{DATED}"), "{}").await;
    let file = site.fetch(None, 100).await.unwrap().unwrap();
    let expected = AdvisorFile { bytes: b"{}".to_vec(), version: "\"0a1b\"".to_owned(), as_of: "1994-11-15T08:12:31Z".parse().unwrap() };
    assert_eq!(file, expected);
    let asked = asked.await.unwrap();
    assert!(asked.starts_with("get /spot-advisor-data.json http/1.1\r\n") && !asked.contains("\r\nif-"), "{asked}");
}

#[tokio::test]
async fn a_known_version_is_named_and_not_fetched_again() {
    for (known, header) in [("\"0a1b\"", "if-none-match: \"0a1b\""), ("Tue, 15 Nov 1994 08:12:31 GMT", "if-modified-since: tue, 15 nov")] {
        let (site, asked) = serve("304 Not Modified", "", "").await;
        assert_eq!(site.fetch(Some(known), 100).await.unwrap(), None);
        assert!(asked.await.unwrap().contains(header), "{known}");
    }
    let (site, asked) = serve("200 OK", DATED, "{}").await;
    let file = site.fetch(Some("a\r\nb: c"), 100).await.unwrap().unwrap();
    assert_eq!(file.version, "Tue, 15 Nov 1994 08:12:31 GMT", "without an ETag, its date");
    assert!(!asked.await.unwrap().contains("b: c"));
}

#[tokio::test]
async fn no_more_is_read_than_is_allowed() {
    let (site, _) = serve("200 OK", DATED, &" ".repeat(101)).await;
    assert!(matches!(site.fetch(None, 100).await, Err(SourceError::TooLong(100))));
}

#[tokio::test]
async fn an_answer_that_is_no_file_says_whether_somebody_should_look() {
    for (status, headers, passes) in [
        ("404 Not Found", DATED, false),
        ("403 Forbidden", DATED, false),
        ("301 Moved", "location: https://example.com/\r\n", false),
        ("200 OK", "", false),
        ("200 OK", "last-modified: yesterday\r\n", false),
        ("304 Not Modified", "", false),
        ("503 Slow Down", "", true),
        ("500 Oh", "", true),
    ] {
        let (site, _) = serve(status, headers, "").await;
        let error = site.fetch(None, 100).await.unwrap_err();
        assert_eq!(!matches!(error, SourceError::Refused(_)), passes, "{status}: {error}");
    }
    let gone = TcpListener::bind("127.0.0.1:0").await.unwrap().local_addr().unwrap();
    let site = AdvisorSite::at(&format!("http://{gone}"), Gate::this_machine()).unwrap();
    assert!(matches!(site.fetch(None, 100).await, Err(SourceError::Unreachable(_))));
}

#[test]
fn the_address_is_one() {
    assert!(AdvisorSite::aws().is_ok_and(|site| site.server.tls()));
}
