//! DescribeInstances, and which spot requests AWS has marked.

use crate::access::Session;
use crate::errors::{self, unreadable};
use crate::throttle::Call;
use aws_sdk_ec2::primitives::DateTime;
use aws_sdk_ec2::types::{self, Filter, InstanceLifecycleType, InstanceStateName};
use domain::Timestamp;
use domain::ids::{InstanceId, InstanceType, SubnetId, Zone};
use domain::offering::{CapacityType, Pool};
use domain::ports::{CloudError, Instance, InstanceFilter, InstanceState};
use std::collections::BTreeSet;

/// EC2 takes 200 values per filter.
const IDS_PER_CALL: usize = 100;
/// The largest page EC2 gives: fewer calls against the customer's rate.
const PAGE: i32 = 1_000;
/// Status codes of a spot request whose instance AWS is about to take back.
const MARKED: [&str; 2] = ["marked-for-termination", "marked-for-stop"];

/// Lists instances.
pub(crate) async fn instances(session: &Session, filter: &InstanceFilter) -> Result<Vec<Instance>, CloudError> {
    match filter {
        InstanceFilter::Ids(ids) => {
            let mut all = Vec::with_capacity(ids.len());
            for some in ids.chunks(IDS_PER_CALL) {
                // As a filter, not as ids: one unknown id would make an error of the whole call.
                all.extend(list(session, self::filter("instance-id", some.iter().map(InstanceId::as_str))).await?);
            }
            Ok(all)
        }
        InstanceFilter::Cluster(name) => {
            let tag = format!("kubernetes.io/cluster/{name}");
            let all = list(session, self::filter("tag-key", [tag.as_str()])).await?;
            mark(session, all).await
        }
        InstanceFilter::Owned(name) => list(session, self::filter(&format!("tag:kubernetes.io/cluster/{name}"), ["owned"])).await,
        InstanceFilter::ClientToken(token) => list(session, self::filter("client-token", [token.as_str()])).await,
        InstanceFilter::CapacityReservation(id) => list(session, self::filter("capacity-reservation-id", [id.as_str()])).await,
    }
}

async fn list(session: &Session, filter: Filter) -> Result<Vec<Instance>, CloudError> {
    raw(session, filter).await?.iter().map(instance).collect()
}

/// All pages, as EC2 shows them.
pub(crate) async fn raw(session: &Session, filter: Filter) -> Result<Vec<types::Instance>, CloudError> {
    let mut pages = session.ec2.describe_instances().filters(filter).max_results(PAGE).into_paginator().send();
    let mut all = Vec::new();
    loop {
        session.pace(Call::Describe).await?;
        let Some(page) = pages.next().await else { return Ok(all) };
        let page = page.map_err(|error| errors::from_sdk(&error))?;
        all.extend(page.reservations.unwrap_or_default().into_iter().flat_map(|r| r.instances.unwrap_or_default()));
    }
}

/// Sets `marked_for_interruption`. The marks are the second source of notices; where they cannot be read, the list is still
/// right about everything else, so it is given.
async fn mark(session: &Session, mut all: Vec<Instance>) -> Result<Vec<Instance>, CloudError> {
    if !all.iter().any(|i| i.state.live() && i.pool.capacity == CapacityType::Spot) {
        return Ok(all);
    }
    let marked = match marked(session).await {
        Ok(marked) => marked,
        Err(error) => {
            tracing::warn!(%error, "spot requests cannot be read: interruptions are heard of by notices only");
            return Ok(all);
        }
    };
    for instance in &mut all {
        instance.marked_for_interruption = marked.contains(instance.id.as_str());
    }
    Ok(all)
}

/// Ids of all instances of the account in this Region that are marked: few, at any time.
async fn marked(session: &Session) -> Result<BTreeSet<String>, CloudError> {
    let call = session.ec2.describe_spot_instance_requests().filters(filter("status-code", MARKED)).max_results(PAGE);
    let mut pages = call.into_paginator().send();
    let mut ids = BTreeSet::new();
    loop {
        session.pace(Call::Describe).await?;
        let Some(page) = pages.next().await else { return Ok(ids) };
        let page = page.map_err(|error| errors::from_sdk(&error))?;
        ids.extend(page.spot_instance_requests.unwrap_or_default().into_iter().filter_map(|request| request.instance_id));
    }
}

/// A filter of describe calls.
pub(crate) fn filter<'a>(name: &str, values: impl IntoIterator<Item = &'a str>) -> Filter {
    let values = values.into_iter().map(ToOwned::to_owned).collect();
    Filter::builder().name(name).set_values(Some(values)).build()
}

/// An instance in our words.
///
/// # Errors
/// [`CloudError::Ambiguous`] where something that EC2 always says is missing: a row that cannot be read must not look like an
/// instance that is not there.
pub(crate) fn instance(from: &types::Instance) -> Result<Instance, CloudError> {
    let id = from.instance_id().and_then(|id| InstanceId::parse(id).ok()).ok_or_else(|| unreadable("an instance without an id"))?;
    let missing = |what: &str| unreadable(&format!("{id} has no {what}"));
    let instance_type = from.instance_type().and_then(|t| InstanceType::parse(t.as_str()).ok()).ok_or_else(|| missing("type"))?;
    let zone = from.placement().and_then(|p| p.availability_zone()).and_then(|z| Zone::parse(z).ok()).ok_or_else(|| missing("zone"))?;
    Ok(Instance {
        state: from.state().and_then(|s| s.name()).and_then(state).ok_or_else(|| missing("state"))?,
        pool: Pool { instance_type, zone, capacity: capacity(from) },
        subnet: from.subnet_id().and_then(|s| SubnetId::parse(s).ok()),
        launched_at: from.launch_time().and_then(timestamp),
        client_token: from.client_token().filter(|t| !t.is_empty()).map(ToOwned::to_owned),
        private_dns: from.private_dns_name().filter(|n| !n.is_empty()).map(ToOwned::to_owned),
        state_reason: from.state_reason().and_then(|r| r.code()).filter(|c| !c.is_empty()).map(ToOwned::to_owned),
        marked_for_interruption: false,
        tags: from.tags().iter().filter_map(|t| Some((t.key()?.to_owned(), t.value().unwrap_or_default().to_owned()))).collect(),
        id,
    })
}

fn capacity(from: &types::Instance) -> CapacityType {
    match from.instance_lifecycle() {
        Some(InstanceLifecycleType::Spot) => CapacityType::Spot,
        // `scheduled` and `capacity-block` are kept until their owner ends them; so is what has no lifecycle.
        Some(_) | None => CapacityType::OnDemand,
    }
}

fn state(name: &InstanceStateName) -> Option<InstanceState> {
    match name.as_str() {
        "pending" => Some(InstanceState::Pending),
        "running" => Some(InstanceState::Running),
        "shutting-down" => Some(InstanceState::ShuttingDown),
        "terminated" => Some(InstanceState::Terminated),
        "stopping" => Some(InstanceState::Stopping),
        "stopped" => Some(InstanceState::Stopped),
        _ => None,
    }
}

/// A time of the SDK as ours.
pub(crate) fn timestamp(time: &DateTime) -> Option<Timestamp> {
    Timestamp::new(time.secs(), i32::try_from(time.subsec_nanos()).ok()?).ok()
}

#[cfg(test)]
mod tests;
