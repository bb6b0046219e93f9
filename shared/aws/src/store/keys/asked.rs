//! Keys of what is asked of the API: API keys by their names, the trail, and what each key has used.

use super::{Key, instant, key, text};
use domain::Timestamp;
use domain::ids::{ClusterId, CustomerId, PlanId};
use domain::plan::PlanKey;
use domain::savings::Month;

/// The partition of a customer's keys, by their names.
pub(in crate::store) fn api_keys(customer: &CustomerId) -> String {
    format!("T#{customer}#KEYS")
}

/// The place of a key in it.
pub(in crate::store) fn named_key(customer: &CustomerId, id: &str) -> Key {
    key(api_keys(customer), text(id))
}

/// The partition of what was asked for a customer.
pub(in crate::store) fn requests(customer: &CustomerId) -> String {
    format!("T#{customer}#REQUESTS")
}

/// A request; its sort key is its place among them.
pub(in crate::store) fn request(customer: &CustomerId, at: Timestamp, id: &str) -> Key {
    key(requests(customer), format!("{}#{}", instant(at), text(id)))
}

/// The index partition of what a customer's plans did.
pub(in crate::store) fn actions(customer: &CustomerId) -> String {
    format!("T#{customer}#ACTIONS")
}

/// Where an audit row stands in it.
pub(in crate::store) fn action_place(opened_at: Timestamp, of: &PlanKey, id: &str) -> String {
    format!("{}#{of}#{}", instant(opened_at), text(id))
}

/// The partition of the list of a customer's plans.
pub(in crate::store) fn listed_plans(customer: &CustomerId) -> String {
    format!("T#{customer}#PLANS")
}

/// What stands for a plan in that list; its sort key is its place.
pub(in crate::store) fn listed_plan(of: &PlanKey, created_at: Timestamp) -> Key {
    key(listed_plans(&of.customer), format!("{}#{}#{}", instant(created_at), of.cluster, of.plan))
}

/// The plan behind a place in that list.
pub(in crate::store) fn parse_listed_plan(customer: &CustomerId, place: &str) -> Option<PlanKey> {
    let mut parts = place.splitn(3, '#').skip(1);
    let cluster = ClusterId::parse(parts.next()?).ok()?;
    Some(PlanKey { customer: customer.clone(), cluster, plan: PlanId::parse(parts.next()?).ok()? })
}

/// The partition of what a month of a customer comes to.
pub(in crate::store) fn metered(customer: &CustomerId, month: Month) -> String {
    format!("T#{customer}#METERED#{month}")
}

/// A cluster in it.
pub(in crate::store) fn metered_cluster(customer: &CustomerId, month: Month, cluster: &ClusterId) -> Key {
    key(metered(customer, month), cluster.as_str())
}

/// The index partition of a customer's operations.
pub(in crate::store) fn operations(customer: &CustomerId) -> String {
    format!("T#{customer}#OPERATIONS")
}

/// Where an operation stands in it.
pub(in crate::store) fn operation_place(created_at: Timestamp, id: &str) -> String {
    format!("{}#{}", instant(created_at), text(id))
}

/// What a key has used of a window.
pub(in crate::store) fn quota(customer: &CustomerId, name: &str, window: Timestamp) -> Key {
    key(format!("T#{customer}#QUOTA#{}", text(name)), instant(window))
}

/// An idempotency key.
pub(in crate::store) fn idempotency(customer: &CustomerId, name: &str) -> Key {
    key(format!("T#{customer}#IDEMPOTENCY#{}", text(name)), "IDEMPOTENCY")
}
