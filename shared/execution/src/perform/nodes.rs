//! Cordon, uncordon, terminate, remove: what is done to one node.

use super::{Attempt, DrainView, Performed, Scratch, from_cluster, launch};
use crate::ports::{Ports, Site};
use domain::ids::InstanceId;
use domain::node::{NodeTarget, NodeView};
use domain::plan::Effect;
use domain::plan::precondition::{EndFacts, may_end};
use domain::ports::{Cluster, ClusterError, Cordon, InstanceFilter, InstanceState};
use domain::{SignedDuration, pod};
use std::sync::Arc;

/// Finds the Node object that stands for an instance, whatever it is called. Names are for display.
pub(crate) async fn find(cluster: &Arc<dyn Cluster>, instance: &InstanceId) -> Result<Option<NodeView>, ClusterError> {
    Ok(cluster.nodes().await?.into_iter().find(|n| n.instance().as_ref() == Some(instance)))
}

/// The target with its uid: as the plan names it, or as the cluster shows it.
pub(crate) async fn resolve(cluster: &Arc<dyn Cluster>, target: &NodeTarget) -> Result<Option<NodeTarget>, ClusterError> {
    match &target.uid {
        Some(_) => Ok(Some(target.clone())),
        None => Ok(find(cluster, &target.instance).await?.and_then(|n| n.target())),
    }
}

pub(super) async fn cordon(ports: &Ports, site: &Site, attempt: &Attempt, target: &NodeTarget, scratch: &Scratch) -> Performed {
    let cluster = match &site.kubernetes {
        Ok(cluster) => cluster,
        Err(error) => return from_cluster(ports, attempt, error),
    };
    let node = match resolve(cluster, target).await {
        Ok(Some(node)) => node,
        Ok(None) => return absent(ports, attempt, target),
        Err(error) => return from_cluster(ports, attempt, &error),
    };
    let mark = Cordon { plan: attempt.key.plan.clone() };
    // The drain that follows needs the pods: they are read side by side with the patch, which saves a round trip of the two
    // minutes. A pod that slips in between is found by the drain's second look.
    let (patched, pods, budgets) = futures::join!(cluster.cordon(&node, &mark), cluster.pods(Some(&node.name)), cluster.pod_budgets());
    match patched {
        Ok(_) => {
            if let Ok(pods) = pods {
                scratch.leave(node.name.as_str(), DrainView { pods, budgets: budgets.ok() });
            }
            Performed::Done(None)
        }
        Err(ClusterError::Gone) => absent(ports, attempt, target),
        Err(error) => from_cluster(ports, attempt, &error),
    }
}

/// No Node object stands for the instance: it may not have joined yet, or be gone already.
fn absent(ports: &Ports, attempt: &Attempt, target: &NodeTarget) -> Performed {
    let now = ports.clock.now();
    match attempt.node_deadline {
        Some(deadline) if now <= deadline => Performed::Wait { until: now + SignedDuration::from_secs(2), effect: None },
        Some(_) => Performed::Expired(format!("no node stands for {} any more", target.instance)),
        None => Performed::Failed(format!("node {} is not in the cluster, or is another one by now", target.name)),
    }
}

pub(super) async fn uncordon(ports: &Ports, site: &Site, attempt: &Attempt, target: &NodeTarget) -> Performed {
    let cluster = match &site.kubernetes {
        Ok(cluster) => cluster,
        Err(error) => return from_cluster(ports, attempt, error),
    };
    match cluster.uncordon(target, None).await {
        Ok(_) => Performed::Done(None),
        Err(error) => from_cluster(ports, attempt, &error),
    }
}

