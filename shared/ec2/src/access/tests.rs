use super::*;
use domain::ids::{AccountId, ClusterId, CustomerId, Region as OurRegion};

fn scope(customer: &str, external_id: &str) -> AwsScope {
    AwsScope {
        customer: CustomerId::parse(customer).unwrap(),
        account: AccountId::parse("111122223333").unwrap(),
        region: OurRegion::parse("us-east-1").unwrap(),
        role_arn: "arn:aws:iam::111122223333:role/CloudOptim".to_owned(),
        external_id: external_id.to_owned(),
        cluster: ClusterId::parse("production").unwrap(),
        cluster_name: "production".to_owned(),
    }
}

fn access() -> Access {
    let newest = aws_sdk_ec2::config::BehaviorVersion::latest();
    Access::new(SdkConfig::builder().behavior_version(newest).region(Region::from_static("us-east-1")).build())
}

#[test]
fn a_session_is_named_after_customer_and_cluster_in_the_characters_of_sts() {
    let named = |scope: &AwsScope| session_name(&scope.customer, &scope.cluster);
    assert_eq!(named(&scope("acme", "x")), "cloudoptim-acme-production");
    let long = named(&scope(&"a".repeat(128), "x"));
    assert_eq!(long.len(), 64);
    assert!(long.bytes().all(|b| b.is_ascii_alphanumeric() || b"_+=,.@-".contains(&b)));
}

#[test]
fn a_role_is_read_from_its_arn_and_nothing_else_is_a_role() {
    assert_eq!(role_account("arn:aws:iam::111122223333:role/path/CloudOptim"), Some("111122223333"));
    assert_eq!(role_account("arn:aws-cn:iam::111122223333:role/x"), Some("111122223333"));
    for not in ["", "role/x", "arn:aws:iam::111122223333:user/x", "arn:aws:s3:::bucket", "arn:aws:sts::1:assumed-role/x/y"] {
        assert_eq!(role_account(not), None, "{not}");
    }
}

#[tokio::test]
async fn a_role_of_another_account_is_refused_before_any_call() {
    let mut scope = scope("acme", "x");
    scope.account = AccountId::parse("999900001111").unwrap();
    let answer = access().session(&scope, Task::Look).await;
    assert!(matches!(answer, Err(CloudError::NoAccess(why)) if why.contains("999900001111")));
}

#[tokio::test]
async fn two_customers_with_one_role_never_share_a_session() {
    let access = access();
    for scope in [scope("acme", "x"), scope("globex", "x"), scope("acme", "y"), scope("acme", "x")] {
        access.session(&scope, Task::Look).await.unwrap();
    }
    assert_eq!(access.sessions.lock().await.len(), 3);
    access.session(&scope("acme", "x"), Task::Launch).await.unwrap();
    assert_eq!(access.sessions.lock().await.len(), 4, "another task is another session");
    // Their calls count against one account all the same.
    assert_eq!(access.buckets.lock().await.len(), 1);
}
