//! Laws of the trail and of the counters of use.

use super::make::{NOON, customer_id, new_plan, plan_key};
use super::{Store, at};
use domain::SignedDuration;
use domain::audit::{AuditRow, Request};
use domain::operation::Operation;
use domain::plan::PlanRecord;
use domain::tenant::Role;

fn request(owner: &str, id: &str, minute: i64) -> Request {
    Request {
        id: id.to_owned(),
        customer: customer_id(owner),
        at: at(NOON) + SignedDuration::from_mins(minute),
        by: "ops".to_owned(),
        credential: "key k1".to_owned(),
        role: Role::Admin,
        action: "PUT /x".to_owned(),
        object: "/x".to_owned(),
        before: None,
        after: None,
        status: None,
    }
}

pub(super) async fn requests_are_listed_newest_first_and_closed_in_place(store: &dyn Store) {
    for (id, minute) in [("a", 1), ("b", 3), ("c", 2), ("d", 3)] {
        store.note(&request("trail", id, minute)).await.unwrap();
    }
    store.note(&request("trail-2", "z", 9)).await.unwrap();
    let closed = Request { status: Some(200), after: Some(serde_json::json!({"n": 1})), ..request("trail", "b", 3) };
    store.note(&closed).await.unwrap();
    let first = store.requests(&customer_id("trail"), None, 3).await.unwrap();
    assert_eq!(first.items, [request("trail", "d", 3), closed, request("trail", "c", 2)]);
    let rest = store.requests(&customer_id("trail"), first.next.as_deref(), 3).await.unwrap();
    assert_eq!((rest.items, rest.next), (vec![request("trail", "a", 1)], None));
}

pub(super) async fn actions_of_all_plans_are_one_list(store: &dyn Store) {
    for (plan, minute) in [("p1", 1), ("p2", 2), ("p3", 3)] {
        let mut new = new_plan(&plan_key("acting", "prod", plan), at(NOON));
        new.audit = vec![AuditRow {
            plan: new.plan.key.clone(),
            id: "0-do-0".to_owned(),
            action: format!("cordon {plan}"),
            asked_by: "ops".to_owned(),
            opened_at: at(NOON) + SignedDuration::from_mins(minute),
            closed_at: None,
            result: None,
        }];
        store.open(&new).await.unwrap();
    }
    let words = |rows: Vec<AuditRow>| rows.into_iter().map(|row| row.action).collect::<Vec<_>>();
    let first = store.actions(&customer_id("acting"), None, 2).await.unwrap();
    assert_eq!(words(first.items), ["cordon p3", "cordon p2"]);
    let rest = store.actions(&customer_id("acting"), first.next.as_deref(), 2).await.unwrap();
    assert_eq!((words(rest.items), rest.next), (vec!["cordon p1".to_owned()], None));
    assert!(store.actions(&customer_id("acting-2"), None, 2).await.unwrap().items.is_empty());
}

pub(super) async fn plans_and_operations_are_listed_newest_first(store: &dyn Store) {
    for (cluster, plan, minute) in [("prod", "p1", 1), ("test", "p2", 3), ("prod", "p3", 2)] {
        let mut new = new_plan(&plan_key("listing", cluster, plan), at(NOON));
        new.plan.created_at = at(NOON) + SignedDuration::from_mins(minute);
        new.operation = (plan != "p3").then(|| Operation {
            id: format!("of-{plan}"),
            kind: "drain".to_owned(),
            plan: new.plan.key.clone(),
            created_at: new.plan.created_at,
        });
        store.open(&new).await.unwrap();
        // Who comes second opens nothing, and is in no list twice.
        store.open(&new).await.unwrap();
    }
    let customer = customer_id("listing");
    let ids = |records: Vec<PlanRecord>| records.into_iter().map(|record| record.plan.key.plan.to_string()).collect::<Vec<_>>();
    let first = store.plans(&customer, None, 2).await.unwrap();
    assert_eq!(ids(first.items), ["p2", "p3"]);
    let rest = store.plans(&customer, first.next.as_deref(), 2).await.unwrap();
    assert_eq!((ids(rest.items), rest.next), (vec!["p1".to_owned()], None));
    let first = store.operations(&customer, None, 1).await.unwrap();
    assert_eq!((first.items[0].0.id.as_str(), first.items[0].1.plan.key.plan.as_str(), first.items.len()), ("of-p2", "p2", 1));
    let rest = store.operations(&customer, first.next.as_deref(), 1).await.unwrap();
    assert_eq!((rest.items[0].0.id.as_str(), rest.next), ("of-p1", None));
    let stranger = customer_id("listin");
    assert!(store.plans(&stranger, None, 9).await.unwrap().items.is_empty());
    assert!(store.operations(&stranger, None, 9).await.unwrap().items.is_empty());
}

pub(super) async fn what_is_used_adds_up_by_key_and_window(store: &dyn Store) {
    let (mine, other) = (customer_id("using"), customer_id("using-2"));
    let next = at(NOON) + SignedDuration::from_mins(1);
    assert_eq!(store.take(&mine, "k", at(NOON), 10).await.unwrap(), 10);
    assert_eq!(store.take(&mine, "k", at(NOON), 5).await.unwrap(), 15);
    assert_eq!(store.take(&mine, "k2", at(NOON), 1).await.unwrap(), 1);
    assert_eq!(store.take(&other, "k", at(NOON), 1).await.unwrap(), 1);
    assert_eq!(store.take(&mine, "k", next, 1).await.unwrap(), 1);
}
