//! The decision server's table in memory.

mod fills;
mod models;

use async_trait::async_trait;
use domain::decision::PredictionOutcome;
use domain::ids::{InstanceType, Region};
use domain::market::{Advice, Part, PriceSeries, Quote, Refreshed};
use domain::offering::{CapacityType, Pool};
use domain::ports::{MarketStore, Outcomes, StoreError};
use domain::{SignedDuration, Timestamp};
use std::collections::BTreeMap;
use std::sync::{Mutex, MutexGuard, PoisonError};

/// What the market says, kept in memory.
#[derive(Default)]
pub struct MemoryMarket {
    state: Mutex<State>,
}

#[derive(Default)]
struct State {
    spot: BTreeMap<(Region, Pool), PriceSeries>,
    on_demand: BTreeMap<(Region, InstanceType), Quote>,
    advice: BTreeMap<Region, BTreeMap<InstanceType, Advice>>,
    advisor_version: Option<String>,
    refreshed: BTreeMap<Region, Refreshed>,
    outcomes: BTreeMap<(Timestamp, String), PredictionOutcome>,
    work: fills::Work,
    models: models::Kept,
    writes: u64,
}

impl MemoryMarket {
    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// How many items were written: what a refresh costs.
    pub fn writes(&self) -> u64 {
        self.lock().writes
    }
}

#[async_trait]
impl MarketStore for MemoryMarket {
    async fn spot_series(&self, region: &Region, pools: &[Pool]) -> Result<Vec<(Pool, PriceSeries)>, StoreError> {
        let state = self.lock();
        let known = |pool: &Pool| state.spot.get(&(region.clone(), pool.clone())).map(|series| (pool.clone(), series.clone()));
        let found: BTreeMap<Pool, PriceSeries> = pools.iter().filter_map(known).collect();
        Ok(found.into_iter().collect())
    }

    async fn put_spot_series(&self, region: &Region, series: &[(Pool, PriceSeries)]) -> Result<(), StoreError> {
        if let Some((pool, _)) = series.iter().find(|(pool, _)| pool.capacity != CapacityType::Spot) {
            return Err(StoreError::Refused(format!("{pool} has no spot price")));
        }
        let mut state = self.lock();
        for (pool, series) in series {
            state.writes += 1;
            state.spot.insert((region.clone(), pool.clone()), series.clone());
        }
        Ok(())
    }

    async fn on_demand(&self, region: &Region) -> Result<Vec<(InstanceType, Quote)>, StoreError> {
        let state = self.lock();
        let here = state.on_demand.iter().filter(|((of, _), _)| of == region);
        Ok(here.map(|((_, name), quote)| (name.clone(), *quote)).collect())
    }

    async fn put_on_demand(&self, region: &Region, prices: &[(InstanceType, Quote)]) -> Result<(), StoreError> {
        let mut state = self.lock();
        for (name, quote) in prices {
            state.writes += 1;
            state.on_demand.insert((region.clone(), name.clone()), *quote);
        }
        Ok(())
    }

    async fn advice(&self, region: &Region) -> Result<Vec<(InstanceType, Advice)>, StoreError> {
        Ok(self.lock().advice.get(region).cloned().unwrap_or_default().into_iter().collect())
    }

    async fn put_advice(&self, region: &Region, advice: &[(InstanceType, Advice)]) -> Result<(), StoreError> {
        let mut state = self.lock();
        state.writes += 1;
        state.advice.insert(region.clone(), advice.iter().cloned().collect());
        Ok(())
    }

    async fn advisor_version(&self) -> Result<Option<String>, StoreError> {
        Ok(self.lock().advisor_version.clone())
    }

    async fn put_advisor_version(&self, version: &str) -> Result<(), StoreError> {
        let mut state = self.lock();
        state.writes += 1;
        state.advisor_version = Some(version.to_owned());
        Ok(())
    }

    async fn refreshed(&self, region: &Region) -> Result<Refreshed, StoreError> {
        Ok(self.lock().refreshed.get(region).copied().unwrap_or_default())
    }

    async fn put_refreshed(&self, region: &Region, part: Part, at: Timestamp) -> Result<(), StoreError> {
        let mut state = self.lock();
        state.writes += 1;
        let before = state.refreshed.get(region).copied().unwrap_or_default();
        state.refreshed.insert(region.clone(), before.with(part, at));
        Ok(())
    }
}

#[async_trait]
impl Outcomes for MemoryMarket {
    async fn put_outcomes(&self, outcomes: &[PredictionOutcome]) -> Result<(), StoreError> {
        let mut state = self.lock();
        for outcome in outcomes {
            state.outcomes.insert((outcome.predicted_at, outcome.id.clone()), outcome.clone());
        }
        Ok(())
    }

    async fn outcomes(&self, since: Timestamp, now: Timestamp, limit: usize) -> Result<Vec<PredictionOutcome>, StoreError> {
        let state = self.lock();
        let period = state.outcomes.range((since, String::new())..).rev().map(|(_, outcome)| outcome);
        Ok(period.filter(|outcome| outcome.predicted_at <= now + SignedDuration::from_mins(5)).take(limit).cloned().collect())
    }
}
