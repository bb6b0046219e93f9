use crate::Pod;
use domain::pod::{Operator, PodDetail, Requirement, Selector};
use domain::scheduling::{HostPort, NAME_FIELD, NodeOperator, NodeTerm, Toleration};
use domain::usage::OomKill;
use serde_json::{Value, json};
use std::collections::BTreeMap;

fn whole(pod: Value) -> PodDetail {
    let text = pod.to_string();
    serde_json::from_str::<Pod<'_>>(&text).unwrap().detail().unwrap()
}

fn pod(spec: Value) -> PodDetail {
    whole(
        json!({ "metadata": { "name": "web-1", "namespace": "shop", "uid": "u-1", "labels": { "app": "web", "rev": "7" } }, "spec": spec }),
    )
}

fn asks(name: &str, cpu: &str) -> Value {
    json!({ "name": name, "resources": { "requests": { "cpu": cpu } } })
}

#[test]
fn what_is_neither_cpu_nor_memory_is_counted_by_name_in_whole_units() {
    let one = json!({ "name": "a", "resources": { "requests": { "nvidia.com/gpu": "1", "ephemeral-storage": "1Gi", "cpu": "1" } } });
    let two = json!({ "name": "b", "resources": { "requests": { "nvidia.com/gpu": 1, "hugepages-2Mi": "0" } } });
    let found = pod(json!({ "containers": [one, two], "overhead": { "ephemeral-storage": "1" } })).requests;
    assert_eq!(found.extended, BTreeMap::from([("nvidia.com/gpu".to_owned(), 2), ("ephemeral-storage".to_owned(), (1 << 30) + 1)]));
}

#[test]
fn while_a_resize_is_under_way_the_larger_of_asked_and_given_counts() {
    let resized = |spec: &str, allocated: Value, status: Value| {
        whole(json!({
            "metadata": { "name": "a", "uid": "u" },
            "spec": { "containers": [asks("main", spec), asks("other", "100m")] },
            "status": { "containerStatuses": [
                { "name": "other" },
                { "name": "main", "allocatedResources": allocated, "resources": { "requests": status } },
            ] },
        }))
        .requests
        .cpu_millis
    };
    assert_eq!(resized("2", json!({ "cpu": "1" }), json!({ "cpu": "1" })), 2100, "upwards, not given yet");
    assert_eq!(resized("1", json!({ "cpu": "2" }), json!({ "cpu": "3" })), 3100, "downwards, not taken yet");
    assert_eq!(resized("1", json!(null), json!(null)), 1100, "none");
}

#[test]
fn a_resize_of_the_pod_as_a_whole_counts_too() {
    let found = whole(json!({
        "metadata": { "name": "a", "uid": "u" },
        "spec": { "containers": [asks("main", "1")], "resources": { "requests": { "cpu": "2" } }, "overhead": { "cpu": "1m" } },
        "status": { "resources": { "requests": { "cpu": "4" } }, "allocatedResources": { "cpu": "3" } },
    }));
    assert_eq!(found.requests.cpu_millis, 4001);
}

#[test]
fn node_affinity_is_read_with_fields_and_weights() {
    let found = pod(json!({ "nodeSelector": { "disk": "ssd" }, "affinity": { "nodeAffinity": {
        "requiredDuringSchedulingIgnoredDuringExecution": { "nodeSelectorTerms": [
            { "matchExpressions": [{ "key": "gen", "operator": "Gt", "values": ["5"] }] },
            { "matchFields": [{ "key": "metadata.name", "operator": "In", "values": ["n-1"] }] },
        ] },
        "preferredDuringSchedulingIgnoredDuringExecution": [
            { "weight": 7, "preference": { "matchExpressions": [{ "key": "spot", "operator": "Exists" }] } },
        ],
    } } }))
    .scheduling;
    assert_eq!(found.node_selector, BTreeMap::from([("disk".to_owned(), "ssd".to_owned())]));
    assert_eq!(found.required_nodes[0].0[0].operator, NodeOperator::Gt);
    assert_eq!(found.required_nodes[1].0[0].key, NAME_FIELD);
    assert_eq!((found.preferred_nodes[0].weight, found.preferred_nodes[0].term.0[0].key.as_str()), (7, "spot"));
}

