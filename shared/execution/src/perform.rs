//! Performs one step. Every action here bears repeating: it may have happened already, by a worker that died.

use crate::ports::{Ports, Site};
use domain::ids::InstanceId;
use domain::plan::action::Action;
use domain::plan::{Effect, PlanKey};
use domain::pod::{PodBudget, PodView};
use domain::ports::ClusterError;
use domain::{SignedDuration, Timestamp};
use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, PoisonError};

mod ghost;
pub(crate) mod launch;
pub(crate) mod nodes;
mod ready;
mod resize;
pub(crate) mod sizes;
mod volume;

/// What a worker needs to perform a step: a copy, so that steps can run side by side.
#[derive(Debug, Clone)]
pub struct Attempt {
    /// The plan.
    pub key: PlanKey,
    /// Index of the step.
    pub step: usize,
    /// What to do.
    pub action: Option<Action>,
    /// Part of the client token.
    pub generation: u32,
    /// What the intent remembers.
    pub effect: Effect,
    /// When the step was begun.
    pub started_at: Timestamp,
    /// The instance that an `AwaitReady` waits for.
    pub awaited: Option<InstanceId>,
    /// When the node is gone.
    pub node_deadline: Option<Timestamp>,
    /// When the plan must have ended.
    pub plan_deadline: Timestamp,
}

/// What came of a step.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Performed {
    /// It happened.
    Done(Option<Effect>),
    /// It did not, and trying again would not help. The sentence says what a person can do.
    Failed(String),
    /// The world was faster.
    Expired(String),
    /// It definitely did not happen this way; the next way is to be written down and tried.
    Retry {
        /// What the next intent remembers.
        effect: Effect,
    },
    /// Not yet.
    Wait {
        /// When to look again.
        until: Timestamp,
        /// What is known so far.
        effect: Option<Effect>,
    },
}

/// What one step read and the next can use, within one invocation: never trusted beyond it.
#[derive(Debug, Clone, Default)]
pub struct Scratch(Arc<Mutex<BTreeMap<String, DrainView>>>);

/// Pods of a node and all budgets, read side by side with the cordon.
#[derive(Debug, Clone)]
pub struct DrainView {
    /// The pods.
    pub pods: Vec<PodView>,
    /// The budgets; `None`: no right to read them.
    pub budgets: Option<Vec<PodBudget>>,
}

impl Scratch {
    /// Leaves a view for the drain of this node.
    pub fn leave(&self, node: &str, view: DrainView) {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).insert(node.to_owned(), view);
    }

    /// Takes it: it serves one round only.
    pub fn take(&self, node: &str) -> Option<DrainView> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).remove(node)
    }
}

/// Reads what the intent of a step must remember. A failing read is no obstacle here: the step itself meets it again.
pub async fn prepare(site: &Site, action: Option<&Action>) -> Option<Effect> {
    match action? {
        Action::LaunchNode { offerings, .. } => {
            let offering = offerings.first()?.clone();
            Some(Effect::Launching { offering, index: 0 })
        }
        Action::Scale { workload, .. } => {
            let from = site.kubernetes.as_ref().ok()?.replicas(workload).await.ok()?;
            Some(Effect::Scaled { from })
        }
        Action::AwaitReady { .. }
        | Action::PatchRequests { .. }
        | Action::AwaitRollOut { .. }
        | Action::Cordon { .. }
        | Action::Uncordon { .. }
        | Action::Drain { .. }
        | Action::Terminate { .. }
        | Action::RemoveNode { .. }
        | Action::TerminateGhost { .. }
        | Action::DeleteVolume { .. }
        | Action::Resize { .. }
        | Action::CompleteLifecycle { .. } => None,
    }
}

/// Performs one step.
pub async fn perform(ports: &Ports, site: &Site, attempt: Attempt, scratch: Scratch) -> Performed {
    let Some(action) = attempt.action.clone() else {
        return Performed::Failed("the plan has no such step".to_owned());
    };
    match &action {
        Action::LaunchNode { template, offerings, replaces } => {
            launch::launch(ports, site, &attempt, template, offerings, replaces.as_ref()).await
        }
        Action::AwaitReady { within_s, .. } => ready::await_ready(ports, site, &attempt, *within_s).await,
        Action::Cordon { node } => nodes::cordon(ports, site, &attempt, node, &scratch).await,
        Action::Uncordon { node } => nodes::uncordon(ports, site, &attempt, node).await,
        Action::Drain { node, care, at_deadline } => crate::drain::drain(ports, site, &attempt, node, *care, *at_deadline, &scratch).await,
        Action::Terminate { node } => nodes::terminate(ports, site, &attempt, node).await,
        Action::TerminateGhost { instance, by } => ghost::terminate(ports, site, &attempt, instance, *by).await,
        Action::DeleteVolume { volume, by } => volume::delete(ports, site, &attempt, volume, *by).await,
        Action::RemoveNode { node } => nodes::remove(ports, site, &attempt, node).await,
        Action::Scale { workload, replicas } => {
            let cluster = match &site.kubernetes {
                Ok(cluster) => cluster,
                Err(error) => return from_cluster(ports, &attempt, error),
            };
            match cluster.scale(workload, *replicas).await {
                Ok(()) => Performed::Done(None),
                Err(error) => from_cluster(ports, &attempt, &error),
            }
        }
        Action::PatchRequests { workload, changes, in_place } => sizes::patch(ports, site, &attempt, workload, changes, *in_place).await,
        Action::AwaitRollOut { workload, within_s } => sizes::await_roll_out(ports, site, &attempt, workload, *within_s).await,
        Action::Resize { target, resize } => Box::pin(resize::resize(ports, site, &attempt, target, resize)).await,
        Action::CompleteLifecycle { group, hook, token, instance } => {
            let lifecycle =
                domain::ports::Lifecycle { group: group.clone(), hook: hook.clone(), token: token.clone(), instance: instance.clone() };
            match ports.cloud.complete_lifecycle(&site.scope, &lifecycle).await {
                Ok(()) => Performed::Done(None),
                Err(error) => launch::from_cloud(ports, &attempt, &error),
            }
        }
    }
}

/// How often a cluster that does not answer is asked again.
const CLUSTER_RETRY: SignedDuration = SignedDuration::from_secs(2);

/// What an error of the Kubernetes API means for a step: what may pass is waited for until the node or the plan is over.
pub(crate) fn from_cluster(ports: &Ports, attempt: &Attempt, error: &ClusterError) -> Performed {
    let now = ports.clock.now();
    let over = attempt.node_deadline.is_some_and(|d| now > d) || now > attempt.plan_deadline;
    let dying = attempt.node_deadline.is_some();
    let pause = match error {
        ClusterError::Unreachable(_) | ClusterError::Conflict => CLUSTER_RETRY,
        ClusterError::Overloaded(after) => {
            after.unwrap_or(CLUSTER_RETRY).clamp(SignedDuration::from_secs(1), SignedDuration::from_secs(10))
        }
        // A person may mend the credential or the rights before the node dies; voluntary work fails at once and says so.
        ClusterError::Unauthorized | ClusterError::Forbidden(_) if dying => SignedDuration::from_secs(5),
        ClusterError::Unauthorized => return Performed::Failed(format!("{error}: give the cluster a new token")),
        ClusterError::Forbidden(_) | ClusterError::Refused(_) => return Performed::Failed(error.to_string()),
        ClusterError::Gone => return Performed::Failed("the object is gone".to_owned()),
    };
    if over {
        return Performed::Failed(format!("{error}, until the time was over"));
    }
    Performed::Wait { until: now + pause, effect: None }
}
