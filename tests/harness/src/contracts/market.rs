//! The contract of the table in which the market is kept.

use domain::decision::{PoolName, PredictionOutcome};
use domain::ids::{InstanceType, Region, Zone};
use domain::market::{Advice, Band, Part, PricePoint, PriceSeries, PriceSource, Quote, Refreshed};
use domain::money::MicroDollars;
use domain::offering::{CapacityType, Pool};
use domain::ports::{MarketStore, Outcomes, StoreError};
use domain::{SignedDuration, Timestamp};

const NOON: &str = "2026-11-23T12:00:00Z";

/// Runs every law of the table. Each law has a Region of its own, so the table may hold other things, as long as nobody else
/// writes to it meanwhile.
pub async fn market(store: &dyn MarketStore) {
    what_was_never_written_is_absent(store).await;
    a_series_is_read_as_written_and_replaced_as_a_whole(store).await;
    a_write_of_some_pools_leaves_the_others(store).await;
    five_hundred_pools_are_written_and_read(store).await;
    a_pool_without_a_spot_price_is_refused(store).await;
    on_demand_prices_are_laid_over_each_other(store).await;
    advice_is_replaced_as_a_whole(store).await;
    one_file_has_one_version(store).await;
    a_part_is_never_read_earlier_than_it_was(store).await;
    regions_are_apart(store).await;
}

fn at(minutes: i64) -> Timestamp {
    NOON.parse::<Timestamp>().unwrap() + SignedDuration::from_mins(minutes)
}

fn region(text: &str) -> Region {
    Region::parse(text).unwrap()
}

fn kind(text: &str) -> InstanceType {
    InstanceType::parse(text).unwrap()
}

fn pool(instance_type: &str, zone: &str) -> Pool {
    Pool { instance_type: kind(instance_type), zone: Zone::parse(zone).unwrap(), capacity: CapacityType::Spot }
}

fn series(prices: &[i64]) -> PriceSeries {
    let points = (0..).zip(prices).map(|(minute, price)| PricePoint { at: at(minute), price_per_hour: MicroDollars(*price) });
    PriceSeries::from(points.collect::<Vec<_>>())
}

fn quote(price: i64) -> Quote {
    Quote { price_per_hour: MicroDollars(price), source: PriceSource::Observed { at: at(0) } }
}

fn advice(savings_percent: i8) -> Advice {
    Advice { band: Band::From5, savings_percent, as_of: at(0) }
}

fn sorted<T: Ord + Clone, U>(mut rows: Vec<(T, U)>) -> Vec<(T, U)> {
    rows.sort_by_key(|(key, _)| key.clone());
    rows
}

async fn what_was_never_written_is_absent(store: &dyn MarketStore) {
    let here = region("xx-never-1");
    assert_eq!(store.spot_series(&here, &[pool("m6i.large", "xx-never-1a")]).await.unwrap(), []);
    assert_eq!(store.spot_series(&here, &[]).await.unwrap(), []);
    assert_eq!(store.on_demand(&here).await.unwrap(), []);
    assert_eq!(store.advice(&here).await.unwrap(), []);
    assert_eq!(store.refreshed(&here).await.unwrap(), Refreshed::default());
    store.put_spot_series(&here, &[]).await.unwrap();
    store.put_on_demand(&here, &[]).await.unwrap();
}

async fn a_series_is_read_as_written_and_replaced_as_a_whole(store: &dyn MarketStore) {
    let (here, one) = (region("xx-series-1"), pool("m6i.large", "xx-series-1a"));
    store.put_spot_series(&here, &[(one.clone(), series(&[40_000, 41_000]))]).await.unwrap();
    for _ in 0..2 {
        store.put_spot_series(&here, &[(one.clone(), series(&[50_000]))]).await.unwrap();
        assert_eq!(store.spot_series(&here, std::slice::from_ref(&one)).await.unwrap(), [(one.clone(), series(&[50_000]))]);
    }
    let twice = [one.clone(), one.clone()];
    assert_eq!(store.spot_series(&here, &twice).await.unwrap().len(), 1, "asked for twice, answered once");
    let longest = PriceSeries::from((0..2_000).map(|n| PricePoint { at: at(n), price_per_hour: MicroDollars(1 + n) }).collect::<Vec<_>>());
    store.put_spot_series(&here, &[(one.clone(), longest.clone())]).await.unwrap();
    assert_eq!(store.spot_series(&here, std::slice::from_ref(&one)).await.unwrap(), [(one, longest)], "the longest that there is");
}

