//! The table, the queues and the key service in memory: the same semantics as the real adapters, which the contract suite
//! shows, and fast enough for 100,000 worlds.

use crate::checkers::growth::taken_back;
use async_trait::async_trait;
use domain::Timestamp;
use domain::audit::{AuditRow, Request};
use domain::ids::{AccountId, ClusterId, CustomerId, InstanceKey, Region};
use domain::node::NodeRecord;
use domain::offering::Pool;
use domain::office_hours::Asleep;
use domain::operation::Operation;
use domain::plan::{PlanKey, PlanRecord};
use domain::ports::{Change, Journal, NewPlan, Opened, Pools, Routes, StoreError};
use domain::spot_event::SpotEvent;
use domain::tenant::{ApiKey, Cluster, Customer};
use domain::workload::ScaleRef;
use std::collections::BTreeMap;
use std::sync::{Mutex, MutexGuard, PoisonError};

mod findings;
mod idempotency;
mod market;
mod nights;
mod notices;
mod objects;
mod optimizations;
mod outbox;
mod queue;
mod registry;
mod trail;
mod trust;
mod usages;
mod vault;

pub use market::MemoryMarket;
pub use notices::MemoryNotices;
pub use objects::{MemoryObjects, Names, door};
pub use queue::{MemoryQueue, QueuedMessage, Which};
pub use trust::MemoryTrust;
pub use vault::MemoryVault;

/// The table.
#[derive(Default)]
pub struct MemoryStore {
    state: Mutex<State>,
}

#[derive(Default)]
struct State {
    customers: BTreeMap<CustomerId, Customer>,
    clusters: BTreeMap<(CustomerId, ClusterId), Cluster>,
    config: BTreeMap<(CustomerId, String), serde_json::Value>,
    keys: BTreeMap<String, ApiKey>,
    halts: BTreeMap<(Option<CustomerId>, Option<ClusterId>), String>,
    /// One entry per cluster that names the instance: more than one when it has moved, or is registered twice.
    nodes: BTreeMap<InstanceKey, Vec<NodeRecord>>,
    plans: BTreeMap<PlanKey, PlanRecord>,
    audit: BTreeMap<PlanKey, BTreeMap<String, AuditRow>>,
    spot_events: BTreeMap<(CustomerId, String), SpotEvent>,
    operations: BTreeMap<(CustomerId, String), Operation>,
    avoided: BTreeMap<(AccountId, Region), Vec<(Pool, Timestamp)>>,
    idempotency: BTreeMap<(CustomerId, String), idempotency::Claim>,
    requests: BTreeMap<(CustomerId, String), Request>,
    used: BTreeMap<(CustomerId, String, Timestamp), u64>,
    asleep: BTreeMap<(CustomerId, ClusterId, ScaleRef), Asleep>,
    conditional_writes: u64,
    taken_back: Vec<String>,
    kept: optimizations::Kept,
    found: findings::Found,
    usages: usages::Used,
    out: outbox::Out,
    watchbooks: findings::Books,
}

impl MemoryStore {
    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// How many conditional writes of plans there were: the bar for the cost of state.
    pub fn conditional_writes(&self) -> u64 {
        self.lock().conditional_writes
    }

    /// What writes of plans have taken back of earlier ones, each in a sentence: lost updates, which nothing may lead to.
    pub fn taken_back(&self) -> Vec<String> {
        self.lock().taken_back.clone()
    }

    /// All plans, for checkers.
    pub fn plans(&self) -> Vec<PlanRecord> {
        self.lock().plans.values().cloned().collect()
    }

    /// Shows every plan, without a copy: for checkers that look after every turn.
    pub fn visit_plans(&self, mut visit: impl FnMut(&PlanRecord)) {
        self.lock().plans.values().for_each(&mut visit);
    }

    /// Puts a plan in the place of one of its key, as if another version had written it.
    pub fn replace_plan(&self, record: PlanRecord) {
        self.lock().plans.insert(record.plan.key.clone(), record);
    }

