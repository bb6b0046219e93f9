//! A second bound on what one node can hold: whole pods in one dimension, by dynamic programming on a grid, and the other
//! dimensions at their prices. Where many shapes can take each other's place, a search has to try all of them and this has not.

use super::model::{Amount, DIMENSIONS};
use super::relaxation::{Good, ROWS, relax};

/// Cells of the grid at most.
const CELLS: u64 = 4_096;

/// No contents are worth more: proved.
pub(super) fn at_most(goods: &[Good], most: &[u32], capacity: &Amount) -> f64 {
    // The prices of the dimensions alone.
    let plain: Vec<Good> = goods.iter().copied().map(without_cuts).collect();
    let relaxed = relax(&plain, most, [1.0; ROWS]);
    let along = |dimension: usize| along(&plain, most, capacity, dimension, &relaxed.prices);
    relaxed.at_most.min(along(0)).min(along(1))
}

fn without_cuts(mut good: Good) -> Good {
    good.weight.iter_mut().skip(DIMENSIONS).for_each(|weight| *weight = 0.0);
    good
}

/// The most value of whole pods that fit in this dimension, where they pay for the others, and the worth of the others.
fn along(goods: &[Good], most: &[u32], capacity: &Amount, dimension: usize, prices: &[f64; ROWS]) -> f64 {
    let sizes = goods.iter().map(|good| good.need[dimension]).filter(|size| *size > 0);
    let common = sizes.fold(0, greatest_common_divisor).max(1);
    // On a coarser grid pods count as smaller than they are, which keeps the bound true.
    let cell = if capacity[dimension] / common <= CELLS { common } else { capacity[dimension] / CELLS + 1 };
    let Ok(cells) = usize::try_from(capacity[dimension] / cell) else { return f64::INFINITY };
    let mut sum: f64 = prices.iter().take(DIMENSIONS).sum::<f64>() - prices[dimension];
    let mut best = vec![0.0_f64; cells + 1];
    for (good, most) in goods.iter().zip(most) {
        let others: f64 = good.weight.iter().zip(prices).map(|(weight, price)| weight * price).sum();
        let value = good.value - (others - good.weight[dimension] * prices[dimension]);
        if value <= 0.0 {
            continue;
        }
        match usize::try_from(good.need[dimension] / cell) {
            Ok(0) => sum += value * f64::from(*most),
            Ok(size) => add(&mut best, size, value, *most),
            Err(_) => return f64::INFINITY,
        }
    }
    sum + best.last().copied().unwrap_or(0.0)
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
