use super::*;
use domain::decision::verify;
use std::collections::BTreeMap;

fn pool(name: &str) -> PoolName {
    PoolName { instance_type: name.to_owned().try_into().unwrap(), zone: "us-east-1a".to_owned().try_into().unwrap() }
}

fn question(names: &[&str], horizon_minutes: u32) -> PredictRequest {
    PredictRequest {
        region: "us-east-1".to_owned().try_into().unwrap(),
        pools: names.iter().map(|name| pool(name)).collect(),
        horizon_minutes,
    }
}

#[test]
fn day_zero_knows_chances_from_public_data_and_says_what_it_does_not_know() {
    let question = question(&["m6i.large", "x9.unknown"], 60);
    let answer = Planner::default().predict(&question, &Knowledge::day_zero());
    assert!(verify::predictions(&question, answer.clone()).is_ok());
    let known = answer[0].probability.unwrap();
    assert!(known > 0.0 && known < 0.01, "{known}");
    assert!(answer[0].because.iter().any(|sentence| sentence.starts_with("in the month before 20")), "{:?}", answer[0].because);
    assert!(answer[0].because.contains(&"not known: short-history".to_owned()), "{:?}", answer[0].because);
    assert_eq!((answer[1].probability, answer[1].risk), (None, None));
    assert_eq!(answer[1].because, ["nothing is known of x9.unknown in us-east-1"]);
}

#[test]
fn a_restless_price_raises_the_chance() {
    let hour = |h: i64| Timestamp::from_second(1_790_000_000 + h * 3_600).unwrap();
    let points =
        |prices: [i64; 2]| (0..168).map(move |h| PricePoint { at: hour(h), price_per_hour: MicroDollars(prices[(h % 2) as usize]) });
    let chance = |prices: [i64; 2]| {
        let spot = Pool { instance_type: pool("m6i.large").instance_type, zone: pool("m6i.large").zone, capacity: CapacityType::Spot };
        let series = BTreeMap::from([(spot, PriceSeries::from(points(prices).collect::<Vec<_>>()))]);
        let known = Knowledge { series, ..Knowledge::day_zero() };
        Planner::default().predict(&question(&["m6i.large"], 1_440), &known)[0].probability.unwrap()
    };
    assert!(chance([40_000, 80_000]) > chance([40_000, 40_100]));
}

#[test]
fn millionths_are_rounded_up_and_stay_within_one() {
    assert_eq!([0.0, 1e-9, 0.5, 1.0, 7.0, -1.0].map(millionths), [0, 1, 500_000, 1_000_000, 1_000_000, 0]);
}
