//! Keys. Nothing else in the crate spells one.
//!
//! A partition key begins with the customer, `T#<customer>#`, so that the IAM condition `dynamodb:LeadingKeys` =
//! `T#<customer>#*` alone walls a tenant off; the `#` after the id keeps `acme` out of `acme-2`. Identifiers cannot hold a `#`
//! (they are parsed); free text is encoded by [`text`]. The exceptions are few and stand in `README.md`.

use domain::Timestamp;
use domain::ids::{AccountId, ClusterId, CustomerId, FindingId, InstanceKey, PlanId, Region, TargetId};
use domain::notify::{Delivery, LaneKey, Waiting};
use domain::offering::Pool;
use domain::plan::PlanKey;
use domain::workload::ScaleRef;
use sha2::{Digest, Sha256};

mod asked;

pub(super) use asked::*;

/// The partition key of the table.
pub(super) const PK: &str = "pk";
/// Its sort key.
pub(super) const SK: &str = "sk";
/// The partition key of the index.
pub(super) const GSI1PK: &str = "gsi1pk";
/// Its sort key.
pub(super) const GSI1SK: &str = "gsi1sk";
/// The index.
pub(super) const GSI1: &str = "gsi1";
/// The TTL attribute, in seconds since 1970.
pub(super) const EXPIRES_AT: &str = "expires_at";

/// Over how many partitions the list of unfinished plans is spread: one partition takes 1,000 writes a second.
pub(super) const DUE_SHARDS: u32 = 16;

/// A primary key.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub(super) struct Key {
    pub(super) pk: String,
    pub(super) sk: String,
}

fn key(pk: String, sk: impl Into<String>) -> Key {
    Key { pk, sk: sk.into() }
}

/// A plan; its audit rows share the partition.
pub(super) fn plan(plan: &PlanKey) -> Key {
    key(format!("T#{}#PLAN#{}#{}", plan.customer, plan.cluster, plan.plan), "PLAN")
}

/// An audit row of a plan.
pub(super) fn audit(of: &PlanKey, id: &str) -> Key {
    key(plan(of).pk, format!("{AUDIT_PREFIX}{}", text(id)))
}

/// What the sort keys of audit rows begin with.
pub(super) const AUDIT_PREFIX: &str = "AUDIT#";

/// The mark of an unfinished plan: it is there from the first write of the plan to the one that sets the outcome.
pub(super) fn open_mark(plan: &PlanKey) -> Key {
    key(open_marks(&plan.customer, &plan.cluster), plan.plan.as_str())
}

/// The partition of a cluster's marks.
pub(super) fn open_marks(customer: &CustomerId, cluster: &ClusterId) -> String {
    format!("T#{customer}#OPEN#{cluster}")
}

/// A plan id out of a mark.
pub(super) fn marked_plan(customer: &CustomerId, cluster: &ClusterId, sk: &str) -> Option<PlanKey> {
    Some(PlanKey { customer: customer.clone(), cluster: cluster.clone(), plan: PlanId::parse(sk).ok()? })
}

/// The partition of the due list that a plan stands in.
pub(super) fn due_shard(plan: &PlanKey) -> String {
    let hash = Sha256::digest(plan.to_string());
    due_partition(u32::from(hash.first().copied().unwrap_or_default()) % DUE_SHARDS)
}

/// One partition of the due list.
pub(super) fn due_partition(shard: u32) -> String {
    format!("DUE#{shard:02}")
}

/// Where a plan stands in its partition of the due list.
pub(super) fn due_place(due_at: Timestamp, plan: &PlanKey) -> String {
    format!("{}#{}#{}#{}", instant(due_at), plan.customer, plan.cluster, plan.plan)
}

/// Reads a [`due_place`].
pub(super) fn parse_due_place(place: &str) -> Option<(Timestamp, PlanKey)> {
    let mut parts = place.splitn(4, '#');
    let due_at = parts.next()?.parse().ok()?;
    let customer = CustomerId::parse(parts.next()?).ok()?;
    let cluster = ClusterId::parse(parts.next()?).ok()?;
    Some((due_at, PlanKey { customer, cluster, plan: PlanId::parse(parts.next()?).ok()? }))
}

/// Just behind everything at or before this instant: `$` is the character after `#`.
pub(super) fn after_instant(at: Timestamp) -> String {
    format!("{}$", instant(at))
}

/// A spot event.
pub(super) fn spot_event(customer: &CustomerId, event_id: &str) -> Key {
    key(format!("T#{customer}#SPOT#{}", text(event_id)), "EVENT")
}

/// The index partition of a customer's spot events.
pub(super) fn spot_events(customer: &CustomerId) -> String {
    format!("T#{customer}#SPOT")
}

/// Where a spot event stands in it.
pub(super) fn spot_event_place(received_at: Timestamp, event_id: &str) -> String {
    format!("{}#{}", instant(received_at), text(event_id))
}

