//! Predictions against what happened: who spoke, who would have spoken, and who was closer.

use super::Row;
use crate::calibration::{row, whole};
use domain::decision::{PoolName, PredictionOutcome, Reliability};
use domain::ids::Region;
use domain::model::{PredictionBatch, PredictionRow};
use domain::{SignedDuration, Timestamp};
use planning::predict::{Outcome, report, wilson};
use schemars::JsonSchema;
use serde::Serialize;
use std::collections::BTreeMap;

/// How far the time of an outcome may be from the time at which its prediction was answered: a call and two clocks.
const APART: SignedDuration = SignedDuration::from_mins(5);
/// How many instances are judged at most.
const JUDGED_MAX: usize = 500_000;

/// How good one voice was.
#[derive(Debug, Clone, Serialize, JsonSchema)]
pub struct Score {
    /// `told`, `built-in`, or the id of a model.
    pub who: String,
    /// Within how many minutes.
    pub horizon_minutes: u32,
    /// How many predictions are judged: one for each instance that was watched.
    pub predictions: u32,
    /// The share that was interrupted.
    pub base_rate: f64,
    /// The mean of what was predicted.
    pub mean: f64,
    /// Brier score: the mean square of (predicted - happened). 0 is perfect.
    pub brier: f64,
    /// Above 0 it knows more than the average does. Null where all or nothing was interrupted.
    pub brier_skill: Option<f64>,
    /// The mean of |predicted - observed| over the reliability table.
    pub expected_calibration_error: f64,
    /// The reliability table, lowest predictions first.
    pub reliability: Vec<Reliability>,
}

/// What was told and what happened in a day.
#[derive(Debug, Clone, PartialEq, Serialize, JsonSchema)]
pub struct Day {
    /// Its beginning, UTC.
    pub begins: Timestamp,
    /// How many predictions: one for each instance that was watched.
    pub predictions: u32,
    /// The mean of what was told.
    pub predicted: f64,
    /// The share that was interrupted.
    pub observed: f64,
    /// The lower end of its 95 % interval.
    pub low: f64,
    /// The upper end.
    pub high: f64,
}

/// What was told and what happened, day by day, oldest first; all horizons together.
pub fn by_day(outcomes: &[PredictionOutcome]) -> Vec<Day> {
    const DAY_S: i64 = 86_400;
    let mut days: BTreeMap<i64, (u32, u32, f64)> = BTreeMap::new();
    for outcome in outcomes {
        let day = days.entry(outcome.predicted_at.as_second().div_euclid(DAY_S)).or_default();
        *day = (
            day.0.saturating_add(outcome.instances),
            day.1.saturating_add(outcome.interrupted),
            day.2 + outcome.probability * f64::from(outcome.instances),
        );
    }
    let day = |(day, (instances, interrupted, sum)): (i64, (u32, u32, f64))| {
        let (low, high) = wilson(interrupted as usize, instances as usize);
        let begins = Timestamp::from_second(day * DAY_S).ok()?;
        let whole = f64::from(instances.max(1));
        Some(Day { begins, predictions: instances, predicted: sum / whole, observed: f64::from(interrupted) / whole, low, high })
    };
    days.into_iter().filter_map(day).collect()
}

/// An outcome with the prediction that it belongs to.
pub struct Pair<'a> {
    batch: &'a PredictionBatch,
    row: &'a PredictionRow,
    outcome: &'a PredictionOutcome,
}

type Key<'a> = (&'a Region, &'a PoolName, u32);

/// Finds the prediction of each outcome: of the same pool and horizon, the nearest in time. What was predicted before there was a log has
/// none.
pub fn pairs<'a>(batches: &'a [PredictionBatch], outcomes: &'a [PredictionOutcome]) -> Vec<Pair<'a>> {
    let mut by_pool: BTreeMap<Key<'a>, Vec<(&'a PredictionBatch, &'a PredictionRow)>> = BTreeMap::new();
    for batch in batches {
        for row in &batch.rows {
            by_pool.entry((&batch.region, &row.pool, batch.horizon_minutes)).or_default().push((batch, row));
        }
    }
    let of = |outcome: &'a PredictionOutcome| {
        let said = by_pool.get(&(&outcome.region, &outcome.pool, outcome.horizon_minutes))?;
        let apart = |batch: &PredictionBatch| batch.at.duration_since(outcome.predicted_at).abs();
        let (batch, row) = said.iter().min_by_key(|(batch, _)| apart(batch))?;
        (apart(batch) <= APART).then_some(Pair { batch, row, outcome })
    };
    outcomes.iter().filter_map(of).collect()
}

