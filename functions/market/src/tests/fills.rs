//! Laws of fillings and of wishes, on a market that behaves.

use super::fake::{Market, kind, minutes, pool, region};
use super::{SOON, run, run_for};
use domain::SignedDuration;
use domain::market::{
    Asked, FILL_BATCH, FILL_FAILURES_MAX, FillProgress, FillState, FillWish, Part, PricePoint, PriceSeries, ReadFate, RefreshWish,
};
use domain::ports::{Clock, MarketStore, MarketWishes, MarketWork};
use planning::public_data::HISTORY_KEPT;

fn hours(hours: i64) -> SignedDuration {
    SignedDuration::from_hours(hours)
}

fn wish(market: &Market, id: &str) -> FillWish {
    let now = market.clock.now();
    let types = (0..3 * FILL_BATCH).map(|n| kind(&format!("x{n}.large"))).chain([kind("m6i.large")]).collect();
    FillWish { id: id.to_owned(), region: region("us-east-1"), types, since: now - HISTORY_KEPT, by: "ann".to_owned(), at: now, undo: None }
}

async fn progress(market: &Market, id: &str) -> Option<FillProgress> {
    market.kept.fill_progress(id).await.unwrap()
}

async fn series(market: &Market, zone: &str) -> Vec<(i64, i64)> {
    let known = market.kept.spot_series(&region("us-east-1"), &[pool(zone)]).await.unwrap();
    let now = market.clock.now();
    let of = |point: &PricePoint| (now.duration_since(point.at).as_hours(), point.price_per_hour.0);
    known.first().map(|(_, series)| series.points().iter().map(of).collect()).unwrap_or_default()
}

/// A market that was read, and of whose past the table has lost everything but the last hours of one pool.
async fn holed() -> std::sync::Arc<Market> {
    let market = Market::of(&["us-east-1"], SOON).await;
    market.moves("us-east-1a", hours(-100), 41_000);
    market.moves("us-east-1a", hours(-3), 42_000);
    run(&market).await;
    let whole = market.kept.spot_series(&region("us-east-1"), &[pool("us-east-1a")]).await.unwrap();
    let last = whole[0].1.points().last().copied().into_iter().collect::<Vec<_>>();
    let kept = [(pool("us-east-1a"), PriceSeries::from(last)), (pool("us-east-1b"), PriceSeries::default())];
    market.kept.put_spot_series(&region("us-east-1"), &kept).await.unwrap();
    market
}

#[tokio::test(start_paused = true)]
async fn a_hole_is_filled_from_what_the_source_remembers_and_every_point_is_marked() {
    let market = holed().await;
    market.kept.put_fill_wish(&wish(&market, "f-1")).await.unwrap();
    run(&market).await;
    let done = progress(&market, "f-1").await.unwrap();
    assert_eq!((done.state, done.percent(), done.batches, done.pools, done.points), (FillState::Done, 100, 4, 2, 3), "{done:?}");
    assert_eq!(series(&market, "us-east-1a").await, [(300, 40_000), (100, 41_000), (3, 42_000)]);
    assert_eq!(series(&market, "us-east-1b").await, [(5, 50_000)]);
    let marks = market.kept.filled_in(&region("us-east-1"), &kind("m6i.large")).await.unwrap();
    assert_eq!(marks.iter().map(|of| of.added.len()).sum::<usize>(), 3);
    let writes = market.kept.writes();
    run(&market).await;
    assert_eq!(market.kept.writes(), writes, "what is done is not done again");
}

