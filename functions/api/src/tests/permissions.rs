//! What we may do in a cluster, as it was when it was last looked at.

use super::support::{Bench, CLUSTER};
use domain::SignedDuration;
use domain::ids::CustomerId;
use domain::permissions::account::{ACCOUNT_CAPABILITIES, GrantFound};
use domain::permissions::{CAPABILITIES, Checklist, Right, key};
use domain::ports::{Clock, Registry, Trust};
use domain::watch::ScanOrder;
use http::StatusCode;
use serde_json::{Value, json};
use sim::store::Which;

fn path() -> String {
    format!("/api/v1/admin/clusters/{CLUSTER}/permissions")
}

fn of<'a>(shown: &'a Value, capability: &str) -> &'a Value {
    shown["capabilities"].as_array().unwrap().iter().find(|one| one["capability"] == capability).unwrap()
}

#[tokio::test(start_paused = true)]
async fn the_checklist_says_capability_by_capability_what_is_missing_and_how_old_it_is() {
    let bench = Bench::new().await;
    let (acme, cluster) = (CustomerId::parse("acme").unwrap(), bench.stored("acme", CLUSTER).await.id);
    let shown = bench.get("acme-viewer", &path()).await.json();
    assert_eq!((shown["looked_at"].clone(), shown["capabilities"].as_array().unwrap().len()), (Value::Null, CAPABILITIES.len()));
    assert_eq!((of(&shown, "read")["complete"].clone(), shown["role"].clone()), (Value::Null, Value::Null), "nobody knows yet");

    let right = |verb: &str, resource: &str| Right { verb: verb.to_owned(), group: String::new(), resource: resource.to_owned() };
    let missing = Some(vec![right("create", "pods/eviction"), right("patch", "pods/resize")]);
    let mut list = Checklist { at: bench.clock.now(), role: Trust::Us, missing, why: None, account: Vec::new() };
    let put = async |list: &Checklist| bench.store.put_config(&acme, &key(&cluster), &json!(list)).await.unwrap();
    put(&list).await;
    bench.clock.sleep(SignedDuration::from_secs(90)).await;
    let shown = bench.get("acme-viewer", &path()).await.json();
    assert_eq!((shown["age_s"].as_i64(), shown["role"]["trusts"].as_str()), (Some(90), Some("us")));
    let complete: Vec<&str> = CAPABILITIES.iter().map(|one| one.name).filter(|name| of(&shown, name)["complete"] == true).collect();
    assert_eq!(complete, ["read", "act-cordon", "act-deadline", "act-scale", "act-sleep", "act-remove-node"]);
    let size = of(&shown, "act-size")["rights"].as_array().unwrap();
    let held: Vec<(&str, bool)> = size.iter().map(|one| (one["right"].as_str().unwrap(), one["held"].as_bool().unwrap())).collect();
    assert_eq!(held, [("patch deployments.apps", true), ("patch statefulsets.apps", true), ("patch pods/resize", false)]);

    let account = shown["account"].as_array().unwrap();
    assert_eq!(account.len(), ACCOUNT_CAPABILITIES.len());
    assert!(account.iter().all(|one| one["complete"].is_null()), "a list of an older version knows nothing of the account");
    let found = |statement: &str, action: &str, held, why: Option<&str>| GrantFound {
        statement: statement.to_owned(),
        action: action.to_owned(),
        held,
        why: why.map(str::to_owned),
    };
    list.account = vec![
        found("EndOurs", "ec2:TerminateInstances", Some(true), None),
        found("GiveNodesTheirRole", "iam:PassRole", Some(false), None),
        found("LaunchFrom", "ec2:RunInstances", None, Some("It cannot be told.")),
    ];
    put(&list).await;
    let shown = bench.get("acme-viewer", &path()).await.json();
    let of_account = |name: &str| shown["account"].as_array().unwrap().iter().find(|one| one["capability"] == name).unwrap().clone();
    let complete = ["end-own", "launch", "go-on"].map(|name| of_account(name)["complete"].clone());
    assert_eq!(complete, [json!(true), json!(false), Value::Null]);
    let launch = of_account("launch")["grants"].as_array().unwrap().clone();
    let missing = launch.iter().find(|grant| grant["held"] == false).unwrap();
    assert_eq!((missing["action"].as_str(), missing["statement"].as_str()), (Some("iam:PassRole"), Some("GiveNodesTheirRole")));
    assert!(launch.iter().any(|grant| grant["why"] == "It cannot be told."));

    (list.missing, list.why) = (None, Some("The Kubernetes API of the cluster does not answer.".to_owned()));
    put(&list).await;
    let shown = bench.get("acme-viewer", &path()).await.json();
    assert_eq!((of(&shown, "act-size")["complete"].clone(), shown["why"].as_str()), (Value::Null, list.why.as_deref()));
    assert_eq!(bench.get("other-admin", &path()).await.status, StatusCode::NOT_FOUND);
}

#[tokio::test(start_paused = true)]
async fn a_look_is_asked_for_by_a_scan() {
    let bench = Bench::new().await;
    let asked = bench.post("acme-operator", &path(), &json!({})).await;
    assert_eq!((asked.status, asked.header("location")), (StatusCode::ACCEPTED, path().as_str()), "{}", asked.text);
    let taken = bench.queue.take_due(bench.clock.now() + SignedDuration::from_secs(1));
    let scans: Vec<ScanOrder> =
        taken.iter().filter(|message| message.queue == Which::Scans).map(|message| serde_json::from_str(&message.body).unwrap()).collect();
    assert_eq!((scans.len(), scans[0].whole, scans[0].cluster.as_str()), (1, false, CLUSTER));
    let shown = bench.get("acme-viewer", &path()).await.json();
    assert_eq!(shown["asked_at"], json!(bench.clock.now()));
    assert_eq!(bench.post("acme-viewer", &path(), &json!({})).await.status, StatusCode::FORBIDDEN);
    assert_eq!(bench.post("other-operator", &path(), &json!({})).await.status, StatusCode::NOT_FOUND);
}
