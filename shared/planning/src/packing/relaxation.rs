//! The linear relaxation of one node: which fractional filling is worth most, and what a unit of CPU, memory and pods is worth
//! there. A few rows, solved some hundred thousand times for one packing; the library that solves the large program takes
//! longer to set one up than this takes to solve it.

use super::model::{Amount, DIMENSIONS};

/// Rows of the relaxation beyond the dimensions, for cuts.
const CUTS: usize = 4;

/// One row for each dimension, then the cuts.
pub(super) const ROWS: usize = DIMENSIONS + CUTS;

/// Pods smaller than this part of a node fill it as a fluid would; no cut is made for their size.
const SMALLEST: u64 = 24;

/// The least violation that is worth a row.
const VIOLATED: f64 = 0.01;

/// The part of a node that a pod takes in each dimension; in every row they add up to one at most.
pub(super) fn weights(need: &Amount, capacity: &Amount) -> [f64; ROWS] {
    std::array::from_fn(|row| match capacity.get(row) {
        Some(capacity) if *capacity > 0 => need[row] as f64 / *capacity as f64,
        Some(_) | None => 0.0,
    })
}

/// Solves the relaxation of the empty node, and adds rows that whole pods obey and its best filling does not, until there are
/// none, the rows are used up, or the bound is no more than `threshold`. Returns that bound.
///
/// Without them, large pods make a bound that no search gets down: four halves and a bit seem to fill two nodes.
pub(super) fn tighten(goods: &mut [Good], most: &[u32], capacity: &Amount, threshold: f64) -> f64 {
    let mut row = DIMENSIONS;
    loop {
        let relaxed = relax(goods, most, [1.0; ROWS]);
        if row == ROWS || relaxed.at_most <= threshold {
            return relaxed.at_most;
        }
        let packed: Vec<(&Good, f64)> = goods.iter().zip(relaxed.amounts.iter().copied()).filter(|(_, amount)| *amount > 0.0).collect();
        let mut worst: Option<(f64, Cut)> = None;
        for cut in cuts(&packed, capacity) {
            let sum: f64 = packed.iter().map(|(good, amount)| amount * cut.weight(good)).sum();
            if sum > 1.0 + VIOLATED && worst.as_ref().is_none_or(|(most, _)| sum > *most) {
                worst = Some((sum, cut));
            }
        }
        let Some((_, cut)) = worst else { return relaxed.at_most };
        for good in goods.iter_mut() {
            good.weight[row] = cut.weight(good);
        }
        row += 1;
    }
}

/// A row that every whole filling obeys, by the mixed-integer rounding of Nemhauser and Wolsey: measure a dimension in units; a
/// pod counts its whole units, and the part of its last unit that goes beyond what the node itself has of one; together they
/// have no more than the whole units of the node. So no two pods larger than a half share a node.
struct Cut {
    dimension: usize,
    unit: u64,
    /// Whole units of the node.
    whole: f64,
    /// What the node has of one more unit, as a part of it.
    part: f64,
}

impl Cut {
    /// `None` when the node has no whole unit.
    fn new(dimension: usize, unit: u64, capacity: &Amount) -> Option<Cut> {
        let whole = capacity[dimension].checked_div(unit).filter(|whole| *whole > 0)?;
        let part = (capacity[dimension] % unit) as f64 / unit as f64;
        Some(Cut { dimension, unit, whole: whole as f64, part })
    }

    fn weight(&self, good: &Good) -> f64 {
        let need = good.need[self.dimension];
        let part = (need % self.unit) as f64 / self.unit as f64;
        ((need / self.unit) as f64 + ((part - self.part) / (1.0 - self.part)).max(0.0)) / self.whole
    }
}

/// Cuts in units of the pods that lie here, of their halves, and of the least that is more than a whole part of the node.
fn cuts(packed: &[(&Good, f64)], capacity: &Amount) -> Vec<Cut> {
    let mut cuts = Vec::new();
    // CPU and memory; pods are all of one size.
    for dimension in 0..2 {
        let sizes = packed.iter().map(|(good, _)| good.need[dimension]).filter(|size| *size > capacity[dimension] / SMALLEST);
        let parts = (2..=SMALLEST / 2).map(|parts| capacity[dimension] / parts + 1);
        for unit in sizes.flat_map(|size| [size, size / 2]).chain(parts) {
            cuts.extend(Cut::new(dimension, unit, capacity));
        }
    }
    cuts
}

