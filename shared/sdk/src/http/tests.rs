use super::*;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpListener;

fn request(url: &str, body: &'static str) -> HttpRequest {
    let request = Request::post(url).header("x-said", "so").body(SdkBody::from(body)).unwrap();
    HttpRequest::try_from(request).unwrap()
}

/// A server that answers each connection with these bytes, whatever it is asked.
async fn serve(answer: &'static str) -> (String, tokio::task::JoinHandle<String>) {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("http://{}/there", listener.local_addr().unwrap());
    let asked = tokio::spawn(async move {
        let (mut stream, _) = listener.accept().await.unwrap();
        let mut asked = Vec::new();
        while !asked.ends_with(b"whole") {
            assert!(stream.read_buf(&mut asked).await.unwrap() > 0, "the request broke off");
        }
        stream.write_all(answer.as_bytes()).await.unwrap();
        String::from_utf8(asked).unwrap()
    });
    (url, asked)
}

#[tokio::test]
async fn a_request_arrives_whole_and_its_answer_comes_back() {
    let (url, asked) = serve("HTTP/1.1 418 X\r\ncontent-length: 3\r\nx-back: yes\r\n\r\nabc").await;
    let answer = connector().call(request(&url, "whole")).await.unwrap();
    assert_eq!((answer.status().as_u16(), answer.headers().get("x-back")), (418, Some("yes")));
    let body = aws_smithy_types::byte_stream::ByteStream::new(answer.into_body()).collect().await.unwrap().into_bytes();
    assert_eq!(&body[..], b"abc");
    let asked = asked.await.unwrap();
    assert!(asked.starts_with("POST /there HTTP/1.1") && asked.contains("x-said: so"), "{asked}");
}

#[tokio::test]
async fn what_may_be_tried_again_is_told_from_what_may_not() {
    // Nobody listens there.
    let error = connector().call(request("http://127.0.0.1:9/", "")).await.unwrap_err();
    assert!(error.is_io(), "{error:?}");
    // It hangs up before it answers.
    let (url, _asked) = serve("").await;
    let error = connector().call(request(&url, "whole")).await.unwrap_err();
    assert_eq!(error.as_other(), Some(ErrorKind::TransientError), "{error:?}");
    // A fault of ours stays one.
    let stream = SdkBody::from_body_1_x(http_body_util::Empty::<hyper::body::Bytes>::new());
    assert!(stream.bytes().is_none());
    let request = HttpRequest::try_from(Request::get("http://127.0.0.1:9/").body(stream).unwrap()).unwrap();
    assert!(connector().call(request).await.unwrap_err().is_user());
}
