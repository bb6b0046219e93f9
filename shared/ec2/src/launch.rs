//! RunInstances and TerminateInstances.

use crate::access::{OPERATION_TIMEOUT, Session};
use crate::{describe, errors};
use aws_sdk_ec2::config::retry::RetryConfig;
use aws_sdk_ec2::config::timeout::TimeoutConfig;
use aws_sdk_ec2::operation::run_instances::builders::RunInstancesFluentBuilder;
use aws_sdk_ec2::types::{
    BlockDeviceMapping, EbsBlockDevice, IamInstanceProfileSpecification, InstanceInterruptionBehavior, InstanceMarketOptionsRequest,
    LaunchTemplateSpecification, MarketType, ResourceType, ShutdownBehavior, SpotInstanceType, SpotMarketOptions, Tag, TagSpecification,
};
use domain::ids::InstanceId;
use domain::node::{NodeTemplate, RootVolume};
use domain::offering::CapacityType;
use domain::ports::{CloudError, Instance, LaunchRequest};
use std::collections::BTreeMap;

/// Launches one instance, once, without a retry inside.
pub(crate) async fn launch(session: &Session, request: &LaunchRequest) -> Result<Instance, CloudError> {
    let call = described(session.ec2.run_instances(), request)?;
    // One attempt, which has the time of the whole operation: RunInstances can take longer than a read, and giving up on it
    // early only makes an ambiguous answer. The journal repeats it with the same bytes.
    let timeouts = TimeoutConfig::builder().operation_timeout(OPERATION_TIMEOUT).operation_attempt_timeout(OPERATION_TIMEOUT).build();
    let once = aws_sdk_ec2::config::Builder::new().retry_config(RetryConfig::disabled()).timeout_config(timeouts);
    let answer = Box::pin(call.customize().config_override(once).send()).await.map_err(|error| errors::from_sdk(&error))?;
    let instance = answer.instances().first().ok_or_else(|| errors::unreadable("RunInstances named no instance"))?;
    describe::instance(instance)
}

/// The call of one instance, as it is launched and as it is asked about.
pub(crate) fn described(call: RunInstancesFluentBuilder, request: &LaunchRequest) -> Result<RunInstancesFluentBuilder, CloudError> {
    let call = from_template(call, &request.template)?
        .min_count(1)
        .max_count(1)
        .client_token(&request.client_token)
        .instance_type(request.offering.pool.instance_type.as_str().into())
        .subnet_id(request.offering.subnet.as_str());
    Ok(call
        .instance_initiated_shutdown_behavior(ShutdownBehavior::Terminate)
        .set_instance_market_options(market(request.offering.pool.capacity))
        .set_tag_specifications(Some(tag_specifications(&tags(request)))))
}

/// Ends an instance; one that EC2 does not know (any more) is ended.
pub(crate) async fn terminate(session: &Session, instance: &InstanceId) -> Result<(), CloudError> {
    match session.ec2.terminate_instances().instance_ids(instance.as_str()).send().await {
        Ok(_) => Ok(()),
        Err(error) if errors::has_code(&error, "InvalidInstanceID.NotFound") => Ok(()),
        Err(error) => Err(errors::from_sdk(&error)),
    }
}

fn from_template(call: RunInstancesFluentBuilder, template: &NodeTemplate) -> Result<RunInstancesFluentBuilder, CloudError> {
    match template {
        NodeTemplate::LaunchTemplate { id, version } => {
            Ok(call.launch_template(LaunchTemplateSpecification::builder().launch_template_id(id).version(version).build()))
        }
        NodeTemplate::Clone { from, image, security_groups, instance_profile, key_name, user_data, root_volume, tags: _ } => {
            let Some(user_data) = user_data.as_ref().filter(|data| !data.is_empty()) else {
                return Err(CloudError::Refused(format!(
                    "instance {from} has no user data, so a copy of it would run and be paid for but never join the cluster"
                )));
            };
            Ok(call
                .image_id(image)
                .set_security_group_ids(Some(security_groups.clone()))
                .set_iam_instance_profile(instance_profile.as_deref().map(profile))
                .set_key_name(key_name.clone())
                .user_data(user_data)
                .set_block_device_mappings(root_volume.as_ref().map(|volume| vec![mapping(volume)])))
        }
    }
}

fn profile(name_or_arn: &str) -> IamInstanceProfileSpecification {
    let profile = IamInstanceProfileSpecification::builder();
    if name_or_arn.starts_with("arn:") { profile.arn(name_or_arn).build() } else { profile.name(name_or_arn).build() }
}

fn mapping(volume: &RootVolume) -> BlockDeviceMapping {
    let ebs = EbsBlockDevice::builder()
        .volume_size(i32::try_from(volume.size_gib).unwrap_or(i32::MAX))
        .volume_type(volume.volume_type.as_str().into())
        .delete_on_termination(true)
        // `false` would ask for a plain copy, which accounts with encryption by default refuse: only say what is wanted.
        .set_encrypted(volume.encrypted.then_some(true))
        .build();
    BlockDeviceMapping::builder().device_name(&volume.device).ebs(ebs).build()
}

fn market(capacity: CapacityType) -> Option<InstanceMarketOptionsRequest> {
    match capacity {
        CapacityType::OnDemand => None,
        CapacityType::Spot => {
            let spot = SpotMarketOptions::builder()
                // A persistent request would launch again, behind the journal's back.
                .spot_instance_type(SpotInstanceType::OneTime)
                .instance_interruption_behavior(InstanceInterruptionBehavior::Terminate)
                .build();
            Some(InstanceMarketOptionsRequest::builder().market_type(MarketType::Spot).spot_options(spot).build())
        }
    }
}

/// The tags of the template with those of the request over them. `aws:*` cannot be set by anybody but AWS.
fn tags(request: &LaunchRequest) -> BTreeMap<String, String> {
    let repeated: &[(String, String)] = match &request.template {
        NodeTemplate::LaunchTemplate { .. } => &[],
        NodeTemplate::Clone { tags, .. } => tags,
    };
    let repeated = repeated.iter().map(|(key, value)| (key.clone(), value.clone()));
    let asked = request.tags.iter().map(|(key, value)| (key.clone(), value.clone()));
    repeated.chain(asked).filter(|(key, _)| !key.starts_with("aws:")).collect()
}

/// In the call itself, for the instance and its volumes: an instance without tags cannot be found after a crash.
fn tag_specifications(tags: &BTreeMap<String, String>) -> Vec<TagSpecification> {
    if tags.is_empty() {
        return Vec::new();
    }
    let tags: Vec<Tag> = tags.iter().map(|(key, value)| Tag::builder().key(key).value(value).build()).collect();
    [ResourceType::Instance, ResourceType::Volume]
        .into_iter()
        .map(|kind| TagSpecification::builder().resource_type(kind).set_tags(Some(tags.clone())).build())
        .collect()
}

#[cfg(test)]
mod tests;
