//! Gives containers other sizes, and waits until their pods have them.
//!
//! A patch is made only over what the plan was made from: where somebody else has changed the sizes meanwhile, nothing is done. What has
//! the new sizes already was patched by an earlier try of ours.

use super::{Attempt, Performed, from_cluster};
use crate::ports::{Ports, Site};
use domain::SignedDuration;
use domain::plan::check::{Blocked, Rule};
use domain::pod::PodPhase;
use domain::ports::{Cluster, ClusterError, EvictError};
use domain::sizing::{ContainerSizes, PodContainers, Resource, SizeChange, Sizes, WorkloadView};
use domain::workload::{WorkloadKind, WorkloadRef};

/// How often we look whether a roll-out is over.
const LOOK: SignedDuration = SignedDuration::from_secs(10);
/// For how long a workload whose pods cannot all be used is waited for: pods move for other reasons, too.
const SETTLES_WITHIN: SignedDuration = SignedDuration::from_mins(10);
/// A roll-out that a controller has not begun after this time has nothing to do.
const BEGINS_WITHIN: SignedDuration = SignedDuration::from_secs(15);

/// How the sizes of a workload stand to the changes of a plan.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Found {
    /// All as it was when the plan was made.
    Before,
    /// All as the plan wants it.
    After,
    /// Somebody else has changed something; the sentence says what.
    Other(String),
}

/// Compares what is there with what was and what is wanted.
pub(crate) fn compare(view: &WorkloadView, changes: &[SizeChange]) -> Found {
    let sizes = |change: &SizeChange| view.sizes(&change.container);
    if changes.iter().all(|change| sizes(change) == Some(change.to)) {
        return Found::After;
    }
    match changes.iter().find(|change| sizes(change) != Some(change.from)) {
        None => Found::Before,
        Some(change) => {
            Found::Other(format!("the sizes of container {} of {} were changed by somebody else", change.container, view.workload))
        }
    }
}

/// What speaks against a patch just before it is made.
fn objections(view: &WorkloadView) -> Option<Blocked> {
    let blocked = |rule, why| Some(Blocked { rule, object: view.workload.to_string(), why });
    if let Some(by) = &view.managed_by {
        return blocked(Rule::ManagedElsewhere, format!("{by} writes {} by now and would take the change back", view.workload));
    }
    if !view.settled() {
        return blocked(Rule::RollOut, format!("{} is being rolled out, or not all of its pods can be used", view.workload));
    }
    None
}

pub(super) async fn patch(
    ports: &Ports,
    site: &Site,
    attempt: &Attempt,
    workload: &WorkloadRef,
    changes: &[SizeChange],
    in_place: bool,
) -> Performed {
    let cluster = match &site.kubernetes {
        Ok(cluster) => cluster,
        Err(error) => return from_cluster(ports, attempt, error),
    };
    let view = match cluster.workload(workload).await {
        Ok(view) => view,
        Err(error) => return from_cluster(ports, attempt, &error),
    };
    match compare(&view, changes) {
        Found::Other(why) => return Performed::Failed(why),
        Found::After => {}
        Found::Before => {
            // More memory is for pods that are being killed: they can be used seldom, and that is why it is given.
            if let Some(blocked) = objections(&view).filter(|blocked| !(raises(changes) && blocked.rule == Rule::RollOut)) {
                let now = ports.clock.now();
                let soon = blocked.rule == Rule::RollOut && now < attempt.started_at + SETTLES_WITHIN;
                return if soon { Performed::Wait { until: now + LOOK, effect: None } } else { Performed::Failed(blocked.why) };
            }
            if let Err(error) = cluster.patch_requests(workload, &view.version, &wanted(changes)).await {
                return from_cluster(ports, attempt, &error);
            }
        }
    }
    if in_place {
        resize_pods(cluster.as_ref(), workload, &wanted(changes)).await;
    }
    Performed::Done(None)
}

/// Whether nothing is lowered and memory is raised.
fn raises(changes: &[SizeChange]) -> bool {
    let up = |from: Option<u64>, to: Option<u64>| to >= from;
    changes.iter().all(|change| {
        up(change.from.memory_request, change.to.memory_request)
            && up(change.from.memory_limit, change.to.memory_limit)
            && (change.from.cpu_request, change.from.cpu_limit) == (change.to.cpu_request, change.to.cpu_limit)
    })
}

fn wanted(changes: &[SizeChange]) -> Vec<ContainerSizes> {
    changes.iter().map(|change| ContainerSizes { container: change.container.clone(), sizes: change.to }).collect()
}

/// Gives running pods the new sizes at once, where the cluster can do that. What it cannot do, the roll-out does: nothing here is an
/// error of the step.
async fn resize_pods(cluster: &dyn Cluster, workload: &WorkloadRef, sizes: &[ContainerSizes]) {
    let Ok(pods) = cluster.containers().await else { return };
    for pod in pods.iter().filter(|pod| pod.phase == PodPhase::Running && pod.workload().as_ref() == Some(workload)) {
        let sizes: Vec<ContainerSizes> = sizes.iter().filter(|wanted| may_resize(pod, wanted)).cloned().collect();
        if sizes.is_empty() {
            continue;
        }
        match cluster.resize_in_place(&pod.pod, &sizes).await {
            Ok(domain::sizing::InPlace::Unsupported) => return,
            Ok(domain::sizing::InPlace::Accepted) => {}
            Err(error) => tracing::info!(pod = %pod.pod, %error, "A pod was not resized in place; its roll-out does it"),
        }
    }
}

