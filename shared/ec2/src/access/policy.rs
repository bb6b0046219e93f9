//! What a session may do: no more than its task needs, whatever the customer's role allows.
//!
//! A session may do what both the role and its session policy allow (IAM user guide, session policies): nothing here widens a role.
//! What leaks out of one task cannot do another: who reads prices cannot launch, and who ends one instance cannot end a second.

use domain::ids::{InstanceId, VolumeId};
use domain::plan::precondition::CLUSTER_TAG;
use domain::tenant::AwsScope;
use serde_json::{Value, json};

/// IAM takes 2,048 characters of session policy (STS API Reference, AssumeRole).
#[cfg(test)]
pub(crate) const LENGTH_MAX: usize = 2_048;

/// What a session is opened for.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub(crate) enum Task {
    /// To look at instances, groups, volumes, addresses and prices.
    Look,
    /// To launch instances of one cluster, and to look at what they are copied from.
    Launch,
    /// To end this one instance.
    End(InstanceId),
    /// To tell a group that it may go on.
    GoOn,
    /// To snapshot this one volume and delete it.
    Clear(VolumeId),
}

/// Calls that change nothing and know no resource.
const LOOKS: [&str; 3] = ["ec2:Describe*", "autoscaling:Describe*", "elasticloadbalancing:Describe*"];

impl Task {
    /// The policy of a session of this scope, as JSON.
    pub(crate) fn policy(&self, scope: &AwsScope) -> String {
        let statements = match self {
            Task::Look => vec![looks(scope)],
            Task::Launch => launches(scope),
            Task::End(instance) => {
                let this = arn(scope, "ec2", &format!("instance/{instance}"));
                vec![
                    looks(scope),
                    json!({ "Effect": "Allow", "Action": "ec2:TerminateInstances", "Resource": this }),
                    // Groups are named by an id that nobody has here: the role says which ones.
                    json!({ "Effect": "Allow", "Action": "autoscaling:TerminateInstanceInAutoScalingGroup", "Resource": groups(scope) }),
                ]
            }
            Task::GoOn => vec![json!({ "Effect": "Allow", "Action": "autoscaling:CompleteLifecycleAction", "Resource": groups(scope) })],
            Task::Clear(volume) => {
                let this = arn(scope, "ec2", &format!("volume/{volume}"));
                let snapshots = format!("arn:{}:ec2:{}::snapshot/*", partition(scope), scope.region);
                vec![
                    looks(scope),
                    json!({ "Effect": "Allow", "Action": "ec2:DeleteVolume", "Resource": this }),
                    json!({ "Effect": "Allow", "Action": "ec2:CreateSnapshot", "Resource": [this, snapshots] }),
                    json!({
                        "Effect": "Allow", "Action": "ec2:CreateTags", "Resource": snapshots,
                        "Condition": { "StringEquals": { "ec2:CreateAction": "CreateSnapshot" } },
                    }),
                ]
            }
        };
        json!({ "Version": "2012-10-17", "Statement": statements }).to_string()
    }
}

fn looks(scope: &AwsScope) -> Value {
    json!({
        "Effect": "Allow", "Action": LOOKS, "Resource": "*",
        "Condition": { "StringEquals": { "aws:RequestedRegion": scope.region } },
    })
}

/// Instances and volumes carry the tag of this cluster from their first moment, or are not launched.
fn launches(scope: &AwsScope) -> Vec<Value> {
    let made = [arn(scope, "ec2", "instance/*"), arn(scope, "ec2", "volume/*")];
    let tag = format!("aws:RequestTag/{CLUSTER_TAG}");
    vec![
        looks(scope),
        json!({
            "Effect": "Allow", "Action": "ec2:RunInstances", "NotResource": made,
            "Condition": { "StringEquals": { "aws:RequestedRegion": scope.region } },
        }),
        json!({
            "Effect": "Allow", "Action": "ec2:RunInstances", "Resource": made,
            "Condition": { "StringEquals": { tag: scope.cluster } },
        }),
        json!({
            "Effect": "Allow", "Action": "ec2:CreateTags", "Resource": arn(scope, "ec2", "*"),
            "Condition": { "StringEquals": { "ec2:CreateAction": "RunInstances" } },
        }),
        json!({
            "Effect": "Allow", "Action": "iam:PassRole", "Resource": format!("arn:{}:iam::{}:role/*", partition(scope), scope.account),
            "Condition": { "StringLike": { "iam:PassedToService": "ec2.amazonaws.com*" } },
        }),
    ]
}

fn groups(scope: &AwsScope) -> String {
    arn(scope, "autoscaling", "autoScalingGroup:*")
}

fn arn(scope: &AwsScope, service: &str, resource: &str) -> String {
    format!("arn:{}:{service}:{}:{}:{resource}", partition(scope), scope.region, scope.account)
}

/// `aws`, `aws-cn` or `aws-us-gov`: that of the role.
pub(crate) fn partition(scope: &AwsScope) -> &str {
    scope.role_arn.split(':').nth(1).filter(|partition| !partition.is_empty()).unwrap_or("aws")
}

#[cfg(test)]
mod tests;
