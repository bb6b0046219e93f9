//! The linear program over the dimensions: what a core, a byte and a place for a pod cost where they are cheapest. Weak as a bound,
//! because no pod is ever cut in two by it for want of anything but CPU, memory and pods; near as a first guess of the prices.

use super::model::{Amount, DIMENSIONS, Model};

/// Prices of a unit of each dimension (thousandth of a core, byte, pod), USD per hour, that make all demand dearest while no
/// kind is worth more than it costs; and the worth of all demand, which no packing can cost less than.
#[derive(Debug, Clone, Copy)]
pub(super) struct Linear {
    pub(super) unit_prices: [f64; DIMENSIONS],
    pub(super) bound: f64,
}

/// Steps of each nested search; the interval shrinks to (2/3)^48 of its size.
const STEPS: u32 = 48;

/// Solves it over the first `dimensions` of CPU, memory and pods (at least two).
///
/// Prices are scaled until no kind is worth more than it costs, so every direction gives a valid bound; along a line of
/// directions the inverse of the bound is convex, so the search by thirds finds the best.
pub(super) fn solve(model: &Model, dimensions: usize) -> Linear {
    let contents: Vec<(usize, u32)> = model.counts.iter().copied().enumerate().collect();
    let demand = model.load(&contents);
    if dimensions < DIMENSIONS {
        return best(&|share| along(model, &demand, [1.0 - share, share, 0.0]));
    }
    best(&|pods| best(&|share| along(model, &demand, [(1.0 - pods) * (1.0 - share), (1.0 - pods) * share, pods])))
}

/// The best over a share from zero to one.
fn best(of: &dyn Fn(f64) -> Linear) -> Linear {
    let (mut low, mut high) = (0.0, 1.0);
    for _ in 0..STEPS {
        let third = (high - low) / 3.0;
        if of(low + third).bound < of(high - third).bound { low += third } else { high -= third }
    }
    let (middle, first) = (of(f64::midpoint(low, high)), of(0.0));
    if first.bound >= middle.bound { first } else { middle }
}

/// Prices in which the dimensions of all demand are worth these shares.
fn along(model: &Model, demand: &Amount, shares: [f64; DIMENSIONS]) -> Linear {
    let direction: [f64; DIMENSIONS] = std::array::from_fn(|at| if demand[at] == 0 { 0.0 } else { shares[at] / demand[at] as f64 });
    let worth = |amount: &Amount| amount.iter().zip(&direction).map(|(amount, price)| *amount as f64 * price).sum::<f64>();
    let mut scale = f64::INFINITY;
    for kind in &model.kinds {
        scale = scale.min(kind.price / worth(&kind.capacity).max(f64::MIN_POSITIVE));
    }
    let scale = if scale.is_finite() { scale } else { 0.0 };
    Linear { unit_prices: direction.map(|price| price * scale), bound: worth(demand) * scale }
}

impl Linear {
    /// What a pod of each shape is worth.
    pub(super) fn worth(&self, model: &Model) -> Vec<f64> {
        let of = |need: &Amount| need.iter().zip(&self.unit_prices).map(|(need, price)| *need as f64 * price).sum();
        model.needs.iter().map(of).collect()
    }
}
