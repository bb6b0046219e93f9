//! The figures of collecting a cluster of 150,000 pods, one `BENCH` line each.
//!
//! The binary runs itself once more as `collect ENDPOINT CA-FILE`: that process only collects, and its memory is what is measured.

use async_trait::async_trait;
use domain::catalog::Arch;
use domain::ids::{ClusterId, InstanceId, Region};
use domain::offering::CapacityType;
use domain::pod::PodDetail;
use domain::ports::{Clock, PodSink};
use domain::snapshot::SnapshotBuilder;
use domain::{SignedDuration, Timestamp};
use execution::survey::{Containers, Machines, Sources, look};
use harness::pod_pages;
use kubernetes::{Access, Credential, Settings, decode_pods, open};
use sim::clock::EPOCH;
use sim::http::kubernetes::{Manner, serve_as};
use sim::world::{ClusterSpec, NodeSpec, WorkloadSpec, World};
use std::io::Write;
use std::path::Path;
use std::sync::Arc;
use std::time::Instant;

const NODES: usize = 5_000;
const PODS: usize = 150_000;
const SHAPES: usize = 120;
const POD_BYTES_MAX: usize = 8_192;
const TOKEN: &str = "bench-token";

struct Still;

#[async_trait]
impl Clock for Still {
    fn now(&self) -> Timestamp {
        EPOCH
    }
    async fn sleep(&self, _: SignedDuration) {}
}

fn main() {
    let arguments: Vec<String> = std::env::args().collect();
    match arguments.iter().position(|argument| argument == "collect") {
        Some(at) => collect(&arguments[at + 1], Path::new(&arguments[at + 2])),
        None => {
            decode();
            served();
        }
    }
}

struct Counts(usize);

impl PodSink for Counts {
    fn pod(&mut self, pod: PodDetail) {
        self.0 += 1;
        std::hint::black_box(pod);
    }
    fn restart(&mut self) {
        self.0 = 0;
    }
}

/// What this thread has spent on a core, microseconds: on a shared machine the clock on the wall counts the others' work, too.
fn spent_us() -> f64 {
    let spent = std::fs::read_to_string("/proc/thread-self/schedstat").unwrap();
    spent.split_whitespace().next().unwrap().parse::<f64>().unwrap() / 1000.0
}

/// Pods from 100 bytes to 8 KB, decoded as one page after the other; the best of five rounds.
fn decode() {
    let pages: Vec<Vec<u8>> = (0..20).map(|page| pod_pages::page(page, 500, POD_BYTES_MAX)).collect();
    let bytes: usize = pages.iter().map(Vec::len).sum();
    let mut best = f64::INFINITY;
    for _ in 0..5 {
        let mut counts = Counts(0);
        let began = spent_us();
        for page in &pages {
            decode_pods(page, &mut counts).unwrap();
        }
        best = best.min((spent_us() - began) / counts.0 as f64);
    }
    println!("BENCH collect_decode_per_pod {best:.2} us <= 10");
    println!("  {} bytes per pod on average", bytes / (20 * 500));
}

fn world() -> (Arc<World>, ClusterId) {
    let world = World::new(Arc::new(Still), 11);
    let id = world.add_cluster(ClusterSpec::new("acme", "prod", "123456789012", "us-east-1"));
    let nodes: Vec<InstanceId> = (0..NODES)
        .map(|n| {
            let zone = ["us-east-1a", "us-east-1b", "us-east-1c"][n % 3];
            let pods_max = 250;
            world.add_node(&id, NodeSpec { pods_max, ..NodeSpec::new("m6i.2xlarge", zone, CapacityType::Spot) })
        })
        .collect();
    for shape in 0..SHAPES {
        let mut spec = WorkloadSpec::new(&format!("app-{shape}"), u32::try_from(PODS / SHAPES).unwrap());
        spec.pod.cpu_millis = 50 + 10 * u64::try_from(shape).unwrap();
        spec.on = nodes.iter().cycle().skip(shape * PODS / SHAPES).take(PODS / SHAPES).cloned().collect();
        world.add_deployment(&id, spec);
    }
    (world, id)
}

