use super::*;
use crate::risk::Trouble;
use domain::market::{Advice, PricePoint};
use domain::money::MicroDollars;

mod calibrating;

fn now() -> Timestamp {
    "2026-08-01T12:00:00Z".parse().unwrap()
}

fn hours(h: i64) -> SignedDuration {
    SignedDuration::from_hours(h)
}

fn evidence(band: Band, history: &[PricePoint], trouble: Trouble) -> Evidence<'_> {
    let advice = Advice { band, savings_percent: 60, as_of: now() };
    Evidence { advice: Some(advice), history, price: None, on_demand: None, trouble }
}

fn swing(micros: i64) -> [PricePoint; 2] {
    let at = |back: i64, micros: i64| PricePoint { at: now() - hours(back), price_per_hour: MicroDollars(micros) };
    [at(200, 100_000), at(80, 100_000 + micros)]
}

#[test]
fn over_a_month_a_calm_pool_is_interrupted_as_often_as_its_band_says() {
    for band in Band::ALL {
        let month = predict(&evidence(band, &[], Trouble::NoneSeen), hours(720), now());
        assert!((month.probability - monthly_rate(band)).abs() < 1e-12, "{band:?}: {month:?}");
        assert_eq!(month.gaps, [Gap::ShortHistory]);
    }
}

#[test]
fn a_probability_is_in_its_range_and_rises_with_the_horizon_the_band_the_swing_and_the_freshness() {
    for seed in 0..3_000 {
        let mut dice = fastrand::Rng::with_seed(seed);
        let (h, age, micros) = (dice.i64(-5..5_000), dice.i64(-3..200), dice.i64(0..300_000));
        let at = |band: Band, micros: i64, age: i64, h: i64| {
            let history = swing(micros);
            let answer = predict(&evidence(band, &history, Trouble::At(now() - hours(age))), hours(h), now());
            assert!((0.0..=1.0).contains(&answer.probability) && answer.hazard_per_hour > 0.0, "seed {seed}: {answer:?}");
            answer.probability
        };
        let here = at(Band::From5, micros, age, h);
        assert!(here <= at(Band::From10, micros, age, h), "seed {seed}: band");
        assert!(here <= at(Band::From5, micros + 10_000, age, h), "seed {seed}: swing");
        assert!(here <= at(Band::From5, micros, age - 1, h), "seed {seed}: freshness");
        assert!(here <= at(Band::From5, micros, age, h + 1), "seed {seed}: horizon");
    }
}

#[test]
fn no_time_has_no_risk_and_a_very_long_time_is_certain() {
    let calm = |h: SignedDuration| predict(&evidence(Band::Below5, &[], Trouble::NoneSeen), h, now()).probability;
    assert_eq!(calm(SignedDuration::ZERO), 0.0);
    assert_eq!(calm(SignedDuration::MIN), 0.0);
    assert_eq!(calm(SignedDuration::MAX), 1.0);
}

#[test]
fn a_fresh_trouble_makes_the_next_hour_much_worse_and_is_forgotten_after_days() {
    let after = |age: i64| predict(&evidence(Band::From5, &[], Trouble::At(now() - hours(age))), hours(1), now()).probability;
    let never = predict(&evidence(Band::From5, &[], Trouble::NoneSeen), hours(1), now()).probability;
    assert!(after(0) > 20.0 * never);
    assert!(after(72) < 1.01 * never && after(72) >= never);
}

#[test]
fn without_advice_the_middle_band_is_taken_and_said() {
    let unknown = Evidence { advice: None, history: &[], price: None, on_demand: None, trouble: Trouble::Unknown };
    let answer = predict(&unknown, hours(24), now());
    assert_eq!(answer.gaps, [Gap::NoAdvice, Gap::ShortHistory, Gap::NoRecords]);
    assert_eq!(answer.probability, predict(&evidence(Band::From10, &[], Trouble::NoneSeen), hours(24), now()).probability);
}

#[test]
fn two_days_in_a_row_are_one_of_two_days() {
    let p = |h: i64| predict(&evidence(Band::Above20, &[], Trouble::NoneSeen), hours(h), now()).probability;
    assert!((1.0 - p(48) - (1.0 - p(24)).powi(2)).abs() < 1e-12);
}
