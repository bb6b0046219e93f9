//! Which prices were read and which were filled, on the page of prices.

use super::support::{Bench, pool};
use domain::SignedDuration;
use domain::ids::Region;
use domain::market::{FilledPool, PricePoint, PriceSeries};
use domain::money::MicroDollars;
use domain::ports::{Clock, MarketStore, MarketWork};
use http::StatusCode;

#[tokio::test]
async fn a_person_sees_which_points_a_filling_added_and_can_have_those_alone() {
    let bench = Bench::empty().await;
    let (region, now) = (Region::parse("us-east-1").unwrap(), bench.clock.now());
    let known = bench.market.spot_series(&region, &[pool()]).await.unwrap().remove(0).1;
    let past = PricePoint { at: now - SignedDuration::from_hours(100), price_per_hour: MicroDollars(70_000) };
    let (filled, series): (FilledPool, PriceSeries) = FilledPool::new("f-night", &pool(), &known, [past]).unwrap();
    bench.market.put_spot_series(&region, &[(pool(), series)]).await.unwrap();
    bench.market.put_filled(&region, &[filled]).await.unwrap();
    let cookie = bench.enter("acme-viewer").await;
    let page = bench.get(&cookie, "/console/pricing?type=m6i.xlarge").await.text;
    assert!(page.contains("newest 2 of 2 points, 1 filled") && page.contains("2 changes kept, 1 of them filled"), "{page}");
    assert!(page.contains("zone a, filled") && page.contains("&#34;dashed&#34;:true"), "the line is dashed where it was filled");
    let csv = bench.get(&cookie, "/console/pricing?type=m6i.xlarge&csv=changes").await.text;
    assert!(csv.contains("0.070000,filled by f-night") && csv.contains("0.090000,read"), "{csv}");
    let only = bench.get(&cookie, "/console/pricing?type=m6i.xlarge&points=filled&csv=changes").await.text;
    assert!(only.contains("f-night") && !only.contains("0.090000"), "{only}");
    let other = bench.get(&cookie, "/console/pricing?type=c7g.large&points=filled").await;
    assert!(other.status == StatusCode::OK && other.text.contains("No point of this type was filled"), "{}", other.text);
}
