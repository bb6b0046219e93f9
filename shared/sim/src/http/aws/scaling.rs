//! Auto Scaling: lifecycle actions, members of groups, and their end.

use super::Server;
use super::answer::{Fault, Xml};
use super::query::Params;
use super::sts::Signer;
use super::{dry, ec2};
use domain::ids::InstanceId;
use domain::ports::{CloudError, Lifecycle};
use domain::tenant::AwsScope;

/// The namespace of its answers.
pub(crate) const NAMESPACE: &str = "http://autoscaling.amazonaws.com/doc/2011-01-01/";

/// What is answered here.
pub(super) const ACTIONS: [&str; 4] =
    ["CompleteLifecycleAction", "DescribeAutoScalingInstances", "DescribeAutoScalingGroups", "TerminateInstanceInAutoScalingGroup"];

pub(super) async fn call(server: &Server, action: &str, params: &Params, signer: Option<&Signer>) -> Result<Xml, Fault> {
    ec2::allowed(server, "autoscaling", action, params, signer)?;
    let scope = ec2::scope(server, signer)?;
    dry::granted(server, &scope, "autoscaling", action)?;
    match action {
        "DescribeAutoScalingInstances" => members(server, params, &scope).await,
        "DescribeAutoScalingGroups" => groups(server, params, &scope).await,
        "TerminateInstanceInAutoScalingGroup" => end(server, params, &scope).await,
        _ => complete(server, params, scope).await,
    }
}

fn unfit(why: impl ToString) -> Fault {
    Fault::client("ValidationError", why.to_string())
}

fn ids(texts: &[String]) -> Result<Vec<InstanceId>, Fault> {
    texts.iter().map(|text| InstanceId::parse(text.as_str()).map_err(unfit)).collect()
}

async fn members(server: &Server, params: &Params, scope: &AwsScope) -> Result<Xml, Fault> {
    let asked = ids(&params.list("InstanceIds.member"))?;
    if asked.len() > 50 {
        return Err(unfit("no more than 50 instances at a time"));
    }
    let found = server.cloud.members(scope, &asked).await.map_err(ec2::fault)?;
    let mut xml = Xml::default();
    xml.members("AutoScalingInstances", found, |xml, it| {
        xml.text("InstanceId", it.instance.as_str()).text("AutoScalingGroupName", &it.group).text("AvailabilityZone", "");
        xml.text("LifecycleState", &it.lifecycle).text("HealthStatus", "HEALTHY");
        xml.text("ProtectedFromScaleIn", it.protected.to_string());
    });
    Ok(xml)
}

async fn groups(server: &Server, params: &Params, scope: &AwsScope) -> Result<Xml, Fault> {
    let names = params.list("AutoScalingGroupNames.member");
    let all: Vec<InstanceId> = server.world.with(|state| state.machines.keys().cloned().collect());
    let members = server.cloud.members(scope, &all).await.map_err(ec2::fault)?;
    let sizes: std::collections::BTreeMap<&str, (u32, u32)> = members
        .iter()
        .filter(|it| names.is_empty() || names.contains(&it.group))
        .map(|it| (it.group.as_str(), (it.desired, it.min)))
        .collect();
    let mut xml = Xml::default();
    xml.members("AutoScalingGroups", sizes, |xml, (name, (desired, min))| {
        xml.text("AutoScalingGroupName", name).text("MinSize", min.to_string()).text("MaxSize", "100");
        xml.text("DesiredCapacity", desired.to_string()).text("DefaultCooldown", "300").text("HealthCheckType", "EC2");
        xml.text("CreatedTime", "2026-01-01T00:00:00Z").members("AvailabilityZones", ["us-east-1a"], |xml, zone| {
            xml.plain(zone);
        });
    });
    Ok(xml)
}

async fn end(server: &Server, params: &Params, scope: &AwsScope) -> Result<Xml, Fault> {
    let instance = ids(&[params.text("InstanceId").unwrap_or_default()])?.swap_remove(0);
    if params.get("ShouldDecrementDesiredCapacity") != Some("true") {
        return Err(unfit("only an end with one instance less is simulated"));
    }
    server.cloud.end_member(scope, &instance).await.map_err(|error| match error {
        CloudError::Refused(why) => unfit(why),
        other @ (CloudError::NoCapacity(_)
        | CloudError::TokenMismatch
        | CloudError::Ambiguous(_)
        | CloudError::Throttled
        | CloudError::NoAccess(_)) => ec2::fault(other),
    })?;
    Ok(Xml::default())
}

async fn complete(server: &Server, params: &Params, scope: AwsScope) -> Result<Xml, Fault> {
    let text = |name: &str| params.text(name).ok_or_else(|| Fault::client("ValidationError", format!("{name} is missing")));
    let instance = InstanceId::parse(text("InstanceId")?).map_err(|error| Fault::client("ValidationError", error.to_string()))?;
    let lifecycle = Lifecycle {
        group: text("AutoScalingGroupName")?,
        hook: text("LifecycleHookName")?,
        token: params.text("LifecycleActionToken"),
        instance,
    };
    if text("LifecycleActionResult")? != "CONTINUE" {
        return Err(Fault::client("ValidationError", "only CONTINUE is simulated"));
    }
    // The port forgives an action that is over; Auto Scaling does not.
    let waits = server.world.with(|state| {
        let hook = state.machines.get(&lifecycle.instance).and_then(|machine| machine.hook.as_ref());
        hook.is_some_and(|hook| hook.group == lifecycle.group && hook.name == lifecycle.hook)
    });
    if !waits {
        let message = format!("No active Lifecycle Action found with instance ID {}", lifecycle.instance);
        return Err(Fault::client("ValidationError", message));
    }
    server.cloud.complete_lifecycle(&scope, &lifecycle).await.map_err(ec2::fault)?;
    Ok(Xml::default())
}