/// An operation.
pub(super) fn operation(customer: &CustomerId, id: &str) -> Key {
    key(format!("T#{customer}#OPERATION#{}", text(id)), "OPERATION")
}

/// A customer.
pub(super) fn customer(id: &CustomerId) -> Key {
    key(format!("T#{id}#CUSTOMER"), "CUSTOMER")
}

/// The index partition of all customers: for whoever runs the control plane.
pub(super) const ALL_CUSTOMERS: &str = "CUSTOMERS";

/// A configuration value.
pub(super) fn config(customer: &CustomerId, name: &str) -> Key {
    key(format!("T#{customer}#CONFIG"), text(name))
}

/// The partition of a customer's clusters.
pub(super) fn clusters(customer: &CustomerId) -> String {
    format!("T#{customer}#CLUSTERS")
}

/// A cluster.
pub(super) fn cluster(customer: &CustomerId, id: &ClusterId) -> Key {
    key(clusters(customer), id.as_str())
}

/// The item that stands for a cluster in the list of all clusters.
pub(super) fn listed(customer: &CustomerId, id: &ClusterId) -> Key {
    key(format!("T#{customer}#LISTED"), id.as_str())
}

/// The index partition of all clusters. Written once per registration, read by the sweeper.
pub(super) const ALL_CLUSTERS: &str = "CLUSTERS";

/// Where a cluster stands in it: by id.
pub(super) fn listed_place(customer: &CustomerId, id: &ClusterId) -> String {
    format!("{id}#{customer}")
}

/// The cluster behind a [`listed_place`], and whose it is.
pub(super) fn parse_listed_place(place: &str) -> Option<(CustomerId, ClusterId)> {
    let (id, owner) = place.split_once('#')?;
    Some((CustomerId::parse(owner).ok()?, ClusterId::parse(id).ok()?))
}

/// The index partition of an account's clusters.
pub(super) fn account(account: &AccountId) -> String {
    format!("A#{account}#CLUSTERS")
}

/// Where a cluster or node of a customer stands in an index partition that many customers may share.
pub(super) fn owner_place(customer: &CustomerId, cluster: &ClusterId) -> String {
    format!("T#{customer}#{cluster}")
}

/// The partition of a cluster's nodes.
pub(super) fn nodes(customer: &CustomerId, cluster: &ClusterId) -> String {
    format!("T#{customer}#NODES#{cluster}")
}

/// A node.
pub(super) fn node(customer: &CustomerId, cluster: &ClusterId, of: &InstanceKey) -> Key {
    key(nodes(customer, cluster), format!("{}#{}#{}", of.account, of.region, of.instance))
}

/// The index partition of an instance.
pub(super) fn instance(of: &InstanceKey) -> String {
    format!("A#{}#{}#{}", of.account, of.region, of.instance)
}

/// An API key. The caller is not known yet when it is read, so it cannot stand under a customer; and it stands in the table,
/// not in the index, because a key that was taken back must stop at once.
pub(super) fn api_key(hash: &str) -> Key {
    key(format!("G#KEY#{}", text(hash)), "KEY")
}

/// The stop for everything.
pub(super) fn halt_everything() -> Key {
    key("G#HALT".to_owned(), "HALT")
}

/// The stop of a customer.
pub(super) fn halt_customer(customer: &CustomerId) -> Key {
    key(format!("T#{customer}#HALT"), "HALT")
}

/// The stop of a cluster.
pub(super) fn halt_cluster(customer: &CustomerId, cluster: &ClusterId) -> Key {
    key(format!("T#{customer}#HALT"), format!("HALT#{cluster}"))
}

/// The partition of the pools to avoid: capacity is the account's, whichever of its customers met the lack first.
pub(super) fn pools(account: &AccountId, region: &Region) -> String {
    format!("A#{account}#{region}#POOLS")
}

/// A pool to avoid.
pub(super) fn pool(account: &AccountId, region: &Region, pool: &Pool) -> Key {
    key(pools(account, region), format!("{}#{}#{}", pool.instance_type, pool.zone, pool.capacity.as_str()))
}

/// The partition of a cluster's findings: ids begin with their kind, so that one kind is one stretch of it.
pub(super) fn findings(customer: &CustomerId, cluster: &ClusterId) -> String {
    format!("T#{customer}#FINDINGS#{cluster}")
}

/// A finding.
pub(super) fn finding(customer: &CustomerId, cluster: &ClusterId, id: &FindingId) -> Key {
    key(findings(customer, cluster), id.as_str())
}

/// The index partition of a customer's findings.
pub(super) fn all_findings(customer: &CustomerId) -> String {
    format!("T#{customer}#FINDINGS")
}

/// Where a finding stands in it.
pub(super) fn finding_place(last_seen: Timestamp, id: &FindingId) -> String {
    format!("{}#{id}", instant(last_seen))
}

/// The partition of a customer's targets.
pub(super) fn targets(customer: &CustomerId) -> String {
    format!("T#{customer}#TARGETS")
}