/// How good every voice of the log was, horizon by horizon.
pub fn scores(pairs: &[Pair<'_>]) -> Vec<Score> {
    let mut voices: BTreeMap<(u32, String), Vec<(f64, &PredictionOutcome)>> = BTreeMap::new();
    let mut hear = |horizon: u32, who: String, said: f64, outcome| voices.entry((horizon, who)).or_default().push((said, outcome));
    for Pair { batch, row, outcome } in pairs {
        let horizon = batch.horizon_minutes;
        hear(horizon, "told".to_owned(), row.told, *outcome);
        hear(horizon, "built-in".to_owned(), row.built_in, *outcome);
        for (said, probability) in [(&batch.active, row.active), (&batch.shadow, row.shadow)] {
            if let (Some(said), Some(probability)) = (said, probability) {
                hear(horizon, said.model.clone(), probability, *outcome);
            }
        }
    }
    voices.into_iter().filter_map(|((horizon, who), said)| score(&who, horizon, &said)).collect()
}

/// The rows of predictions whose outcome is known, with it: what another model can be tried on.
pub fn replay<'a>(pairs: &[Pair<'a>]) -> Vec<(u32, Row, &'a PredictionOutcome)> {
    let of = |pair: &Pair<'a>| Some((pair.batch.horizon_minutes, Row::try_from(pair.row.features.as_slice()).ok()?, pair.outcome));
    pairs.iter().filter_map(of).collect()
}

/// How good a voice was; `None`: nothing of it can be judged.
pub fn score(who: &str, horizon_minutes: u32, said: &[(f64, &PredictionOutcome)]) -> Option<Score> {
    let each: Vec<Outcome> = said
        .iter()
        .flat_map(|(predicted, outcome)| {
            let one = |index| Outcome { predicted: *predicted, happened: index < outcome.interrupted };
            (0..outcome.instances).map(one)
        })
        .take(JUDGED_MAX)
        .collect();
    let report = report(&each)?;
    let count = f64::from(whole(each.len()));
    Some(Score {
        who: who.to_owned(),
        horizon_minutes,
        predictions: whole(report.n),
        base_rate: report.base_rate,
        mean: each.iter().map(|outcome| outcome.predicted).sum::<f64>() / count,
        brier: report.brier,
        brier_skill: report.brier_skill,
        expected_calibration_error: report.expected_calibration_error,
        reliability: report.bins.iter().map(row).collect(),
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use domain::model::ModelSaid;

    fn at(minutes: i64) -> Timestamp {
        Timestamp::from_second(1_790_000_000 + 60 * minutes).unwrap()
    }

    fn pool(name: &str) -> PoolName {
        PoolName { instance_type: name.to_owned().try_into().unwrap(), zone: "us-east-1a".to_owned().try_into().unwrap() }
    }

    fn batch(minutes: i64, told: f64, shadow: Option<f64>) -> PredictionBatch {
        PredictionBatch {
            id: format!("b{minutes}"),
            at: at(minutes),
            region: "us-east-1".to_owned().try_into().unwrap(),
            horizon_minutes: 60,
            active: None,
            shadow: shadow.map(|_| ModelSaid { model: "m-1".to_owned(), took_us: 9, failed: None }),
            rows: vec![PredictionRow { pool: pool("m6i.large"), told, built_in: told, active: None, shadow, features: vec![0.5; 12] }],
        }
    }

    fn outcome(minutes: i64, name: &str, instances: u32, interrupted: u32) -> PredictionOutcome {
        PredictionOutcome {
            id: format!("o{minutes}"),
            region: "us-east-1".to_owned().try_into().unwrap(),
            pool: pool(name),
            predicted_at: at(minutes),
            horizon_minutes: 60,
            probability: 0.9,
            uncorrected: None,
            instances,
            interrupted,
        }
    }

    #[test]
    fn an_outcome_belongs_to_the_nearest_prediction_of_its_pool_and_to_none_that_is_far() {
        let batches = [batch(0, 0.1, None), batch(60, 0.2, None), batch(63, 0.3, None)];
        let outcomes = [outcome(61, "m6i.large", 1, 0), outcome(30, "m6i.large", 1, 0), outcome(0, "c6i.large", 1, 0)];
        let found: Vec<f64> = pairs(&batches, &outcomes).iter().map(|pair| pair.row.told).collect();
        assert_eq!(found, [0.2]);
    }

    #[test]
    fn a_day_is_what_was_told_and_what_happened_in_it() {
        let days = by_day(&[outcome(0, "m6i.large", 4, 1), outcome(5, "c6i.large", 6, 0), outcome(60 * 24, "m6i.large", 1, 1)]);
        let said: Vec<(u32, f64)> = days.iter().map(|day| (day.predictions, day.observed)).collect();
        assert_eq!(said, [(10, 0.1), (1, 1.0)]);
        assert!(days.iter().all(|day| (day.predicted - 0.9).abs() < 1e-12 && day.low <= day.observed && day.observed <= day.high));
    }

    #[test]
    fn every_voice_is_judged_by_the_same_outcomes_and_the_closer_one_has_the_lower_score() {
        let batches = [batch(0, 0.0, Some(0.5)), batch(60, 0.0, Some(0.5))];
        let outcomes = [outcome(0, "m6i.large", 4, 2), outcome(60, "m6i.large", 6, 3)];
        let pairs = pairs(&batches, &outcomes);
        let scores = scores(&pairs);
        let of = |who: &str| scores.iter().find(|score| score.who == who).unwrap();
        assert_eq!((scores.len(), of("told").predictions, of("m-1").predictions), (3, 10, 10));
        assert!((of("told").brier - 0.5).abs() < 1e-12 && (of("m-1").brier - 0.25).abs() < 1e-12, "{scores:?}");
        assert!((of("m-1").mean - of("m-1").base_rate).abs() < 1e-12);
        assert_eq!(replay(&pairs).len(), 2);
    }
}
