//! Auto Scaling: lifecycle actions, by EventBridge or directly, and launches that failed.

use super::envelope::{Envelope, account};
use super::time::time;
use super::{Received, ignored, odd, rejected};
use crate::ids::InstanceId;
use crate::interruption::{Message, Notice, NoticeKind, Takeback};
use crate::ports::Lifecycle;
use serde_json::{Map, Value};

/// Whether this is a message that Auto Scaling sends without EventBridge.
pub(super) fn is_direct(fields: &Map<String, Value>) -> bool {
    fields.get("Service").and_then(Value::as_str) == Some("AWS Auto Scaling") || fields.contains_key("LifecycleTransition")
}

pub(super) fn direct(fields: &Map<String, Value>, received: &Received) -> Message {
    let text = |name: &str| fields.get(name).and_then(Value::as_str);
    if text("Event").is_some_and(|e| e.ends_with("TEST_NOTIFICATION")) {
        return ignored("a test notification of Auto Scaling");
    }
    if !fields.contains_key("LifecycleTransition") && text("Event").is_some_and(|e| e.starts_with("autoscaling:EC2_INSTANCE_")) {
        return ignored("Auto Scaling reports what it has done");
    }
    let (Some(account), Some(region)) = (text("AccountId").and_then(account), received.region.clone()) else {
        return rejected("the lifecycle message names no valid account, or its Region is not known");
    };
    let at = time(text("Time"), received);
    match hook(fields) {
        Ok((kind, instance, lifecycle)) => Message::Notice(Box::new(Notice {
            kind,
            event_id: super::cut(text("RequestId").unwrap_or_default()),
            account,
            region,
            instances: vec![instance],
            reservation: None,
            takeback: takeback(kind),
            at,
            received_at: received.at,
            deadline: None,
            lifecycle: Some(lifecycle),
            withdrawn: false,
        })),
        Err(message) => *message,
    }
}

pub(super) fn event(detail_type: &str, envelope: &Envelope<'_>, received: &Received) -> Message {
    let Some(detail) = envelope.detail() else {
        return rejected("the Auto Scaling event has no detail");
    };
    match detail_type {
        "EC2 Instance-terminate Lifecycle Action" | "EC2 Instance-launch Lifecycle Action" => {}
        "EC2 Instance Launch Unsuccessful" => return no_capacity(envelope, detail),
        "EC2 Instance Launch Successful" | "EC2 Instance Terminate Successful" | "EC2 Instance Terminate Unsuccessful" => {
            return ignored("Auto Scaling reports what it has done");
        }
        other => return odd(format!("no event of ours: detail-type {:?}", super::cut(other))),
    }
    if detail
        .get("Event")
        .or_else(|| detail.get("LifecycleTransition"))
        .and_then(Value::as_str)
        .is_some_and(|e| e.ends_with("TEST_NOTIFICATION"))
    {
        return ignored("a test notification of Auto Scaling");
    }
    match hook(detail) {
        Ok((kind, instance, lifecycle)) => match envelope.notice(kind, vec![instance], received) {
            Some(mut notice) => {
                notice.takeback = takeback(kind);
                notice.lifecycle = Some(lifecycle);
                Message::Notice(Box::new(notice))
            }
            None => rejected("the lifecycle action names no valid account or Region"),
        },
        Err(message) => *message,
    }
}

fn takeback(kind: NoticeKind) -> Takeback {
    if kind == NoticeKind::AsgLaunch { Takeback::None } else { Takeback::Terminate }
}

/// The hook that waits, and for which instance.
fn hook(fields: &Map<String, Value>) -> Result<(NoticeKind, InstanceId, Lifecycle), Box<Message>> {
    let text = |name: &str| fields.get(name).and_then(Value::as_str);
    let kind = match text("LifecycleTransition") {
        Some("autoscaling:EC2_INSTANCE_TERMINATING") => NoticeKind::AsgTerminate,
        Some("autoscaling:EC2_INSTANCE_LAUNCHING") => NoticeKind::AsgLaunch,
        Some(_) | None => return Err(Box::new(odd("a lifecycle action with a transition that we do not know".to_owned()))),
    };
    let Some(instance) = text("EC2InstanceId").and_then(|id| InstanceId::parse(id).ok()) else {
        return Err(Box::new(rejected("the lifecycle action names no valid instance")));
    };
    let (Some(group), Some(hook)) = (text("AutoScalingGroupName"), text("LifecycleHookName")) else {
        return Err(Box::new(rejected("the lifecycle action names no group or no hook")));
    };
    let lifecycle = Lifecycle {
        group: group.to_owned(),
        hook: hook.to_owned(),
        token: text("LifecycleActionToken").map(str::to_owned),
        instance: instance.clone(),
    };
    Ok((kind, instance, lifecycle))
}

fn no_capacity(envelope: &Envelope<'_>, detail: &Map<String, Value>) -> Message {
    let message = detail.get("StatusMessage").and_then(Value::as_str).unwrap_or_default();
    // `InsufficientInstanceCapacity`, `UnfulfillableCapacity`, "do not have sufficient m5.large capacity": all name it.
    if !message.to_ascii_lowercase().contains("capacity") {
        return ignored("a launch of Auto Scaling failed for another reason than capacity");
    }
    let zone = detail.get("Details").and_then(|d| d.get("Availability Zone")).and_then(Value::as_str).map(super::cut);
    Message::NoCapacity {
        account: super::cut(envelope.text("account").unwrap_or_default()),
        region: super::cut(envelope.text("region").unwrap_or_default()),
        zone,
    }
}
