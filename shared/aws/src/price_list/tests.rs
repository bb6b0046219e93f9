use super::*;
use aws_sdk_pricing::operation::get_products::GetProductsError;

/// A server that gives each connection the next of these answers (status, body), and hands back what was asked.
async fn serve(answers: Vec<(u16, &'static str)>) -> (PriceList, tokio::task::JoinHandle<Vec<String>>) {
    use tokio::io::{AsyncReadExt, AsyncWriteExt};
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let endpoint = format!("http://{}", listener.local_addr().unwrap());
    let asked = tokio::spawn(async move {
        let mut asked = Vec::new();
        for (status, body) in answers {
            let (mut stream, _) = listener.accept().await.unwrap();
            let mut bytes = Vec::new();
            while !String::from_utf8_lossy(&bytes).ends_with('}') {
                assert!(stream.read_buf(&mut bytes).await.unwrap() > 0, "the request broke off");
            }
            asked.push(String::from_utf8(bytes).unwrap());
            let head = format!(
                "HTTP/1.1 {status} X\r\ncontent-type: application/x-amz-json-1.1\r\ncontent-length: {}\r\nconnection: close\r\n\r\n",
                body.len()
            );
            stream.write_all((head + body).as_bytes()).await.unwrap();
        }
        asked
    });
    (PriceList::new(&sdk::local_config(&endpoint, "eu-west-1")), asked)
}

fn region() -> Region {
    Region::parse("eu-central-1").unwrap()
}

#[tokio::test]
async fn every_page_of_a_region_is_read_and_nothing_else_is_asked_for() {
    let (list, asked) =
        serve(vec![(200, r#"{"PriceList":["{\"a\":1}","{}"],"NextToken":"two"}"#), (200, r#"{"PriceList":["{\"b\":2}"]}"#)]).await;
    assert_eq!(list.on_demand(&region()).await.unwrap(), ["{\"a\":1}", "{}", "{\"b\":2}"]);
    let asked = asked.await.unwrap();
    assert!(asked[0].contains("us-east-1/pricing"), "signed for the Region where the list answers, whatever ours is");
    for (field, value) in WANTED.into_iter().chain([("regionCode", "eu-central-1")]) {
        assert!(asked[0].contains(field) && asked[0].contains(value), "{field}");
    }
    assert!(asked[1].contains(r#""NextToken":"two""#));
}

#[tokio::test]
async fn a_refusal_is_told_from_a_fault_that_passes() {
    let (list, _) = serve(vec![(400, r#"{"__type":"AccessDeniedException","Message":"no"}"#)]).await;
    assert!(matches!(list.on_demand(&region()).await, Err(SourceError::Refused(why)) if why.contains("AccessDenied")));
    let (list, _) = serve(vec![(400, r#"{"__type":"InvalidNextTokenException","Message":"old"}"#)]).await;
    assert!(matches!(list.on_demand(&region()).await, Err(SourceError::Unreachable(_))));
}

#[test]
fn silence_may_pass() {
    let silence: SdkError<GetProductsError> = SdkError::timeout_error("nothing came");
    assert!(matches!(source_error(&silence), SourceError::Unreachable(_)));
}
