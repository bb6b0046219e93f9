//! The scene of sizes: a workload that requests far more than it uses gets less, and one that is killed for lack of memory gets more.

use crate::demo::{spoken, tell};
use crate::say;
use crate::system::{REGION, System};
use anyhow::{Context, bail};
use domain::SignedDuration;
use domain::decision::DecisionType;
use domain::finding::Finding;
use domain::money::MicroDollars;
use domain::offering::CapacityType;
use domain::optimization::Round;
use domain::plan::{Outcome, PlanKey, PlanRecord};
use domain::policy::Mode;
use domain::ports::Clock;
use domain::sizing::{Resource, SizeChange};
use domain::usage::{ContainerRef, Usage};
use domain::workload::{WorkloadKind, WorkloadRef};
use planning::rightsizing::fold::fold;
use sim::world::{NodeSpec, WorkloadSpec};
use tokio::time::Instant;

/// How long the round and both roll-outs may take.
const PATIENCE_S: u64 = 60;
const MIB: u64 = 1 << 20;
pub(super) const LARGE: &str = "invoices";
const KILLED: &str = "importer";

/// Adds the two workloads, lets one round look at them, and tells what comes of it.
///
/// # Errors
/// A plan did not end well within the time.
pub(crate) async fn play(system: &System, began: Instant) -> anyhow::Result<()> {
    say("\nSizes of workloads: the policy now says `auto` for rightsizing of workloads and for OOM remediation, and nodes rest.\n\n")?;
    allow(system).await?;
    let pods = add(system).await?;
    watched(system).await?;
    tell(began, &format!("{LARGE} requests 1000m and 2048 MiB for each of 2 pods; a week of samples says 300m and 700 MiB"))?;
    system.world.kill_for_memory(&system.cluster, &pods);
    tell(began, &format!("the kernel kills {KILLED} ({}) at its limit of 256 MiB: OOMKilled", pods.name))?;
    let round = Round {
        customer: system.customer.clone(),
        cluster: system.cluster.clone(),
        round: "demo-sizes".to_owned(),
        asked_by: "demo".to_owned(),
        types: vec![DecisionType::Rightsize],
        dry_run: false,
        nodes: None,
    };
    system.optimizer.rounds.ask(&round).await?;
    let records = watch(system, began).await?;
    summary(system, &records).await
}

async fn allow(system: &System) -> anyhow::Result<()> {
    let mut cluster = system.ports.registry.cluster(&system.customer, &system.cluster).await?.context("the demo cluster is gone")?;
    let nodes = &mut cluster.policy.optimization;
    (nodes.spot, nodes.bin_packing, nodes.rightsizing) = (Mode::Observe, Mode::Observe, Mode::Observe);
    (cluster.policy.workloads.rightsizing, cluster.policy.workloads.oom_remediation) = (Mode::Auto, Mode::Auto);
    cluster.version += 1;
    Ok(system.ports.registry.put_cluster(&cluster, Some(cluster.version - 1)).await?)
}

/// A node with the two workloads on it; answers a pod of the one that will be killed.
async fn add(system: &System) -> anyhow::Result<domain::pod::PodRef> {
    let node = NodeSpec::new("m6i.2xlarge", &format!("{REGION}a"), CapacityType::OnDemand);
    let node = system.world.add_node(&system.cluster, node);
    for (name, cpu, memory, limit, uses) in [(LARGE, 1_000, 2_048, None, (300, 700)), (KILLED, 100, 256, Some(256 * MIB), (80, 240))] {
        let mut spec = WorkloadSpec::new(name, 2);
        (spec.pod.cpu_millis, spec.pod.memory_bytes, spec.pod.memory_limit) = (cpu, memory * MIB, limit);
        (spec.pod.exit_s, spec.pod.start_s) = (1, 1);
        spec.on = vec![node.clone()];
        system.world.add_deployment(&system.cluster, spec);
        system.world.uses(&system.cluster, "default", name, uses.0, uses.1 * MIB);
    }
    let act = Instant::now();
    while act.elapsed().as_secs() < PATIENCE_S {
        system.clock.sleep(SignedDuration::from_millis(200)).await;
        let pods = system.world.pods(&system.cluster);
        let new = |name: &str| pods.iter().filter(|pod| pod.ready && pod.pod.name.starts_with(name)).map(|pod| pod.pod.clone()).collect();
        let (large, killed): (Vec<domain::pod::PodRef>, Vec<domain::pod::PodRef>) = (new(LARGE), new(KILLED));
        if let (2, [first, _]) = (large.len(), killed.as_slice()) {
            return Ok(first.clone());
        }
    }
    bail!("the pods of the scene did not start")
}

