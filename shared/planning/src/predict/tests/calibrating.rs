//! Reports and corrections, on outcomes with a seed.

use crate::predict::{Calibrator, EVENTS_MIN, OUTCOMES_MIN, Outcome, TooFew, report, wilson};

/// Outcomes whose true probability is `truth(predicted)`.
fn outcomes(seed: u64, n: usize, truth: impl Fn(f64) -> f64) -> Vec<Outcome> {
    let mut dice = fastrand::Rng::with_seed(seed);
    (0..n)
        .map(|_| {
            // Most are small, as hazards are.
            let predicted = dice.f64().powi(3);
            Outcome { predicted, happened: dice.f64() < truth(predicted) }
        })
        .collect()
}

fn corrected(calibrator: &Calibrator, raw: &[Outcome]) -> Vec<Outcome> {
    raw.iter().map(|o| Outcome { predicted: calibrator.apply(o.predicted), ..*o }).collect()
}

fn brier(outcomes: &[Outcome]) -> f64 {
    report(outcomes).unwrap().brier
}

/// Predictions that are right, too low, too high, overconfident, and worthless.
const TRUTHS: [fn(f64) -> f64; 5] = [|p| p, |p| (3.0 * p).min(1.0), |p| p / 3.0, |p| 0.25 + p / 2.0, |_| 0.3];

#[test]
fn on_outcomes_never_seen_the_corrected_score_is_not_worse() {
    let mut adopted = 0;
    for (kind, truth) in TRUTHS.iter().enumerate() {
        for seed in 0..40 {
            let fitted = Calibrator::fit(&outcomes(seed, 3_000, truth)).unwrap();
            let fresh = outcomes(seed + 1_000, 20_000, truth);
            let (raw, calibrated) = (brier(&fresh), brier(&corrected(&fitted.calibrator, &fresh)));
            // Where the predictions were right already, an adoption by chance may cost a thousandth.
            let slack = if kind == 0 { 0.001 } else { 0.0 };
            assert!(calibrated <= raw + slack, "truth {kind}, seed {seed}: {raw} became {calibrated}");
            adopted += usize::from(kind > 0 && !fitted.calibrator.is_identity());
        }
    }
    // Wrong predictions are corrected, not only left alone.
    assert_eq!(adopted, 4 * 40);
}

#[test]
fn right_predictions_are_left_alone() {
    let changed = (0..200).filter(|seed| !Calibrator::fit(&outcomes(*seed, 3_000, |p| p)).unwrap().calibrator.is_identity()).count();
    assert!(changed <= 10, "{changed} of 200 were changed");
}

#[test]
fn a_correction_stays_in_range_and_never_turns_an_order_around() {
    for (kind, truth) in TRUTHS.iter().enumerate() {
        let fitted = Calibrator::fit(&outcomes(7, 2_000, truth)).unwrap();
        let line: Vec<f64> = (0..=1_000).map(|at| fitted.calibrator.apply(f64::from(at) / 1_000.0)).collect();
        assert!(line.iter().all(|p| (0.0..=1.0).contains(p)), "truth {kind}");
        assert!(line.is_sorted(), "truth {kind}");
    }
}

#[test]
fn too_few_outcomes_teach_nothing() {
    assert_eq!(Calibrator::fit(&[]), Err(TooFew { outcomes: 0, happened: 0 }));
    let many = outcomes(1, OUTCOMES_MIN, |p| p);
    assert!(Calibrator::fit(&many).is_ok());
    assert!(Calibrator::fit(&many[1..]).is_err());
    let mut rare: Vec<Outcome> = vec![Outcome { predicted: 0.01, happened: false }; 5_000];
    for outcome in rare.iter_mut().take(EVENTS_MIN - 1) {
        outcome.happened = true;
    }
    assert_eq!(Calibrator::fit(&rare), Err(TooFew { outcomes: 5_000, happened: EVENTS_MIN - 1 }));
    let certain = vec![Outcome { predicted: 0.9, happened: true }; 5_000];
    assert!(Calibrator::fit(&certain).is_err());
}

#[test]
fn outcomes_that_are_no_probabilities_are_counted_and_not_judged() {
    let odd = [f64::NAN, -0.1, 1.1, f64::INFINITY].map(|predicted| Outcome { predicted, happened: true });
    assert_eq!(report(&odd), None);
    let mut mixed = odd.to_vec();
    mixed.push(Outcome { predicted: 0.5, happened: true });
    let report = report(&mixed).unwrap();
    assert_eq!((report.n, report.refused, report.brier), (1, 4, 0.25));
    assert!(Calibrator::default().apply(f64::NAN).is_nan());
}

#[test]
fn a_report_of_right_predictions_has_skill_small_error_and_honest_intervals() {
    let report = report(&outcomes(3, 20_000, |p| p)).unwrap();
    assert_eq!(report.bins.len(), 10);
    assert_eq!(report.bins.iter().map(|bin| bin.n).sum::<usize>(), 20_000);
    assert!(report.brier_skill.unwrap() > 0.3 && report.expected_calibration_error < 0.01, "{report:?}");
    let held = report.bins.iter().filter(|bin| bin.interval.0 <= bin.predicted && bin.predicted <= bin.interval.1).count();
    assert!(held >= 8, "{report:?}");
}

#[test]
fn always_saying_the_base_rate_has_no_skill_and_no_error() {
    let same: Vec<Outcome> = (0..1_000).map(|at| Outcome { predicted: 0.25, happened: at % 4 == 0 }).collect();
    let report = report(&same).unwrap();
    assert_eq!((report.bins.len(), report.base_rate, report.brier), (1, 0.25, 0.1875));
    assert!(report.brier_skill.unwrap().abs() < 1e-12 && report.expected_calibration_error < 1e-12);
}

#[test]
fn where_nothing_ever_happened_skill_is_not_defined() {
    assert_eq!(report(&vec![Outcome { predicted: 0.1, happened: false }; 50]).unwrap().brier_skill, None);
}

#[test]
fn the_order_of_outcomes_changes_no_report() {
    for seed in 0..50 {
        let mut all = outcomes(seed, 200, |p| p);
        let before = report(&all).unwrap();
        fastrand::Rng::with_seed(seed).shuffle(&mut all);
        assert_eq!(report(&all).unwrap(), before, "seed {seed}");
    }
}

#[test]
fn an_interval_holds_its_share_and_narrows_with_more() {
    assert_eq!(wilson(0, 0), (0.0, 1.0));
    // 10 of 100: 0.0552 to 0.1744, as textbooks print it.
    let (low, high) = wilson(10, 100);
    assert!((low - 0.0552).abs() < 5e-4 && (high - 0.1744).abs() < 5e-4, "{low} {high}");
    for n in 1..60 {
        for happened in 0..=n {
            let (low, high) = wilson(happened, n);
            let share = happened as f64 / n as f64;
            assert!((0.0..=share).contains(&low) && (share..=1.0).contains(&high), "{happened} of {n}");
            let (more_low, more_high) = wilson(happened * 4, n * 4);
            assert!(more_high - more_low < high - low, "{happened} of {n}");
        }
    }
}
