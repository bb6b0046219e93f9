//! Laws of the market, of money and of the day.

use super::support::{Small, small};
use crate::checkers::Voluntary;
use crate::clock::EPOCH;
use crate::world::{Daily, MarketSpec, NodeSpec, PodShape, TypeSpec, What, WorkloadSpec, minted};
use domain::catalog::Arch;
use domain::money::MicroDollars;
use domain::offering::{CapacityType, Pool};
use domain::ports::{Clock, Cloud, CloudError};
use jiff::SignedDuration;

fn pool(zone: &str, capacity: CapacityType) -> Pool {
    Pool { instance_type: minted("m6i.large"), zone: minted(format!("us-east-1{zone}")), capacity }
}

fn spot(zone: &str) -> Pool {
    pool(zone, CapacityType::Spot)
}

/// A market in which nothing but prices moves.
fn quiet() -> MarketSpec {
    MarketSpec { shortage_chance: 0.0, strike_chance: 0.0, ..MarketSpec::default() }
}

async fn history(s: &Small) -> Vec<(i64, i64)> {
    let since = EPOCH - SignedDuration::from_hours(24 * 7);
    let prices = s.world.spot_prices(&s.scope(), &[minted("m6i.large")], &[minted("us-east-1a")], since).await.unwrap();
    prices.into_iter().map(|price| (price.since.as_second(), price.price_per_hour.0)).collect()
}

#[tokio::test]
async fn prices_wander_by_seed_around_a_mean_below_on_demand_and_have_a_history() {
    let open = |seed| {
        let s = small(1);
        s.world.open_market(quiet(), seed);
        s
    };
    let (one, same, other) = (open(1), open(1), open(2));
    assert!(history(&one).await.len() > 100);
    one.pass(86_400).await;
    same.pass(86_400).await;
    let prices = history(&one).await;
    assert_eq!(prices, history(&same).await);
    assert_ne!(prices, history(&other).await);
    let on_demand = one.world.on_demand_price(&minted("m6i.large")).0;
    assert!(prices.iter().all(|(_, price)| *price > on_demand / 20 && *price <= on_demand));
    assert_eq!(prices.last().unwrap().1, one.world.price(&spot("a")).0);
    one.world.set_spot_price(&spot("a"), MicroDollars(7));
    assert_eq!(one.world.price(&spot("a")).0, 7, "what is set by hand holds");
}

#[tokio::test]
async fn a_pool_that_is_short_launches_nothing() {
    let s = small(1);
    s.world.open_market(MarketSpec { shortage_chance: 1.0, shortage_steps: 1, strike_chance: 0.0, ..MarketSpec::default() }, 1);
    assert!(s.world.short(&spot("a")) && !s.world.short(&pool("a", CapacityType::OnDemand)));
    let request = s.request("t", "us-east-1a").await;
    assert!(matches!(s.world.launch(&s.scope(), &request).await, Err(CloudError::NoCapacity(_))));
}

#[tokio::test]
async fn a_struck_pool_goes_together_within_three_minutes_and_no_other_pool_with_it() {
    let mut s = small(100);
    for zone in ["us-east-1b", "us-east-1a"] {
        let capacity = if zone.ends_with('a') { CapacityType::OnDemand } else { CapacityType::Spot };
        s.nodes.push(s.world.add_node(&s.id, NodeSpec::new("m6i.large", zone, capacity)));
    }
    s.world.strike(&spot("a"));
    assert_eq!(s.world.take_warnings().len(), 1);
    s.pass(180).await;
    let warnings = s.world.take_warnings();
    assert!((80..=99).contains(&warnings.len()), "{}", warnings.len());
    assert!(warnings.iter().all(|w| w.body.contains(w.instance.as_str()) && !s.nodes[100..].contains(&w.instance)));
    s.pass(121).await;
    assert_eq!(s.world.live_instances(&s.id).len(), 102 - 1 - warnings.len());
}

#[tokio::test]
async fn an_open_market_strikes_by_itself() {
    let s = small(2);
    s.world.open_market(MarketSpec { strike_chance: 1.0, shortage_chance: 0.0, ..MarketSpec::default() }, 1);
    s.pass(3600).await;
    assert!(!s.world.take_warnings().is_empty());
}

