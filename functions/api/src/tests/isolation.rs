//! Fifty customers at once, each asking for everything of everybody: what is another's never shows, and never changes.

#![expect(clippy::print_stdout, reason = "figures for CI")]

use super::support::{Answer, Bench, request, sha256};
use crate::routes::{Route, TABLE};
use domain::Timestamp;
use domain::ids::{AccountId, ClusterId, CustomerId};
use domain::ports::{Registry, Trail};
use domain::tenant::{ApiKey, Role};
use http::{Method, StatusCode};
use serde_json::{Value, json};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{LazyLock, Mutex};

const CUSTOMERS: usize = 50;
/// Requests of one world: below the calls that the keys of fifty customers have in a minute, whoever is drawn how often.
const A_WORLD: usize = 5_000;

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

/// Clusters are looked at in the world of the other tests, models belong to nobody; here it is the table that is walled.
static ROUTES: LazyLock<Vec<&Route>> = LazyLock::new(|| {
    let walled = |route: &&Route| {
        !route.path.contains("/k8s/") && !route.path.contains("/ml/") && route.path != "/api/v1/docs" && !route.path.contains("openapi")
    };
    TABLE.iter().filter(walled).collect()
});

async fn ask(bench: &Bench, random: &mut fastrand::Rng, by: usize) -> (String, usize, Answer) {
    let about = random.usize(..CUSTOMERS);
    let route = ROUTES[random.usize(..ROUTES.len())];
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
    let request = request(&key(by), route.method.clone(), &path, &[("if-match", "*"), ("x-customer-id", names[1].as_str())], sent);
    // Whose it is, is looked at in every answer; whether it keeps to the contract, in one of sixteen: that is what other tests are for.
    let answer = if random.u8(..16) == 0 { bench.send(request).await } else { bench.unheld(request).await };
    (format!("{} {path} {body}", route.method), about, answer)
}

#[expect(clippy::disallowed_methods, reason = "the number of requests of a long run is set from outside")]
fn wanted() -> usize {
    std::env::var("ISOLATION_REQUESTS").ok().and_then(|text| text.parse().ok()).unwrap_or(5_000)
}

/// What the requests of one world came to.
#[derive(Default)]
struct Tally {
    own: usize,
    foreign: usize,
    /// Who saw what of whom.
    leaks: Vec<String>,
}

/// So many requests in a world of its own.
async fn world(seed: u64, requests: usize) -> Tally {
    let bench = Bench::new().await;
    settle(&bench).await;
    let mut random = fastrand::Rng::with_seed(seed);
    let mut tally = Tally::default();
    for _ in 0..requests {
        let by = random.usize(..CUSTOMERS);
        let (asked, about, answer) = ask(&bench, &mut random, by).await;
        assert_ne!(answer.status, StatusCode::TOO_MANY_REQUESTS, "seed {seed}: {asked}");
        let foreign = marks(&answer.text).filter(|found| *found != mark(by));
        tally.leaks.extend(foreign.map(|found| format!("seed {seed}: {} saw {found}: {asked}: {}", mark(by), answer.text)));
        tally.own += usize::from(answer.status.is_success() && about == by);
        tally.foreign += usize::from(answer.status == StatusCode::NOT_FOUND);
    }
    for of in 0..CUSTOMERS {
        let cluster = bench.stored(id(of).as_str(), &format!("c-{of:02}")).await;
        let customer = bench.store.customer(&id(of)).await.unwrap().unwrap();
        assert_eq!((cluster.name, customer.company_name), (mark(of), mark(of)), "seed {seed}: changed by another");
        let rows = bench.store.requests(&id(of), None, requests).await.unwrap().items;
        assert!(rows.iter().all(|row| row.by == mark(of)), "seed {seed}: in another's trail");
        let keys = bench.store.api_keys(&id(of), None, requests).await.unwrap().items;
        assert!(keys.iter().all(|key| key.label == mark(of)), "seed {seed}: a key made by another");
    }
    tally
}

/// Worlds side by side, a thread for each processor: a world takes as long as its requests, and no longer the more there were before.
/// `ISOLATION_REQUESTS=1000000` for the long run.
#[test]
fn nothing_of_another_customer_shows_or_changes_whatever_is_asked() {
    let requests = wanted();
    let worlds = requests.div_ceil(A_WORLD);
    let next = AtomicUsize::new(0);
    let all = Mutex::new(Tally::default());
    std::thread::scope(|scope| {
        for _ in 0..std::thread::available_parallelism().map_or(2, usize::from) {
            scope.spawn(|| {
                let runtime = tokio::runtime::Builder::new_current_thread().enable_all().start_paused(true).build().unwrap();
                loop {
                    let at = next.fetch_add(1, Ordering::Relaxed);
                    if at >= worlds {
                        return;
                    }
                    let many = A_WORLD.min(requests - at * A_WORLD);
                    let came = runtime.block_on(world(7 + at as u64, many));
                    let mut all = all.lock().unwrap();
                    (all.own, all.foreign) = (all.own + came.own, all.foreign + came.foreign);
                    all.leaks.extend(came.leaks);
                }
            });
        }
    });
    let Tally { own, foreign, leaks } = all.into_inner().unwrap();
    assert!(leaks.is_empty(), "{} leaks, the first of them: {:#?}", leaks.len(), leaks.first());
    assert!(own * 500 > requests && foreign * 20 > requests, "the requests reach what they are about: {own} own, {foreign} foreign");
    println!("BENCH isolation_requests {requests} requests >= 5000");
    println!("BENCH isolation_leaks {} leaks <= 0", leaks.len());
}
