//! One cluster: looked at, decided on, planned and carried out, twice; and then the laws.

use super::cluster::{Scene, scene};
use super::coverage::Coverage;
use super::market::Eyes;
use domain::SignedDuration;
use domain::money::MicroDollars;
use domain::optimization::RunStatus;
use domain::plan::Outcome;
use domain::ports::Clock;
use harness::plans::{savings_are_true, voluntary, within_budget};
use harness::system::System;
use sim::checkers::{Rest, Voluntary, Watch, at_rest};
use sim::world::{By, Pending, What, World};
use std::collections::{BTreeMap, BTreeSet};

/// How many rounds are carried out, an hour and more apart: what the first launched may be moved by the next.
const ROUNDS: usize = 2;
/// A round, its plans, and their pods end within this.
const WITHIN: SignedDuration = SignedDuration::from_hours(4);

/// Carries out the plans of a seed. `eyes` is what a mutant sees.
///
/// # Errors
/// The law that was broken.
pub(crate) fn carry_out(seed: u64, eyes: Option<Eyes>) -> Result<Coverage, String> {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_time().start_paused(true).build().map_err(|e| e.to_string())?;
    runtime.block_on(one(seed, eyes))
}

async fn one(seed: u64, eyes: Option<Eyes>) -> Result<Coverage, String> {
    let mut scene = scene(seed, eyes).await;
    let (world, cluster) = (scene.system.world.clone(), scene.cluster.clone());
    let mut laws = Voluntary::over(&world, &cluster);
    let before = Before { cost: world.cost_per_hour(&cluster), arches: arches(&world, &scene), waiting: world.pending(&cluster) };
    let mut coverage = Coverage::of(&scene);
    for round in 0..ROUNDS {
        scene.ask(&format!("r-{round}"), false).await;
        settle(&mut scene, &mut laws).await?;
        laws.at_rest(&world)?;
        if round + 1 < ROUNDS {
            scene.system.clock.sleep(SignedDuration::from_mins(70)).await;
        }
    }
    // One more look enters what has ended.
    scene.ask("last", true).await;
    settle(&mut scene, &mut laws).await?;
    at_rest(&Rest { world: &world, store: &scene.system.store, cluster: &cluster, noticed: &[] })?;
    savings_are_true(&scene.system)?;
    scene.answers_are_believed()?;
    scene.ends_are_explained()?;
    scene.savings_are_seen(&before)?;
    scene.images_run_where_they_ran(&before)?;
    coverage.add(&scene);
    Ok(coverage)
}

/// Lets everything end that is under way.
async fn settle(scene: &mut Scene, laws: &mut Voluntary) -> Result<(), String> {
    let (cluster, allowed) = (scene.cluster.clone(), scene.allowed);
    let mut watch = Watch::over(&scene.system.world, &cluster);
    let mut broken = None;
    let end = scene.system.clock.now() + WITHIN;
    while scene.system.clock.now() < end {
        let look = |system: &System| {
            system.store.visit_plans(|record| watch.planned(&record.plan));
            let law = watch.look(&system.world, &cluster).and_then(|()| laws.look(&system.world));
            if let Err(law) = law.and_then(|()| within_budget(system, &cluster, allowed)) {
                broken.get_or_insert(law);
            }
        };
        scene.system.run(SignedDuration::from_secs(90), look).await;
        if let Some(law) = broken {
            return Err(law);
        }
        if scene.system.quiet() {
            // Pods that were moved last are still starting.
            scene.system.clock.sleep(SignedDuration::from_mins(2)).await;
            return laws.look(&scene.system.world);
        }
    }
    Err(format!("plans are under way after {WITHIN:#}"))
}

/// The cluster before anything was done to it.
struct Before {
    cost: MicroDollars,
    arches: Arches,
    waiting: Pending,
}

/// By workload: the instruction sets of the nodes that its pods are on.
type Arches = BTreeMap<String, BTreeSet<String>>;

