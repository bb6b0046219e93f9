//! Cordons: a node unschedulable, tainted, out of load balancers and signed, in one patch; and back.

use crate::call::{Api, Call};
use crate::lists::{node_path, raw_node};
use domain::ids::{NodeUid, PlanId};
use domain::node::{NodeTarget, NodeView, Taint};
use domain::ports::{ClusterError, Cordon, PatchedNode};
use http::{Method, StatusCode};
use serde_json::Value;
use slim::{Named, Node};

mod patch;

/// A node is written often (its kubelet reports every few seconds): this many tries to be the one who wrote last.
const CONFLICTS_MAX: u32 = 5;
const JSON_PATCH: &str = "application/json-patch+json";
const MERGE_PATCH: &str = "application/merge-patch+json";

pub(crate) async fn cordon(api: &Api, target: &NodeTarget, mark: &Cordon) -> Result<PatchedNode, ClusterError> {
    if let Some(uid) = target.uid.as_ref().filter(|_| patch::untouched(&target.taints)) {
        let body = patch::unread(uid, &target.taints, &mark.plan);
        let answer = api.call(&Call::with_json(Method::PATCH, node_path(&target.name)?, JSON_PATCH, &body)).await?;
        match answer.status {
            // The node is not as it was seen, or is another one, or has no annotations yet: read it.
            StatusCode::CONFLICT | StatusCode::UNPROCESSABLE_ENTITY => {}
            _ => return Ok(PatchedNode { uid: uid_of(&answer.decode::<Named>()?.metadata.uid)?, changed: true }),
        }
    }
    read_and_patch(api, target, |node, view| patch::cordoned(node, view, &mark.plan)).await
}

pub(crate) async fn uncordon(api: &Api, target: &NodeTarget, only: Option<&PlanId>) -> Result<PatchedNode, ClusterError> {
    read_and_patch(api, target, |node, view| patch::uncordoned(node, view, only)).await
}

/// Reads the node, makes a patch that holds for exactly this version of it, and sends it; again where somebody was faster.
async fn read_and_patch(
    api: &Api,
    target: &NodeTarget,
    make: impl Fn(&Node, &NodeView) -> Option<Value> + Send + Sync,
) -> Result<PatchedNode, ClusterError> {
    let path = node_path(&target.name)?;
    for _ in 0..CONFLICTS_MAX {
        let node = raw_node(api, &target.name).await?;
        let view = node.clone().view().ok_or_else(|| ClusterError::Refused("a node has no name or uid".to_owned()))?;
        if !is_meant(&view, target) {
            return Err(ClusterError::Gone);
        }
        let Some(body) = make(&node, &view) else {
            return Ok(PatchedNode { uid: view.uid, changed: false });
        };
        let answer = api.call(&Call::with_json(Method::PATCH, path.clone(), MERGE_PATCH, &body)).await?;
        if answer.status != StatusCode::CONFLICT {
            answer.ok()?;
            return Ok(PatchedNode { uid: view.uid, changed: true });
        }
    }
    Err(ClusterError::Conflict)
}

/// Whether this is the node that is meant: the uid, or, where it was never seen, the instance behind it.
fn is_meant(found: &NodeView, target: &NodeTarget) -> bool {
    match &target.uid {
        Some(uid) => *uid == found.uid,
        None => found.instance().as_ref() == Some(&target.instance),
    }
}

fn uid_of(text: &str) -> Result<NodeUid, ClusterError> {
    NodeUid::parse(text).map_err(|error| ClusterError::Refused(error.to_string()))
}

/// Our taint.
fn disruption() -> Taint {
    Taint { key: domain::node::DISRUPTION_TAINT.to_owned(), value: String::new(), effect: "NoSchedule".to_owned(), time_added: None }
}

#[cfg(test)]
mod tests;
