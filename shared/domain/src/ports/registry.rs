//! Customers, clusters, their configuration, keys and stops.

use super::StoreError;
use crate::ids::{ClusterId, CustomerId};
use crate::tenant::{ApiKey, Cluster, Customer, Halt};
use async_trait::async_trait;
use jiff::Timestamp;

/// How many customers are read at once where all are wanted.
const CUSTOMERS_PER_PAGE: usize = 100;
/// How many names one page holds: about 100 bytes each, of the megabyte that a page can be.
const NAMES_PER_PAGE: usize = 1_000;

/// A cluster, and whose it is.
pub type ClusterName = (CustomerId, ClusterId);

/// A page of a list.
#[derive(Debug, Clone)]
pub struct Page<T> {
    /// The items.
    pub items: Vec<T>,
    /// Where the next page begins; `None`: this was the last.
    pub next: Option<String>,
}

/// The registry.
#[async_trait]
pub trait Registry: Send + Sync {
    /// Writes a customer.
    async fn put_customer(&self, customer: &Customer) -> Result<(), StoreError>;
    /// Writes a customer over the version in the table.
    ///
    /// # Errors
    /// [`StoreError::Conflict`] where that is another one, or the customer is not there.
    async fn change_customer(&self, customer: &Customer, expected: u64) -> Result<(), StoreError>;
    /// Customers by id; `after` is the cursor of the page before. For whoever runs the control plane only.
    async fn customers(&self, after: Option<&str>, limit: usize) -> Result<Page<Customer>, StoreError>;
    /// All of them, page after page.
    async fn every_customer(&self) -> Result<Vec<Customer>, StoreError> {
        let (mut all, mut after) = (Vec::new(), None);
        loop {
            let page = self.customers(after.as_deref(), CUSTOMERS_PER_PAGE).await?;
            all.extend(page.items);
            after = page.next;
            if after.is_none() {
                return Ok(all);
            }
        }
    }
    /// Reads a customer.
    async fn customer(&self, id: &CustomerId) -> Result<Option<Customer>, StoreError>;
    /// Writes a cluster. `expected`: the version in the table, `None` where it must not be there yet.
    ///
    /// # Errors
    /// [`StoreError::Conflict`] where that does not hold.
    async fn put_cluster(&self, cluster: &Cluster, expected: Option<u64>) -> Result<(), StoreError>;
    /// Reads a cluster of a customer; another customer's is absent.
    async fn cluster(&self, customer: &CustomerId, id: &ClusterId) -> Result<Option<Cluster>, StoreError>;
    /// Clusters of a customer, by id; `after` is the cursor of the page before.
    async fn clusters(&self, customer: &CustomerId, after: Option<&str>, limit: usize) -> Result<Page<Cluster>, StoreError>;
    /// Where clusters stand, by id over all customers; `after` is the cursor of the page before. What they are is not read, so that it costs
    /// next to nothing. A cluster that was registered a moment ago may be missing. For whoever runs the control plane only.
    async fn cluster_names(&self, after: Option<&str>, limit: usize) -> Result<Page<ClusterName>, StoreError>;
    /// Some clusters by their names, as they were a moment ago at the latest; in no order. Those that are not there are absent.
    async fn named_clusters(&self, names: &[ClusterName]) -> Result<Vec<Cluster>, StoreError>;
    /// Clusters of all customers, by id; `after` is the cursor of the page before. For whoever runs the control plane only.
    async fn all_clusters(&self, after: Option<&str>, limit: usize) -> Result<Page<Cluster>, StoreError> {
        let names = self.cluster_names(after, limit).await?;
        let mut items = self.named_clusters(&names.items).await?;
        items.sort_by(|a, b| (&a.id, &a.customer).cmp(&(&b.id, &b.customer)));
        Ok(Page { items, next: names.next })
    }
    /// The names of all of them, page after page.
    async fn every_cluster_name(&self) -> Result<Vec<ClusterName>, StoreError> {
        let (mut all, mut after) = (Vec::new(), None);
        loop {
            let page = self.cluster_names(after.as_deref(), NAMES_PER_PAGE).await?;
            all.extend(page.items);
            after = page.next;
            if after.is_none() {
                return Ok(all);
            }
        }
    }
    /// All of them, by id.
    async fn every_cluster(&self) -> Result<Vec<Cluster>, StoreError> {
        let mut all = self.named_clusters(&self.every_cluster_name().await?).await?;
        all.sort_by(|a, b| (&a.id, &a.customer).cmp(&(&b.id, &b.customer)));
        Ok(all)
    }
    /// Removes a cluster and its node index. History stays.
    async fn delete_cluster(&self, customer: &CustomerId, id: &ClusterId) -> Result<(), StoreError>;
    /// Writes one configuration value of a customer.
    async fn put_config(&self, customer: &CustomerId, key: &str, value: &serde_json::Value) -> Result<(), StoreError>;
    /// Writes one where it still is what it was when it was read; `None`: where there is none yet.
    ///
    /// # Errors
    /// [`StoreError::Conflict`] where it is something else by now.
    async fn swap_config(
        &self,
        customer: &CustomerId,
        key: &str,
        value: &serde_json::Value,
        was: Option<&serde_json::Value>,
    ) -> Result<(), StoreError>;
    /// Reads one.
    async fn config(&self, customer: &CustomerId, key: &str) -> Result<Option<serde_json::Value>, StoreError>;
    /// Writes an API key, and its place in the list of its customer if it has a name.
    async fn put_api_key(&self, key: &ApiKey) -> Result<(), StoreError>;
    /// API keys of a customer, by id; `after` is the cursor of the page before.
    async fn api_keys(&self, customer: &CustomerId, after: Option<&str>, limit: usize) -> Result<Page<ApiKey>, StoreError>;
    /// One of them by its id.
    async fn named_key(&self, customer: &CustomerId, id: &str) -> Result<Option<ApiKey>, StoreError>;
    /// Finds an API key by the hex SHA-256 of what the caller sent.
    async fn api_key(&self, hash: &str) -> Result<Option<ApiKey>, StoreError>;
    /// Sets or lifts a stop; no cluster means the whole customer, no customer means everything.
    async fn set_halt(&self, customer: Option<&CustomerId>, cluster: Option<&ClusterId>, reason: Option<&str>) -> Result<(), StoreError>;
    /// The widest stop that holds for a cluster now, read consistently.
    async fn halted(&self, customer: &CustomerId, cluster: &ClusterId) -> Result<Option<Halt>, StoreError>;
}

/// What is known of an idempotency key.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum IdempotencyState {
    /// This call owns it now.
    New,
    /// Another call with it is under way.
    InFlight,
    /// It was used for another request.
    Mismatch,
    /// It was used for this request; this was the answer (status, body).
    Done(u16, String),
}

/// Keys that make a repeated POST harmless. Kept for 24 hours.
#[async_trait]
pub trait Idempotency: Send + Sync {
    /// Claims a key for a request with this fingerprint. A claim that is not finished falls free after a minute.
    async fn begin(&self, customer: &CustomerId, key: &str, fingerprint: &str, now: Timestamp) -> Result<IdempotencyState, StoreError>;
    /// Stores the answer.
    async fn finish(&self, customer: &CustomerId, key: &str, status: u16, body: &str, now: Timestamp) -> Result<(), StoreError>;
    /// Lets a claim go whose request failed.
    async fn release(&self, customer: &CustomerId, key: &str) -> Result<(), StoreError>;
}
