use super::{Workload, path};
use domain::workload::{WorkloadKind, WorkloadRef};

#[test]
fn a_workload_has_its_path_and_no_other() {
    let workload = |name: &str| WorkloadRef { kind: WorkloadKind::StatefulSet, namespace: "shop".into(), name: name.into() };
    assert_eq!(path(&workload("db")).unwrap(), "/apis/apps/v1/namespaces/shop/statefulsets/db");
    assert!(path(&workload("db/../../x")).is_err());
}

#[test]
fn unsaid_replicas_are_one_and_none_are_none() {
    let replicas = |text: &str| serde_json::from_str::<Workload>(text).unwrap().replicas();
    assert_eq!(replicas(r#"{"spec":{}}"#), 1);
    assert_eq!(replicas(r#"{"spec":{"replicas":0}}"#), 0);
    assert_eq!(replicas(r#"{"spec":{"replicas":7},"status":{"replicas":3}}"#), 7);
}
