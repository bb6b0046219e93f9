//! Packs pods, given as shapes with counts, onto kinds of nodes at the least cost, with a proof of how far from the least it is.
//!
//! The proof is the configuration linear program of Gilmore and Gomory: every way to fill one node is a column, the program may
//! buy fractions of columns, and columns are found when they pay. Its optimum is below the cost of every real packing. The real
//! packing is the best of several methods, most of them guided by the program's prices.
//!
//! Guarantees: the same input gives the same answer, on every machine; no clock is read, effort is counted in work. Every pod
//! lies in exactly one pattern, no capacity and no limit is exceeded, and `bound <= least possible cost <= cost`.
//!
//! What is not here: constraints between pods beyond "at most so many on one node"; the caller splits or forbids instead.

mod bound;
mod columns;
mod finish;
mod first_fit;
mod greedy;
mod grid;
mod knapsack;
mod linear;
mod master;
mod model;
mod relaxation;

pub use bound::{Bound, bound, most_worth};
use domain::money::MicroDollars;
use model::{Model, Packed};
use std::collections::{BTreeMap, BTreeSet};

/// Pods that are alike.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Shape {
    /// Requested CPU of one pod, thousandths of a core.
    pub cpu_millis: u64,
    /// Requested memory of one pod, bytes.
    pub memory_bytes: u64,
    /// How many there are.
    pub count: u32,
    /// How many may share one node; `None` means as many as fit.
    pub most_per_bin: Option<u32>,
    /// Where they may lie.
    pub allowed: Allowed,
}

/// The bins a shape may lie in.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Allowed {
    /// All of them.
    Anywhere,
    /// These, by their index among the bins.
    Only(BTreeSet<usize>),
}

/// A kind of node.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Bin {
    /// CPU left for pods, thousandths of a core: allocatable less what the daemon sets take.
    pub cpu_millis: u64,
    /// Memory left for pods, bytes.
    pub memory_bytes: u64,
    /// Pods left.
    pub pods: u32,
    /// Price of one hour of one node.
    pub price: MicroDollars,
    /// At most so many of them; `None` means as many as one likes.
    pub available: Option<u32>,
}

/// Why there is no packing.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum Unpackable {
    /// A pod of this shape is larger than every bin it may lie in.
    #[error("shape {shape} fits in no bin")]
    FitsNowhere {
        /// Index of the shape.
        shape: usize,
    },
    /// A negative price would pay for empty nodes.
    #[error("bin {bin} has a price below zero")]
    PriceBelowZero {
        /// Index of the bin.
        bin: usize,
    },
    /// There are only so many bins, and no packing was found that needs no more. It is not proved that there is none.
    #[error("the bins that are available were not enough")]
    TooFewBins,
}

/// How hard to try. Counted in work, so that the same input gives the same answer.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Effort {
    /// Rounds of column generation.
    pub rounds: u32,
    /// Branches of all searches for columns, a few microseconds each.
    pub branches: u64,
    /// Rounds of repacking, and of the corrections before them.
    pub repacks: u32,
    /// Good enough: stop when the cost is within this many millionths of the bound.
    pub gap_ppm: u32,
}

impl Default for Effort {
    /// A second at most for 10,000 pods in 120 shapes and 600 types, on one core.
    fn default() -> Effort {
        Effort { rounds: 40, branches: 60_000, repacks: 3, gap_ppm: 2_000 }
    }
}

/// Some nodes with equal contents.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Pattern {
    /// Index of the bin.
    pub bin: usize,
    /// Pods of each shape on one node: index of the shape and how many, by shape.
    pub contents: Vec<(usize, u32)>,
    /// How many such nodes.
    pub times: u32,
}

/// Which method made the packing that won.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Method {
    /// Node by node, the most worth for its price.
    Greedy,
    /// The linear program rounded down, the rest node by node.
    Rounded,
    /// First fit decreasing, cheapest type that fits.
    FirstFit,
    /// The worst nodes of one of the others taken apart and packed again.
    Repacked,
}

/// All pods on nodes, and how far from the least possible cost that is at most.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Packing {
    /// The nodes. Every pod lies in exactly one of them.
    pub patterns: Vec<Pattern>,
    /// Price of one hour of all nodes, with the surcharge for each: exact.
    pub cost: MicroDollars,
    /// No packing costs less: proved, rounded down.
    pub bound: MicroDollars,
    /// What made it.
    pub method: Method,
    /// Ways to fill a node that the linear program knew.
    pub columns: usize,
    /// Rounds of column generation.
    pub rounds: u32,
}

impl Packing {
    /// How many nodes there are.
    pub fn nodes(&self) -> u64 {
        self.patterns.iter().map(|pattern| u64::from(pattern.times)).sum()
    }

