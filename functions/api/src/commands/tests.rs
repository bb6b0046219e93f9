use super::*;
use domain::plan::check::lint;

fn node() -> NodeTarget {
    NodeTarget {
        name: "ip-10-0-0-1.ec2.internal".to_owned().try_into().unwrap(),
        uid: None,
        instance: "i-12345678".to_owned().try_into().unwrap(),
        taints: Vec::new(),
    }
}

fn cluster() -> Cluster {
    serde_json::from_value(serde_json::json!({
        "id": "c-1", "customer": "acme", "name": "c", "k8s_api_endpoint": "https://x", "k8s_ca": null, "k8s_token": null,
        "k8s_token_expires_at": null, "aws_role_arn": "", "account": "111122223333", "region": "us-east-1", "sqs_queue_url": null,
        "status": "connected", "status_reason": "", "node_count": 1, "seen_at": null, "policy": {}, "version": 1,
        "created_at": "2026-01-05T00:00:00Z", "updated_at": "2026-01-05T00:00:00Z",
    }))
    .unwrap()
}

#[test]
fn every_command_makes_a_plan_that_the_linter_accepts_and_that_ends() {
    let (cluster, plan) = (cluster(), PlanId::parse("op-1").unwrap());
    let asked = Asked { cluster: &cluster, plan: &plan, by: "ops", now: Timestamp::UNIX_EPOCH };
    let workload = WorkloadRef { kind: domain::workload::WorkloadKind::Deployment, namespace: "a".to_owned(), name: "b".to_owned() };
    for plan in [
        drain(asked, &node(), 3, false),
        drain(asked, &node(), 3, true),
        cordon(asked, &node()),
        uncordon(asked, &node()),
        scale(asked, &workload, 1, 2),
    ] {
        assert_eq!(lint(&plan), [], "{:?}", plan.kind);
        assert!(plan.deadline > plan.created_at && plan.on_failure == OnFailure::Unwind);
        assert!(plan.requested_by.ends_with("ops") && !plan.reason.is_empty());
    }
}

#[test]
fn even_by_force_a_drain_never_passes_over_a_budget() {
    let (cluster, plan) = (cluster(), PlanId::parse("op-1").unwrap());
    let asked = Asked { cluster: &cluster, plan: &plan, by: "ops", now: Timestamp::UNIX_EPOCH };
    for force in [false, true] {
        let plan = drain(asked, &node(), 0, force);
        assert!(matches!(plan.steps[1].action, Action::Drain { at_deadline: AtDeadline::Leave, .. }));
        assert_eq!(plan.steps[1].after, [0], "no pod may come back onto the node");
    }
}

#[test]
fn force_does_not_answer_for_the_control_plane() {
    assert!(forcible(Rule::NoController) && forcible(Rule::DisruptionBudget));
    assert!(!forcible(Rule::ControlPlane) && !forcible(Rule::NodeUnknown) && !forcible(Rule::Malformed));
}
