use super::*;
use crate::planner::market;
use async_trait::async_trait;
use domain::decision::DecisionRequest;
use domain::ids::InstanceType;
use domain::market::{Advice, Band, Part, PricePoint, PriceSeries, PriceSource, Quote};
use domain::money::MicroDollars;
use domain::snapshot::Subnet;
use sim::clock::SimClock;
use sim::store::MemoryMarket;
use std::sync::atomic::{AtomicUsize, Ordering};

/// Later than the embedded tables, whatever their date: 2035-01-01T00:00:00Z. What is older than they are is passed over.
const BEGAN: Timestamp = Timestamp::constant(2_051_222_400, 0);

/// A table that can be made to fail or to hang, and counts how often it was asked for something.
#[derive(Default)]
struct Moody {
    kept: MemoryMarket,
    broken: Mutex<bool>,
    hangs: Mutex<bool>,
    asked: AtomicUsize,
}

impl Moody {
    async fn ask(&self) -> Result<(), StoreError> {
        self.asked.fetch_add(1, Ordering::Relaxed);
        let (broken, hangs) = (*self.broken.lock().unwrap(), *self.hangs.lock().unwrap());
        if hangs {
            std::future::pending::<()>().await;
        }
        if broken { Err(StoreError::Throttled) } else { Ok(()) }
    }

    fn asked(&self) -> usize {
        self.asked.swap(0, Ordering::Relaxed)
    }

    fn breaks(&self, broken: bool) {
        *self.broken.lock().unwrap() = broken;
    }
}

#[async_trait]
impl MarketStore for Moody {
    async fn spot_series(&self, region: &Region, pools: &[Pool]) -> Result<Vec<(Pool, PriceSeries)>, StoreError> {
        self.ask().await?;
        self.kept.spot_series(region, pools).await
    }
    async fn put_spot_series(&self, region: &Region, series: &[(Pool, PriceSeries)]) -> Result<(), StoreError> {
        self.kept.put_spot_series(region, series).await
    }
    async fn on_demand(&self, region: &Region) -> Result<Vec<(InstanceType, Quote)>, StoreError> {
        self.ask().await?;
        self.kept.on_demand(region).await
    }
    async fn put_on_demand(&self, region: &Region, prices: &[(InstanceType, Quote)]) -> Result<(), StoreError> {
        self.kept.put_on_demand(region, prices).await
    }
    async fn advice(&self, region: &Region) -> Result<Vec<(InstanceType, Advice)>, StoreError> {
        self.ask().await?;
        self.kept.advice(region).await
    }
    async fn put_advice(&self, region: &Region, advice: &[(InstanceType, Advice)]) -> Result<(), StoreError> {
        self.kept.put_advice(region, advice).await
    }
    async fn advisor_version(&self) -> Result<Option<String>, StoreError> {
        self.kept.advisor_version().await
    }
    async fn put_advisor_version(&self, version: &str) -> Result<(), StoreError> {
        self.kept.put_advisor_version(version).await
    }
    async fn refreshed(&self, region: &Region) -> Result<Refreshed, StoreError> {
        self.ask().await?;
        self.kept.refreshed(region).await
    }
    async fn put_refreshed(&self, region: &Region, part: Part, at: Timestamp) -> Result<(), StoreError> {
        self.kept.put_refreshed(region, part, at).await
    }
}

fn region() -> Region {
    Region::parse("us-east-1").unwrap()
}

fn kind() -> InstanceType {
    InstanceType::parse("m6i.large").unwrap()
}

fn zones() -> BTreeSet<Zone> {
    BTreeSet::from([Zone::parse("us-east-1a").unwrap()])
}

fn pool() -> Pool {
    Pool { instance_type: kind(), zone: Zone::parse("us-east-1a").unwrap(), capacity: CapacityType::Spot }
}

fn minutes(minutes: i64) -> SignedDuration {
    SignedDuration::from_mins(minutes)
}

/// A table in which m6i.large has a spot price, an on-demand price and advice, all as of now.
async fn filled() -> (Arc<Moody>, Arc<SimClock>, Library) {
    let (table, clock) = (Arc::new(Moody::default()), SimClock::starting(BEGAN));
    price(&table, &clock, 31_000).await;
    let quote = Quote { price_per_hour: MicroDollars(90_000), source: PriceSource::Observed { at: clock.now() } };
    table.put_on_demand(&region(), &[(kind(), quote)]).await.unwrap();
    let advice = Advice { band: Band::Above20, savings_percent: 60, as_of: clock.now() };
    table.put_advice(&region(), &[(kind(), advice)]).await.unwrap();
    let library = Library::new(table.clone(), clock.clone());
    (table, clock, library)
}

async fn price(table: &Moody, clock: &SimClock, micros: i64) {
    let points = vec![PricePoint { at: clock.now() - minutes(1), price_per_hour: MicroDollars(micros) }];
    table.put_spot_series(&region(), &[(pool(), PriceSeries::from(points))]).await.unwrap();
    table.put_refreshed(&region(), Part::SpotPrices, clock.now()).await.unwrap();
}

fn spot(known: &Knowledge, clock: &SimClock) -> Option<i64> {
    known.spot_price(&pool(), clock.now()).map(|quote| quote.price_per_hour.0)
}

