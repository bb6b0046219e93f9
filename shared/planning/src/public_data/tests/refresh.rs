//! What a read changes.

use super::kind;
use crate::public_data::changed_series;
use domain::ids::Zone;
use domain::market::PriceSeries;
use domain::money::MicroDollars;
use domain::offering::{CapacityType, Pool};
use domain::ports::cloud::SpotPrice;
use domain::{SignedDuration, Timestamp};

fn now() -> Timestamp {
    "2026-08-01T12:00:00Z".parse().unwrap()
}

fn price(zone: &str, capacity: CapacityType, hours_ago: i64, micros: i64) -> SpotPrice {
    SpotPrice {
        pool: Pool { instance_type: kind("m6i.large"), zone: Zone::parse(zone).unwrap(), capacity },
        price_per_hour: MicroDollars(micros),
        since: now() - SignedDuration::from_hours(hours_ago),
    }
}

fn spot(zone: &str, hours_ago: i64, micros: i64) -> SpotPrice {
    price(zone, CapacityType::Spot, hours_ago, micros)
}

#[test]
fn only_pools_whose_price_changed_are_written_again() {
    let first = changed_series(Vec::new(), vec![spot("us-east-1a", 5, 40_000), spot("us-east-1b", 5, 50_000)], now());
    assert_eq!(first.len(), 2);
    let again = vec![spot("us-east-1a", 5, 40_000), spot("us-east-1b", 1, 60_000), spot("us-east-1b", 5, 50_000)];
    let second = changed_series(first, again, now());
    assert_eq!(second.len(), 1);
    let (pool, series) = &second[0];
    assert_eq!((pool.zone.as_str(), series.points().len()), ("us-east-1b", 2));
    assert_eq!(series.price_at(now()), Some(MicroDollars(60_000)));
}

#[test]
fn a_read_that_says_the_same_or_nothing_changes_nothing() {
    let read = vec![spot("us-east-1a", 5, 40_000), price("us-east-1b", CapacityType::OnDemand, 1, 96_000), spot("us-east-1b", 1, 0)];
    let kept = changed_series(Vec::new(), read.clone(), now());
    assert_eq!(kept.len(), 1);
    assert_eq!(changed_series(kept.clone(), read, now()), []);
    assert_eq!(changed_series(kept, Vec::new(), now()), []);
}

#[test]
fn the_price_that_held_when_the_memory_begins_is_kept_however_old_it_is() {
    let kept = changed_series(Vec::new(), vec![spot("us-east-1a", 1_000, 40_000), spot("us-east-1a", 900, 50_000)], now());
    assert_eq!(
        kept[0].1,
        PriceSeries::from(vec![domain::market::PricePoint { at: spot("us-east-1a", 900, 0).since, price_per_hour: MicroDollars(50_000) }])
    );
}
