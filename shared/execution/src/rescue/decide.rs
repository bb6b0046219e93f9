//! What a notice leads to: pure, from the notice, the node, the policy and the time.

use domain::ids::PlanId;
use domain::interruption::{Notice, NoticeKind, Takeback};
use domain::money::MicroDollars;
use domain::node::{NodeOwner, NodeRecord};
use domain::offering::Pool;
use domain::plan::action::{Care, Which};
use domain::plan::{Action, OnFailure, Plan, PlanKey, PlanKind, Progress, Step, Urgency};
use domain::policy::{AtDeadline, ClusterPolicy, Mode, RebalancePolicy};
use domain::ports::NewPlan;
use domain::{SignedDuration, Timestamp};
use planning::replacement::choose;

/// What is known when a notice is decided on.
pub struct Context<'a> {
    /// The notice.
    pub notice: &'a Notice,
    /// The node.
    pub record: &'a NodeRecord,
    /// What the customer allows.
    pub policy: &'a ClusterPolicy,
    /// Pools to avoid now.
    pub avoided: &'a [Pool],
    /// Now.
    pub now: Timestamp,
}

/// What to do about a notice.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Decision {
    /// Only record it, and why.
    RecordOnly(String),
    /// Act.
    Act(Act),
    /// Stop what an earlier notice began.
    Withdraw,
}

/// A plan to be.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Act {
    /// Begin of the plan's id: `rescue` or `hook-<hash>`.
    pub prefix: String,
    /// What is done, in words.
    pub what: String,
    /// Why, in words.
    pub reason: String,
    /// The kind of plan.
    pub kind: PlanKind,
    /// The steps.
    pub steps: Vec<Step>,
    /// How hard.
    pub urgency: Urgency,
    /// When the node is gone.
    pub node_deadline: Option<Timestamp>,
    /// What a failure leads to.
    pub on_failure: OnFailure,
}

/// How long a replacement may take to join (Karpenter's registration timeout).
pub const JOIN_WITHIN_S: u32 = 900;
/// What a rescue may take after its node is gone: launch, join, and looking up lost answers.
const AFTERMATH: SignedDuration = SignedDuration::from_mins(40);
/// A notice this much too late still leads to a replacement; an older one is a replay.
const LATE_MAX: SignedDuration = SignedDuration::from_mins(5);
/// How long an instance that is being stopped or ended still runs its shutdown.
const SHUTDOWN: SignedDuration = SignedDuration::from_secs(30);

/// Decides.
pub fn decide(context: &Context<'_>) -> Decision {
    let Context { notice, record, policy, .. } = context;
    if let NodeOwner::Karpenter { claim } = &record.owner {
        return Decision::RecordOnly(format!("Karpenter owns the node ({claim}) and handles interruptions itself"));
    }
    match policy.interruption.mode {
        Mode::Auto => {}
        mode @ (Mode::Observe | Mode::Recommend | Mode::Approve) => {
            return Decision::RecordOnly(
                format!("interruption handling of this cluster is in mode {mode:?}, which only records").to_lowercase(),
            );
        }
    }
    if notice.withdrawn {
        return Decision::Withdraw;
    }
    match notice.kind {
        NoticeKind::AsgLaunch => launch_hook(context),
        NoticeKind::AsgTerminate => terminate_hook(context),
        NoticeKind::Rebalance => match policy.interruption.rebalance {
            RebalancePolicy::Ignore => {
                Decision::RecordOnly("rebalance recommendations are recorded only, by policy; the pool is avoided for a while".to_owned())
            }
            RebalancePolicy::Cordon => cordon_only(context),
            RebalancePolicy::ReplaceThenDrain => Decision::Act(replace(context, Urgency::Normal, None)),
        },
        NoticeKind::ScheduledChange | NoticeKind::CapacityBlockExpiration => {
            Decision::Act(replace(context, Urgency::Normal, notice.deadline))
        }
        NoticeKind::StateChange => state_change(context),
        NoticeKind::SpotInterruption | NoticeKind::CapacityReservationInterruption | NoticeKind::MissedInterruption => taken(context),
    }
}