#[tokio::test]
async fn a_cluster_costs_what_its_instances_cost_while_they_run() {
    let s = small(2);
    s.world.set_spot_price(&spot("a"), MicroDollars(30_000));
    assert_eq!(s.world.cost_per_hour(&s.id), MicroDollars(60_000));
    s.pass(3600).await;
    s.world.set_spot_price(&spot("a"), MicroDollars(60_000));
    s.pass(1800).await;
    s.world.human_terminates(&s.nodes[0]);
    assert_eq!(s.world.cost_per_hour(&s.id), MicroDollars(60_000));
    s.pass(1800).await;
    let now = s.clock.now();
    assert_eq!(s.world.cost(&s.id, EPOCH, now), MicroDollars(2 * 30_000 + 30_000 + 60_000));
    assert_eq!(s.world.cost(&s.id, now, now), MicroDollars(0));
}

#[tokio::test]
async fn a_launched_instance_joins_as_its_type_says_with_what_the_copied_one_was_told() {
    let mut s = small(0);
    let labels = [("team".to_owned(), "red".to_owned())].into();
    let spec = NodeSpec { labels, ..NodeSpec::new("m6i.large", "us-east-1a", CapacityType::Spot) };
    s.nodes.push(s.world.add_node(&s.id, spec));
    let mut request = s.request("t", "us-east-1b").await;
    request.offering.pool.instance_type = minted("x9.odd");
    let odd = TypeSpec { cpu_millis: 1234, pods_max: 5, arch: Arch::Arm64, ..TypeSpec::of(&minted("x9.odd")) };
    s.world.add_types([odd]);
    let id = s.world.launch(&s.scope(), &request).await.unwrap().id;
    s.pass(60).await;
    let node = s.world.node_of(&id).unwrap();
    assert_eq!((node.ready, node.cpu_millis, node.pods_max), (true, 1234, 5));
    let has = |key: &str| node.labels.get(key).map(String::as_str).unwrap_or_default().to_owned();
    assert_eq!(
        (has("team"), has("kubernetes.io/arch"), has("node.kubernetes.io/instance-type")),
        ("red".into(), "arm64".into(), "x9.odd".into())
    );
    assert_eq!((has("eks.amazonaws.com/capacityType"), has("topology.kubernetes.io/zone")), ("SPOT".into(), "us-east-1b".into()));
}

#[tokio::test]
async fn the_load_follows_the_day_and_the_cluster_grows_with_it() {
    let s = small(2);
    let pod = PodShape { cpu_millis: 900, ..PodShape::default() };
    s.world.add_deployment(&s.id, WorkloadSpec { pod, ..WorkloadSpec::new("web", 10) });
    let grow = Some(pool("a", CapacityType::OnDemand));
    s.world.follow_the_day(&s.id, Daily { shift_min: 0, grow, ..Daily::default() });
    let mut seen = Vec::new();
    for _ in 0..24 {
        s.pass(3600).await;
        seen.push(s.pods().len());
    }
    assert_eq!((seen[3], seen[15]), (4, 10), "{seen:?}");
    assert!(s.world.pending(&s.id).is_empty());
    assert!(s.world.nodes(&s.id).len() >= 5);
}

#[tokio::test]
async fn ending_an_instance_with_pods_on_it_is_no_voluntary_plan() {
    let s = small(2);
    s.deploy("web", 1);
    let mut watch = Voluntary::over(&s.world, &s.id);
    s.api.evict(&s.pods()[0].pod).await.unwrap();
    s.world.terminate(&s.scope(), &s.nodes[0]).await.unwrap();
    assert!(s.whats().iter().any(|what| matches!(what, What::PodCut { .. })));
    assert!(watch.look(&s.world).unwrap_err().contains("was ended while"));
    let s = small(2);
    s.deploy("web", 1);
    let mut watch = Voluntary::over(&s.world, &s.id);
    s.world.human_cordons(&s.id, &s.target(0).name);
    s.api.evict(&s.pods()[0].pod).await.unwrap();
    s.pass(30).await;
    s.world.terminate(&s.scope(), &s.nodes[0]).await.unwrap();
    assert_eq!((watch.look(&s.world), watch.at_rest(&s.world)), (Ok(()), Ok(())));
    s.world.human_terminates(&s.nodes[1]);
    s.pass(120).await;
    assert!(watch.at_rest(&s.world).unwrap_err().contains("wait for a node"));
}
