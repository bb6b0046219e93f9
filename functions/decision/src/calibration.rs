//! How good predictions were: the report on recorded outcomes.

use domain::decision::{Calibration, PredictionOutcome, Reliability};
use planning::predict::{Bin, Outcome, report};
use std::collections::BTreeMap;

/// How many records are read, the newest: one is a pool of a cluster for an hour, so that a hundred clusters have a week.
pub const READ_MAX: usize = 100_000;
/// How many predictions of a horizon are judged; what is beyond is older. 16 MB.
const JUDGED_MAX: usize = 1_000_000;

/// Judges outcomes, newest first, horizon by horizon; the shortest comes first. A record of many instances counts once for each.
pub fn judge(outcomes: &[PredictionOutcome]) -> Vec<Calibration> {
    let mut by_horizon: BTreeMap<u32, Vec<&PredictionOutcome>> = BTreeMap::new();
    for outcome in outcomes {
        by_horizon.entry(outcome.horizon_minutes).or_default().push(outcome);
    }
    by_horizon.into_iter().filter_map(|(horizon, outcomes)| of_horizon(horizon, &outcomes)).collect()
}

fn of_horizon(horizon_minutes: u32, outcomes: &[&PredictionOutcome]) -> Option<Calibration> {
    let mut each: Vec<Outcome> = Vec::new();
    let mut judged = outcomes.iter().take_while(|outcome| {
        let room = each.len() < JUDGED_MAX;
        if room {
            let one = |happened| Outcome { predicted: outcome.probability, happened };
            each.extend((0..outcome.instances).map(|index| one(index < outcome.interrupted)));
        }
        room
    });
    let until = judged.next()?.predicted_at;
    let since = judged.last().map_or(until, |outcome| outcome.predicted_at);
    let report = report(&each)?;
    Some(Calibration {
        horizon_minutes,
        since,
        until,
        predictions: whole(report.n),
        base_rate: report.base_rate,
        brier: report.brier,
        brier_skill: report.brier_skill,
        expected_calibration_error: report.expected_calibration_error,
        reliability: report.bins.iter().map(row).collect(),
    })
}

/// A row of the reliability table.
pub(crate) fn row(bin: &Bin) -> Reliability {
    let (low, high) = bin.interval;
    Reliability { predictions: whole(bin.n), predicted: bin.predicted, observed: bin.observed, low, high }
}

/// A count, as the contract has it.
pub(crate) fn whole(n: usize) -> u32 {
    u32::try_from(n).unwrap_or(u32::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;
    use domain::decision::PoolName;
    use domain::{SignedDuration, Timestamp};

    fn outcome(hours_ago: i64, horizon_minutes: u32, probability: f64, instances: u32, interrupted: u32) -> PredictionOutcome {
        let pool =
            PoolName { instance_type: "m6i.large".to_owned().try_into().unwrap(), zone: "us-east-1a".to_owned().try_into().unwrap() };
        PredictionOutcome {
            id: format!("{hours_ago}-{horizon_minutes}-{probability}"),
            region: "us-east-1".to_owned().try_into().unwrap(),
            pool,
            predicted_at: at(hours_ago),
            horizon_minutes,
            probability,
            uncorrected: None,
            instances,
            interrupted,
        }
    }

    fn at(hours_ago: i64) -> Timestamp {
        Timestamp::from_second(1_790_000_000).unwrap() - SignedDuration::from_hours(hours_ago)
    }

    #[test]
    fn each_instance_is_a_prediction_and_each_horizon_has_its_own_report() {
        let judged = judge(&[outcome(0, 60, 0.5, 4, 2), outcome(1, 60, 0.0, 6, 0), outcome(2, 1_440, 1.0, 1, 1)]);
        let [hour, day] = judged.as_slice() else { panic!("{judged:?}") };
        assert_eq!((hour.horizon_minutes, hour.predictions, hour.since, hour.until), (60, 10, at(1), at(0)));
        assert!((hour.base_rate - 0.2).abs() < 1e-12 && (hour.brier - 0.1).abs() < 1e-12, "four of ten are off by a half: {hour:?}");
        let rows: Vec<(u32, f64, f64)> = hour.reliability.iter().map(|row| (row.predictions, row.predicted, row.observed)).collect();
        assert_eq!(rows, [(6, 0.0, 0.0), (4, 0.5, 0.5)], "well calibrated");
        assert!(hour.reliability.iter().all(|row| row.low <= row.observed && row.observed <= row.high));
        assert_eq!((day.horizon_minutes, day.predictions, day.brier, day.brier_skill), (1_440, 1, 0.0, None));
    }

    #[test]
    fn nothing_recorded_is_nothing_reported() {
        assert_eq!(judge(&[]), []);
    }

    #[test]
    fn who_promises_too_little_is_found_out() {
        let judged = judge(&[outcome(0, 60, 0.01, 1_000, 200)]);
        assert!(judged[0].expected_calibration_error > 0.15 && judged[0].brier_skill.is_some_and(|skill| skill < 0.0), "{judged:?}");
        assert!(judged[0].reliability[0].low > 0.01, "the interval leaves the promise out");
    }
}
