//! Wishes, and what became of them.

use super::super::item;
use super::super::routes::{delete, put};
use super::super::table::{Range, Sort};
use super::{DecisionTable, keys};
use async_trait::async_trait;
use domain::Timestamp;
use domain::ids::{InstanceType, Region};
use domain::market::{FillProgress, FillWish, FilledPool, ReadRun, RefreshWish, Schedule};
use domain::ports::{MarketWishes, MarketWork, StoreError};
use std::collections::BTreeMap;

/// How long fillings and runs are remembered, in days. Filled points themselves are kept for eight.
const REMEMBERED_DAYS: i64 = 120;

#[async_trait]
impl MarketWishes for DecisionTable {
    async fn put_fill_wish(&self, wish: &FillWish) -> Result<(), StoreError> {
        let mut item = item::item(keys::fill_wish(&wish.id), "fill wish", wish)?;
        item::expire(&mut item, item::days_after(wish.at, REMEMBERED_DAYS));
        self.0.put(item).await
    }

    async fn fill_wish(&self, id: &str) -> Result<Option<FillWish>, StoreError> {
        self.0.get(keys::fill_wish(id)).await?.as_ref().map(item::body).transpose()
    }

    async fn fill_wishes(&self, limit: usize) -> Result<Vec<FillWish>, StoreError> {
        self.0.range(Range::table(keys::fill_wishes()).descending(), limit, item::body).await
    }

    async fn put_refresh_wish(&self, wish: &RefreshWish) -> Result<(), StoreError> {
        self.0.put(item::item(keys::refresh_wish(&wish.region), "refresh wish", wish)?).await
    }

    async fn refresh_wish(&self, region: &Region) -> Result<Option<RefreshWish>, StoreError> {
        self.0.get(keys::refresh_wish(region)).await?.as_ref().map(item::body).transpose()
    }

    async fn schedule(&self) -> Result<Schedule, StoreError> {
        let item = self.0.get(keys::schedule()).await?;
        Ok(item.as_ref().map(item::body).transpose()?.unwrap_or_default())
    }

    async fn put_schedule(&self, schedule: &Schedule) -> Result<(), StoreError> {
        self.put_versioned(keys::schedule(), schedule, schedule.version).await
    }
}

#[async_trait]
impl MarketWork for DecisionTable {
    async fn put_fill_progress(&self, progress: &FillProgress) -> Result<(), StoreError> {
        let mut item = item::item(keys::fill_progress(&progress.id), "fill progress", progress)?;
        item::expire(&mut item, item::days_after(progress.began_at, REMEMBERED_DAYS));
        self.0.put(item).await
    }

    async fn fill_progress(&self, id: &str) -> Result<Option<FillProgress>, StoreError> {
        self.0.get(keys::fill_progress(id)).await?.as_ref().map(item::body).transpose()
    }

    async fn put_filled(&self, region: &Region, filled: &[FilledPool]) -> Result<(), StoreError> {
        // A batch may name an item once.
        let wanted: BTreeMap<_, _> = filled.iter().map(|of| ((&of.job, &of.pool), of)).collect();
        let mut requests = Vec::with_capacity(2 * wanted.len());
        for of in wanted.into_values() {
            for key in [keys::filled(of), keys::mark(region, of)] {
                let mut item = item::item(key, "filled pool", of)?;
                let newest = of.added.last().map_or(Timestamp::UNIX_EPOCH, |point| point.at);
                item::expire(&mut item, item::days_after(newest, REMEMBERED_DAYS));
                requests.push(put(item)?);
            }
        }
        self.0.write_many(requests).await
    }

    async fn filled_by(&self, job: &str, limit: usize) -> Result<Vec<FilledPool>, StoreError> {
        self.0.range(Range::table(keys::filled_by(job)), limit, item::body).await
    }

    async fn filled_in(&self, region: &Region, instance_type: &InstanceType) -> Result<Vec<FilledPool>, StoreError> {
        self.0.range(Range::table(keys::marks(region, instance_type)), usize::MAX, item::body).await
    }

    async fn unmark(&self, region: &Region, filled: &[FilledPool]) -> Result<(), StoreError> {
        let wanted: BTreeMap<_, _> = filled.iter().map(|of| ((&of.job, &of.pool), of)).collect();
        let gone = wanted.into_values().map(|of| delete(keys::mark(region, of)));
        self.0.write_many(gone.collect::<Result<_, _>>()?).await
    }

    async fn put_run(&self, run: &ReadRun) -> Result<(), StoreError> {
        let mut item = item::item(keys::run(run.at), "market run", run)?;
        item::expire(&mut item, item::days_after(run.at, REMEMBERED_DAYS));
        self.0.put(item).await
    }

    async fn runs(&self, since: Timestamp, now: Timestamp, limit: usize) -> Result<Vec<ReadRun>, StoreError> {
        let mut found = Vec::new();
        for day in keys::run_days(since, now) {
            if found.len() >= limit {
                break;
            }
            let range = Range::table(day).sort(Sort::After(keys::from_instant(since))).descending();
            // Runs of the future (another clock's) take nobody's place in the list.
            found.extend(self.0.range(range, usize::MAX, item::body::<ReadRun>).await?.into_iter().filter(|run| run.at <= now));
        }
        found.truncate(limit);
        Ok(found)
    }
}
