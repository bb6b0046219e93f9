//! Changes that were begun and whose result nobody has written.

use domain::audit::AuditRow;
use domain::ids::{InstanceId, NodeName, PlanId};
use domain::money::MicroDollars;
use domain::node::NodeTarget;
use domain::offering::CapacityType;
use domain::plan::{Action, OnFailure, Plan, PlanKey, PlanKind, Progress, Step, Urgency};
use domain::ports::{Clock, Journal, NewPlan};
use domain::{SignedDuration, Timestamp};
use harness::system::System;
use runtime::deadline::Budget;
use sim::clock::SimClock;
use sim::world::{ClusterSpec, NodeSpec, World};

fn a_plan_in_flight(key: PlanKey, now: Timestamp) -> NewPlan {
    let node = NodeTarget {
        name: NodeName::parse("ip-1").unwrap(),
        uid: None,
        instance: InstanceId::parse("i-00000000000000001").unwrap(),
        taints: Vec::new(),
    };
    let plan = Plan {
        key: key.clone(),
        kind: PlanKind::Cordon,
        reason: "a person asked".to_owned(),
        requested_by: "the law".to_owned(),
        created_at: now,
        deadline: now + SignedDuration::from_hours(12),
        on_failure: OnFailure::Unwind,
        steps: vec![Step { action: Action::Uncordon { node }, after: Vec::new(), after_unless_forced: Vec::new() }],
        expected_saving: MicroDollars(0),
        evidence: Vec::new(),
        stakes: None,
    };
    let mut progress = Progress::new(&plan, Urgency::Normal, None);
    progress.due_at = now;
    let row = |id: &str, closed_at| AuditRow {
        plan: key.clone(),
        id: id.to_owned(),
        action: "cordon ip-1".to_owned(),
        asked_by: "the law".to_owned(),
        opened_at: now,
        closed_at,
        result: closed_at.map(|_| "done".to_owned()),
    };
    NewPlan { plan, progress, audit: vec![row("00-do-0", None), row("01-do-0", Some(now))], spot_event: None, operation: None }
}

/// While a call can still be under way nobody is told; after an hour the sweep counts it, each time that it looks, until it is closed.
#[tokio::test(start_paused = true)]
async fn a_change_whose_result_nobody_wrote_is_told_after_an_hour() {
    let clock = SimClock::new();
    let world = World::new(clock.clone(), 3);
    let id = world.add_cluster(ClusterSpec::new("acme", "shop", "123456789012", "us-east-1"));
    world.add_node(&id, NodeSpec::new("m6i.large", "us-east-1a", CapacityType::Spot));
    let system = System::around(clock, world, SignedDuration::ZERO);
    let (customer, cluster) = system.register("acme", "shop", "123456789012", "us-east-1").await;
    let key = PlanKey { customer, cluster, plan: PlanId::parse("p-1").unwrap() };
    system.store.open(&a_plan_in_flight(key, system.clock.now())).await.unwrap();
    for (minutes, told) in [(50, 0), (20, 1), (10, 2)] {
        system.clock.sleep(SignedDuration::from_mins(minutes)).await;
        sweeper::handle(&system.ports, Budget::lasting(&*system.clock, SignedDuration::from_secs(40))).await.unwrap();
        assert_eq!(system.counts.of("audit_rows_open"), told, "after {minutes} more minutes");
    }
}
