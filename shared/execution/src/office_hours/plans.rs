//! From decisions to plans.

use super::OfficeHours;
use crate::ports::Trouble;
use domain::ids::PlanId;
use domain::money::MicroDollars;
use domain::office_hours::ORIGINAL;
use domain::plan::{Action, OnFailure, Plan, PlanKey, PlanKind, Progress, Step, Urgency};
use domain::ports::{NewPlan, Opened};
use domain::tenant::Cluster;
use domain::workload::{Resize, ScaleRef};
use domain::{SignedDuration, Timestamp};
use planning::office_hours::{Judged, Original, Verdict, worth};

/// Objects per plan: its record stays far below what an item of the table may hold.
const STEPS_MAX: usize = 25;
/// Objects per minute and direction: the next minute goes on with the rest.
const PER_MINUTE_MAX: usize = 500;
/// How long a plan may take. After that the next minute decides anew.
const WITHIN: SignedDuration = SignedDuration::from_mins(5);
/// When the sweeper takes up a plan whose message was lost.
const DUE_AFTER: SignedDuration = SignedDuration::from_secs(60);

/// One object that goes to sleep.
pub(super) struct Sleeper<'a> {
    pub(super) judged: &'a Judged<'a>,
    pub(super) from: Option<u32>,
    pub(super) to: u32,
    pub(super) original: Original,
}

/// The object that a step is about.
pub(super) fn target(action: &Action) -> Option<ScaleRef> {
    match action {
        Action::Resize { target, .. } => Some(target.clone()),
        // A person's wish for a workload goes first.
        Action::Scale { workload, .. } => {
            Some(ScaleRef { kind: workload.kind.into(), namespace: workload.namespace.clone(), name: workload.name.clone() })
        }
        Action::LaunchNode { .. }
        | Action::AwaitReady { .. }
        | Action::Cordon { .. }
        | Action::Uncordon { .. }
        | Action::Drain { .. }
        | Action::Terminate { .. }
        | Action::RemoveNode { .. }
        | Action::PatchRequests { .. }
        | Action::AwaitRollOut { .. }
        | Action::TerminateGhost { .. }
        | Action::DeleteVolume { .. }
        | Action::CompleteLifecycle { .. } => None,
    }
}

pub(super) fn sleepers<'a>(judged: &[&'a Judged<'a>]) -> Vec<Sleeper<'a>> {
    let sleeper = |judged: &&'a Judged<'a>| match judged.decision.verdict {
        Verdict::Sleep { from, to, original } => Some(Sleeper { judged, from, to, original }),
        Verdict::Leave | Verdict::Wake { .. } | Verdict::ClearNote => None,
    };
    judged.iter().filter_map(sleeper).take(PER_MINUTE_MAX).collect()
}

/// What is woken, and whose note is stale.
pub(super) fn wakers<'a>(judged: &[&'a Judged<'a>]) -> Vec<&'a Judged<'a>> {
    let wakes = |judged: &&&'a Judged<'a>| matches!(judged.decision.verdict, Verdict::Wake { .. } | Verdict::ClearNote);
    judged.iter().filter(wakes).take(PER_MINUTE_MAX).copied().collect()
}

/// The plans of a minute. The same minute leads to the same names.
pub(super) fn plans(cluster: &Cluster, sleepers: &[Sleeper<'_>], wakers: &[&Judged<'_>], now: Timestamp) -> Vec<Plan> {
    let nights = sleepers.chunks(STEPS_MAX).enumerate().map(|(part, sleepers)| {
        let freed: MicroDollars = sleepers.iter().map(freed).sum();
        let steps = sleepers.iter().map(|sleeper| {
            let resize = Resize {
                uid: sleeper.judged.on.object.uid.clone(),
                from: sleeper.from,
                to: Some(sleeper.to),
                note: Some(sleeper.original.note()),
            };
            step(sleeper.judged, resize)
        });
        let worth = format!("Frees capacity that is worth {freed} per hour; money is saved when nodes go.");
        let why = sleepers.iter().map(|sleeper| why(sleeper.judged)).chain([worth]);
        plan(cluster, PlanKind::Sleep, part, steps.collect(), why.collect(), now)
    });
    let mornings = wakers.chunks(STEPS_MAX).enumerate().map(|(part, wakers)| {
        let steps = wakers.iter().map(|judged| {
            let object = judged.on.object;
            let (from, to) = match judged.decision.verdict {
                Verdict::Wake { from, to } => (Some(from), to),
                Verdict::Leave | Verdict::Sleep { .. } | Verdict::ClearNote => (object.size, object.size),
            };
            step(judged, Resize { uid: object.uid.clone(), from, to, note: None })
        });
        plan(cluster, PlanKind::Wake, part, steps.collect(), wakers.iter().map(|judged| why(judged)).collect(), now)
    });
    nights.chain(mornings).flatten().collect()
}

