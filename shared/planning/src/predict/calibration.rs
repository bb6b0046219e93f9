//! How good predictions were: the report on recorded outcomes.

/// A prediction and what became of it.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Outcome {
    /// The probability that was predicted, in [0, 1].
    pub predicted: f64,
    /// Whether the instance was interrupted within the horizon.
    pub happened: bool,
}

impl Outcome {
    /// Whether it can be judged: a probability is a number in [0, 1].
    pub(super) fn sound(&self) -> bool {
        (0.0..=1.0).contains(&self.predicted)
    }

    pub(super) fn observed(&self) -> f64 {
        if self.happened { 1.0 } else { 0.0 }
    }

    fn square(&self) -> f64 {
        (self.predicted - self.observed()).powi(2)
    }
}

/// One row of the reliability table: predictions of about the same height.
#[derive(Debug, Clone, PartialEq)]
pub struct Bin {
    /// How many predictions.
    pub n: usize,
    /// Their mean.
    pub predicted: f64,
    /// The share that happened.
    pub observed: f64,
    /// Wilson's 95 % interval of that share.
    pub interval: (f64, f64),
}

/// How good predictions were.
#[derive(Debug, Clone, PartialEq)]
pub struct Report {
    /// How many were judged.
    pub n: usize,
    /// How many were not, because the probability was none.
    pub refused: usize,
    /// The share that happened.
    pub base_rate: f64,
    /// Brier score: the mean square of (predicted - happened). 0 is perfect, and who always says 1/2 has 0.25.
    pub brier: f64,
    /// `1 - brier / brier of always saying the base rate`: above 0 the predictions know more than the average does. `None` where
    /// all or nothing happened, for then the base rate is perfect in hindsight.
    pub brier_skill: Option<f64>,
    /// The reliability table, lowest predictions first. Ten rows of about equal number and not of equal width: interruptions
    /// within an hour are rare, and all would fall into the first tenth.
    pub bins: Vec<Bin>,
    /// The mean of |predicted - observed| over the rows, weighed by their number.
    pub expected_calibration_error: f64,
}

/// Rows of the reliability table, at most.
const BINS: usize = 10;

/// Judges predictions by what happened. `None` where there is nothing to judge. The order of the outcomes does not matter.
pub fn report(outcomes: &[Outcome]) -> Option<Report> {
    let mut sound: Vec<Outcome> = outcomes.iter().filter(|outcome| outcome.sound()).copied().collect();
    sound.sort_by(|a, b| a.predicted.total_cmp(&b.predicted).then(a.happened.cmp(&b.happened)));
    let n = sound.len();
    if n == 0 {
        return None;
    }
    let base_rate = mean(sound.iter().map(Outcome::observed));
    let brier = mean(sound.iter().map(Outcome::square));
    let climate = base_rate * (1.0 - base_rate);
    let bins = bins(&sound);
    let error = bins.iter().map(|bin| count(bin.n) * (bin.predicted - bin.observed).abs()).sum::<f64>() / count(n);
    Some(Report {
        n,
        refused: outcomes.len() - n,
        base_rate,
        brier,
        brier_skill: (climate > 0.0).then(|| 1.0 - brier / climate),
        bins,
        expected_calibration_error: error,
    })
}

/// Cuts sorted outcomes into rows. Equal predictions stay together: where to cut between them would be chance.
fn bins(sorted: &[Outcome]) -> Vec<Bin> {
    let size = sorted.len().div_ceil(BINS);
    let mut bins = Vec::new();
    let mut rest = sorted;
    while let Some(edge) = rest.get(size.min(rest.len()).saturating_sub(1)).map(|outcome| outcome.predicted) {
        let end = rest.partition_point(|outcome| outcome.predicted <= edge);
        let (row, later) = rest.split_at(end);
        let happened = row.iter().filter(|outcome| outcome.happened).count();
        bins.push(Bin {
            n: row.len(),
            predicted: mean(row.iter().map(|outcome| outcome.predicted)),
            observed: count(happened) / count(row.len()),
            interval: wilson(happened, row.len()),
        });
        rest = later;
    }
    bins
}

/// Wilson's score interval at 95 % for a share of `happened` in `n`: (low, high) in [0, 1]; all of it for nothing. It keeps its
/// promise for rare events, where the textbook's interval would reach below zero (Wilson, 1927).
pub fn wilson(happened: usize, n: usize) -> (f64, f64) {
    /// The 97.5th percentile of the normal distribution.
    const Z: f64 = 1.959_963_984_540_054;
    if n == 0 {
        return (0.0, 1.0);
    }
    let (n, share) = (count(n), count(happened.min(n)) / count(n));
    let z2 = Z * Z;
    let centre = (share + z2 / (2.0 * n)) / (1.0 + z2 / n);
    let half = Z / (1.0 + z2 / n) * (share * (1.0 - share) / n + z2 / (4.0 * n * n)).sqrt();
    // At the ends rounding must not push the share itself out of its interval.
    ((centre - half).clamp(0.0, share), (centre + half).clamp(share, 1.0))
}

pub(super) fn count(n: usize) -> f64 {
    f64::from(u32::try_from(n).unwrap_or(u32::MAX))
}

pub(super) fn mean(values: impl ExactSizeIterator<Item = f64>) -> f64 {
    let n = values.len();
    if n == 0 { 0.0 } else { values.sum::<f64>() / count(n) }
}