/// Capacity is taken back: cordon, drain and replace at once, or clean up where the time is over.
fn taken(context: &Context<'_>) -> Decision {
    let deadline = context.notice.deadline.unwrap_or(context.now);
    if !context.notice.late(context.now) {
        return Decision::Act(replace(context, Urgency::Forced, Some(deadline)));
    }
    let mut steps = Vec::new();
    if context.now <= deadline + LATE_MAX {
        steps = launch_steps(context);
    }
    steps.push(remove(context));
    Decision::Act(act(context, "cleaned up: the notice came too late to drain", steps, Urgency::Forced, Some(deadline)))
}

fn state_change(context: &Context<'_>) -> Decision {
    match context.notice.takeback {
        // Nobody else drains it, and who ended it (a person, a scale-in) may not want another: no launch.
        Takeback::Underway | Takeback::Terminate | Takeback::Stop | Takeback::Hibernate => {
            let deadline = context.notice.received_at + SHUTDOWN;
            let steps = vec![cordon(context), drain(context, vec![0])];
            Decision::Act(act(context, "drained late: the instance is being stopped or ended", steps, Urgency::Forced, Some(deadline)))
        }
        Takeback::Gone => {
            let steps = vec![remove(context)];
            Decision::Act(act(context, "cleaned up: the instance is gone", steps, Urgency::Forced, Some(context.now)))
        }
        Takeback::None => Decision::RecordOnly("the instance is not going away".to_owned()),
    }
}

fn cordon_only(context: &Context<'_>) -> Decision {
    Decision::Act(act(context, "cordoned", vec![cordon(context)], Urgency::Normal, None))
}

/// Launch (where that is ours), wait until ready, cordon, drain. Unless forced, the node is left alone until its replacement is ready.
fn replace(context: &Context<'_>, urgency: Urgency, deadline: Option<Timestamp>) -> Act {
    let mut steps = launch_steps(context);
    let ready: Vec<usize> =
        (0..steps.len()).filter(|i| matches!(steps.get(*i).map(|s| &s.action), Some(Action::AwaitReady { .. }))).collect();
    let mut cordon = cordon(context);
    cordon.after_unless_forced = ready;
    let at = steps.len();
    steps.push(cordon);
    steps.push(drain(context, vec![at]));
    let what = match (&context.record.owner, steps.len()) {
        (NodeOwner::AutoScalingGroup { group } | NodeOwner::ManagedNodeGroup { group }, _) => {
            format!("cordoned and drained; {group} replaces the node")
        }
        (NodeOwner::CloudOptim | NodeOwner::Karpenter { .. }, 4..) => "cordoned, drained and replaced".to_owned(),
        (NodeOwner::CloudOptim | NodeOwner::Karpenter { .. }, _) => {
            "cordoned and drained; no replacement: no template or offering is known for the node".to_owned()
        }
    };
    act(context, &what, steps, urgency, deadline)
}

/// The launch and the wait for it; nothing where another owner replaces, or where we do not know how.
fn launch_steps(context: &Context<'_>) -> Vec<Step> {
    let offerings = choose(&context.record.advice, context.avoided);
    match (&context.record.owner, &context.record.template) {
        (NodeOwner::CloudOptim, Some(template)) if !offerings.is_empty() => vec![
            step(
                Action::LaunchNode { template: Box::new(template.clone()), offerings, replaces: Some(context.record.key.clone()) },
                vec![],
            ),
            step(Action::AwaitReady { of: Which::LaunchedBy(0), within_s: JOIN_WITHIN_S }, vec![0]),
        ],
        (
            NodeOwner::CloudOptim | NodeOwner::AutoScalingGroup { .. } | NodeOwner::ManagedNodeGroup { .. } | NodeOwner::Karpenter { .. },
            _,
        ) => Vec::new(),
    }
}

/// The group ends the instance whatever we do: drain first, then let it go on. The group replaces.
fn terminate_hook(context: &Context<'_>) -> Decision {
    let Some(complete) = complete(context) else {
        return Decision::RecordOnly("the lifecycle message names no hook".to_owned());
    };
    let mut steps = vec![cordon(context), drain(context, vec![0])];
    steps.push(step(complete, vec![1]));
    let deadline = context.notice.received_at + SignedDuration::from_mins(15);
    let mut act = act(context, "cordoned, drained, and the Auto Scaling group told to go on", steps, Urgency::Forced, Some(deadline));
    act.prefix = hook_prefix(context);
    Decision::Act(act)
}

