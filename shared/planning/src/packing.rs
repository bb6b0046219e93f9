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

pub mod columns;
mod knapsack;
mod master;
mod model;
mod relaxation;

use domain::money::MicroDollars;
use std::collections::BTreeSet;

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
}
