//! The describe calls.

use super::super::answer::{Fault, Xml};
use super::super::query::Filter;
use super::{Caller, fault, instance_ids, no_instance, rows};
use domain::ids::{InstanceId, InstanceType, Zone};
use domain::node::NodeTemplate;
use domain::offering::CapacityType;
use domain::ports::{Instance, InstanceFilter};
use jiff::Timestamp;

const CLUSTER_TAG: &str = "kubernetes.io/cluster/";

pub(super) async fn instances(caller: &Caller<'_>) -> Result<Xml, Fault> {
    let (asked, filters) = (instance_ids(&caller.params.list("InstanceId"))?, caller.params.filters());
    let found = candidates(caller, &asked, &filters).await?;
    if let Some(unknown) = asked.iter().find(|id| found.iter().all(|i| i.id != **id)) {
        return Err(no_instance(unknown));
    }
    let mut matching = Vec::new();
    for instance in found {
        if matches(&instance, &filters)? {
            matching.push(instance);
        }
    }
    let (page, next) = page(caller, matching)?;
    let mut rows = Vec::new();
    for instance in page {
        let template = caller.server.cloud.template_of(&caller.scope, &instance.id).await.ok();
        rows.push((instance, template));
    }
    let mut xml = Xml::default();
    xml.items("reservationSet", rows, |xml, (instance, template)| {
        rows::reservation(xml, &caller.scope.account, &instance, template.as_ref());
    });
    xml.maybe("nextToken", next);
    Ok(xml)
}

/// Asks the port as narrowly as it can be asked.
async fn candidates(caller: &Caller<'_>, asked: &[InstanceId], filters: &[Filter]) -> Result<Vec<Instance>, Fault> {
    let narrow = filters.iter().find_map(|filter| match (filter.name.as_str(), filter.values.as_slice()) {
        ("client-token", [token]) => Some(InstanceFilter::ClientToken(token.clone())),
        ("capacity-reservation-id", [id]) => Some(InstanceFilter::CapacityReservation(id.clone())),
        ("tag-key", [key]) => key.strip_prefix(CLUSTER_TAG).map(|name| InstanceFilter::Cluster(name.to_owned())),
        (tag, [word]) if word == "owned" => {
            tag.strip_prefix("tag:").and_then(|key| key.strip_prefix(CLUSTER_TAG)).map(|name| InstanceFilter::Owned(name.to_owned()))
        }
        ("instance-id", ids) => Some(InstanceFilter::Ids(ids.iter().filter_map(|id| InstanceId::parse(id.as_str()).ok()).collect())),
        _ => None,
    });
    let filter = match narrow {
        _ if !asked.is_empty() => InstanceFilter::Ids(asked.to_vec()),
        Some(filter) => filter,
        None => InstanceFilter::Ids(caller.server.world.with(|state| state.machines.keys().cloned().collect())),
    };
    caller.server.cloud.instances(&caller.scope, &filter).await.map_err(fault)
}

fn matches(instance: &Instance, filters: &[Filter]) -> Result<bool, Fault> {
    let mut all = true;
    for filter in filters {
        let has = |value: &str| filter.values.iter().any(|wanted| wanted == value);
        all &= match filter.name.as_str() {
            "instance-id" => has(instance.id.as_str()),
            "client-token" => instance.client_token.as_deref().is_some_and(has),
            "tag-key" => instance.tags.keys().any(|key| has(key)),
            "instance-state-name" => has(&rows::state_name(instance.state)),
            "instance-type" => has(instance.pool.instance_type.as_str()),
            "availability-zone" => has(instance.pool.zone.as_str()),
            // The port has looked for these; a row does not carry them.
            "capacity-reservation-id" => true,
            tag if tag.starts_with("tag:") => instance.tags.get(tag.trim_start_matches("tag:")).is_some_and(|value| has(value)),
            unknown => return Err(unknown_filter(unknown)),
        };
    }
    Ok(all)
}

pub(super) fn unknown_filter(name: &str) -> Fault {
    Fault::client("InvalidParameterValue", format!("The filter '{name}' is invalid"))
}

/// One page of what was found, and the token of the next.
pub(super) fn page<T>(caller: &Caller<'_>, all: Vec<T>) -> Result<(Vec<T>, Option<String>), Fault> {
    let invalid = |name: &str| Fault::client("InvalidParameterValue", format!("Value for parameter {name} is invalid."));
    let from = match caller.params.text("NextToken") {
        Some(token) => token.strip_prefix("from-").and_then(|n| n.parse::<usize>().ok()).ok_or_else(|| invalid("NextToken"))?,
        None => 0,
    };
    let most = match caller.params.text("MaxResults") {
        Some(text) => text.parse::<usize>().ok().filter(|n| (5..=1_000).contains(n)).ok_or_else(|| invalid("MaxResults"))?,
        None => 1_000,
    };
    let most = most.min(caller.server.page_max);
    let next = (all.len() > from + most).then(|| format!("from-{}", from + most));
    Ok((all.into_iter().skip(from).take(most).collect(), next))
}

pub(super) async fn attribute(caller: &Caller<'_>) -> Result<Xml, Fault> {
    let id = instance_ids(&[caller.params.text("InstanceId").unwrap_or_default()])?.swap_remove(0);
    let template = caller.server.cloud.template_of(&caller.scope, &id).await.map_err(fault)?;
    match (caller.params.get("Attribute"), template) {
        (Some("disableApiTermination"), _) => {
            let forbidden = caller.server.cloud.end_forbidden(&caller.scope, &id).await.map_err(fault)?;
            let mut xml = Xml::default();
            xml.text("instanceId", id.as_str()).nest("disableApiTermination", |xml| {
                xml.text("value", forbidden.to_string());
            });
            Ok(xml)
        }
        (Some("userData"), NodeTemplate::Clone { user_data, .. }) => {
            let mut xml = Xml::default();
            xml.text("instanceId", id.as_str()).nest("userData", |xml| {
                xml.maybe("value", user_data);
            });
            Ok(xml)
        }
        (other, _) => Err(Fault::client("InvalidParameterValue", format!("the attribute {other:?} is not simulated"))),
    }
}

