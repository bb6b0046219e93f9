use super::{Budget, Node, NodeMetrics, Page, Pod};
use domain::pod::{Controller, PodPhase, PodView};
use serde_json::{Value, json};

fn read(pod: Value) -> Option<PodView> {
    let text = pod.to_string();
    serde_json::from_str::<Pod<'_>>(&text).unwrap().detail().map(|detail| detail.view)
}

fn pod(spec: Value) -> PodView {
    let whole = json!({ "metadata": { "name": "web-1", "namespace": "shop", "uid": "u-1" }, "spec": spec });
    read(whole).unwrap()
}

fn asks(cpu: &str) -> Value {
    json!({ "resources": { "requests": { "cpu": cpu, "memory": "1Mi" }, "limits": { "cpu": "99" } } })
}

fn sidecar(cpu: &str) -> Value {
    let mut container = asks(cpu);
    container["restartPolicy"] = json!("Always");
    container
}

#[test]
fn a_node_is_read_with_what_decides_about_it() {
    let node: Node = serde_json::from_value(json!({
        "metadata": {
            "name": "ip-1.ec2.internal", "uid": "n-1", "creationTimestamp": "2026-01-02T03:04:05Z",
            "labels": { "a": "b" }, "annotations": { "cloudoptim.io/cordoned-by": "plan-1", "other": "x" },
            "managedFields": [{ "manager": "kubelet" }],
        },
        "spec": {
            "providerID": "aws:///us-east-1a/i-0123456789abcdef0", "unschedulable": true,
            "taints": [{ "key": "k", "effect": "NoExecute", "timeAdded": "2026-01-02T03:04:05Z" }],
        },
        "status": {
            "allocatable": { "cpu": "1930m", "memory": "7Gi", "pods": "29" },
            "conditions": [{ "type": "Ready", "status": "True" }],
        },
    }))
    .unwrap();
    let view = node.view().unwrap();
    assert_eq!((view.cpu_millis, view.memory_bytes, view.pods_max), (1930, 7 << 30, 29));
    assert_eq!(view.instance().unwrap().as_str(), "i-0123456789abcdef0");
    assert_eq!(view.cordoned_by.as_deref(), Some("plan-1"));
    assert_eq!(view.taints[0].time_added.as_deref(), Some("2026-01-02T03:04:05Z"));
    assert!(view.ready && view.unschedulable);
    assert_eq!(view.created_at.unwrap().to_string(), "2026-01-02T03:04:05Z");
}

#[test]
fn a_node_without_a_ready_condition_or_with_an_unknown_one_is_not_ready() {
    for conditions in
        [json!(null), json!([]), json!([{ "type": "Ready", "status": "Unknown" }]), json!([{ "type": "Other", "status": "True" }])]
    {
        let node = json!({ "metadata": { "name": "a", "uid": "u" }, "status": { "conditions": conditions } });
        assert!(!serde_json::from_value::<Node>(node).unwrap().view().unwrap().ready);
    }
}

#[test]
fn an_object_without_identity_is_no_object() {
    for metadata in [json!({}), json!({ "name": "a" }), json!({ "name": "A/B", "uid": "u" }), json!({ "name": "a", "uid": "" })] {
        assert!(serde_json::from_value::<Node>(json!({ "metadata": metadata })).unwrap().view().is_none());
    }
    assert!(read(json!({ "metadata": { "name": "a" } })).is_none());
}

