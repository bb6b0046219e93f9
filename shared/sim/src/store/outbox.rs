//! The outbox in memory.

use super::MemoryStore;
use async_trait::async_trait;
use domain::ids::{CustomerId, TargetId};
use domain::notify::{Delivery, Lane, LaneKey, Sending, Target, Waiting};
use domain::ports::{Outbox, Page, StoreError};
use domain::{SignedDuration, Timestamp};
use std::collections::BTreeMap;

/// For how long a lane remembers what entered it.
const REMEMBERED: SignedDuration = SignedDuration::from_hours(7 * 24);

/// Everything of the outbox.
#[derive(Debug, Default)]
pub(super) struct Out {
    targets: BTreeMap<(CustomerId, TargetId), Target>,
    lanes: BTreeMap<LaneKey, Lane>,
    waiting: BTreeMap<LaneKey, Vec<Waiting>>,
    entered: BTreeMap<(LaneKey, String, u32), Timestamp>,
    log: BTreeMap<LaneKey, BTreeMap<String, Delivery>>,
}

/// Where a waiting notice stands in its lane.
fn order(waiting: &Waiting) -> (Timestamp, Timestamp, &str, u32) {
    (waiting.since, waiting.notice.at, &waiting.notice.id, waiting.replay)
}

fn place(delivery: &Delivery) -> String {
    format!("{:.9}#{}#{}", delivery.at, delivery.waiting.notice.id, delivery.attempt)
}

impl MemoryStore {
    /// How many notices wait, over all lanes: for checkers.
    pub fn notices_waiting(&self) -> usize {
        self.lock().out.waiting.values().map(Vec::len).sum()
    }

    /// When the next lane is due, if any is: for clocks that leap.
    pub fn next_lane_due(&self) -> Option<Timestamp> {
        self.lock().out.lanes.values().filter_map(|lane| lane.due_at).min()
    }
}

#[async_trait]
impl Outbox for MemoryStore {
    async fn targets(&self, customer: &CustomerId) -> Result<Vec<Target>, StoreError> {
        Ok(self.lock().out.targets.values().filter(|target| target.customer == *customer).cloned().collect())
    }

    async fn target(&self, customer: &CustomerId, id: &TargetId) -> Result<Option<Target>, StoreError> {
        Ok(self.lock().out.targets.get(&(customer.clone(), id.clone())).cloned())
    }

    async fn put_target(&self, target: &Target) -> Result<(), StoreError> {
        let targets = &mut self.lock().out.targets;
        let id = (target.customer.clone(), target.id.clone());
        if targets.get(&id).map_or(0, |there| there.version) + 1 != target.version {
            return Err(StoreError::Conflict);
        }
        targets.insert(id, target.clone());
        Ok(())
    }

    async fn delete_target(&self, customer: &CustomerId, id: &TargetId) -> Result<(), StoreError> {
        let out = &mut self.lock().out;
        let lane = LaneKey { customer: customer.clone(), target: id.clone() };
        out.targets.remove(&(customer.clone(), id.clone()));
        out.lanes.remove(&lane);
        out.waiting.remove(&lane);
        out.entered.retain(|(of, _, _), _| *of != lane);
        Ok(())
    }

    async fn accept(&self, lane: &LaneKey, waiting: &Waiting) -> Result<bool, StoreError> {
        let out = &mut self.lock().out;
        let mark = (lane.clone(), waiting.notice.id.clone(), waiting.replay);
        if out.entered.get(&mark).is_some_and(|entered| *entered + REMEMBERED > waiting.since) {
            return Ok(false);
        }
        out.entered.insert(mark, waiting.since);
        let lane = out.waiting.entry(lane.clone()).or_default();
        let at = lane.partition_point(|there| order(there) < order(waiting));
        lane.insert(at, waiting.clone());
        Ok(true)
    }

    async fn lane(&self, lane: &LaneKey) -> Result<Lane, StoreError> {
        Ok(self.lock().out.lanes.get(lane).cloned().unwrap_or(Lane::NEW))
    }

    async fn put_lane(&self, key: &LaneKey, lane: &Lane, delivery: Option<&Delivery>) -> Result<(), StoreError> {
        let out = &mut self.lock().out;
        if out.lanes.get(key).map_or(0, |there| there.version) + 1 != lane.version {
            return Err(StoreError::Conflict);
        }
        out.lanes.insert(key.clone(), lane.clone());
        if let Some(delivery) = delivery {
            if let (Sending::Delivered { .. }, Some(waiting)) = (&delivery.sending, out.waiting.get_mut(key)) {
                waiting.retain(|there| order(there) != order(&delivery.waiting));
            }
            out.log.entry(key.clone()).or_default().insert(place(delivery), delivery.clone());
        }
        Ok(())
    }

    async fn waiting(&self, lane: &LaneKey, limit: usize) -> Result<Vec<Waiting>, StoreError> {
        Ok(self.lock().out.waiting.get(lane).map(|all| all.iter().take(limit).cloned().collect()).unwrap_or_default())
    }

    async fn due_lanes(&self, now: Timestamp, limit: usize) -> Result<Vec<LaneKey>, StoreError> {
        let state = self.lock();
        let due = state.out.lanes.iter().filter_map(|(key, lane)| Some((lane.due_at.filter(|at| *at <= now)?, key)));
        let mut due: Vec<(Timestamp, &LaneKey)> = due.collect();
        due.sort();
        Ok(due.into_iter().take(limit).map(|(_, key)| key.clone()).collect())
    }

    async fn deliveries(&self, lane: &LaneKey, after: Option<&str>, limit: usize) -> Result<Page<Delivery>, StoreError> {
        let state = self.lock();
        let Some(log) = state.out.log.get(lane) else {
            return Ok(Page { items: Vec::new(), next: None });
        };
        let after = after.filter(|after| !after.is_empty());
        let mut items: Vec<Delivery> = log
            .iter()
            .rev()
            .filter(|(place, _)| after.is_none_or(|after| place.as_str() < after))
            .take(limit.max(1) + 1)
            .map(|(_, d)| d.clone())
            .collect();
        let more = items.len() > limit.max(1);
        items.truncate(limit.max(1));
        let next = items.last().filter(|_| more).map(place);
        Ok(Page { items, next })
    }
}
