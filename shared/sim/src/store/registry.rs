//! Customers, clusters, configuration, keys and stops.

use super::MemoryStore;
use async_trait::async_trait;
use domain::ids::{ClusterId, CustomerId};
use domain::ports::registry::Page;
use domain::ports::{ClusterName, Registry, StoreError};
use domain::tenant::{ApiKey, Cluster, Customer, Halt};

fn page<'a, T: Clone + 'a>(all: impl Iterator<Item = &'a T>, after: Option<&str>, limit: usize, cursor: fn(&T) -> String) -> Page<T> {
    let limit = limit.max(1);
    let mut items: Vec<T> = all.filter(|c| after.is_none_or(|a| cursor(c).as_str() > a)).take(limit + 1).cloned().collect();
    let more = items.len() > limit;
    items.truncate(limit);
    let next = items.last().filter(|_| more).map(cursor);
    Page { items, next }
}

#[async_trait]
impl Registry for MemoryStore {
    async fn put_customer(&self, customer: &Customer) -> Result<(), StoreError> {
        self.lock().customers.insert(customer.id.clone(), customer.clone());
        Ok(())
    }

    async fn change_customer(&self, customer: &Customer, expected: u64) -> Result<(), StoreError> {
        match self.lock().customers.get_mut(&customer.id).filter(|there| there.version == expected) {
            Some(there) => there.clone_from(customer),
            None => return Err(StoreError::Conflict),
        }
        Ok(())
    }

    async fn customers(&self, after: Option<&str>, limit: usize) -> Result<Page<Customer>, StoreError> {
        Ok(page(self.lock().customers.values(), after, limit, |c| c.id.to_string()))
    }

    async fn customer(&self, id: &CustomerId) -> Result<Option<Customer>, StoreError> {
        Ok(self.lock().customers.get(id).cloned())
    }

    async fn put_cluster(&self, cluster: &Cluster, expected: Option<u64>) -> Result<(), StoreError> {
        let mut state = self.lock();
        let key = (cluster.customer.clone(), cluster.id.clone());
        if state.clusters.get(&key).map(|c| c.version) != expected {
            return Err(StoreError::Conflict);
        }
        state.clusters.insert(key, cluster.clone());
        Ok(())
    }

    async fn cluster(&self, customer: &CustomerId, id: &ClusterId) -> Result<Option<Cluster>, StoreError> {
        Ok(self.lock().clusters.get(&(customer.clone(), id.clone())).cloned())
    }

    async fn clusters(&self, customer: &CustomerId, after: Option<&str>, limit: usize) -> Result<Page<Cluster>, StoreError> {
        let state = self.lock();
        Ok(page(state.clusters.values().filter(|c| c.customer == *customer), after, limit, |c| c.id.to_string()))
    }

    async fn cluster_names(&self, after: Option<&str>, limit: usize) -> Result<Page<ClusterName>, StoreError> {
        let state = self.lock();
        let mut all: Vec<&ClusterName> = state.clusters.keys().collect();
        all.sort_by(|a, b| (&a.1, &a.0).cmp(&(&b.1, &b.0)));
        Ok(page(all.into_iter(), after, limit, |(customer, cluster)| format!("{cluster}#{customer}")))
    }

    async fn named_clusters(&self, names: &[ClusterName]) -> Result<Vec<Cluster>, StoreError> {
        let state = self.lock();
        Ok(names.iter().filter_map(|name| state.clusters.get(name).cloned()).collect())
    }

    async fn delete_cluster(&self, customer: &CustomerId, id: &ClusterId) -> Result<(), StoreError> {
        let mut state = self.lock();
        state.clusters.remove(&(customer.clone(), id.clone()));
        state.forget_nodes(customer, id);
        Ok(())
    }

    async fn put_config(&self, customer: &CustomerId, key: &str, value: &serde_json::Value) -> Result<(), StoreError> {
        self.lock().config.insert((customer.clone(), key.to_owned()), value.clone());
        Ok(())
    }

    async fn swap_config(
        &self,
        customer: &CustomerId,
        key: &str,
        value: &serde_json::Value,
        was: Option<&serde_json::Value>,
    ) -> Result<(), StoreError> {
        let mut state = self.lock();
        let place = (customer.clone(), key.to_owned());
        if state.config.get(&place) != was {
            return Err(StoreError::Conflict);
        }
        state.config.insert(place, value.clone());
        Ok(())
    }

    async fn config(&self, customer: &CustomerId, key: &str) -> Result<Option<serde_json::Value>, StoreError> {
        Ok(self.lock().config.get(&(customer.clone(), key.to_owned())).cloned())
    }

    async fn put_api_key(&self, key: &ApiKey) -> Result<(), StoreError> {
        self.lock().keys.insert(key.hash.clone(), key.clone());
        Ok(())
    }

    async fn api_key(&self, hash: &str) -> Result<Option<ApiKey>, StoreError> {
        Ok(self.lock().keys.get(hash).cloned())
    }

    async fn api_keys(&self, customer: &CustomerId, after: Option<&str>, limit: usize) -> Result<Page<ApiKey>, StoreError> {
        let state = self.lock();
        let mut own: Vec<&ApiKey> = state.keys.values().filter(|key| key.customer == *customer && !key.id.is_empty()).collect();
        own.sort_by(|a, b| a.id.cmp(&b.id));
        Ok(page(own.into_iter(), after, limit, |key| key.id.clone()))
    }

    async fn named_key(&self, customer: &CustomerId, id: &str) -> Result<Option<ApiKey>, StoreError> {
        let named = |key: &&ApiKey| key.customer == *customer && !key.id.is_empty() && key.id == id;
        Ok(self.lock().keys.values().find(named).cloned())
    }

    async fn set_halt(&self, customer: Option<&CustomerId>, cluster: Option<&ClusterId>, reason: Option<&str>) -> Result<(), StoreError> {
        if customer.is_none() && cluster.is_some() {
            return Err(StoreError::Refused("a cluster is stopped together with its customer's name".to_owned()));
        }
        let mut state = self.lock();
        let key = (customer.cloned(), cluster.cloned());
        match reason {
            Some(reason) => state.halts.insert(key, reason.to_owned()),
            None => state.halts.remove(&key),
        };
        Ok(())
    }

    async fn halted(&self, customer: &CustomerId, cluster: &ClusterId) -> Result<Option<Halt>, StoreError> {
        let state = self.lock();
        let scopes = [
            ((None, None), "everything".to_owned()),
            ((Some(customer.clone()), None), format!("customer {customer}")),
            ((Some(customer.clone()), Some(cluster.clone())), format!("cluster {cluster}")),
        ];
        Ok(scopes.into_iter().find_map(|(key, scope)| state.halts.get(&key).map(|reason| Halt { scope, reason: reason.clone() })))
    }
}