/// A shape on offer: how much one is worth, and which part of the node one takes.
#[derive(Debug, Clone, Copy)]
pub(super) struct Good {
    pub(super) shape: usize,
    pub(super) value: f64,
    pub(super) need: Amount,
    pub(super) weight: [f64; ROWS],
    /// One over the sum of its parts of the dimensions.
    rareness: f64,
}

/// The best fractional filling.
#[derive(Debug, Clone, Default)]
pub(super) struct Relaxed {
    /// No filling, fractional or whole, is worth more. Proved by the multipliers, whatever state the tableau ended in.
    pub(super) at_most: f64,
    /// How many of each good: between zero and its most.
    pub(super) amounts: Vec<f64>,
    /// What the whole node is worth in each row; not below zero.
    pub(super) prices: [f64; ROWS],
}

/// Solves the relaxation of a node with `room` (parts of the whole node) for at most `most` of each good.
pub(super) fn relax(goods: &[Good], most: &[u32], room: [f64; ROWS]) -> Relaxed {
    // Most nodes need no cut; without their rows the tableau is a third of the size.
    let with_cuts = goods.iter().any(|good| good.weight[DIMENSIONS] > 0.0);
    if with_cuts { relax_rows::<ROWS>(goods, most, &room) } else { relax_rows::<DIMENSIONS>(goods, most, &room) }
}

/// The same with the first `R` rows.
fn relax_rows<const R: usize>(goods: &[Good], most: &[u32], room: &[f64; ROWS]) -> Relaxed {
    let mut tableau = Tableau::<R>::new(goods, most, room);
    // Each good enters and leaves a few times; the limit is against degenerate circles.
    for _ in 0..8 * goods.len() + 32 {
        if !tableau.step() {
            break;
        }
    }
    let found = tableau.prices();
    let found: [f64; R] = found.map(|price| price.max(0.0));
    let worth: f64 = room.iter().zip(&found).map(|(room, price)| room * price).sum();
    let surplus: f64 = goods.iter().zip(most).map(|(good, most)| f64::from(*most) * good.surplus(&found).max(0.0)).sum();
    let prices = std::array::from_fn(|row| found.get(row).copied().unwrap_or(0.0));
    Relaxed { at_most: worth + surplus, amounts: tableau.amounts(), prices }
}

impl Good {
    pub(super) fn new(shape: usize, value: f64, need: Amount, capacity: &Amount) -> Good {
        let weight = weights(&need, capacity);
        Good { shape, value, need, weight, rareness: 1.0 / (weight.iter().sum::<f64>() + 1e-12) }
    }

    /// Value for the room it takes.
    pub(super) fn rate(&self) -> f64 {
        self.value * self.rareness
    }

    fn surplus<const R: usize>(&self, prices: &[f64; R]) -> f64 {
        self.value - self.weight.iter().zip(prices).map(|(weight, price)| weight * price).sum::<f64>()
    }
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum At {
    Nothing,
    Most,
    Basis,
}

/// The simplex method with bounds on the variables. Variables: the goods, then one slack for each row.
struct Tableau<'a, const R: usize> {
    goods: &'a [Good],
    most: &'a [u32],
    at: Vec<At>,
    basic: [usize; R],
    level: [f64; R],
    inverse: [[f64; R]; R],
    small: f64,
}

