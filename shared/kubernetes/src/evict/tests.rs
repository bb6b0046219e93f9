use super::{deletion, eviction, gone, verdict};
use crate::call::Answer;
use domain::ids::PodUid;
use domain::pod::PodRef;
use domain::ports::{ClusterError, EvictError};
use http::StatusCode;
use jiff::SignedDuration;
use serde_json::{Value, json};

fn answer(status: u16, body: &Value) -> Answer {
    Answer { status: StatusCode::from_u16(status).unwrap(), retry_after: None, body: body.to_string().into_bytes() }
}

fn budget(message: &str, retry_after_s: i64) -> Value {
    json!({
        "kind": "Status", "status": "Failure", "reason": "TooManyRequests", "code": 429,
        "message": "Cannot evict pod as it would violate the pod's disruption budget.",
        "details": { "causes": [{ "reason": "DisruptionBudget", "message": message }], "retryAfterSeconds": retry_after_s },
    })
}

#[test]
fn an_eviction_names_the_uid() {
    let pod = PodRef { namespace: "shop".into(), name: "web-1".into(), uid: PodUid::parse("u-1").unwrap() };
    assert_eq!(
        eviction(&pod),
        json!({
            "apiVersion": "policy/v1", "kind": "Eviction", "metadata": { "namespace": "shop", "name": "web-1" },
            "deleteOptions": { "preconditions": { "uid": "u-1" } },
        })
    );
}

#[test]
fn a_pod_that_is_gone_or_another_one_is_evicted() {
    assert!(verdict(&answer(201, &json!({}))).is_ok());
    assert!(verdict(&answer(404, &json!({ "message": "pods \"web-1\" not found" }))).is_ok());
    let other = json!({ "message": "the UID in the precondition (u-1) does not match the UID in record (u-2)." });
    assert!(verdict(&answer(409, &other)).is_ok());
}

#[test]
fn a_conflict_of_another_kind_is_a_conflict() {
    let other = json!({ "message": "the object has been modified; please apply your changes to the latest version" });
    assert!(matches!(verdict(&answer(409, &other)), Err(EvictError::Cluster(ClusterError::Conflict))));
}

#[test]
fn a_budget_without_room_says_what_it_needs() {
    let body = budget("The disruption budget web needs 2 healthy pods and has 2 currently", 0);
    assert!(matches!(verdict(&answer(429, &body)), Err(EvictError::Budget(text)) if text.contains("needs 2 healthy pods")));
}

#[test]
fn a_budget_that_is_being_counted_is_not_a_refusal() {
    let body = budget("The disruption budget web is still being processed by the server.", 10);
    assert!(matches!(verdict(&answer(429, &body)), Err(EvictError::BudgetBehind(wait)) if wait == SignedDuration::from_secs(10)));
    let unsaid = budget("The disruption budget web is still being processed by the server.", 0);
    assert!(matches!(verdict(&answer(429, &unsaid)), Err(EvictError::BudgetBehind(wait)) if wait == SignedDuration::from_secs(10)));
}

#[test]
fn an_overloaded_server_is_not_a_budget() {
    let overload = json!({ "message": "too many requests", "details": { "retryAfterSeconds": 1 } });
    assert!(matches!(
        verdict(&answer(429, &overload)),
        Err(EvictError::Cluster(ClusterError::Overloaded(Some(wait)))) if wait == SignedDuration::from_secs(1)
    ));
    assert!(matches!(verdict(&answer(429, &json!("rubbish"))), Err(EvictError::Cluster(ClusterError::Overloaded(None)))));
}

#[test]
fn two_budgets_on_a_pod_are_not_an_outage() {
    let body = json!({ "message": "This pod has more than one PodDisruptionBudget, which the eviction subresource does not support." });
    assert!(matches!(verdict(&answer(500, &body)), Err(EvictError::ManyBudgets)));
    assert!(matches!(verdict(&answer(500, &json!({ "message": "etcd" }))), Err(EvictError::Cluster(ClusterError::Unreachable(_)))));
}

#[test]
fn a_namespace_that_goes_is_not_a_missing_right() {
    let going = json!({ "message": "no", "details": { "causes": [{ "reason": "NamespaceTerminating", "message": "x" }] } });
    assert!(matches!(verdict(&answer(403, &going)), Err(EvictError::NamespaceTerminating)));
    let forbidden =
        json!({ "message": "pods \"a\" is forbidden: User \"x\" cannot create resource \"pods/eviction\"", "details": { "causes": null } });
    assert!(matches!(
        verdict(&answer(403, &forbidden)),
        Err(EvictError::Cluster(ClusterError::Forbidden(text))) if text.contains("pods/eviction")
    ));
}

#[test]
fn a_deletion_names_the_uid_and_its_grace() {
    assert_eq!(
        deletion("u-1", Some(1)),
        json!({ "apiVersion": "v1", "kind": "DeleteOptions", "preconditions": { "uid": "u-1" }, "gracePeriodSeconds": 1 })
    );
    assert_eq!(deletion("u-1", None), json!({ "apiVersion": "v1", "kind": "DeleteOptions", "preconditions": { "uid": "u-1" } }));
}

#[test]
fn what_is_gone_or_another_one_is_deleted() {
    let other = json!({ "message": "Precondition failed: UID in precondition: a, UID in object meta: b" });
    assert!(gone(&answer(404, &json!({}))).is_ok() && gone(&answer(409, &other)).is_ok() && gone(&answer(202, &json!({}))).is_ok());
    assert!(matches!(gone(&answer(409, &json!({}))), Err(ClusterError::Conflict)));
    assert!(matches!(gone(&answer(403, &json!({}))), Err(ClusterError::Forbidden(_))));
}
