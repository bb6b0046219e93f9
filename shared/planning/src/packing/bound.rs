//! The bound alone: for those who have a placement already and want to know how much is left in it.

use super::model::{Amount, Kind, Model, fits};
use super::{Bin, Effort, Shape, Unpackable, columns, knapsack, linear, rounded_down};
use domain::money::MicroDollars;

/// What no packing costs less than, and what each pod adds to it.
#[derive(Debug, Clone, PartialEq)]
pub struct Bound {
    /// No packing costs less per hour: proved, rounded down.
    pub cost: MicroDollars,
    /// What one pod of each shape is worth at the bound, micro-dollars per hour. All pods together are worth the bound, and what
    /// the bins are worth beyond their price of which there are only so many.
    pub worth: Vec<f64>,
}

/// The bound of the configuration program, without a packing. `guess` is what a pod of each shape may be worth, micro-dollars per
/// hour: a near one, as from a problem much like this, spares most of the work; none is always right.
///
/// Guarantees: deterministic; the bound holds whatever the guess, and however little the effort.
///
/// # Errors
/// Those of [`super::pack`], except for too few bins: where they are not enough the bound is that of dearer ones.
pub fn bound(shapes: &[Shape], bins: &[Bin], surcharge: MicroDollars, effort: &Effort, guess: Option<&[f64]>) -> Result<Bound, Unpackable> {
    let model = Model::new(shapes, bins, surcharge)?;
    if model.counts.iter().all(|count| *count == 0) {
        return Ok(Bound { cost: MicroDollars::default(), worth: vec![0.0; shapes.len()] });
    }
    let linear = linear::solve(&model, 3);
    let guess = guess.filter(|guess| guess.len() == shapes.len());
    let guess = guess.map_or_else(|| linear.worth(&model), |guess| guess.iter().map(|worth| (worth / 1e6).max(0.0)).collect());
    let generated = columns::generate(&model, guess, effort);
    let worth = generated.worths.first().map_or_else(|| linear.worth(&model), Clone::clone);
    // The prices of resources alone are as good a proof, where the search has not come as far.
    let (bound, worth) = if linear.bound > generated.bound { (linear.bound, linear.worth(&model)) } else { (generated.bound, worth) };
    Ok(Bound { cost: rounded_down(bound), worth: worth.into_iter().map(|worth| worth * 1e6).collect() })
}

/// Branches of the search for what one bin holds at the most.
const BRANCHES: u32 = 20;

/// The most that one bin can hold, where a pod of each shape is worth so much, micro-dollars per hour: proved, and never too little.
/// `bin` is its index among the bins; how many there are of it does not count.
pub fn most_worth(shapes: &[Shape], bins: &[Bin], bin: usize, worth: &[f64]) -> f64 {
    let Some(this) = bins.get(bin) else { return 0.0 };
    let needs: Vec<Amount> = shapes.iter().map(|shape| [shape.cpu_millis, shape.memory_bytes, 1]).collect();
    let capacity = [this.cpu_millis, this.memory_bytes, u64::from(this.pods)];
    let fits = fits(shapes, &needs, bin, &capacity);
    let kind = Kind { bin, capacity, price: 0.0, micros: 0, available: this.available, fits };
    let counts: Vec<u32> = shapes.iter().map(|shape| shape.count).collect();
    // A threshold above nothing: below it nothing is proved.
    knapsack::fill(&kind, &needs, worth, &counts, 1e-3, BRANCHES).at_most
}
