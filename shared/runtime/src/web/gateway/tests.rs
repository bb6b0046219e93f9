use super::*;
use axum::http::{StatusCode, header};

/// An event with what the gateway sends beside what is read.
fn event() -> Value {
    json!({
        "version": "2.0", "routeKey": "$default", "rawPath": "/api/v1/admin/clusters", "rawQueryString": "limit=2&after=a%2Fb",
        "cookies": ["session=one", "theme=dark"],
        "headers": { "content-type": "application/json", "x-api-key": "k", "accept": "text/html,application/json" },
        "queryStringParameters": { "limit": "2" },
        "requestContext": {
            "accountId": "123456789012", "apiId": "a", "domainName": "a.execute-api.us-east-1.amazonaws.com", "stage": "$default",
            "http": { "method": "POST", "path": "/api/v1/admin/clusters", "protocol": "HTTP/1.1", "sourceIp": "203.0.113.7", "userAgent": "t" },
            "requestId": "r", "routeKey": "$default", "time": "01/Mar/2026:12:00:00 +0000", "timeEpoch": 1_772_366_400_000_i64,
        },
        "body": "{\"a\":1}", "isBase64Encoded": false, "stageVariables": null,
    })
}

async fn bytes(request: Request<Body>) -> Vec<u8> {
    to_bytes(request.into_body(), usize::MAX).await.unwrap().to_vec()
}

#[tokio::test]
async fn an_event_is_the_request_that_the_client_sent() {
    let request = request(event()).unwrap();
    assert_eq!((request.method().as_str(), request.uri().to_string()), ("POST", "/api/v1/admin/clusters?limit=2&after=a%2Fb".to_owned()));
    let header = |name: &str| request.headers().get(name).map(|value| value.to_str().unwrap().to_owned());
    assert_eq!(header("x-api-key").as_deref(), Some("k"));
    assert_eq!(header("accept").as_deref(), Some("text/html,application/json"));
    assert_eq!(header("cookie").as_deref(), Some("session=one; theme=dark"));
    assert_eq!(bytes(request).await, b"{\"a\":1}");
}

#[tokio::test]
async fn packed_bodies_are_unpacked_and_no_body_is_an_empty_one() {
    let mut packed = event();
    packed["body"] = json!(BASE64.encode(&[0xff, 0x00, b'a']));
    packed["isBase64Encoded"] = json!(true);
    assert_eq!(bytes(request(packed.clone()).unwrap()).await, [0xff, 0x00, b'a']);
    packed["body"] = json!("not base64!");
    assert!(request(packed.clone()).is_err());
    for none in [json!(null), json!("")] {
        packed["body"] = none;
        assert!(bytes(request(packed.clone()).unwrap()).await.is_empty());
    }
}

#[test]
fn what_a_gateway_has_unpacked_is_packed_again() {
    let mut odd = event();
    odd["rawPath"] = json!("/api/v1/a b/\u{e9}%20\"");
    odd["rawQueryString"] = json!("");
    odd["cookies"] = json!([]);
    odd["headers"] = json!({ "bad name": "x", "bad-value": "a\nb", "good": "yes" });
    let request = request(odd).unwrap();
    assert_eq!(request.uri().to_string(), "/api/v1/a%20b/%C3%A9%20%22");
    assert_eq!(request.headers().len(), 1, "what is no header is left out");
}

#[test]
fn events_of_something_else_are_no_requests() {
    let mut without_method = event();
    without_method["requestContext"]["http"] = json!({});
    for other in [json!(null), json!([]), json!({ "Records": [] }), json!({ "httpMethod": "GET", "path": "/" }), without_method] {
        assert!(request(other.clone()).is_err(), "{other}");
    }
    let mut no_method = event();
    no_method["requestContext"]["http"]["method"] = json!("G T");
    assert!(request(no_method).is_err());
}

#[tokio::test]
async fn an_answer_goes_back_as_text_or_packed_and_cookies_apart() {
    let response = Response::builder()
        .status(StatusCode::CREATED)
        .header(header::SET_COOKIE, "a=1; Secure")
        .header(header::SET_COOKIE, "b=2")
        .header(header::VARY, "accept")
        .header(header::VARY, "cookie")
        .body(Body::from("h\u{e9}"))
        .unwrap();
    let expected = json!({
        "statusCode": 201, "headers": { "vary": "accept, cookie" }, "cookies": ["a=1; Secure", "b=2"], "body": "h\u{e9}", "isBase64Encoded": false,
    });
    assert_eq!(answer(response).await.unwrap(), expected);
    let gzip = answer(Response::new(Body::from(vec![0x1f, 0x8b, 0x08]))).await.unwrap();
    assert_eq!((&gzip["body"], &gzip["isBase64Encoded"]), (&json!("H4sI"), &json!(true)));
}

#[tokio::test]
async fn an_answer_that_lambda_would_not_hand_back_is_an_error() {
    assert!(answer(Response::new(Body::from(vec![b'a'; ANSWER_MAX + 1]))).await.is_err());
}

#[tokio::test]
async fn a_router_answers_events() {
    let router = Router::new().route("/api/v1/admin/clusters", axum::routing::post(|body: String| async move { body }));
    let answered = handle(&router, event()).await.unwrap();
    assert_eq!((&answered["statusCode"], &answered["body"]), (&json!(200), &json!("{\"a\":1}")));
    assert!(matches!(handle(&router, json!({ "Records": [] })).await, Err(NotAnswered::NotARequest(_))));
}
