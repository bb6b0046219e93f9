//! The figures of the console over a thousand clusters, one `BENCH` line each: on the adapters and the embedded table of local mode.
//!
//! Beside the time that passes stands the time that processors work, of this whole process: pages, adapters, the table itself, and what the
//! console reads behind the pages meanwhile. That one is judged: it is the same on a machine that others use, too.

use axum::Router;
use axum::body::{Body, to_bytes};
use console::fleet::Fleets;
use console::routes::PAGES;
use console::session::{Signer, hash_of};
use domain::SignedDuration;
use domain::decision::{DecisionType, Untouched, WhyNot};
use domain::finding::{Finding, FindingKind};
use domain::ids::{ClusterId, CustomerId, InstanceId, InstanceKey, NodeName};
use domain::money::MicroDollars;
use domain::node::{NodeOwner, NodeRecord, NodeTarget};
use domain::offering::{CapacityType, Pool};
use domain::optimization::{Run, RunStatus, Standing, run_id};
use domain::policy::Mode;
use domain::ports::{Clock, Findings, Ledger, Optimizations, Registry, Routes};
use domain::savings::{Hour, hour_of};
use domain::tenant::{ApiKey, Cluster, ClusterStatus, Role};
use futures::{StreamExt, TryStreamExt};
use http::{Request, StatusCode};
use sim::clock::SimClock;
use sim::store::MemoryQueue;
use std::collections::BTreeMap;
use std::io::Write;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant};
use tower::ServiceExt;

const CLUSTERS: u32 = 1_000;
const NODES: u32 = 5;
const HOURS: i64 = 12;
/// How often each page is opened.
const LOOKS: usize = 200;
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
    say(&format!(
        "{CLUSTERS} clusters of {NODES} nodes, {HOURS} hours, a round and a finding written in {:.0} s\n",
        began.elapsed().as_secs_f64()
    ));
    let cookie = enter(&pages).await;
    let first = Instant::now();
    look(&pages, &cookie, "/console").await;
    say(&format!("BENCH console_first_look {:.1} ms <= 5000\n", millis(first.elapsed())));
    let (mut slowest, mut dearest, mut heaviest) = (Worst::default(), Worst::default(), 0);
    for path in PAGES {
        let (mut walls, mut works) = (Vec::with_capacity(LOOKS), Vec::with_capacity(LOOKS));
        let mut weight = 0;
        for _ in 0..LOOKS {
            let (begun, worked) = (Instant::now(), worked());
            weight = look(&pages, &cookie, path).await + console::assets::weight();
            walls.push(millis(begun.elapsed()));
            works.push(millis(self::worked() - worked));
        }
        heaviest = heaviest.max(weight);
        let (wall, work) = (Centiles::of(walls), Centiles::of(works));
        slowest.note(path, wall.ninety_nine);
        dearest.note(path, work.ninety_nine);
        say(&format!(
            "{path}: passed p50 {:.1}, p99 {:.1} ms; worked p50 {:.1}, p99 {:.1} ms; {weight} bytes\n",
            wall.half, wall.ninety_nine, work.half, work.ninety_nine
        ));
    }
    say(&format!("slowest: {}, most work: {}\n", slowest.path, dearest.path));
    say(&format!("BENCH console_page_p99 {:.1} ms <= 30\n", slowest.millis));
    say(&format!("BENCH console_page_cpu_p99 {:.1} ms <= 30\n", dearest.millis));
    say(&format!("BENCH console_page_weight {heaviest} bytes <= 200000\n"));
}

/// How long processors have worked for this process so far.
fn worked() -> Duration {
    let time = rustix::time::clock_gettime(rustix::time::ClockId::ProcessCPUTime);
    Duration::try_from(time).expect("a process works forwards")
}

/// What half of all figures, and 99 of 100, do not exceed (nearest rank).
struct Centiles {
    half: f64,
    ninety_nine: f64,
}

impl Centiles {
    fn of(mut figures: Vec<f64>) -> Centiles {
        figures.sort_unstable_by(f64::total_cmp);
        let rank = |percent: usize| figures[(figures.len() * percent).div_ceil(100) - 1];
        Centiles { half: rank(50), ninety_nine: rank(99) }
    }
}

/// The worst page.
#[derive(Default)]
struct Worst {
    path: &'static str,
    millis: f64,
}

impl Worst {
    fn note(&mut self, path: &'static str, millis: f64) {
        if millis > self.millis {
            *self = Worst { path, millis };
        }
    }
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
    let config = aws::local_config(&endpoint, "us-east-1");
    aws::create_table(&config, "core").await.expect("a table");
    aws::create_decision_table(&config, "decision").await.expect("a table");
    let table = Arc::new(aws::Table::new(&config, "core".to_owned()));
    let queue = MemoryQueue::new(clock.clone());
    let decision = Arc::new(aws::DecisionTable::new(&config, "decision".to_owned()));
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
        market: decision.clone(),
        fillings: decision,
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
    let mut finding = Finding::new(cluster.customer.clone(), cluster.id.clone(), FindingKind::ZombieVolume, "vol-0123456789abcdef0", now);
    finding.evidence = vec!["It is attached to nothing since seven days.".to_owned(), "No claim names it.".to_owned()];
    finding.cost_per_month = Some(MicroDollars(8_000_000));
    table.put_finding(&finding).await?;
    let run = run(&cluster, &nodes, now);
    table.decide(&run, &[]).await?;
    let standing = Standing { runs: vec![run.id], version: 1, ..Standing::default() };
    table.put_standing(&cluster.customer, &cluster.id, &standing).await
}

/// A round that left all nodes alone.
fn run(cluster: &Cluster, nodes: &[NodeRecord], now: domain::Timestamp) -> Run {
    let left = |node: &NodeRecord| Untouched {
        node: node.target.name.clone(),
        code: WhyNot::PodBudget,
        object: Some("shop/web".to_owned()),
        why: "The budget of shop/web has no room.".to_owned(),
    };
    Run {
        id: run_id(&cluster.id, "bench", DecisionType::BinPack),
        customer: cluster.customer.clone(),
        cluster: cluster.id.clone(),
        decision: DecisionType::BinPack,
        round: "bench".to_owned(),
        asked_by: "schedule".to_owned(),
        mode: Mode::Recommend,
        at: now,
        snapshot_at: Some(now),
        status: RunStatus::Nothing,
        why: None,
        engine: "planner".to_owned(),
        reasons: Vec::new(),
        recommendations: Vec::new(),
        refused: Vec::new(),
        estimated_saving: MicroDollars(0),
        cost_before: MicroDollars(800_000),
        cost_after: MicroDollars(800_000),
        lower_bound: MicroDollars(500_000),
        untouched_counts: BTreeMap::from([(WhyNot::PodBudget, NODES)]),
        untouched: nodes.iter().map(left).collect(),
        rejected: Vec::new(),
    }
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
