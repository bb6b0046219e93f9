//! Auto Scaling: the end of a lifecycle action.

use super::Server;
use super::answer::{Fault, Xml};
use super::ec2;
use super::query::Params;
use super::sts::Signer;
use domain::ids::InstanceId;
use domain::ports::Lifecycle;

/// The namespace of its answers.
pub(crate) const NAMESPACE: &str = "http://autoscaling.amazonaws.com/doc/2011-01-01/";

pub(super) async fn call(server: &Server, params: &Params, signer: Option<&Signer>) -> Result<Xml, Fault> {
    ec2::allowed(server, "autoscaling", params.get("Action").unwrap_or_default(), params, signer)?;
    let scope = ec2::scope(server, signer)?;
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
