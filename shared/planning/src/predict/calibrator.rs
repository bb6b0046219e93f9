//! What corrects predictions: a rising map, learnt from recorded outcomes, and adopted only where it helps.

use super::calibration::{Outcome, count, mean};

/// With fewer outcomes than this nothing is learnt. Own choice: two thirds teach and one third checks, and a check of 333
/// outcomes is the least that can tell a gain from chance.
pub const OUTCOMES_MIN: usize = 1_000;

/// Nor with fewer than this many interruptions, or than this many that did not happen: 50 events leave the rate uncertain by a
/// seventh (one over the root of 50).
pub const EVENTS_MIN: usize = 50;

/// How sure a gain on the outcomes held back must be, in standard errors. Two: one chance in forty to adopt what helps nothing.
const SURE: f64 = 2.0;

/// Not enough has happened to learn from. Predictions stay as they are.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("{outcomes} outcomes, {happened} of them interruptions: {OUTCOMES_MIN} and {EVENTS_MIN} of either kind are needed")]
pub struct TooFew {
    /// How many outcomes there are.
    pub outcomes: usize,
    /// How many of them happened.
    pub happened: usize,
}

/// A map from predicted to corrected probabilities. It never turns an order around.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Calibrator {
    /// Points of the map, rising in both; straight between them, level outside. Empty: nothing is changed.
    knots: Vec<(f64, f64)>,
}

/// What was learnt.
#[derive(Debug, Clone, PartialEq)]
pub struct Fitted {
    /// The map; it changes nothing where none was found that helps.
    pub calibrator: Calibrator,
    /// How much lower the map makes the Brier score on the outcomes held back, whether it was adopted or not.
    pub gain: f64,
}

impl Calibrator {
    /// Learns from outcomes, oldest first. Every third is held back; a rising step function (isotonic regression, by pooling
    /// adjacent violators) is fitted to the rest, and adopted only if it is better on those held back, by more than chance.
    ///
    /// # Errors
    /// [`TooFew`]: less than [`OUTCOMES_MIN`] sound outcomes, or less than [`EVENTS_MIN`] that happened or that did not.
    pub fn fit(outcomes: &[Outcome]) -> Result<Fitted, TooFew> {
        let sound: Vec<Outcome> = outcomes.iter().filter(|outcome| outcome.sound()).copied().collect();
        let happened = sound.iter().filter(|outcome| outcome.happened).count();
        if sound.len() < OUTCOMES_MIN || happened.min(sound.len() - happened) < EVENTS_MIN {
            return Err(TooFew { outcomes: sound.len(), happened });
        }
        let (held, taught): (Vec<_>, Vec<_>) = sound.into_iter().enumerate().partition(|(at, _)| at % 3 == 2);
        let taught: Vec<Outcome> = taught.into_iter().map(|(_, outcome)| outcome).collect();
        let found = Calibrator { knots: isotonic(taught) };
        let gains: Vec<f64> = held
            .iter()
            .map(|(_, outcome)| {
                let miss = |probability: f64| (probability - outcome.observed()).powi(2);
                miss(outcome.predicted) - miss(found.apply(outcome.predicted))
            })
            .collect();
        let gain = mean(gains.iter().copied());
        let variance = mean(gains.iter().map(|each| (each - gain).powi(2)));
        let helps = gain > SURE * (variance / count(gains.len())).sqrt();
        Ok(Fitted { calibrator: if helps { found } else { Calibrator::default() }, gain })
    }

    /// Whether it changes anything.
    pub fn is_identity(&self) -> bool {
        self.knots.is_empty()
    }

    /// The corrected probability, in [0, 1]. What is no probability comes back as it is.
    pub fn apply(&self, predicted: f64) -> f64 {
        let above = self.knots.partition_point(|(x, _)| *x <= predicted);
        let (below, next) = (above.checked_sub(1).and_then(|at| self.knots.get(at)), self.knots.get(above));
        match (below, next) {
            (None, None) => predicted,
            (Some((_, y)), None) | (None, Some((_, y))) => *y,
            (Some((x0, y0)), Some((x1, y1))) => (y0 + (y1 - y0) * (predicted - x0) / (x1 - x0)).clamp(*y0, *y1),
        }
    }
}

/// A block of outcomes that share one value.
struct Block {
    n: f64,
    predicted: f64,
    observed: f64,
}

impl Block {
    fn knot(&self) -> (f64, f64) {
        (self.predicted / self.n, self.observed / self.n)
    }
}

/// Pools neighbours for as long as one has a higher prediction and no higher share than the other. Equal predictions are one
/// block from the start, for a map has one value for each.
fn isotonic(mut outcomes: Vec<Outcome>) -> Vec<(f64, f64)> {
    outcomes.sort_by(|a, b| a.predicted.total_cmp(&b.predicted));
    let mut blocks: Vec<Block> = Vec::new();
    for equal in outcomes.chunk_by(|a, b| a.predicted.total_cmp(&b.predicted).is_eq()) {
        let sum = |value: fn(&Outcome) -> f64| equal.iter().map(value).sum::<f64>();
        let mut block = Block { n: count(equal.len()), predicted: sum(|outcome| outcome.predicted), observed: sum(Outcome::observed) };
        while let Some(last) = blocks.pop_if(|last| last.knot().1 >= block.knot().1) {
            block = Block { n: last.n + block.n, predicted: last.predicted + block.predicted, observed: last.observed + block.observed };
        }
        blocks.push(block);
    }
    blocks.iter().map(Block::knot).collect()
}
