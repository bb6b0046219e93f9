//! Laws of a run, on a market that behaves.

mod fake;
mod fills;

use crate::{Fate, Run, Trouble, handle};
use domain::SignedDuration;
use domain::ids::Region;
use domain::market::{Part, PricePoint, PriceSeries, PriceSource, Quote, Schedule};
use domain::money::MicroDollars;
use domain::ports::{Clock, MarketStore, MarketWishes};
use fake::{Market, kind, minutes, pool, product, region};
use runtime::deadline::Budget;
use std::collections::BTreeSet;
use std::sync::Arc;

const SOON: SignedDuration = SignedDuration::from_millis(10);

async fn run(market: &Arc<Market>) -> Run {
    run_for(market, minutes(2)).await
}

async fn run_for(market: &Arc<Market>, time: SignedDuration) -> Run {
    handle(&market.deps(), Budget::lasting(&*market.clock, time)).await.unwrap()
}

fn parts(run: &Run, wanted: fn(&Fate) -> bool) -> BTreeSet<(Part, String)> {
    run.0.iter().filter(|(_, _, fate)| wanted(fate)).map(|(region, part, _)| (*part, region.to_string())).collect()
}

fn read(run: &Run) -> BTreeSet<(Part, String)> {
    parts(run, |fate| matches!(fate, Fate::Read))
}

fn failed(run: &Run) -> BTreeSet<(Part, String)> {
    parts(run, |fate| matches!(fate, Fate::Failed(_)))
}

async fn price_now(market: &Market, zone: &str) -> Option<i64> {
    let here = region(&zone[..zone.len() - 1]);
    let known = market.kept.spot_series(&here, &[pool(zone)]).await.unwrap();
    known.first().and_then(|(_, series)| series.price_at(market.clock.now())).map(|price| price.0)
}

async fn savings(market: &Market, name: &str) -> Option<i8> {
    market.kept.advice(&region(name)).await.unwrap().first().map(|(_, advice)| advice.savings_percent)
}

async fn on_demand(market: &Market, here: &Region) -> Option<i64> {
    market.kept.on_demand(here).await.unwrap().first().map(|(_, quote)| quote.price_per_hour.0)
}

#[tokio::test(start_paused = true)]
async fn the_first_run_reads_everything_and_the_next_one_nothing() {
    let market = Market::of(&["us-east-1", "eu-west-1"], SOON).await;
    assert_eq!(read(&run(&market).await).len(), 6);
    assert_eq!(market.asked().len(), 5, "the Spot Advisor has one file for all");
    for name in ["us-east-1", "eu-west-1"] {
        assert_eq!(price_now(&market, &format!("{name}a")).await, Some(40_000), "however long ago it began");
        assert_eq!(price_now(&market, &format!("{name}b")).await, Some(50_000));
        assert_eq!((on_demand(&market, &region(name)).await, savings(&market, name).await), (Some(96_000), Some(60)));
    }
    let writes = market.kept.writes();
    market.pass(minutes(3)).await;
    assert_eq!(run(&market).await.0.len(), 0);
    assert_eq!((market.asked().len(), market.kept.writes()), (0, writes));
    assert_eq!(market.with(|state| state.counts["market_runs finished"]), 2);
}

#[tokio::test(start_paused = true)]
async fn without_a_cluster_there_is_nothing_to_read() {
    let market = Market::of(&[], SOON).await;
    assert_eq!((run(&market).await.0.len(), market.asked().len()), (0, 0));
}

#[tokio::test(start_paused = true)]
async fn spot_prices_are_read_every_ten_minutes_and_only_what_changed_is_written() {
    let market = Market::of(&["us-east-1"], SOON).await;
    run(&market).await;
    market.pass(minutes(10)).await;
    market.moves("us-east-1b", minutes(-2), 55_000);
    let writes = market.kept.writes();
    assert_eq!(read(&run(&market).await), [(Part::SpotPrices, "us-east-1".to_owned())].into());
    assert_eq!(market.kept.writes() - writes, 2, "one pool, and that it was read");
    assert_eq!((price_now(&market, "us-east-1a").await, price_now(&market, "us-east-1b").await), (Some(40_000), Some(55_000)));
}

#[tokio::test(start_paused = true)]
async fn parts_are_read_as_often_as_somebody_has_set() {
    let market = Market::of(&["us-east-1"], SOON).await;
    run(&market).await;
    let set = Schedule { spot_prices_minutes: 3, version: 1, ..Schedule::default() };
    market.kept.put_schedule(&set).await.unwrap();
    market.pass(minutes(3)).await;
    assert_eq!(read(&run(&market).await), [(Part::SpotPrices, "us-east-1".to_owned())].into());
    market.kept.put_schedule(&Schedule { spot_prices_minutes: 15, version: 2, ..set }).await.unwrap();
    market.pass(minutes(14)).await;
    assert_eq!(read(&run(&market).await), [].into());
}