    /// Cost above the bound, in millionths of the bound, rounded up; `None` where the bound is nothing and the cost is not.
    pub fn gap_ppm(&self) -> Option<u64> {
        let (cost, bound) = (u128::from(self.cost.0.unsigned_abs()), u128::from(self.bound.0.unsigned_abs()));
        if cost == bound {
            return Some(0);
        }
        let gap = (cost.saturating_sub(bound) * 1_000_000).checked_div(bound)?;
        u64::try_from(gap + 1).ok()
    }
}

/// Packs all pods at the least cost found, where every node costs the price of its bin and `surcharge`.
///
/// Guarantees: see the module. The patterns are ordered by bin and contents. An input without pods gives an empty packing.
///
/// # Errors
///
/// A shape that fits in no bin it may lie in; a price or a surcharge below zero; bins that are available only so many times and
/// were not enough.
pub fn pack(shapes: &[Shape], bins: &[Bin], surcharge: MicroDollars, effort: &Effort) -> Result<Packing, Unpackable> {
    let model = Model::new(shapes, bins, surcharge)?;
    if model.counts.iter().all(|count| *count == 0) {
        let none = MicroDollars::default();
        return Ok(Packing { patterns: Vec::new(), cost: none, bound: none, method: Method::Greedy, columns: 0, rounds: 0 });
    }
    let linear = linear::solve(&model, 3);
    let generated = columns::generate(&model, linear.worth(&model), effort);
    let bound = generated.bound.max(linear.bound);
    let enough = bound * (1.0 + f64::from(effort.gap_ppm) / 1e6);

    let mut candidates: Vec<(Method, Packed)> = Vec::new();
    candidates.extend(generated.best.clone().map(|packed| (Method::Greedy, packed)));
    for worth in generated.worths.iter().take(2) {
        candidates.extend(finish::round(&model, &generated, worth, effort.repacks.min(2)).map(|packed| (Method::Rounded, packed)));
    }
    candidates.extend(first_fit::pack(&model).map(|packed| (Method::FirstFit, packed)));
    // The first of equals wins.
    let Some((mut method, mut best)) = candidates.into_iter().min_by(|(_, a), (_, b)| a.cost.total_cmp(&b.cost)) else {
        return Err(Unpackable::TooFewBins);
    };
    let before = best.cost;
    for worth in generated.worths.iter().take(2) {
        best = finish::improve(&model, worth, best, enough, effort.repacks);
    }
    best = finish::shrink(&model, best);
    if best.cost < before {
        method = Method::Repacked;
    }
    Ok(packing(&model, &best, bound, method, &generated))
}

/// A bound from CPU and memory alone: no packing costs less, and the configuration program's bound is mostly higher. For
/// comparison; the errors are those of [`pack`].
pub fn cpu_memory_bound(shapes: &[Shape], bins: &[Bin], surcharge: MicroDollars) -> Result<MicroDollars, Unpackable> {
    Ok(rounded_down(linear::solve(&Model::new(shapes, bins, surcharge)?, 2).bound))
}

/// What first fit decreasing with the cheapest type that fits would cost, the way Karpenter provisions. For comparison; `None`
/// when a shape fits only bins of which there are so many. The errors are those of [`pack`].
pub fn first_fit_cost(shapes: &[Shape], bins: &[Bin], surcharge: MicroDollars) -> Result<Option<MicroDollars>, Unpackable> {
    let model = Model::new(shapes, bins, surcharge)?;
    Ok(first_fit::pack(&model).map(|packed| cost(&model, &packed)))
}

fn packing(model: &Model, best: &Packed, bound: f64, method: Method, generated: &columns::Generated) -> Packing {
    let mut merged: BTreeMap<(usize, model::Contents), u32> = BTreeMap::new();
    for (column, times) in &best.nodes {
        *merged.entry((model.kinds[column.kind].bin, column.contents.clone())).or_default() += times;
    }
    let patterns = merged.into_iter().map(|((bin, contents), times)| Pattern { bin, contents, times }).collect();
    let cost = cost(model, best);
    Packing { patterns, cost, bound: rounded_down(bound).min(cost), method, columns: generated.columns.len(), rounds: generated.rounds }
}

fn cost(model: &Model, packed: &Packed) -> MicroDollars {
    let of = |(column, times): &(model::Column, u32)| MicroDollars(model.kinds[column.kind].micros.saturating_mul(i64::from(*times)));
    packed.nodes.iter().map(of).sum()
}

/// A bound in whole micro-dollars, less a billionth for the rounding of the arithmetic on the way.
#[expect(clippy::cast_possible_truncation, reason = "below zero never, above 2^63 micro-dollars saturates")]
fn rounded_down(dollars: f64) -> MicroDollars {
    MicroDollars((dollars * 1e6 * (1.0 - 1e-9)).floor().max(0.0) as i64)
}

#[cfg(test)]
mod tests;
