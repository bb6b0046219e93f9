//! The pricing problem: what is the most value that one node can hold? Branch and bound on the linear relaxation, best bound
//! first, so that a search cut short still proves what it has reached.

use super::grid;
use super::model::{Amount, Kind};
use super::relaxation::{Good, ROWS, relax, tighten, weights};
use std::cmp::Ordering;
use std::collections::BinaryHeap;

/// An answer to "what is the most value?".
#[derive(Debug, Clone, Default)]
pub(super) struct Filled {
    /// The best contents found, by shape; empty when none is worth more than the threshold.
    pub(super) contents: Vec<(usize, u32)>,
    /// Their value.
    pub(super) value: f64,
    /// No contents are worth more than this (or than the threshold): proved, also when the search was cut short.
    pub(super) at_most: f64,
    /// How much work it was, in branches.
    pub(super) branches: u64,
}

/// After so many branches without an answer the other bound is worth its time, which is that of about a hundred branches.
const GRID_AFTER: u64 = 100;

/// Fills one node of the kind as well as `values` (one per shape) say, with at most `left` of each shape, looking only for more
/// than `threshold`. `effort` is the number of branches that may be looked at.
pub(super) fn fill(kind: &Kind, needs: &[Amount], values: &[f64], left: &[u32], threshold: f64, effort: u32) -> Filled {
    let mut search = Search::new(kind, needs, values, left, threshold);
    let most = search.most.clone();
    // Without a threshold nothing is proved, and the first good contents are wanted.
    if threshold > 0.0 && tighten(&mut search.goods, &most, &kind.capacity, threshold) <= threshold {
        return Filled { at_most: threshold, branches: 1, ..Filled::default() };
    }
    search.consider(vec![0; search.goods.len()], most);
    let mut branches = 1;
    while branches <= u64::from(effort) && search.branch() {
        branches += 1;
    }
    let open = search.open.peek().map_or(0.0, |node| node.at_most);
    let mut at_most = search.best.max(open);
    if open > search.best && branches > GRID_AFTER {
        let proof = grid::prove(&search.goods, &search.most, &kind.capacity, search.best);
        at_most = at_most.min(proof.at_most);
        branches += proof.branches;
        if let Some(contents) = proof.contents {
            search.offer(contents, &search.most.clone());
        }
    }
    let mut contents: Vec<(usize, u32)> =
        search.goods.iter().zip(&search.contents).filter(|(_, times)| **times > 0).map(|(good, times)| (good.shape, *times)).collect();
    contents.sort_unstable();
    let value = if contents.is_empty() { 0.0 } else { search.best };
    Filled { contents, value, at_most, branches }
}

/// A part of the search: at least `least` and at most `most` of each good, no more than `at_most` in value. It is split at a
/// good (its place) of which the best fractional filling takes more than a whole number and less than the next.
struct Branch {
    at_most: f64,
    number: u32,
    least: Vec<u32>,
    most: Vec<u32>,
    split: (usize, u32),
}

impl Ord for Branch {
    fn cmp(&self, other: &Branch) -> Ordering {
        self.at_most.total_cmp(&other.at_most).then(self.number.cmp(&other.number))
    }
}

impl PartialOrd for Branch {
    fn partial_cmp(&self, other: &Branch) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

impl PartialEq for Branch {
    fn eq(&self, other: &Branch) -> bool {
        self.cmp(other) == Ordering::Equal
    }
}

impl Eq for Branch {}

struct Search {
    capacity: Amount,
    goods: Vec<Good>,
    most: Vec<u32>,
    /// Places of the goods, most value for their size first.
    order: Vec<usize>,
    /// The least worth beating; then the value of the best contents.
    best: f64,
    contents: Vec<u32>,
    open: BinaryHeap<Branch>,
    number: u32,
}

impl Search {
    fn new(kind: &Kind, needs: &[Amount], values: &[f64], left: &[u32], threshold: f64) -> Search {
        let (mut goods, mut most) = (Vec::with_capacity(kind.fits.len()), Vec::with_capacity(kind.fits.len()));
        for fit in &kind.fits {
            let (value, need) = (values[fit.shape], needs[fit.shape]);
            let many = fit.most.min(left[fit.shape]);
            if value > 0.0 && many > 0 {
                goods.push(Good::new(fit.shape, value, need, &kind.capacity));
                most.push(many);
            }
        }
        let mut order: Vec<(f64, usize)> = goods.iter().enumerate().map(|(place, good)| (good.rate(), place)).collect();
        order.sort_by(|a, b| b.0.total_cmp(&a.0).then(a.1.cmp(&b.1)));
        let order = order.into_iter().map(|(_, place)| place).collect();
        Search { capacity: kind.capacity, goods, most, order, best: threshold, contents: Vec::new(), open: BinaryHeap::new(), number: 0 }
    }

