//! Holes in what is known of spot prices. A price holds until it changes, so a price that did not move is no hole: a hole is time of which it
//! is not known what held.

use domain::decision::PoolName;
use domain::market::PriceSeries;
use domain::offering::Pool;
use domain::{SignedDuration, Timestamp};
use planning::public_data::HISTORY_KEPT;
use schemars::JsonSchema;
use serde::Serialize;

/// After this time without a read the present is a hole, too: three reads have failed or did not take place.
const STALE: SignedDuration = SignedDuration::from_mins(30);
/// In how many parts the time that is kept is shown.
pub const DAYS: usize = 8;

/// Why something is not known.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum Cause {
    /// The Region was read and named no price of this pool: AWS sells none there, or what was written is lost.
    Missing,
    /// The series begins later than prices are kept: the pool is new, or a read was cut off.
    BeginsLate,
    /// The market of the Region was not read for a while.
    NotRead,
}

/// A hole in the series of one pool.
#[derive(Debug, Clone, PartialEq, Serialize, JsonSchema)]
pub struct Hole {
    /// Why.
    pub cause: Cause,
    /// From when.
    pub since: Timestamp,
    /// Until when.
    pub until: Timestamp,
    /// How long, in hours.
    pub hours: f64,
}

/// What is known of one pool.
#[derive(Debug, Clone, PartialEq, Serialize, JsonSchema)]
pub struct Known {
    /// The pool.
    pub pool: PoolName,
    /// Which share of the time is known, 0 to 1.
    pub share: f64,
    /// The same for each of the last eight days, oldest first.
    pub days: Vec<f64>,
    /// What is not known, oldest first.
    pub holes: Vec<Hole>,
    /// How many changes of the price are kept.
    pub points: u32,
}

/// Since when prices are wanted.
pub fn since(now: Timestamp) -> Timestamp {
    now.saturating_add(-HISTORY_KEPT).unwrap_or(now)
}

/// What is known of a pool, out of its series and the last time at which its Region was read.
pub fn known(pool: &Pool, series: Option<&PriceSeries>, read_at: Option<Timestamp>, now: Timestamp) -> Known {
    let begin = since(now);
    let points = series.map(PriceSeries::points).unwrap_or_default();
    // What was read holds until the last read; a read in the future is another clock's.
    let end = read_at.or_else(|| points.last().map(|point| point.at)).unwrap_or(begin).clamp(begin, now);
    let first = points.first().map_or(end, |point| point.at.clamp(begin, end));
    let hole = |cause, since: Timestamp, until: Timestamp| {
        let hours = until.duration_since(since).as_secs_f64() / 3_600.0;
        (since < until).then_some(Hole { cause, since, until, hours })
    };
    let early = hole(if points.is_empty() { Cause::Missing } else { Cause::BeginsLate }, begin, first);
    let late = hole(Cause::NotRead, end, now).filter(|_| now.duration_since(end) > STALE);
    // What is only a little old is no hole.
    let until = if late.is_none() { now } else { end };
    let share = |from: Timestamp, to: Timestamp| {
        let covered = until.min(to).duration_since(first.max(from)).as_secs_f64().max(0.0);
        let share = covered / to.duration_since(from).as_secs_f64();
        if points.is_empty() { 0.0 } else { share.clamp(0.0, 1.0) }
    };
    let edge = |day: usize| begin.saturating_add(SignedDuration::from_hours(24 * i64::try_from(day).unwrap_or_default())).unwrap_or(now);
    Known {
        pool: PoolName { instance_type: pool.instance_type.clone(), zone: pool.zone.clone() },
        share: share(begin, now),
        days: (0..DAYS).map(|day| share(edge(day), edge(day + 1))).collect(),
        holes: early.into_iter().chain(late).collect(),
        points: u32::try_from(points.len()).unwrap_or(u32::MAX),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use domain::market::PricePoint;
    use domain::money::MicroDollars;
    use domain::offering::CapacityType;

    fn now() -> Timestamp {
        "2026-08-09T12:00:00Z".parse().unwrap()
    }

    fn hours(h: i64) -> SignedDuration {
        SignedDuration::from_hours(h)
    }

    fn look(since_h: &[i64], read_h: Option<i64>) -> Known {
        let pool = Pool {
            instance_type: "m6i.large".to_owned().try_into().unwrap(),
            zone: "us-east-1a".to_owned().try_into().unwrap(),
            capacity: CapacityType::Spot,
        };
        let points = since_h.iter().map(|h| PricePoint { at: now() - hours(*h), price_per_hour: MicroDollars(1_000 + h) });
        let series = PriceSeries::from(points.collect::<Vec<_>>());
        known(&pool, Some(&series).filter(|series| !series.points().is_empty()), read_h.map(|h| now() - hours(h)), now())
    }

    fn causes(known: &Known) -> Vec<(Cause, i64)> {
        known.holes.iter().map(|hole| (hole.cause, hole.until.duration_since(hole.since).as_hours())).collect()
    }

    #[test]
    fn a_price_that_did_not_move_is_no_hole() {
        let whole = look(&[900], Some(0));
        assert_eq!((whole.share, causes(&whole)), (1.0, vec![]));
        assert_eq!(whole.days, [1.0; DAYS]);
    }

    #[test]
    fn a_series_that_begins_late_lacks_what_was_before() {
        let late = look(&[48, 3], Some(0));
        assert_eq!((late.share, causes(&late)), (0.25, vec![(Cause::BeginsLate, 144)]));
        assert_eq!(late.days, [0.0, 0.0, 0.0, 0.0, 0.0, 0.0, 1.0, 1.0]);
    }

    #[test]
    fn a_pool_without_prices_and_a_region_that_is_not_read_are_told_apart() {
        assert_eq!(causes(&look(&[], Some(0))), [(Cause::Missing, 192)]);
        assert_eq!(causes(&look(&[900], Some(36))), [(Cause::NotRead, 36)]);
        assert_eq!(look(&[900], Some(36)).days[6..], [0.5, 0.0]);
        assert_eq!(causes(&look(&[], Some(36))), [(Cause::Missing, 156), (Cause::NotRead, 36)]);
    }

    #[test]
    fn nothing_was_ever_read_and_a_clock_was_ahead() {
        assert_eq!((look(&[], None).share, causes(&look(&[], None))), (0.0, vec![(Cause::NotRead, 192)]));
        assert_eq!(causes(&look(&[900], Some(-5))), []);
    }
}
