//! Volumes, addresses, gateways and Auto Scaling memberships.

use crate::access::Session;
use crate::describe::{filter, timestamp};
use crate::errors::{self, from_sdk, has_code, unreadable};
use crate::throttle::Call;
use aws_sdk_ec2::types::{self, InstanceAttributeName, ResourceType, Tag, TagSpecification};
use domain::ids::{InstanceId, VolumeId, Zone};
use domain::ports::CloudError;
use domain::ports::estate::{Address, EbsVolume, Member, NatGateway, SnapshotState, VolumeFilter, VolumeSnapshot};
use std::collections::{BTreeMap, BTreeSet};

/// How many instances one DescribeAutoScalingInstances takes (API reference).
const MEMBERS_PER_CALL: usize = 50;
/// How many ids one filter takes.
const IDS_PER_CALL: usize = 100;
/// The largest page.
const PAGE: i32 = 500;
/// The tag under which a snapshot of ours is found again: CreateSnapshot knows no client token.
const MARK_TAG: &str = "cloudoptim.io/snapshot-of-plan";

/// What Auto Scaling knows of these instances.
pub(crate) async fn members(session: &Session, instances: &[InstanceId]) -> Result<Vec<Member>, CloudError> {
    let mut details = Vec::new();
    for some in instances.chunks(MEMBERS_PER_CALL) {
        session.pace(Call::Describe).await?;
        let ids = some.iter().map(|id| id.as_str().to_owned()).collect();
        let answer = session.scaling.describe_auto_scaling_instances().set_instance_ids(Some(ids)).send().await;
        details.extend(answer.map_err(|error| from_sdk(&error))?.auto_scaling_instances.unwrap_or_default());
    }
    let names: BTreeSet<String> = details.iter().filter_map(|detail| detail.auto_scaling_group_name().map(str::to_owned)).collect();
    let sizes = sizes(session, &names).await?;
    let member = |detail: &aws_sdk_autoscaling::types::AutoScalingInstanceDetails| {
        let missing = || unreadable("a member of a group without an id, a group or a state");
        let group = detail.auto_scaling_group_name().ok_or_else(missing)?.to_owned();
        let (desired, min) = *sizes.get(&group).ok_or_else(|| unreadable("a group that Auto Scaling does not list"))?;
        Ok(Member {
            instance: detail.instance_id().and_then(|id| InstanceId::parse(id).ok()).ok_or_else(missing)?,
            lifecycle: detail.lifecycle_state().ok_or_else(missing)?.to_owned(),
            protected: detail.protected_from_scale_in().unwrap_or(true),
            group,
            desired,
            min,
        })
    };
    details.iter().map(member).collect()
}

/// Desired and least size of groups.
async fn sizes(session: &Session, names: &BTreeSet<String>) -> Result<BTreeMap<String, (u32, u32)>, CloudError> {
    let mut sizes = BTreeMap::new();
    let names: Vec<String> = names.iter().cloned().collect();
    for some in names.chunks(MEMBERS_PER_CALL) {
        session.pace(Call::Describe).await?;
        let answer = session.scaling.describe_auto_scaling_groups().set_auto_scaling_group_names(Some(some.to_vec())).send().await;
        for group in answer.map_err(|error| from_sdk(&error))?.auto_scaling_groups.unwrap_or_default() {
            let size = |size: Option<i32>| size.and_then(|size| u32::try_from(size).ok());
            if let (Some(name), Some(desired), Some(min)) =
                (group.auto_scaling_group_name(), size(group.desired_capacity()), size(group.min_size()))
            {
                sizes.insert(name.to_owned(), (desired, min));
            }
        }
    }
    Ok(sizes)
}

/// Whether the instance is protected from being ended through the API.
pub(crate) async fn end_forbidden(session: &Session, instance: &InstanceId) -> Result<bool, CloudError> {
    session.pace(Call::Describe).await?;
    let call = session.ec2.describe_instance_attribute().attribute(InstanceAttributeName::DisableApiTermination);
    let answer = call.instance_id(instance.as_str()).send().await.map_err(|error| from_sdk(&error))?;
    answer.disable_api_termination().and_then(|said| said.value()).ok_or_else(|| unreadable("no word of disableApiTermination"))
}

