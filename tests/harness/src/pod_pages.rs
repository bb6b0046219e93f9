//! Pages of pods as real clusters send them: from 100 bytes to some kilobytes each, most of it what nobody here reads.

use serde_json::{Map, Value, json};

/// A page of `count` pods whose sizes are spread evenly up to `bytes_max`. Its number makes its names.
pub fn page(number: u64, count: usize, bytes_max: usize) -> Vec<u8> {
    let mut random = fastrand::Rng::with_seed(number);
    let pods: Vec<Value> = (0..count).map(|n| pod(&mut random, &format!("web-{number}-{n}"), bytes_max)).collect();
    json!({"kind": "PodList", "apiVersion": "v1", "metadata": {"resourceVersion": "1", "continue": "next"}, "items": pods})
        .to_string()
        .into_bytes()
}

fn pod(random: &mut fastrand::Rng, name: &str, bytes_max: usize) -> Value {
    let wanted = random.usize(100..bytes_max.max(101));
    let metadata = json!({"name": name, "namespace": "shop", "uid": format!("00000000-0000-4000-8000-{:012x}", random.u64(..1 << 48))});
    let mut pod = json!({"metadata": metadata});
    if wanted < 1_500 {
        return pod;
    }
    let started = "2026-01-02T03:04:05Z";
    pod["metadata"]["labels"] = json!({"app": "web", "tier": "front", "pod-template-hash": "6d4b75cb6d"});
    pod["metadata"]["ownerReferences"] = json!([
        {"apiVersion": "apps/v1", "kind": "ReplicaSet", "name": "web-6d4b75cb6d", "uid": "x", "controller": true},
    ]);
    pod["spec"] = json!({
        "nodeName": "ip-10-0-0-1.ec2.internal", "priority": 0, "schedulerName": "default-scheduler", "terminationGracePeriodSeconds": 30,
        "containers": [{
            "name": "main", "image": "example.com/app:1", "resources": {"requests": {"cpu": "250m", "memory": "512Mi"}, "limits": {"cpu": "1"}},
            "ports": [{"containerPort": 8080, "protocol": "TCP"}], "readinessProbe": {"httpGet": {"path": "/ready", "port": 8080}},
            "volumeMounts": [{"name": "token", "mountPath": "/var/run/secrets/kubernetes.io/serviceaccount", "readOnly": true}],
        }],
        "tolerations": [
            {"key": "node.kubernetes.io/not-ready", "operator": "Exists", "effect": "NoExecute", "tolerationSeconds": 300},
            {"key": "node.kubernetes.io/unreachable", "operator": "Exists", "effect": "NoExecute", "tolerationSeconds": 300},
        ],
        "volumes": [{"name": "token", "projected": {"sources": [{"serviceAccountToken": {"expirationSeconds": 3607, "path": "token"}}]}}],
    });
    let condition = |kind: &str| json!({"type": kind, "status": "True", "lastTransitionTime": started, "lastProbeTime": null});
    let conditions: Vec<Value> =
        ["PodReadyToStartContainers", "Initialized", "Ready", "ContainersReady", "PodScheduled"].map(condition).into();
    pod["status"] = json!({
        "phase": "Running", "startTime": started, "podIP": "10.0.0.7", "qosClass": "Burstable",
        "conditions": conditions,
        "containerStatuses": [{
            "name": "main", "ready": true, "restartCount": 0, "image": "example.com/app:1", "state": {"running": {"startedAt": started}},
            "allocatedResources": {"cpu": "250m", "memory": "512Mi"}, "resources": {"requests": {"cpu": "250m", "memory": "512Mi"}},
        }],
    });
    let missing = wanted.saturating_sub(pod.to_string().len());
    let fields: Map<String, Value> = (0..missing / 3 / 27).map(|n| (format!("f:field{n:03}"), json!({"f:name": {}}))).collect();
    pod["metadata"]["managedFields"] = json!([{"manager": "kubelet", "operation": "Update", "fieldsV1": fields}]);
    let applied = "{\"apiVersion\":\"v1\",\"kind\":\"Pod\"}".repeat(missing / 3 / 44);
    pod["metadata"]["annotations"] = json!({"kubectl.kubernetes.io/last-applied-configuration": applied});
    let env: Vec<Value> = (0..missing / 3 / 72).map(|n| json!({"name": format!("SETTING_{n:03}"), "value": "x".repeat(40)})).collect();
    pod["spec"]["containers"][0]["env"] = json!(env);
    pod
}
