//! Usage against requests, container by container.

use super::support::{Bench, customer};
use domain::finding::{Finding, FindingKind};
use domain::ids::ClusterId;
use domain::money::MicroDollars;
use domain::ports::{Clock, Findings};
use domain::sizing::{Fit, Severity, Sizes, Used};
use domain::workload::{WorkloadKind, WorkloadRef};
use http::StatusCode;

fn sizes(cpu: Option<u64>, memory_mib: u64) -> Sizes {
    Sizes { cpu_request: cpu, memory_request: Some(memory_mib << 20), ..Sizes::default() }
}

async fn found(bench: &Bench, container: &str, severity: Severity, cost: i64, cpu: Option<u64>) {
    let workload = WorkloadRef { kind: WorkloadKind::Deployment, namespace: "shop".to_owned(), name: "web".to_owned() };
    let subject = format!("container {container} of {workload}");
    let (cluster, now) = (ClusterId::parse("c-acme").unwrap(), bench.clock.now());
    let kind = if cost < 0 { FindingKind::UndersizedWorkload } else { FindingKind::OversizedWorkload };
    let fit = Fit {
        workload,
        container: container.to_owned(),
        replicas: 3,
        cpu: cpu.map(|_| Used { p50: 90, p95: 213, peak: 400 }),
        memory: Some(Used { p50: 100 << 20, p95: 128 << 20, peak: 200 << 20 }),
        current: sizes(cpu, 512),
        target: sizes(Some(213), 256),
        severity,
    };
    let finding = Finding::new(customer("acme"), cluster, kind, &subject, now);
    let finding = Finding { fit: Some(Box::new(fit)), cost_per_month: Some(MicroDollars(cost)), ..finding };
    bench.store.put_finding(&finding).await.unwrap();
}

#[tokio::test]
async fn what_is_used_stands_beside_what_is_requested_the_worst_first_and_what_is_not_known_is_said() {
    let bench = Bench::full().await;
    found(&bench, "main", Severity::Warning, 30_000_000, Some(1_000)).await;
    found(&bench, "sidecar", Severity::Critical, -2_500_000, None).await;
    let cookie = bench.enter("acme-viewer").await;
    let page = bench.get(&cookie, "/console/rightsizing").await.text;
    for said in [
        "1000 m",
        "213 m",
        "21 % of the request",
        "512.0 MiB",
        "128.0 MiB",
        "25 % of the request",
        "256.0 MiB",
        "warning",
        "critical",
        "not set",
        "no sample",
        "3 replicas",
        "$30.00/mo",
        "$2.50/mo",
    ] {
        assert!(page.contains(said), "{said}: {page}");
    }
    assert!(page.find("sidecar") < page.find(">main<"), "the worst first");
    let csv = bench.get(&cookie, "/console/rightsizing?csv=usage").await.text;
    assert!(csv.contains("main,c-acme,\"CPU, thousandths of a core\",1000,90,213,400,213,warning"), "{csv}");
    assert!(csv.contains(",\"memory, bytes\",536870912,104857600,134217728,209715200,268435456,"), "{csv}");
    let one = bench.get(&cookie, "/console/rightsizing?cluster=c-acme").await;
    assert!(one.status == StatusCode::OK && one.text.contains("sidecar"));
    assert_eq!(bench.get(&cookie, "/console/rightsizing?cluster=c-none").await.status, StatusCode::NOT_FOUND);
    let stranger = bench.enter("other-admin").await;
    assert!(!bench.get(&stranger, "/console/rightsizing").await.text.contains("sidecar"));
}
