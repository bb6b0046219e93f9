//! Laws of the registry.

use super::make::{NOON, cluster, cluster_id, customer, customer_id, new_plan, node, plan_key};
use super::{Store, at};
use domain::ports::StoreError;
use domain::tenant::{ApiKey, Cluster, CustomerStatus, Role};

pub(super) async fn a_customer_is_read_as_written(store: &dyn Store) {
    let mut acme = customer("registry-acme");
    assert_eq!(store.customer(&acme.id).await.unwrap(), None);
    store.put_customer(&acme).await.unwrap();
    assert_eq!(store.customer(&acme.id).await.unwrap(), Some(acme.clone()));
    acme.status = CustomerStatus::Suspended;
    store.put_customer(&acme).await.unwrap();
    assert_eq!(store.customer(&acme.id).await.unwrap(), Some(acme.clone()));
    let second = domain::tenant::Customer { version: 2, email: "new@example.com".to_owned(), ..acme.clone() };
    assert!(matches!(store.change_customer(&second, 2).await, Err(StoreError::Conflict)));
    store.change_customer(&second, 1).await.unwrap();
    assert!(matches!(store.change_customer(&second, 1).await, Err(StoreError::Conflict)));
    let nobody = customer("registry-nobody");
    assert!(matches!(store.change_customer(&nobody, 1).await, Err(StoreError::Conflict)));
    store.put_customer(&customer("registry-b")).await.unwrap();
    let (mut seen, mut after) = (Vec::new(), None);
    loop {
        let page = store.customers(after.as_deref(), 1).await.unwrap();
        assert!(page.items.len() <= 1);
        seen.extend(page.items.into_iter().map(|one| one.id.to_string()).filter(|id| id.starts_with("registry-")));
        after = page.next;
        if after.is_none() {
            break;
        }
    }
    assert_eq!(seen, ["registry-acme", "registry-b"]);
}

pub(super) async fn a_cluster_is_written_against_its_version(store: &dyn Store) {
    let first = cluster("versions", "prod", "222222222222");
    let conflict = |answer: Result<(), StoreError>| assert!(matches!(answer, Err(StoreError::Conflict)), "{answer:?}");
    conflict(store.put_cluster(&first, Some(0)).await);
    store.put_cluster(&first, None).await.unwrap();
    conflict(store.put_cluster(&first, None).await);
    let second = Cluster { version: 2, node_count: 7, ..first.clone() };
    conflict(store.put_cluster(&second, Some(2)).await);
    assert_eq!(store.cluster(&first.customer, &first.id).await.unwrap(), Some(first.clone()));
    store.put_cluster(&second, Some(1)).await.unwrap();
    conflict(store.put_cluster(&second, Some(1)).await);
    assert_eq!(store.cluster(&first.customer, &first.id).await.unwrap(), Some(second));
}

pub(super) async fn another_customers_cluster_is_absent(store: &dyn Store) {
    store.put_cluster(&cluster("wall", "prod", "222222222222"), None).await.unwrap();
    for stranger in ["wall-2", "wal", "wall."] {
        assert_eq!(store.cluster(&customer_id(stranger), &cluster_id("prod")).await.unwrap(), None);
        assert_eq!(store.clusters(&customer_id(stranger), None, 10).await.unwrap().items, []);
    }
}

async fn walk(store: &dyn Store, customer: Option<&str>, limit: usize) -> Vec<(String, String)> {
    let mut seen = Vec::new();
    let mut after: Option<String> = None;
    loop {
        let page = match customer {
            Some(id) => store.clusters(&customer_id(id), after.as_deref(), limit).await.unwrap(),
            None => store.all_clusters(after.as_deref(), limit).await.unwrap(),
        };
        assert!(page.items.len() <= limit, "a page is no longer than asked for");
        assert!(page.next.is_none() || !page.items.is_empty(), "a page that is not the last holds something");
        seen.extend(page.items.into_iter().map(|c| (c.id.to_string(), c.customer.to_string())));
        match page.next {
            Some(next) => after = Some(next),
            None => return seen,
        }
    }
}

