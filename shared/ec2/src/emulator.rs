//! What an emulator's account has from the beginning: for tests only, which may not name the SDK.

use crate::describe::filter;
use crate::errors::{from_sdk, unreadable};
use aws_config::SdkConfig;
use aws_sdk_ec2::Client;
use domain::ids::{SubnetId, Zone};
use domain::ports::CloudError;

/// Enough of the default network to launch an instance.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DefaultNetwork {
    /// A subnet in each of the zones that were asked for.
    pub subnets: Vec<(Zone, SubnetId)>,
    /// A security group.
    pub security_group: String,
    /// A machine image.
    pub image: String,
}

/// Looks the default network up, with our own credentials.
///
/// # Errors
/// [`CloudError::Ambiguous`] where something of it is not there, else what EC2 said.
pub async fn default_network(config: &SdkConfig, zones: &[Zone]) -> Result<DefaultNetwork, CloudError> {
    let client = Client::new(config);
    let mut subnets = Vec::new();
    for zone in zones {
        let call = client.describe_subnets().filters(filter("availability-zone", [zone.as_str()]));
        let answer = call.send().await.map_err(|error| from_sdk(&error))?;
        let id = answer.subnets().first().and_then(|s| s.subnet_id()).and_then(|id| SubnetId::parse(id).ok());
        subnets.push((zone.clone(), id.ok_or_else(|| unreadable(&format!("no subnet in {zone}")))?));
    }
    let groups = client.describe_security_groups().send().await.map_err(|error| from_sdk(&error))?;
    let images = client.describe_images().owners("amazon").send().await.map_err(|error| from_sdk(&error))?;
    let group = groups.security_groups().first().and_then(|g| g.group_id());
    let image = images.images().first().and_then(|i| i.image_id());
    Ok(DefaultNetwork {
        subnets,
        security_group: group.ok_or_else(|| unreadable("no security group"))?.to_owned(),
        image: image.ok_or_else(|| unreadable("no image"))?.to_owned(),
    })
}
