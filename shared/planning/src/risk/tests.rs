use super::*;
use domain::SignedDuration;

fn now() -> Timestamp {
    "2026-08-01T12:00:00Z".parse().unwrap()
}

fn ago(hours: i64) -> Timestamp {
    now() - SignedDuration::from_hours(hours)
}

fn point(hours_ago: i64, micros: i64) -> PricePoint {
    PricePoint { at: ago(hours_ago), price_per_hour: MicroDollars(micros) }
}

fn advice(band: Band) -> Advice {
    Advice { band, savings_percent: 60, as_of: ago(24) }
}

fn quote(micros: i64) -> Quote {
    Quote { price_per_hour: MicroDollars(micros), source: PriceSource::Observed { at: now() } }
}

fn nothing() -> Evidence<'static> {
    Evidence { advice: None, history: &[], price: None, on_demand: None, trouble: Trouble::Unknown }
}

/// A pool by chance; every part may be missing.
fn any(dice: &mut fastrand::Rng, history: &mut Vec<PricePoint>) -> (Option<Band>, Option<i64>, Option<i64>, Trouble) {
    history.clear();
    history.extend((0..dice.usize(..6)).map(|_| point(dice.i64(-3..300), dice.i64(-5..200_000))));
    let band = dice.bool().then(|| Band::ALL[dice.usize(..5)]);
    let price = dice.bool().then(|| dice.i64(-5..300_000));
    let full = dice.bool().then(|| dice.i64(0..200_000));
    let trouble = match dice.u8(..3) {
        0 => Trouble::Unknown,
        1 => Trouble::NoneSeen,
        _ => Trouble::At(ago(dice.i64(-5..2_000))),
    };
    (band, price, full, trouble)
}

#[test]
fn the_weights_are_the_products_and_add_up_to_one() {
    assert_eq!([WEIGHT_PUBLIC_RATE, WEIGHT_VOLATILITY, WEIGHT_GAP, WEIGHT_TIME], [0.60, 0.25, 0.10, 0.05]);
    assert!((WEIGHT_PUBLIC_RATE + WEIGHT_VOLATILITY + WEIGHT_GAP + WEIGHT_TIME - 1.0).abs() < 1e-12);
}

#[test]
fn risk_and_confidence_stay_between_nothing_and_one_whatever_is_known() {
    let mut history = Vec::new();
    for seed in 0..5_000 {
        let mut dice = fastrand::Rng::with_seed(seed);
        let (band, price, full, trouble) = any(&mut dice, &mut history);
        let evidence =
            Evidence { advice: band.map(advice), history: &history, price: price.map(quote), on_demand: full.map(MicroDollars), trouble };
        let risk = assess(&evidence, now());
        assert!((0.0..=1.0).contains(&risk.score) && (0.0..=1.0).contains(&risk.confidence), "seed {seed}: {risk:?}");
        assert_eq!(risk, assess(&evidence, now()), "seed {seed}");
    }
}

#[test]
fn a_higher_band_a_dearer_price_or_a_later_trouble_never_lowers_the_risk() {
    let mut history = Vec::new();
    for seed in 0..2_000 {
        let mut dice = fastrand::Rng::with_seed(seed);
        let (_, _, full, _) = any(&mut dice, &mut history);
        let score = |band: Band, micros: i64, hours: i64| {
            let on_demand = full.map(MicroDollars);
            let evidence = Evidence {
                advice: Some(advice(band)),
                history: &history,
                price: Some(quote(micros)),
                on_demand,
                trouble: Trouble::At(ago(hours)),
            };
            assess(&evidence, now()).score
        };
        let (micros, hours) = (dice.i64(1..200_000), dice.i64(0..100));
        for pair in Band::ALL.windows(2) {
            assert!(score(pair[0], micros, hours) < score(pair[1], micros, hours), "seed {seed}");
        }
        assert!(score(Band::From5, micros, hours) <= score(Band::From5, micros + 1_000, hours), "seed {seed}");
        assert!(score(Band::From5, micros, hours + 1) <= score(Band::From5, micros, hours), "seed {seed}");
    }
}

#[test]
fn what_is_not_known_is_neutral_and_said() {
    let risk = assess(&nothing(), now());
    assert_eq!(risk.gaps, [Gap::NoAdvice, Gap::ShortHistory, Gap::NoPrice, Gap::NoRecords]);
    assert_eq!(risk.confidence, 0.0);
    assert_eq!((risk.terms.volatility, risk.terms.gap, risk.terms.time), (NEUTRAL, NEUTRAL, NEUTRAL));
    assert!((risk.terms.public_rate - 5.0 / 9.0).abs() < 1e-12);
}

