use super::*;

fn object(text: &str) -> Object {
    serde_json::from_str(text).unwrap()
}

const META: &str = r#""metadata":{"name":"db","namespace":"shop","uid":"u1","creationTimestamp":"2026-01-01T00:00:00Z""#;

#[test]
fn a_stateful_set_says_whether_it_deletes_volumes_and_what_its_pods_ask_for() {
    let text = format!(
        r#"{{{META}}},"spec":{{"replicas":3,"persistentVolumeClaimRetentionPolicy":{{"whenDeleted":"Retain","whenScaled":"Delete"}},
        "template":{{"spec":{{"containers":[{{"resources":{{"requests":{{"cpu":"250m","memory":"1Gi"}}}}}},{{"resources":null}},{{"resources":{{"requests":{{"cpu":1}}}}}}]}}}}}}}}"#
    );
    let set = object(&text).scalable(ScaleKind::StatefulSet).unwrap();
    assert_eq!((set.size, set.deletes_volumes, set.cpu_millis, set.memory_bytes), (Some(3), true, 1_250, 1 << 30));
}

#[test]
fn a_keda_object_has_a_size_only_while_it_is_paused() {
    let keda = |annotations: &str| {
        let text = format!(r#"{{{META},"annotations":{annotations}}},"spec":{{"scaleTargetRef":{{"name":"web"}}}}}}"#);
        object(&text).scalable(ScaleKind::ScaledObject).unwrap()
    };
    assert_eq!(keda("{}").size, None);
    assert_eq!(keda(r#"{"autoscaling.keda.sh/paused-replicas":"2"}"#).size, Some(2));
    assert_eq!(keda(r#"{"autoscaling.keda.sh/paused":"true"}"#).size, Some(0));
    assert_eq!(keda("{}").scales.unwrap().kind, WorkloadKind::Deployment);
}

#[test]
fn what_a_controller_owns_says_so_and_long_annotations_are_left_out() {
    let long = "x".repeat(2_000);
    let text = format!(
        r#"{{{META},"annotations":{{"a":"b","last-applied":"{long}"}},"ownerReferences":[{{"kind":"Prometheus","name":"p","controller":true}}]}}}}"#
    );
    let read = object(&text).scalable(ScaleKind::StatefulSet).unwrap();
    assert_eq!(read.owner, Some(("Prometheus".to_owned(), "p".to_owned())));
    assert_eq!(read.annotations.len(), 1);
}
