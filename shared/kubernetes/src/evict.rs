//! Evictions and deletions, each with the uid of what it means.

use crate::call::{Answer, Api, Call, Patience};
use crate::endpoint::segment;
use crate::errors::{Status, refusal, retry_after, shorten};
use crate::lists::{node_path, raw_node};
use domain::node::NodeTarget;
use domain::pod::PodRef;
use domain::ports::{ClusterError, EvictError};
use http::Method;
use jiff::SignedDuration;
use serde_json::{Value, json};

const JSON: &str = "application/json";
/// What the eviction handler asks for when a budget's counts are behind.
const BEHIND: SignedDuration = SignedDuration::from_secs(10);

pub(crate) async fn evict(api: &Api, pod: &PodRef) -> Result<(), EvictError> {
    let path = format!("{}/eviction", pod_path(pod)?);
    let call = Call::with_json(Method::POST, path, JSON, &eviction(pod)).patience(Patience::Eviction);
    verdict(&api.call(&call).await?)
}

fn pod_path(pod: &PodRef) -> Result<String, ClusterError> {
    Ok(format!("/api/v1/namespaces/{}/pods/{}", segment(&pod.namespace)?, segment(&pod.name)?))
}

fn eviction(pod: &PodRef) -> Value {
    json!({
        "apiVersion": "policy/v1",
        "kind": "Eviction",
        "metadata": { "namespace": pod.namespace, "name": pod.name },
        "deleteOptions": { "preconditions": { "uid": pod.uid } },
    })
}

/// What the answer to an eviction means. Three kinds of 429 must be told apart: a budget without room (wait for a pod to become
/// healthy), a budget whose counts are behind (ask again soon), and an overloaded server (not the budget's doing).
fn verdict(answer: &Answer) -> Result<(), EvictError> {
    if answer.status.is_success() {
        return Ok(());
    }
    let status = Status::of(answer);
    match answer.status.as_u16() {
        404 => Ok(()),
        409 if another_uid(&status) => Ok(()),
        429 => Err(match status.cause("DisruptionBudget") {
            Some(cause) => match retry_after(answer, &status) {
                Some(wait) => EvictError::BudgetBehind(wait),
                None if cause.message.contains("still being processed") => EvictError::BudgetBehind(BEHIND),
                None => EvictError::Budget(shorten(if cause.message.is_empty() { &status.message } else { &cause.message })),
            },
            None => EvictError::Cluster(refusal(answer)),
        }),
        500 if status.message.contains("more than one PodDisruptionBudget") => Err(EvictError::ManyBudgets),
        403 if status.cause("NamespaceTerminating").is_some() => Err(EvictError::NamespaceTerminating),
        _ => Err(EvictError::Cluster(refusal(answer))),
    }
}

/// Whether a 409 says that the object of this name is another one: "the UID in the precondition (a) does not match the UID in
/// record (b)".
fn another_uid(status: &Status) -> bool {
    let text = status.message.to_ascii_lowercase();
    text.contains("uid") || text.contains("precondition")
}

pub(crate) async fn delete_pod(api: &Api, pod: &PodRef, grace_s: u32) -> Result<(), ClusterError> {
    // A grace of 0 would remove the object while its containers may still run: two of a StatefulSet's pods at once.
    let options = deletion(pod.uid.as_str(), Some(grace_s.max(1)));
    let call = Call::with_json(Method::DELETE, pod_path(pod)?, JSON, &options);
    gone(&api.call(&call).await?)
}

pub(crate) async fn delete_node(api: &Api, node: &NodeTarget) -> Result<(), ClusterError> {
    let uid = match &node.uid {
        Some(uid) => uid.as_str().to_owned(),
        None => match raw_node(api, &node.name).await {
            Ok(found) => match same_instance(found.view(), node) {
                Some(uid) => uid,
                None => return Ok(()),
            },
            Err(ClusterError::Gone) => return Ok(()),
            Err(error) => return Err(error),
        },
    };
    let call = Call::with_json(Method::DELETE, node_path(&node.name)?, JSON, &deletion(&uid, None));
    gone(&api.call(&call).await?)
}

/// The uid of a node that was never seen before, if it stands for the instance that is meant.
fn same_instance(found: Option<domain::node::NodeView>, node: &NodeTarget) -> Option<String> {
    let found = found?;
    (found.instance().as_ref() == Some(&node.instance)).then(|| found.uid.as_str().to_owned())
}

fn deletion(uid: &str, grace_s: Option<u32>) -> Value {
    let mut options = json!({ "apiVersion": "v1", "kind": "DeleteOptions", "preconditions": { "uid": uid } });
    if let Some(grace) = grace_s {
        options["gracePeriodSeconds"] = json!(grace);
    }
    options
}

fn gone(answer: &Answer) -> Result<(), ClusterError> {
    match answer.status.as_u16() {
        200..=299 | 404 => Ok(()),
        409 if another_uid(&Status::of(answer)) => Ok(()),
        _ => Err(refusal(answer)),
    }
}

#[cfg(test)]
mod tests;
