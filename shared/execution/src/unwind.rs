//! Takes one step back. Every undo bears repeating.

use crate::drain;
use crate::perform::launch::{LAUNCH_LAG, LAUNCH_WITHIN};
use crate::perform::nodes::{empty, find};
use crate::perform::{Attempt, Scratch};
use crate::ports::{Ports, Site};
use domain::ids::InstanceId;
use domain::node::NodeTarget;
use domain::plan::action::{Action, Care, Undo};
use domain::plan::precondition::{EndFacts, may_end};
use domain::plan::token::client_token;
use domain::plan::{Effect, PlanRecord};
use domain::policy::AtDeadline;
use domain::ports::{CloudError, Cluster, ClusterError, Cordon, InstanceFilter};
use domain::workload::{Resize, ScaleRef};
use domain::{SignedDuration, Timestamp};
use std::sync::Arc;

/// What came of taking a step back.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Undone {
    /// It is as before.
    Finished,
    /// A person must do it; the sentence says what.
    Stuck(String),
    /// Not yet.
    Wait(Timestamp),
}

/// How long an undo is tried before a person is called.
const UNDO_WITHIN: SignedDuration = SignedDuration::from_mins(60);
/// How often.
const UNDO_RETRY: SignedDuration = SignedDuration::from_secs(5);

/// Takes one step back.
pub async fn undo(ports: &Ports, site: &Site, record: &PlanRecord, step: usize) -> Undone {
    let (Some(planned), Some(state)) = (record.plan.steps.get(step), record.progress.steps.get(step)) else {
        return Undone::Stuck("the plan has no such step".to_owned());
    };
    let now = ports.clock.now();
    // The undo's own clock starts when the step ended or, where it never did, when it began.
    let since = state.ended_at.or(state.started_at).unwrap_or(now).max(record.plan.deadline.min(now));
    let late = now > since + UNDO_WITHIN;
    let tried = match (planned.action.undo(), &planned.action) {
        (Undo::Nothing | Undo::Impossible, _) => Ok(true),
        (Undo::Uncordon, Action::Cordon { node }) => uncordon(site, record, node).await,
        (Undo::ScaleBack, Action::Scale { workload, .. }) => match (&state.effect, &site.kubernetes) {
            (Effect::Scaled { from }, Ok(cluster)) => cluster.scale(workload, *from).await.map(|()| true).map_err(|e| e.to_string()),
            (Effect::Scaled { .. }, Err(error)) => Err(error.to_string()),
            // The number from before was never read, so nothing was scaled either.
            _ => Ok(true),
        },
        (Undo::PatchBack, Action::PatchRequests { workload, changes, .. }) => {
            crate::perform::sizes::patch_back(site, workload, changes).await
        }
        (Undo::ResizeBack, Action::Resize { target, resize }) => match &site.kubernetes {
            // What is gone, or what somebody else has resized meanwhile, is theirs.
            Ok(cluster) => resize_back(cluster, target, resize).await,
            Err(error) => Err(error.to_string()),
        },
        (Undo::EndLaunched, Action::LaunchNode { .. }) => end_launched(ports, site, record, step).await,
        (Undo::Uncordon | Undo::ScaleBack | Undo::PatchBack | Undo::ResizeBack | Undo::EndLaunched, _) => {
            Err("its undo does not fit its action".to_owned())
        }
    };
    match tried {
        Ok(true) => Undone::Finished,
        Ok(false) if !late => Undone::Wait(now + UNDO_RETRY),
        Ok(false) => Undone::Stuck(format!("{} is not finished after {} min", planned.action, UNDO_WITHIN.as_mins())),
        Err(_) if !late => Undone::Wait(now + UNDO_RETRY),
        Err(why) => Undone::Stuck(why),
    }
}

async fn resize_back(cluster: &Arc<dyn Cluster>, target: &ScaleRef, resize: &Resize) -> Result<bool, String> {
    match cluster.resize(target, &resize.back()).await {
        Ok(_) | Err(ClusterError::Gone) => Ok(true),
        Err(error) => Err(error.to_string()),
    }
}

