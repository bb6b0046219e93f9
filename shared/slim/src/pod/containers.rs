//! Containers of a pod: the sizes that are in effect, and how they were last ended for lack of memory.

use super::spec::{Container, PodSpec};
use super::{PodStatus, Text};
use crate::{Amounts, Asked, nullable, time};
use domain::ids::PodUid;
use domain::sizing::ContainerState;
use domain::usage::OomKill;
use serde::Deserialize;

/// One of `status.containerStatuses`.
#[derive(Debug, Default, Deserialize)]
#[serde(default, rename_all = "camelCase")]
pub(super) struct ContainerStatus<'a> {
    #[serde(borrow)]
    pub(super) name: Text<'a>,
    pub(super) allocated_resources: Amounts,
    /// What the node gives it.
    pub(super) resources: Option<Asked>,
    #[serde(deserialize_with = "nullable")]
    restart_count: i64,
    #[serde(borrow, deserialize_with = "nullable")]
    state: State<'a>,
    #[serde(borrow, deserialize_with = "nullable")]
    last_state: State<'a>,
}

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
struct State<'a> {
    #[serde(borrow)]
    terminated: Option<Terminated<'a>>,
}

#[derive(Debug, Default, Deserialize)]
#[serde(default, rename_all = "camelCase")]
struct Terminated<'a> {
    #[serde(borrow)]
    reason: Text<'a>,
    finished_at: Option<String>,
}

/// The containers of a pod of this uid.
pub(super) fn of(spec: &PodSpec<'_>, status: &PodStatus<'_>, uid: &PodUid) -> Vec<ContainerState> {
    let state = |container: &Container<'_>| {
        let status = status.container_statuses.iter().find(|status| status.name == container.name);
        // What the node gives wins over what the pod asks for: a resize may be under way.
        let sizes = status.and_then(|status| status.resources.as_ref()).unwrap_or(&container.resources).sizes();
        let oom = status.and_then(ContainerStatus::killed).map(|(restarts, finished_s)| OomKill {
            pod_uid: uid.to_string(),
            container: container.name.as_str().to_owned(),
            restarts,
            finished_s,
            request: sizes.memory_request,
            limit: sizes.memory_limit,
        });
        ContainerState { container: container.name.as_str().to_owned(), sizes, oom }
    };
    spec.containers.iter().map(state).collect()
}

impl ContainerStatus<'_> {
    /// How often the container had been started again, and when it was killed. A container that is down now counts as well as one that
    /// runs again; both are the same kill, so the number is that of the start it ended.
    fn killed(&self) -> Option<(u32, i64)> {
        let of = |state: &State<'_>| {
            let ended = state.terminated.as_ref().filter(|ended| ended.reason.as_str() == "OOMKilled")?;
            Some(time(ended.finished_at.as_ref())?.as_second())
        };
        let restarts = u32::try_from(self.restart_count).unwrap_or(0);
        match (of(&self.state), of(&self.last_state)) {
            (Some(at), _) => Some((restarts, at)),
            (None, Some(at)) => Some((restarts.saturating_sub(1), at)),
            (None, None) => None,
        }
    }
}