/// The one thing that a minute cannot hold: a week of samples, folded in as the rounds of a week would have done it.
async fn watched(system: &System) -> anyhow::Result<()> {
    let sizing = system.optimizer.sizing.as_ref().context("workloads are not sized")?;
    let (mut usage, now) = (Usage::default(), system.clock.now().as_second());
    for round in 0..1_007 {
        fold(&mut usage, &[(300_000_000, 700 * MIB); 2], now - (1_008 - round) * 600);
    }
    let workload = WorkloadRef { kind: WorkloadKind::Deployment, namespace: "default".to_owned(), name: LARGE.to_owned() };
    let of = ContainerRef { workload, container: "main".to_owned() };
    Ok(sizing.usages.put_usages(&system.customer, &system.cluster, &[(of, usage)]).await?)
}

/// Tells what is new until both plans have ended; answers them.
async fn watch(system: &System, began: Instant) -> anyhow::Result<Vec<PlanRecord>> {
    let (act, mut told) = (Instant::now(), std::collections::BTreeSet::new());
    while act.elapsed().as_secs() < PATIENCE_S {
        system.clock.sleep(SignedDuration::from_millis(200)).await;
        let runs = system.optimizer.optimizations.runs(&system.customer, None, 20).await?.items;
        let mut records = Vec::new();
        for recommended in runs.iter().filter(|run| run.round.starts_with("demo-sizes")).flat_map(|run| &run.recommendations) {
            let key = PlanKey { customer: system.customer.clone(), cluster: system.cluster.clone(), plan: recommended.plan.clone() };
            records.extend(system.ports.journal.load(&key).await?);
        }
        for line in records.iter().flat_map(lines) {
            if told.insert(line.clone()) {
                tell(began, &line)?;
            }
        }
        if records.len() >= 2 && records.iter().all(|record| record.progress.outcome.is_some()) {
            return Ok(records);
        }
    }
    bail!("the sizes were not changed within {PATIENCE_S} s; this is a fault of ours")
}

fn changes(record: &PlanRecord) -> &[SizeChange] {
    match record.plan.steps.first().map(|step| &step.action) {
        Some(domain::plan::Action::PatchRequests { changes, .. }) => changes,
        _ => &[],
    }
}

fn lines(record: &PlanRecord) -> Vec<String> {
    let mut lines = vec![record.plan.reason.clone()];
    for change in changes(record) {
        for of in [Resource::Cpu, Resource::Memory] {
            let say = |amount: Option<u64>| amount.map_or_else(|| "none".to_owned(), |amount| of.describe(amount));
            let (from, to) = (change.from.request(of), change.to.request(of));
            if from != to {
                lines.push(format!("patched: {} request {} becomes {}", of.as_str(), say(from), say(to)));
            }
            if change.from.limit(of) != change.to.limit(of) {
                lines.push(format!("patched: {} limit {} becomes {}", of.as_str(), say(change.from.limit(of)), say(change.to.limit(of))));
            }
        }
    }
    if let Some(outcome) = &record.progress.outcome {
        lines.push(format!("the roll-out was watched, and the plan {}: {}", spoken(outcome), record.plan.reason));
    }
    lines
}

async fn summary(system: &System, records: &[PlanRecord]) -> anyhow::Result<()> {
    let sizing = system.optimizer.sizing.as_ref().context("workloads are not sized")?;
    let found: Vec<Finding> = sizing.findings.findings_of(&system.customer, &system.cluster, None).await?;
    say("\nSizes, as GET /api/v1/optimization/sizes tells them (USD per month of 730 hours; below zero: more is dearer)\n")?;
    for finding in found.iter().filter(|finding| finding.subject.contains(LARGE) || finding.subject.contains(KILLED)) {
        let amount = finding.cost_per_month.map_or_else(|| "unpriced".to_owned(), |amount: MicroDollars| amount.to_string());
        say(&format!("  {:<20} {:<44} {amount}\n", finding.kind.as_str(), finding.subject))?;
        for line in &finding.evidence {
            say(&format!("    {line}\n"))?;
        }
        say(&format!("    {}\n", finding.remedy))?;
    }
    match records.iter().all(|record| record.progress.outcome == Some(Outcome::Succeeded)) {
        true => Ok(()),
        false => bail!("a size was not changed as it should"),
    }
}
