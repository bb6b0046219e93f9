//! The linear relaxation of one node: which fractional filling is worth most, and what a unit of CPU, memory and pods is worth
//! there. Three rows, solved some hundred thousand times for one packing; the library that solves the large program takes
//! longer to set one up than this takes to solve it.

use super::model::{Amount, DIMENSIONS};

/// A shape on offer: how much one is worth, and which part of the node one takes.
#[derive(Debug, Clone, Copy)]
pub(super) struct Good {
    pub(super) shape: usize,
    pub(super) value: f64,
    pub(super) need: Amount,
    pub(super) weight: [f64; DIMENSIONS],
}

/// The best fractional filling.
#[derive(Debug, Clone, Default)]
pub(super) struct Relaxed {
    /// No filling, fractional or whole, is worth more. Proved by the multipliers, whatever state the tableau ended in.
    pub(super) at_most: f64,
    /// How many of each good: between zero and its most.
    pub(super) amounts: Vec<f64>,
}

/// Solves the relaxation of a node with `room` (parts of the whole node) for at most `most` of each good.
pub(super) fn relax(goods: &[Good], most: &[u32], room: [f64; DIMENSIONS]) -> Relaxed {
    let mut tableau = Tableau::new(goods, most, room);
    // Each good enters and leaves a few times; the limit is against degenerate circles.
    for _ in 0..8 * goods.len() + 32 {
        if !tableau.step() {
            break;
        }
    }
    let prices = tableau.prices().map(|price| price.max(0.0));
    let room: f64 = room.iter().zip(&prices).map(|(room, price)| room * price).sum();
    let surplus: f64 = goods.iter().zip(most).map(|(good, most)| f64::from(*most) * good.surplus(&prices).max(0.0)).sum();
    Relaxed { at_most: room + surplus, amounts: tableau.amounts() }
}

impl Good {
    fn surplus(&self, prices: &[f64; DIMENSIONS]) -> f64 {
        let [a, b, c] = self.weight;
        self.value - (a * prices[0] + b * prices[1] + c * prices[2])
    }
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum At {
    Nothing,
    Most,
    Basis,
}

/// The simplex method with bounds on the variables. Variables: the goods, then one slack for each dimension.
struct Tableau<'a> {
    goods: &'a [Good],
    most: &'a [u32],
    at: Vec<At>,
    basic: [usize; DIMENSIONS],
    level: [f64; DIMENSIONS],
    inverse: [[f64; DIMENSIONS]; DIMENSIONS],
    small: f64,
}

impl<'a> Tableau<'a> {
    fn new(goods: &'a [Good], most: &'a [u32], room: [f64; DIMENSIONS]) -> Tableau<'a> {
        let mut inverse = [[0.0; DIMENSIONS]; DIMENSIONS];
        for (row, line) in inverse.iter_mut().enumerate() {
            line[row] = 1.0;
        }
        let dearest = goods.iter().map(|good| good.value).fold(0.0, f64::max);
        Tableau {
            goods,
            most,
            at: vec![At::Nothing; goods.len()],
            basic: std::array::from_fn(|row| goods.len() + row),
            level: room,
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

    fn prices(&self) -> [f64; DIMENSIONS] {
        std::array::from_fn(|column| (0..DIMENSIONS).map(|row| self.value(self.basic[row]) * self.inverse[row][column]).sum())
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
            let [a, b, c] = good.weight;
            let rate = gain.abs() / (a + b + c + 1e-12);
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
        let column: [f64; DIMENSIONS] = match self.goods.get(variable) {
            Some(good) => good.weight,
            None => std::array::from_fn(|row| if variable == self.goods.len() + row { 1.0 } else { 0.0 }),
        };
        let sign = if rises { 1.0 } else { -1.0 };
        let change: [f64; DIMENSIONS] =
            std::array::from_fn(|row| sign * (0..DIMENSIONS).map(|k| self.inverse[row][k] * column[k]).sum::<f64>());
        let (mut step, mut leaving) = (self.most(variable), None);
        for row in 0..DIMENSIONS {
            let room = if change[row] > 1e-11 {
                self.level[row].max(0.0) / change[row]
            } else if change[row] < -1e-11 {
                (self.most(self.basic[row]) - self.level[row]).max(0.0) / -change[row]
            } else {
                continue;
            };
            if room < step {
                (step, leaving) = (room, Some(row));
            }
        }
        for row in 0..DIMENSIONS {
            self.level[row] -= step * change[row];
        }
        match leaving {
            None => self.at[variable] = if rises { At::Most } else { At::Nothing },
            Some(row) => self.exchange(variable, row, sign, step, &change),
        }
        true
    }

    fn exchange(&mut self, variable: usize, row: usize, sign: f64, step: f64, change: &[f64; DIMENSIONS]) {
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
        for other in 0..DIMENSIONS {
            let factor = sign * change[other];
            if other != row {
                for k in 0..DIMENSIONS {
                    self.inverse[other][k] -= factor * line[k];
                }
            }
        }
        self.inverse[row] = line;
    }
}
