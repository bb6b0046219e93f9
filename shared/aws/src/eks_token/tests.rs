use super::presign::token;
use super::*;
use data_encoding::BASE64URL_NOPAD;
use secrecy::ExposeSecret;
use std::time::SystemTime;

fn credentials() -> Credentials {
    Credentials::new("AKIDEXAMPLE", "wJalrXUtnFEMI/K7MDENG+bPxRfiCYEXAMPLEKEY", Some("a/session+token=".to_owned()), None, "test")
}

fn noon() -> SystemTime {
    "2026-01-05T12:00:00Z".parse::<Timestamp>().unwrap().into()
}

fn url(token: &SecretString) -> String {
    let text = token.expose_secret().strip_prefix("k8s-aws-v1.").unwrap();
    String::from_utf8(BASE64URL_NOPAD.decode(text.as_bytes()).unwrap()).unwrap()
}

/// The form that aws-iam-authenticator documents; the signature was reckoned apart, from the description of Signature Version 4.
#[test]
fn a_token_is_a_presigned_question_to_the_sts_of_the_region() {
    let url = url(&token(&credentials(), "eu-central-1", "payments", noon()).unwrap());
    let (place, query) = url.split_once('?').unwrap();
    assert_eq!(place, "https://sts.eu-central-1.amazonaws.com/");
    let mut parts: Vec<&str> = query.split('&').collect();
    parts.sort_unstable();
    assert_eq!(
        parts,
        [
            "Action=GetCallerIdentity",
            "Version=2011-06-15",
            "X-Amz-Algorithm=AWS4-HMAC-SHA256",
            "X-Amz-Credential=AKIDEXAMPLE%2F20260105%2Feu-central-1%2Fsts%2Faws4_request",
            "X-Amz-Date=20260105T120000Z",
            "X-Amz-Expires=60",
            "X-Amz-Security-Token=a%2Fsession%2Btoken%3D",
            "X-Amz-Signature=b0d8a4ae957498101678655bb8bccaa5fe628bfe477cd46dcefef4a0ad74e80b",
            "X-Amz-SignedHeaders=host%3Bx-k8s-aws-id",
        ]
    );
}

/// aws-iam-authenticator refuses longer ones (`maxTokenLenBytes`).
#[test]
fn a_token_is_short_enough_for_the_longest_names() {
    let session = Credentials::new("ASIAEXAMPLEEXAMPLE00", "s".repeat(40), Some("t".repeat(1_500)), None, "test");
    let token = token(&session, "ap-southeast-7", &"c".repeat(100), noon()).unwrap();
    assert!(token.expose_secret().len() <= 4_096, "{}", token.expose_secret().len());
}

#[test]
fn a_token_for_one_cluster_is_none_for_another() {
    let made = |name: &str| url(&token(&credentials(), "us-east-1", name, noon()).unwrap());
    assert_ne!(made("payments"), made("orders"));
    assert!(made("payments").starts_with("https://sts.us-east-1.amazonaws.com/?"));
    assert!(!made("payments").contains("payments"), "the name is signed, not sent");
}

#[test]
fn a_token_is_renewed_before_it_or_its_session_ends() {
    let now: Timestamp = "2026-01-05T12:00:00Z".parse().unwrap();
    assert_eq!(renew_at(&credentials(), now), now + SignedDuration::from_mins(10));
    let short = Credentials::new("A", "s", None, Some((now + SignedDuration::from_mins(8)).into()), "test");
    assert_eq!(renew_at(&short, now), now + SignedDuration::from_mins(3));
}

#[test]
fn the_role_that_looks_stands_beside_the_one_that_acts() {
    let registered = "arn:aws:iam::111122223333:role/CloudOptim-us-east-1";
    assert_eq!(EksRole::Act.arn(registered), registered);
    assert_eq!(EksRole::Look.arn(registered), "arn:aws:iam::111122223333:role/CloudOptim-us-east-1-look");
}
