//! How to make another instance like this one.

use crate::access::Session;
use crate::describe::{filter, raw};
use crate::errors::{self, unreadable};
use crate::throttle::Call;
use aws_sdk_ec2::types::{self, InstanceAttributeName};
use domain::ids::InstanceId;
use domain::node::{NodeTemplate, RootVolume};
use domain::ports::CloudError;

/// Tags that AWS puts on an instance made from a launch template, Auto Scaling groups' and node groups' included.
const TEMPLATE_ID: &str = "aws:ec2launchtemplate:id";
const TEMPLATE_VERSION: &str = "aws:ec2launchtemplate:version";

/// The launch template of an instance, else a copy of its settings.
///
/// # Errors
/// [`CloudError::Refused`] where there is no such instance.
pub(crate) async fn of(session: &Session, id: &InstanceId) -> Result<NodeTemplate, CloudError> {
    let found = raw(session, filter("instance-id", [id.as_str()])).await?;
    let instance = found.first().ok_or_else(|| CloudError::Refused(format!("EC2 knows no instance {id}")))?;
    if let Some(template) = launch_template(instance) {
        return Ok(template);
    }
    Ok(NodeTemplate::Clone {
        from: id.clone(),
        image: instance.image_id().map(ToOwned::to_owned).ok_or_else(|| unreadable("an instance without an image"))?,
        security_groups: instance.security_groups().iter().filter_map(|g| g.group_id()).map(ToOwned::to_owned).collect(),
        instance_profile: instance.iam_instance_profile().and_then(|p| p.arn()).map(ToOwned::to_owned),
        key_name: instance.key_name().filter(|k| !k.is_empty()).map(ToOwned::to_owned),
        user_data: user_data(session, id).await?,
        root_volume: root_volume(session, instance).await?,
        tags: repeated(instance.tags()),
    })
}

fn launch_template(instance: &types::Instance) -> Option<NodeTemplate> {
    let tag = |key| instance.tags().iter().find(|t| t.key() == Some(key)).and_then(|t| t.value());
    let (id, version) = (tag(TEMPLATE_ID)?, tag(TEMPLATE_VERSION)?);
    // `$Latest` could change between two tries of one client token.
    version.parse::<u64>().ok()?;
    Some(NodeTemplate::LaunchTemplate { id: id.to_owned(), version: version.to_owned() })
}

/// Tags to repeat: all but those of AWS, which nobody else may set.
fn repeated(tags: &[types::Tag]) -> Vec<(String, String)> {
    let pair = |tag: &types::Tag| Some((tag.key()?.to_owned(), tag.value().unwrap_or_default().to_owned()));
    tags.iter().filter_map(pair).filter(|(key, _)| !key.starts_with("aws:")).collect()
}

async fn user_data(session: &Session, id: &InstanceId) -> Result<Option<String>, CloudError> {
    session.pace(Call::Describe).await?;
    let call = session.ec2.describe_instance_attribute().instance_id(id.as_str()).attribute(InstanceAttributeName::UserData);
    let answer = call.send().await.map_err(|error| errors::from_sdk(&error))?;
    Ok(answer.user_data.and_then(|data| data.value).filter(|data| !data.is_empty()))
}

async fn root_volume(session: &Session, instance: &types::Instance) -> Result<Option<RootVolume>, CloudError> {
    let Some((device, volume_id)) = root_of(instance) else { return Ok(None) };
    session.pace(Call::Describe).await?;
    let call = session.ec2.describe_volumes().filters(filter("volume-id", [volume_id]));
    let answer = call.send().await.map_err(|error| errors::from_sdk(&error))?;
    let Some(volume) = answer.volumes().first() else { return Ok(None) };
    let (Some(size), Some(kind)) = (volume.size().and_then(|s| u32::try_from(s).ok()), volume.volume_type()) else { return Ok(None) };
    Ok(Some(RootVolume {
        device: device.to_owned(),
        size_gib: size,
        volume_type: kind.as_str().to_owned(),
        encrypted: volume.encrypted().unwrap_or(false),
    }))
}

/// Device and volume id of the root volume.
fn root_of(instance: &types::Instance) -> Option<(&str, &str)> {
    let device = instance.root_device_name()?;
    let mapping = instance.block_device_mappings().iter().find(|m| m.device_name() == Some(device))?;
    Some((device, mapping.ebs()?.volume_id()?))
}

#[cfg(test)]
mod tests;
