//! A past for the simulated world: what was predicted in the days before it began and what came of it, and an instance that is no node.
//!
//! Who opens the console for the first time finds what a system of some days shows. Nothing of it is made up by hand: this server's own engine
//! predicts for the cluster's pools, hour by hour, and dice that are as likely as it says, and a little likelier, decide what came of it.

use crate::system::System;
use async_trait::async_trait;
use decision::planner::Planner;
use decision::{Engine, Library};
use domain::decision::{PoolName, PredictRequest, PredictionOutcome};
use domain::ids::InstanceId;
use domain::market::{PricePoint, PriceSeries};
use domain::model::{PredictionBatch, PredictionRow};
use domain::offering::{CapacityType, Pool};
use domain::ports::{Clock, MarketStore, Outcomes, PredictionLog};
use domain::watch::ScanOrder;
use domain::{SignedDuration, Timestamp};
use execution::Ports;
use execution::waste::Scanner;
use planning::public_data::Catalogue;
use sim::clock::SimClock;
use sim::world::NodeSpec;
use std::sync::Arc;

/// How many hours there are to look back on.
const HOURS: i64 = 96;
/// How many instances of each pool were watched: as many as make an interruption an hour believable, and not certain.
const INSTANCES: u32 = 200;
/// By how much more often instances were taken back than predicted: what public data does not know.
const LIKELIER: f64 = 1.6;
/// Within how many minutes.
const HORIZON: u32 = 60;

/// The simulated clock, so many hours on: a scan that looks again later.
struct Later(Arc<SimClock>, SignedDuration);

#[async_trait]
impl Clock for Later {
    fn now(&self) -> Timestamp {
        self.0.now().saturating_add(self.1).unwrap_or(Timestamp::MAX)
    }
    async fn sleep(&self, duration: SignedDuration) {
        self.0.sleep(duration).await;
    }
}

/// The scanner, so many hours on.
pub(crate) fn scanner(system: &System, hours: i64) -> Scanner {
    let clock = Arc::new(Later(system.clock.clone(), SignedDuration::from_hours(hours)));
    Scanner { ports: Ports { clock, ..system.ports.clone() }, ..system.scanner.clone() }
}

/// An instance that is launched, and whose node goes.
pub(crate) fn lose_node(system: &System) -> InstanceId {
    let spec = NodeSpec::new("m6i.xlarge", &format!("{}a", crate::system::REGION), CapacityType::OnDemand);
    let ghost = system.world.add_node(&system.cluster, spec);
    system.world.lose_node(&ghost);
    ghost
}

/// Gives the world its past, unless it has one from the last time.
///
/// # Errors
/// The table did not answer.
pub(crate) async fn remember(system: &System, table: &aws::DecisionTable) -> anyhow::Result<()> {
    let now = system.clock.now();
    let since = now - SignedDuration::from_hours(HOURS + 1);
    if table.outcomes(since, now, 1).await?.is_empty() {
        predictions(system, table, now).await?;
    }
    holes(system, table, now).await?;
    ghost(system).await
}

/// A read of the market broke off some days ago: of one family in one zone it is not known what held before.
async fn holes(system: &System, table: &aws::DecisionTable, now: Timestamp) -> anyhow::Result<()> {
    let region = crate::system::REGION.to_owned().try_into()?;
    let zone: domain::ids::Zone = format!("{}a", crate::system::REGION).try_into()?;
    let family = Catalogue::embedded().iter().filter(|info| info.family() == "m6i");
    let pools: Vec<Pool> =
        family.map(|info| Pool { instance_type: info.name.clone(), zone: zone.clone(), capacity: CapacityType::Spot }).collect();
    let at = now - SignedDuration::from_hours(30);
    let known = system.market.store.spot_series(&region, &pools).await?.into_iter();
    let cut = known.filter_map(|(pool, series)| {
        let price_per_hour = series.price_at(at)?;
        let later = series.points().iter().copied().filter(|point| point.at > at);
        Some((pool, PriceSeries::from(std::iter::once(PricePoint { at, price_per_hour }).chain(later).collect::<Vec<_>>())))
    });
    Ok(table.put_spot_series(&region, &cut.collect::<Vec<_>>()).await?)
}

async fn predictions(system: &System, table: &aws::DecisionTable, now: Timestamp) -> anyhow::Result<()> {
    let nodes = system.ports.routes.nodes(&system.customer, &system.cluster).await?;
    let mut pools: Vec<PoolName> = nodes
        .iter()
        .filter(|node| node.pool.capacity == CapacityType::Spot)
        .map(|node| PoolName { instance_type: node.pool.instance_type.clone(), zone: node.pool.zone.clone() })
        .collect();
    pools.sort();
    pools.dedup();
    let question = PredictRequest { region: crate::system::REGION.to_owned().try_into()?, pools, horizon_minutes: HORIZON };
    let wanted = question.pools.iter().map(|name| Pool {
        instance_type: name.instance_type.clone(),
        zone: name.zone.clone(),
        capacity: CapacityType::Spot,
    });
    let known = Library::embedded().of_pools(&question.region, wanted.collect()).await;
    let planner = Planner::default();
    let (said, rows) = (planner.predict(&question, &known), planner.features(&question, &known));
    let mut dice = fastrand::Rng::with_seed(system.clock.now().as_second().unsigned_abs());
    let mut outcomes = Vec::new();
    for hour in 1..=HOURS {
        let at = now - SignedDuration::from_hours(hour);
        let mut kept = Vec::new();
        for (prediction, features) in said.iter().zip(&rows) {
            let Some(reckoned) = prediction.probability else { continue };
            // Pools are now calmer, now busier: the engine sees some of that, and the dice all of it.
            let mood = 0.5 + 30.0 * dice.f64().powi(3);
            let told = (reckoned * mood).min(1.0);
            let chance = (told * LIKELIER).min(1.0);
            let interrupted = (0..INSTANCES).filter(|_| dice.f64() < chance).count();
            let pool = prediction.pool.clone();
            kept.push(PredictionRow { pool: pool.clone(), told, built_in: told, active: None, shadow: None, features: features.to_vec() });
            outcomes.push(PredictionOutcome {
                id: format!("past-{hour}-{}-{}", pool.instance_type, pool.zone),
                region: question.region.clone(),
                pool,
                predicted_at: at,
                horizon_minutes: HORIZON,
                probability: told,
                uncorrected: None,
                instances: INSTANCES,
                interrupted: u32::try_from(interrupted).unwrap_or(INSTANCES),
            });
        }
        let id = format!("past-{hour}");
        let region = question.region.clone();
        table
            .put_predictions(&PredictionBatch { id, at, region, horizon_minutes: HORIZON, active: None, shadow: None, rows: kept })
            .await?;
    }
    Ok(table.put_outcomes(&outcomes).await?)
}

/// An instance loses its node; two scans see it.
async fn ghost(system: &System) -> anyhow::Result<()> {
    lose_node(system);
    let order =
        ScanOrder { customer: system.customer.clone(), cluster: system.cluster.clone(), asked_by: "the start".to_owned(), whole: true };
    for hours in [2, 3] {
        scanner(system, hours).scan(&order).await?;
    }
    Ok(())
}
