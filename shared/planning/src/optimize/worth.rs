//! Whether a saving is worth the disruption.

use crate::eligibility::Blocked;
use domain::decision::WhyNot;
use domain::money::MicroDollars;
use domain::policy::OptimizationPolicy;
use domain::snapshot::PodClass;

/// For how long both sides of a replacement run, minutes: boot, join, drain. What it costs once is this much of the new price.
pub const OVERLAP_MINUTES: i64 = 10;

/// What a node counts before its pods, in thousandths of a pod's eviction.
const NODE: i64 = 1_000;

/// What the eviction of one pod counts, in thousandths: one, more for the important, nothing for the expendable. The weight of
/// priority is Karpenter's (`utils/disruption`): 2^25 of it count one.
pub fn eviction(class: &PodClass) -> i64 {
    (1_000 + i64::from(class.priority) * 1_000 / (1 << 25)).clamp(0, 10_000)
}

/// What is weighed.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Weight {
    /// What the nodes that go cost per hour, all in: price, overhead, interruptions.
    pub cost_before: i64,
    /// What the nodes that come cost per hour, all in.
    pub cost_after: i64,
    /// Price per hour of the nodes that go.
    pub price_before: i64,
    /// Price per hour of the nodes that come.
    pub price_after: i64,
    /// Evictions, in thousandths.
    pub evictions: i64,
    /// What the pods lose that they prefer, in thousandths of an eviction.
    pub lost: i64,
    /// How many nodes go.
    pub nodes: i64,
}

impl Weight {
    /// What is saved per hour, all in.
    pub fn saving(&self) -> i64 {
        self.cost_before - self.cost_after
    }

    /// What it costs once.
    pub fn once(&self) -> MicroDollars {
        MicroDollars(self.price_after.saturating_mul(OVERLAP_MINUTES) / 60)
    }

    /// How much disruption it is, in thousandths.
    pub fn disruption(&self) -> i64 {
        self.nodes * NODE + self.evictions + self.lost
    }

    /// The same, with so much lost that its pods prefer.
    #[must_use]
    pub fn losing(self, lost: i64) -> Weight {
        Weight { lost, ..self }
    }
}

/// The scales: the policy's thresholds, and the cluster's cost and disruption to compare with.
#[derive(Debug, Clone, Copy)]
pub struct Scales<'a> {
    /// The thresholds.
    pub policy: &'a OptimizationPolicy,
    /// What all nodes cost per hour, all in.
    pub cluster_cost: i64,
    /// The disruption of moving every pod and node once, in thousandths.
    pub cluster_disruption: i64,
}

impl Scales<'_> {
    /// Weighs a move. The last rule is Karpenter's `Balanced` (`designs/balanced-consolidation.md`): the share of the cluster's
    /// cost that is saved must be at least half of the share of its disruption. It is what keeps chains of small gains from moving
    /// the same pods again and again.
    ///
    /// # Errors
    /// Which threshold it misses.
    pub fn weigh(&self, weight: Weight) -> Result<(), Blocked> {
        let refuse = |why: String| Err(Blocked::new(WhyNot::NotWorthIt, why));
        let saving = weight.saving();
        let shown = MicroDollars(saving);
        if weight.price_after > weight.price_before {
            let more = MicroDollars(weight.price_after - weight.price_before);
            return refuse(format!("the best move saves {shown} per hour in interruptions and costs {more} more: no plan raises the bill"));
        }
        if saving < self.policy.saving_per_hour_min.0.max(1) {
            let least = self.policy.saving_per_hour_min;
            return refuse(format!("the best move saves {shown} per hour; the policy wants {least}"));
        }
        let percent = i64::from(self.policy.saving_percent_min);
        if saving.saturating_mul(100) < weight.cost_before.saturating_mul(percent) {
            let found = saving.saturating_mul(100) / weight.cost_before.max(1);
            return refuse(format!("the best move saves {found} % of what its nodes cost; the policy wants {percent} %"));
        }
        if weight.once().0.saturating_mul(60) > saving.saturating_mul(i64::from(self.policy.payback_minutes_max)) {
            let (once, limit) = (weight.once(), self.policy.payback_minutes_max);
            return refuse(format!("it would cost {once} once and save {shown} per hour: not paid back within {limit} minutes"));
        }
        if self.bears(weight) {
            return Ok(());
        }
        let per_pod = weight.evictions / 1_000;
        let of = if weight.lost > 0 { " away from what they prefer" } else { "" };
        refuse(format!("the best move saves {shown} per hour, too little for moving {per_pod} pods{of}"))
    }

    /// Whether what is saved is worth the disruption: the last rule alone.
    pub fn bears(&self, weight: Weight) -> bool {
        let gain = i128::from(weight.saving()) * i128::from(self.cluster_disruption) * 2;
        gain >= i128::from(weight.disruption()) * i128::from(self.cluster_cost)
    }
}

#[cfg(test)]
mod tests;
