//! The smallest whole story of a workload's size: it is given more, given less, or answered after a kill. For exhaustive faults.

use super::allow;
use super::one_plan::{OnePlan, SHAPES, scene_of};
use domain::SignedDuration;
use domain::decision::DecisionType;
use domain::optimization::Round;
use domain::plan::{Outcome, PlanKind, PlanRecord, Status};
use domain::policy::Mode;
use domain::ports::{Clock, Rounds, Usages};
use domain::sizing::{Sizes, WorkloadPolicy};
use domain::usage::{ContainerRef, Usage};
use domain::workload::{WorkloadKind, WorkloadRef};
use execution::optimize::Sizing;
use planning::rightsizing::fold::fold;
use sim::checkers::{Rest, at_rest};
use sim::faults::{Call, Fault, FaultyFindings, FaultyUsages};

/// A MiB.
pub const MIB: u64 = 1 << 20;
/// What the pods of the scene ask for.
pub const FIRST: Sizes = Sizes { cpu_request: Some(250), cpu_limit: None, memory_request: Some(256 * MIB), memory_limit: None };
/// How many pods there are.
pub(super) const PODS: usize = 3;

/// The kinds of workload that are sized.
pub const KINDS: [WorkloadKind; 2] = [WorkloadKind::Deployment, WorkloadKind::StatefulSet];

/// The one workload of the scene.
pub fn web() -> WorkloadRef {
    web_of(WorkloadKind::Deployment)
}

/// The same, of a kind.
pub fn web_of(kind: WorkloadKind) -> WorkloadRef {
    WorkloadRef { kind, namespace: "default".to_owned(), name: "web".to_owned() }
}

/// Three pods whose containers were watched for a week, using so many thousandths of a core and so many MiB.
pub async fn watched(cpu_millis: u64, memory_mib: u64, change: impl FnOnce(&mut WorkloadPolicy)) -> OnePlan {
    watched_as(WorkloadKind::Deployment, cpu_millis, memory_mib, change).await
}

async fn watched_as(kind: WorkloadKind, cpu_millis: u64, memory_mib: u64, change: impl FnOnce(&mut WorkloadPolicy)) -> OnePlan {
    let mut story = scene_of(SHAPES[0], kind).await;
    let (system, cluster) = (&mut story.system, &story.cluster);
    system.world.uses(cluster, "default", "web", cpu_millis, memory_mib * MIB);
    allow(system, &story.customer, cluster, |policy| change(&mut policy.workloads)).await;
    let optimizer = system.optimizer.as_mut().unwrap();
    optimizer.settings.enabled = Vec::new();
    optimizer.sizing = Some(Sizing {
        usages: FaultyUsages::new(system.store.clone(), system.gate.clone()),
        findings: FaultyFindings::new(system.store.clone(), system.gate.clone()),
        rightsizing: true,
        oom: true,
    });
    let (mut usage, now) = (Usage::default(), system.clock.now().as_second());
    for round in 0..1_008 {
        fold(&mut usage, &[(cpu_millis * 1_000_000, memory_mib * MIB); PODS], now - (1_008 - round) * 600);
    }
    let of = ContainerRef { workload: web_of(kind), container: "main".to_owned() };
    system.store.put_usages(&story.customer, cluster, &[(of, usage)]).await.unwrap();
    story
}

/// Plans that size workloads.
pub fn sized(story: &OnePlan) -> Vec<PlanRecord> {
    let sized = |record: &PlanRecord| matches!(record.plan.kind, PlanKind::ResizeWorkload | PlanKind::RemedyOom);
    story.system.store.plans().into_iter().filter(sized).collect()
}

/// The sizes of the template, and of each pod.
pub async fn sizes(story: &OnePlan) -> (Sizes, Vec<Sizes>) {
    sizes_of(story, WorkloadKind::Deployment).await
}

pub(super) async fn sizes_of(story: &OnePlan, kind: WorkloadKind) -> (Sizes, Vec<Sizes>) {
    let cluster = story.system.world.cluster(&story.cluster).unwrap();
    let template = cluster.workload(&web_of(kind)).await.unwrap().containers[0].sizes;
    let pods = cluster.containers().await.unwrap();
    (template, pods.iter().filter(|pod| pod.workload() == Some(web_of(kind))).map(|pod| pod.containers[0].sizes).collect())
}

/// What happens to the size.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Need {
    /// More is used than requested.
    More,
    /// Far less is used than requested.
    Less,
    /// More is needed than any node has: the roll-out cannot end.
    TooMuch,
    /// A pod is killed for lack of memory; the cluster resizes in place.
    Killed,
}

/// All of them.
pub const NEEDS: [Need; 4] = [Need::More, Need::Less, Need::TooMuch, Need::Killed];

impl Need {
    /// What the template has when a plan has succeeded.
    fn wanted(self) -> Option<Sizes> {
        let sizes = |cpu, memory| Sizes { cpu_request: Some(cpu), memory_request: Some(memory), ..FIRST };
        match self {
            Need::More => Some(sizes(400, 575 * MIB)),
            Need::Less => Some(sizes(175, 256 * MIB - 256 * MIB * 30 / 100)),
            Need::TooMuch => None,
            Need::Killed => Some(Sizes { memory_request: Some(308 * MIB), ..FIRST }),
        }
    }

