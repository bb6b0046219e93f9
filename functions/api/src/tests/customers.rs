use super::support::{BOOTSTRAP, Bench, CLUSTER};
use http::{Method, StatusCode};
use serde_json::{Value, json};

const CUSTOMERS: &str = "/api/v1/admin/customers";

async fn put(bench: &Bench, key: &str, path: &str, tag: &str, body: &Value) -> super::support::Answer {
    let headers = [("if-match", tag)];
    bench.call(key, Method::PUT, path, if tag.is_empty() { &[] } else { &headers }, Some(body)).await
}

#[tokio::test]
async fn a_customer_is_registered_by_whoever_runs_this_with_an_external_id_of_ours() {
    let bench = Bench::new().await;
    let body = json!({ "company_name": "Acme", "email": "ops@acme.example" });
    assert_eq!(bench.post("acme-admin", CUSTOMERS, &body).await.status, StatusCode::FORBIDDEN);
    let made = bench.post(BOOTSTRAP, CUSTOMERS, &body).await;
    assert_eq!(made.status, StatusCode::CREATED, "{}", made.text);
    assert_eq!(made.json()["external_id"].as_str().unwrap().len(), 32);
    let second = bench.post(BOOTSTRAP, CUSTOMERS, &body).await;
    assert_ne!(made.json()["external_id"], second.json()["external_id"]);
    for named in ["external_id", "customer_id", "status", "version", "__proto__"] {
        let mut body = body.clone();
        body[named] = json!("mine");
        assert_eq!(bench.post(BOOTSTRAP, CUSTOMERS, &body).await.status, StatusCode::UNPROCESSABLE_ENTITY, "{named}");
    }
    let ids = |list: Value| list["items"].as_array().unwrap().iter().map(|one| one["customer_id"].to_string()).collect::<Vec<_>>();
    assert_eq!(ids(bench.get("acme-viewer", CUSTOMERS).await.json()), ["\"acme\""]);
    assert_eq!(ids(bench.get(BOOTSTRAP, CUSTOMERS).await.json()).len(), 4);
}

#[tokio::test]
async fn a_customer_changes_itself_but_not_its_status_and_not_unread() {
    let bench = Bench::new().await;
    let own = format!("{CUSTOMERS}/acme");
    let seen = bench.get("acme-viewer", &own).await;
    let tag = seen.header("etag").to_owned();
    let edit = json!({ "email": "new@acme.example" });
    assert_eq!(put(&bench, "acme-admin", &own, "", &edit).await.status, StatusCode::PRECONDITION_REQUIRED);
    assert_eq!(put(&bench, "acme-admin", &own, "\"99\"", &edit).await.status, StatusCode::PRECONDITION_FAILED);
    let changed = put(&bench, "acme-admin", &own, &tag, &edit).await;
    assert_eq!((changed.status, changed.json()["email"].as_str()), (StatusCode::OK, Some("new@acme.example")));
    assert_eq!(put(&bench, "acme-admin", &own, &tag, &edit).await.status, StatusCode::PRECONDITION_FAILED);
    assert_eq!(put(&bench, "acme-admin", &own, "*", &json!({ "status": "suspended" })).await.status, StatusCode::FORBIDDEN);
    assert_eq!(put(&bench, "other-admin", &own, "*", &edit).await.status, StatusCode::NOT_FOUND);
}

#[tokio::test]
async fn who_is_suspended_can_read_and_changes_nothing_and_their_plans_stand_still() {
    let bench = Bench::new().await;
    let own = format!("{CUSTOMERS}/acme");
    let stopped = async || bench.get("acme-viewer", &format!("/api/v1/admin/clusters/{CLUSTER}")).await.json()["halted"].clone();
    assert_eq!(put(&bench, BOOTSTRAP, &own, "*", &json!({ "status": "suspended" })).await.status, StatusCode::OK);
    assert_eq!(stopped().await["scope"], "customer acme");
    let wish = json!({ "node_name": bench.node(0) });
    let refused = bench.post("acme-operator", &format!("/api/v1/k8s/{CLUSTER}/nodes/cordon"), &wish).await;
    assert_eq!((refused.status, refused.code().as_str()), (StatusCode::FORBIDDEN, "customer-suspended"));
    assert_eq!(put(&bench, BOOTSTRAP, &own, "*", &json!({ "status": "active" })).await.status, StatusCode::OK);
    assert_eq!(stopped().await, Value::Null);
    assert_eq!(bench.post("acme-operator", &format!("/api/v1/k8s/{CLUSTER}/nodes/cordon"), &wish).await.status, StatusCode::ACCEPTED);
}