async fn a_write_of_some_pools_leaves_the_others(store: &dyn MarketStore) {
    let here = region("xx-some-1");
    let (a, b, c) = (pool("m6i.large", "xx-some-1a"), pool("m6i.large", "xx-some-1b"), pool("m6i.xlarge", "xx-some-1a"));
    store.put_spot_series(&here, &[(a.clone(), series(&[1])), (b.clone(), series(&[2])), (c.clone(), series(&[3]))]).await.unwrap();
    store.put_spot_series(&here, &[(b.clone(), series(&[20]))]).await.unwrap();
    let all = sorted(store.spot_series(&here, &[c.clone(), a.clone(), b.clone()]).await.unwrap());
    assert_eq!(all, [(a, series(&[1])), (b, series(&[20])), (c, series(&[3]))]);
}

async fn five_hundred_pools_are_written_and_read(store: &dyn MarketStore) {
    let here = region("xx-many-1");
    let pools: Vec<Pool> =
        (0..500).map(|n| pool(&format!("m{}.large", n / 5), &format!("xx-many-1{}", ["a", "b", "c", "d", "e"][n % 5]))).collect();
    let all: Vec<(Pool, PriceSeries)> = pools.iter().zip(1..).map(|(pool, price)| (pool.clone(), series(&[price]))).collect();
    store.put_spot_series(&here, &all).await.unwrap();
    assert_eq!(sorted(store.spot_series(&here, &pools).await.unwrap()), sorted(all));
}

async fn a_pool_without_a_spot_price_is_refused(store: &dyn MarketStore) {
    let here = region("xx-owned-1");
    let (spot, owned) = (pool("m6i.large", "xx-owned-1a"), Pool { capacity: CapacityType::OnDemand, ..pool("m6i.large", "xx-owned-1a") });
    let both = [(spot.clone(), series(&[1])), (owned.clone(), series(&[2]))];
    assert!(matches!(store.put_spot_series(&here, &both).await, Err(StoreError::Refused(_))));
    assert_eq!(store.spot_series(&here, &[spot.clone(), owned.clone()]).await.unwrap(), [], "all or nothing");
    store.put_spot_series(&here, &both[..1]).await.unwrap();
    assert_eq!(store.spot_series(&here, &[owned]).await.unwrap(), [], "the one is not taken for the other");
}

async fn on_demand_prices_are_laid_over_each_other(store: &dyn MarketStore) {
    let here = region("xx-owned-2");
    store.put_on_demand(&here, &[(kind("m6i.large"), quote(96_000)), (kind("m6i.xlarge"), quote(192_000))]).await.unwrap();
    let fresh = Quote { price_per_hour: MicroDollars(97_000), source: PriceSource::PublicEstimate { as_of: at(5) } };
    store.put_on_demand(&here, &[(kind("m6i.large"), fresh)]).await.unwrap();
    assert_eq!(sorted(store.on_demand(&here).await.unwrap()), [(kind("m6i.large"), fresh), (kind("m6i.xlarge"), quote(192_000))]);
    let many: Vec<(InstanceType, Quote)> = (0..1_200).map(|n| (kind(&format!("x{n}.large")), quote(1 + n))).collect();
    store.put_on_demand(&here, &many).await.unwrap();
    assert_eq!(store.on_demand(&here).await.unwrap().len(), 1_202, "page after page");
}

async fn advice_is_replaced_as_a_whole(store: &dyn MarketStore) {
    let here = region("xx-advice-1");
    store.put_advice(&here, &[(kind("m6i.large"), advice(60)), (kind("m6i.xlarge"), advice(-62))]).await.unwrap();
    assert_eq!(
        sorted(store.advice(&here).await.unwrap()),
        [(kind("m6i.large"), advice(60)), (kind("m6i.xlarge"), advice(-62))],
        "savings below zero, too"
    );
    store.put_advice(&here, &[(kind("m7i.large"), advice(50))]).await.unwrap();
    assert_eq!(store.advice(&here).await.unwrap(), [(kind("m7i.large"), advice(50))]);
    let many: Vec<(InstanceType, Advice)> = (0..1_500).map(|n| (kind(&format!("x{n}.24xlarge")), advice(50))).collect();
    store.put_advice(&here, &many).await.unwrap();
    assert_eq!(store.advice(&here).await.unwrap().len(), 1_500, "more types than AWS has");
}