/// Ends a member and asks its group for one less.
pub(crate) async fn end_member(session: &Session, instance: &InstanceId) -> Result<(), CloudError> {
    session.pace(Call::Terminate).await?;
    let call = session.scaling.terminate_instance_in_auto_scaling_group().instance_id(instance.as_str());
    call.should_decrement_desired_capacity(true).send().await.map(|_| ()).map_err(|error| from_sdk(&error))
}

/// Lists volumes.
pub(crate) async fn volumes(session: &Session, wanted: &VolumeFilter) -> Result<Vec<EbsVolume>, CloudError> {
    match wanted {
        VolumeFilter::Unattached => list_volumes(session, filter("status", ["available"])).await,
        VolumeFilter::Ids(ids) => {
            let mut all = Vec::with_capacity(ids.len());
            for some in ids.chunks(IDS_PER_CALL) {
                // As a filter, not as ids: one unknown id would make an error of the whole call.
                all.extend(list_volumes(session, filter("volume-id", some.iter().map(VolumeId::as_str))).await?);
            }
            Ok(all)
        }
    }
}

async fn list_volumes(session: &Session, filter: types::Filter) -> Result<Vec<EbsVolume>, CloudError> {
    let mut pages = session.ec2.describe_volumes().filters(filter).max_results(PAGE).into_paginator().send();
    let mut all = Vec::new();
    loop {
        session.pace(Call::Describe).await?;
        let Some(page) = pages.next().await else { return Ok(all) };
        for found in page.map_err(|error| from_sdk(&error))?.volumes.unwrap_or_default() {
            all.push(volume(&found)?);
        }
    }
}

fn volume(from: &types::Volume) -> Result<EbsVolume, CloudError> {
    let id = from.volume_id().and_then(|id| VolumeId::parse(id).ok()).ok_or_else(|| unreadable("a volume without an id"))?;
    let missing = |what: &str| unreadable(&format!("{id} has no {what}"));
    let number = |number: Option<i32>| number.and_then(|number| u32::try_from(number).ok());
    Ok(EbsVolume {
        zone: from.availability_zone().and_then(|zone| Zone::parse(zone).ok()).ok_or_else(|| missing("zone"))?,
        size_gib: number(from.size()).ok_or_else(|| missing("size"))?,
        volume_type: from.volume_type().map(|kind| kind.as_str().to_owned()).ok_or_else(|| missing("type"))?,
        iops: number(from.iops()).unwrap_or(0),
        throughput_mib: number(from.throughput()).unwrap_or(0),
        available: from.state().ok_or_else(|| missing("state"))?.as_str() == "available",
        attached: !from.attachments().is_empty(),
        created_at: from.create_time().and_then(timestamp),
        tags: tags(from.tags()),
        id,
    })
}

fn tags(from: &[Tag]) -> BTreeMap<String, String> {
    from.iter().filter_map(|tag| Some((tag.key()?.to_owned(), tag.value().unwrap_or_default().to_owned()))).collect()
}

/// Makes a snapshot, or finds the one that was made under this mark.
pub(crate) async fn snapshot(session: &Session, volume: &VolumeId, mark: &str) -> Result<VolumeSnapshot, CloudError> {
    session.pace(Call::Describe).await?;
    let of = [filter("volume-id", [volume.as_str()]), filter(&format!("tag:{MARK_TAG}"), [mark])];
    let found = session.ec2.describe_snapshots().owner_ids("self").set_filters(Some(of.into())).send().await;
    let found = found.map_err(|error| from_sdk(&error))?.snapshots.unwrap_or_default();
    // A failed one is of no use, and the next is made beside it.
    let usable = |snapshot: &&types::Snapshot| how_far(snapshot.state()) != SnapshotState::Failed;
    if let Some(there) = found.iter().find(usable) {
        let id = there.snapshot_id().ok_or_else(|| unreadable("a snapshot without an id"))?.to_owned();
        return Ok(VolumeSnapshot { id, state: how_far(there.state()) });
    }
    session.pace(Call::Terminate).await?;
    let tagged = snapshot_tags(volume, mark);
    let description = format!("Made by CloudOptim before {volume} was deleted");
    let call = session.ec2.create_snapshot().volume_id(volume.as_str()).description(description).tag_specifications(tagged);
    let made = call.send().await.map_err(|error| from_sdk(&error))?;
    let id = made.snapshot_id().ok_or_else(|| unreadable("a new snapshot without an id"))?.to_owned();
    Ok(VolumeSnapshot { id, state: how_far(made.state()) })
}

