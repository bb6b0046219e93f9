//! Node by node: the kind and contents that hold the most worth for their price, again and again.

use super::knapsack::fill;
use super::model::{Column, Model, Packed};
use std::cmp::Ordering;
use std::collections::BinaryHeap;

/// How a kind stood when it was last filled: worth per USD. What is left only shrinks, so it can only have become worse.
struct Offer {
    rate: f64,
    column: Column,
}

impl Ord for Offer {
    fn cmp(&self, other: &Offer) -> Ordering {
        self.rate.total_cmp(&other.rate).then(other.column.kind.cmp(&self.column.kind))
    }
}

impl PartialOrd for Offer {
    fn partial_cmp(&self, other: &Offer) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

impl PartialEq for Offer {
    fn eq(&self, other: &Offer) -> bool {
        self.cmp(other) == Ordering::Equal
    }
}

impl Eq for Offer {}

/// Branches for one node: the first few find what counts.
const BRANCHES: u32 = 3;

/// What is still to be packed: pods of each shape, and nodes of each kind of which there are only so many.
#[derive(Debug, Clone)]
pub(super) struct Rest {
    pub(super) pods: Vec<u32>,
    pub(super) free: Vec<Option<u32>>,
}

impl Rest {
    pub(super) fn all(model: &Model) -> Rest {
        Rest { pods: model.counts.clone(), free: model.free() }
    }

    /// Takes a column off as often as it goes, and at most so many times; says how often.
    pub(super) fn take(&mut self, column: &Column, most: u32) -> u32 {
        let whole = column.contents.iter().map(|(shape, each)| self.pods[*shape] / each).min().unwrap_or(0);
        let times = whole.min(most).min(self.free[column.kind].unwrap_or(u32::MAX));
        for (shape, each) in &column.contents {
            self.pods[*shape] -= each * times;
        }
        self.free[column.kind] = self.free[column.kind].map(|free| free - times);
        times
    }
}

/// Packs every pod; `None` when nodes of which there are only so many run out first.
pub(super) fn pack_all(model: &Model, worth: &[f64]) -> Option<Packed> {
    let mut rest = Rest::all(model);
    let nodes = pack(model, worth, &mut rest);
    rest.pods.iter().all(|left| *left == 0).then(|| model.packed(nodes))
}

/// Packs the rest, as the `worth` of the pods says. Leaves what found no place.
pub(super) fn pack(model: &Model, worth: &[f64], rest: &mut Rest) -> Vec<(Column, u32)> {
    // A pod worth nothing would never be packed.
    let worth: Vec<f64> = worth.iter().map(|worth| worth.max(1e-9)).collect();
    let start = |kind: usize| Offer { rate: f64::INFINITY, column: Column { kind, contents: Vec::new() } };
    let mut heap: BinaryHeap<Offer> = (0..model.kinds.len()).map(start).collect();
    let mut nodes = Vec::new();
    while let Some(top) = heap.pop() {
        let kind = &model.kinds[top.column.kind];
        if rest.free[top.column.kind] == Some(0) {
            continue;
        }
        let times = if top.column.contents.is_empty() { 0 } else { rest.take(&top.column, u32::MAX) };
        if times > 0 {
            nodes.push((top.column.clone(), times));
            heap.push(top);
            continue;
        }
        let filled = fill(kind, &model.needs, &worth, &rest.pods, 0.0, BRANCHES);
        if !filled.contents.is_empty() {
            let rate = (filled.value / kind.price.max(1e-9)).min(top.rate);
            heap.push(Offer { rate, column: Column { kind: top.column.kind, contents: filled.contents } });
        }
    }
    nodes
}