async fn uncordon(site: &Site, record: &PlanRecord, node: &NodeTarget) -> Result<bool, String> {
    let cluster = site.kubernetes.as_ref().map_err(ToString::to_string)?;
    let Some(node) = crate::perform::nodes::resolve(cluster, node).await.map_err(|e| e.to_string())? else {
        return Ok(true);
    };
    match cluster.uncordon(&node, Some(&record.plan.key.plan)).await {
        Ok(_) | Err(ClusterError::Gone) => Ok(true),
        Err(error) => Err(error.to_string()),
    }
}

/// Ends what a launch step may have launched. `Ok(false)`: not yet.
async fn end_launched(ports: &Ports, site: &Site, record: &PlanRecord, step: usize) -> Result<bool, String> {
    let Some(instance) = launched(ports, site, record, step).await? else {
        return Ok(true);
    };
    let found = ports.cloud.instances(&site.scope, &InstanceFilter::Ids(vec![instance.clone()])).await.map_err(|e| e.to_string())?;
    let Some(seen) = found.first() else {
        // Not shown yet: unknown, and not absent.
        let launched_at = record.progress.steps.get(step).and_then(|s| s.started_at).unwrap_or(record.plan.created_at);
        return Ok(ports.clock.now() > launched_at + LAUNCH_LAG + LAUNCH_LAG);
    };
    if !seen.state.live() {
        return Ok(true);
    }
    let cluster = site.kubernetes.as_ref().map_err(ToString::to_string)?;
    let node = find(cluster, &instance).await.map_err(|e| e.to_string())?;
    if let Some(node) = &node
        && let Some(target) = node.target()
    {
        let mark = Cordon { plan: record.plan.key.plan.clone() };
        cluster.cordon(&target, &mark).await.map_err(|e| e.to_string())?;
        if !empty(cluster, node).await.map_err(|e| e.to_string())? {
            // Pods run on it by now: they are moved as carefully as any.
            drain::drain(ports, site, &gentle(record, step), &target, Care::Voluntary, AtDeadline::Leave, &Scratch::default()).await;
            return Ok(false);
        }
    }
    let facts = EndFacts { wanted: &instance, instance: seen, cluster: &record.plan.key.cluster, node: node.as_ref(), drained: true };
    may_end(facts)?;
    match ports.cloud.terminate(&site.scope, &instance).await {
        Ok(()) => Ok(true),
        Err(CloudError::Ambiguous(why)) => Err(why),
        Err(error) => Err(error.to_string()),
    }
}

/// The instance that the step launched: from the journal, or by its token where the answer was lost.
async fn launched(ports: &Ports, site: &Site, record: &PlanRecord, step: usize) -> Result<Option<InstanceId>, String> {
    let Some(state) = record.progress.steps.get(step) else {
        return Ok(None);
    };
    let Effect::Launching { offering, .. } = &state.effect else {
        return Ok(record.progress.launched(step).map(|(i, _)| i.clone()));
    };
    let token = client_token(&record.plan.key, step, state.generation, &offering.pool.zone);
    let found = ports.cloud.instances(&site.scope, &InstanceFilter::ClientToken(token)).await.map_err(|e| e.to_string())?;
    if let Some(instance) = found.into_iter().next() {
        return Ok(Some(instance.id));
    }
    // A try whose answer was lost may show up late; only after the lag is "nothing" an answer. The last try may have been made
    // up to the start of the undo, whose time the step's end is not, so the whole launch window is waited out.
    let began = state.started_at.unwrap_or(record.plan.created_at);
    if ports.clock.now() <= began + LAUNCH_WITHIN + LAUNCH_LAG {
        return Err("EC2 does not show yet whether the launch happened".to_owned());
    }
    Ok(None)
}

fn gentle(record: &PlanRecord, step: usize) -> Attempt {
    Attempt {
        key: record.plan.key.clone(),
        step,
        action: None,
        generation: 0,
        effect: Effect::None,
        started_at: record.plan.deadline,
        awaited: None,
        node_deadline: None,
        plan_deadline: record.plan.deadline,
    }
}
