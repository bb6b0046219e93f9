//! The mix of requests of many customers, each handled with the credentials of one customer and in the name of another.

use crate::iam::Wall;
use axum::Router;
use axum::body::{Body, to_bytes};
use data_encoding::HEXLOWER;
use domain::Timestamp;
use domain::address::Rules;
use domain::ids::{AccountId, ClusterId, CustomerId};
use domain::ports::Registry;
use domain::tenant::{ApiKey, Role};
use gate::Gate;
use harness::system::{a_cluster, a_customer};
use http::{Method, Request};
use serde_json::{Value, json};
use sha2::{Digest, Sha256};
use sim::clock::SimClock;
use sim::store::{MemoryQueue, MemoryTrust, MemoryVault};
use sim::world::World;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use tower::ServiceExt;

pub(crate) const CUSTOMERS: usize = 8;
const TABLE: &str = "walls";

/// Stands in whatever a customer owns, and in nothing that another may see.
fn mark(of: usize) -> String {
    format!("mark{of:02}x")
}

pub(crate) fn id(of: usize) -> CustomerId {
    CustomerId::parse(format!("t-{of:02}")).unwrap()
}

pub(crate) fn key(of: usize) -> String {
    format!("key-of-{of:02}")
}

fn marks(text: &str) -> impl Iterator<Item = &str> {
    text.match_indices("mark").filter_map(|(at, _)| text.get(at..at + 7)).filter(|found| found.ends_with('x'))
}

#[expect(clippy::disallowed_methods, reason = "the number of requests of a long run is set from outside")]
fn wanted() -> usize {
    std::env::var("WALL_REQUESTS").ok().and_then(|text| text.parse().ok()).unwrap_or(1_000)
}

pub(crate) struct Stage {
    pub(crate) wall: Arc<Wall>,
    /// Where the wall answers.
    pub(crate) url: String,
    pub(crate) base: aws::Table,
    /// The API with the credentials of each customer.
    apis: Vec<Router>,
}

pub(crate) async fn table(url: &str, principal: &str) -> Arc<aws::Table> {
    Arc::new(aws::Table::new(&aws::local_config_as(url, "us-east-1", principal), TABLE.to_owned()))
}

pub(crate) async fn stage() -> Stage {
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let emulator = format!("http://{}", listener.local_addr().unwrap());
    let database = dynoxide::Database::memory().unwrap();
    tokio::spawn(dynoxide::server::serve_with_shutdown(listener, database, std::future::pending()));
    aws::create_table(&aws::local_config(&emulator, "us-east-1"), TABLE).await.unwrap();
    let (wall, url) = Wall::before(&emulator).await;
    let clock = SimClock::new();
    let base = table(&url, "base").await;
    let mut apis = Vec::new();
    for of in 0..CUSTOMERS {
        let mut customer = a_customer(&id(of), Timestamp::UNIX_EPOCH);
        (customer.company_name, customer.external_id) = (mark(of), mark(of));
        base.put_customer(&customer).await.unwrap();
        let account = format!("2222222222{of:02}");
        let mut cluster =
            a_cluster(&id(of), &ClusterId::parse(format!("c-{of:02}")).unwrap(), &account, "us-east-1", Timestamp::UNIX_EPOCH);
        (cluster.name, cluster.account) = (mark(of), AccountId::parse(account).unwrap());
        base.put_cluster(&cluster, None).await.unwrap();
        let hash = HEXLOWER.encode(&Sha256::digest(key(of)));
        let made = ApiKey {
            id: format!("k-{of:02}"),
            hash,
            customer: id(of),
            role: Role::Admin,
            label: mark(of),
            expires_at: None,
            revoked: false,
            created_at: Some(Timestamp::UNIX_EPOCH),
        };
        base.put_api_key(&made).await.unwrap();
        apis.push(api::router(Arc::new(deps(table(&url, id(of).as_str()).await, clock.clone()))));
    }
    Stage { wall, url, base: (*base).clone(), apis }
}

pub(crate) fn deps(table: Arc<aws::Table>, clock: Arc<SimClock>) -> api::Deps {
    let queue = MemoryQueue::new(clock.clone());
    let count = AtomicU64::new(0);
    api::Deps {
        registry: table.clone(),
        journal: table.clone(),
        routes: table.clone(),
        optimizations: table.clone(),
        ledger: table.clone(),
        outbox: table.clone(),
        nights: table.clone(),
        rounds: queue.clone(),
        scans: queue.clone(),
        findings: table.clone(),
        trail: table.clone(),
        // Its own limit is another wall, and not the one that is tried here.
        rates: Arc::new(api::rates::Rates::new(table.clone(), 1 << 40)),
        issuer: None,
        idempotency: table,
        queue,
        trust: Arc::new(MemoryTrust::default()),
        directory: None,
        vault: Arc::new(MemoryVault::default()),
        ml: None,
        gate: Gate::internet(Rules::public()),
        clusters: World::new(clock.clone(), 1),
        clock,
        bootstrap_admin_hash: None,
        ids: Arc::new(move || u128::from(count.fetch_add(1, Ordering::SeqCst)) + 1),
    }
}

