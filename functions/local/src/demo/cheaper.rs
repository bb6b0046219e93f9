//! The second act: the same cluster gets cheaper by itself, told as it happens.

use crate::demo::{spoken, tell};
use crate::say;
use crate::system::System;
use anyhow::{Context, bail};
use domain::SignedDuration;
use domain::money::MicroDollars;
use domain::optimization::{Round, Run};
use domain::plan::{Effect, PlanKey, PlanRecord};
use domain::policy::{DisruptionBudget, Mode};
use domain::ports::Clock;
use std::collections::BTreeSet;
use tokio::time::Instant;

/// How long a round and its plans may take.
const PATIENCE_S: u64 = 90;
/// Hours of a month, as AWS's own calculator counts them.
const HOURS_OF_A_MONTH: i64 = 730;

/// Allows everything, asks for a round, and tells what comes of it until its plans are over.
///
/// # Errors
/// A plan did not end well, or the cluster is dearer than before.
pub(crate) async fn play(system: &System, began: Instant) -> anyhow::Result<()> {
    let before = system.world.cost_per_hour(&system.cluster);
    say("\nThe same cluster, made cheaper: its policy now says `auto` for spot, bin packing and rightsizing.\n\n")?;
    allow(system).await?;
    let mut told = BTreeSet::new();
    tell(began, &format!("{} nodes cost {} an hour", system.world.nodes(&system.cluster).len(), before))?;
    // On AWS a round comes every ten minutes; here the second one follows the first at once, when its plans have ended.
    let mut runs = Vec::new();
    for round in ["demo-1", "demo-2"] {
        system.optimizer.rounds.ask(&asked(system, round)).await?;
        runs = watch(system, began, round, &mut told).await?;
    }
    summary(system, before, &runs)
}

/// Lets the optimizer act. Half of the nodes may be in disruption at once: a demo has little time.
async fn allow(system: &System) -> anyhow::Result<()> {
    let mut cluster = system.ports.registry.cluster(&system.customer, &system.cluster).await?.context("the demo cluster is gone")?;
    let optimization = &mut cluster.policy.optimization;
    (optimization.spot, optimization.bin_packing, optimization.rightsizing) = (Mode::Auto, Mode::Auto, Mode::Auto);
    cluster.policy.budget = DisruptionBudget { nodes_percent_max: 50, nodes_max: 5 };
    cluster.version += 1;
    Ok(system.ports.registry.put_cluster(&cluster, Some(cluster.version - 1)).await?)
}

fn asked(system: &System, round: &str) -> Round {
    Round {
        customer: system.customer.clone(),
        cluster: system.cluster.clone(),
        round: round.to_owned(),
        asked_by: "demo".to_owned(),
        types: Vec::new(),
        dry_run: false,
        nodes: None,
    }
}

/// Tells what is new until the round's runs are there and every plan has ended. Answers all runs so far, oldest first.
async fn watch(system: &System, began: Instant, round: &str, told: &mut BTreeSet<String>) -> anyhow::Result<Vec<Run>> {
    let act = Instant::now();
    while act.elapsed().as_secs() < PATIENCE_S {
        system.clock.sleep(SignedDuration::from_millis(200)).await;
        let mut runs = system.optimizer.optimizations.runs(&system.customer, None, 20).await?.items;
        runs.sort_by_key(|run| run.at);
        let mut open = 0;
        for run in &runs {
            for line in said(run) {
                if told.insert(line.clone()) {
                    tell(began, &line)?;
                }
            }
            for recommendation in &run.recommendations {
                let key = PlanKey { customer: system.customer.clone(), cluster: system.cluster.clone(), plan: recommendation.plan.clone() };
                let Some(record) = system.ports.journal.load(&key).await? else {
                    open += 1;
                    continue;
                };
                for line in done(&record) {
                    if told.insert(line.clone()) {
                        tell(began, &line)?;
                    }
                }
                open += usize::from(record.progress.outcome.is_none());
            }
        }
        let decided = runs.iter().filter(|run| run.round == round).count();
        if decided >= system.optimizer.settings.enabled.len() && open == 0 && super::all_running(system) {
            return Ok(runs);
        }
    }
    bail!("the plans were not over after {PATIENCE_S} s; this is a fault of ours")
}

fn said(run: &Run) -> Vec<String> {
    let name = run.decision.path();
    let mut lines = match &run.why {
        Some(why) => vec![format!("{name}: {why}")],
        None => vec![format!("{name}: {} plans", run.recommendations.len())],
    };
    lines.extend(run.recommendations.iter().map(|r| format!("{name}: {}", r.why)));
    lines
}

/// What a plan has done, a line for each fact.
fn done(record: &PlanRecord) -> Vec<String> {
    let goes: Vec<String> = record.plan.steps.iter().filter_map(|s| s.action.node()).map(|n| n.name.to_string()).collect();
    let goes: BTreeSet<String> = goes.into_iter().collect();
    let goes = goes.into_iter().collect::<Vec<_>>().join(", ");
    let mut lines = Vec::new();
    for state in &record.progress.steps {
        match &state.effect {
            Effect::Launched { instance, offering } => lines.push(format!("launched {instance}: {}", offering.pool)),
            Effect::Ready { node } => lines.push(format!("{node} has joined and is Ready")),
            Effect::Drained { evicted, .. } if state.status == domain::plan::Status::Done => {
                lines.push(format!("drained {goes}: {evicted} pods left by eviction"));
            }
            Effect::None | Effect::Launching { .. } | Effect::Drained { .. } | Effect::Scaled { .. } | Effect::WasGone => {}
        }
    }
    if let Some(outcome) = &record.progress.outcome {
        lines.push(format!("the plan for {goes} {}", spoken(outcome)));
    }
    lines
}

fn summary(system: &System, before: MicroDollars, runs: &[Run]) -> anyhow::Result<()> {
    let after = system.world.cost_per_hour(&system.cluster);
    let saved = before - after;
    let bound = runs.iter().map(|run| run.lower_bound).max().unwrap_or_default();
    say(&format!(
        "\nSavings\n  before                {before} an hour\n  after                 {after} an hour\n  saved                 {saved} an hour, {} a month\n  no placement of these pods costs less than {bound} an hour\n",
        MicroDollars(saved.0.saturating_mul(HOURS_OF_A_MONTH)),
    ))?;
    if let Some(run) = runs.iter().rev().find(|run| !run.untouched.is_empty()) {
        say("\nNodes that are left as they are\n")?;
        for untouched in &run.untouched {
            say(&format!("  {:<32} {}\n", untouched.node.to_string(), untouched.why))?;
        }
    }
    if after > before {
        bail!("the cluster is dearer than before");
    }
    Ok(())
}