pub(super) async fn clusters_are_paged_by_id(store: &dyn Store) {
    let ids = ["a", "a-b", "a.b", "a1", "b", "c"];
    for id in ids.iter().rev() {
        store.put_cluster(&cluster("paging", id, "222222222222"), None).await.unwrap();
    }
    let expected: Vec<_> = ids.iter().map(|id| ((*id).to_owned(), "paging".to_owned())).collect();
    for limit in [1, 2, 3, 6, 100] {
        assert_eq!(walk(store, Some("paging"), limit).await, expected, "pages of {limit}");
    }
    assert_eq!(store.clusters(&customer_id("paging"), None, 6).await.unwrap().next, None, "the last page says so");
}

pub(super) async fn all_clusters_are_paged_over_customers(store: &dyn Store) {
    for (owner, id) in [("zoo", "everywhere-1"), ("ant", "everywhere-2"), ("ant", "everywhere-1"), ("bee", "everywhere-1.5")] {
        store.put_cluster(&cluster(owner, id, "222222222222"), None).await.unwrap();
    }
    for limit in [1, 3, 100] {
        let ours: Vec<_> = walk(store, None, limit).await.into_iter().filter(|(id, _)| id.starts_with("everywhere")).collect();
        let ours: Vec<(&str, &str)> = ours.iter().map(|(id, owner)| (id.as_str(), owner.as_str())).collect();
        let expected = [("everywhere-1", "ant"), ("everywhere-1", "zoo"), ("everywhere-1.5", "bee"), ("everywhere-2", "ant")];
        assert_eq!(ours, expected, "pages of {limit}");
    }
}

pub(super) async fn a_deleted_cluster_leaves_no_trace_but_history(store: &dyn Store) {
    let (gone, stays) = (cluster("deleted", "gone", "333333333333"), cluster("deleted", "stays", "333333333333"));
    store.put_cluster(&gone, None).await.unwrap();
    store.put_cluster(&stays, None).await.unwrap();
    let (lost, kept) = (node("deleted", "gone", "333333333333", 1), node("deleted", "stays", "333333333333", 2));
    store.put_nodes(&gone.customer, &gone.id, std::slice::from_ref(&lost)).await.unwrap();
    store.put_nodes(&stays.customer, &stays.id, std::slice::from_ref(&kept)).await.unwrap();
    let plan = plan_key("deleted", "gone", "plan-1");
    store.open(&new_plan(&plan, at(NOON))).await.unwrap();

    for _twice in 0..2 {
        store.delete_cluster(&gone.customer, &gone.id).await.unwrap();
        assert_eq!(store.cluster(&gone.customer, &gone.id).await.unwrap(), None);
        assert_eq!(walk(store, Some("deleted"), 10).await, [("stays".to_owned(), "deleted".to_owned())]);
        assert!(!walk(store, None, 100).await.contains(&("gone".to_owned(), "deleted".to_owned())));
        assert_eq!(store.clusters_of(&gone.account).await.unwrap(), std::slice::from_ref(&stays));
        assert_eq!(store.route(&lost.key).await.unwrap(), None);
        assert_eq!(store.route(&kept.key).await.unwrap(), Some(kept.clone()));
        assert!(store.load(&plan).await.unwrap().is_some());
    }
    store.put_cluster(&gone, None).await.unwrap();
}

pub(super) async fn configuration_and_keys_are_read_as_written(store: &dyn Store) {
    let (mine, other) = (customer_id("config"), customer_id("config-2"));
    let value = serde_json::json!({"threshold": 3, "names": ["ä", null]});
    for name in ["spot", "", "with space#and/more"] {
        assert_eq!(store.config(&mine, name).await.unwrap(), None);
        store.put_config(&mine, name, &value).await.unwrap();
        assert_eq!(store.config(&mine, name).await.unwrap(), Some(value.clone()));
        assert_eq!(store.config(&other, name).await.unwrap(), None);
    }
    let newer = serde_json::json!({"threshold": 4});
    let lost = |answer: Result<(), StoreError>| assert!(matches!(answer, Err(StoreError::Conflict)), "{answer:?}");
    lost(store.swap_config(&mine, "spot", &newer, None).await);
    lost(store.swap_config(&mine, "spot", &newer, Some(&newer)).await);
    store.swap_config(&mine, "spot", &newer, Some(&value)).await.unwrap();
    lost(store.swap_config(&mine, "spot", &newer, Some(&value)).await);
    lost(store.swap_config(&mine, "fresh", &newer, Some(&value)).await);
    store.swap_config(&mine, "fresh", &newer, None).await.unwrap();
    assert_eq!(store.config(&mine, "spot").await.unwrap(), Some(newer));
    let mut key = ApiKey {
        id: String::new(),
        hash: "ab".repeat(32),
        customer: mine,
        role: Role::Operator,
        label: "ops".to_owned(),
        expires_at: None,
        revoked: false,
        created_at: None,
    };
    assert_eq!(store.api_key(&key.hash).await.unwrap(), None);
    store.put_api_key(&key).await.unwrap();
    key.revoked = true;
    store.put_api_key(&key).await.unwrap();
    assert_eq!(store.api_key(&key.hash).await.unwrap(), Some(key));
    assert_eq!(store.api_key("").await.unwrap(), None);
}

