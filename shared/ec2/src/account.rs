//! What the role of a customer may do, asked without doing it.
//!
//! EC2 answers a dry run with an error: `DryRunOperation` where the rights are there, `UnauthorizedOperation` where they are not (EC2 API
//! reference, `DryRun` of each action). Which of the two comes is known only where everything else of the request is right, so what is asked
//! about exists, and whatever else is answered tells nothing. Auto Scaling and Elastic Load Balancing know no dry run: their lists are asked
//! for one row, and where a name is needed, one is given that nobody has. They look at rights before they look for what is named, so "not
//! found" is the answer of somebody who was let in.

use crate::access::{Access, Session, Task};
use crate::errors::from_sdk;
use crate::launch;
use crate::throttle::Call;
use aws_sdk_ec2::error::{ProvideErrorMetadata, SdkError};
use aws_sdk_ec2::types::InstanceAttributeName;
use domain::ids::{InstanceId, VolumeId};
use domain::ports::account::{Attribute, Question, Read, Said};
use domain::ports::{CloudError, LaunchRequest};
use domain::tenant::AwsScope;
use std::error::Error;

/// A name that no group, load balancer or target group has.
const NOBODY: &str = "cloudoptim-asks";
/// Something that is an instance's id and no instance's.
const NO_INSTANCE: &str = "i-00000000000000000";

/// The answer to a question, in the session that it would be done in.
pub(crate) async fn may(access: &Access, scope: &AwsScope, question: &Question) -> Result<Said, CloudError> {
    let session = async |task: Task, call: Call| {
        let session = access.session(scope, task).await?;
        session.pace(call).await?;
        Ok::<Session, CloudError>(session)
    };
    match question {
        Question::Read(read) => Box::pin(list(access, scope, *read)).await,
        Question::Attribute(instance, which) => attribute(&session(Task::Look, Call::Describe).await?, instance, *which).await,
        Question::Launch(request) => Box::pin(run(&session(Task::Launch, Call::Launch).await?, request)).await,
        Question::End(instance) => end(&session(Task::End(instance.clone()), Call::Terminate).await?, instance).await,
        Question::Snapshot(volume) => snapshot(&session(Task::Clear(volume.clone()), Call::Terminate).await?, volume).await,
        Question::DeleteVolume(volume) => delete(&session(Task::Clear(volume.clone()), Call::Terminate).await?, volume).await,
        Question::GoOn => go_on(&session(Task::GoOn, Call::Describe).await?).await,
    }
}

/// The answer to a dry run. One that is carried out all the same is no answer.
fn dry<T, E>(answer: Result<T, SdkError<E>>) -> Result<Said, CloudError>
where
    E: ProvideErrorMetadata + Error + 'static,
{
    match answer {
        Ok(_) => Ok(Said::Unclear("a result".to_owned())),
        Err(error) if code(&error) == "DryRunOperation" => Ok(Said::Yes),
        Err(error) => refused(&error),
    }
}

/// The answer to a call that is made in earnest and changes nothing. `let_in`: codes that only somebody gets who may.
fn asked<T, E>(answer: Result<T, SdkError<E>>, let_in: &[&str]) -> Result<Said, CloudError>
where
    E: ProvideErrorMetadata + Error + 'static,
{
    match answer {
        Ok(_) => Ok(Said::Yes),
        Err(error) if let_in.contains(&code(&error)) => Ok(Said::Yes),
        Err(error) => refused(&error),
    }
}

fn code<E: ProvideErrorMetadata>(error: &SdkError<E>) -> &str {
    error.as_service_error().and_then(ProvideErrorMetadata::code).unwrap_or_default()
}

fn refused<E>(error: &SdkError<E>) -> Result<Said, CloudError>
where
    E: ProvideErrorMetadata + Error + 'static,
{
    match code(error) {
        "UnauthorizedOperation" | "AccessDenied" | "AccessDeniedException" => {
            Ok(Said::No { action: error.as_service_error().and_then(ProvideErrorMetadata::message).and_then(missing) })
        }
        code => match from_sdk(error) {
            CloudError::Refused(_) | CloudError::NoCapacity(_) | CloudError::TokenMismatch => Ok(Said::Unclear(code.to_owned())),
            other @ (CloudError::Ambiguous(_) | CloudError::Throttled | CloudError::NoAccess(_)) => Err(other),
        },
    }
}

/// The action that a message names: "... is not authorized to perform: iam:PassRole on resource: ..." (IAM user guide, "Troubleshoot access
/// denied error messages").
fn missing(message: &str) -> Option<String> {
    let (_, rest) = message.split_once("not authorized to perform: ")?;
    let action = rest.split([' ', ',']).next()?;
    let known = |c: char| c.is_ascii_alphanumeric() || c == ':' || c == '-';
    (action.contains(':') && action.len() < 100 && action.chars().all(known)).then(|| action.to_owned())
}

/// Load balancing has a rate of its own; everything else that is only looked at has one.
fn rate(read: Read) -> Call {
    if read.action().starts_with("elasticloadbalancing:") { Call::Balancing } else { Call::Describe }
}