/// What a snapshot carries from its first moment.
pub(crate) fn snapshot_tags(volume: &VolumeId, mark: &str) -> TagSpecification {
    let tag = |key: &str, value: &str| Tag::builder().key(key).value(value).build();
    TagSpecification::builder()
        .resource_type(ResourceType::Snapshot)
        .tags(tag(MARK_TAG, mark))
        .tags(tag("cloudoptim.io/deleted-from", volume.as_str()))
        .build()
}

fn how_far(state: Option<&types::SnapshotState>) -> SnapshotState {
    match state.map(types::SnapshotState::as_str) {
        Some("completed") => SnapshotState::Completed,
        Some("error" | "recoverable" | "recovering") => SnapshotState::Failed,
        Some(_) | None => SnapshotState::Pending,
    }
}

/// Deletes a volume.
pub(crate) async fn delete_volume(session: &Session, volume: &VolumeId) -> Result<(), CloudError> {
    session.pace(Call::Terminate).await?;
    match session.ec2.delete_volume().volume_id(volume.as_str()).send().await {
        Ok(_) => Ok(()),
        Err(error) if has_code(&error, "InvalidVolume.NotFound") => Ok(()),
        Err(error) => Err(from_sdk(&error)),
    }
}

/// Lists elastic IP addresses.
pub(crate) async fn addresses(session: &Session) -> Result<Vec<Address>, CloudError> {
    session.pace(Call::Describe).await?;
    let answer = session.ec2.describe_addresses().send().await.map_err(|error| from_sdk(&error))?;
    let address = |from: &types::Address| {
        Some(Address {
            id: from.allocation_id()?.to_owned(),
            ip: from.public_ip()?.to_owned(),
            // An empty element says no more than a missing one.
            associated: [from.association_id(), from.instance_id(), from.network_interface_id()].iter().flatten().any(|id| !id.is_empty()),
            tags: tags(from.tags()),
        })
    };
    // Addresses without an allocation are EC2-Classic's, which is no more.
    Ok(answer.addresses().iter().filter_map(address).collect())
}

/// Lists NAT gateways, and which of them a route table leads to.
pub(crate) async fn nat_gateways(session: &Session) -> Result<Vec<NatGateway>, CloudError> {
    let mut pages = session.ec2.describe_nat_gateways().filter(filter("state", ["pending", "available"])).into_paginator().send();
    let mut found = Vec::new();
    loop {
        session.pace(Call::Describe).await?;
        let Some(page) = pages.next().await else { break };
        found.extend(page.map_err(|error| errors::from_sdk(&error))?.nat_gateways.unwrap_or_default());
    }
    if found.is_empty() {
        return Ok(Vec::new());
    }
    let routed = routed(session, found.iter().filter_map(types::NatGateway::nat_gateway_id)).await?;
    let gateway = |from: &types::NatGateway| {
        let id = from.nat_gateway_id().ok_or_else(|| unreadable("a NAT gateway without an id"))?.to_owned();
        Ok(NatGateway {
            available: from.state().is_some_and(|state| state.as_str() == "available"),
            routed: routed.contains(&id),
            created_at: from.create_time().and_then(timestamp),
            tags: tags(from.tags()),
            id,
        })
    };
    found.iter().map(gateway).collect()
}

async fn routed<'a>(session: &Session, gateways: impl Iterator<Item = &'a str>) -> Result<BTreeSet<String>, CloudError> {
    let mut pages = session.ec2.describe_route_tables().filters(filter("route.nat-gateway-id", gateways)).into_paginator().send();
    let mut routed = BTreeSet::new();
    loop {
        session.pace(Call::Describe).await?;
        let Some(page) = pages.next().await else { return Ok(routed) };
        for table in page.map_err(|error| from_sdk(&error))?.route_tables.unwrap_or_default() {
            routed.extend(table.routes().iter().filter_map(|route| route.nat_gateway_id().map(str::to_owned)));
        }
    }
}
