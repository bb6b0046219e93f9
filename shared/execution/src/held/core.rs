//! Customers, clusters, plans and the trail of one customer.

use super::Held;
use async_trait::async_trait;
use domain::Timestamp;
use domain::audit::{AuditRow, Request};
use domain::ids::{AccountId, ClusterId, CustomerId, InstanceKey};
use domain::node::NodeRecord;
use domain::operation::Operation;
use domain::plan::{PlanKey, PlanRecord};
use domain::ports::{
    Change, ClusterName, Idempotency, IdempotencyState, Journal, NewPlan, Opened, Page, Registry, Routes, StoreError, Trail,
};
use domain::spot_event::SpotEvent;
use domain::tenant::{ApiKey, Cluster, Customer, Halt};

#[async_trait]
impl Registry for Held<dyn Registry> {
    async fn put_customer(&self, customer: &Customer) -> Result<(), StoreError> {
        self.owns(&customer.id)?;
        self.port.put_customer(customer).await
    }
    async fn change_customer(&self, customer: &Customer, expected: u64) -> Result<(), StoreError> {
        self.owns(&customer.id)?;
        self.port.change_customer(customer, expected).await
    }
    async fn customers(&self, _after: Option<&str>, _limit: usize) -> Result<Page<Customer>, StoreError> {
        Err(self.of_all())
    }
    async fn customer(&self, id: &CustomerId) -> Result<Option<Customer>, StoreError> {
        self.owns(id)?;
        self.port.customer(id).await
    }
    async fn put_cluster(&self, cluster: &Cluster, expected: Option<u64>) -> Result<(), StoreError> {
        self.owns(&cluster.customer)?;
        self.port.put_cluster(cluster, expected).await
    }
    async fn cluster(&self, customer: &CustomerId, id: &ClusterId) -> Result<Option<Cluster>, StoreError> {
        self.owns(customer)?;
        self.port.cluster(customer, id).await
    }
    async fn clusters(&self, customer: &CustomerId, after: Option<&str>, limit: usize) -> Result<Page<Cluster>, StoreError> {
        self.owns(customer)?;
        self.port.clusters(customer, after, limit).await
    }
    async fn cluster_names(&self, _after: Option<&str>, _limit: usize) -> Result<Page<ClusterName>, StoreError> {
        Err(self.of_all())
    }
    async fn named_clusters(&self, names: &[ClusterName]) -> Result<Vec<Cluster>, StoreError> {
        names.iter().try_for_each(|(customer, _)| self.owns(customer))?;
        self.port.named_clusters(names).await
    }
    async fn delete_cluster(&self, customer: &CustomerId, id: &ClusterId) -> Result<(), StoreError> {
        self.owns(customer)?;
        self.port.delete_cluster(customer, id).await
    }
    async fn put_config(&self, customer: &CustomerId, key: &str, value: &serde_json::Value) -> Result<(), StoreError> {
        self.owns(customer)?;
        self.port.put_config(customer, key, value).await
    }
    async fn swap_config(
        &self,
        customer: &CustomerId,
        key: &str,
        value: &serde_json::Value,
        was: Option<&serde_json::Value>,
    ) -> Result<(), StoreError> {
        self.owns(customer)?;
        self.port.swap_config(customer, key, value, was).await
    }
    async fn config(&self, customer: &CustomerId, key: &str) -> Result<Option<serde_json::Value>, StoreError> {
        self.owns(customer)?;
        self.port.config(customer, key).await
    }
    async fn put_api_key(&self, key: &ApiKey) -> Result<(), StoreError> {
        self.owns(&key.customer)?;
        self.port.put_api_key(key).await
    }
    async fn api_keys(&self, customer: &CustomerId, after: Option<&str>, limit: usize) -> Result<Page<ApiKey>, StoreError> {
        self.owns(customer)?;
        self.port.api_keys(customer, after, limit).await
    }
    async fn named_key(&self, customer: &CustomerId, id: &str) -> Result<Option<ApiKey>, StoreError> {
        self.owns(customer)?;
        self.port.named_key(customer, id).await
    }
    async fn api_key(&self, _hash: &str) -> Result<Option<ApiKey>, StoreError> {
        Err(self.of_all())
    }
    async fn set_halt(&self, customer: Option<&CustomerId>, cluster: Option<&ClusterId>, reason: Option<&str>) -> Result<(), StoreError> {
        self.owns(customer.ok_or_else(|| self.of_all())?)?;
        self.port.set_halt(customer, cluster, reason).await
    }
    async fn halted(&self, customer: &CustomerId, cluster: &ClusterId) -> Result<Option<Halt>, StoreError> {
        self.owns(customer)?;
        self.port.halted(customer, cluster).await
    }
}