async fn list(access: &Access, scope: &AwsScope, read: Read) -> Result<Said, CloudError> {
    let session = access.session(scope, Task::Look).await?;
    session.pace(rate(read)).await?;
    let Session { ec2, scaling, balancers, .. } = &session;
    let partition = crate::access::partition(scope);
    let arn = |of: &str| format!("arn:{partition}:elasticloadbalancing:{}:{}:{of}/0123456789abcdef", scope.region, scope.account);
    match read {
        Read::Instances => dry(ec2.describe_instances().dry_run(true).send().await),
        Read::ReservedInstances => dry(ec2.describe_reserved_instances().dry_run(true).send().await),
        Read::SpotInstanceRequests => dry(ec2.describe_spot_instance_requests().dry_run(true).send().await),
        Read::SpotPriceHistory => dry(ec2.describe_spot_price_history().dry_run(true).send().await),
        Read::Volumes => dry(ec2.describe_volumes().dry_run(true).send().await),
        Read::Snapshots => dry(ec2.describe_snapshots().owner_ids("self").dry_run(true).send().await),
        Read::Addresses => dry(ec2.describe_addresses().dry_run(true).send().await),
        Read::NatGateways => dry(ec2.describe_nat_gateways().dry_run(true).send().await),
        Read::RouteTables => dry(ec2.describe_route_tables().dry_run(true).send().await),
        Read::GroupMembers => asked(scaling.describe_auto_scaling_instances().instance_ids(NO_INSTANCE).send().await, &[]),
        Read::Groups => asked(scaling.describe_auto_scaling_groups().auto_scaling_group_names(NOBODY).send().await, &[]),
        Read::LoadBalancers => asked(balancers.describe_load_balancers().page_size(1).send().await, &[]),
        Read::TargetGroups => asked(balancers.describe_target_groups().page_size(1).send().await, &[]),
        Read::BalancerTags => {
            let named = arn(&format!("loadbalancer/net/{NOBODY}"));
            asked(balancers.describe_tags().resource_arns(named).send().await, &["LoadBalancerNotFound"])
        }
        Read::TargetHealth => {
            let named = arn(&format!("targetgroup/{NOBODY}"));
            asked(balancers.describe_target_health().target_group_arn(named).send().await, &["TargetGroupNotFound"])
        }
    }
}

async fn attribute(session: &Session, instance: &InstanceId, which: Attribute) -> Result<Said, CloudError> {
    let which = match which {
        Attribute::UserData => InstanceAttributeName::UserData,
        Attribute::DisableApiTermination => InstanceAttributeName::DisableApiTermination,
    };
    dry(session.ec2.describe_instance_attribute().attribute(which).instance_id(instance.as_str()).dry_run(true).send().await)
}

/// The very request that a launch would be, but for the flag.
async fn run(session: &Session, request: &LaunchRequest) -> Result<Said, CloudError> {
    let call = launch::described(session.ec2.run_instances().dry_run(true), request)?;
    dry(call.send().await)
}

async fn end(session: &Session, instance: &InstanceId) -> Result<Said, CloudError> {
    dry(session.ec2.terminate_instances().instance_ids(instance.as_str()).dry_run(true).send().await)
}

async fn snapshot(session: &Session, volume: &VolumeId) -> Result<Said, CloudError> {
    let tagged = crate::estate::snapshot_tags(volume, NOBODY);
    dry(session.ec2.create_snapshot().volume_id(volume.as_str()).tag_specifications(tagged).dry_run(true).send().await)
}

async fn delete(session: &Session, volume: &VolumeId) -> Result<Said, CloudError> {
    dry(session.ec2.delete_volume().volume_id(volume.as_str()).dry_run(true).send().await)
}

/// Of a group that nobody has: who may not is told so, and who may that there is no such action.
async fn go_on(session: &Session) -> Result<Said, CloudError> {
    let call = session.scaling.complete_lifecycle_action().auto_scaling_group_name(NOBODY).lifecycle_hook_name(NOBODY);
    asked(call.instance_id(NO_INSTANCE).lifecycle_action_result("CONTINUE").send().await, &["ValidationError"])
}

#[cfg(test)]
mod tests {
    use super::missing;

    #[test]
    fn the_missing_action_is_the_one_that_the_message_names() {
        let message = "You are not authorized to perform this operation. User: arn:aws:sts::111122223333:assumed-role/CloudOptim/acme is \
                       not authorized to perform: iam:PassRole on resource: arn:aws:iam::111122223333:role/nodes because no identity-based \
                       policy allows the iam:PassRole action. Encoded authorization failure message: abc";
        assert_eq!(missing(message).as_deref(), Some("iam:PassRole"));
        for none in
            ["You are not authorized to perform this operation.", "not authorized to perform: nothing", "not authorized to perform: "]
        {
            assert_eq!(missing(none), None, "{none}");
        }
        assert_eq!(missing(&format!("not authorized to perform: ec2:{}", "x".repeat(200))), None, "words of a stranger are not repeated");
    }
}
