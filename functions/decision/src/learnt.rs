//! What was learnt from outcomes: predictions of a horizon are corrected once enough has become of them, and it is said whether
//! they are.

use domain::SignedDuration;
use domain::decision::PredictionOutcome;
use planning::predict::{Calibrator, Outcome};
use std::collections::BTreeMap;

/// How many records are learnt from, the newest: read beside a decision, which has 20 s in all.
pub const RECORDS_MAX: usize = 10_000;
/// How many predictions of a horizon are learnt from: one of a record for each of its instances.
const PREDICTIONS_MAX: usize = 200_000;

/// Corrections by horizon. Those of one horizon say nothing of another.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Learnt {
    horizons: BTreeMap<u32, Horizon>,
}

/// What is known of one horizon.
#[derive(Debug, Clone, PartialEq)]
struct Horizon {
    calibrator: Calibrator,
    /// What it rests on, or why nothing is corrected.
    sentence: String,
}

impl Learnt {
    /// Learns from outcomes, newest first. It learns from what was reckoned, not from what was corrected before it was told.
    pub fn from(outcomes: &[PredictionOutcome]) -> Learnt {
        let mut by_horizon: BTreeMap<u32, Vec<Outcome>> = BTreeMap::new();
        for outcome in outcomes {
            let each = by_horizon.entry(outcome.horizon_minutes).or_default();
            let room = PREDICTIONS_MAX.saturating_sub(each.len());
            let predicted = outcome.uncorrected.unwrap_or(outcome.probability);
            let one = |index| Outcome { predicted, happened: index < outcome.interrupted };
            each.extend((0..outcome.instances).map(one).take(room));
        }
        let learn = |(minutes, mut each): (u32, Vec<Outcome>)| {
            each.reverse();
            (minutes, Horizon::of(&each))
        };
        Learnt { horizons: by_horizon.into_iter().map(learn).collect() }
    }

    /// The corrected probability; `None`: that horizon's are not corrected.
    pub fn correct(&self, horizon: SignedDuration, probability: f64) -> Option<f64> {
        let found = &self.horizons.get(&minutes(horizon))?.calibrator;
        (!found.is_identity()).then(|| found.apply(probability))
    }

    /// What chances of this horizon rest on.
    pub fn sentence(&self, horizon: SignedDuration) -> String {
        match self.horizons.get(&minutes(horizon)) {
            Some(known) => known.sentence.clone(),
            None => "chances of interruption are as reckoned: no outcomes of such predictions are known".to_owned(),
        }
    }
}

impl Horizon {
    /// Outcomes, oldest first.
    fn of(each: &[Outcome]) -> Horizon {
        let plain = |why: String| Horizon {
            calibrator: Calibrator::default(),
            sentence: format!("chances of interruption are as reckoned: {why}"),
        };
        match Calibrator::fit(each) {
            Err(too_few) => plain(too_few.to_string()),
            Ok(fitted) if fitted.calibrator.is_identity() => {
                plain(format!("of {} outcomes none teaches a correction that helps by more than chance", each.len()))
            }
            Ok(fitted) => Horizon {
                calibrator: fitted.calibrator,
                sentence: format!("chances of interruption are corrected by what became of {} predictions", each.len()),
            },
        }
    }
}

fn minutes(horizon: SignedDuration) -> u32 {
    u32::try_from(horizon.as_mins()).unwrap_or(u32::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;
    use domain::Timestamp;
    use domain::decision::PoolName;

    const HOUR: SignedDuration = SignedDuration::from_hours(1);

    /// Of a hundred instances so many were interrupted, hour after hour.
    fn hours(many: u32, reckoned: f64, told: Option<f64>, interrupted: u32) -> Vec<PredictionOutcome> {
        let one = |hour: u32| PredictionOutcome {
            id: format!("{reckoned}-{hour}"),
            region: "us-east-1".to_owned().try_into().unwrap(),
            pool: PoolName { instance_type: "m6i.large".to_owned().try_into().unwrap(), zone: "us-east-1a".to_owned().try_into().unwrap() },
            predicted_at: Timestamp::from_second(1_790_000_000 - i64::from(hour) * 3_600).unwrap(),
            horizon_minutes: 60,
            probability: told.unwrap_or(reckoned),
            uncorrected: told.map(|_| reckoned),
            instances: 100,
            interrupted,
        };
        (0..many).map(one).collect()
    }

    #[test]
    fn who_promised_too_little_is_corrected_and_says_so() {
        let learnt = Learnt::from(&hours(60, 0.01, None, 20));
        let corrected = learnt.correct(HOUR, 0.01).unwrap();
        assert!((corrected - 0.2).abs() < 0.02, "{corrected}");
        assert!(learnt.sentence(HOUR).contains("6000 predictions"), "{}", learnt.sentence(HOUR));
        assert_eq!(learnt.correct(HOUR * 24, 0.01), None, "of another horizon nothing is known");
    }

    #[test]
    fn before_there_are_enough_outcomes_nothing_is_corrected() {
        let learnt = Learnt::from(&hours(9, 0.01, None, 20));
        assert_eq!(learnt.correct(HOUR, 0.01), None);
        assert!(learnt.sentence(HOUR).contains("are needed"), "{}", learnt.sentence(HOUR));
        assert_eq!(Learnt::from(&[]).correct(HOUR, 0.01), None);
    }

    #[test]
    fn what_was_good_already_is_left_as_it_is() {
        let learnt = Learnt::from(&hours(60, 0.2, None, 20));
        assert_eq!(learnt.correct(HOUR, 0.2), None, "{}", learnt.sentence(HOUR));
    }

    #[test]
    fn what_was_corrected_teaches_by_what_had_been_reckoned() {
        let (first, second) = (Learnt::from(&hours(60, 0.01, None, 20)), Learnt::from(&hours(60, 0.01, Some(0.2), 20)));
        assert_eq!(first, second, "a correction does not undo itself by being right");
    }
}