impl<'a, const R: usize> Tableau<'a, R> {
    fn new(goods: &'a [Good], most: &'a [u32], room: &[f64; ROWS]) -> Tableau<'a, R> {
        let mut inverse = [[0.0; R]; R];
        for (row, line) in inverse.iter_mut().enumerate() {
            line[row] = 1.0;
        }
        let dearest = goods.iter().map(|good| good.value).fold(0.0, f64::max);
        Tableau {
            goods,
            most,
            at: vec![At::Nothing; goods.len()],
            basic: std::array::from_fn(|row| goods.len() + row),
            level: std::array::from_fn(|row| room[row]),
            inverse,
            small: dearest * 1e-11,
        }
    }

    fn value(&self, variable: usize) -> f64 {
        self.goods.get(variable).map_or(0.0, |good| good.value)
    }

    fn most(&self, variable: usize) -> f64 {
        self.most.get(variable).map_or(f64::INFINITY, |most| f64::from(*most))
    }

    fn prices(&self) -> [f64; R] {
        std::array::from_fn(|column| (0..R).map(|row| self.value(self.basic[row]) * self.inverse[row][column]).sum())
    }

    fn amounts(&self) -> Vec<f64> {
        let mut amounts: Vec<f64> =
            self.at.iter().zip(self.most).map(|(at, most)| if *at == At::Most { f64::from(*most) } else { 0.0 }).collect();
        for (variable, level) in self.basic.iter().zip(&self.level) {
            if let Some(amount) = amounts.get_mut(*variable) {
                *amount = level.clamp(0.0, self.most(*variable));
            }
        }
        amounts
    }

    /// The variable whose change gains most for the room it takes, and whether it rises.
    fn entering(&self) -> Option<(usize, bool)> {
        let prices = self.prices();
        let mut best: Option<(f64, usize, bool)> = None;
        for (variable, good) in self.goods.iter().enumerate() {
            let gain = good.surplus(&prices);
            let rises = match self.at[variable] {
                At::Nothing if gain > self.small && self.most[variable] > 0 => true,
                At::Most if gain < -self.small => false,
                At::Nothing | At::Most | At::Basis => continue,
            };
            let rate = gain.abs() * good.rareness;
            if best.is_none_or(|(most, _, _)| rate > most) {
                best = Some((rate, variable, rises));
            }
        }
        for (row, price) in prices.iter().enumerate() {
            if *price < -self.small && best.is_none_or(|(most, _, _)| -price > most) {
                best = Some((-price, self.goods.len() + row, true));
            }
        }
        best.map(|(_, variable, rises)| (variable, rises))
    }

    /// One exchange; false when there is nothing left to gain.
    fn step(&mut self) -> bool {
        let Some((variable, rises)) = self.entering() else { return false };
        let column: [f64; R] = match self.goods.get(variable) {
            Some(good) => std::array::from_fn(|row| good.weight[row]),
            None => std::array::from_fn(|row| if variable == self.goods.len() + row { 1.0 } else { 0.0 }),
        };
        let sign = if rises { 1.0 } else { -1.0 };
        let change: [f64; R] = std::array::from_fn(|row| sign * (0..R).map(|k| self.inverse[row][k] * column[k]).sum::<f64>());
        let (mut step, mut leaving) = (self.most(variable), None);
        for (row, change) in change.iter().enumerate() {
            let room = if *change > 1e-11 {
                self.level[row].max(0.0) / change
            } else if *change < -1e-11 {
                (self.most(self.basic[row]) - self.level[row]).max(0.0) / -change
            } else {
                continue;
            };
            if room < step {
                (step, leaving) = (room, Some(row));
            }
        }
        for (level, change) in self.level.iter_mut().zip(&change) {
            *level -= step * change;
        }
        match leaving {
            None => self.at[variable] = if rises { At::Most } else { At::Nothing },
            Some(row) => self.exchange(variable, row, sign, step, &change),
        }
        true
    }

    fn exchange(&mut self, variable: usize, row: usize, sign: f64, step: f64, change: &[f64; R]) {
        if let Some(gone) = self.at.get_mut(self.basic[row]) {
            *gone = if change[row] < 0.0 { At::Most } else { At::Nothing };
        }
        if let Some(came) = self.at.get_mut(variable) {
            *came = At::Basis;
        }
        self.basic[row] = variable;
        self.level[row] = if sign > 0.0 { step } else { self.most(variable) - step };
        // The column of the entering variable is `sign * change`.
        let pivot = sign * change[row];
        let line = self.inverse[row].map(|entry| entry / pivot);
        for (other, change) in change.iter().enumerate().filter(|(other, _)| *other != row) {
            for (entry, line) in self.inverse[other].iter_mut().zip(&line) {
                *entry -= sign * change * line;
            }
        }
        self.inverse[row] = line;
    }
}
