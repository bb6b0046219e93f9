//! An hour of the functions over clusters of a simulated world, counted.

use super::counted::{Counted, Part};
use super::functions;
use super::prices::price;
use super::settled::settle;
use super::table::{self, Used};
use super::thinking::{Thinking, worked};
use super::wires::{Renewed, Wires};
use decision::Knowledge;
use domain::SignedDuration;
use domain::ids::{ClusterId, InstanceId};
use domain::interruption::SPOT_NOTICE;
use domain::optimization::Round;
use domain::ports::{Clock, Meter};
use execution::Ports;
use execution::office_hours::OfficeHours;
use execution::optimize::Optimizer;
use execution::waste::Scanner;
use harness::wired::Leaping;
use runtime::deadline::Budget;
use sim::faults::{FaultyCloud, Gate};
use sim::store::{MemoryNotices, MemoryQueue};
use sim::world::World;
use std::collections::BTreeSet;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Instant;

pub const REGION: &str = "us-east-1";
const TABLE: &str = "cost";
/// Pods per node (30, as the design's reference cluster has: 1,500 on 50 nodes).
pub const PODS_PER_NODE: usize = 30;
/// What a call takes, in milliseconds: DynamoDB single-digit (its FAQ), EC2 and Kubernetes over the internet, to which a connection takes as
/// long until it stands. A run that is timed really waits so
/// long, and what is asked at once is waited for once; in one that is not, the calls are summed up.
const TABLE_MS: u64 = 6;
const OUTSIDE_MS: u64 = 100;
/// Functions that visit every cluster themselves, so many at the same time: what a visit waits for is paid once for all of them.
const VISITORS: [&str; 2] = ["sweeper", "office-hours"];
/// One message of the optimizer's queue: those of a batch wait side by side.
const ROUND: &str = "optimizer round";
/// One scan of a batch.
const SCAN: &str = "ghost-scan";
/// How many processes of the decision server there can be: a round each of five batches of ten (template.yaml).
const DECIDING: u64 = 50;
/// As many clusters as fill every batch.
const MANY: u128 = 1_000;
/// A processor of Lambda has this much memory (AWS Lambda Developer Guide, "Configure Lambda function memory").
const WHOLE_MB: u64 = 1_769;

/// Counts bytes of logs: the line of each metric, as `runtime::meter` prints it, and of each event.
#[derive(Default)]
struct Log {
    bytes: AtomicU64,
    metrics: Mutex<BTreeSet<(String, String)>>,
}

/// What a metric's line has beside its name (twice) and kind.
const METRIC_BYTES: u64 = 170;

impl Meter for Log {
    fn count(&self, name: &'static str, kind: &str) {
        self.bytes.fetch_add(METRIC_BYTES + 2 * name.len() as u64 + kind.len() as u64, Ordering::Relaxed);
        self.metrics.lock().unwrap().insert((name.to_owned(), kind.to_owned()));
    }
}

struct Ink(Arc<Log>);

