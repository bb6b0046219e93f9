use super::support::{BOOTSTRAP, Bench, CLUSTER, request};
use crate::routes::{Access, Route, TABLE};
use domain::tenant::Role;
use http::{Method, StatusCode};
use serde_json::json;

fn path(template: &str) -> String {
    template.replace("{cluster_id}", CLUSTER).replace("{plan_id}", "p-1").replace("{id}", CLUSTER)
}

const ROLES: [(&str, Role); 3] = [("viewer", Role::Viewer), ("operator", Role::Operator), ("admin", Role::Admin)];

#[tokio::test]
async fn every_route_lets_exactly_its_roles_in() {
    let mut cells = 0;
    for Route { method, path: template, access, .. } in TABLE {
        for (word, role) in ROLES {
            // A world of its own for each cell: some of these requests change it.
            let bench = Bench::new().await;
            // What concerns every customer is for the administrator of whoever runs the control plane.
            let managed = template.starts_with("/api/v1/ml/") && *access == Access::Needs(Role::Admin);
            let key = if managed && role == Role::Admin { BOOTSTRAP.to_owned() } else { format!("acme-{word}") };
            let answer = bench.call(&key, method.clone(), &path(template), &[], Some(&json!({}))).await;
            let denied = match access {
                Access::Everyone => false,
                Access::Needs(needed) => role < *needed,
            };
            assert_eq!(answer.status == StatusCode::FORBIDDEN, denied, "{method} {template} as {word}: {}", answer.text);
            assert_ne!(answer.status, StatusCode::UNAUTHORIZED, "{method} {template} as {word}");
            cells += 1;
        }
    }
    assert_eq!(cells, TABLE.iter().count() * ROLES.len());
}

#[tokio::test]
async fn no_route_takes_a_key_that_is_missing_unknown_expired_or_revoked() {
    let bench = Bench::new().await;
    for Route { method, path: template, access, .. } in TABLE.iter().filter(|route| route.access != Access::Everyone) {
        let mut keys = vec![String::new(), "nothing".to_owned(), "null".to_owned(), "acme-admin ".repeat(100)];
        for (word, _) in ROLES {
            keys.extend([format!("acme-{word}-expired"), format!("acme-{word}-revoked"), format!("ACME-{word}")]);
        }
        for key in keys {
            let answer = bench.call(key.trim(), method.clone(), &path(template), &[], Some(&json!({}))).await;
            assert_eq!(answer.status, StatusCode::UNAUTHORIZED, "{method} {template} {access:?} with {key:?}: {}", answer.text);
            assert!(answer.header("www-authenticate").starts_with("Bearer"));
            assert!(answer.text.contains("API key"), "{}", answer.text);
        }
    }
    assert!(bench.queue.is_empty() && bench.store.plans().is_empty());
}

#[tokio::test]
async fn a_key_may_come_in_either_header_and_two_different_keys_are_none() {
    let bench = Bench::new().await;
    let path = "/api/v1/admin/clusters";
    let with = |headers: &[(&str, &str)]| request("", Method::GET, path, headers, None);
    for good in [
        &[("x-api-key", "acme-viewer")][..],
        &[("authorization", "bearer acme-viewer")],
        &[("authorization", "Bearer acme-viewer"), ("x-api-key", "acme-viewer")],
    ] {
        assert_eq!(bench.send(with(good)).await.status, StatusCode::OK, "{good:?}");
    }
    for bad in [
        &[("authorization", "Basic acme-viewer")][..],
        &[("authorization", "acme-viewer")],
        &[("authorization", "Bearer acme-viewer"), ("x-api-key", "other-viewer")],
        &[("x-api-key", "acme-viewer"), ("x-api-key", "other-viewer")],
    ] {
        assert_eq!(bench.send(with(bad)).await.status, StatusCode::UNAUTHORIZED, "{bad:?}");
    }
}

#[tokio::test]
async fn what_belongs_to_another_customer_looks_as_if_it_were_not_there() {
    let bench = Bench::new().await;
    // What the decision server is asked stands in the question; nothing behind it belongs to anybody.
    let owned = |template: &str| template.contains('{') && !template.starts_with("/api/v1/ml/");
    for Route { method, path: template, .. } in TABLE.iter().filter(|route| owned(route.path)) {
        let body = match *template {
            template if template.ends_with("scale") => json!({ "namespace": "default", "name": "web", "replicas": 1 }),
            template if template.ends_with("replay") => json!({ "notice_id": "n" }),
            template if template.ends_with("office-hours/{cluster_id}/approve") => json!({ "fingerprint": "f" }),
            template if template.ends_with("wake") => json!({ "minutes": 60 }),
            template if template.contains("/scanner/findings/") => json!({ "cluster_id": CLUSTER, "reason": "ours" }),
            template if template.contains("/scanner/terminate/") => json!({ "cluster_id": CLUSTER }),
            template if template.ends_with("/dismiss") => json!({ "cluster_id": CLUSTER, "reason": "r" }),
            _ if *method == Method::PUT => json!({}),
            _ => json!({ "node_name": bench.node(0) }),
        };
        let foreign = bench.call("other-admin", method.clone(), &path(template), &[("if-match", "*")], Some(&body)).await;
        assert_eq!(foreign.status, StatusCode::NOT_FOUND, "{method} {template}: {}", foreign.text);
        let missing = path(template).replace(CLUSTER, "c-nowhere");
        let missing = bench.call("other-admin", method.clone(), &missing, &[("if-match", "*")], Some(&body)).await;
        assert_eq!(missing.text.replace("c-nowhere", CLUSTER), foreign.text, "{method} {template}: the two can be told apart");
    }
    assert_eq!(bench.get("other-viewer", "/api/v1/admin/clusters").await.json()["items"].as_array().unwrap().len(), 1);
}

#[tokio::test]
async fn the_bootstrap_key_is_the_administrator_of_whoever_runs_this() {
    let bench = Bench::new().await;
    let listed = bench.get(BOOTSTRAP, "/api/v1/admin/clusters").await;
    assert_eq!((listed.status, listed.json()["items"].as_array().unwrap().len()), (StatusCode::OK, 0));
    let everything = json!({ "scope": "everything", "reason": "drill" });
    assert_eq!(bench.post(BOOTSTRAP, "/api/v1/admin/halt", &everything).await.status, StatusCode::OK);
    assert_eq!(bench.post("acme-admin", "/api/v1/admin/halt", &everything).await.status, StatusCode::FORBIDDEN);
}

#[tokio::test]
async fn health_needs_no_key_and_tells_nothing() {
    let answer = Bench::new().await.get("", "/health").await;
    assert_eq!((answer.status, answer.json()["status"].as_str()), (StatusCode::OK, Some("ok")));
}