    /// All spot events, for checkers.
    pub fn all_spot_events(&self) -> Vec<SpotEvent> {
        self.lock().spot_events.values().cloned().collect()
    }

    /// All audit rows, for checkers.
    pub fn audit_rows(&self) -> Vec<AuditRow> {
        self.lock().audit.values().flat_map(|rows| rows.values().cloned()).collect()
    }
}

impl State {
    fn put_audit(&mut self, key: &PlanKey, rows: &[AuditRow]) {
        let kept = self.audit.entry(key.clone()).or_default();
        for row in rows {
            kept.insert(row.id.clone(), row.clone());
        }
    }

    fn put_event(&mut self, event: Option<&SpotEvent>) {
        if let Some(event) = event {
            self.spot_events.insert((event.customer.clone(), event.event_id.clone()), event.clone());
        }
    }
}

impl State {
    fn forget_nodes(&mut self, customer: &CustomerId, cluster: &ClusterId) {
        self.nodes.retain(|_, known| {
            known.retain(|n| n.customer != *customer || n.cluster != *cluster);
            !known.is_empty()
        });
    }
}

/// Nothing of one customer is written with a plan of another.
fn ours(key: &PlanKey, event: Option<&SpotEvent>) -> Result<(), StoreError> {
    if event.is_some_and(|event| event.customer != key.customer) {
        return Err(StoreError::Refused("the spot event is another customer's".to_owned()));
    }
    Ok(())
}

#[async_trait]
impl Journal for MemoryStore {
    async fn open(&self, new: &NewPlan) -> Result<Opened, StoreError> {
        ours(&new.plan.key, new.spot_event.as_ref())?;
        let mut state = self.lock();
        state.conditional_writes += 1;
        if let Some(existing) = state.plans.get(&new.plan.key) {
            return Ok(Opened::Exists(Box::new(existing.clone())));
        }
        let record = PlanRecord { plan: new.plan.clone(), progress: new.progress.clone() };
        state.plans.insert(new.plan.key.clone(), record);
        state.put_audit(&new.plan.key, &new.audit);
        state.put_event(new.spot_event.as_ref());
        if let Some(operation) = &new.operation {
            state.operations.insert((new.plan.key.customer.clone(), operation.id.clone()), operation.clone());
        }
        Ok(Opened::Created)
    }

    async fn load(&self, key: &PlanKey) -> Result<Option<PlanRecord>, StoreError> {
        Ok(self.lock().plans.get(key).cloned())
    }

    async fn record(&self, key: &PlanKey, change: &Change) -> Result<(), StoreError> {
        ours(key, change.spot_event.as_ref())?;
        let mut state = self.lock();
        state.conditional_writes += 1;
        let Some(record) = state.plans.get_mut(key).filter(|r| r.progress.version + 1 == change.progress.version) else {
            return Err(StoreError::Conflict);
        };
        let lost = taken_back(&record.progress, &change.progress);
        record.progress = change.progress.clone();
        state.taken_back.extend(lost.map(|law| format!("{key}: {law}")));
        state.put_audit(key, &change.audit);
        state.put_event(change.spot_event.as_ref());
        Ok(())
    }

    async fn due(&self, now: Timestamp, limit: usize) -> Result<Vec<PlanKey>, StoreError> {
        let state = self.lock();
        let mut due: Vec<(Timestamp, PlanKey)> = state
            .plans
            .values()
            .filter(|r| r.progress.outcome.is_none() && r.progress.due_at <= now)
            .map(|r| (r.progress.due_at, r.plan.key.clone()))
            .collect();
        due.sort();
        Ok(due.into_iter().take(limit).map(|(_, key)| key).collect())
    }

    async fn open_plans(&self, customer: &CustomerId, cluster: &ClusterId) -> Result<Vec<PlanRecord>, StoreError> {
        let state = self.lock();
        let open = |r: &&PlanRecord| r.progress.outcome.is_none() && r.plan.key.customer == *customer && r.plan.key.cluster == *cluster;
        Ok(state.plans.values().filter(open).cloned().collect())
    }