async fn one_file_has_one_version(store: &dyn MarketStore) {
    for version in ["\"0a1b\"", "W/\"weak\"", "Tue, 15 Nov 1994 08:12:31 GMT"] {
        store.put_advisor_version(version).await.unwrap();
        assert_eq!(store.advisor_version().await.unwrap().as_deref(), Some(version));
    }
}

async fn a_part_is_never_read_earlier_than_it_was(store: &dyn MarketStore) {
    let here = region("xx-reads-1");
    store.put_refreshed(&here, Part::SpotPrices, at(10)).await.unwrap();
    store.put_refreshed(&here, Part::SpotPrices, at(5)).await.unwrap();
    store.put_refreshed(&here, Part::Advisor, at(-900)).await.unwrap();
    let expected = Refreshed { spot_prices: Some(at(10)), on_demand: None, advisor: Some(at(-900)) };
    assert_eq!(store.refreshed(&here).await.unwrap(), expected);
    // A tenth of a second is less than a second, however each is spelled.
    let later = at(10) + SignedDuration::from_millis(100);
    store.put_refreshed(&here, Part::SpotPrices, later).await.unwrap();
    store.put_refreshed(&here, Part::SpotPrices, at(10) + SignedDuration::from_nanos(1)).await.unwrap();
    store.put_refreshed(&here, Part::OnDemand, at(0)).await.unwrap();
    assert_eq!(store.refreshed(&here).await.unwrap(), expected.with(Part::SpotPrices, later).with(Part::OnDemand, at(0)));
}

async fn regions_are_apart(store: &dyn MarketStore) {
    let (east, other) = (region("xx-apart-1"), region("xx-apart-10"));
    let one = pool("m6i.large", "xx-apart-1a");
    store.put_spot_series(&east, &[(one.clone(), series(&[1]))]).await.unwrap();
    store.put_on_demand(&east, &[(kind("m6i.large"), quote(1))]).await.unwrap();
    store.put_advice(&east, &[(kind("m6i.large"), advice(1))]).await.unwrap();
    store.put_refreshed(&east, Part::OnDemand, at(0)).await.unwrap();
    assert_eq!(store.spot_series(&other, &[one]).await.unwrap(), []);
    assert_eq!(store.on_demand(&other).await.unwrap(), []);
    assert_eq!(store.advice(&other).await.unwrap(), []);
    assert_eq!(store.refreshed(&other).await.unwrap(), Refreshed::default());
}

/// Runs every law of recorded outcomes. Nobody else may write to the table meanwhile.
pub async fn outcomes(store: &dyn Outcomes) {
    let read = async |since: i64, limit: usize| store.outcomes(at(since), at(0), limit).await.unwrap();
    let day = 24 * 60;
    assert_eq!(read(-day, 10).await, [], "nothing was kept");
    let all: Vec<PredictionOutcome> = (0..60).map(|n| outcome(n, -n * 97)).collect();
    store.put_outcomes(&all).await.unwrap();
    store.put_outcomes(&all[..7]).await.unwrap();
    assert_eq!(read(-90 * day, 1_000).await, all, "each once, newest first, over days");
    assert_eq!(read(-90 * day, 20).await, all[..20], "the newest, if not all");
    assert_eq!(read(-97, 1_000).await, all[..2], "from then on, that instant too");
    let ahead = outcome(99, 60);
    store.put_outcomes(std::slice::from_ref(&ahead)).await.unwrap();
    assert_eq!(read(-97, 1_000).await, all[..2], "a clock that was ahead");
    assert_eq!(store.outcomes(at(-1), at(60), 1_000).await.unwrap(), [ahead, all[0].clone()], "until it is so late");
}

fn outcome(n: i64, minutes: i64) -> PredictionOutcome {
    let of = pool("m6i.large", "us-east-1a");
    PredictionOutcome {
        id: format!("outcome-{n}"),
        region: region("us-east-1"),
        pool: PoolName { instance_type: of.instance_type, zone: of.zone },
        predicted_at: at(minutes),
        horizon_minutes: 60,
        probability: 0.125,
        uncorrected: Some(0.25),
        instances: 3,
        interrupted: 1,
    }
}
