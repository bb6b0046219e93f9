//! What a pod requests, counted as kube-scheduler counts it.

use super::PodStatus;
use super::containers::ContainerStatus;
use super::spec::{Container, PodSpec};
use crate::Amounts;

/// Containers and sidecars together, or the hungriest moment of the start if that is more, and the overhead of the runtime. A
/// sidecar is an init container that is always restarted; it runs from its turn on. Requests of the pod as a whole count instead
/// of the sum where they are set. While a resize is under way the larger of what is asked and what is given counts.
pub(super) fn of(spec: &PodSpec<'_>, status: &PodStatus<'_>) -> Amounts {
    let (mut sidecars, mut start) = (Amounts::default(), Amounts::default());
    for container in &spec.init_containers {
        let mut together = sidecars.clone();
        together.add(&own(container, &status.init_container_statuses));
        start.raise(&together);
        if container.sidecar() {
            sidecars = together;
        }
    }
    let mut total = sidecars;
    for container in &spec.containers {
        total.add(&own(container, &status.container_statuses));
    }
    total.raise(&start);
    total.replace(&spec.resources.requests);
    let mut given = status.resources.requests.clone();
    given.raise(&status.allocated_resources);
    total.raise(&given);
    total.add(&spec.overhead);
    total
}

fn own(container: &Container<'_>, statuses: &[ContainerStatus<'_>]) -> Amounts {
    let mut own = container.resources.requests.clone();
    if let Some(status) = statuses.iter().find(|status| status.name == container.name) {
        own.raise(&status.allocated_resources);
        if let Some(given) = &status.resources {
            own.raise(&given.requests);
        }
    }
    own
}