/// A running pod keeps its quality of service, and its memory limit is never lowered.
fn may_resize(pod: &PodContainers, wanted: &ContainerSizes) -> bool {
    let Some(now) = pod.containers.iter().find(|one| one.container == wanted.container).map(|one| one.sizes) else { return false };
    let lower = |of: &Sizes| of.limit(Resource::Memory).unwrap_or(u64::MAX);
    now != wanted.sizes && now.class() == wanted.sizes.class() && lower(&wanted.sizes) >= lower(&now)
}

pub(super) async fn await_roll_out(ports: &Ports, site: &Site, attempt: &Attempt, workload: &WorkloadRef, within_s: u32) -> Performed {
    let now = ports.clock.now();
    let late = now > attempt.started_at + SignedDuration::from_secs(i64::from(within_s));
    let again = Performed::Wait { until: now + LOOK, effect: None };
    let seen = match &site.kubernetes {
        Ok(cluster) => cluster.workload(workload).await,
        Err(error) => Err(error.clone()),
    };
    match seen {
        Ok(view) => match view.stalled {
            Some(why) => Performed::Failed(format!("{workload} is not rolled out: {why}")),
            // Just after the patch its controller may not have looked yet, and then everything looks as before.
            None if view.settled() && now > attempt.started_at + BEGINS_WITHIN => Performed::Done(None),
            None if late => Performed::Failed(format!(
                "{workload} was not rolled out within {within_s} s: {} of {} pods have the new sizes, and {} can be used",
                view.updated, view.replicas, view.available
            )),
            None => again,
        },
        Err(ClusterError::Gone) => Performed::Expired(format!("{workload} is gone")),
        Err(error) if late => Performed::Failed(format!("{workload} may be rolled out, but {error}")),
        Err(error @ (ClusterError::Unauthorized | ClusterError::Forbidden(_) | ClusterError::Refused(_))) => {
            from_cluster(ports, attempt, &error)
        }
        Err(ClusterError::Unreachable(_) | ClusterError::Conflict | ClusterError::Overloaded(_)) => again,
    }
}

/// Gives containers what they had, unless somebody else has changed it meanwhile. `Ok(false)`: not yet.
pub(crate) async fn patch_back(site: &Site, workload: &WorkloadRef, changes: &[SizeChange]) -> Result<bool, String> {
    let cluster = site.kubernetes.as_ref().map_err(ToString::to_string)?;
    let view = match cluster.workload(workload).await {
        Ok(view) => view,
        Err(ClusterError::Gone) => return Ok(true),
        Err(error) => return Err(error.to_string()),
    };
    match compare(&view, changes) {
        // What somebody else wrote is theirs.
        Found::Other(_) => return Ok(true),
        // Never patched, or taken back already.
        Found::Before => return unstick(cluster.as_ref(), workload, changes).await,
        Found::After => {}
    }
    let before: Vec<ContainerSizes> =
        changes.iter().map(|change| ContainerSizes { container: change.container.clone(), sizes: change.from }).collect();
    match cluster.patch_requests(workload, &view.version, &before).await {
        Ok(()) => unstick(cluster.as_ref(), workload, changes).await,
        Err(ClusterError::Gone) => Ok(true),
        Err(ClusterError::Conflict) => Ok(false),
        Err(error) => Err(error.to_string()),
    }
}

/// A StatefulSet waits for a pod that never starts, even when its template has been put back (Kubernetes, "StatefulSets", section
/// "Forced rollback"): the pods that wait with the sizes that were taken back are evicted, and are made anew with what they had.
/// `Ok(false)`: not yet.
async fn unstick(cluster: &dyn Cluster, workload: &WorkloadRef, changes: &[SizeChange]) -> Result<bool, String> {
    if workload.kind != WorkloadKind::StatefulSet {
        return Ok(true);
    }
    let pods = cluster.containers().await.map_err(|error| error.to_string())?;
    let new = |pod: &PodContainers, change: &SizeChange| {
        pod.containers.iter().any(|one| one.container == change.container && one.sizes == change.to && one.sizes != change.from)
    };
    let waits = |pod: &&PodContainers| pod.phase == PodPhase::Pending && pod.workload().as_ref() == Some(workload);
    for pod in pods.iter().filter(waits).filter(|pod| changes.iter().any(|change| new(pod, change))) {
        match cluster.evict(&pod.pod).await {
            Ok(()) => {}
            Err(EvictError::Budget(_) | EvictError::BudgetBehind(_)) => return Ok(false),
            Err(error @ (EvictError::ManyBudgets | EvictError::NamespaceTerminating | EvictError::Cluster(_))) => {
                return Err(format!("pod {} waits with the sizes that were taken back, and cannot be evicted: {error}", pod.pod));
            }
        }
    }
    Ok(true)
}