/// A target.
pub(super) fn target(customer: &CustomerId, id: &TargetId) -> Key {
    key(targets(customer), id.as_str())
}

/// The partition of a lane: how far it is, what waits, and what has entered it.
pub(super) fn lane_partition(lane: &LaneKey) -> String {
    format!("T#{}#LANE#{}", lane.customer, lane.target)
}

/// How far a lane is.
pub(super) fn lane(of: &LaneKey) -> Key {
    key(lane_partition(of), "LANE")
}

/// What the sort keys of waiting notices begin with.
pub(super) const WAITING: &str = "WAITING#";

/// A waiting notice: lanes are in the order of these keys.
pub(super) fn waiting(lane: &LaneKey, of: &Waiting) -> Key {
    let Waiting { since, replay, notice } = of;
    key(lane_partition(lane), format!("{WAITING}{}#{}#{}#{replay}", instant(*since), instant(notice.at), text(&notice.id)))
}

/// The mark of a notice that has entered a lane.
pub(super) fn entered(lane: &LaneKey, of: &Waiting) -> Key {
    key(lane_partition(lane), format!("ENTERED#{}#{}", text(&of.notice.id), of.replay))
}

/// The index partition of all lanes that are due some time.
pub(super) const DUE_LANES: &str = "DUE-LANES";

/// Where a lane stands in it.
pub(super) fn due_lane_place(due_at: Timestamp, lane: &LaneKey) -> String {
    format!("{}#{}#{}", instant(due_at), lane.customer, lane.target)
}

/// Reads a [`due_lane_place`].
pub(super) fn parse_due_lane_place(place: &str) -> Option<(Timestamp, LaneKey)> {
    let mut parts = place.splitn(3, '#');
    let due_at = parts.next()?.parse().ok()?;
    let customer = CustomerId::parse(parts.next()?).ok()?;
    Some((due_at, LaneKey { customer, target: TargetId::parse(parts.next()?).ok()? }))
}

/// The partition of what was sent to a target.
pub(super) fn deliveries(lane: &LaneKey) -> String {
    format!("T#{}#SENT#{}", lane.customer, lane.target)
}

/// Where a sending stands in it.
pub(super) fn delivery_place(of: &Delivery) -> String {
    format!("{}#{}#{}", instant(of.at), text(&of.waiting.notice.id), of.attempt)
}

/// A sending.
pub(super) fn delivery(lane: &LaneKey, of: &Delivery) -> Key {
    key(deliveries(lane), delivery_place(of))
}

/// The watchbook of a cluster.
pub(super) fn watchbook(customer: &CustomerId, cluster: &ClusterId) -> Key {
    key(format!("T#{customer}#WATCHBOOK"), cluster.as_str())
}

/// The partition of what sleeps in a cluster.
pub(super) fn asleep(customer: &CustomerId, cluster: &ClusterId) -> String {
    format!("T#{customer}#ASLEEP#{cluster}")
}

/// One object that sleeps.
pub(super) fn asleep_one(customer: &CustomerId, cluster: &ClusterId, target: &ScaleRef) -> Key {
    let ScaleRef { kind, namespace, name } = target;
    key(asleep(customer, cluster), format!("{}#{}#{}", kind.resource(), text(namespace), text(name)))
}

/// The partition of a cluster's ledger.
pub(super) fn ledger(customer: &CustomerId, cluster: &ClusterId) -> String {
    format!("T#{customer}#LEDGER#{cluster}")
}

/// The baseline of a cluster.
pub(super) fn baseline(customer: &CustomerId, cluster: &ClusterId) -> Key {
    key(ledger(customer, cluster), "BASELINE")
}

/// The books of a cluster.
pub(super) fn books(customer: &CustomerId, cluster: &ClusterId) -> Key {
    key(ledger(customer, cluster), "BOOKS")
}

/// A closed hour of a cluster. Nothing in the partition stands behind the hours.
pub(super) fn hour(customer: &CustomerId, cluster: &ClusterId, begins: Timestamp) -> Key {
    key(ledger(customer, cluster), format!("HOUR#{}", instant(begins)))
}

/// An instant with a fixed number of digits, so that the order of the texts is the order of the instants.
pub(super) fn instant(at: Timestamp) -> String {
    format!("{at:.9}")
}

/// Free text as a part of a key: it cannot end its part, is never empty, and never longer than a sort key may be.
pub(super) fn text(raw: &str) -> String {
    let plain = |b: u8| b.is_ascii_alphanumeric() || b"-_.:".contains(&b);
    if (1..=256).contains(&raw.len()) && raw.bytes().all(plain) {
        return raw.to_owned();
    }
    // `~` is not a plain character, so no plain text can be taken for a hash.
    format!("~{}", data_encoding::HEXLOWER.encode(&Sha256::digest(raw)))
}

mod runs;
mod usages;

pub(super) use runs::*;
pub(super) use usages::{judged, round, rounds, usage, usages};

#[cfg(test)]
mod tests;