#[tokio::test(start_paused = true)]
async fn a_change_that_is_told_late_is_not_missed() {
    let market = Market::of(&["us-east-1"], SOON).await;
    run(&market).await;
    market.pass(minutes(10)).await;
    market.moves("us-east-1b", minutes(-25), 45_000);
    run(&market).await;
    assert_eq!(price_now(&market, "us-east-1b").await, Some(45_000));
}

#[tokio::test(start_paused = true)]
async fn a_price_of_the_future_does_not_hold_yet() {
    let market = Market::of(&["us-east-1"], SOON).await;
    market.moves("us-east-1a", minutes(15), 90_000);
    run(&market).await;
    assert_eq!(price_now(&market, "us-east-1a").await, Some(40_000));
    market.pass(minutes(20)).await;
    run(&market).await;
    assert_eq!(price_now(&market, "us-east-1a").await, Some(90_000));
}

#[tokio::test(start_paused = true)]
async fn one_part_that_fails_leaves_the_others_standing_and_is_told() {
    for broken in Part::ALL {
        let market = Market::of(&["us-east-1", "eu-west-1"], SOON).await;
        market.with(|state| state.broken.insert(broken));
        let first = run(&market).await;
        assert_eq!((read(&first).len(), failed(&first).len()), (4, 2));
        assert!(failed(&first).iter().all(|(part, _)| *part == broken));
        let failures =
            |state: &mut fake::State| state.counts.iter().filter(|(name, _)| name.starts_with("market_failures")).map(|(_, n)| n).sum();
        assert_eq!(market.with::<usize>(failures), 2);
        market.with(|state| state.broken.clear());
        market.asked();
        let second = run(&market).await;
        assert_eq!(read(&second), failed(&first), "what failed is read again, and nothing else");
    }
}

#[tokio::test(start_paused = true)]
async fn what_was_known_stays_when_a_source_fails_or_lies() {
    let market = Market::of(&["us-east-1"], SOON).await;
    let here = region("us-east-1");
    run(&market).await;
    market.pass(SignedDuration::from_hours(25)).await;
    market.publish("two", minutes(-5), 50);
    market.with(|state| {
        state.list.insert(here.clone(), vec![product(&here, "m6i.large", "0.097"), product(&here, "m6i.large", "0.98")]);
        state.file.as_mut().unwrap().bytes.truncate(90);
        state.history.clear();
    });
    let lied = run(&market).await;
    assert_eq!(failed(&lied).len(), 3, "{lied:?}");
    assert!(lied.0.iter().any(|(_, _, fate)| matches!(fate, Fate::Failed(Trouble::Empty))));
    assert_eq!(price_now(&market, "us-east-1b").await, Some(50_000));
    assert_eq!((on_demand(&market, &here).await, savings(&market, "us-east-1").await), (Some(96_000), Some(60)));
}

#[tokio::test(start_paused = true)]
async fn a_region_that_does_not_answer_keeps_no_other_waiting() {
    let market = Market::of(&["ap-south-1", "eu-west-1", "us-east-1"], SOON).await;
    market.with(|state| state.hangs.insert(region("ap-south-1")));
    let begun = market.clock.now();
    let run = run(&market).await;
    assert!(market.clock.now() <= begun + minutes(2), "it ends with its time");
    assert_eq!(failed(&run), [(Part::SpotPrices, "ap-south-1".to_owned()), (Part::OnDemand, "ap-south-1".to_owned())].into());
    assert!(run.0.iter().any(|(_, _, fate)| matches!(fate, Fate::Failed(Trouble::OutOfTime))));
    assert_eq!(read(&run).len(), 7);
}

