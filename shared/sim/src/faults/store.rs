//! Faulty twins of the store's ports.

use super::{Gate, Kind};
use async_trait::async_trait;
use domain::Timestamp;
use domain::audit::AuditRow;
use domain::ids::{AccountId, ClusterId, CustomerId, InstanceKey, Region};
use domain::node::NodeRecord;
use domain::offering::Pool;
use domain::operation::Operation;
use domain::plan::{PlanKey, PlanRecord};
use domain::ports::registry::Page;
use domain::ports::{Change, ClusterName, Journal, NewPlan, Opened, Pools, Registry, Routes, StoreError};
use domain::spot_event::SpotEvent;
use domain::tenant::{ApiKey, Cluster, Customer, Halt};
use std::sync::Arc;

pub(super) fn store(kind: Kind) -> StoreError {
    match kind {
        Kind::Unavailable => StoreError::Ambiguous("injected".to_owned()),
        Kind::Throttled => StoreError::Throttled,
        Kind::Denied => StoreError::Refused("injected".to_owned()),
    }
}

/// A Journal behind the gate.
pub struct FaultyJournal {
    inner: Arc<dyn Journal>,
    gate: Arc<Gate>,
}

impl FaultyJournal {
    /// Puts a Journal behind the gate.
    pub fn new(inner: Arc<dyn Journal>, gate: Arc<Gate>) -> Arc<Self> {
        Arc::new(Self { inner, gate })
    }
}

#[async_trait]
impl Journal for FaultyJournal {
    async fn open(&self, new: &NewPlan) -> Result<Opened, StoreError> {
        self.gate.pass("journal.open", self.inner.open(new), store).await
    }
    async fn load(&self, key: &PlanKey) -> Result<Option<PlanRecord>, StoreError> {
        self.gate.pass("journal.load", self.inner.load(key), store).await
    }
    async fn record(&self, key: &PlanKey, change: &Change) -> Result<(), StoreError> {
        self.gate.pass("journal.record", self.inner.record(key, change), store).await
    }
    async fn due(&self, now: Timestamp, limit: usize) -> Result<Vec<PlanKey>, StoreError> {
        self.gate.pass("journal.due", self.inner.due(now, limit), store).await
    }
    async fn open_plans(&self, customer: &CustomerId, cluster: &ClusterId) -> Result<Vec<PlanRecord>, StoreError> {
        self.gate.pass("journal.open_plans", self.inner.open_plans(customer, cluster), store).await
    }
    async fn audit(&self, key: &PlanKey) -> Result<Vec<AuditRow>, StoreError> {
        self.gate.pass("journal.audit", self.inner.audit(key), store).await
    }
    async fn put_spot_event(&self, event: &SpotEvent) -> Result<(), StoreError> {
        self.gate.pass("journal.put_spot_event", self.inner.put_spot_event(event), store).await
    }
    async fn spot_events(&self, customer: &CustomerId, before: Option<Timestamp>, limit: usize) -> Result<Vec<SpotEvent>, StoreError> {
        self.gate.pass("journal.spot_events", self.inner.spot_events(customer, before, limit), store).await
    }
    async fn operation(&self, customer: &CustomerId, id: &str) -> Result<Option<Operation>, StoreError> {
        self.gate.pass("journal.operation", self.inner.operation(customer, id), store).await
    }
}

/// A Registry behind the gate.
pub struct FaultyRegistry {
    inner: Arc<dyn Registry>,
    gate: Arc<Gate>,
}

impl FaultyRegistry {
    /// Puts a Registry behind the gate.
    pub fn new(inner: Arc<dyn Registry>, gate: Arc<Gate>) -> Arc<Self> {
        Arc::new(Self { inner, gate })
    }
}

