//! The policies as STS gets them. What is written here is what a leaked session could do.

use super::{LENGTH_MAX, Task};
use domain::ids::{AccountId, ClusterId, CustomerId, InstanceId, Region, VolumeId};
use domain::tenant::AwsScope;
use serde_json::{Value, json};

fn scope(partition: &str) -> AwsScope {
    AwsScope {
        customer: CustomerId::parse("acme").unwrap(),
        account: AccountId::parse("111122223333").unwrap(),
        region: Region::parse("us-east-1").unwrap(),
        role_arn: format!("arn:{partition}:iam::111122223333:role/CloudOptim-us-east-1"),
        external_id: "x".to_owned(),
        cluster: ClusterId::parse("c-1").unwrap(),
        cluster_name: "production".to_owned(),
    }
}

fn tasks() -> [Task; 5] {
    let instance = InstanceId::parse("i-0123456789abcdef0").unwrap();
    [Task::Look, Task::Launch, Task::End(instance), Task::GoOn, Task::Clear(VolumeId::parse("vol-1").unwrap())]
}

fn policy(task: &Task) -> Value {
    serde_json::from_str(&task.policy(&scope("aws"))).unwrap()
}

const LOOKS: &str = r#"{"Effect":"Allow","Action":["ec2:Describe*","autoscaling:Describe*","elasticloadbalancing:Describe*"],"Resource":"*","Condition":{"StringEquals":{"aws:RequestedRegion":"us-east-1"}}}"#;

fn golden(statements: &[Value]) -> Value {
    json!({ "Version": "2012-10-17", "Statement": statements })
}

fn looks() -> Value {
    serde_json::from_str(LOOKS).unwrap()
}

#[test]
fn who_looks_changes_nothing() {
    assert_eq!(policy(&tasks()[0]), golden(&[looks()]));
}

#[test]
fn who_launches_launches_for_one_cluster_and_ends_nothing() {
    let made = json!(["arn:aws:ec2:us-east-1:111122223333:instance/*", "arn:aws:ec2:us-east-1:111122223333:volume/*"]);
    let expected = golden(&[
        looks(),
        json!({ "Effect": "Allow", "Action": "ec2:RunInstances", "NotResource": made,
                "Condition": { "StringEquals": { "aws:RequestedRegion": "us-east-1" } } }),
        json!({ "Effect": "Allow", "Action": "ec2:RunInstances", "Resource": made,
                "Condition": { "StringEquals": { "aws:RequestTag/cloudoptim.io/cluster": "c-1" } } }),
        json!({ "Effect": "Allow", "Action": "ec2:CreateTags", "Resource": "arn:aws:ec2:us-east-1:111122223333:*",
                "Condition": { "StringEquals": { "ec2:CreateAction": "RunInstances" } } }),
        json!({ "Effect": "Allow", "Action": "iam:PassRole", "Resource": "arn:aws:iam::111122223333:role/*",
                "Condition": { "StringLike": { "iam:PassedToService": "ec2.amazonaws.com*" } } }),
    ]);
    assert_eq!(policy(&tasks()[1]), expected);
}

#[test]
fn who_ends_an_instance_ends_that_one() {
    let expected = golden(&[
        looks(),
        json!({ "Effect": "Allow", "Action": "ec2:TerminateInstances",
                "Resource": "arn:aws:ec2:us-east-1:111122223333:instance/i-0123456789abcdef0" }),
        json!({ "Effect": "Allow", "Action": "autoscaling:TerminateInstanceInAutoScalingGroup",
                "Resource": "arn:aws:autoscaling:us-east-1:111122223333:autoScalingGroup:*" }),
    ]);
    assert_eq!(policy(&tasks()[2]), expected);
}

#[test]
fn who_lets_a_group_go_on_does_not_even_look() {
    let expected = golden(&[json!({ "Effect": "Allow", "Action": "autoscaling:CompleteLifecycleAction",
                                    "Resource": "arn:aws:autoscaling:us-east-1:111122223333:autoScalingGroup:*" })]);
    assert_eq!(policy(&tasks()[3]), expected);
}

#[test]
fn who_clears_a_volume_clears_that_one() {
    let this = "arn:aws:ec2:us-east-1:111122223333:volume/vol-1";
    let expected = golden(&[
        looks(),
        json!({ "Effect": "Allow", "Action": "ec2:DeleteVolume", "Resource": this }),
        json!({ "Effect": "Allow", "Action": "ec2:CreateSnapshot", "Resource": [this, "arn:aws:ec2:us-east-1::snapshot/*"] }),
        json!({ "Effect": "Allow", "Action": "ec2:CreateTags", "Resource": "arn:aws:ec2:us-east-1::snapshot/*",
                "Condition": { "StringEquals": { "ec2:CreateAction": "CreateSnapshot" } } }),
    ]);
    assert_eq!(policy(&tasks()[4]), expected);
}

#[test]
fn no_policy_is_longer_than_sts_takes_or_names_another_place() {
    let mut long = scope("aws-us-gov");
    long.cluster = ClusterId::parse("c".repeat(128)).unwrap();
    long.region = Region::parse("us-gov-west-1").unwrap();
    for task in tasks() {
        let text = task.policy(&long);
        assert!(text.len() <= LENGTH_MAX, "{task:?}: {}", text.len());
        assert!(!text.contains("arn:aws:") && !text.contains("us-east-1"), "{task:?}: {text}");
        // Whatever changes something is bound to a resource or to a tag.
        for statement in serde_json::from_str::<Value>(&text).unwrap()["Statement"].as_array().unwrap() {
            let action = statement["Action"].to_string();
            let bound = statement.get("Condition").is_some() || statement["Resource"] != "*";
            assert!(bound && (action.contains("Describe") || !action.contains('*')), "{task:?}: {statement}");
        }
    }
}