#[tokio::test(start_paused = true)]
async fn a_run_whose_time_is_out_is_gone_on_with_and_reads_nothing_twice() {
    let names = ["ap-south-1", "ca-west-1", "eu-north-1", "eu-west-1", "eu-west-2", "sa-east-1", "us-east-1", "us-east-2", "us-west-2"];
    let market = Market::of(&names, SignedDuration::from_secs(25)).await;
    let mut done = BTreeSet::new();
    let mut runs = 0;
    while done.len() < 3 * names.len() {
        let run = run_for(&market, SignedDuration::from_secs(60)).await;
        assert!(failed(&run).iter().all(|_| run.0.iter().any(|(_, _, fate)| matches!(fate, Fate::Failed(Trouble::OutOfTime)))));
        let now = read(&run);
        assert!(now.is_disjoint(&done), "read twice");
        done.extend(now);
        runs += 1;
        assert!(runs <= 8 && market.clock.now() < sim::clock::EPOCH + minutes(10), "{done:?}");
    }
    let first: Vec<Part> = market.asked().into_iter().take(names.len()).map(|(part, _)| part).collect();
    assert_eq!(first, [Part::SpotPrices; 9], "the most perishable first");
}

#[tokio::test(start_paused = true)]
async fn without_time_nothing_is_asked() {
    let market = Market::of(&["us-east-1"], SOON).await;
    let run = run_for(&market, SignedDuration::ZERO).await;
    assert_eq!((run.sums(), market.asked().len(), market.kept.writes()), ([0, 0, 3], 0, 0));
}

#[tokio::test(start_paused = true)]
async fn a_read_that_died_before_its_end_writes_only_what_is_missing() {
    let market = Market::of(&["us-east-1"], SOON).await;
    let point = PricePoint { at: market.clock.now() - SignedDuration::from_hours(5), price_per_hour: MicroDollars(50_000) };
    market.kept.put_spot_series(&region("us-east-1"), &[(pool("us-east-1b"), PriceSeries::from(vec![point]))]).await.unwrap();
    let writes = market.kept.writes();
    run(&market).await;
    // The other pool, an on-demand price, the advice and its version, and three times that a part was read.
    assert_eq!(market.kept.writes() - writes, 7);
}

#[tokio::test(start_paused = true)]
async fn nothing_newer_is_replaced_by_something_older() {
    let market = Market::of(&["us-east-1"], SOON).await;
    let here = region("us-east-1");
    let later = Quote { price_per_hour: MicroDollars(99_000), source: PriceSource::Observed { at: market.clock.now() + minutes(5) } };
    market.kept.put_on_demand(&here, &[(kind("m6i.large"), later)]).await.unwrap();
    run(&market).await;
    assert_eq!(on_demand(&market, &here).await, Some(99_000), "another worker's clock was ahead");
    market.pass(SignedDuration::from_hours(25)).await;
    market.publish("a cache on the way", SignedDuration::from_hours(-90), 10);
    run(&market).await;
    assert_eq!((on_demand(&market, &here).await, savings(&market, "us-east-1").await), (Some(96_000), Some(60)));
}

#[tokio::test(start_paused = true)]
async fn a_file_that_did_not_change_is_not_read_again_but_for_a_new_region() {
    let market = Market::of(&["us-east-1"], SOON).await;
    run(&market).await;
    market.register("eu-west-1").await;
    market.publish("one", SignedDuration::from_hours(-30), 60);
    assert_eq!(savings(&market, "eu-west-1").await, None);
    run(&market).await;
    assert_eq!(savings(&market, "eu-west-1").await, Some(60));
    market.pass(SignedDuration::from_hours(6)).await;
    let writes = market.kept.writes();
    assert_eq!(read(&run(&market).await).len(), 4);
    assert_eq!(market.kept.writes() - writes, 4, "that four parts were read");
}

#[tokio::test(start_paused = true)]
async fn a_new_file_is_written_for_every_region_also_where_it_is_not_due() {
    let market = Market::of(&["us-east-1"], SOON).await;
    run(&market).await;
    market.pass(SignedDuration::from_hours(4)).await;
    market.register("eu-west-1").await;
    market.publish("two", minutes(-1), 50);
    let due = read(&run(&market).await);
    assert!(due.contains(&(Part::Advisor, "eu-west-1".to_owned())) && !due.contains(&(Part::Advisor, "us-east-1".to_owned())));
    assert_eq!((savings(&market, "us-east-1").await, savings(&market, "eu-west-1").await), (Some(50), Some(50)));
    assert_eq!(market.kept.advisor_version().await.unwrap().as_deref(), Some("two"));
}

#[tokio::test(start_paused = true)]
async fn a_file_of_the_future_does_not_keep_later_ones_out() {
    let market = Market::of(&["us-east-1"], SOON).await;
    market.publish("ahead", SignedDuration::from_hours(9_000), 10);
    run(&market).await;
    market.pass(SignedDuration::from_hours(6)).await;
    market.publish("right", minutes(-1), 50);
    run(&market).await;
    assert_eq!(savings(&market, "us-east-1").await, Some(50));
}
