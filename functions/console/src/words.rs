//! Words for what the domain names, as people read them.

use crate::view::Tone;
use domain::decision::{DecisionType, WhyNot};
use domain::finding::FindingKind;
use domain::optimization::{ProposalState, RunStatus};
use domain::plan::{Outcome, Progress, Status};
use domain::policy::Mode;
use domain::savings::Lever;
use domain::tenant::{ClusterStatus, Role};

/// A role.
pub fn role(role: Role) -> &'static str {
    match role {
        Role::Viewer => "viewer",
        Role::Operator => "operator",
        Role::Admin => "admin",
    }
}

/// What a finding is.
pub fn finding(kind: FindingKind) -> &'static str {
    match kind {
        FindingKind::Ghost => "ghost instance",
        FindingKind::ZombieVolume => "unattached volume",
        FindingKind::CrossZone => "cross-zone traffic",
        FindingKind::IdleLoadBalancer => "idle load balancer",
        FindingKind::IdleNatGateway => "idle NAT gateway",
        FindingKind::IdleAddress => "idle elastic IP",
        FindingKind::OversizedWorkload => "oversized requests",
        FindingKind::UndersizedWorkload => "undersized requests",
        FindingKind::OutOfMemory => "OOM killed",
        FindingKind::LikelyLeak => "likely memory leak",
        FindingKind::OfficeHours => "idle out of hours",
    }
}

/// What was just done; `None`: nobody said so.
pub fn done(code: &str) -> Option<&'static str> {
    Some(match code {
        "approved" => "Approved. The next round looks at the cluster again, and begins if the plan still holds.",
        "rejected" => "Dismissed. Nothing will come of this plan.",
        "cancelled" => "Cancelled. What was done is being taken back.",
        "round" => "A round is asked for. What it decides stands here in a moment.",
        "look" => "A look is asked for. What it finds stands here in a moment.",
        "scan" => "A scan is asked for. What it finds stands here in a moment.",
        "dismissed" => "Dismissed. It returns when it rests on other grounds than now.",
        "halted" => "Stopped. No change is begun until the stop is lifted.",
        "lifted" => "The stop is lifted.",
        "mode" => "The policy is changed. It holds from the next round on.",
        "awake" => "Everything is up for as long as you said.",
        "asleep" => "The schedule holds again.",
        "hours" => "The rules are approved.",
        "test" => "A test notice is on its way.",
        "chosen" => "The chosen plans are approved. The next round looks at the cluster again, and begins those that still hold.",
        "ended" => "A plan that ends it is written. It looks again before it ends anything.",
        "uploaded" => "The model is checked and kept. Run it in the shadow before it speaks.",
        "activated" => "The model answers from now on.",
        "shadow" => "The model runs in the shadow: what it says is logged and told to nobody.",
        "shadow-end" => "The shadow run is over.",
        "removed" => "The model is removed.",
        "rolled-back" => "Rolled back: what answered before answers again.",
        "engine" => "Who answers is chosen.",
        "filling" => "A filling is asked for. It is begun within three minutes, and its progress stands here.",
        "undoing" => "What the filling added is being taken out.",
        "refresh" => "The market is read anew within three minutes.",
        "schedule" => "Set. The market is read so often from its next look on, within three minutes.",
        "revoked" => "The key is revoked: it stops working with the next request.",
        _ => return None,
    })
}

/// A mode, with what it means.
pub fn mode(mode: Mode) -> &'static str {
    match mode {
        Mode::Observe => "observe",
        Mode::Recommend => "recommend",
        Mode::Approve => "approve",
        Mode::Auto => "auto",
    }
}

/// Every mode with what it means.
pub const MODES: [(Mode, &str); 4] = [
    (Mode::Observe, "observe: look and record"),
    (Mode::Recommend, "recommend: say what should be done"),
    (Mode::Approve, "approve: do what a person has approved"),
    (Mode::Auto, "auto: do it"),
];

/// A kind of decision.
pub fn decision(decision: DecisionType) -> &'static str {
    match decision {
        DecisionType::SpotOptimize => "Spot",
        DecisionType::BinPack => "Bin packing",
        DecisionType::Rightsize => "Node size",
    }
}

/// A lever of the ledger.
pub fn lever(lever: Lever) -> &'static str {
    match lever {
        Lever::SpotOptimize => "Spot",
        Lever::BinPack => "Bin packing",
        Lever::Rightsize => "Node size",
        Lever::OutOfMemory => "More memory",
    }
}

/// Whether a cluster can be reached.
pub fn status(status: ClusterStatus) -> (&'static str, Tone) {
    match status {
        ClusterStatus::Connected => ("connected", Tone::Good),
        ClusterStatus::Connecting => ("connecting", Tone::Busy),
        ClusterStatus::NotResponding => ("not responding", Tone::Bad),
        ClusterStatus::NeedsToken => ("needs token", Tone::Warn),
    }
}

/// What came of a run.
pub fn run(status: RunStatus) -> (&'static str, Tone) {
    match status {
        RunStatus::Failed => ("failed", Tone::Bad),
        RunStatus::Nothing => ("nothing to do", Tone::Quiet),
        RunStatus::Observed => ("observed", Tone::Quiet),
        RunStatus::Recommended => ("recommended", Tone::Plain),
        RunStatus::Proposed => ("waits for approval", Tone::Warn),
        RunStatus::Planned => ("planned", Tone::Good),
    }
}

