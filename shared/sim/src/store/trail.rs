//! The trail and the counters of use.

use super::MemoryStore;
use async_trait::async_trait;
use domain::Timestamp;
use domain::audit::{AuditRow, Request};
use domain::ids::CustomerId;
use domain::operation::Operation;
use domain::plan::PlanRecord;
use domain::ports::{Page, Quotas, StoreError, Trail};

fn newest<T: Clone>(mut all: Vec<(String, &T)>, before: Option<&str>, limit: usize) -> Page<T> {
    all.sort_by(|a, b| b.0.cmp(&a.0));
    let limit = limit.max(1);
    let mut rest = all.into_iter().filter(|(place, _)| before.is_none_or(|before| place.as_str() < before));
    let kept: Vec<(String, &T)> = rest.by_ref().take(limit).collect();
    let next = rest.next().and_then(|_| kept.last().map(|(place, _)| place.clone()));
    Page { items: kept.into_iter().map(|(_, one)| one.clone()).collect(), next }
}

#[async_trait]
impl Trail for MemoryStore {
    async fn note(&self, request: &Request) -> Result<(), StoreError> {
        let place = format!("{:.9}#{}", request.at, request.id);
        self.lock().requests.insert((request.customer.clone(), place), request.clone());
        Ok(())
    }

    async fn requests(&self, customer: &CustomerId, before: Option<&str>, limit: usize) -> Result<Page<Request>, StoreError> {
        let state = self.lock();
        let own = state.requests.iter().filter(|((owner, _), _)| owner == customer).map(|((_, place), one)| (place.clone(), one));
        Ok(newest(own.collect(), before, limit))
    }

    async fn actions(&self, customer: &CustomerId, before: Option<&str>, limit: usize) -> Result<Page<AuditRow>, StoreError> {
        let state = self.lock();
        let own = state.audit.iter().filter(|(plan, _)| plan.customer == *customer).flat_map(|(_, rows)| rows.values());
        let placed = own.map(|row| (format!("{:.9}#{}#{}", row.opened_at, row.plan, row.id), row)).collect();
        Ok(newest(placed, before, limit))
    }

    async fn plans(&self, customer: &CustomerId, before: Option<&str>, limit: usize) -> Result<Page<PlanRecord>, StoreError> {
        let state = self.lock();
        let own = state.plans.values().filter(|record| record.plan.key.customer == *customer);
        let place = |record: &PlanRecord| {
            let key = &record.plan.key;
            format!("{:.9}#{}#{}", record.plan.created_at, key.cluster, key.plan)
        };
        Ok(newest(own.map(|record| (place(record), record)).collect(), before, limit))
    }

    async fn operations(
        &self,
        customer: &CustomerId,
        before: Option<&str>,
        limit: usize,
    ) -> Result<Page<(Operation, PlanRecord)>, StoreError> {
        let state = self.lock();
        let own = state.operations.iter().filter(|((owner, _), _)| owner == customer);
        let placed = own.map(|(_, operation)| (format!("{:.9}#{}", operation.created_at, operation.id), operation)).collect();
        let Page { items, next } = newest(placed, before, limit);
        let with_plan = |operation: Operation| Some((operation.clone(), state.plans.get(&operation.plan)?.clone()));
        Ok(Page { items: items.into_iter().filter_map(with_plan).collect(), next })
    }
}

#[async_trait]
impl Quotas for MemoryStore {
    async fn take(&self, customer: &CustomerId, key: &str, window: Timestamp, count: u64) -> Result<u64, StoreError> {
        let mut state = self.lock();
        // Like the table, which lets old windows go by their time to live.
        let gone = window - domain::SignedDuration::from_hours(1);
        state.used.retain(|(_, _, window), _| *window > gone);
        let used = state.used.entry((customer.clone(), key.to_owned(), window)).or_default();
        *used += count;
        Ok(*used)
    }
}