pub(super) async fn keys_are_listed_by_name_and_their_customers_own(store: &dyn Store) {
    let (mine, other) = (customer_id("named"), customer_id("named-2"));
    let key = |owner: &domain::ids::CustomerId, id: &str| ApiKey {
        id: id.to_owned(),
        hash: format!("{owner}/{id}"),
        customer: owner.clone(),
        role: Role::Viewer,
        label: "l".to_owned(),
        expires_at: None,
        revoked: false,
        created_at: Some(at(NOON)),
    };
    for id in ["k2", "k1", "k3"] {
        store.put_api_key(&key(&mine, id)).await.unwrap();
    }
    store.put_api_key(&ApiKey { id: String::new(), hash: "nameless".to_owned(), ..key(&mine, "") }).await.unwrap();
    store.put_api_key(&key(&other, "k1")).await.unwrap();
    let first = store.api_keys(&mine, None, 2).await.unwrap();
    assert_eq!(first.items, [key(&mine, "k1"), key(&mine, "k2")]);
    let rest = store.api_keys(&mine, first.next.as_deref(), 2).await.unwrap();
    assert_eq!((rest.items, rest.next), (vec![key(&mine, "k3")], None));
    let revoked = ApiKey { revoked: true, ..key(&mine, "k1") };
    store.put_api_key(&revoked).await.unwrap();
    assert_eq!(store.named_key(&mine, "k1").await.unwrap(), Some(revoked.clone()));
    assert_eq!(store.api_key(&revoked.hash).await.unwrap(), Some(revoked), "both places say the same");
    assert_eq!(store.named_key(&other, "k1").await.unwrap(), Some(key(&other, "k1")));
    assert_eq!(store.named_key(&other, "k2").await.unwrap(), None);
    assert_eq!(store.named_key(&mine, "").await.unwrap(), None);
}

pub(super) async fn the_widest_stop_holds(store: &dyn Store) {
    let (mine, prod) = (customer_id("halted"), cluster_id("prod"));
    let scope = async |customer: &str, cluster: &str| {
        store.halted(&customer_id(customer), &cluster_id(cluster)).await.unwrap().map(|halt| (halt.scope, halt.reason))
    };
    let says = |scope: &str, reason: &str| Some((scope.to_owned(), reason.to_owned()));
    assert_eq!(scope("halted", "prod").await, None);
    store.set_halt(Some(&mine), Some(&prod), Some("upgrade")).await.unwrap();
    assert_eq!(scope("halted", "prod").await, says("cluster prod", "upgrade"));
    assert_eq!(scope("halted", "test").await, None);
    assert_eq!(scope("halted-2", "prod").await, None);
    store.set_halt(Some(&mine), None, Some("freeze")).await.unwrap();
    assert_eq!(scope("halted", "prod").await, says("customer halted", "freeze"));
    assert_eq!(scope("halted", "test").await, says("customer halted", "freeze"));
    store.set_halt(None, None, Some("incident")).await.unwrap();
    assert_eq!(scope("halted", "prod").await, says("everything", "incident"));
    assert_eq!(scope("halted-2", "prod").await, says("everything", "incident"));
    for _twice in 0..2 {
        store.set_halt(None, None, None).await.unwrap();
    }
    store.set_halt(Some(&mine), None, None).await.unwrap();
    assert_eq!(scope("halted", "prod").await, says("cluster prod", "upgrade"), "a lifted stop uncovers the narrower one");
    store.set_halt(Some(&mine), Some(&prod), None).await.unwrap();
    assert_eq!(scope("halted", "prod").await, None);
    assert!(matches!(store.set_halt(None, Some(&prod), Some("whose?")).await, Err(StoreError::Refused(_))));
}
