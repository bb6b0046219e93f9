use super::{disruption, is_meant, patch};
use domain::ids::{InstanceId, NodeName, NodeUid, PlanId};
use domain::node::{NodeTarget, NodeView, Taint};
use serde_json::{Value, json};
use slim::Node;

const LABEL: &str = "node.kubernetes.io/exclude-from-external-load-balancers";

fn plan(id: &str) -> PlanId {
    PlanId::parse(id).unwrap()
}

fn taint(key: &str) -> Taint {
    Taint { key: key.into(), value: String::new(), effect: "NoSchedule".into(), time_added: None }
}

/// A node as the server has it, and as we see it.
fn node(labels: Value, annotations: Value, spec: Value) -> (Node, NodeView) {
    let node: Node = serde_json::from_value(json!({
        "metadata": { "name": "ip-1", "uid": "n-1", "resourceVersion": "7", "labels": labels, "annotations": annotations },
        "spec": spec,
    }))
    .unwrap();
    (node.clone(), node.view().unwrap())
}

fn cordoned_by(id: &str) -> (Node, NodeView) {
    node(
        json!({ LABEL: "true" }),
        json!({ "cloudoptim.io/cordoned-by": id }),
        json!({ "unschedulable": true, "taints": [taint("a"), disruption()] }),
    )
}

/// What a server makes of a merge patch (RFC 7386).
fn merge(target: &mut Value, patch: &Value) {
    let Some(patch) = patch.as_object() else {
        *target = patch.clone();
        return;
    };
    if !target.is_object() {
        *target = json!({});
    }
    for (key, value) in patch {
        if value.is_null() {
            target.as_object_mut().unwrap().remove(key);
        } else {
            merge(&mut target[key], value);
        }
    }
}

#[test]
fn a_cordon_is_one_patch_that_tests_what_was_seen() {
    let seen = [Taint { value: "v".into(), time_added: Some("2026-01-02T03:04:05Z".into()), ..taint("a") }];
    assert_eq!(
        patch::unread(&NodeUid::parse("n-1").unwrap(), &seen, &plan("p-1")),
        json!([
            { "op": "test", "path": "/metadata/uid", "value": "n-1" },
            { "op": "test", "path": "/spec/taints", "value": [
                { "key": "a", "value": "v", "effect": "NoSchedule", "timeAdded": "2026-01-02T03:04:05Z" },
            ] },
            { "op": "add", "path": "/spec/unschedulable", "value": true },
            { "op": "add", "path": "/spec/taints", "value": [
                { "key": "a", "value": "v", "effect": "NoSchedule", "timeAdded": "2026-01-02T03:04:05Z" },
                { "key": "cloudoptim.io/disrupted", "effect": "NoSchedule" },
            ] },
            { "op": "add", "path": "/metadata/labels/node.kubernetes.io~1exclude-from-external-load-balancers", "value": "true" },
            { "op": "add", "path": "/metadata/annotations/cloudoptim.io~1cordoned-by", "value": "p-1" },
        ])
    );
}

#[test]
fn a_node_seen_without_taints_is_tested_to_have_none() {
    let body = patch::unread(&NodeUid::parse("n-1").unwrap(), &[], &plan("p-1"));
    assert_eq!(body[1], json!({ "op": "test", "path": "/spec/taints", "value": null }));
}

#[test]
fn a_node_that_was_cordoned_before_is_read_first() {
    assert!(patch::untouched(&[taint("a")]));
    assert!(!patch::untouched(&[taint("a"), disruption()]));
    assert!(!patch::untouched(&[taint("node.kubernetes.io/unschedulable")]));
}

