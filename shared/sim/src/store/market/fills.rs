//! Wishes, and what became of them.

use super::MemoryMarket;
use async_trait::async_trait;
use domain::Timestamp;
use domain::ids::{InstanceType, Region};
use domain::market::{FillProgress, FillWish, FilledPool, ReadRun, RefreshWish, Schedule};
use domain::offering::Pool;
use domain::ports::{MarketWishes, MarketWork, StoreError};
use std::collections::BTreeMap;

#[derive(Default)]
pub(super) struct Work {
    wishes: BTreeMap<String, FillWish>,
    refresh: BTreeMap<Region, RefreshWish>,
    schedule: Schedule,
    progress: BTreeMap<String, FillProgress>,
    filled: BTreeMap<(String, Pool), FilledPool>,
    marks: BTreeMap<(Region, Pool, String), FilledPool>,
    runs: BTreeMap<Timestamp, ReadRun>,
}

#[async_trait]
impl MarketWishes for MemoryMarket {
    async fn put_fill_wish(&self, wish: &FillWish) -> Result<(), StoreError> {
        self.lock().work.wishes.insert(wish.id.clone(), wish.clone());
        Ok(())
    }

    async fn fill_wish(&self, id: &str) -> Result<Option<FillWish>, StoreError> {
        Ok(self.lock().work.wishes.get(id).cloned())
    }

    async fn fill_wishes(&self, limit: usize) -> Result<Vec<FillWish>, StoreError> {
        Ok(self.lock().work.wishes.values().rev().take(limit).cloned().collect())
    }

    async fn put_refresh_wish(&self, wish: &RefreshWish) -> Result<(), StoreError> {
        self.lock().work.refresh.insert(wish.region.clone(), wish.clone());
        Ok(())
    }

    async fn refresh_wish(&self, region: &Region) -> Result<Option<RefreshWish>, StoreError> {
        Ok(self.lock().work.refresh.get(region).cloned())
    }

    async fn schedule(&self) -> Result<Schedule, StoreError> {
        Ok(self.lock().work.schedule.clone())
    }

    async fn put_schedule(&self, schedule: &Schedule) -> Result<(), StoreError> {
        let kept = &mut self.lock().work.schedule;
        if kept.version + 1 != schedule.version {
            return Err(StoreError::Conflict);
        }
        *kept = schedule.clone();
        Ok(())
    }
}

#[async_trait]
impl MarketWork for MemoryMarket {
    async fn put_fill_progress(&self, progress: &FillProgress) -> Result<(), StoreError> {
        self.lock().work.progress.insert(progress.id.clone(), progress.clone());
        Ok(())
    }

    async fn fill_progress(&self, id: &str) -> Result<Option<FillProgress>, StoreError> {
        Ok(self.lock().work.progress.get(id).cloned())
    }

    async fn put_filled(&self, region: &Region, filled: &[FilledPool]) -> Result<(), StoreError> {
        let work = &mut self.lock().work;
        for of in filled {
            work.filled.insert((of.job.clone(), of.pool.clone()), of.clone());
            work.marks.insert((region.clone(), of.pool.clone(), of.job.clone()), of.clone());
        }
        Ok(())
    }

    async fn filled_by(&self, job: &str, limit: usize) -> Result<Vec<FilledPool>, StoreError> {
        let state = self.lock();
        let all = state.work.filled.iter().filter(|((of, _), _)| of == job).map(|(_, filled)| filled.clone());
        Ok(all.take(limit).collect())
    }

    async fn filled_in(&self, region: &Region, instance_type: &InstanceType) -> Result<Vec<FilledPool>, StoreError> {
        let state = self.lock();
        let here = state.work.marks.iter().filter(|((of, pool, _), _)| of == region && pool.instance_type == *instance_type);
        Ok(here.map(|(_, filled)| filled.clone()).collect())
    }

    async fn unmark(&self, region: &Region, filled: &[FilledPool]) -> Result<(), StoreError> {
        let work = &mut self.lock().work;
        for of in filled {
            work.marks.remove(&(region.clone(), of.pool.clone(), of.job.clone()));
        }
        Ok(())
    }

    async fn put_run(&self, run: &ReadRun) -> Result<(), StoreError> {
        self.lock().work.runs.insert(run.at, run.clone());
        Ok(())
    }

    async fn runs(&self, since: Timestamp, now: Timestamp, limit: usize) -> Result<Vec<ReadRun>, StoreError> {
        if since > now {
            return Ok(Vec::new());
        }
        Ok(self.lock().work.runs.range(since..=now).rev().map(|(_, run)| run.clone()).take(limit).collect())
    }
}
