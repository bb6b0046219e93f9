//! Dry runs of EC2, and what the role of the account may not do: rights are judged as IAM does, and nothing is done.

use super::Server;
use super::answer::Fault;
use super::query::Params;
use domain::ids::{InstanceId, VolumeId};
use domain::ports::LaunchRequest;
use domain::ports::account::{Attribute, Question, Said};
use domain::tenant::AwsScope;

/// EC2's way to say that it would have been done (EC2 API reference, common error codes: 412).
fn would() -> Fault {
    Fault::client("DryRunOperation", "Request would have succeeded, but DryRun flag is set.").status(412)
}

/// EC2's way to say no, with the action that is missing in it (IAM user guide, "Troubleshoot access denied error messages").
fn no(scope: &AwsScope, action: &str) -> Fault {
    let who = format!("arn:aws:sts::{}:assumed-role/CloudOptim/session", scope.account);
    let message = format!(
        "You are not authorized to perform this operation. User: {who} is not authorized to perform: {action} on resource: * because no \
         identity-based policy allows the {action} action. Encoded authorization failure message: c2ltdWxhdGVk"
    );
    Fault::client("UnauthorizedOperation", message).status(403)
}

/// Whether the role of the account has this action at all; whatever else is asked comes afterwards.
///
/// # Errors
/// It has not.
pub(super) fn granted(server: &Server, scope: &AwsScope, service: &str, action: &str) -> Result<(), Fault> {
    let action = format!("{service}:{action}");
    if server.world.with(|state| state.is_denied(&scope.account, &action)) {
        let fault = no(scope, &action);
        return Err(if service == "ec2" { fault } else { Fault { code: "AccessDenied", ..fault } });
    }
    Ok(())
}

/// What the dry run of a call comes to: always an error.
pub(super) async fn run(server: &Server, scope: &AwsScope, action: &str, params: &Params, launch: Option<LaunchRequest>) -> Fault {
    let Some(question) = question(action, params, launch) else { return would() };
    match server.cloud.may(scope, &question).await {
        Ok(Said::Yes) => would(),
        Ok(Said::No { action: missing }) => no(scope, &missing.unwrap_or_else(|| format!("ec2:{action}"))),
        Ok(Said::Unclear(code)) if code.starts_with("InvalidVolume") => Fault::client("InvalidVolume.NotFound", code),
        Ok(Said::Unclear(code)) => Fault::client("InvalidInstanceID.NotFound", code),
        Err(error) => super::ec2::fault(error),
    }
}

/// What a call asks that changes something or looks into an instance; `None`: it lists.
fn question(action: &str, params: &Params, launch: Option<LaunchRequest>) -> Option<Question> {
    let instance = |name: &str| InstanceId::parse(params.text(name)?.as_str()).ok();
    let volume = || VolumeId::parse(params.text("VolumeId")?.as_str()).ok();
    match action {
        "RunInstances" => launch.map(Box::new).map(Question::Launch),
        "TerminateInstances" => instance("InstanceId.1").map(Question::End),
        "CreateSnapshot" => volume().map(Question::Snapshot),
        "DeleteVolume" => volume().map(Question::DeleteVolume),
        "DescribeInstanceAttribute" => {
            let user_data = params.get("Attribute") == Some("userData");
            let which = if user_data { Attribute::UserData } else { Attribute::DisableApiTermination };
            instance("InstanceId").map(|instance| Question::Attribute(instance, which))
        }
        _ => None,
    }
}
