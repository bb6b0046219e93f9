//! Volumes, snapshots, addresses, gateways and the routes to them.

use super::super::answer::{Fault, Xml};
use super::lists::{page, unknown_filter};
use super::{Caller, fault, instance_ids, rows};
use domain::ids::VolumeId;
use domain::node::{NodeTemplate, RootVolume};
use domain::ports::estate::{EbsVolume, NatGateway, SnapshotState, VolumeFilter};
use std::collections::BTreeMap;

/// The tag under which the adapter finds a snapshot again; the port knows it as the mark.
const MARK: &str = "cloudoptim.io/snapshot-of-plan";

/// A volume of the list: the root of an instance, or one by itself.
enum Listed {
    Root { volume: String, instance: domain::ids::InstanceId, root: RootVolume },
    Loose(EbsVolume),
}

pub(super) async fn volumes(caller: &Caller<'_>) -> Result<Xml, Fault> {
    let mut wanted = caller.params.list("VolumeId");
    let mut found = Vec::new();
    for filter in caller.params.filters() {
        match filter.name.as_str() {
            "volume-id" => wanted.extend(filter.values),
            "attachment.instance-id" => wanted.extend(instance_ids(&filter.values)?.iter().map(rows::volume)),
            "status" if filter.values == ["available"] => found.extend(loose(caller, VolumeFilter::Unattached).await?),
            unknown => return Err(unknown_filter(unknown)),
        }
    }
    for volume in &wanted {
        let Some(instance) = rows::instance_of(volume) else { continue };
        let template = caller.server.cloud.template_of(&caller.scope, &instance).await;
        if let Ok(NodeTemplate::Clone { root_volume: Some(root), .. }) = template {
            found.push(Listed::Root { volume: volume.clone(), instance, root });
        }
    }
    let ids: Vec<VolumeId> = wanted.iter().filter_map(|id| VolumeId::parse(id.as_str()).ok()).collect();
    if !ids.is_empty() {
        found.extend(loose(caller, VolumeFilter::Ids(ids)).await?);
    }
    let (page, next) = page(caller, found)?;
    let mut xml = Xml::default();
    xml.items("volumeSet", page, |xml, listed| match listed {
        Listed::Root { volume, instance, root } => attached(xml, &volume, &instance, &root),
        Listed::Loose(volume) => row(xml, &volume),
    });
    xml.maybe("nextToken", next);
    Ok(xml)
}

async fn loose(caller: &Caller<'_>, filter: VolumeFilter) -> Result<impl Iterator<Item = Listed> + use<>, Fault> {
    Ok(caller.server.cloud.volumes(&caller.scope, &filter).await.map_err(fault)?.into_iter().map(Listed::Loose))
}

fn attached(xml: &mut Xml, volume: &str, instance: &domain::ids::InstanceId, root: &RootVolume) {
    xml.text("volumeId", volume).text("size", root.size_gib.to_string()).text("volumeType", &root.volume_type);
    xml.text("encrypted", root.encrypted.to_string()).text("status", "in-use");
    xml.items("attachmentSet", [&root.device], |xml, device| {
        xml.text("instanceId", instance.as_str()).text("volumeId", volume).text("device", device).text("status", "attached");
    });
}

fn row(xml: &mut Xml, volume: &EbsVolume) {
    xml.text("volumeId", volume.id.as_str()).text("size", volume.size_gib.to_string()).text("volumeType", &volume.volume_type);
    xml.text("availabilityZone", volume.zone.as_str()).text("iops", volume.iops.to_string());
    xml.text("throughput", volume.throughput_mib.to_string());
    xml.text("status", if volume.available { "available" } else { "in-use" });
    xml.maybe("createTime", volume.created_at.map(|at| at.to_string()));
    xml.items("attachmentSet", volume.attached.then_some("attached"), |xml, state| {
        xml.text("volumeId", volume.id.as_str()).text("status", state);
    });
    tags(xml, &volume.tags);
}

fn tags(xml: &mut Xml, tags: &BTreeMap<String, String>) {
    xml.items("tagSet", tags, |xml, (key, value)| {
        xml.text("key", key).text("value", value);
    });
}

fn volume_id(caller: &Caller<'_>) -> Result<VolumeId, Fault> {
    let text = caller.params.text("VolumeId").unwrap_or_default();
    VolumeId::parse(text.as_str()).map_err(|_| Fault::client("InvalidParameterValue", format!("Value ({text}) for volume is invalid")))
}

pub(super) async fn delete_volume(caller: &Caller<'_>) -> Result<Xml, Fault> {
    let id = volume_id(caller)?;
    // The port forgives a volume that is gone; EC2 does not.
    let there = caller.server.cloud.volumes(&caller.scope, &VolumeFilter::Ids(vec![id.clone()])).await.map_err(fault)?;
    if there.is_empty() {
        return Err(Fault::client("InvalidVolume.NotFound", format!("The volume '{id}' does not exist.")));
    }
    caller.server.cloud.delete_volume(&caller.scope, &id).await.map_err(fault)?;
    let mut xml = Xml::default();
    xml.text("return", "true");
    Ok(xml)
}