fn launch_hook(context: &Context<'_>) -> Decision {
    let Some(complete) = complete(context) else {
        return Decision::RecordOnly("the lifecycle message names no hook".to_owned());
    };
    let wait = Action::AwaitReady { of: Which::Instance(context.record.key.instance.clone()), within_s: JOIN_WITHIN_S };
    let steps = vec![step(wait, vec![]), step(complete, vec![0])];
    let mut act = act(context, "waited until the node was ready, then let the Auto Scaling group go on", steps, Urgency::Normal, None);
    act.prefix = hook_prefix(context);
    act.kind = PlanKind::LaunchHook;
    act.on_failure = OnFailure::Forward;
    Decision::Act(act)
}

fn complete(context: &Context<'_>) -> Option<Action> {
    let lifecycle = context.notice.lifecycle.as_ref()?;
    Some(Action::CompleteLifecycle {
        group: lifecycle.group.clone(),
        hook: lifecycle.hook.clone(),
        token: lifecycle.token.clone(),
        instance: context.record.key.instance.clone(),
    })
}

/// One plan for each lifecycle action: an instance can meet several hooks.
fn hook_prefix(context: &Context<'_>) -> String {
    let lifecycle = context.notice.lifecycle.as_ref();
    let name = lifecycle.map(|l| format!("{}/{}/{}", l.group, l.hook, l.token.as_deref().unwrap_or_default())).unwrap_or_default();
    let hash = name.bytes().fold(0xcbf2_9ce4_8422_2325_u64, |hash, byte| (hash ^ u64::from(byte)).wrapping_mul(0x0100_0000_01b3));
    format!("hook-{hash:016x}")
}

fn step(action: Action, after: Vec<usize>) -> Step {
    Step { action, after, after_unless_forced: Vec::new() }
}

fn cordon(context: &Context<'_>) -> Step {
    step(Action::Cordon { node: context.record.target.clone() }, Vec::new())
}

fn drain(context: &Context<'_>, after: Vec<usize>) -> Step {
    let at_deadline: AtDeadline = context.policy.interruption.at_deadline;
    step(Action::Drain { node: context.record.target.clone(), care: Care::Dying, at_deadline }, after)
}

fn remove(context: &Context<'_>) -> Step {
    step(Action::RemoveNode { node: context.record.target.clone() }, Vec::new())
}

fn act(context: &Context<'_>, what: &str, steps: Vec<Step>, urgency: Urgency, node_deadline: Option<Timestamp>) -> Act {
    let notice = context.notice;
    Act {
        prefix: "rescue".to_owned(),
        what: what.to_owned(),
        reason: format!("{} of {} ({})", notice.kind.as_str(), context.record.target.name, context.record.key.instance),
        kind: PlanKind::Rescue,
        steps,
        urgency,
        node_deadline,
        on_failure: match urgency {
            Urgency::Normal => OnFailure::Unwind,
            Urgency::Forced => OnFailure::Forward,
        },
    }
}

/// The plan and its first progress, with the intents of the steps that can begin at once: one write makes the rescue ours and
/// begins it.
pub fn new_plan(key: PlanKey, act: &Act, record: &NodeRecord, now: Timestamp) -> NewPlan {
    let plan = Plan {
        key,
        kind: act.kind,
        reason: act.reason.clone(),
        requested_by: act.reason.clone(),
        created_at: now,
        deadline: act.node_deadline.unwrap_or(now).max(now) + AFTERMATH,
        on_failure: act.on_failure,
        steps: act.steps.clone(),
        expected_saving: MicroDollars::default(),
        evidence: vec![format!("node {} as seen at {}", record.target.name, record.seen_at)],
        stakes: None,
    };
    let mut progress = Progress::new(&plan, act.urgency, act.node_deadline);
    let audit = crate::drive::first_intents(&plan, &mut progress, now);
    NewPlan { plan, progress, audit, spot_event: None, operation: None }
}

/// Never reached: ids of rescues are slugs. A constant, so that nothing can panic.
pub(super) fn fallback_plan_id() -> PlanId {
    #[expect(clippy::unwrap_used, reason = "a constant slug; a test parses it")]
    PlanId::parse("rescue").unwrap()
}