#[async_trait]
impl Journal for Held<dyn Journal> {
    async fn open(&self, new: &NewPlan) -> Result<Opened, StoreError> {
        self.owns(&new.plan.key.customer)?;
        self.port.open(new).await
    }
    async fn load(&self, key: &PlanKey) -> Result<Option<PlanRecord>, StoreError> {
        self.owns(&key.customer)?;
        self.port.load(key).await
    }
    async fn record(&self, key: &PlanKey, change: &Change) -> Result<(), StoreError> {
        self.owns(&key.customer)?;
        self.port.record(key, change).await
    }
    async fn due(&self, _now: Timestamp, _limit: usize) -> Result<Vec<PlanKey>, StoreError> {
        Err(self.of_all())
    }
    async fn open_plans(&self, customer: &CustomerId, cluster: &ClusterId) -> Result<Vec<PlanRecord>, StoreError> {
        self.owns(customer)?;
        self.port.open_plans(customer, cluster).await
    }
    async fn audit(&self, key: &PlanKey) -> Result<Vec<AuditRow>, StoreError> {
        self.owns(&key.customer)?;
        self.port.audit(key).await
    }
    async fn put_spot_event(&self, event: &SpotEvent) -> Result<(), StoreError> {
        self.owns(&event.customer)?;
        self.port.put_spot_event(event).await
    }
    async fn spot_events(&self, customer: &CustomerId, before: Option<Timestamp>, limit: usize) -> Result<Vec<SpotEvent>, StoreError> {
        self.owns(customer)?;
        self.port.spot_events(customer, before, limit).await
    }
    async fn operation(&self, customer: &CustomerId, id: &str) -> Result<Option<Operation>, StoreError> {
        self.owns(customer)?;
        self.port.operation(customer, id).await
    }
}

#[async_trait]
impl Routes for Held<dyn Routes> {
    async fn route(&self, key: &InstanceKey) -> Result<Option<NodeRecord>, StoreError> {
        // Whose an instance is decides, so what is another's is not there.
        Ok(self.port.route(key).await?.filter(|record| record.customer == self.customer))
    }
    async fn clusters_of(&self, account: &AccountId) -> Result<Vec<Cluster>, StoreError> {
        let mut clusters = self.port.clusters_of(account).await?;
        clusters.retain(|cluster| cluster.customer == self.customer);
        Ok(clusters)
    }
    async fn put_nodes(&self, customer: &CustomerId, cluster: &ClusterId, nodes: &[NodeRecord]) -> Result<(), StoreError> {
        self.owns(customer)?;
        nodes.iter().try_for_each(|node| self.owns(&node.customer))?;
        self.port.put_nodes(customer, cluster, nodes).await
    }
    async fn nodes(&self, customer: &CustomerId, cluster: &ClusterId) -> Result<Vec<NodeRecord>, StoreError> {
        self.owns(customer)?;
        self.port.nodes(customer, cluster).await
    }
}

#[async_trait]
impl Trail for Held<dyn Trail> {
    async fn note(&self, request: &Request) -> Result<(), StoreError> {
        self.owns(&request.customer)?;
        self.port.note(request).await
    }
    async fn requests(&self, customer: &CustomerId, before: Option<&str>, limit: usize) -> Result<Page<Request>, StoreError> {
        self.owns(customer)?;
        self.port.requests(customer, before, limit).await
    }
    async fn actions(&self, customer: &CustomerId, before: Option<&str>, limit: usize) -> Result<Page<AuditRow>, StoreError> {
        self.owns(customer)?;
        self.port.actions(customer, before, limit).await
    }
    async fn plans(&self, customer: &CustomerId, before: Option<&str>, limit: usize) -> Result<Page<PlanRecord>, StoreError> {
        self.owns(customer)?;
        self.port.plans(customer, before, limit).await
    }
    async fn operations(
        &self,
        customer: &CustomerId,
        before: Option<&str>,
        limit: usize,
    ) -> Result<Page<(Operation, PlanRecord)>, StoreError> {
        self.owns(customer)?;
        self.port.operations(customer, before, limit).await
    }
}

#[async_trait]
impl Idempotency for Held<dyn Idempotency> {
    async fn begin(&self, customer: &CustomerId, key: &str, fingerprint: &str, now: Timestamp) -> Result<IdempotencyState, StoreError> {
        self.owns(customer)?;
        self.port.begin(customer, key, fingerprint, now).await
    }
    async fn finish(&self, customer: &CustomerId, key: &str, status: u16, body: &str, now: Timestamp) -> Result<(), StoreError> {
        self.owns(customer)?;
        self.port.finish(customer, key, status, body, now).await
    }
    async fn release(&self, customer: &CustomerId, key: &str) -> Result<(), StoreError> {
        self.owns(customer)?;
        self.port.release(customer, key).await
    }
}