#[test]
fn a_requirement_that_we_do_not_know_is_one_that_no_node_meets() {
    let required = |terms: Value| {
        pod(json!({ "affinity": { "nodeAffinity": {
            "requiredDuringSchedulingIgnoredDuringExecution": { "nodeSelectorTerms": terms },
        } } }))
        .scheduling
    };
    let hostile = [
        json!([]),
        json!([{ "matchExpressions": [{ "key": "a", "operator": "Similar", "values": ["b"] }] }]),
        json!([{ "matchFields": [{ "key": "metadata.uid", "operator": "In", "values": ["n"] }] }]),
        json!([{ "matchExpressions": [{ "key": "metadata.name", "operator": "In", "values": ["n"] }] }]),
    ];
    for terms in hostile {
        let found = required(terms.clone());
        assert_eq!(found.required_nodes, [NodeTerm::default()], "{terms}");
        assert!(!found.selects_node("n", &BTreeMap::new()));
    }
}

#[test]
fn pod_terms_are_read_with_namespaces_and_label_keys_folded_in() {
    let term = json!({
        "topologyKey": "zone", "labelSelector": { "matchLabels": { "app": "web" } }, "namespaces": ["a"], "namespaceSelector": {},
        "matchLabelKeys": ["rev", "none"], "mismatchLabelKeys": ["app"],
    });
    let found = pod(json!({ "affinity": {
        "podAffinity": { "preferredDuringSchedulingIgnoredDuringExecution": [{ "weight": 3, "podAffinityTerm": term }] },
        "podAntiAffinity": { "requiredDuringSchedulingIgnoredDuringExecution": [{ "topologyKey": "kubernetes.io/hostname" }] },
    } }))
    .scheduling;
    let near = &found.preferred_affinity[0];
    assert_eq!((near.weight, near.term.topology_key.as_str(), near.term.any_namespace), (3, "zone", true));
    assert_eq!(near.term.namespaces, ["a"]);
    let need = |key: &str, operator, value: &str| Requirement { key: key.to_owned(), operator, values: vec![value.to_owned()] };
    let expected = Selector {
        match_labels: BTreeMap::from([("app".to_owned(), "web".to_owned())]),
        match_expressions: vec![need("rev", Operator::In, "7"), need("app", Operator::NotIn, "web")],
    };
    assert_eq!(near.term.selector, Some(expected));
    assert!(found.anti_affinity[0].selector.is_none() && !found.anti_affinity[0].any_namespace);
}

#[test]
fn spread_is_read_with_kubernetes_defaults() {
    let spread = |constraint: Value| pod(json!({ "topologySpreadConstraints": [constraint] })).scheduling.spread.remove(0);
    let plain = spread(json!({ "topologyKey": "zone", "maxSkew": 2, "whenUnsatisfiable": "DoNotSchedule", "labelSelector": {} }));
    assert!(plain.hard && plain.honor_affinity && !plain.honor_taints && plain.min_domains.is_none());
    assert_eq!((plain.max_skew, plain.selector), (2, Some(Selector::default())));
    let full = spread(json!({
        "topologyKey": "zone", "maxSkew": 1, "whenUnsatisfiable": "ScheduleAnyway", "minDomains": 3,
        "labelSelector": { "matchExpressions": [{ "key": "rev", "operator": "In", "values": ["7"] }] },
        "matchLabelKeys": ["rev"], "nodeAffinityPolicy": "Ignore", "nodeTaintsPolicy": "Honor",
    }));
    assert!(!full.hard && !full.honor_affinity && full.honor_taints && full.min_domains == Some(3));
    assert_eq!(full.selector.unwrap().match_expressions.len(), 1, "what the API server folded in already is not there twice");
}

