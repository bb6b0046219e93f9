//! Worlds by seed in which a workload is sized while nodes are moved by the dice and taken back by AWS, and calls fail.

use super::one_size::{KINDS, Need, PODS, ask_for, end, sized, sizes_of};
use super::wild::Wild;
use super::{allow, optimizer};
use domain::SignedDuration;
use domain::decision::DecisionType;
use domain::interruption::SPOT_NOTICE;
use domain::plan::{Outcome, PlanKind, Status};
use domain::policy::{DisruptionBudget, Mode};
use sim::checkers::{Rest, at_rest};
use sim::faults::{ALL, Fault};
use std::sync::Arc;

/// What is asked for in each round.
const TYPES: [DecisionType; 3] = [DecisionType::SpotOptimize, DecisionType::BinPack, DecisionType::Rightsize];

/// Runs one seed in a runtime of its own whose time is virtual. Answers how many plans sized, and how many moved nodes.
///
/// # Errors
/// The law that was broken.
pub fn run(seed: u64) -> Result<(usize, usize), String> {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_time().start_paused(true).build().map_err(|e| e.to_string())?;
    runtime.block_on(one(seed))
}

async fn one(seed: u64) -> Result<(usize, usize), String> {
    let mut rng = fastrand::Rng::with_seed(seed);
    let kind = KINDS[rng.usize(..KINDS.len())];
    let need = [Need::More, Need::Less, Need::Killed][rng.usize(..3)];
    let mut story = need.story(kind).await;
    let sizing = story.system.optimizer.take().and_then(|optimizer| optimizer.sizing);
    let mut moves = optimizer(&story.system, Arc::new(Wild::new(rng.fork())));
    moves.sizing = sizing;
    story.system.optimizer = Some(moves);
    allow(&story.system, &story.customer, &story.cluster, |policy| {
        policy.budget = DisruptionBudget { nodes_percent_max: 50, nodes_max: 3 };
        (policy.optimization.spot, policy.optimization.bin_packing, policy.optimization.rightsizing) = (Mode::Auto, Mode::Auto, Mode::Auto);
    })
    .await;
    let (fails, crashes) = ([0.0, 0.02, 0.1][rng.usize(..3)], [0.0, 0.01, 0.03][rng.usize(..3)]);
    let mut dice = rng.fork();
    story.system.gate.script(move |_| {
        let roll = dice.f64();
        if roll < crashes {
            return dice.choice([Fault::CrashBefore, Fault::CrashAfter]);
        }
        (roll < crashes + fails).then(|| ALL[dice.usize(..5)])
    });
    let mut noticed = Vec::new();
    for turn in 0..6 {
        ask_for(&story, &format!("mixed-{turn}"), TYPES.to_vec()).await;
        let live = story.system.world.live_instances(&story.cluster);
        // The dice may have moved everything away.
        if rng.u8(..4) == 0 && !live.is_empty() {
            let victim = live[rng.usize(..live.len())].id.clone();
            let body = story.system.world.interrupt(&victim, SPOT_NOTICE);
            story.system.notice(&body);
            noticed.push(victim);
        }
        story.system.run(SignedDuration::from_mins(10), |_| {}).await;
    }
    story.system.gate.script(|_| None);
    // Moves end; sizes are looked at once more without faults.
    end(&mut story, 0, false).await?;
    ask_for(&story, "calm", vec![DecisionType::Rightsize]).await;
    end(&mut story, 0, false).await?;
    at_rest(&Rest { world: &story.system.world, store: &story.system.store, cluster: &story.cluster, noticed: &noticed })?;
    let plans = sized(&story);
    let rolled = plans.iter().filter(|record| record.plan.kind == PlanKind::ResizeWorkload).count();
    if rolled > 1 {
        return Err(format!("{kind:?}, {need:?}: {rolled} roll-outs in a day"));
    }
    if let Some(open) = plans.iter().find(|record| record.progress.outcome.is_none()) {
        return Err(format!("{kind:?}, {need:?}: plan {} never ends", open.plan.key.plan));
    }
    if plans.iter().flat_map(|record| &record.progress.steps).any(|step| step.status == Status::Started) {
        return Err(format!("{kind:?}, {need:?}: a step is begun and its plan is over"));
    }
    let (template, pods) = sizes_of(&story, kind).await;
    // What a person has to look at is as they find it.
    let parked = plans.iter().any(|record| matches!(record.progress.outcome, Some(Outcome::Parked { .. })));
    if !parked && (pods.len() != PODS || pods.iter().any(|pod| *pod != template)) {
        return Err(format!("{kind:?}, {need:?}: the template says {template:?}, and the pods have {pods:?}"));
    }
    Ok((plans.len(), super::voluntary(&story.system).len()))
}
