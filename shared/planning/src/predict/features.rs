//! What a model is given of a pool: the tensor contract `spot-interruption/1`. The same evidence that [`super::predict`] reckons with, as
//! twelve numbers, none of them ever missing: what is not known has a neutral value, and a flag beside it says so.

use super::{monthly_rate, predict};
use crate::risk::{Evidence, volatility};
use domain::market::{Band, PriceSource};
use domain::{SignedDuration, Timestamp};

/// One number that a model is given.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Feature {
    /// Its name.
    pub name: &'static str,
    /// What it is, with its unit.
    pub says: &'static str,
    /// The least that it can be.
    pub low: f32,
    /// The most; more is cut off.
    pub high: f32,
}

const fn feature(name: &'static str, says: &'static str, low: f32, high: f32) -> Feature {
    Feature { name, says, low, high }
}

/// Every number, in the order of the tensor's columns. Neither names nor order ever change: another list is another contract.
pub const FEATURES: [Feature; 12] = [
    feature("horizon_hours", "within how many hours, hours", 0.0, 720.0),
    feature("band_rate", "the middle of the Spot Advisor's band: the share interrupted in a month; 0.125 where it is not known", 0.0, 1.0),
    feature("band_known", "1 where the Spot Advisor names the type in the Region, else 0", 0.0, 1.0),
    feature("band_savings", "what spot saves by the Spot Advisor, as a share of the on-demand price; 0 where it is not known", -1.0, 1.0),
    feature("volatility", "the restlessness of the price over seven days, 0 to 1; 0.5 where it is not known", 0.0, 1.0),
    feature("volatility_known", "1 where a day of prices or more is known, else 0", 0.0, 1.0),
    feature("price_share", "the spot price as a share of the on-demand price; 0.5 where it is not known", 0.0, 2.0),
    feature("price_observed", "1 where the market was read, 0 where the price is estimated from public data or not known", 0.0, 1.0),
    feature("changes_per_day", "how often the price changed, per day of the last seven", 0.0, 48.0),
    feature("vcpus", "virtual processors of the type; 0 where it is not known", 0.0, 512.0),
    feature("memory_gib", "memory of the type, GiB; 0 where it is not known", 0.0, 32_768.0),
    feature("built_in", "what the engine of this server reckons, before it corrects: a probability", 0.0, 1.0),
];

/// How large the type of a pool is.
#[derive(Debug, Clone, Copy, Default, PartialEq)]
pub struct Size {
    /// Virtual processors.
    pub vcpus: f64,
    /// Memory, GiB.
    pub memory_gib: f64,
}

/// The numbers of one pool, by [`FEATURES`].
///
/// # Guarantees
/// Every number is finite and within its limits. The same evidence gives the same numbers.
pub fn features(evidence: &Evidence<'_>, size: Size, horizon: SignedDuration, now: Timestamp) -> [f32; FEATURES.len()] {
    /// Volatility looks back as far.
    const DAYS: f64 = 7.0;
    let flag = |known: bool| if known { 1.0 } else { 0.0 };
    let rate = evidence.advice.map(|advice| monthly_rate(advice.band));
    let restless = volatility(evidence.history, now);
    let ratio = evidence.price.zip(evidence.on_demand.filter(|full| full.0 > 0));
    let share = ratio.map(|(spot, full)| spot.price_per_hour.0 as f64 / full.0 as f64);
    let observed = evidence.price.is_some_and(|quote| match quote.source {
        PriceSource::Observed { .. } => true,
        PriceSource::PublicEstimate { .. } => false,
    });
    let week = |at: Timestamp| at <= now && now.duration_since(at) < SignedDuration::from_hours(24 * 7);
    let changes = u32::try_from(evidence.history.iter().filter(|point| week(point.at)).count()).unwrap_or(u32::MAX);
    let row = [
        horizon.as_secs_f64() / 3_600.0,
        rate.unwrap_or_else(|| monthly_rate(Band::From10)),
        flag(rate.is_some()),
        evidence.advice.map_or(0.0, |advice| f64::from(advice.savings_percent) / 100.0),
        restless.unwrap_or(0.5),
        flag(restless.is_some()),
        share.unwrap_or(0.5),
        flag(observed),
        f64::from(changes) / DAYS,
        size.vcpus,
        size.memory_gib,
        predict(evidence, horizon, now).probability,
    ];
    let mut row = row.into_iter().zip(FEATURES).map(|(value, feature)| narrow(value).clamp(feature.low, feature.high));
    std::array::from_fn(|_| row.next().unwrap_or_default())
}