fn why(judged: &Judged<'_>) -> String {
    let noted = judged.on.object.annotations.get(ORIGINAL).map(|note| format!(", noted {note}")).unwrap_or_default();
    let size = judged.on.object.size.map_or_else(|| "unpaused".to_owned(), |size| size.to_string());
    format!("{} ({size}{noted}): {}.", judged.on.object.target, judged.decision.why)
}

fn step(judged: &Judged<'_>, resize: Resize) -> Step {
    let action = Action::Resize { target: judged.on.object.target.clone(), resize: Box::new(resize) };
    Step { action, after: Vec::new(), after_unless_forced: Vec::new() }
}

/// The capacity that goes with one sleeper. An autoscaler's is its workload's.
fn freed(sleeper: &Sleeper<'_>) -> MicroDollars {
    let pods = sleeper.judged.on.scaled.unwrap_or(sleeper.judged.on.object);
    let gone = pods.size.unwrap_or(0).saturating_sub(sleeper.to);
    worth::per_hour(gone, pods.cpu_millis, pods.memory_bytes)
}

fn plan(cluster: &Cluster, kind: PlanKind, part: usize, steps: Vec<Step>, evidence: Vec<String>, now: Timestamp) -> Option<Plan> {
    let (word, reason) = match kind {
        PlanKind::Sleep => ("sleep", format!("{} workloads go to sleep.", steps.len())),
        PlanKind::Wake
        | PlanKind::Rescue
        | PlanKind::Drain
        | PlanKind::Cordon
        | PlanKind::Uncordon
        | PlanKind::Scale
        | PlanKind::LaunchHook
        | PlanKind::SpotOptimize
        | PlanKind::BinPack
        | PlanKind::Rightsize
        | PlanKind::ResizeWorkload
        | PlanKind::RemedyOom
        | PlanKind::Ghost
        | PlanKind::ZombieVolume => ("wake", format!("{} workloads are woken.", steps.len())),
    };
    let id = PlanId::parse(format!("hours-{}-{word}-{part}", now.as_second().div_euclid(60))).ok()?;
    Some(Plan {
        key: PlanKey { customer: cluster.customer.clone(), cluster: cluster.id.clone(), plan: id },
        kind,
        reason,
        requested_by: "office hours".to_owned(),
        created_at: now,
        deadline: now + WITHIN,
        // A workload that cannot be put to sleep or woken does not keep the others from it.
        on_failure: OnFailure::Forward,
        steps,
        expected_saving: MicroDollars::default(),
        evidence,
        stakes: None,
    })
}

impl OfficeHours {
    /// Opens a plan and has the executor begin it. `None`: another worker of this minute has opened it.
    pub(super) async fn open(&self, plan: Plan) -> Result<Option<PlanKey>, Trouble> {
        let mut progress = Progress::new(&plan, Urgency::Normal, None);
        progress.due_at = self.clock.now() + DUE_AFTER;
        let key = plan.key.clone();
        match self.journal.open(&NewPlan { plan, progress, audit: Vec::new(), spot_event: None, operation: None }).await? {
            Opened::Created => {}
            Opened::Exists(_) => return Ok(None),
        }
        if let Err(error) = self.queue.continue_plan(&key, SignedDuration::ZERO).await {
            tracing::warn!(plan.id = %key, %error, "A plan was opened and not announced; the sweeper begins it");
        }
        Ok(Some(key))
    }
}
