//! What was saved: estimated, freed and realised kept apart.
//!
//! - *Estimated*: what open proposals and recommendations would save. Nothing has happened.
//! - *Freed*: what plans have emptied and is still paid for. Nothing is saved yet.
//! - *Realised*: what plans have really ended, less what came for it, and never more than what the hour costs less than the
//!   baseline says it would have. Nothing else is called a saving.
//!
//! Each node-hour is counted under one lever: what a plan saves is the price of the nodes that it ended less the price of those
//! that it launched, so a node that one plan made cheap and the next ended is counted once, in two parts.

use crate::decision::DecisionType;
use crate::ids::{ClusterId, CustomerId};
use crate::money::MicroDollars;
use crate::offering::CapacityType;
use crate::plan::stakes::saved;
use crate::plan::{Outcome, Plan, PlanKind, Progress};
use crate::scheduling::Resources;
use crate::snapshot::{Part, Snapshot};
use jiff::{SignedDuration, Timestamp};
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

pub mod arithmetic;
mod metered;

pub use metered::{Metered, Month};

/// What made something cheaper, or dearer.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(rename_all = "snake_case")]
pub enum Lever {
    /// Moves to and between spot pools, and back.
    SpotOptimize,
    /// Fewer or cheaper nodes for the same pods.
    BinPack,
    /// Nodes of a fitting size.
    Rightsize,
    /// More memory after a pod ran out of it: always a cost.
    OutOfMemory,
}

impl From<DecisionType> for Lever {
    fn from(decision: DecisionType) -> Lever {
        match decision {
            DecisionType::SpotOptimize => Lever::SpotOptimize,
            DecisionType::BinPack => Lever::BinPack,
            DecisionType::Rightsize => Lever::Rightsize,
        }
    }
}

/// What a cluster cost, and for how much work, when it was first seen whole. Never changed.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Baseline {
    /// The customer.
    pub customer: CustomerId,
    /// The cluster.
    pub cluster: ClusterId,
    /// When it was frozen.
    pub frozen_at: Timestamp,
    /// What its nodes cost per hour, with what a node costs besides its price.
    pub cost_per_hour: MicroDollars,
    /// How many nodes.
    pub nodes: u32,
    /// What its pods requested.
    pub requested: Resources,
}

/// A cluster at one time, in the figures of the ledger.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Seen {
    /// When.
    pub at: Timestamp,
    /// What its nodes cost per hour, with what a node costs besides its price.
    pub cost_per_hour: MicroDollars,
    /// How many nodes.
    pub nodes: u32,
    /// Virtual cores of its nodes: what pods can have of each, rounded up to whole cores.
    pub vcpus: u32,
    /// What its pods request.
    pub requested: Resources,
    /// The part of its cost that is spot.
    pub spot_per_hour: MicroDollars,
}

/// Why a snapshot is no ground for the ledger.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum NotWhole {
    /// A part has a gap.
    #[error("{0}")]
    Gap(String),
    /// A node has no known price.
    #[error("the price of node {0} is unknown")]
    Price(String),
    /// There is nothing in it.
    #[error("the cluster has no nodes or no pods")]
    Empty,
}

/// Parts that the ledger rests on.
const NEEDED: [&str; 4] = ["nodes", "pods", "instances", "prices"];

/// A cluster in the figures of the ledger.
///
/// # Errors
/// [`NotWhole`]: an hour that is half known is not reckoned at all.
pub fn seen(snapshot: &Snapshot, overhead_per_hour: MicroDollars) -> Result<Seen, NotWhole> {
    let gap = |part: &Part| part.gap.clone().filter(|_| NEEDED.contains(&part.name.as_str()));
    if let Some(gap) = snapshot.parts.iter().find_map(gap) {
        return Err(NotWhole::Gap(gap));
    }
    let (mut cost, mut spot) = (MicroDollars::default(), MicroDollars::default());
    let mut requested = Resources::default();
    let mut vcpus: u64 = 0;
    // Nodes that stand for no instance (Fargate, other machines) are not ours to reckon.
    let bought: Vec<_> = snapshot.nodes.iter().filter(|node| node.instance.is_some()).collect();
    for node in &bought {
        let price = node.price.ok_or_else(|| NotWhole::Price(node.name.to_string()))?;
        cost = cost + price.price_per_hour + overhead_per_hour;
        if node.pool.as_ref().is_some_and(|pool| pool.capacity == CapacityType::Spot) {
            spot = spot + price.price_per_hour + overhead_per_hour;
        }
        // What the kubelet keeps for itself is less than a core.
        vcpus = vcpus.saturating_add(node.allocatable.cpu_millis.div_ceil(1_000));
        for placed in &node.pods {
            let class = usize::try_from(placed.class).ok().and_then(|index| snapshot.classes.get(index));
            // Pods of DaemonSets follow the number of nodes: they are not work, they are overhead.
            if let Some(class) = class.filter(|class| class.moves()) {
                requested.add(&class.requests, u64::from(placed.count));
            }
        }
    }
    if bought.is_empty() || (requested.cpu_millis == 0 && requested.memory_bytes == 0) {
        return Err(NotWhole::Empty);
    }
    let small = |number: u64| u32::try_from(number).unwrap_or(u32::MAX);
    Ok(Seen {
        at: snapshot.taken_at,
        cost_per_hour: cost,
        nodes: small(bought.len() as u64),
        vcpus: small(vcpus),
        requested,
        spot_per_hour: spot,
    })
}