/// The whole cluster from the served simulator, collected by a process of its own.
fn served() {
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build().unwrap();
    let began = Instant::now();
    let (world, id) = world();
    println!("populated in {:.1} s", began.elapsed().as_secs_f64());
    let served = runtime.block_on(serve_as(world, &id, TOKEN, Manner { pod_bytes_max: POD_BYTES_MAX, ..Manner::default() })).unwrap();
    let ca = std::env::temp_dir().join(format!("cloudoptim-collect-{}.pem", std::process::id()));
    std::fs::write(&ca, &served.ca_pem).unwrap();
    let child = std::process::Command::new(std::env::current_exe().unwrap()).arg("collect").arg(&served.url).arg(&ca).status().unwrap();
    std::fs::remove_file(ca).unwrap();
    assert!(child.success());
}

/// Resident memory of this process, bytes: now (`VmRSS`) or at its most (`VmHWM`).
fn resident(what: &str) -> f64 {
    let status = std::fs::read_to_string("/proc/self/status").unwrap();
    let line = status.lines().find(|line| line.starts_with(what)).unwrap();
    let kib: f64 = line.split_whitespace().nth(1).unwrap().parse().unwrap();
    kib * 1024.0 / 1e6
}

fn collect(endpoint: &str, ca: &Path) {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    runtime.block_on(async {
        let access = Access {
            endpoint: endpoint.to_owned(),
            ca_pem: Some(std::fs::read_to_string(ca).unwrap()),
            credential: Credential::Token(TOKEN.to_owned().into()),
        };
        let cluster = open(&access, Settings { timeout_s: 60, ..Settings::default() }, gate::Gate::this_machine()).unwrap();
        let before = resident("VmRSS");
        let (began, spent) = (Instant::now(), spent_us());
        let whose = (ClusterId::parse("prod").unwrap(), Region::parse("us-east-1").unwrap());
        let sources = Sources { prices: &|_| None, progress: &|_, _| {} };
        let machines = std::future::ready(Machines::Labelled);
        let snapshot =
            look(cluster.as_ref(), (&whose.0, &whose.1), machines, &Still, &sources, Containers::Dropped).await.unwrap().snapshot;
        let (took, spent) = (began.elapsed().as_secs_f64(), spent_us() - spent);
        let after = resident("VmHWM");
        assert_eq!((snapshot.nodes.len(), snapshot.pod_count(), snapshot.classes.len()), (NODES, PODS as u64, SHAPES));
        assert!(snapshot.classes.iter().all(|class| class.arches == [Arch::Amd64]));
        println!("BENCH collect_resident_150000_pods {after:.1} MB <= 128");
        println!("  of it {before:.1} MB before the first call");
        println!("  collected in {took:.1} s, the server's share included; {:.1} s of it on this side", spent / 1e6);
        let mut gzip = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::default());
        gzip.write_all(&serde_json::to_vec(&snapshot).unwrap()).unwrap();
        println!("BENCH snapshot_gzip_5000_nodes {:.2} MB <= 6", gzip.finish().unwrap().len() as f64 / 1e6);
        group();
    });
}

/// What grouping costs on top of decoding.
fn group() {
    let page = pod_pages::page(1, 500, POD_BYTES_MAX);
    let mut kept = Keeps(Vec::new());
    decode_pods(&page, &mut kept).unwrap();
    let mut builder = SnapshotBuilder::new(&[], Some(Vec::new()));
    let pods: Vec<PodDetail> = kept.0.iter().cycle().take(20_000).cloned().collect();
    let began = spent_us();
    for pod in pods {
        builder.pod(pod);
    }
    println!("  grouping takes {:.2} us per pod", (spent_us() - began) / 20_000.0);
}

struct Keeps(Vec<PodDetail>);

impl PodSink for Keeps {
    fn pod(&mut self, pod: PodDetail) {
        self.0.push(pod);
    }
    fn restart(&mut self) {
        self.0.clear();
    }
}
