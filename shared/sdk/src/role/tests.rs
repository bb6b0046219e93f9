use super::*;
use aws_sdk_sts::error::DisplayErrorContext;
use tokio::io::{AsyncReadExt, AsyncWriteExt};

fn role() -> Role {
    Role {
        arn: "arn:aws:iam::111122223333:role/CloudOptim-eu-west-1".to_owned(),
        external_id: Some("a-secret-of-two".to_owned()),
        session_name: "cloudoptim-acme-c-1".to_owned(),
        policy: "{}".to_owned(),
        region: "eu-west-1".to_owned(),
    }
}

const GIVEN: &str = "<AssumeRoleResponse xmlns=\"https://sts.amazonaws.com/doc/2011-06-15/\"><AssumeRoleResult><Credentials>\
    <AccessKeyId>ASIAGIVEN</AccessKeyId><SecretAccessKey>given</SecretAccessKey><SessionToken>token</SessionToken>\
    <Expiration>2026-03-01T12:15:00Z</Expiration></Credentials></AssumeRoleResult></AssumeRoleResponse>";

fn refused(code: &str) -> String {
    let error = format!("<Error><Type>Sender</Type><Code>{code}</Code><Message>no</Message></Error>");
    format!("<ErrorResponse xmlns=\"https://sts.amazonaws.com/doc/2011-06-15/\">{error}<RequestId>r</RequestId></ErrorResponse>")
}

/// An STS that gives one answer, and hands back what it was asked.
async fn sts(status: u16, body: String) -> (SdkConfig, tokio::task::JoinHandle<String>) {
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let endpoint = format!("http://{}", listener.local_addr().unwrap());
    let asked = tokio::spawn(async move {
        let (mut stream, _) = listener.accept().await.unwrap();
        let mut asked = Vec::new();
        while !String::from_utf8_lossy(&asked).contains("Version=2011-06-15") {
            assert!(stream.read_buf(&mut asked).await.unwrap() > 0, "the request broke off");
        }
        let head = format!("HTTP/1.1 {status} X\r\ncontent-type: text/xml\r\ncontent-length: {}\r\nconnection: close\r\n\r\n", body.len());
        stream.write_all((head + &body).as_bytes()).await.unwrap();
        String::from_utf8(asked).unwrap()
    });
    (crate::local_config_as(&endpoint, "us-east-1", "AKIAOURS"), asked)
}

#[tokio::test]
async fn a_role_is_asked_for_as_it_was_said_and_lasts_as_long_as_sts_says() {
    let (base, asked) = sts(200, GIVEN.to_owned()).await;
    let given = role().assumed_now(&base).await.unwrap();
    assert_eq!((given.access_key_id(), given.session_token()), ("ASIAGIVEN", Some("token")));
    assert_eq!(given.expiry(), Some(SystemTime::UNIX_EPOCH + Duration::from_secs(1_772_367_300)));
    let asked = asked.await.unwrap();
    assert!(asked.contains("AKIAOURS") && asked.contains("/eu-west-1/sts/"), "we sign, for the Region of the role");
    for said in [
        "RoleArn=arn%3Aaws%3Aiam%3A%3A111122223333%3Arole%2FCloudOptim-eu-west-1",
        "RoleSessionName=cloudoptim-acme-c-1",
        "ExternalId=a-secret-of-two",
        "Policy=%7B%7D",
        "DurationSeconds=900",
    ] {
        assert!(asked.contains(said), "{said}");
    }
}

#[tokio::test]
async fn a_configuration_acts_as_the_role_where_the_role_works() {
    let (base, _asked) = sts(200, GIVEN.to_owned()).await;
    let there = role().assumed(&base).build();
    assert_eq!(there.region().map(AsRef::as_ref), Some("eu-west-1"));
    let given = there.credentials_provider().unwrap().provide_credentials().await.unwrap();
    assert_eq!(given.access_key_id(), "ASIAGIVEN");
}

#[tokio::test]
async fn a_refusal_says_which_one_it_is() {
    let (base, _asked) = sts(403, refused("AccessDenied")).await;
    let error = role().assumed_now(&base).await.unwrap_err();
    assert!(matches!(error, CredentialsError::ProviderError(_)) && DisplayErrorContext(&error).to_string().contains("AccessDenied"));
    let (base, _asked) = sts(400, refused("MalformedPolicyDocument")).await;
    assert!(matches!(role().assumed_now(&base).await.unwrap_err(), CredentialsError::InvalidConfiguration(_)));
}

#[test]
fn what_asks_names_no_secret() {
    let base = crate::local_config("http://127.0.0.1:1", "us-east-1");
    let said = format!("{:?}", role().assumed(&base).build());
    assert!(said.contains("SdkConfig") && !said.contains("a-secret-of-two"), "{said}");
}