impl Baseline {
    /// Freezes what was seen.
    pub fn of(customer: CustomerId, cluster: ClusterId, seen: &Seen) -> Baseline {
        Baseline {
            customer,
            cluster,
            frozen_at: seen.at,
            cost_per_hour: seen.cost_per_hour,
            nodes: seen.nodes,
            requested: seen.requested.clone(),
        }
    }

    /// What this much work would cost per hour, had nothing been done: the baseline's cost, grown or shrunk with what is requested.
    pub fn expected(&self, requested: &Resources) -> MicroDollars {
        let (now, then) = (arithmetic::weight(requested), arithmetic::weight(&self.requested));
        if then == 0 {
            return MicroDollars::default();
        }
        let scaled =
            i128::from(self.cost_per_hour.0) * i128::try_from(now).unwrap_or(i128::MAX) / i128::try_from(then).unwrap_or(i128::MAX);
        MicroDollars(i64::try_from(scaled).unwrap_or(i64::MAX))
    }
}

/// What plans have done to the hourly cost of a cluster, by lever. Changed only together with the proposal that changes it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Books {
    /// The customer.
    pub customer: CustomerId,
    /// The cluster.
    pub cluster: ClusterId,
    /// Per hour; below zero where a lever made things dearer.
    pub per_hour: BTreeMap<Lever, MicroDollars>,
    /// How many plans are in it.
    pub plans: u64,
    /// Grows with every write; 0 where nothing was written yet.
    pub version: u64,
}

impl Books {
    /// Empty books.
    pub fn new(customer: CustomerId, cluster: ClusterId) -> Books {
        Books { customer, cluster, per_hour: BTreeMap::new(), plans: 0, version: 0 }
    }

    /// Books with what an ended plan has done. `None`: it has done nothing that could be entered.
    pub fn entered(&self, plan: &Plan, progress: &Progress) -> Option<Books> {
        if let Some((lever, cost)) = upsize(plan, progress) {
            let charged = self.charged(lever, cost);
            return Some(Books { plans: charged.plans + 1, ..charged });
        }
        let stakes = plan.stakes.as_ref()?;
        progress.outcome.as_ref()?;
        crate::plan::stakes::done(plan, progress)?;
        let mut books = self.clone();
        let sum = books.per_hour.entry(stakes.decision.into()).or_default();
        *sum = *sum + saved(plan, progress);
        books.plans += 1;
        books.version += 1;
        Some(books)
    }

    /// Books with a cost that a lever brought: an upsize, or more memory after a pod ran out of it.
    pub fn charged(&self, lever: Lever, cost_per_hour: MicroDollars) -> Books {
        let mut books = self.clone();
        let sum = books.per_hour.entry(lever).or_default();
        *sum = *sum - MicroDollars(cost_per_hour.0.abs());
        books.version += 1;
        books
    }
}

