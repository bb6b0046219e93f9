//! The figures of the console over a thousand clusters, one `BENCH` line each: on the adapters and the embedded table of local mode.

use axum::Router;
use axum::body::{Body, to_bytes};
use console::fleet::Fleets;
use console::routes::PAGES;
use console::session::{Signer, hash_of};
use domain::SignedDuration;
use domain::ids::{ClusterId, CustomerId, InstanceId, InstanceKey, NodeName};
use domain::money::MicroDollars;
use domain::node::{NodeOwner, NodeRecord, NodeTarget};
use domain::offering::{CapacityType, Pool};
use domain::ports::{Clock, Ledger, Registry, Routes};
use domain::savings::{Hour, hour_of};
use domain::tenant::{ApiKey, Cluster, ClusterStatus, Role};
use futures::{StreamExt, TryStreamExt};
use http::{Request, StatusCode};
use sim::clock::SimClock;
use sim::store::MemoryQueue;
use std::io::Write;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant};
use tower::ServiceExt;

const CLUSTERS: u32 = 1_000;
const NODES: u32 = 5;
const HOURS: i64 = 12;
/// How often each page is opened.
const LOOKS: usize = 100;
const KEY: &str = "a key of this benchmark";

fn main() {
    let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build().expect("a runtime");
    runtime.block_on(measure());
}

async fn measure() {
    let clock = SimClock::new();
    let (pages, table) = house(clock.clone()).await;
    let began = Instant::now();
    let all = futures::stream::iter(0..CLUSTERS).map(|number| register(&table, number, clock.now()));
    all.buffer_unordered(16).try_collect::<Vec<()>>().await.expect("the table takes a thousand clusters");
    say(&format!("{CLUSTERS} clusters of {NODES} nodes and {HOURS} hours written in {:.0} s\n", began.elapsed().as_secs_f64()));
    let cookie = enter(&pages).await;
    let first = Instant::now();
    look(&pages, &cookie, "/console").await;
    say(&format!("BENCH console_first_look {:.1} ms <= 5000\n", millis(first.elapsed())));
    let (mut slowest, mut heaviest, mut where_slow) = (Duration::ZERO, 0, "");
    for path in PAGES {
        let mut times = Vec::with_capacity(LOOKS);
        for _ in 0..LOOKS {
            let begun = Instant::now();
            let bytes = look(&pages, &cookie, path).await;
            times.push(begun.elapsed());
            heaviest = heaviest.max(bytes + console::assets::weight());
        }
        times.sort_unstable();
        let p99 = times[LOOKS * 99 / 100];
        if p99 > slowest {
            (slowest, where_slow) = (p99, path);
        }
        say(&format!("{path}: p50 {:.1} ms, p99 {:.1} ms\n", millis(times[LOOKS / 2]), millis(p99)));
    }
    say(&format!("the slowest is {where_slow}\n"));
    say(&format!("BENCH console_page_p99 {:.1} ms <= 30\n", millis(slowest)));
    say(&format!("BENCH console_page_weight {heaviest} bytes <= 200000\n"));
}

fn millis(duration: Duration) -> f64 {
    duration.as_secs_f64() * 1_000.0
}

fn say(text: &str) {
    std::io::stdout().lock().write_all(text.as_bytes()).expect("stdout");
}

async fn house(clock: Arc<SimClock>) -> (Router, Arc<aws::Table>) {
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.expect("a port");
    let endpoint = format!("http://{}", listener.local_addr().expect("an address"));
    let database = dynoxide::Database::memory().expect("a database");
    tokio::spawn(dynoxide::server::serve_with_shutdown(listener, database, std::future::pending()));
    let config = aws::local_config(&endpoint, "us-east-1").await;
    aws::create_table(&config, "core").await.expect("a table");
    aws::create_decision_table(&config, "decision").await.expect("a table");
    let table = Arc::new(aws::Table::new(&config, "core".to_owned()));
    let queue = MemoryQueue::new(clock.clone());
    let count = AtomicU64::new(1);
    let deps = console::Deps {
        registry: table.clone(),
        journal: table.clone(),
        optimizations: table.clone(),
        ledger: table.clone(),
        outbox: table.clone(),
        nights: table.clone(),
        findings: table.clone(),
        trail: table.clone(),
        routes: table.clone(),
        market: Arc::new(aws::DecisionTable::new(&config, "decision".to_owned())),
        rounds: queue.clone(),
        scans: queue.clone(),
        queue,
        ml: None,
        clock,
        ids: Arc::new(move || u128::from(count.fetch_add(1, Ordering::Relaxed))),
        issuer: None,
        sessions: Signer::new(b"a secret of this benchmark", false),
        fleets: Fleets::default(),
    };
    let key = ApiKey {
        id: "bench".to_owned(),
        hash: hash_of(KEY).expect("a key"),
        customer: customer(),
        role: Role::Admin,
        label: "bench".to_owned(),
        expires_at: None,
        revoked: false,
        created_at: None,
    };
    table.put_api_key(&key).await.expect("a key is kept");
    (console::router(Arc::new(deps)), table)
}

