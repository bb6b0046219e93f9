//! Where clusters are: the adapter over EKS, on a small EKS of our own and on an endpoint beside (moto), where one is named.

use axum::Router;
use axum::extract::{Path, State};
use axum::routing::{get, post};
use domain::ids::{AccountId, ClusterId, CustomerId, Region};
use domain::ports::{Directory, DirectoryError};
use domain::tenant::AwsScope;
use http::StatusCode;
use std::sync::{Arc, Mutex};
use tokio::io::{AsyncReadExt, AsyncWriteExt};

fn scope() -> AwsScope {
    AwsScope {
        customer: CustomerId::parse("acme").unwrap(),
        account: AccountId::parse("123456789012").unwrap(),
        region: Region::parse("us-east-1").unwrap(),
        role_arn: "arn:aws:iam::123456789012:role/CloudOptim-us-east-1".to_owned(),
        external_id: "the-external-id".to_owned(),
        cluster: ClusterId::parse("c-1").unwrap(),
        cluster_name: "shop".to_owned(),
    }
}

/// What was asked of STS.
type Asked = Arc<Mutex<Vec<String>>>;

async fn assume(State(asked): State<Asked>, body: String) -> (StatusCode, String) {
    asked.lock().unwrap().push(body);
    let answer = "<AssumeRoleResponse xmlns=\"https://sts.amazonaws.com/doc/2011-06-15/\"><AssumeRoleResult><Credentials>\
        <AccessKeyId>ASIAEXAMPLE</AccessKeyId><SecretAccessKey>secret</SecretAccessKey><SessionToken>session</SessionToken>\
        <Expiration>2099-01-01T00:00:00Z</Expiration></Credentials></AssumeRoleResult></AssumeRoleResponse>";
    (StatusCode::OK, answer.to_owned())
}

/// As the EKS API Reference prints it (DescribeCluster), with the fields that are read and some that are not.
async fn describe(Path(name): Path<String>) -> (StatusCode, [(&'static str, &'static str); 1], String) {
    let cluster =
        |rest: &str| format!("{{\"cluster\":{{\"name\":\"{name}\",\"arn\":\"arn:aws:eks:us-east-1:123456789012:cluster/{name}\"{rest}}}}}");
    let (status, kind, body) = match name.as_str() {
        "payments" => {
            let rest = ",\"status\":\"ACTIVE\",\"endpoint\":\"https://0A1B.gr7.us-east-1.eks.amazonaws.com\",\"certificateAuthority\":{\"data\":\"LS0t\"}";
            (StatusCode::OK, "", cluster(rest))
        }
        "being-made" => (StatusCode::OK, "", cluster(",\"status\":\"CREATING\"")),
        "forbidden" => (StatusCode::FORBIDDEN, "AccessDeniedException", "{\"message\":\"no\"}".to_owned()),
        "broken" => (StatusCode::INTERNAL_SERVER_ERROR, "ServerException", "{\"message\":\"later\"}".to_owned()),
        _ => (StatusCode::NOT_FOUND, "ResourceNotFoundException", "{\"message\":\"No cluster found\"}".to_owned()),
    };
    (status, [("x-amzn-errortype", kind)], body)
}

#[tokio::test]
async fn the_adapter_keeps_the_contract_over_the_wire() {
    let asked = Asked::default();
    let router = Router::new().route("/", post(assume)).route("/clusters/{name}", get(describe)).with_state(asked.clone());
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let endpoint = format!("http://{}", listener.local_addr().unwrap());
    let server = tokio::spawn(async move { axum::serve(listener, router).await });
    let directory = aws::EksDirectory::new(&aws::local_config(&endpoint, "us-east-1"));
    let found = directory.whereabouts(&scope(), "payments").await.unwrap();
    assert_eq!(found.endpoint, "https://0A1B.gr7.us-east-1.eks.amazonaws.com");
    assert_eq!(found.authority, "LS0t");
    // In the name of the role that looks, with the external id, and with a session that can do nothing else.
    let body = asked.lock().unwrap()[0].clone();
    for part in ["role%2FCloudOptim-us-east-1-look&", "ExternalId=the-external-id", "eks%3ADescribeCluster", "cluster%2Fpayments"] {
        assert!(body.contains(part), "{part} is not in {body}");
    }
    let error = async |name: &str| directory.whereabouts(&scope(), name).await.unwrap_err();
    assert!(matches!(error("nobody").await, DirectoryError::Unknown(_)));
    assert!(matches!(error("being-made").await, DirectoryError::Unknown(_)));
    assert!(matches!(error("forbidden").await, DirectoryError::Refused(_)));
    assert!(matches!(error("broken").await, DirectoryError::Unreachable(_)));
    let elsewhere = AwsScope { account: AccountId::parse("999999999999").unwrap(), ..scope() };
    assert!(matches!(directory.whereabouts(&elsewhere, "payments").await, Err(DirectoryError::Refused(_))));
    server.abort();
    let nowhere = aws::EksDirectory::new(&aws::local_config("http://127.0.0.1:1", "us-east-1"));
    let silent = nowhere.whereabouts(&scope(), "payments").await.unwrap_err();
    assert!(matches!(silent, DirectoryError::Unreachable(_)), "{silent:?}");
}

#[tokio::test]
async fn the_named_endpoint_says_where_a_cluster_is() {
    #[expect(clippy::disallowed_methods, reason = "the contracts' own switch")]
    let Ok(endpoint) = std::env::var("CONTRACT_AWS_ENDPOINT") else { return };
    let name = format!("payments-{:08x}", fastrand::u32(..));
    make(&endpoint, &name).await;
    let directory = aws::EksDirectory::new(&aws::local_config(&endpoint, "us-east-1"));
    let found = directory.whereabouts(&scope(), &name).await.unwrap();
    assert!(found.endpoint.starts_with("https://") && found.endpoint.contains("eks.amazonaws.com"), "{found:?}");
    assert!(!found.authority.is_empty());
    let absent = directory.whereabouts(&scope(), "nobody-made-this-one").await.unwrap_err();
    assert!(matches!(absent, DirectoryError::Unknown(_)), "{absent:?}");
}

/// Makes a cluster, which the product never does: so it is not the adapter's, and asked by hand.
async fn make(endpoint: &str, name: &str) {
    let host = endpoint.strip_prefix("http://").unwrap().trim_end_matches('/');
    let body = format!(
        "{{\"name\":\"{name}\",\"roleArn\":\"arn:aws:iam::123456789012:role/eks\",\"resourcesVpcConfig\":{{\"subnetIds\":[\"subnet-1\",\"subnet-2\"]}}}}"
    );
    let signer = "AWS4-HMAC-SHA256 Credential=local/20260101/us-east-1/eks/aws4_request, SignedHeaders=host, Signature=0";
    let request = format!(
        "POST /clusters HTTP/1.1\r\nHost: {host}\r\nAuthorization: {signer}\r\nConnection: close\r\n\
        Content-Type: application/json\r\nContent-Length: {}\r\n\r\n{body}",
        body.len()
    );
    let mut stream = tokio::net::TcpStream::connect(host).await.unwrap();
    stream.write_all(request.as_bytes()).await.unwrap();
    let mut answer = String::new();
    stream.read_to_string(&mut answer).await.unwrap();
    assert!(answer.starts_with("HTTP/1.1 200"), "{answer:.500}");
}