    async fn audit(&self, key: &PlanKey) -> Result<Vec<AuditRow>, StoreError> {
        let mut rows: Vec<AuditRow> = self.lock().audit.get(key).map(|rows| rows.values().cloned().collect()).unwrap_or_default();
        rows.sort_by(|a, b| a.opened_at.cmp(&b.opened_at).then_with(|| a.id.cmp(&b.id)));
        Ok(rows)
    }

    async fn put_spot_event(&self, event: &SpotEvent) -> Result<(), StoreError> {
        let mut state = self.lock();
        state.spot_events.entry((event.customer.clone(), event.event_id.clone())).or_insert_with(|| event.clone());
        Ok(())
    }

    async fn spot_events(&self, customer: &CustomerId, before: Option<Timestamp>, limit: usize) -> Result<Vec<SpotEvent>, StoreError> {
        let state = self.lock();
        let mut events: Vec<SpotEvent> =
            state.spot_events.values().filter(|e| e.customer == *customer && before.is_none_or(|b| e.received_at < b)).cloned().collect();
        events.sort_by(|a, b| (b.received_at, &b.event_id).cmp(&(a.received_at, &a.event_id)));
        events.truncate(limit);
        Ok(events)
    }

    async fn operation(&self, customer: &CustomerId, id: &str) -> Result<Option<Operation>, StoreError> {
        Ok(self.lock().operations.get(&(customer.clone(), id.to_owned())).cloned())
    }
}

#[async_trait]
impl Routes for MemoryStore {
    async fn route(&self, key: &InstanceKey) -> Result<Option<NodeRecord>, StoreError> {
        // The newer look wins.
        Ok(self.lock().nodes.get(key).and_then(|known| known.iter().max_by_key(|n| n.seen_at)).cloned())
    }

    async fn clusters_of(&self, account: &AccountId) -> Result<Vec<Cluster>, StoreError> {
        Ok(self.lock().clusters.values().filter(|c| c.account == *account).cloned().collect())
    }

    async fn put_nodes(&self, customer: &CustomerId, cluster: &ClusterId, nodes: &[NodeRecord]) -> Result<(), StoreError> {
        if let Some(foreign) = nodes.iter().find(|n| n.customer != *customer || n.cluster != *cluster) {
            return Err(StoreError::Refused(format!("node {} is not of this cluster", foreign.target.name)));
        }
        let mut state = self.lock();
        state.forget_nodes(customer, cluster);
        for node in nodes {
            let known = state.nodes.entry(node.key.clone()).or_default();
            known.retain(|n| n.customer != *customer || n.cluster != *cluster);
            known.push(node.clone());
        }
        Ok(())
    }

    async fn nodes(&self, customer: &CustomerId, cluster: &ClusterId) -> Result<Vec<NodeRecord>, StoreError> {
        Ok(self.lock().nodes.values().flatten().filter(|n| n.customer == *customer && n.cluster == *cluster).cloned().collect())
    }
}

#[async_trait]
impl Pools for MemoryStore {
    async fn avoid(&self, account: &AccountId, region: &Region, pool: &Pool, until: Timestamp, _why: &str) -> Result<(), StoreError> {
        let mut state = self.lock();
        let avoided = state.avoided.entry((account.clone(), region.clone())).or_default();
        // A shorter memory, from a slower worker, does not cut a longer one.
        let until = avoided.iter().filter(|(other, _)| other == pool).map(|(_, kept)| *kept).fold(until, Timestamp::max);
        avoided.retain(|(other, _)| other != pool);
        avoided.push((pool.clone(), until));
        Ok(())
    }

    async fn avoided(&self, account: &AccountId, region: &Region, now: Timestamp) -> Result<Vec<Pool>, StoreError> {
        let state = self.lock();
        let avoided = state.avoided.get(&(account.clone(), region.clone()));
        let mut pools: Vec<Pool> = avoided.into_iter().flatten().filter(|(_, until)| *until > now).map(|(pool, _)| pool.clone()).collect();
        pools.sort();
        Ok(pools)
    }
}