#[test]
fn null_and_missing_lists_are_empty_ones() {
    let page: Page<Node> = serde_json::from_str(r#"{"metadata":{"continue":null},"items":null}"#).unwrap();
    assert!(page.items.is_empty() && page.metadata.next.is_empty());
    let view =
        pod(json!({ "containers": null, "initContainers": null, "volumes": null, "overhead": null, "resources": { "requests": null } }));
    assert_eq!((view.cpu_millis, view.memory_bytes), (0, 0));
}

#[test]
fn a_pod_asks_for_the_sum_of_its_containers_and_its_overhead() {
    let view = pod(json!({ "containers": [asks("100m"), asks("0.2"), {}], "overhead": { "cpu": "50m", "memory": "1Mi" } }));
    assert_eq!((view.cpu_millis, view.memory_bytes), (350, 3 << 20));
}

#[test]
fn a_hungry_init_container_counts_where_it_needs_more() {
    assert_eq!(pod(json!({ "containers": [asks("100m")], "initContainers": [asks("2"), asks("1")] })).cpu_millis, 2000);
    assert_eq!(pod(json!({ "containers": [asks("3")], "initContainers": [asks("2")] })).cpu_millis, 3000);
}

#[test]
fn a_sidecar_counts_beside_the_containers_and_beside_later_init_containers() {
    assert_eq!(pod(json!({ "containers": [asks("1")], "initContainers": [sidecar("500m")] })).cpu_millis, 1500);
    assert_eq!(pod(json!({ "containers": [asks("1")], "initContainers": [sidecar("500m"), asks("2")] })).cpu_millis, 2500);
    assert_eq!(pod(json!({ "containers": [asks("1")], "initContainers": [asks("2"), sidecar("500m")] })).cpu_millis, 2000);
}

#[test]
fn requests_of_the_pod_as_a_whole_count_instead() {
    let view = pod(json!({ "containers": [asks("1")], "resources": { "requests": { "cpu": "4" } } }));
    assert_eq!((view.cpu_millis, view.memory_bytes), (4000, 1 << 20));
}

#[test]
fn a_quantity_that_is_rubbish_counts_as_nothing() {
    let view = pod(json!({ "containers": [{ "resources": { "requests": { "cpu": "lots", "memory": [1] } } }, asks("1")] }));
    assert_eq!((view.cpu_millis, view.memory_bytes), (1000, 1 << 20));
    let numbers = pod(json!({ "containers": [{ "resources": { "requests": { "cpu": 2, "memory": 1.5 } } }] }));
    assert_eq!((numbers.cpu_millis, numbers.memory_bytes), (2000, 2));
}

#[test]
fn only_the_controller_among_the_owners_would_make_the_pod_anew() {
    let whole = |owners: Value| {
        let pod = json!({ "metadata": { "name": "a", "uid": "u", "ownerReferences": owners } });
        read(pod).unwrap().controller
    };
    assert_eq!(whole(json!([{ "kind": "X", "name": "x" }, { "kind": "Job", "name": "j", "controller": false }])), None);
    assert_eq!(
        whole(json!([{ "kind": "X", "name": "x" }, { "kind": "ReplicaSet", "name": "r", "controller": true }])),
        Some(Controller { kind: "ReplicaSet".into(), name: "r".into() })
    );
}

#[test]
fn a_pod_that_asks_to_be_left_alone_is_marked() {
    for (annotations, expected) in [
        (json!({ "karpenter.sh/do-not-disrupt": "true" }), true),
        (json!({ "karpenter.sh/do-not-disrupt": "false" }), false),
        (json!({ "cluster-autoscaler.kubernetes.io/safe-to-evict": "false" }), true),
        (json!({ "cluster-autoscaler.kubernetes.io/safe-to-evict": "true" }), false),
        (json!(null), false),
    ] {
        let pod = json!({ "metadata": { "name": "a", "uid": "u", "annotations": annotations } });
        assert_eq!(read(pod).unwrap().do_not_disrupt, expected);
    }
}

#[test]
fn the_rest_of_a_pod_is_read_with_kubernetes_defaults() {
    let whole = json!({
        "metadata": {
            "name": "a", "uid": "u", "deletionTimestamp": "2026-01-02T03:04:05Z",
            "annotations": { "kubernetes.io/config.mirror": "" },
        },
        "spec": { "nodeName": "n", "priority": 2_000_001_000, "volumes": [{ "name": "x", "emptyDir": {} }] },
        "status": { "phase": "Running", "conditions": [{ "type": "Ready", "status": "True" }] },
    });
    let view = read(whole).unwrap();
    assert!(view.mirror && view.empty_dir && view.ready && view.deletion_at.is_some());
    assert_eq!((view.phase, view.grace_s, view.priority), (PodPhase::Running, 30, 2_000_001_000));
    let other = pod(json!({ "terminationGracePeriodSeconds": 0, "volumes": [{ "name": "x", "configMap": {} }] }));
    assert!(!other.mirror && !other.empty_dir && other.node.is_none());
    assert_eq!((other.phase, other.grace_s), (PodPhase::Unknown, 0));
}

#[test]
fn a_budget_with_a_null_selector_covers_none_and_with_an_empty_one_all() {
    let selector = |selector: Value| {
        let budget = json!({ "metadata": { "name": "b", "namespace": "shop" }, "spec": { "selector": selector } });
        let budget = serde_json::from_value::<Budget>(budget).unwrap().view().unwrap();
        budget.covers(&pod(json!({})))
    };
    assert!(!selector(json!(null)));
    assert!(selector(json!({})));
    assert!(selector(json!({ "matchLabels": null, "matchExpressions": [{ "key": "a", "operator": "DoesNotExist" }] })));
    assert!(!selector(json!({ "matchExpressions": [{ "key": "a", "operator": "Exists" }] })));
    assert!(selector(json!({ "matchExpressions": [{ "key": "a", "operator": "FromTheFuture" }] })));
}

#[test]
fn an_unknown_use_is_not_a_use_of_nothing() {
    let usage =
        |usage: Value| serde_json::from_value::<NodeMetrics>(json!({ "metadata": { "name": "n" }, "usage": usage })).unwrap().view();
    let known = usage(json!({ "cpu": "123456789n", "memory": "1024Ki" })).unwrap();
    assert_eq!((known.cpu_millis, known.memory_bytes), (124, 1 << 20));
    assert!(usage(json!({ "cpu": "1" })).is_none());
    assert!(usage(json!({})).is_none());
}