impl std::io::Write for Ink {
    fn write(&mut self, bytes: &[u8]) -> std::io::Result<usize> {
        self.0.bytes.fetch_add(bytes.len() as u64, Ordering::Relaxed);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> std::io::Result<()> {
        Ok(())
    }
}

/// The functions over one world.
struct Bench {
    ports: Ports,
    optimizer: Optimizer,
    office: OfficeHours,
    scanner: Scanner,
    clusters: Vec<ClusterId>,
    nodes: Vec<InstanceId>,
    world: Arc<World>,
    queue: Arc<MemoryQueue>,
    thinking: Arc<Thinking>,
    clock: Arc<Leaping>,
    gate: Arc<Gate>,
    used: Arc<Used>,
    log: Arc<Log>,
    wires: Arc<Wires>,
    kubernetes: Arc<Renewed>,
    counted: Counted,
    timed: bool,
}

async fn bench(many: usize, nodes: usize, timed: bool) -> Bench {
    let clock = Leaping::new();
    let world = World::new(clock.clone(), 5);
    let wait = |millis: u64| SignedDuration::from_millis(if timed { i64::try_from(millis).unwrap_or(i64::MAX) } else { 0 });
    let (url, used) = table::serve(wait(TABLE_MS));
    let config = aws::local_config(&url, REGION);
    aws::create_table(&config, TABLE).await.expect("a table can be made");
    let table = Arc::new(aws::Table::new(&config, TABLE.to_owned()));
    let gate = Gate::slow(clock.clone(), wait(OUTSIDE_MS), |_| None);
    let wires = Wires::new(wait(OUTSIDE_MS));
    let kubernetes = wires.clusters(table.clone());
    let queue = MemoryQueue::new(clock.clone());
    let log = Arc::new(Log::default());
    let ports = Ports {
        journal: table.clone(),
        registry: table.clone(),
        routes: table.clone(),
        pools: table.clone(),
        watchbooks: table.clone(),
        cloud: FaultyCloud::new(world.clone(), gate.clone()),
        clusters: kubernetes.clone(),
        queue: queue.clone(),
        notices: Arc::new(MemoryNotices::default()),
        clock: clock.clone(),
        meter: log.clone(),
        roster: Default::default(),
    };
    let (clusters, all) = settle((&world, &table, &wires), many, nodes, clock.now()).await;
    let thinking = Arc::new(Thinking { known: Knowledge::day_zero(), calls: AtomicU64::new(0), micros: AtomicU64::new(0) });
    let optimizer = functions::optimizer(&ports, &table, &queue, &thinking);
    let office = functions::office_hours(&ports, &table, &queue);
    let scanner = functions::scanner(&ports, &table, &queue, kubernetes.clone());
    let counted = Counted::default();
    let nodes = all;
    Bench {
        ports,
        optimizer,
        office,
        scanner,
        clusters,
        nodes,
        world,
        queue,
        thinking,
        clock,
        gate,
        used,
        log,
        wires,
        kubernetes,
        counted,
        timed,
    }
}

/// What template.yaml says of a function.
fn block(function: &str) -> String {
    let template = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("../template.yaml");
    let template = std::fs::read_to_string(template).expect("template.yaml lies beside");
    let logical: String = function.split('-').map(|word| word[..1].to_uppercase() + &word[1..]).collect();
    let block = template.split(&format!("\n  {logical}Function:\n")).nth(1).unwrap_or_else(|| panic!("no {function}"));
    block.split(&format!("\n  {logical}Role:\n")).next().unwrap_or_default().to_owned()
}

fn number<T: std::str::FromStr>(block: &str, key: &str) -> Option<T> {
    block.split(&format!("{key}: ")).nth(1)?.lines().next()?.parse().ok()
}

/// Memory of a function and the time that it may take.
fn said(function: &str) -> (u64, u64) {
    let block = block(function);
    (number(&block, "      MemorySize").unwrap_or(256), number(&block, "      Timeout").expect("a function has a timeout"))
}

/// How many messages come to a function as one batch.
pub fn batch_of(function: &str) -> u128 {
    number(&block(function), "BatchSize").expect("its queue has a batch size")
}

impl Bench {
    /// One invocation: its calls, its bytes, and its time.
    async fn invoke<T>(&mut self, function: &str, work: impl AsyncFnOnce(&Bench) -> T) -> T {
        let (memory, timeout_s) = said(function.trim_end_matches(" round"));
        self.kubernetes.renew();
        let calls = |bench: &Bench| (bench.used.calls.load(Ordering::Relaxed), bench.gate.names().len());
        let [reads, writes, bytes, thought] = self.marks();
        let ((table, cloud), [asked, connected, sent]) = (calls(self), self.wires.marks());
        let (began, before) = (Instant::now(), worked());
        let answer = work(&*self).await;
        let elapsed = u64::try_from(began.elapsed().as_micros()).unwrap_or(u64::MAX);
        let thought = self.thinking.micros.load(Ordering::Relaxed) - thought;
        let own = worked() - before;
        let (table, cloud) = (calls(self).0 - table, (calls(self).1 - cloud) as u64);
        let [asked_now, connected_now, sent_now] = self.wires.marks();
        let clusters = asked_now - asked + connected_now - connected;
        let works = own.saturating_sub(thought) * WHOLE_MB.max(memory) / memory / 1_000;
        let summed = table * TABLE_MS + (cloud + clusters) * OUTSIDE_MS;
        let waits = if self.timed { elapsed.saturating_sub(own) / 1_000 } else { summed };
        let (apart, once, waiting) = match function {
            _ if VISITORS.contains(&function) => (Part::VisitingMegabyteMillis, Part::Invocations, summed * memory),
            ROUND => (Part::RoundMegabyteMillis, Part::Rounds, waits * memory),
            SCAN => (Part::ScanMegabyteMillis, Part::Scans, waits * memory),
            _ => (Part::MegabyteMillis, Part::Invocations, waits * memory),
        };
        self.counted.add(once, 1);
        self.counted.add(apart, waiting);
        let paid = works.min(timeout_s * 1_000) * memory;
        self.counted.add(Part::MegabyteMillis, paid);
        let name = format!("Lambda of {}", function.trim_end_matches(" round"));
        let shared = u128::from(waiting) / apart.shared_by(MANY);
        self.counted.share(name, price(Part::MegabyteMillis, u128::from(paid) + shared));
        self.counted.add(Part::OutBytes, sent_now - sent);
        let [reads_now, writes_now, bytes_now, _] = self.marks();
        self.counted.add(Part::HalfReads, reads_now - reads);
        self.counted.add(Part::Writes, writes_now - writes);
        self.counted.add(Part::LogBytes, bytes_now - bytes);
        answer
    }