pub(super) async fn create_snapshot(caller: &Caller<'_>) -> Result<Xml, Fault> {
    let id = volume_id(caller)?;
    let mark = caller.params.tags("snapshot").into_iter().find(|(key, _)| key == MARK).map(|(_, mark)| mark);
    let mark = mark.ok_or_else(|| Fault::client("InvalidParameterValue", "a snapshot without our mark is not simulated"))?;
    let made = caller.server.cloud.snapshot(&caller.scope, &id, &mark).await.map_err(fault)?;
    let mut xml = Xml::default();
    xml.text("snapshotId", &made.id).text("volumeId", id.as_str()).text("status", state(made.state));
    Ok(xml)
}

/// Those of a volume under a mark. The port has no list, and making one again finds the one that was made.
pub(super) async fn snapshots(caller: &Caller<'_>) -> Result<Xml, Fault> {
    let (mut of, mut marks) = (Vec::new(), Vec::new());
    for filter in caller.params.filters() {
        match filter.name.as_str() {
            "volume-id" => of = filter.values,
            name if name.strip_prefix("tag:") == Some(MARK) => marks = filter.values,
            unknown => return Err(unknown_filter(unknown)),
        }
    }
    let made = caller.server.world.all_snapshots();
    let fits = |(volume, mark): &(VolumeId, String)| of.iter().any(|id| id == volume.as_str()) && marks.contains(mark);
    let mut found = Vec::new();
    for (volume, mark) in made.into_iter().filter(fits) {
        let snapshot = caller.server.cloud.snapshot(&caller.scope, &volume, &mark).await.map_err(fault)?;
        found.push((volume, snapshot));
    }
    let mut xml = Xml::default();
    xml.items("snapshotSet", found, |xml, (volume, snapshot)| {
        xml.text("snapshotId", &snapshot.id).text("volumeId", volume.as_str()).text("status", state(snapshot.state));
    });
    Ok(xml)
}

fn state(of: SnapshotState) -> &'static str {
    match of {
        SnapshotState::Pending => "pending",
        SnapshotState::Completed => "completed",
        SnapshotState::Failed => "error",
    }
}

pub(super) async fn addresses(caller: &Caller<'_>) -> Result<Xml, Fault> {
    let all = caller.server.cloud.addresses(&caller.scope).await.map_err(fault)?;
    let mut xml = Xml::default();
    xml.items("addressesSet", all, |xml, address| {
        xml.text("allocationId", &address.id).text("publicIp", &address.ip).text("domain", "vpc");
        xml.maybe("associationId", address.associated.then_some("eipassoc-0123456789abcdef0"));
        tags(xml, &address.tags);
    });
    Ok(xml)
}

fn gateway_state(gateway: &NatGateway) -> &'static str {
    if gateway.available { "available" } else { "pending" }
}

pub(super) async fn nat_gateways(caller: &Caller<'_>) -> Result<Xml, Fault> {
    let mut all = caller.server.cloud.nat_gateways(&caller.scope).await.map_err(fault)?;
    for filter in caller.params.filters() {
        match filter.name.as_str() {
            "state" => all.retain(|gateway| filter.values.iter().any(|state| state == gateway_state(gateway))),
            unknown => return Err(unknown_filter(unknown)),
        }
    }
    let (page, next) = page(caller, all)?;
    let mut xml = Xml::default();
    xml.items("natGatewaySet", page, |xml, gateway| {
        xml.text("natGatewayId", &gateway.id).text("state", gateway_state(&gateway));
        xml.maybe("createTime", gateway.created_at.map(|at| at.to_string()));
        tags(xml, &gateway.tags);
    });
    xml.maybe("nextToken", next);
    Ok(xml)
}

/// A table for each gateway that one leads to, and one that leads nowhere.
pub(super) async fn route_tables(caller: &Caller<'_>) -> Result<Xml, Fault> {
    let all = caller.server.cloud.nat_gateways(&caller.scope).await.map_err(fault)?;
    let mut led: Vec<String> = all.into_iter().filter(|gateway| gateway.routed).map(|gateway| gateway.id).collect();
    for filter in caller.params.filters() {
        match filter.name.as_str() {
            "route.nat-gateway-id" => led.retain(|id| filter.values.contains(id)),
            unknown => return Err(unknown_filter(unknown)),
        }
    }
    let (page, next) = page(caller, led)?;
    let mut xml = Xml::default();
    xml.items("routeTableSet", page, |xml, id| {
        xml.text("routeTableId", format!("rtb-of-{id}"));
        xml.items("routeSet", [None, Some(id)], |xml, to| {
            xml.text("destinationCidrBlock", if to.is_some() { "0.0.0.0/0" } else { "10.0.0.0/8" });
            xml.maybe("natGatewayId", to);
        });
    });
    xml.maybe("nextToken", next);
    Ok(xml)
}
