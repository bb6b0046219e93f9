//! Rows of EC2's answers.

use super::super::answer::Xml;
use domain::ids::{AccountId, InstanceId};
use domain::node::NodeTemplate;
use domain::offering::CapacityType;
use domain::ports::{Instance, InstanceState};

/// A reservation of one instance, without an element around it.
pub(super) fn reservation(xml: &mut Xml, account: &AccountId, instance: &Instance, template: Option<&NodeTemplate>) {
    xml.text("reservationId", format!("r-{}", hex(&instance.id))).text("ownerId", account.as_str());
    xml.items("instancesSet", [instance], |xml, instance| row(xml, account, instance, template));
}

fn row(xml: &mut Xml, account: &AccountId, instance: &Instance, template: Option<&NodeTemplate>) {
    xml.text("instanceId", instance.id.as_str());
    xml.nest("instanceState", |xml| state(xml, instance.state));
    xml.text("privateDnsName", instance.private_dns.as_deref().unwrap_or_default());
    xml.text("instanceType", instance.pool.instance_type.as_str());
    xml.maybe("launchTime", instance.launched_at.map(|t| t.to_string()));
    xml.nest("placement", |xml| {
        xml.text("availabilityZone", instance.pool.zone.as_str()).text("tenancy", "default");
    });
    xml.maybe("subnetId", instance.subnet.as_ref());
    if let Some(reason) = &instance.state_reason {
        let code = reason.split(':').next().unwrap_or_default();
        xml.nest("stateReason", |xml| {
            xml.text("code", code).text("message", reason);
        });
    }
    match instance.pool.capacity {
        CapacityType::OnDemand => {}
        CapacityType::Spot => {
            xml.text("instanceLifecycle", "spot").text("spotInstanceRequestId", spot_request(&instance.id));
        }
    }
    xml.text("clientToken", instance.client_token.as_deref().unwrap_or_default());
    xml.items("tagSet", &instance.tags, |xml, (key, value)| {
        xml.text("key", key).text("value", value);
    });
    if let Some(template) = template {
        settings(xml, account, &instance.id, template);
    }
}

fn settings(xml: &mut Xml, account: &AccountId, id: &InstanceId, template: &NodeTemplate) {
    let NodeTemplate::Clone { image, security_groups, instance_profile, key_name, root_volume, .. } = template else { return };
    xml.text("imageId", image).maybe("keyName", key_name.as_ref());
    xml.items("groupSet", security_groups, |xml, group| {
        xml.text("groupId", group).text("groupName", "nodes");
    });
    if let Some(profile) = instance_profile {
        let arn = if profile.starts_with("arn:") { profile.clone() } else { format!("arn:aws:iam::{account}:instance-profile/{profile}") };
        xml.nest("iamInstanceProfile", |xml| {
            xml.text("arn", arn);
        });
    }
    if let Some(root) = root_volume {
        xml.text("rootDeviceName", &root.device).text("rootDeviceType", "ebs");
        xml.items("blockDeviceMapping", [root], |xml, root| {
            xml.text("deviceName", &root.device).nest("ebs", |xml| {
                xml.text("volumeId", volume(id)).text("status", "attached").text("deleteOnTermination", "true");
            });
        });
    }
}

/// A state with its number.
pub(super) fn state(xml: &mut Xml, state: InstanceState) {
    let (code, name) = match state {
        InstanceState::Pending => ("0", "pending"),
        InstanceState::Running => ("16", "running"),
        InstanceState::ShuttingDown => ("32", "shutting-down"),
        InstanceState::Terminated => ("48", "terminated"),
        InstanceState::Stopping => ("64", "stopping"),
        InstanceState::Stopped => ("80", "stopped"),
    };
    xml.text("code", code).text("name", name);
}

/// The name of a state.
pub(super) fn state_name(of: InstanceState) -> String {
    serde_json::to_value(of).ok().and_then(|name| name.as_str().map(ToOwned::to_owned)).unwrap_or_default()
}

/// The root volume of an instance.
pub(super) fn volume(id: &InstanceId) -> String {
    format!("vol-{}", hex(id))
}

/// The instance of a root volume.
pub(super) fn instance_of(volume: &str) -> Option<InstanceId> {
    InstanceId::parse(format!("i-{}", volume.strip_prefix("vol-")?)).ok()
}

/// The spot request behind an instance.
pub(super) fn spot_request(id: &InstanceId) -> String {
    format!("sir-{}", hex(id))
}

fn hex(id: &InstanceId) -> &str {
    id.as_str().trim_start_matches("i-")
}