    /// What was counted so far is forgotten.
    fn begin(&mut self) {
        self.counted = Counted::default();
        self.used.kinds.lock().unwrap().clear();
    }

    fn marks(&self) -> [u64; 4] {
        let loaded = |one: &AtomicU64| one.load(Ordering::Relaxed);
        [loaded(&self.used.half_reads), loaded(&self.used.writes), loaded(&self.log.bytes), loaded(&self.thinking.micros)]
    }

    fn budget(&self, seconds: i64) -> Budget {
        Budget::lasting(&*self.clock, SignedDuration::from_secs(seconds))
    }

    async fn minute(&mut self, minute: u32) {
        self.invoke("sweeper", async |b| sweeper::handle(&b.ports, b.budget(42)).await.expect("a sweep ends")).await;
        self.invoke("office-hours", async |b| office_hours::handle(&b.office, b.budget(42)).await.expect("a minute ends")).await;
        // It reads the list of clusters every five minutes, and no queue where notices come over the bus.
        let looks = minute.is_multiple_of(5);
        self.invoke("poller", async |b| {
            if looks {
                b.ports.registry.every_cluster().await.expect("the table answers");
            }
        })
        .await;
        self.invoke("notifier", async |_| ()).await;
        self.counted.add(Part::Events, 4);
        self.clock.leap(SignedDuration::from_secs(60));
    }

    async fn scan(&mut self, cluster: usize) {
        let order = domain::watch::ScanOrder {
            customer: domain::ids::CustomerId::parse(format!("customer-{cluster}")).expect("it is a name"),
            cluster: self.clusters[cluster].clone(),
            asked_by: "schedule".to_owned(),
            whole: false,
        };
        let body = serde_json::json!({ "messageId": "1", "body": serde_json::to_string(&order).expect("an order has a JSON form") });
        let event = serde_json::from_value(serde_json::json!({ "Records": [body] })).expect("it is an event");
        self.invoke(SCAN, async |b| ghost_scan::handle(event, &b.scanner).await).await;
        self.counted.add(Part::ScanMessages, 1);
    }

    async fn round(&mut self, cluster: usize, name: &str) {
        let id = self.clusters[cluster].clone();
        let round = Round {
            customer: domain::ids::CustomerId::parse(format!("customer-{cluster}")).expect("it is a name"),
            cluster: id,
            round: name.to_owned(),
            asked_by: "schedule".to_owned(),
            types: Vec::new(),
            dry_run: false,
            nodes: u32::try_from(self.nodes.len() / self.clusters.len()).ok(),
        };
        let (calls, micros) = (self.thinking.calls.load(Ordering::Relaxed), self.thinking.micros.load(Ordering::Relaxed));
        let body = serde_json::to_string(&round).expect("a round has a JSON form");
        self.invoke(ROUND, async |b| optimizer::body(&body, &b.optimizer, b.budget(100)).await.expect("a round ends")).await;
        self.counted.add(Part::RoundMessages, 1);
        // The decision server: another function, with an address of its own; a decision is nothing but work.
        let asked = self.thinking.calls.load(Ordering::Relaxed) - calls;
        let thought = (self.thinking.micros.load(Ordering::Relaxed) - micros) / 1_000;
        let (memory, _) = said("decision");
        self.counted.add(Part::Invocations, asked);
        let paid = thought * memory;
        self.counted.add(Part::MegabyteMillis, paid);
        self.counted.share("Lambda of decision".to_owned(), price(Part::MegabyteMillis, paid.into()));
    }

