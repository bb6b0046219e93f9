//! A second bound on what one node can hold: whole pods in one dimension, by dynamic programming on a grid, and the other
//! dimensions at their prices. Where many shapes can take each other's place, a search has to try all of them and this has not.

use super::model::{Amount, DIMENSIONS};
use super::relaxation::{Good, ROWS, relax};

/// Cells of the grid at most.
const CELLS: u64 = 4_096;

/// Prices of the other dimension that are tried: each is a bound, convex in the price, and the best is kept.
const TRIES: u32 = 4;

/// What the grid says of a node.
pub(super) struct Proof {
    /// No contents are worth more.
    pub(super) at_most: f64,
    /// Contents worth more than was enough, if some were found: how many of each good.
    pub(super) contents: Option<Vec<u32>>,
    /// The work, in branches of the other search.
    pub(super) branches: u64,
}

/// What the prices and tables take, and how many steps take as long as one branch.
const TABLES: u64 = 300;
const STEPS_A_BRANCH: u64 = 50;

/// Proves that no contents are worth more than `enough`, finds such contents, or says how far it came.
pub(super) fn prove(goods: &[Good], most: &[u32], capacity: &Amount, enough: f64) -> Proof {
    let plain: Vec<Good> = goods.iter().copied().map(without_cuts).collect();
    let relaxed = relax(&plain, most, [1.0; ROWS]);
    // Whole pods in the scarcer of CPU and memory, and a price for the other.
    let (dimension, other) = if relaxed.prices[0] >= relaxed.prices[1] { (0, 1) } else { (1, 0) };
    let grid = Grid::new(&plain, most, capacity, dimension);
    let (bound, prices) = grid.search(relaxed.prices, other, relaxed.at_most / 4.0, enough);
    if bound <= enough {
        return Proof { at_most: enough, contents: None, branches: TABLES / 2 };
    }
    let mut walk = Walk::new(&grid, capacity, prices, other, enough);
    walk.go(0, 0.0, *capacity);
    let contents = (walk.value > enough).then(|| walk.contents.clone());
    let at_most = if walk.steps > 0 { walk.value.max(enough) } else { bound.min(relaxed.at_most) };
    Proof { at_most, contents, branches: TABLES + u64::from(STEPS - walk.steps) / STEPS_A_BRANCH }
}

/// Steps of a walk at most, some tens of nanoseconds each.
const STEPS: u32 = 100_000;

/// Parts of the best price of the other dimension for which a walk has tables: what is left of it may be worth less or more.
const PARTS: [f64; 4] = [0.0, 0.5, 1.0, 1.6];

/// A walk over all contents, the largest goods first, that turns back where the tables prove that no more can come.
struct Walk<'a> {
    grid: &'a Grid<'a>,
    order: Vec<usize>,
    /// For each price: the prices of a unit, and for each place in the order the most value by cells of what is left.
    tables: Vec<([f64; DIMENSIONS], Vec<Vec<f64>>)>,
    chosen: Vec<u32>,
    value: f64,
    contents: Vec<u32>,
    steps: u32,
}

impl<'a> Walk<'a> {
    fn new(grid: &'a Grid<'a>, capacity: &Amount, prices: [f64; ROWS], other: usize, enough: f64) -> Walk<'a> {
        let size = |at: usize| grid.goods[at].weight.iter().fold(0.0, |most: f64, weight| most.max(*weight));
        let mut order: Vec<usize> = (0..grid.goods.len()).collect();
        order.sort_by(|a, b| size(*b).total_cmp(&size(*a)).then(a.cmp(b)));
        let table = |part: f64| {
            let mut prices = prices;
            prices[other] *= part;
            let units =
                std::array::from_fn(|at| if at == grid.dimension || capacity[at] == 0 { 0.0 } else { prices[at] / capacity[at] as f64 });
            (units, grid.table(&order, &prices))
        };
        let tables = PARTS.iter().map(|part| table(*part)).collect();
        let none = vec![0; grid.goods.len()];
        Walk { grid, order, tables, chosen: none.clone(), value: enough, contents: none, steps: STEPS }
    }

    fn hopeless(&self, place: usize, value: f64, room: &Amount) -> bool {
        let cells = self.grid.cells_of(room[self.grid.dimension]);
        self.tables.iter().any(|(units, table)| {
            let paid: f64 = room.iter().zip(units).map(|(room, unit)| *room as f64 * unit).sum();
            value + paid + table[place][cells] <= self.value
        })
    }

    fn go(&mut self, place: usize, value: f64, room: Amount) {
        if value > self.value {
            (self.value, self.contents) = (value, self.chosen.clone());
        }
        if place == self.order.len() || self.steps == 0 || self.hopeless(place, value, &room) {
            return;
        }
        self.steps -= 1;
        let at = self.order[place];
        let good = self.grid.goods[at];
        let mut times = self.grid.most[at];
        for (room, need) in room.iter().zip(&good.need) {
            if *need > 0 {
                times = u32::try_from(room / need).map_or(times, |fits| times.min(fits));
            }
        }
        loop {
            let mut rest = room;
            rest.iter_mut().zip(&good.need).for_each(|(rest, need)| *rest -= need * u64::from(times));
            self.chosen[at] = times;
            self.go(place + 1, value + good.value * f64::from(times), rest);
            if times == 0 {
                return;
            }
            times -= 1;
        }
    }
}

