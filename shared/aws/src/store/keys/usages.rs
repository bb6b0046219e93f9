//! Keys of what is remembered of containers.

use super::{ClusterId, CustomerId, Key};
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
