//! Plans: immutable, complete, and each step with its undo beside it.

use crate::decision::DecisionType;
use crate::ids::{ClusterId, CustomerId, PlanId};
use crate::money::MicroDollars;
use jiff::Timestamp;
use serde::{Deserialize, Serialize};

pub mod action;
pub mod check;
pub mod from_move;
pub mod precondition;
pub mod progress;
pub mod stakes;
pub mod token;

pub use action::{Action, Undo};
pub use from_move::{Draft, from_move};
pub use progress::{Effect, Event, IllegalTransition, Next, Outcome, Progress, Status, StepState, Urgency};
pub use stakes::{NodeStake, Stakes};

/// Never reached: ids of plans are slugs of our own making. A constant, so that nothing can panic.
fn unnamed() -> PlanId {
    #[expect(clippy::unwrap_used, reason = "a constant slug; a test parses it")]
    PlanId::parse("plan").unwrap()
}

/// What a plan is called: the customer first, so that no key of one customer can reach another's.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct PlanKey {
    /// The customer.
    pub customer: CustomerId,
    /// The cluster.
    pub cluster: ClusterId,
    /// The plan.
    pub plan: PlanId,
}

impl std::fmt::Display for PlanKey {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{}/{}/{}", self.customer, self.cluster, self.plan)
    }
}

/// Why a plan exists.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(rename_all = "kebab-case")]
pub enum PlanKind {
    /// An instance is taken from us.
    Rescue,
    /// A person asked for a drain.
    Drain,
    /// A person asked for a cordon.
    Cordon,
    /// A person asked for an uncordon.
    Uncordon,
    /// A person asked for a number of replicas.
    Scale,
    /// Workloads go to sleep.
    Sleep,
    /// Workloads are woken.
    Wake,
    /// An Auto Scaling group waits for a launched node to be ready.
    LaunchHook,
    /// Nodes are moved to or between spot pools, or back to on-demand.
    SpotOptimize,
    /// Fewer or cheaper nodes for the same pods.
    BinPack,
    /// A node of a fitting size takes the place of another.
    Rightsize,
    /// A workload gets requests and limits that fit what it uses.
    ResizeWorkload,
    /// A workload that was killed for lack of memory gets more.
    RemedyOom,
    /// An instance that is no node is ended.
    Ghost,
    /// A volume that nothing uses is deleted.
    ZombieVolume,
}

impl PlanKind {
    /// The plan of a decision.
    pub fn of(decision: DecisionType) -> PlanKind {
        match decision {
            DecisionType::SpotOptimize => PlanKind::SpotOptimize,
            DecisionType::BinPack => PlanKind::BinPack,
            DecisionType::Rightsize => PlanKind::Rightsize,
        }
    }

    /// Whether it only saves money: nothing is lost if it does not happen, so the safety check goes before each of its steps.
    pub fn voluntary(self) -> bool {
        match self {
            PlanKind::SpotOptimize | PlanKind::BinPack | PlanKind::Rightsize => true,
            // They move no node, and have a check of their own.
            PlanKind::ResizeWorkload | PlanKind::RemedyOom => false,
            // What is waste has a check of its own, in the step itself.
            PlanKind::Ghost | PlanKind::ZombieVolume => false,
            PlanKind::Rescue
            | PlanKind::Drain
            | PlanKind::Cordon
            | PlanKind::Uncordon
            | PlanKind::Scale
            | PlanKind::Sleep
            | PlanKind::Wake
            | PlanKind::LaunchHook => false,
        }
    }
}

/// What happens when a step fails.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(rename_all = "kebab-case")]
pub enum OnFailure {
    /// Everything that was done is taken back, last first.
    Unwind,
    /// What can still be done is done: the instance dies whether we fail or not. Only what nobody would own is taken back.
    Forward,
}

/// One step.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct Step {
    /// What it does.
    pub action: Action,
    /// Steps that must be done before, by index.
    #[serde(default)]
    pub after: Vec<usize>,
    /// Steps that should be done before, and are not waited for once the plan is forced: a rebalance recommendation waits
    /// for the replacement, an interruption does not.
    #[serde(default)]
    pub after_unless_forced: Vec<usize>,
}

/// A plan. It names every node, pod and template; execution has no choices left but time.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct Plan {
    /// Its name.
    pub key: PlanKey,
    /// Why it exists.
    pub kind: PlanKind,
    /// Why, in one sentence for a person.
    pub reason: String,
    /// Who asked.
    pub requested_by: String,
    /// When it was made.
    pub created_at: Timestamp,
    /// When it must have ended, done or undone.
    pub deadline: Timestamp,
    /// What happens when a step fails.
    pub on_failure: OnFailure,
    /// The steps.
    pub steps: Vec<Step>,
    /// What it should save, per hour.
    pub expected_saving: MicroDollars,
    /// What it was made from, in sentences.
    pub evidence: Vec<String>,
    /// What a plan of the optimizer is judged by before its point of no return; `None` for all others.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub stakes: Option<Box<Stakes>>,
}

/// How the evidence of a plan that an event began names it; the id follows.
pub const EVENT: &str = "event ";

/// A plan with how far it is: what the table holds.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct PlanRecord {
    /// The plan.
    pub plan: Plan,
    /// How far it is.
    pub progress: Progress,
}

impl PlanRecord {
    /// What every line of the log about it carries, in whichever function it is written: the id of the event that it began with; where no
    /// event did, the plan's own.
    pub fn trace_id(&self) -> &str {
        let event = self.plan.evidence.iter().find_map(|said| said.strip_prefix(EVENT));
        event.unwrap_or_else(|| self.plan.key.plan.as_str())
    }
}
