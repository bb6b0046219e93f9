//! Keys of what is remembered of containers.

use super::{ClusterId, CustomerId, Key, Timestamp, instant};
use domain::usage::ContainerRef;

/// The partition of what is remembered of a cluster's containers.
pub(in crate::store) fn usages(customer: &CustomerId, cluster: &ClusterId) -> String {
    format!("T#{customer}#USAGE#{cluster}")
}

/// What is remembered of one container. Kubernetes' names hold no `/`.
pub(in crate::store) fn usage(customer: &CustomerId, cluster: &ClusterId, of: &ContainerRef) -> Key {
    let workload = &of.workload;
    let place = format!("{}/{}/{}/{}", workload.namespace, workload.kind.resource(), workload.name, of.container);
    Key { pk: usages(customer, cluster), sk: place }
}

/// The partition of a cluster's rounds that are not folded in yet.
pub(in crate::store) fn rounds(customer: &CustomerId, cluster: &ClusterId) -> String {
    format!("T#{customer}#ROUNDS#{cluster}")
}

/// One round.
pub(in crate::store) fn round(customer: &CustomerId, cluster: &ClusterId, at: Timestamp) -> Key {
    Key { pk: rounds(customer, cluster), sk: instant(at) }
}

/// When a cluster's sizes were judged: apart from the rounds, of which all behind a time are read.
pub(in crate::store) fn judged(customer: &CustomerId, cluster: &ClusterId) -> Key {
    Key { pk: format!("T#{customer}#JUDGED"), sk: cluster.to_string() }
}