#[test]
fn tolerations_ports_and_schedulers_are_read() {
    let found = pod(json!({
        "tolerations": [
            { "operator": "Exists" }, { "key": "a", "value": "b", "effect": "NoSchedule" }, { "key": "n", "operator": "Lt", "value": "5" },
        ],
        "containers": [{ "ports": [{ "containerPort": 80 }, { "hostPort": 8080, "hostIP": "10.0.0.1", "protocol": "UDP" }] }],
        "initContainers": [
            { "restartPolicy": "Always", "ports": [{ "hostPort": 53 }] }, { "ports": [{ "hostPort": 9999 }] },
        ],
        "schedulerName": "volcano",
    }))
    .scheduling;
    let every = Toleration { key: None, exists: true, value: String::new(), effect: None };
    let one = Toleration { key: Some("a".into()), exists: false, value: "b".into(), effect: Some("NoSchedule".into()) };
    assert_eq!(found.tolerations, [every, one], "an operator that we do not know tolerates nothing");
    let port = |ip: &str, protocol: &str, port| HostPort { ip: ip.into(), protocol: protocol.into(), port };
    assert_eq!(found.host_ports, [port("10.0.0.1", "UDP", 8080), port("", "TCP", 53)]);
    assert_eq!(found.foreign_scheduler.as_deref(), Some("volcano"));
    let devices = pod(json!({ "schedulerName": "default-scheduler", "resourceClaims": [{ "name": "gpu" }] })).scheduling;
    assert!(devices.foreign_scheduler.is_some());
}

#[test]
fn claims_are_named_those_made_for_the_pod_too() {
    let found = pod(json!({ "volumes": [
        { "name": "data", "persistentVolumeClaim": { "claimName": "data-web-1" } }, { "name": "scratch", "ephemeral": {} },
        { "name": "token", "projected": { "sources": [] } },
    ] }));
    assert_eq!(found.claims, ["data-web-1", "web-1-scratch"]);
    assert!(!found.view.empty_dir);
}

#[test]
fn the_rest_of_a_pod_is_skipped_however_it_looks() {
    let found = whole(json!({
        "metadata": {
            "name": "a", "uid": "u", "managedFields": [{ "fieldsV1": { "f:spec": [null, 1.5, "x", {}] } }],
            "annotations": { "note": "\"quoted\"\n", "karpenter.sh/do-not-disrupt": "30m" },
        },
        "spec": { "containers": [{ "name": "m", "env": [{ "name": "A", "value": "\u{e9}" }], "livenessProbe": {} }], "dnsPolicy": 5 },
        "status": { "startTime": "2026-01-02T03:04:05Z", "podIPs": [{ "ip": "10.0.0.1" }] },
    }));
    assert!(found.view.do_not_disrupt && found.started_at.is_some());
}

#[test]
fn a_kill_is_the_same_while_the_container_is_down_and_when_it_runs_again() {
    let read = |state: Value, last: Value, restarts: u32| {
        let object = json!({
            "metadata": {"name": "web-1", "namespace": "shop", "uid": "0b3f7a9e-0000-4000-8000-000000000001"},
            "spec": {"containers": [{"name": "app", "resources": {"limits": {"memory": "1Gi"}}}]},
            "status": {"phase": "Running", "containerStatuses": [
                {"name": "app", "restartCount": restarts, "state": state, "lastState": last, "resources": {"limits": {"memory": "2Gi"}}},
            ]},
        });
        whole(object).containers.remove(0)
    };
    let killed = json!({"terminated": {"reason": "OOMKilled", "finishedAt": "2026-11-24T10:00:00Z"}});
    let down = read(killed.clone(), json!({}), 4);
    let again = read(json!({"running": {}}), killed.clone(), 5);
    assert_eq!(down.oom.as_ref().map(OomKill::name), again.oom.as_ref().map(OomKill::name));
    assert_eq!(down.sizes.memory_limit, Some(2 << 30), "what the node gives");
    assert_eq!(read(json!({"running": {}}), json!({"terminated": {"reason": "Error"}}), 5).oom, None);
}