#[test]
fn a_cordon_after_a_read_holds_for_that_version_only() {
    let (raw, view) = node(json!({}), json!(null), json!({ "taints": [taint("a")] }));
    let body = patch::cordoned(&raw, &view, &plan("p-1")).unwrap();
    assert_eq!((&body["metadata"]["resourceVersion"], &body["metadata"]["uid"]), (&json!("7"), &json!("n-1")));
    assert_eq!(body["spec"], json!({ "unschedulable": true, "taints": [taint("a"), disruption()] }));
    assert_eq!(body["metadata"]["labels"], json!({ LABEL: "true" }));
    assert_eq!(body["metadata"]["annotations"]["cloudoptim.io/cordoned-by"], json!("p-1"));
}

#[test]
fn a_cordon_that_is_there_changes_nothing() {
    let (raw, view) = cordoned_by("p-1");
    assert_eq!(patch::cordoned(&raw, &view, &plan("p-1")), None);
}

#[test]
fn a_later_plan_takes_a_cordon_over() {
    let (raw, view) = cordoned_by("p-1");
    let body = patch::cordoned(&raw, &view, &plan("p-2")).unwrap();
    assert_eq!(body["metadata"]["annotations"], json!({ "cloudoptim.io/cordoned-by": "p-2" }));
    assert!(body["spec"].get("taints").is_none(), "the taint is there already");
}

#[test]
fn an_uncordon_removes_what_is_ours_and_leaves_the_rest() {
    let (raw, view) = cordoned_by("p-1");
    let body = patch::uncordoned(&raw, &view, Some(&plan("p-1"))).unwrap();
    assert_eq!(body["spec"], json!({ "unschedulable": null, "taints": [taint("a")] }));
    assert_eq!(body["metadata"]["labels"], json!({ LABEL: null }));
    assert_eq!(body["metadata"]["annotations"]["cloudoptim.io/cordoned-by"], json!(null));
}

#[test]
fn only_a_cordon_of_ours_is_taken_back_and_by_a_plan_only_its_own() {
    let (raw, view) = cordoned_by("p-1");
    assert_eq!(patch::uncordoned(&raw, &view, Some(&plan("p-2"))), None);
    assert!(patch::uncordoned(&raw, &view, None).is_some());
    let (raw, view) = node(json!({ LABEL: "true" }), json!({}), json!({ "unschedulable": true }));
    for only in [None, Some(&plan("p-1"))] {
        assert_eq!(patch::uncordoned(&raw, &view, only), None, "a person did that");
    }
}

#[test]
fn what_a_person_did_before_us_stays_after_us() {
    let start = json!({
        "metadata": { "name": "ip-1", "uid": "n-1", "resourceVersion": "7", "labels": { LABEL: "true" }, "annotations": { "x": "y" } },
        "spec": { "unschedulable": true, "taints": [taint("node.kubernetes.io/unschedulable")] },
    });
    let mut world = start.clone();
    for step in 0..3 {
        let raw: Node = serde_json::from_value(world.clone()).unwrap();
        let view = raw.clone().view().unwrap();
        let body = match step {
            0 => patch::cordoned(&raw, &view, &plan("p-1")),
            1 => patch::cordoned(&raw, &view, &plan("p-2")),
            _ => patch::uncordoned(&raw, &view, Some(&plan("p-2"))),
        };
        merge(&mut world, &body.unwrap());
    }
    assert_eq!(world, start);
}

#[test]
fn a_node_is_meant_by_its_uid_else_by_its_instance() {
    let (_, view) = node(json!({}), json!({}), json!({ "providerID": "aws:///us-east-1a/i-0123456789abcdef0" }));
    let target = |uid: Option<&str>, instance: &str| NodeTarget {
        name: NodeName::parse("ip-1").unwrap(),
        uid: uid.map(|uid| NodeUid::parse(uid).unwrap()),
        instance: InstanceId::parse(instance).unwrap(),
        taints: Vec::new(),
    };
    assert!(is_meant(&view, &target(Some("n-1"), "i-0123456789abcdef1")));
    assert!(!is_meant(&view, &target(Some("n-2"), "i-0123456789abcdef0")));
    assert!(is_meant(&view, &target(None, "i-0123456789abcdef0")));
    assert!(!is_meant(&view, &target(None, "i-0123456789abcdef1")));
}