    /// Relaxes a branch, takes the whole filling next to the fractional one, and keeps the branch when it may hold more.
    fn consider(&mut self, least: Vec<u32>, most: Vec<u32>) {
        let Some(room) = self.room_in_rows(&least) else { return };
        let more: Vec<u32> = least.iter().zip(&most).map(|(least, most)| most - least).collect();
        let relaxed = relax(&self.goods, &more, room);
        let base: f64 = least.iter().zip(&self.goods).map(|(times, good)| f64::from(*times) * good.value).sum();
        let at_most = base + relaxed.at_most;
        if at_most <= self.best {
            return;
        }
        let mut whole = least.clone();
        let mut split: Option<(f64, usize, u32)> = None;
        for (place, amount) in relaxed.amounts.iter().enumerate() {
            // Two hundredths of a millionth: the noise of the tableau.
            let down = whole_part(amount + 2e-8).min(more[place]);
            let rest = amount - f64::from(down);
            whole[place] += down;
            let size = self.goods[place].weight.iter().fold(0.0, |most: f64, weight| most.max(*weight));
            let weight = size * rest.min(1.0 - rest);
            if rest > 2e-8 && split.is_none_or(|(heaviest, _, _)| weight > heaviest) {
                split = Some((weight, place, whole[place]));
            }
        }
        self.offer(whole, &most);
        if let Some((_, place, below)) = split
            && at_most > self.best
        {
            self.number += 1;
            self.open.push(Branch { at_most, number: self.number, least, most, split: (place, below) });
        }
    }

    /// Fills what room is left, and keeps the contents when they are the best so far.
    fn offer(&mut self, mut whole: Vec<u32>, most: &[u32]) {
        let Some(mut room) = self.room(&whole) else { return };
        for place in &self.order {
            let need = &self.goods[*place].need;
            let mut more = most[*place] - whole[*place];
            for (room, need) in room.iter().zip(need) {
                if *need > 0 {
                    more = u32::try_from(room / need).map_or(more, |fits| more.min(fits));
                }
            }
            if more > 0 {
                whole[*place] += more;
                room.iter_mut().zip(need).for_each(|(room, need)| *room -= need * u64::from(more));
            }
        }
        let value: f64 = whole.iter().zip(&self.goods).map(|(times, good)| f64::from(*times) * good.value).sum();
        if value > self.best {
            (self.best, self.contents) = (value, whole);
        }
    }

    /// Splits the branch with the highest bound; false when none is left that may hold more.
    fn branch(&mut self) -> bool {
        let Some(branch) = self.open.pop() else { return false };
        if branch.at_most <= self.best {
            self.open.clear();
            return false;
        }
        let (place, below) = branch.split;
        let (mut least, mut most) = (branch.least.clone(), branch.most.clone());
        least[place] = below + 1;
        self.consider(least, branch.most);
        most[place] = below;
        self.consider(branch.least, most);
        true
    }

    /// The same as parts of the node, in every row of the relaxation.
    fn room_in_rows(&self, contents: &[u32]) -> Option<[f64; ROWS]> {
        let mut room = weights(&self.room(contents)?, &self.capacity);
        room.iter_mut().skip(self.capacity.len()).for_each(|part| *part = 1.0);
        for (good, times) in self.goods.iter().zip(contents).filter(|(_, times)| **times > 0) {
            for (room, weight) in room.iter_mut().zip(&good.weight).skip(self.capacity.len()) {
                *room = (*room - weight * f64::from(*times)).max(0.0);
            }
        }
        Some(room)
    }

    /// What is left beside these; `None` when they do not fit.
    fn room(&self, contents: &[u32]) -> Option<Amount> {
        let mut room = self.capacity;
        for (good, times) in self.goods.iter().zip(contents).filter(|(_, times)| **times > 0) {
            for (room, need) in room.iter_mut().zip(&good.need) {
                *room = room.checked_sub(need * u64::from(*times))?;
            }
        }
        Some(room)
    }
}

#[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "between zero and a count, which is a u32")]
fn whole_part(amount: f64) -> u32 {
    amount.max(0.0) as u32
}

#[cfg(test)]
mod tests;