pub(crate) fn request(random: &mut fastrand::Rng, says: usize) -> Request<Body> {
    let about = random.usize(..CUSTOMERS);
    let routes: Vec<_> = api::routes::TABLE
        .iter()
        .filter(|route| {
            !route.path.contains("/k8s/") && !route.path.contains("/ml/") && route.path != "/api/v1/docs" && !route.path.contains("openapi")
        })
        .collect();
    let route = routes[random.usize(..routes.len())];
    let names = [format!("c-{about:02}"), id(about).to_string(), format!("k-{about:02}")];
    let name = names[random.usize(..names.len())].clone();
    let mut path = route.path.replace("{cluster_id}", &names[0]).replace("{id}", &name).replace("{plan_id}", "p");
    if route.method == Method::DELETE && about == says {
        path = "/api/v1/admin/clusters/none".to_owned();
    }
    let body: Value = match random.u8(..6) {
        0 => json!({ "company_name": mark(says), "email": "a@b.example" }),
        1 => json!({ "label": mark(says), "role": "viewer" }),
        2 => json!({ "cluster_name": mark(says) }),
        3 => json!({ "cluster_id": names[0] }),
        4 => json!({ "label": mark(says), "channel": "email", "email": format!("{}@b.example", mark(says)) }),
        _ => json!({ "default_policy": null }),
    };
    let request = Request::builder().method(route.method.clone()).uri(path);
    let request = request.header("authorization", format!("Bearer {}", key(says))).header("if-match", "*");
    match route.method {
        Method::GET => request.body(Body::empty()).unwrap(),
        _ => request.header("content-type", "application/json").body(Body::from(body.to_string())).unwrap(),
    }
}

/// What was seen of others, and how many requests of one's own were answered.
async fn run(stage: &Stage, requests: usize) -> (Vec<String>, usize) {
    let mut random = fastrand::Rng::with_seed(11);
    let (mut leaks, mut own) = (Vec::new(), 0);
    for _ in 0..requests {
        // With the credentials of one, in the name of another: whatever the code believes.
        let (acts, says) = (random.usize(..CUSTOMERS), random.usize(..CUSTOMERS));
        let says = if random.u8(..4) == 0 { acts } else { says };
        let request = request(&mut random, says);
        let asked = format!("{} {}", request.method(), request.uri());
        let response = stage.apis[acts].clone().oneshot(request).await.unwrap();
        let status = response.status();
        let text = String::from_utf8(to_bytes(response.into_body(), usize::MAX).await.unwrap().to_vec()).unwrap();
        // The name of a role that was changed by itself is what one has sent.
        leaks.extend(
            marks(&text).filter(|found| *found != mark(acts)).map(|found| format!("{} saw {found}: {asked}: {status}", mark(acts))),
        );
        own += usize::from(acts == says && status.is_success());
    }
    (leaks, own)
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_leading_key_condition_alone_walls_customers_off() {
    let stage = stage().await;
    let requests = wanted();
    let (leaks, own) = run(&stage, requests).await;
    assert!(leaks.is_empty(), "{} leaks: {:#?}", leaks.len(), &leaks[..leaks.len().min(10)]);
    let (refused, passed) = (stage.wall.refused.load(Ordering::Relaxed), stage.wall.passed.load(Ordering::Relaxed));
    assert!(own * 20 > requests && refused as usize * 4 > requests, "{own} of one's own, {refused} refused, {passed} passed");
    for of in 0..CUSTOMERS {
        let cluster = stage.base.cluster(&id(of), &ClusterId::parse(format!("c-{of:02}")).unwrap()).await.unwrap().expect("it is there");
        let customer = stage.base.customer(&id(of)).await.unwrap().unwrap();
        assert_eq!((cluster.name, customer.company_name), (mark(of), mark(of)), "changed by another");
        let keys = stage.base.api_keys(&id(of), None, requests).await.unwrap().items;
        assert!(keys.iter().all(|key| key.label == mark(of)), "a key made by another");
    }
    println!("BENCH wall_leaks {} leaks <= 0", leaks.len());
    println!("BENCH wall_requests {requests} requests >= 1000");
}

/// Without the wall the same mix leaks: so it is the wall that holds.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn without_the_condition_the_same_requests_see_others() {
    let stage = stage().await;
    stage.wall.stands.store(false, Ordering::Relaxed);
    let (leaks, _) = run(&stage, 200).await;
    assert!(!leaks.is_empty(), "the mix asks for nothing that is another's");
}
