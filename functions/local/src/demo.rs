//! The story: a spot warning for a loaded node, told as it happens, to the end of the rescue; then the same cluster gets cheaper, a
//! ghost is found, everything sleeps and wakes, and what people were told of it is shown.

use crate::say;
use crate::system::{Settings, System};
use crate::worker;
use anyhow::{Context, bail};
use domain::SignedDuration;
use domain::ids::{InstanceId, PlanId};
use domain::interruption::SPOT_NOTICE;
use domain::offering::CapacityType;
use domain::plan::{Effect, Outcome, PlanKey, PlanRecord};
use domain::pod::{PodPhase, PodView};
use domain::ports::Clock;
use runtime::clock::SystemClock;
use sim::courier::SimCourier;
use sim::store::Which;
use std::collections::BTreeSet;
use std::sync::Arc;
use tokio::time::Instant;

mod care;
mod cheaper;
mod notices;
mod sizes;

/// How long the story may take: the rescue takes half a minute, and hanging is no ending.
const PATIENCE_S: u64 = 60;

/// Plays the story.
///
/// # Errors
/// The rescue did not end well within the time.
pub(crate) async fn play() -> anyhow::Result<()> {
    let receiver = SimCourier::new(Arc::new(SystemClock));
    let system = System::start(&Settings { courier: Some(receiver.clone()), ..Settings::throwaway() }).await?;
    notices::listen(&system, &receiver).await?;
    let began = Instant::now();
    let victim = busiest(&system).context("the demo cluster has no node")?;
    let name = system.world.node_name(&victim).context("the victim has no node")?;
    let pods = on_node(&system, &name);
    say(&format!(
        "A cluster with {} nodes and {} pods. The table is a DynamoDB emulator in this process, the Kubernetes API is\nserved over HTTPS by the simulated world; functions and adapters are the real ones.\n\n",
        system.world.nodes(&system.cluster).len(),
        system.world.pods(&system.cluster).len()
    ))?;
    let body = system.world.interrupt(&victim, SPOT_NOTICE);
    tell(began, &format!("EventBridge -> SQS: EC2 takes {victim} ({name}, {pods} pods) back in 120 s"))?;
    system.queue.put(Which::Interruptions, body.clone(), SignedDuration::ZERO);
    // EventBridge delivers at least once: the same warning comes again.
    system.queue.put(Which::Interruptions, body, SignedDuration::from_secs(2));
    let story = async {
        let record = watch(&system, &victim, &name, began).await?;
        summary(&system, &victim, &record).await?;
        cheaper::play(&system, began).await?;
        sizes::play(&system, began).await?;
        care::waste(&system, began).await?;
        care::night(&system, began).await?;
        notices::summary(&system, &receiver).await?;
        say(&format!("\nTold in {:.0} s.\n", began.elapsed().as_secs_f64()))
    };
    tokio::select! {
        told = story => told,
        () = worker::run(&system) => bail!("the worker stopped"),
    }
}

fn busiest(system: &System) -> Option<InstanceId> {
    let spot = system.world.live_instances(&system.cluster).into_iter().filter(|i| i.pool.capacity == CapacityType::Spot);
    let named = spot.filter_map(|i| Some((on_node(system, &system.world.node_name(&i.id)?), i.id)));
    named.max().map(|(_, id)| id)
}

fn on_node(system: &System, name: &domain::ids::NodeName) -> usize {
    system.world.pods(&system.cluster).iter().filter(|p| p.node.as_ref() == Some(name)).count()
}

/// Looks at the journal and the world, and tells what is new, until the rescue is over and all pods run again.
async fn watch(system: &System, victim: &InstanceId, name: &domain::ids::NodeName, began: Instant) -> anyhow::Result<PlanRecord> {
    let key =
        PlanKey { customer: system.customer.clone(), cluster: system.cluster.clone(), plan: PlanId::parse(format!("rescue-{victim}-0"))? };
    let mut told: BTreeSet<String> = BTreeSet::new();
    let mut left = usize::MAX;
    while began.elapsed().as_secs() < PATIENCE_S {
        system.clock.sleep(SignedDuration::from_millis(100)).await;
        let Some(record) = system.ports.journal.load(&key).await? else {
            continue;
        };
        for line in lines(&record) {
            if told.insert(line.clone()) {
                tell(began, &line)?;
            }
        }
        let now = on_node(system, name);
        if now < left && told.iter().any(|l| l.starts_with("cordoned")) {
            left = now;
            tell(began, &format!("drain: {now} pods left on {name} {}", "#".repeat(now.min(40))))?;
        }
        if let Some(outcome) = &record.progress.outcome {
            let line = format!("the rescue {}", spoken(outcome));
            if told.insert(line.clone()) {
                tell(began, &line)?;
            }
            if all_running(system) {
                tell(began, "all pods run again")?;
                return Ok(record);
            }
        }
    }
    bail!("the rescue was not over after {PATIENCE_S} s; this is a fault of ours")
}