fn arches(world: &World, scene: &Scene) -> Arches {
    let nodes = world.nodes(&scene.cluster);
    let arch = |name: &domain::ids::NodeName| nodes.iter().find(|node| node.name == *name)?.labels.get("kubernetes.io/arch").cloned();
    let mut found = Arches::new();
    for pod in world.pods(&scene.cluster) {
        let Some(controller) = pod.controller.filter(|controller| controller.kind != "DaemonSet") else { continue };
        if let Some(arch) = pod.node.as_ref().and_then(arch) {
            let whose = format!("{} {}/{}", controller.kind, pod.pod.namespace, controller.name);
            found.entry(whose).or_default().insert(arch);
        }
    }
    found
}

impl Scene {
    /// What the planner answers keeps every rule that the core holds it against: whoever sees less than the core is told so.
    fn answers_are_believed(&self) -> Result<(), String> {
        let failed = self.system.counts.of("decisions_failed");
        let runs = self.system.store.all_runs();
        let whys: Vec<&String> = runs.iter().filter(|run| run.status == RunStatus::Failed).flat_map(|run| &run.rejected).collect();
        if failed == 0 { Ok(()) } else { Err(format!("{failed} answers of the planner were not believed: {whys:?}")) }
    }

    /// Nothing fails here, but that pools run dry: a plan succeeds, or was stopped before its end for a reason, or found no capacity.
    fn ends_are_explained(&self) -> Result<(), String> {
        for record in voluntary(&self.system) {
            let key = &record.plan.key.plan;
            match record.progress.outcome.as_ref().ok_or_else(|| format!("plan {key} has not ended"))? {
                Outcome::Succeeded => {}
                Outcome::Cancelled { .. } if !record.progress.blocked.is_empty() => {}
                Outcome::RolledBack { why } if why.contains("had capacity") => {}
                other => return Err(format!("plan {key} was no true plan: {other:?}; {}", record.plan.reason)),
            }
        }
        Ok(())
    }

    /// Prices stand still here: what the books say is what the cluster costs less.
    fn savings_are_seen(&self, before: &Before) -> Result<(), String> {
        let books: MicroDollars = self.system.store.all_books().iter().flat_map(|books| books.per_hour.values().copied()).sum();
        let mut overhead = MicroDollars(0);
        for record in voluntary(&self.system) {
            let each = record.plan.stakes.as_ref().map(|stakes| stakes.overhead_per_hour).unwrap_or_default();
            if let Some(done) = domain::plan::stakes::done(&record.plan, &record.progress) {
                overhead = overhead + done.ended.iter().map(|_| each).sum() - done.launched.iter().map(|_| each).sum();
            }
        }
        let after = self.system.world.cost_per_hour(&self.cluster);
        if before.cost - after != books - overhead {
            return Err(format!("the cluster costs {after} after {}, and the books say {books}, {overhead} of it overhead", before.cost));
        }
        if after > before.cost {
            return Err(format!("the cluster is dearer than before: {after} after {}", before.cost));
        }
        Ok(())
    }

    /// What is not known of images is not tried out.
    fn images_run_where_they_ran(&self, before: &Before) -> Result<(), String> {
        for (whose, now) in arches(&self.system.world, self) {
            // Pods that waited come to a node by themselves.
            let Some(known) = before.arches.get(&whose).filter(|_| !before.waiting.contains_key(&whose)) else { continue };
            if let Some(new) = now.difference(known).next() {
                return Err(format!("pods of {whose} were moved to {new}, and had run on {known:?} only"));
            }
        }
        Ok(())
    }

    /// Nodes that our plans have ended.
    pub(crate) fn ended(&self) -> usize {
        let ours = |what: &What| matches!(what, What::Terminated { by: By::Us, .. });
        self.system.world.history().iter().filter(|happened| ours(&happened.what)).count()
    }
}