#[async_trait]
impl Registry for FaultyRegistry {
    async fn put_customer(&self, customer: &Customer) -> Result<(), StoreError> {
        self.gate.pass("registry.put_customer", self.inner.put_customer(customer), store).await
    }
    async fn change_customer(&self, customer: &Customer, expected: u64) -> Result<(), StoreError> {
        self.gate.pass("registry.change_customer", self.inner.change_customer(customer, expected), store).await
    }
    async fn customers(&self, after: Option<&str>, limit: usize) -> Result<Page<Customer>, StoreError> {
        self.gate.pass("registry.customers", self.inner.customers(after, limit), store).await
    }
    async fn customer(&self, id: &CustomerId) -> Result<Option<Customer>, StoreError> {
        self.gate.pass("registry.customer", self.inner.customer(id), store).await
    }
    async fn put_cluster(&self, cluster: &Cluster, expected: Option<u64>) -> Result<(), StoreError> {
        self.gate.pass("registry.put_cluster", self.inner.put_cluster(cluster, expected), store).await
    }
    async fn cluster(&self, customer: &CustomerId, id: &ClusterId) -> Result<Option<Cluster>, StoreError> {
        self.gate.pass("registry.cluster", self.inner.cluster(customer, id), store).await
    }
    async fn clusters(&self, customer: &CustomerId, after: Option<&str>, limit: usize) -> Result<Page<Cluster>, StoreError> {
        self.gate.pass("registry.clusters", self.inner.clusters(customer, after, limit), store).await
    }
    async fn cluster_names(&self, after: Option<&str>, limit: usize) -> Result<Page<ClusterName>, StoreError> {
        self.gate.pass("registry.cluster_names", self.inner.cluster_names(after, limit), store).await
    }
    async fn named_clusters(&self, names: &[ClusterName]) -> Result<Vec<Cluster>, StoreError> {
        self.gate.pass("registry.named_clusters", self.inner.named_clusters(names), store).await
    }
    async fn delete_cluster(&self, customer: &CustomerId, id: &ClusterId) -> Result<(), StoreError> {
        self.gate.pass("registry.delete_cluster", self.inner.delete_cluster(customer, id), store).await
    }
    async fn put_config(&self, customer: &CustomerId, key: &str, value: &serde_json::Value) -> Result<(), StoreError> {
        self.gate.pass("registry.put_config", self.inner.put_config(customer, key, value), store).await
    }
    async fn swap_config(
        &self,
        customer: &CustomerId,
        key: &str,
        value: &serde_json::Value,
        was: Option<&serde_json::Value>,
    ) -> Result<(), StoreError> {
        self.gate.pass("registry.swap_config", self.inner.swap_config(customer, key, value, was), store).await
    }
    async fn config(&self, customer: &CustomerId, key: &str) -> Result<Option<serde_json::Value>, StoreError> {
        self.gate.pass("registry.config", self.inner.config(customer, key), store).await
    }
    async fn put_api_key(&self, key: &ApiKey) -> Result<(), StoreError> {
        self.gate.pass("registry.put_api_key", self.inner.put_api_key(key), store).await
    }
    async fn api_key(&self, hash: &str) -> Result<Option<ApiKey>, StoreError> {
        self.gate.pass("registry.api_key", self.inner.api_key(hash), store).await
    }
    async fn api_keys(&self, customer: &CustomerId, after: Option<&str>, limit: usize) -> Result<Page<ApiKey>, StoreError> {
        self.gate.pass("registry.api_keys", self.inner.api_keys(customer, after, limit), store).await
    }
    async fn named_key(&self, customer: &CustomerId, id: &str) -> Result<Option<ApiKey>, StoreError> {
        self.gate.pass("registry.named_key", self.inner.named_key(customer, id), store).await
    }
    async fn set_halt(&self, customer: Option<&CustomerId>, cluster: Option<&ClusterId>, reason: Option<&str>) -> Result<(), StoreError> {
        self.gate.pass("registry.set_halt", self.inner.set_halt(customer, cluster, reason), store).await
    }
    async fn halted(&self, customer: &CustomerId, cluster: &ClusterId) -> Result<Option<Halt>, StoreError> {
        self.gate.pass("registry.halted", self.inner.halted(customer, cluster), store).await
    }
}

/// A Routes behind the gate.
pub struct FaultyRoutes {
    inner: Arc<dyn Routes>,
    gate: Arc<Gate>,
}

impl FaultyRoutes {
    /// Puts a Routes behind the gate.
    pub fn new(inner: Arc<dyn Routes>, gate: Arc<Gate>) -> Arc<Self> {
        Arc::new(Self { inner, gate })
    }
}

#[async_trait]
impl Routes for FaultyRoutes {
    async fn route(&self, key: &InstanceKey) -> Result<Option<NodeRecord>, StoreError> {
        self.gate.pass("routes.route", self.inner.route(key), store).await
    }
    async fn clusters_of(&self, account: &AccountId) -> Result<Vec<Cluster>, StoreError> {
        self.gate.pass("routes.clusters_of", self.inner.clusters_of(account), store).await
    }
    async fn put_nodes(&self, customer: &CustomerId, cluster: &ClusterId, nodes: &[NodeRecord]) -> Result<(), StoreError> {
        self.gate.pass("routes.put_nodes", self.inner.put_nodes(customer, cluster, nodes), store).await
    }
    async fn nodes(&self, customer: &CustomerId, cluster: &ClusterId) -> Result<Vec<NodeRecord>, StoreError> {
        self.gate.pass("routes.nodes", self.inner.nodes(customer, cluster), store).await
    }
}

/// A Pools behind the gate.
pub struct FaultyPools {
    inner: Arc<dyn Pools>,
    gate: Arc<Gate>,
}

impl FaultyPools {
    /// Puts a Pools behind the gate.
    pub fn new(inner: Arc<dyn Pools>, gate: Arc<Gate>) -> Arc<Self> {
        Arc::new(Self { inner, gate })
    }
}

#[async_trait]
impl Pools for FaultyPools {
    async fn avoid(&self, account: &AccountId, region: &Region, pool: &Pool, until: Timestamp, why: &str) -> Result<(), StoreError> {
        self.gate.pass("pools.avoid", self.inner.avoid(account, region, pool, until, why), store).await
    }
    async fn avoided(&self, account: &AccountId, region: &Region, now: Timestamp) -> Result<Vec<Pool>, StoreError> {
        self.gate.pass("pools.avoided", self.inner.avoided(account, region, now), store).await
    }
}