fn without_cuts(mut good: Good) -> Good {
    good.weight.iter_mut().skip(DIMENSIONS).for_each(|weight| *weight = 0.0);
    good
}

/// Whole pods in one dimension.
struct Grid<'a> {
    goods: &'a [Good],
    most: &'a [u32],
    dimension: usize,
    cell: u64,
    cells: usize,
    /// Cells that a pod takes, rounded down: on a coarse grid pods count as smaller than they are, which keeps the bound true.
    sizes: Vec<usize>,
}

impl<'a> Grid<'a> {
    fn new(goods: &'a [Good], most: &'a [u32], capacity: &Amount, dimension: usize) -> Grid<'a> {
        let needs = goods.iter().map(|good| good.need[dimension]);
        let common = needs.clone().filter(|need| *need > 0).fold(0, greatest_common_divisor).max(1);
        let cell = if capacity[dimension] / common <= CELLS { common } else { capacity[dimension] / CELLS + 1 };
        // Goods fit in the node, so that no size is above the number of cells, which is small.
        let cells = |amount: u64| usize::try_from(amount / cell).unwrap_or(usize::MAX);
        Grid { goods, most, dimension, cell, cells: cells(capacity[dimension]), sizes: needs.map(cells).collect() }
    }

    /// The least bound found over prices of the other dimension, by steps that shrink.
    fn search(&self, mut prices: [f64; ROWS], other: usize, mut step: f64, enough: f64) -> (f64, [f64; ROWS]) {
        let mut best = self.bound(&prices);
        for _ in 0..TRIES {
            if best <= enough {
                break;
            }
            // Up or down, else closer: the bound is convex, so a step that helps is in the right direction.
            let from = prices[other];
            let tried = [from + step, (from - step).max(0.0)].map(|price| {
                prices[other] = price;
                (self.bound(&prices), price)
            });
            let (bound, price) = if tried[0].0 <= tried[1].0 { tried[0] } else { tried[1] };
            prices[other] = from;
            if bound < best {
                (best, prices[other]) = (bound, price);
            } else {
                step /= 2.0;
            }
        }
        (best, prices)
    }

    fn cells_of(&self, amount: u64) -> usize {
        usize::try_from(amount / self.cell).map_or(self.cells, |cells| cells.min(self.cells))
    }

    /// The same for the goods from each place in the order on, without the worth of the others.
    fn table(&self, order: &[usize], prices: &[f64; ROWS]) -> Vec<Vec<f64>> {
        let mut best = vec![0.0_f64; self.cells + 1];
        let mut table = vec![best.clone()];
        for at in order.iter().rev() {
            let value = self.value(&self.goods[*at], prices);
            if value > 0.0 && self.sizes[*at] == 0 {
                best.iter_mut().for_each(|best| *best += value * f64::from(self.most[*at]));
            } else if value > 0.0 {
                add(&mut best, self.sizes[*at], value, self.most[*at]);
            }
            table.push(best.clone());
        }
        table.reverse();
        table
    }

    /// What is left of the value of a good where it has paid for the other dimensions.
    fn value(&self, good: &Good, prices: &[f64; ROWS]) -> f64 {
        let paid: f64 = good.weight.iter().zip(prices).map(|(weight, price)| weight * price).sum();
        good.value - (paid - good.weight[self.dimension] * prices[self.dimension])
    }

    /// The most value of whole pods that fit in this dimension, where they pay these prices for the others, and the worth of
    /// the others.
    fn bound(&self, prices: &[f64; ROWS]) -> f64 {
        let mut sum: f64 = prices.iter().sum::<f64>() - prices[self.dimension];
        let mut best = vec![0.0_f64; self.cells + 1];
        for ((good, size), most) in self.goods.iter().zip(&self.sizes).zip(self.most) {
            let value = self.value(good, prices);
            if value > 0.0 && *size == 0 {
                sum += value * f64::from(*most);
            } else if value > 0.0 {
                add(&mut best, *size, value, *most);
            }
        }
        sum + best.last().copied().unwrap_or(0.0)
    }
}

/// Allows so many of one size: in groups of one, two, four and so on, so that every number can be put together.
fn add(best: &mut [f64], size: usize, value: f64, most: u32) {
    let (mut left, mut group) = (most, 1);
    while left > 0 {
        let many = group.min(left);
        left -= many;
        group *= 2;
        let Some(size) = usize::try_from(many).ok().and_then(|many| size.checked_mul(many)) else { return };
        let value = value * f64::from(many);
        for cell in (size..best.len()).rev() {
            best[cell] = best[cell].max(best[cell - size] + value);
        }
    }
}

fn greatest_common_divisor(a: u64, b: u64) -> u64 {
    if b == 0 { a } else { greatest_common_divisor(b, a % b) }
}