/// Whether the node has pods that a drain would move. A node that is absent has none.
pub(crate) async fn empty(cluster: &Arc<dyn Cluster>, node: &NodeView) -> Result<bool, ClusterError> {
    let pods = cluster.pods(Some(&node.name)).await?;
    Ok(!pods.iter().any(|p| match pod::filter::judge(p, pod::filter::Accepts::DYING, None) {
        pod::filter::Fate::Evict | pod::filter::Fate::Leaving => !p.finished(),
        pod::filter::Fate::Stay(_) | pod::filter::Fate::Refuse(_) => false,
    }))
}

pub(super) async fn terminate(ports: &Ports, site: &Site, attempt: &Attempt, target: &NodeTarget) -> Performed {
    let cluster = match &site.kubernetes {
        Ok(cluster) => cluster,
        Err(error) => return from_cluster(ports, attempt, error),
    };
    let found = match ports.cloud.instances(&site.scope, &InstanceFilter::Ids(vec![target.instance.clone()])).await {
        Ok(found) => found,
        Err(error) => return launch::from_cloud(ports, attempt, &error),
    };
    let Some(instance) = found.first() else {
        return Performed::Failed(format!("EC2 does not know {}", target.instance));
    };
    if !instance.state.live() {
        // Perhaps AWS or a person was faster. Savings are told only of what we have ended for sure.
        return Performed::Done(Some(Effect::WasGone));
    }
    let node = match find(cluster, &target.instance).await {
        Ok(node) => node,
        Err(error) => return from_cluster(ports, attempt, &error),
    };
    let drained = match &node {
        Some(node) => match empty(cluster, node).await {
            Ok(empty) => empty,
            Err(error) => return from_cluster(ports, attempt, &error),
        },
        None => true,
    };
    let facts = EndFacts { wanted: &target.instance, instance, cluster: &attempt.key.cluster, node: node.as_ref(), drained };
    if let Err(why) = may_end(facts) {
        return Performed::Failed(why);
    }
    match ports.cloud.terminate(&site.scope, &target.instance).await {
        Ok(()) => Performed::Done(None),
        Err(error) => launch::from_cloud(ports, attempt, &error),
    }
}

/// Removes the Node object of an instance that EC2 confirms to be gone. The cloud controller of the cluster usually is faster.
pub(super) async fn remove(ports: &Ports, site: &Site, attempt: &Attempt, target: &NodeTarget) -> Performed {
    let found = match ports.cloud.instances(&site.scope, &InstanceFilter::Ids(vec![target.instance.clone()])).await {
        Ok(found) => found,
        Err(error) => return launch::from_cloud(ports, attempt, &error),
    };
    match found.first().map(|i| i.state) {
        Some(InstanceState::Terminated) => {}
        // EC2 shows an ended instance for about an hour; not shown means unknown, and nothing is removed on a guess.
        None => return Performed::Expired(format!("EC2 does not show {} any more; its node is left to the cluster", target.instance)),
        // It may come back: its Node object stays.
        Some(InstanceState::Stopped | InstanceState::Stopping) => return Performed::Done(None),
        Some(InstanceState::ShuttingDown | InstanceState::Pending | InstanceState::Running) => {
            let now = ports.clock.now();
            if now > attempt.plan_deadline {
                return Performed::Expired(format!("{} did not end in time", target.instance));
            }
            return Performed::Wait { until: now + SignedDuration::from_secs(15), effect: None };
        }
    }
    let cluster = match &site.kubernetes {
        Ok(cluster) => cluster,
        Err(error) => return from_cluster(ports, attempt, error),
    };
    let node = match find(cluster, &target.instance).await {
        Ok(Some(node)) => node,
        Ok(None) => return Performed::Done(None),
        Err(error) => return from_cluster(ports, attempt, &error),
    };
    let Some(target) = node.target() else {
        return Performed::Done(None);
    };
    match cluster.delete_node(&target).await {
        // Without the right to delete nodes the cluster's own controllers do it, some minutes later.
        Ok(()) | Err(ClusterError::Gone | ClusterError::Forbidden(_)) => Performed::Done(None),
        Err(error) => from_cluster(ports, attempt, &error),
    }
}
