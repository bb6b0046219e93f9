use super::metrics::Metrics;
use super::templates::{Autoscaler, Workload};
use super::*;

fn view(object: Value) -> WorkloadView {
    serde_json::from_value::<Workload>(object).unwrap().view(WorkloadKind::Deployment).unwrap()
}

#[test]
fn a_template_is_read_with_its_sizes_and_its_roll_out() {
    let read = view(json!({
        "metadata": {"name": "web", "namespace": "shop", "resourceVersion": "7", "generation": 3, "labels": {"kustomize.toolkit.fluxcd.io/name": "x"}},
        "spec": {"replicas": 3, "template": {"metadata": {"labels": {"app": "web"}}, "spec": {"containers": [
            {"name": "app", "resources": {"requests": {"cpu": "250m", "memory": "1Gi"}, "limits": {"memory": "2Gi"}}},
            {"name": "side", "resources": {}},
        ]}}},
        "status": {"observedGeneration": 2, "replicas": 4, "updatedReplicas": 1, "availableReplicas": 3},
    }));
    let wanted = Sizes { cpu_request: Some(250), cpu_limit: None, memory_request: Some(1 << 30), memory_limit: Some(2 << 30) };
    assert_eq!((read.sizes("app"), read.sizes("side"), read.sizes("none")), (Some(wanted), Some(Sizes::default()), None));
    assert_eq!((read.version.as_str(), read.observed, read.settled(), read.rolls), ("7", false, false, true));
    assert_eq!(read.managed_by.as_deref(), Some("Flux"));
}

#[test]
fn a_roll_out_that_is_given_up_says_so() {
    let condition = json!({"type": "Progressing", "status": "False", "reason": "ProgressDeadlineExceeded", "message": "too slow"});
    let read = view(json!({"metadata": {"name": "web", "namespace": "shop"}, "status": {"conditions": [condition]}}));
    assert_eq!(read.stalled.as_deref(), Some("too slow"));
}

#[test]
fn an_autoscaler_works_on_what_its_metrics_name_and_on_cpu_without_any() {
    let read = |metrics: Value| {
        let object = json!({"metadata": {"namespace": "shop"}, "spec": {"scaleTargetRef": {"kind": "Deployment", "name": "web"}, "metrics": metrics}});
        let view = serde_json::from_value::<Autoscaler>(object).unwrap().view().unwrap();
        assert!(view.scales(&WorkloadRef { kind: WorkloadKind::Deployment, namespace: "shop".into(), name: "web".into() }));
        (view.cpu, view.memory)
    };
    assert_eq!(read(Value::Null), (true, false));
    assert_eq!(read(json!([{"type": "Resource", "resource": {"name": "memory"}}])), (false, true));
    assert_eq!(read(json!([{"type": "ContainerResource", "containerResource": {"name": "cpu"}}])), (true, false));
    assert_eq!(read(json!([{"type": "External", "external": {}}])), (false, false));
}

#[test]
fn a_patch_sets_what_is_there_and_takes_away_what_is_not() {
    let sizes = Sizes { cpu_request: Some(250), memory_request: Some(1 << 30), memory_limit: Some(1 << 30), cpu_limit: None };
    let made = containers(&[ContainerSizes { container: "app".to_owned(), sizes }]);
    let wanted = json!([{"name": "app", "resources": {
        "requests": {"cpu": "250m", "memory": "1073741824"}, "limits": {"cpu": null, "memory": "1073741824"},
    }}]);
    assert_eq!(made, wanted);
}

#[test]
fn figures_that_are_missing_are_no_samples() {
    let metrics = json!({"metadata": {"name": "p", "namespace": "n"}, "containers": [
        {"name": "a", "usage": {"cpu": "1500000n", "memory": "1Mi"}}, {"name": "b", "usage": {"cpu": "1"}},
    ]});
    let samples = serde_json::from_value::<Metrics>(metrics).unwrap().samples();
    assert_eq!(samples.len(), 1);
    assert_eq!((samples[0].cpu_nanos, samples[0].memory_bytes), (2_000_000, 1 << 20));
}