    pub(super) async fn story(self, kind: WorkloadKind) -> OnePlan {
        let auto = |policy: &mut WorkloadPolicy| (policy.rightsizing, policy.oom_remediation) = (Mode::Auto, Mode::Auto);
        match self {
            Need::More => watched_as(kind, 400, 500, auto).await,
            Need::Less => watched_as(kind, 50, 64, auto).await,
            Need::TooMuch => watched_as(kind, 250, 200 << 10, auto).await,
            Need::Killed => {
                let story = watched_as(kind, 250, 100, |policy| policy.oom_remediation = Mode::Auto).await;
                story.system.world.resizes_in_place(&story.cluster);
                let pod = story.system.world.pods(&story.cluster).remove(0).pod;
                story.system.world.kill_for_memory(&story.cluster, &pod);
                story
            }
        }
    }
}

async fn ask(story: &OnePlan, name: &str) {
    ask_for(story, name, vec![DecisionType::Rightsize]).await;
}

pub(super) async fn ask_for(story: &OnePlan, name: &str, types: Vec<DecisionType>) {
    let round = Round {
        customer: story.customer.clone(),
        cluster: story.cluster.clone(),
        round: name.to_owned(),
        asked_by: "a law".to_owned(),
        types,
        dry_run: false,
        nodes: None,
    };
    story.system.queue.ask(&round).await.unwrap();
}

/// How many pods must always be there. A Deployment makes one more before one goes; a StatefulSet has one of each name, and takes the
/// next only when all others can be used.
fn least_of(kind: WorkloadKind) -> usize {
    match kind {
        WorkloadKind::Deployment => PODS,
        WorkloadKind::StatefulSet => PODS - 1,
    }
}

/// Lets what is under way end. `twice` delivers every message of a plan to two workers.
pub(super) async fn end(story: &mut OnePlan, must: usize, twice: bool) -> Result<(), String> {
    let (mut least, cluster) = (PODS, story.cluster.clone());
    for turn in 0..24 {
        let look = |system: &crate::system::System| {
            least = least.min(system.world.pods(&cluster).iter().filter(|pod| pod.ready).count());
            if twice {
                system.queue.double();
            }
        };
        story.system.run(SignedDuration::from_mins(10), look).await;
        if turn > 0 && story.system.quiet() {
            break;
        }
    }
    if least < must { Err(format!("only {least} of {PODS} pods could be used for a while")) } else { Ok(()) }
}

/// Lets everything end, looks again the same day without faults, and judges it.
async fn judge((need, kind): (Need, WorkloadKind), story: &mut OnePlan, twice: bool) -> Result<(), String> {
    let must = least_of(kind);
    ask(story, "first").await;
    end(story, must, twice).await?;
    story.system.gate.script(|_| None);
    for round in ["second", "third"] {
        ask(story, round).await;
        end(story, must, twice).await?;
    }
    at_rest(&Rest { world: &story.system.world, store: &story.system.store, cluster: &story.cluster, noticed: &[] })?;
    let plans = sized(story);
    if need != Need::Killed && plans.len() != 1 {
        return Err(format!("{} roll-outs in a day", plans.len()));
    }
    let (template, pods) = sizes_of(story, kind).await;
    if pods.len() != PODS || pods.iter().any(|pod| *pod != template) {
        return Err(format!("the template says {template:?}, and the pods have {pods:?}"));
    }
    let ended = plans.last().and_then(|record| record.progress.outcome.clone());
    let fits = match &ended {
        Some(Outcome::Succeeded) => Some(template) == need.wanted(),
        Some(Outcome::RolledBack { .. } | Outcome::Cancelled { .. }) => template == FIRST,
        Some(Outcome::Expired { .. } | Outcome::Parked { .. }) | None => false,
    };
    if plans.iter().flat_map(|record| &record.progress.steps).any(|step| step.status == Status::Started) {
        return Err("a step is begun and its plan is over".to_owned());
    }
    if fits { Ok(()) } else { Err(format!("after {ended:?} it has {template:?}")) }
}

/// Runs the story with one fault rule, in virtual time; returns the calls that were made, and how the last plan ended.
///
/// # Errors
/// The law that was broken.
pub fn with(
    (need, kind): (Need, WorkloadKind),
    twice: bool,
    script: impl FnMut(Call) -> Option<Fault> + Send + 'static,
) -> Result<(Vec<&'static str>, Option<Outcome>), String> {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_time().start_paused(true).build().map_err(|e| e.to_string())?;
    runtime.block_on(async {
        let mut story = need.story(kind).await;
        let before = story.system.gate.calls();
        let mut script = script;
        story.system.gate.script(move |call| script(Call { index: call.index.saturating_sub(before), name: call.name }));
        judge((need, kind), &mut story, twice).await?;
        let calls = story.system.gate.names().split_off(usize::try_from(before).unwrap_or(0));
        Ok((calls, sized(&story).last().and_then(|record| record.progress.outcome.clone())))
    })
}