#[test]
fn everything_known_leaves_no_gap_and_full_confidence() {
    let history = [point(200, 40_000)];
    let full = Evidence {
        advice: Some(advice(Band::Below5)),
        history: &history,
        price: Some(quote(40_000)),
        on_demand: Some(MicroDollars(100_000)),
        trouble: Trouble::NoneSeen,
    };
    let risk = assess(&full, now());
    assert!(risk.gaps.is_empty() && (risk.confidence - 1.0).abs() < 1e-12);
    // 0.60 x 1/9 + 0.25 x 0 + 0.10 x 0.4 + 0.05 x 0.
    assert!((risk.score - (0.6 / 9.0 + 0.04)).abs() < 1e-12, "{risk:?}");
}

#[test]
fn an_estimated_price_is_used_and_named() {
    let estimate = Quote { source: PriceSource::PublicEstimate { as_of: ago(24) }, ..quote(40_000) };
    let risk = assess(&Evidence { price: Some(estimate), on_demand: Some(MicroDollars(80_000)), ..nothing() }, now());
    assert_eq!(risk.terms.gap, 0.5);
    assert!(risk.gaps.contains(&Gap::EstimatedPrice) && !risk.gaps.contains(&Gap::NoPrice));
}

#[test]
fn a_trouble_counts_half_after_six_hours_and_one_sixteenth_after_a_day() {
    assert_eq!(Trouble::At(now()).freshness(now()), Some(1.0));
    assert_eq!(Trouble::At(ago(-1)).freshness(now()), Some(1.0));
    assert_eq!(Trouble::At(ago(6)).freshness(now()), Some(0.5));
    assert_eq!(Trouble::At(ago(24)).freshness(now()), Some(1.0 / 16.0));
}

#[test]
fn a_price_that_never_moved_is_calm_and_one_that_is_hours_old_tells_nothing() {
    assert_eq!(coefficient_of_variation(&[point(400, 50_000)], now()), Some(0.0));
    assert_eq!(coefficient_of_variation(&[point(23, 50_000)], now()), None);
    assert_eq!(coefficient_of_variation(&[], now()), None);
    assert_eq!(coefficient_of_variation(&[point(400, 0), point(400, -1)], now()), None);
    // The price of tomorrow does not make today's history longer.
    assert_eq!(coefficient_of_variation(&[point(23, 50_000), point(-5, 60_000)], now()), None);
}

#[test]
fn a_price_weighs_as_long_as_it_held() {
    // Half of the week at 1, half at 3: mean 2, deviation 1.
    let half = [point(168, 1_000_000), point(84, 3_000_000)];
    assert!((coefficient_of_variation(&half, now()).unwrap() - 0.5).abs() < 1e-9);
    // A spike of one hour in a week is nearly nothing.
    let spike = [point(168, 1_000_000), point(50, 3_000_000), point(49, 1_000_000)];
    assert!(coefficient_of_variation(&spike, now()).unwrap() < half_of(&half));
}

fn half_of(points: &[PricePoint]) -> f64 {
    coefficient_of_variation(points, now()).unwrap() / 2.0
}

#[test]
fn the_order_and_repetition_of_points_do_not_matter_nor_does_the_currency() {
    for seed in 0..1_000 {
        let mut dice = fastrand::Rng::with_seed(seed);
        let points: Vec<PricePoint> = (0..dice.usize(1..9)).map(|at| point(30 + 20 * at as i64, dice.i64(1..1_000) * 100)).collect();
        let mut other = points.clone();
        other.push(points[0]);
        dice.shuffle(&mut other);
        assert_eq!(coefficient_of_variation(&points, now()), coefficient_of_variation(&other, now()), "seed {seed}");
        for each in &mut other {
            each.price_per_hour.0 *= 7;
        }
        let (a, b) = (coefficient_of_variation(&points, now()).unwrap(), coefficient_of_variation(&other, now()).unwrap());
        assert!((a - b).abs() < 1e-9, "seed {seed}: {a} {b}");
    }
}

#[test]
fn the_steady_price_is_the_highest_of_the_window_and_needs_all_of_it() {
    let points = [point(100, 50_000), point(3, 90_000), point(2, 40_000)];
    let over = |hours: i64| steady_price(&points, now(), SignedDuration::from_hours(hours)).map(|quote| quote.price_per_hour.0);
    assert_eq!(over(1), Some(40_000));
    assert_eq!(over(3), Some(90_000));
    assert_eq!(over(100), Some(90_000));
    assert_eq!(over(101), None);
    let source = steady_price(&points, now(), SignedDuration::from_hours(1)).unwrap().source;
    assert_eq!(source, PriceSource::Observed { at: ago(2) });
}