#[tokio::test(start_paused = true)]
async fn what_the_market_function_wrote_is_what_is_planned_with() {
    let (_, clock, library) = filled().await;
    let known = library.of_zones(&region(), &zones()).await;
    assert_eq!(known.notes, Vec::<String>::new());
    let mut request: DecisionRequest = serde_json::from_value(crate::tests::support::question()).unwrap();
    request.constraints.now = Some(clock.now());
    let zone = pool().zone;
    request.snapshot.subnets = vec![Subnet { id: domain::ids::SubnetId::parse("subnet-0a").unwrap(), zone }];
    let market = market(&request, &known);
    let of = |capacity| market.offer(&Pool { capacity, ..pool() }).and_then(|offer| offer.quote).map(|quote| quote.price_per_hour.0);
    assert_eq!((of(CapacityType::Spot), of(CapacityType::OnDemand)), (Some(31_000), Some(90_000)));
    assert_eq!(known.catalogue.advisor(&region(), &kind()).map(|advice| advice.band), Some(Band::Above20));
}

#[tokio::test(start_paused = true)]
async fn the_table_is_read_once_in_five_minutes_and_then_anew() {
    let (table, clock, library) = filled().await;
    library.of_zones(&region(), &zones()).await;
    assert!(table.asked() > 0);
    price(&table, &clock, 35_000).await;
    clock.sleep(FRESH_FOR - minutes(1)).await;
    assert_eq!((spot(&*library.of_zones(&region(), &zones()).await, &clock), table.asked()), (Some(31_000), 0));
    clock.sleep(minutes(2)).await;
    assert_eq!(spot(&*library.of_zones(&region(), &zones()).await, &clock), Some(35_000));
}

#[tokio::test(start_paused = true)]
async fn pools_that_were_not_asked_for_yet_are_read_beside_those_that_were() {
    let (table, clock, library) = filled().await;
    let other = Pool { zone: Zone::parse("us-east-1b").unwrap(), ..pool() };
    assert_eq!(spot(&*library.of_pools(&region(), BTreeSet::from([other])).await, &clock), None);
    table.asked();
    assert_eq!(spot(&*library.of_pools(&region(), BTreeSet::from([pool()])).await, &clock), Some(31_000));
    assert_eq!(table.asked(), 1, "the Region is known, the pool is not");
}

#[tokio::test(start_paused = true)]
async fn a_table_that_cannot_be_read_leaves_public_data_and_a_sentence_that_says_so() {
    let (table, clock, library) = filled().await;
    table.breaks(true);
    let known = library.of_zones(&region(), &zones()).await;
    assert_eq!(spot(&known, &clock), None);
    assert_eq!(known.catalogue.on_demand(&region(), &kind()), Catalogue::embedded().on_demand(&region(), &kind()));
    assert!(known.notes.len() == 1 && known.notes[0].contains("embedded public data"), "{:?}", known.notes);
}

#[tokio::test(start_paused = true)]
async fn what_was_read_before_is_used_while_the_table_is_down_but_not_for_ever() {
    let (table, clock, library) = filled().await;
    library.of_zones(&region(), &zones()).await;
    table.breaks(true);
    clock.sleep(minutes(20)).await;
    let known = library.of_zones(&region(), &zones()).await;
    assert_eq!(spot(&known, &clock), Some(31_000));
    assert!(known.notes.len() == 1 && known.notes[0].contains("what was read of it at"), "{:?}", known.notes);
    clock.sleep(KEPT_FOR).await;
    assert_eq!(spot(&*library.of_zones(&region(), &zones()).await, &clock), None);
    table.breaks(false);
    clock.sleep(minutes(1)).await;
    assert_eq!(spot(&*library.of_zones(&region(), &zones()).await, &clock), Some(31_000));
}

#[tokio::test(start_paused = true)]
async fn a_table_that_hangs_costs_one_question_five_seconds_and_the_next_ones_none() {
    let (table, clock, library) = filled().await;
    *table.hangs.lock().unwrap() = true;
    let began = clock.now();
    library.of_zones(&region(), &zones()).await;
    assert_eq!(clock.now().duration_since(began).as_secs(), READ_WITHIN.as_secs());
    table.asked();
    library.of_zones(&region(), &zones()).await;
    assert_eq!((clock.now().duration_since(began).as_secs(), table.asked()), (READ_WITHIN.as_secs(), 0));
}

#[tokio::test(start_paused = true)]
async fn a_market_that_was_never_read_or_not_for_long_is_told() {
    let (_, clock, library) = filled().await;
    let elsewhere = library.of_zones(&Region::parse("eu-west-1").unwrap(), &zones()).await;
    assert!(elsewhere.notes[0].contains("was not read yet"), "{:?}", elsewhere.notes);
    clock.sleep(minutes(31)).await;
    let known = library.of_zones(&region(), &zones()).await;
    assert!(known.notes[0].contains("was last read at"), "{:?}", known.notes);
    // The price is as old as the look at it: what the core saw since is newer.
    let quote = known.spot_price(&pool(), clock.now()).unwrap();
    assert_eq!(quote.source, PriceSource::Observed { at: BEGAN });
}