fn customer() -> CustomerId {
    CustomerId::parse("default").expect("an id")
}

async fn register(table: &aws::Table, number: u32, now: domain::Timestamp) -> Result<(), domain::ports::StoreError> {
    let cluster = Cluster {
        id: ClusterId::parse(format!("c-{number:05}")).expect("an id"),
        customer: customer(),
        name: format!("production-{number}"),
        k8s_api_endpoint: "https://api.example.com".to_owned(),
        k8s_ca: None,
        k8s_token: None,
        k8s_token_expires_at: None,
        eks_cluster_name: None,
        aws_role_arn: "arn:aws:iam::111122223333:role/CloudOptimRole".to_owned(),
        account: "111122223333".to_owned().try_into().expect("an account"),
        region: "us-east-1".to_owned().try_into().expect("a Region"),
        sqs_queue_url: None,
        status: ClusterStatus::Connected,
        status_reason: "answers".to_owned(),
        node_count: NODES,
        seen_at: Some(now),
        policy: Default::default(),
        version: 1,
        created_at: now,
        updated_at: now,
    };
    table.put_cluster(&cluster, None).await?;
    let nodes: Vec<NodeRecord> = (0..NODES).map(|of| node(&cluster, number * NODES + of, now)).collect();
    table.put_nodes(&cluster.customer, &cluster.id, &nodes).await?;
    for back in 0..HOURS {
        let begins = hour_of(now) - SignedDuration::from_hours(back);
        let hour = Hour {
            customer: cluster.customer.clone(),
            cluster: cluster.id.clone(),
            begins,
            seen_at: begins,
            vcpus: 16,
            cost: MicroDollars(800_000 + i64::from(number)),
            spot: Some(MicroDollars(300_000)),
            expected: MicroDollars(1_000_000),
            estimated: MicroDollars(50_000),
            freed: MicroDollars(0),
            realised: Default::default(),
        };
        table.close(&hour).await?;
    }
    Ok(())
}

fn node(cluster: &Cluster, number: u32, now: domain::Timestamp) -> NodeRecord {
    let instance = InstanceId::parse(format!("i-{number:017x}")).expect("an id");
    let capacity = if number.is_multiple_of(2) { CapacityType::Spot } else { CapacityType::OnDemand };
    let name = NodeName::parse(format!("ip-10-{}-{}.ec2.internal", number / 250, number % 250)).expect("a name");
    NodeRecord {
        key: InstanceKey { account: cluster.account.clone(), region: cluster.region.clone(), instance: instance.clone() },
        customer: cluster.customer.clone(),
        cluster: cluster.id.clone(),
        target: NodeTarget { name, uid: None, instance, taints: Vec::new() },
        pool: Pool {
            instance_type: "m6i.xlarge".to_owned().try_into().expect("a type"),
            zone: "us-east-1a".to_owned().try_into().expect("a zone"),
            capacity,
        },
        cpu_millis: 3_920,
        memory_bytes: 15 << 30,
        owner: NodeOwner::CloudOptim,
        template: None,
        advice: Vec::new(),
        seen_at: now,
    }
}

async fn enter(pages: &Router) -> String {
    let body = format!("key={}", KEY.replace(' ', "+"));
    let request = Request::post("/console/sign-in").header("sec-fetch-site", "same-origin").body(Body::from(body)).expect("a request");
    let answer = pages.clone().oneshot(request).await.expect("an answer");
    assert_eq!(answer.status(), StatusCode::SEE_OTHER, "the key signs in");
    let cookie = answer.headers().get("set-cookie").and_then(|value| value.to_str().ok()).expect("a cookie");
    cookie.split(';').next().unwrap_or_default().to_owned()
}

async fn look(pages: &Router, cookie: &str, path: &str) -> usize {
    let request = Request::get(path).header("cookie", cookie).body(Body::empty()).expect("a request");
    let answer = pages.clone().oneshot(request).await.expect("an answer");
    assert_eq!(answer.status(), StatusCode::OK, "{path}");
    to_bytes(answer.into_body(), usize::MAX).await.expect("a page").len()
}
