//! The bodies of the patches: pure.

use super::disruption;
use domain::ids::{NodeUid, PlanId};
use domain::node::{CORDONED_BY, DISRUPTION_TAINT, EXCLUDE_FROM_LOAD_BALANCERS, NodeView, Taint};
use serde_json::{Map, Value, json};
use slim::Node;

/// What Kubernetes itself puts on an unschedulable node.
const UNSCHEDULABLE_TAINT: &str = "node.kubernetes.io/unschedulable";
/// Says that somebody else had made the node unschedulable before us: taking our cordon back leaves it so.
const UNSCHEDULABLE_BEFORE: &str = "cloudoptim.io/unschedulable-before";
/// Says that somebody else had taken the node out of load balancers before us.
const EXCLUDED_BEFORE: &str = "cloudoptim.io/excluded-before";

/// Whether a node with these taints was neither cordoned by us nor by anyone else, so that it can be patched without a read.
pub(super) fn untouched(taints: &[Taint]) -> bool {
    !taints.iter().any(|taint| taint.key == DISRUPTION_TAINT || taint.key == UNSCHEDULABLE_TAINT)
}

/// A JSON Patch for a node that was seen with this uid and these taints. All or nothing: it fails as a whole where the uid or the
/// taints are others now. Where none were seen, `null` is tested, which the API server's JSON Patch takes for "missing".
pub(super) fn unread(uid: &NodeUid, seen: &[Taint], plan: &PlanId) -> Value {
    let taints: Vec<Taint> = seen.iter().cloned().chain([disruption()]).collect();
    json!([
        { "op": "test", "path": "/metadata/uid", "value": uid },
        { "op": "test", "path": "/spec/taints", "value": if seen.is_empty() { Value::Null } else { json!(seen) } },
        { "op": "add", "path": "/spec/unschedulable", "value": true },
        { "op": "add", "path": "/spec/taints", "value": taints },
        { "op": "add", "path": pointer("labels", EXCLUDE_FROM_LOAD_BALANCERS), "value": "true" },
        { "op": "add", "path": pointer("annotations", CORDONED_BY), "value": plan },
    ])
}

/// A JSON Pointer to one label or annotation.
fn pointer(map: &str, key: &str) -> String {
    format!("/metadata/{map}/{}", key.replace('~', "~0").replace('/', "~1"))
}

/// A merge patch that cordons this version of the node. `None`: it is as wanted.
pub(super) fn cordoned(node: &Node, view: &NodeView, plan: &PlanId) -> Option<Value> {
    let ours = disruption();
    let tainted = view.taints.iter().any(|taint| taint.key == ours.key && taint.effect == ours.effect);
    let excluded = view.labels.contains_key(EXCLUDE_FROM_LOAD_BALANCERS);
    let signed = view.cordoned_by.as_deref() == Some(plan.as_str());
    if tainted && excluded && signed && view.unschedulable {
        return None;
    }
    let mut annotations = Map::new();
    annotations.insert(CORDONED_BY.to_owned(), json!(plan));
    // Only a first cordon sees how others left the node; a second one would see our own work.
    if view.cordoned_by.is_none() {
        annotations.insert(UNSCHEDULABLE_BEFORE.to_owned(), if view.unschedulable { json!("true") } else { Value::Null });
        annotations.insert(EXCLUDED_BEFORE.to_owned(), if excluded { json!("true") } else { Value::Null });
    }
    let mut spec = json!({ "unschedulable": true });
    if !tainted {
        spec["taints"] = json!(view.taints.iter().cloned().chain([ours]).collect::<Vec<_>>());
    }
    let mut labels = json!({});
    if !excluded {
        labels[EXCLUDE_FROM_LOAD_BALANCERS] = json!("true");
    }
    Some(json!({ "metadata": metadata(node, labels, annotations), "spec": spec }))
}

/// A merge patch that takes our cordon off this version of the node, and leaves what others did. `None`: there is none of ours,
/// or, with `only`, it is another plan's.
pub(super) fn uncordoned(node: &Node, view: &NodeView, only: Option<&PlanId>) -> Option<Value> {
    let by = view.cordoned_by.as_deref()?;
    if only.is_some_and(|plan| plan.as_str() != by) {
        return None;
    }
    let before = |key: &str| node.metadata.annotations.get(key).is_some_and(|value| value == "true");
    let annotations = [CORDONED_BY, UNSCHEDULABLE_BEFORE, EXCLUDED_BEFORE].map(|key| (key.to_owned(), Value::Null)).into_iter().collect();
    let mut labels = json!({});
    if !before(EXCLUDED_BEFORE) {
        labels[EXCLUDE_FROM_LOAD_BALANCERS] = Value::Null;
    }
    let mut spec = json!({});
    if view.taints.iter().any(|taint| taint.key == DISRUPTION_TAINT) {
        let rest: Vec<&Taint> = view.taints.iter().filter(|taint| taint.key != DISRUPTION_TAINT).collect();
        spec["taints"] = if rest.is_empty() { Value::Null } else { json!(rest) };
    }
    if !before(UNSCHEDULABLE_BEFORE) {
        spec["unschedulable"] = Value::Null;
    }
    Some(json!({ "metadata": metadata(node, labels, annotations), "spec": spec }))
}

/// With version and uid, which make the API server refuse the patch (409) for any other version of the node.
fn metadata(node: &Node, labels: Value, annotations: Map<String, Value>) -> Value {
    json!({
        "resourceVersion": node.metadata.resource_version,
        "uid": node.metadata.uid,
        "labels": labels,
        "annotations": annotations,
    })
}
