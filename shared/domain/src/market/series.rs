//! The price of one pool over time.

use super::PricePoint;
use crate::money::MicroDollars;
use jiff::{SignedDuration, Timestamp};
use serde::{Deserialize, Serialize};

/// How many points a series keeps, the newest. At most 70 bytes each: far below the 400 KB of a DynamoDB item.
pub const POINTS_MAX: usize = 1_000;

/// Changes of a price: oldest first, one per instant, each other than the one before.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(from = "Vec<PricePoint>", into = "Vec<PricePoint>")]
pub struct PriceSeries(Vec<PricePoint>);

impl From<Vec<PricePoint>> for PriceSeries {
    /// Puts points in order, whatever order they come in. Points without a positive price are dropped; of two prices at one
    /// instant the higher stays, so that the order in which they are told does not matter and no saving is promised too early.
    fn from(mut points: Vec<PricePoint>) -> PriceSeries {
        points.retain(|point| point.price_per_hour.0 > 0);
        points.sort_unstable_by(|a, b| (a.at, b.price_per_hour).cmp(&(b.at, a.price_per_hour)));
        points.dedup_by_key(|point| point.at);
        points.dedup_by_key(|point| point.price_per_hour);
        let surplus = points.len().saturating_sub(POINTS_MAX);
        points.drain(..surplus);
        PriceSeries(points)
    }
}

impl From<PriceSeries> for Vec<PricePoint> {
    fn from(series: PriceSeries) -> Vec<PricePoint> {
        series.0
    }
}

impl PriceSeries {
    /// The points, oldest first.
    pub fn points(&self) -> &[PricePoint] {
        &self.0
    }

    /// The price at an instant. `None`: before the first point.
    pub fn price_at(&self, at: Timestamp) -> Option<MicroDollars> {
        let after = self.0.partition_point(|point| point.at <= at);
        self.0.get(after.checked_sub(1)?).map(|point| point.price_per_hour)
    }

    /// This series with newly read points. Points that are known already change nothing, so a read may overlap the last one.
    /// What lies more than `keep` before `now` is forgotten, but for the point that says which price held at that time.
    #[must_use]
    pub fn merged(self, new: impl IntoIterator<Item = PricePoint>, now: Timestamp, keep: SignedDuration) -> PriceSeries {
        let mut points = self.0;
        points.extend(new);
        let PriceSeries(mut points) = PriceSeries::from(points);
        let old = points.partition_point(|point| now.duration_since(point.at) >= keep);
        points.drain(..old.saturating_sub(1));
        PriceSeries(points)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn now() -> Timestamp {
        "2026-08-01T12:00:00Z".parse().unwrap()
    }

    fn point(hours_ago: i64, micros: i64) -> PricePoint {
        PricePoint { at: now() - SignedDuration::from_hours(hours_ago), price_per_hour: MicroDollars(micros) }
    }

    fn hours(h: i64) -> SignedDuration {
        SignedDuration::from_hours(h)
    }

    /// Points in a fixed disorder: multiples of a step that shares no divisor with their number.
    fn scattered(n: i64, step: i64) -> Vec<PricePoint> {
        (0..n).map(|at| (at * step) % n).map(|at| point(at, 10_000 + (at * at) % 7)).collect()
    }

    #[test]
    fn reading_the_same_again_or_in_another_order_changes_nothing() {
        let once = PriceSeries::default().merged(scattered(50, 7), now(), hours(40));
        assert_eq!(PriceSeries::default().merged(scattered(50, 13), now(), hours(40)), once);
        assert_eq!(once.clone().merged(scattered(50, 7), now(), hours(40)), once);
        assert!(once.points().is_sorted_by(|a, b| a.at < b.at && a.price_per_hour != b.price_per_hour));
    }

    #[test]
    fn a_price_within_the_window_is_the_same_after_the_rest_was_forgotten() {
        let all = PriceSeries::from(scattered(50, 7));
        let kept = all.clone().merged([], now(), hours(20));
        assert!(kept.points().len() < all.points().len());
        for age in 0..=20 {
            assert_eq!(kept.price_at(now() - hours(age)), all.price_at(now() - hours(age)), "{age} hours ago");
        }
    }

    #[test]
    fn a_price_that_held_for_longer_than_the_window_is_not_forgotten() {
        let series = PriceSeries::from(vec![point(900, 5_000)]).merged([], now(), hours(24));
        assert_eq!(series.price_at(now()), Some(MicroDollars(5_000)));
        assert_eq!(series.price_at(now() - hours(901)), None);
    }

    #[test]
    fn what_is_no_price_is_dropped_and_the_higher_of_two_stays() {
        let series = PriceSeries::from(vec![point(3, 0), point(2, -5), point(1, 7), point(1, 9), point(1, 8)]);
        assert_eq!(series.points(), [point(1, 9)]);
    }

    #[test]
    fn a_series_keeps_its_newest_points_and_reads_back_as_it_was_written() {
        let many: Vec<PricePoint> = (0..3_000).map(|at| point(at, 1_000 + at)).collect();
        let series = PriceSeries::from(many);
        assert_eq!((series.points().len(), series.price_at(now())), (POINTS_MAX, Some(MicroDollars(1_000))));
        let text = serde_json::to_string(&series).unwrap();
        assert!(text.len() <= 70 * POINTS_MAX);
        assert_eq!(serde_json::from_str::<PriceSeries>(&text).unwrap(), series);
    }
}