fn all_running(system: &System) -> bool {
    // A DaemonSet's pod stays on a node that is gone until its Node object is removed.
    let moves = |p: &&PodView| p.controller.as_ref().is_none_or(|c| c.kind != "DaemonSet");
    system.world.pending_pods(&system.cluster).is_empty()
        && system.world.pods(&system.cluster).iter().filter(moves).all(|p| p.ready || p.phase != PodPhase::Running)
}

/// What a record says, a line for each fact; a fact that was told is not told again.
fn lines(record: &PlanRecord) -> Vec<String> {
    let mut lines = vec![format!("the rescue is ours: {}", record.plan.reason)];
    for (step, state) in record.plan.steps.iter().zip(&record.progress.steps) {
        match &state.effect {
            Effect::Launched { instance, offering } => lines.push(format!("launched {instance}: {}", offering.pool)),
            Effect::Ready { node } => lines.push(format!("the replacement has joined and is Ready: {node}")),
            Effect::Drained { evicted, deleted, .. } if state.status == domain::plan::Status::Done => {
                lines.push(format!("drained: {evicted} pods left by eviction, {deleted} were deleted at the deadline"));
            }
            Effect::None | Effect::Launching { .. } | Effect::Drained { .. } | Effect::Scaled { .. } | Effect::WasGone => {}
        }
        if let (domain::plan::Action::Cordon { node }, domain::plan::Status::Done) = (&step.action, &state.status) {
            lines.push(format!("cordoned, tainted and taken out of load balancers: {}", node.name));
        }
    }
    lines
}

fn spoken(outcome: &Outcome) -> String {
    match outcome {
        Outcome::Succeeded => "succeeded".to_owned(),
        Outcome::RolledBack { why } => format!("was rolled back: {why}"),
        Outcome::Cancelled { why } => format!("was cancelled: {why}"),
        Outcome::Expired { why } => format!("expired: {why}"),
        Outcome::Parked { why } => format!("is parked, a person must look: {why}"),
    }
}

async fn summary(system: &System, victim: &InstanceId, record: &PlanRecord) -> anyhow::Result<()> {
    say("\nAudit trail\n")?;
    for row in system.ports.journal.audit(&record.plan.key).await? {
        let took = row.closed_at.map(|end| end.duration_since(row.opened_at).as_millis());
        let took = took.map_or_else(|| "open".to_owned(), |ms| format!("{ms} ms"));
        say(&format!("  {:<44} {:<8} {took}\n", row.action, row.result.as_deref().unwrap_or("in flight")))?;
    }
    let launched = system
        .world
        .live_instances(&system.cluster)
        .iter()
        .filter(|i| i.tags.get("cloudoptim.io/replaces").map(String::as_str) == Some(victim.as_str()))
        .count();
    let lost = system.world.history().iter().filter(|h| matches!(h.what, sim::world::What::PodLost { .. })).count();
    let drained = record.progress.spot_event.as_ref().and_then(|e| e.drain_duration_s);
    say(&format!(
        "\nSummary\n  pods lost             {lost}\n  replacements          {launched} (for two deliveries of the warning)\n  notice to empty node  {} s of 120 s\n",
        drained.map_or_else(|| "?".to_owned(), |s| s.to_string()),
    ))?;
    match &record.progress.outcome {
        Some(Outcome::Succeeded) if launched == 1 && lost == 0 => Ok(()),
        _ => bail!("the story did not end as it should"),
    }
}

fn tell(began: Instant, line: &str) -> anyhow::Result<()> {
    say(&format!("{:>5.1} s  {line}\n", began.elapsed().as_secs_f64()))
}