    /// Messages of plans, until none is left.
    async fn work_off(&mut self) {
        for _turn in 0..200 {
            let due = self.queue.take_due(self.clock.now());
            if due.is_empty() && self.queue.is_empty() {
                return;
            }
            for message in due {
                self.counted.add(Part::Messages, 1);
                if message.queue == sim::store::Which::Plans {
                    self.invoke("executor", async |b| executor::body(&message.body, &b.ports, b.budget(22)).await.expect("a plan goes on"))
                        .await;
                }
            }
            self.clock.leap(SignedDuration::from_secs(10));
        }
        panic!("plans are not worked off");
    }
}

/// An hour of so many clusters in which nothing happens but what the schedule brings.
pub async fn hour(many: usize, nodes: usize, timed: bool) -> Counted {
    let mut bench = bench(many, nodes, timed).await;
    let _log = listening(&bench.log);
    // The first looks at a cluster are dearer than those of every day: they are not counted.
    bench.minute(0).await;
    for cluster in 0..many {
        bench.round(cluster, "first").await;
        bench.scan(cluster).await;
    }
    bench.begin();
    for minute in 0..60 {
        bench.minute(minute).await;
        if minute % 3 == 0 {
            // The market: its ticks, most of which find nothing due; what is read is read for all clusters of a Region.
            bench.invoke("market", async |b| drop(b.ports.registry.every_cluster().await.expect("the table answers"))).await;
            bench.counted.add(Part::Events, 1);
        }
        if minute % 10 == 0 {
            bench.counted.add(Part::Events, 1);
            bench.invoke("optimizer", async |b| drop(b.ports.registry.every_cluster().await.expect("the table answers"))).await;
            for cluster in 0..many {
                bench.round(cluster, &format!("minute-{minute}")).await;
            }
            // Each process of the decision server reads the market anew for the rounds of a slot, and keeps it for all of them.
            bench.counted.add(Part::MegabyteMillis, DECIDING * 2 * TABLE_MS * said("decision").0);
        }
    }
    bench.counted.add(Part::Events, 1);
    for cluster in 0..many {
        bench.scan(cluster).await;
    }
    finished(&mut bench)
}

/// One rescue, from its notice to the end of its plan.
pub async fn rescue(nodes: usize, timed: bool) -> Counted {
    let mut bench = bench(1, nodes, timed).await;
    let _log = listening(&bench.log);
    bench.minute(0).await;
    bench.begin();
    let notice = bench.world.interrupt(&bench.nodes[0].clone(), SPOT_NOTICE);
    bench.counted.add(Part::Events, 1);
    bench.counted.add(Part::Messages, 1);
    let received = domain::interruption::parse::Received { at: bench.clock.now(), region: None };
    bench
        .invoke("interruption", async |b| interruption::body(&notice, &received, &b.ports, b.budget(12)).await.expect("it is handled"))
        .await;
    bench.work_off().await;
    finished(&mut bench)
}

/// What a round costs more in which sizes are judged.
pub async fn judging(nodes: usize, timed: bool) -> Counted {
    let mut bench = bench(1, nodes, timed).await;
    let _log = listening(&bench.log);
    bench.minute(0).await;
    bench.round(0, "first").await;
    bench.clock.leap(SignedDuration::from_hours(6));
    bench.begin();
    bench.round(0, "judged").await;
    let dear = finished(&mut bench);
    bench.begin();
    bench.round(0, "plain").await;
    dear.without(&finished(&mut bench))
}

/// What a scan costs more that looks what we may do.
pub async fn looking(nodes: usize, timed: bool) -> Counted {
    let mut bench = bench(1, nodes, timed).await;
    let _log = listening(&bench.log);
    bench.minute(0).await;
    bench.scan(0).await;
    bench.clock.leap(domain::permissions::LOOKED_AT_FOR);
    bench.begin();
    bench.scan(0).await;
    let dear = finished(&mut bench);
    bench.begin();
    bench.scan(0).await;
    dear.without(&finished(&mut bench))
}

fn finished(bench: &mut Bench) -> Counted {
    let mut counted = std::mem::take(&mut bench.counted);
    counted.metrics = bench.log.metrics.lock().unwrap().len();
    for (kind, [reads, writes]) in bench.used.kinds.lock().unwrap().iter() {
        let of = |part, units: u64| price(part, units.into());
        counted.share(kind.clone(), of(Part::HalfReads, *reads) + of(Part::Writes, *writes));
    }
    counted
}

/// Lines of the log are weighed, not shown.
fn listening(log: &Arc<Log>) -> tracing::subscriber::DefaultGuard {
    use tracing_subscriber::Layer;
    use tracing_subscriber::layer::SubscriberExt;
    let to = log.clone();
    let lines = tracing_subscriber::fmt::layer().json().flatten_event(true).with_current_span(true).with_writer(move || Ink(to.clone()));
    let ours = tracing_subscriber::filter::LevelFilter::INFO;
    tracing::subscriber::set_default(tracing_subscriber::registry().with(lines.with_filter(ours)))
}