/// As models take it. What is no number is 0: a column never spoils the others.
#[expect(clippy::cast_possible_truncation, reason = "models reckon with 32 bits")]
fn narrow(value: f64) -> f32 {
    if value.is_finite() { value as f32 } else { 0.0 }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::risk::Trouble;
    use domain::market::{Advice, PricePoint, Quote};
    use domain::money::MicroDollars;

    fn now() -> Timestamp {
        "2026-08-01T12:00:00Z".parse().unwrap()
    }

    fn value(row: [f32; 12], name: &str) -> f32 {
        row[FEATURES.iter().position(|feature| feature.name == name).unwrap()]
    }

    const NOTHING: Evidence<'static> = Evidence { advice: None, history: &[], price: None, on_demand: None, trouble: Trouble::Unknown };

    #[test]
    fn where_nothing_is_known_every_number_is_neutral_and_says_so() {
        let row = features(&NOTHING, Size::default(), SignedDuration::from_hours(1), now());
        for name in ["band_known", "volatility_known", "price_observed"] {
            assert_eq!(value(row, name), 0.0, "{name}");
        }
        assert_eq!((value(row, "horizon_hours"), value(row, "band_rate"), value(row, "price_share")), (1.0, 0.125, 0.5));
        assert!(value(row, "built_in") > 0.0);
    }

    #[test]
    fn what_is_known_stands_in_its_column() {
        let history: Vec<PricePoint> = (0..14)
            .map(|half| PricePoint { at: now() - SignedDuration::from_hours(12 * half), price_per_hour: MicroDollars(40_000 + half) })
            .collect();
        let evidence = Evidence {
            advice: Some(Advice { band: Band::Above20, savings_percent: 61, as_of: now() }),
            history: &history,
            price: Some(Quote { price_per_hour: MicroDollars(24_000), source: PriceSource::Observed { at: now() } }),
            on_demand: Some(MicroDollars(96_000)),
            trouble: Trouble::Unknown,
        };
        let row = features(&evidence, Size { vcpus: 2.0, memory_gib: 8.0 }, SignedDuration::from_hours(24), now());
        let expected = [("band_rate", 0.225), ("band_savings", 0.61), ("price_share", 0.25), ("changes_per_day", 2.0), ("vcpus", 2.0)];
        for (name, wanted) in expected {
            assert!((value(row, name) - wanted).abs() < 1e-6, "{name}: {}", value(row, name));
        }
        assert_eq!([value(row, "band_known"), value(row, "volatility_known"), value(row, "price_observed")], [1.0; 3]);
    }

    #[test]
    fn no_number_leaves_its_limits() {
        let price = Quote { price_per_hour: MicroDollars(i64::MAX), source: PriceSource::PublicEstimate { as_of: now() } };
        let evidence = Evidence { price: Some(price), on_demand: Some(MicroDollars(1)), ..NOTHING };
        let size = Size { vcpus: f64::NAN, memory_gib: f64::INFINITY };
        let row = features(&evidence, size, SignedDuration::from_hours(9_000), now());
        for (value, feature) in row.iter().zip(FEATURES) {
            assert!((feature.low..=feature.high).contains(value), "{}: {value}", feature.name);
        }
    }
}