/// What a plan that gave a workload more costs per hour, and in whose name; `None`: it gave nothing more. What is given less frees
/// capacity, which is no saving until a node goes.
fn upsize(plan: &Plan, progress: &Progress) -> Option<(Lever, MicroDollars)> {
    let lever = match plan.kind {
        PlanKind::RemedyOom => Lever::OutOfMemory,
        PlanKind::ResizeWorkload => Lever::Rightsize,
        PlanKind::Rescue
        | PlanKind::Drain
        | PlanKind::Cordon
        | PlanKind::Uncordon
        | PlanKind::Scale
        | PlanKind::Sleep
        | PlanKind::Wake
        | PlanKind::LaunchHook
        | PlanKind::SpotOptimize
        | PlanKind::BinPack
        | PlanKind::Rightsize
        | PlanKind::Ghost
        | PlanKind::ZombieVolume => return None,
    };
    let dearer = plan.expected_saving < MicroDollars(0) && progress.outcome == Some(Outcome::Succeeded);
    dearer.then(|| (lever, MicroDollars(plan.expected_saving.0.saturating_neg())))
}

/// One closed hour.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Hour {
    /// The customer.
    pub customer: CustomerId,
    /// The cluster.
    pub cluster: ClusterId,
    /// Its beginning.
    pub begins: Timestamp,
    /// When the cluster was looked at for it.
    pub seen_at: Timestamp,
    /// Virtual cores that were managed in it; 0 where they were not counted yet.
    #[serde(default)]
    pub vcpus: u32,
    /// What the nodes that were there cost.
    pub cost: MicroDollars,
    /// The part of it that was spot; `None`: written before this was told apart.
    #[serde(default)]
    pub spot: Option<MicroDollars>,
    /// What the same work would have cost by the baseline.
    pub expected: MicroDollars,
    /// What open proposals and recommendations would save.
    pub estimated: MicroDollars,
    /// What plans have emptied and was still paid for.
    pub freed: MicroDollars,
    /// What was saved, by lever. The sum is never more than `expected - cost`, and costs stand in it whole.
    pub realised: BTreeMap<Lever, MicroDollars>,
}

impl Hour {
    /// What was saved in it.
    pub fn realised_sum(&self) -> MicroDollars {
        self.realised.values().copied().sum()
    }
}

/// The beginning of the hour that an instant lies in.
pub fn hour_of(at: Timestamp) -> Timestamp {
    let second = at.as_second();
    Timestamp::from_second(second - second.rem_euclid(3_600)).unwrap_or(at)
}

/// Whether what was seen speaks for this hour: it was read within it.
fn speaks_for(seen: &Seen, begins: Timestamp) -> bool {
    begins <= seen.at && seen.at < begins + SignedDuration::from_hours(1)
}

/// Closes an hour. `None`: what was seen is of another one.
pub fn close(
    baseline: &Baseline,
    books: &Books,
    seen: &Seen,
    begins: Timestamp,
    estimated: MicroDollars,
    freed: MicroDollars,
) -> Option<Hour> {
    if !speaks_for(seen, begins) {
        return None;
    }
    let expected = baseline.expected(&seen.requested);
    Some(Hour {
        customer: baseline.customer.clone(),
        cluster: baseline.cluster.clone(),
        begins,
        seen_at: seen.at,
        vcpus: seen.vcpus,
        cost: seen.cost_per_hour,
        spot: Some(seen.spot_per_hour),
        expected,
        estimated,
        freed,
        realised: realised(&books.per_hour, expected - seen.cost_per_hour),
    })
}

/// What the levers have realised where the hour is cheaper by `cheaper` than the baseline says: their entries, cut to that in
/// proportion. What made things dearer is never cut.
fn realised(entries: &BTreeMap<Lever, MicroDollars>, cheaper: MicroDollars) -> BTreeMap<Lever, MicroDollars> {
    let gains: i128 = entries.values().map(|sum| i128::from(sum.0.max(0))).sum();
    let costs: i128 = entries.values().map(|sum| i128::from(sum.0.min(0))).sum();
    // Gains may pay for costs, and then for the difference to the baseline; no more than they are.
    let room = (i128::from(cheaper.0.max(0)) - costs).clamp(0, gains);
    let mut left = room;
    let mut rest = gains;
    let mut shares = BTreeMap::new();
    for (lever, sum) in entries {
        let share = match sum.0 {
            gain @ 1.. => {
                // Of what is left, in proportion to what is left of the gains: the parts add up to the whole, to the last unit.
                let share = if rest == 0 { 0 } else { left * i128::from(gain) / rest };
                rest -= i128::from(gain);
                left -= share;
                share
            }
            cost => i128::from(cost),
        };
        shares.insert(*lever, MicroDollars(i64::try_from(share).unwrap_or(i64::MAX)));
    }
    shares
}

#[cfg(test)]
mod tests;
