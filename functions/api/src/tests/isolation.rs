//! Fifty customers at once, each asking for everything of everybody: what is another's never shows, and never changes.

use super::support::{Answer, Bench, request, sha256};
use crate::routes::TABLE;
use domain::ids::{AccountId, ClusterId, CustomerId};
use domain::ports::{Clock, Registry, Trail};
use domain::tenant::{ApiKey, Role};
use domain::{SignedDuration, Timestamp};
use http::{Method, StatusCode};
use serde_json::{Value, json};

const CUSTOMERS: usize = 50;
/// Below the calls that a key has in a minute, whoever is drawn how often.
const A_MINUTE: usize = 5_000;

/// Stands in whatever a customer owns, and in nothing that another may see.
fn mark(of: usize) -> String {
    format!("mark{of:02}x")
}

fn id(of: usize) -> CustomerId {
    CustomerId::parse(format!("t-{of:02}")).unwrap()
}

fn key(of: usize) -> String {
    format!("key-of-{of:02}")
}

/// Whose marks stand in a text.
fn marks(text: &str) -> impl Iterator<Item = &str> {
    text.match_indices("mark").filter_map(|(at, _)| text.get(at..at + 7)).filter(|found| found.ends_with('x'))
}

async fn settle(bench: &Bench) {
    for of in 0..CUSTOMERS {
        let (mut customer, mut cluster) =
            (bench.store.customer(&CustomerId::parse("acme").unwrap()).await.unwrap().unwrap(), bench.stored("acme", "c-acme").await);
        customer.id = id(of);
        customer.company_name = mark(of);
        customer.external_id = mark(of);
        bench.store.put_customer(&customer).await.unwrap();
        cluster.id = ClusterId::parse(format!("c-{of:02}")).unwrap();
        cluster.customer = id(of);
        cluster.name = mark(of);
        cluster.k8s_token = None;
        cluster.account = AccountId::parse(format!("2222222222{of:02}")).unwrap();
        bench.store.put_cluster(&cluster, None).await.unwrap();
        let made = ApiKey {
            id: format!("k-{of:02}"),
            hash: sha256(&key(of)),
            customer: id(of),
            role: Role::Admin,
            label: mark(of),
            expires_at: None,
            revoked: false,
            created_at: Some(Timestamp::UNIX_EPOCH),
        };
        bench.store.put_api_key(&made).await.unwrap();
    }
}

fn body(random: &mut fastrand::Rng, by: usize, about: usize) -> Value {
    match random.u8(..8) {
        0 => json!({ "company_name": mark(by), "email": "a@b.example" }),
        1 => json!({ "label": mark(by), "role": "viewer", "customer_id": id(about) }),
        2 => json!({ "label": mark(by), "role": "admin" }),
        3 => json!({ "cluster_name": mark(by) }),
        4 => json!({ "cluster_id": format!("c-{about:02}") }),
        5 => json!({ "scope": format!("cluster c-{about:02}"), "reason": mark(by) }),
        6 => json!({ "label": mark(by), "channel": "email", "email": format!("{}@b.example", mark(by)) }),
        _ => json!({ "default_policy": null }),
    }
}

async fn ask(bench: &Bench, random: &mut fastrand::Rng, by: usize) -> (String, usize, Answer) {
    let about = random.usize(..CUSTOMERS);
    // Clusters are looked at in the world of the other tests; here it is the table that is walled. The decision server holds nothing of
    // anybody.
    let ours: Vec<_> = TABLE
        .iter()
        .filter(|route| {
            !route.path.contains("/k8s/") && !route.path.contains("/ml/") && route.path != "/api/v1/docs" && !route.path.contains("openapi")
        })
        .collect();
    let route = ours[random.usize(..ours.len())];
    let names = [format!("c-{about:02}"), id(about).to_string(), format!("k-{about:02}"), format!("target-{:032x}", random.u64(..4_000))];
    let name = names[random.usize(..names.len())].clone();
    let mut path = route.path.replace("{cluster_id}", &names[0]).replace("{id}", &name).replace("{plan_id}", "p");
    if route.method == Method::DELETE && about == by {
        path = "/api/v1/admin/clusters/none".to_owned();
    }
    if random.bool() {
        path = format!("{path}?cluster_id={}&customer_id={}", names[0], names[1]);
    }
    let body = body(random, by, about);
    let sent = (route.method != Method::GET).then_some(&body);
    let answer =
        bench.send(request(&key(by), route.method.clone(), &path, &[("if-match", "*"), ("x-customer-id", names[1].as_str())], sent)).await;
    (format!("{} {path} {body}", route.method), about, answer)
}

#[expect(clippy::disallowed_methods, reason = "the number of requests of a long run is set from outside")]
fn wanted() -> usize {
    std::env::var("ISOLATION_REQUESTS").ok().and_then(|text| text.parse().ok()).unwrap_or(5_000)
}

/// `ISOLATION_REQUESTS=1000000` for the long run.
#[tokio::test(start_paused = true)]
async fn nothing_of_another_customer_shows_or_changes_whatever_is_asked() {
    let bench = Bench::new().await;
    settle(&bench).await;
    let mut random = fastrand::Rng::with_seed(7);
    let (mut own, mut foreign) = (0, 0);
    for number in 0..wanted() {
        if number % A_MINUTE == 0 {
            bench.clock.sleep(SignedDuration::from_mins(1)).await;
        }
        let by = random.usize(..CUSTOMERS);
        let (asked, about, answer) = ask(&bench, &mut random, by).await;
        assert_ne!(answer.status, StatusCode::TOO_MANY_REQUESTS, "{asked}");
        for found in marks(&answer.text) {
            assert_eq!(found, mark(by), "{} saw {found}: {asked}: {}", mark(by), answer.text);
        }
        if answer.status.is_success() && about == by {
            own += 1;
        } else if answer.status == StatusCode::NOT_FOUND {
            foreign += 1;
        }
    }
    assert!(own * 500 > wanted() && foreign * 20 > wanted(), "the requests reach what they are about: {own} own, {foreign} foreign");
    for of in 0..CUSTOMERS {
        let cluster = bench.stored(id(of).as_str(), &format!("c-{of:02}")).await;
        let customer = bench.store.customer(&id(of)).await.unwrap().unwrap();
        assert_eq!((cluster.name, customer.company_name), (mark(of), mark(of)), "changed by another");
        let rows = bench.store.requests(&id(of), None, wanted()).await.unwrap().items;
        assert!(rows.iter().all(|row| row.by == mark(of)), "in another's trail");
        let keys = bench.store.api_keys(&id(of), None, wanted()).await.unwrap().items;
        assert!(keys.iter().all(|key| key.label == mark(of)), "a key made by another");
    }
}