/// Where a proposal is.
pub fn proposal(state: &ProposalState) -> (&'static str, Tone) {
    match state {
        ProposalState::Recommended => ("recommended", Tone::Plain),
        ProposalState::Waiting { .. } => ("waits for approval", Tone::Warn),
        ProposalState::Approved { .. } => ("approved", Tone::Busy),
        ProposalState::Rejected { .. } => ("dismissed", Tone::Quiet),
        ProposalState::Expired => ("expired", Tone::Quiet),
        ProposalState::Stale { .. } => ("does not hold any more", Tone::Warn),
        ProposalState::Opened => ("under way", Tone::Busy),
        ProposalState::Ended { outcome, .. } => ended(outcome),
    }
}

/// How a plan ended.
pub fn ended(outcome: &Outcome) -> (&'static str, Tone) {
    match outcome {
        Outcome::Succeeded => ("succeeded", Tone::Good),
        Outcome::RolledBack { .. } => ("rolled back", Tone::Warn),
        Outcome::Cancelled { .. } => ("cancelled", Tone::Quiet),
        Outcome::Expired { .. } => ("expired", Tone::Warn),
        Outcome::Parked { .. } => ("a person must look", Tone::Bad),
    }
}

/// Why it ended so, where there is a why.
pub fn ended_why(outcome: &Outcome) -> &str {
    match outcome {
        Outcome::Succeeded => "",
        Outcome::RolledBack { why } | Outcome::Cancelled { why } | Outcome::Expired { why } | Outcome::Parked { why } => why,
    }
}

/// How far a plan is.
pub fn progress(progress: &Progress) -> (&'static str, Tone) {
    match &progress.outcome {
        Some(outcome) => ended(outcome),
        None if progress.unwinding.is_some() => ("being taken back", Tone::Warn),
        None if progress.steps.iter().all(|step| step.status == Status::Pending) => ("about to begin", Tone::Busy),
        None => ("under way", Tone::Busy),
    }
}

/// Where a step is, and why.
pub fn step(status: &Status) -> (&'static str, Tone, &str) {
    match status {
        Status::Pending => ("pending", Tone::Quiet, ""),
        Status::Started => ("under way", Tone::Busy, ""),
        Status::Done => ("done", Tone::Good, ""),
        Status::Failed(why) => ("failed", Tone::Bad, why),
        Status::Expired(why) => ("overtaken", Tone::Quiet, why),
        Status::Skipped(why) => ("skipped", Tone::Quiet, why),
        Status::Undoing => ("being taken back", Tone::Warn, ""),
        Status::Undone => ("taken back", Tone::Warn, ""),
        Status::Stuck(why) => ("a person must look", Tone::Bad, why),
    }
}

/// Why a node is left as it is: the name of the reason, and what would have to change.
pub fn why_not(code: WhyNot) -> (&'static str, &'static str) {
    match code {
        WhyNot::Optimal => {
            ("as cheap as it can be", "Nothing: no offering that would run its pods costs less today. Prices move; each round looks again.")
        }
        WhyNot::NotWorthIt => (
            "not worth the disruption",
            "A larger saving, or a lower bar in the policy (saving_percent_min, saving_per_hour_min, payback_minutes_max).",
        ),
        WhyNot::HandsOff => ("hands off", "Whoever asked to leave it alone says otherwise, or its cool-down ends."),
        WhyNot::BudgetUsedUp => ("disruption budget used up", "Plans under way end, or the policy's budget grows."),
        WhyNot::NotOurs => (
            "not ours",
            "Its owner (an Auto Scaling group, a managed node group or Karpenter) hands it over: the tag cloudoptim.io/cluster on the instance.",
        ),
        WhyNot::ControlPlane => ("control plane", "Nothing: nodes of the control plane are never touched."),
        WhyNot::DoNotDisrupt => ("asks to be left alone", "The annotation on the node, or the tag on its instance, is removed."),
        WhyNot::PodDoNotDisrupt => (
            "a pod asks to be left alone",
            "The annotation karpenter.sh/do-not-disrupt or safe-to-evict: \"false\" is removed from the pod.",
        ),
        WhyNot::NoController => {
            ("a pod without controller", "The pod gets a controller that makes it anew, or is removed: moved, it would be lost.")
        }
        WhyNot::PodBudget => (
            "a disruption budget has no room",
            "The PodDisruptionBudget allows one more disruption: more replicas, or a larger maxUnavailable.",
        ),
        WhyNot::ManyPodBudgets => (
            "more than one budget on a pod",
            "Only one PodDisruptionBudget selects the pod: with two the API server refuses every eviction.",
        ),
        WhyNot::PodBudgetsUnknown => {
            ("budgets cannot be read", "The service account may list PodDisruptionBudgets: apply infra/customer/rbac.yaml.")
        }
        WhyNot::Pinned => ("a volume lives here only", "The pod uses a volume that another node can reach."),
        WhyNot::ForeignScheduler => ("another scheduler", "The pod is placed by a scheduler whose choices can be foreseen."),
        WhyNot::NoPlace => {
            ("its pods fit nowhere else", "Constraints of its pods (zones, affinity, taints, size) leave room on another node.")
        }
        WhyNot::NotReady => ("not ready", "The node becomes Ready, or whoever cordoned it uncordons it."),
        WhyNot::PriceUnknown => ("price unknown", "The market function reads its price: see Pricing."),
        WhyNot::CoolDown => ("moved not long ago", "Time: the policy's node_age_min_minutes and cool_down_minutes pass."),
        WhyNot::Policy => ("policy", "The policy allows families, capacity types or sizes that would be cheaper."),
        WhyNot::Commitment => ("paid for in any case", "The commitment that covers it ends: moved before, it would be stranded."),
        WhyNot::NotReached => ("not looked at yet", "The next round: it begins at this node."),
    }
}