#[tokio::test]
async fn the_configuration_is_replaced_against_what_was_read_and_holds_for_new_clusters() {
    let bench = Bench::new().await;
    let path = format!("{CUSTOMERS}/acme/config");
    let seen = bench.get("acme-viewer", &path).await;
    let tag = seen.header("etag").to_owned();
    let mut policy = bench.get("acme-viewer", &format!("/api/v1/admin/clusters/{CLUSTER}")).await.json()["policy"].clone();
    policy["optimization"]["bin_packing"] = json!("recommend");
    let body = json!({ "default_policy": policy });
    assert_eq!(put(&bench, "acme-admin", &path, "", &body).await.status, StatusCode::PRECONDITION_REQUIRED);
    assert_eq!(put(&bench, "other-admin", &path, &tag, &body).await.status, StatusCode::NOT_FOUND);
    let first = put(&bench, "acme-admin", &path, &tag, &body).await;
    assert_eq!(first.status, StatusCode::OK, "{}", first.text);
    assert_eq!(put(&bench, "acme-admin", &path, &tag, &body).await.status, StatusCode::PRECONDITION_FAILED);
    assert_eq!(
        put(&bench, "acme-admin", &path, first.header("etag"), &json!({ "unknown": 1 })).await.status,
        StatusCode::UNPROCESSABLE_ENTITY
    );
    let made = bench.post("acme-admin", "/api/v1/admin/clusters", &super::support::printed()).await;
    assert_eq!(
        (made.status, made.json()["policy"]["optimization"]["bin_packing"].as_str()),
        (StatusCode::CREATED, Some("recommend")),
        "{}",
        made.text
    );
}

#[tokio::test]
async fn the_trail_says_who_asked_what_was_there_before_and_after_and_holds_no_secret() {
    let bench = Bench::new().await;
    put(&bench, "acme-admin", &format!("{CUSTOMERS}/acme"), "*", &json!({ "email": "new@acme.example" })).await;
    let key = bench.post("acme-admin", "/api/v1/admin/keys", &json!({ "label": "ci", "role": "viewer" })).await.json();
    bench.post("acme-viewer", "/api/v1/admin/keys", &json!({})).await;
    put(&bench, "acme-admin", &format!("{CUSTOMERS}/acme"), "\"0\"", &json!({})).await;
    let rows = bench.get("acme-admin", "/api/v1/audit").await.json()["items"].clone();
    let first = rows.as_array().unwrap().iter().find(|row| !row["before"].is_null()).unwrap();
    assert_eq!((first["action"].as_str(), first["by"].as_str()), (Some("PUT /api/v1/admin/customers/{id}"), Some("acme-admin")));
    assert_eq!((first["before"]["email"].as_str(), first["after"]["email"].as_str()), (Some(""), Some("new@acme.example")));
    let statuses: Vec<i64> = rows.as_array().unwrap().iter().map(|row| row["status"].as_i64().unwrap()).collect();
    assert!(statuses.len() == 3 && [200, 201, 412].iter().all(|status| statuses.contains(status)), "{statuses:?}");
    assert!(bench.get("other-admin", "/api/v1/audit").await.json()["items"].as_array().unwrap().is_empty());

    let lines = bench.get("acme-admin", "/api/v1/audit?format=ndjson&limit=2").await;
    assert_eq!((lines.header("content-type"), lines.text.lines().count()), ("application/x-ndjson", 2));
    // Who follows the links has the whole trail, in one form.
    let (mut taken, mut next) = (lines.text.clone(), lines.header("link").to_owned());
    while let Some(query) = next.strip_prefix('<').and_then(|rest| rest.strip_suffix(">; rel=\"next\"")) {
        let page = bench.get("acme-admin", &format!("/api/v1/audit{query}")).await;
        assert_eq!(page.header("content-type"), "application/x-ndjson");
        (taken, next) = (taken + &page.text, page.header("link").to_owned());
    }
    let taken: Vec<Value> = taken.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    assert_eq!(json!(taken), rows);
    let table = bench.get("acme-admin", "/api/v1/audit?format=csv").await;
    assert!(table.text.starts_with("\"action\","), "{}", table.text);
    for text in [rows.to_string(), lines.text, table.text] {
        assert!(!text.contains(key["secret"].as_str().unwrap()));
    }
    assert_eq!(bench.get("acme-admin", "/api/v1/audit?format=xml").await.status, StatusCode::BAD_REQUEST);
}