pub(super) async fn spot_requests(caller: &Caller<'_>) -> Result<Xml, Fault> {
    let ids = caller.server.world.with(|state| state.machines.keys().cloned().collect());
    let all = caller.server.cloud.instances(&caller.scope, &InstanceFilter::Ids(ids)).await.map_err(fault)?;
    let filters = caller.params.filters();
    let mut found = Vec::new();
    for instance in all.into_iter().filter(|i| i.pool.capacity == CapacityType::Spot) {
        let (state, code) = match (instance.state.live(), instance.marked_for_interruption) {
            (false, _) => ("closed", "instance-terminated-by-service"),
            (true, true) => ("active", "marked-for-termination"),
            (true, false) => ("active", "fulfilled"),
        };
        let mut wanted = true;
        for filter in &filters {
            wanted &= match filter.name.as_str() {
                "status-code" => filter.values.iter().any(|v| v == code),
                "state" => filter.values.iter().any(|v| v == state),
                "instance-id" => filter.values.iter().any(|v| v == instance.id.as_str()),
                unknown => return Err(unknown_filter(unknown)),
            };
        }
        if wanted {
            found.push((instance, state, code));
        }
    }
    let (page, next) = page(caller, found)?;
    let mut xml = Xml::default();
    xml.items("spotInstanceRequestSet", page, |xml, (instance, state, code)| {
        xml.text("spotInstanceRequestId", rows::spot_request(&instance.id)).text("instanceId", instance.id.as_str());
        xml.text("state", state).text("type", "one-time").text("launchedAvailabilityZone", instance.pool.zone.as_str());
        xml.nest("status", |xml| {
            xml.text("code", code);
        });
    });
    xml.maybe("nextToken", next);
    Ok(xml)
}

pub(super) async fn spot_prices(caller: &Caller<'_>) -> Result<Xml, Fault> {
    let invalid = |what: &str| Fault::client("InvalidParameterValue", format!("Value for {what} is invalid."));
    let types: Result<Vec<_>, _> = caller.params.list("InstanceType").into_iter().map(InstanceType::parse).collect();
    let mut zones = all_zones(caller);
    for filter in caller.params.filters() {
        match filter.name.as_str() {
            "availability-zone" => zones.retain(|zone| filter.values.iter().any(|v| v == zone.as_str())),
            unknown => return Err(unknown_filter(unknown)),
        }
    }
    let since = caller.params.text("StartTime").map_or(Ok(Timestamp::MIN), |t| t.parse()).map_err(|_| invalid("StartTime"))?;
    let types = types.map_err(|_| invalid("InstanceType"))?;
    let prices = caller.server.cloud.spot_prices(&caller.scope, &types, &zones, since).await.map_err(fault)?;
    let (page, next) = page(caller, prices)?;
    let mut xml = Xml::default();
    xml.items("spotPriceHistorySet", page, |xml, price| {
        let micros = price.price_per_hour.0;
        xml.text("instanceType", price.pool.instance_type.as_str()).text("productDescription", "Linux/UNIX");
        xml.text("spotPrice", format!("{}.{:06}", micros / 1_000_000, micros % 1_000_000));
        xml.text("timestamp", price.since.to_string()).text("availabilityZone", price.pool.zone.as_str());
    });
    // EC2 sends an empty token where there is no next page.
    xml.text("nextToken", next.unwrap_or_default());
    Ok(xml)
}

/// Without pages, as EC2 has it. What is not of Linux and shared tenancy, or is over, stands among them.
pub(super) async fn reserved(caller: &Caller<'_>) -> Result<Xml, Fault> {
    let found = caller.server.cloud.reserved(&caller.scope).await.map_err(fault)?;
    let rows = found
        .iter()
        .flat_map(|row| [(row, "active", "Linux/UNIX (Amazon VPC)"), (row, "retired", "Linux/UNIX"), (row, "active", "Windows")]);
    let mut wanted = Vec::new();
    for (row, state, product) in rows {
        let mut all = true;
        for filter in caller.params.filters() {
            let has = |value: &str| filter.values.iter().any(|wanted| wanted == value);
            all &= match filter.name.as_str() {
                "state" => has(state),
                "product-description" => has(product),
                unknown => return Err(unknown_filter(unknown)),
            };
        }
        if all {
            wanted.push((row, state, product));
        }
    }
    let mut xml = Xml::default();
    xml.items("reservedInstancesSet", wanted, |xml, (row, state, product)| {
        xml.text("instanceType", row.instance_type.as_str()).text("instanceCount", row.count.to_string());
        xml.text("scope", if row.zone.is_some() { "Availability Zone" } else { "Region" });
        xml.maybe("availabilityZone", row.zone.as_ref());
        xml.text("productDescription", product).text("instanceTenancy", "default").text("state", state);
    });
    Ok(xml)
}

fn all_zones(caller: &Caller<'_>) -> Vec<Zone> {
    let scope = &caller.scope;
    let all: std::collections::BTreeSet<Zone> = caller.server.world.with(|state| {
        let here = state.clusters.iter().filter(|kube| kube.spec.account == scope.account && kube.spec.region == scope.region);
        here.flat_map(|kube| kube.subnets.keys().cloned()).collect()
    });
    all.into_iter().collect()
}