#[tokio::test(start_paused = true)]
async fn what_was_filled_is_taken_out_again_and_what_was_read_since_stays() {
    let market = holed().await;
    let wish = wish(&market, "f-1");
    market.kept.put_fill_wish(&wish).await.unwrap();
    run(&market).await;
    market.pass(minutes(10)).await;
    market.moves("us-east-1a", minutes(-1), 43_000);
    run(&market).await;
    let undo = Some(Asked { by: "bob".to_owned(), at: market.clock.now() });
    market.kept.put_fill_wish(&FillWish { undo, ..wish }).await.unwrap();
    for _ in 0..2 {
        run(&market).await;
        assert_eq!(series(&market, "us-east-1a").await, [(3, 42_000), (0, 43_000)]);
        assert_eq!(series(&market, "us-east-1b").await, []);
        assert_eq!(progress(&market, "f-1").await.unwrap().state, FillState::Undone);
    }
    assert_eq!(market.kept.filled_in(&region("us-east-1"), &kind("m6i.large")).await.unwrap(), []);
    assert_eq!(market.kept.filled_by("f-1", 10).await.unwrap().len(), 2, "what it did is history");
}

#[tokio::test(start_paused = true)]
async fn a_filling_that_has_no_more_time_is_gone_on_with_and_says_how_far_it_is() {
    let market = Market::of(&["us-east-1"], SignedDuration::from_secs(20)).await;
    run(&market).await;
    market.kept.put_fill_wish(&wish(&market, "f-1")).await.unwrap();
    run_for(&market, SignedDuration::from_secs(60)).await;
    let some = progress(&market, "f-1").await.unwrap();
    assert!(some.state == FillState::Running && (25..100).contains(&some.percent()), "{some:?}");
    assert!(some.left().is_some_and(|left| left >= SignedDuration::from_secs(20)), "{some:?}");
    run_for(&market, SignedDuration::from_secs(90)).await;
    assert_eq!(progress(&market, "f-1").await.unwrap().state, FillState::Done);
}

#[tokio::test(start_paused = true)]
async fn a_source_that_fails_is_asked_again_and_given_up_in_the_end() {
    let market = holed().await;
    market.kept.put_fill_wish(&wish(&market, "f-1")).await.unwrap();
    market.with(|state| state.broken.insert(Part::SpotPrices));
    run(&market).await;
    let once = progress(&market, "f-1").await.unwrap();
    assert!(once.failures == 1 && once.why.is_some() && once.state == FillState::Running, "{once:?}");
    market.with(|state| state.broken.clear());
    run(&market).await;
    assert_eq!(progress(&market, "f-1").await.unwrap().state, FillState::Done);
    market.kept.put_fill_wish(&wish(&market, "f-2")).await.unwrap();
    market.with(|state| state.broken.insert(Part::SpotPrices));
    for _ in 0..FILL_FAILURES_MAX + 2 {
        run(&market).await;
    }
    let gone = progress(&market, "f-2").await.unwrap();
    assert_eq!((gone.state, gone.failures), (FillState::Failed, FILL_FAILURES_MAX));
}

#[tokio::test(start_paused = true)]
async fn whoever_asks_has_a_part_read_anew_once_and_every_run_is_in_the_history() {
    let market = Market::of(&["us-east-1"], SOON).await;
    run(&market).await;
    market.pass(minutes(1)).await;
    let now = market.clock.now();
    let asked = RefreshWish { region: region("us-east-1"), parts: vec![Part::OnDemand], by: "ann".to_owned(), at: now };
    market.kept.put_refresh_wish(&asked).await.unwrap();
    market.asked();
    run(&market).await;
    run(&market).await;
    assert_eq!(market.asked(), [(Part::OnDemand, Some(region("us-east-1")))]);
    market.with(|state| state.broken.insert(Part::SpotPrices));
    market.pass(minutes(10)).await;
    run(&market).await;
    let runs = market.kept.runs(now - hours(1), market.clock.now(), 10).await.unwrap();
    let fates: Vec<Vec<(Part, ReadFate)>> =
        runs.iter().map(|run| run.entries.iter().map(|entry| (entry.part, entry.fate)).collect()).collect();
    assert_eq!(fates.len(), 3, "the run in which nothing was due says nothing: {fates:?}");
    assert_eq!(fates[..2], [vec![(Part::SpotPrices, ReadFate::Failed)], vec![(Part::OnDemand, ReadFate::Read)]]);
    assert!(runs[0].entries[0].why.is_some());
}
