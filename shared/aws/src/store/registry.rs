//! Customers, clusters, their configuration, keys and stops.

use super::errors::Written;
use super::item::{self, Item, n};
use super::keys::{self, Key};
use super::schema::incomplete;
use super::table::{Range, Sort, Table};
use async_trait::async_trait;
use aws_sdk_dynamodb::types::{Delete, Put, TransactWriteItem};
use domain::ids::{ClusterId, CustomerId};
use domain::ports::{ClusterName, Page, Registry, Routes, StoreError};
use domain::tenant::{ApiKey, Cluster, Customer, Halt};
use std::collections::HashSet;

/// The version of a cluster: what the condition compares.
const VERSION: &str = "version";

#[async_trait]
impl Registry for Table {
    async fn put_customer(&self, customer: &Customer) -> Result<(), StoreError> {
        self.put(customer_item(customer)?).await
    }

    async fn change_customer(&self, customer: &Customer, expected: u64) -> Result<(), StoreError> {
        let put = Put::builder()
            .table_name(&self.name)
            .set_item(Some(customer_item(customer)?))
            .condition_expression("#version = :expected")
            .expression_attribute_names("#version", VERSION)
            .expression_attribute_values(":expected", n(expected));
        self.put_on_condition(put.build().map_err(incomplete)?).await
    }

    async fn customers(&self, after: Option<&str>, limit: usize) -> Result<Page<Customer>, StoreError> {
        let range = Range::index(keys::ALL_CUSTOMERS.to_owned()).sort(behind(after));
        let read: Vec<Customer> = self.range(range, limit.max(1).saturating_add(1), item::body).await?;
        Ok(page(read, limit, |last| last.id.to_string()))
    }

    async fn customer(&self, id: &CustomerId) -> Result<Option<Customer>, StoreError> {
        self.get(keys::customer(id)).await?.map(|item| item::body(&item)).transpose()
    }

    async fn put_cluster(&self, cluster: &Cluster, expected: Option<u64>) -> Result<(), StoreError> {
        let put = Put::builder().table_name(&self.name).set_item(Some(cluster_item(cluster)?));
        let put = match expected {
            None => put.condition_expression("attribute_not_exists(pk)"),
            Some(version) => put
                .condition_expression("#version = :expected")
                .expression_attribute_names("#version", VERSION)
                .expression_attribute_values(":expected", n(version)),
        };
        let mut operations = vec![TransactWriteItem::builder().put(put.build().map_err(incomplete)?).build()];
        if expected.is_none() {
            let mut listed = item::key_attributes(keys::listed(&cluster.customer, &cluster.id));
            item::index(&mut listed, keys::ALL_CLUSTERS.to_owned(), keys::listed_place(&cluster.customer, &cluster.id));
            let put = Put::builder().table_name(&self.name).set_item(Some(listed)).build().map_err(incomplete)?;
            operations.push(TransactWriteItem::builder().put(put).build());
        }
        match self.transact(operations).await? {
            Written::Yes => Ok(()),
            Written::Lost(_) | Written::Busy => Err(StoreError::Conflict),
        }
    }

    async fn cluster(&self, customer: &CustomerId, id: &ClusterId) -> Result<Option<Cluster>, StoreError> {
        self.get(keys::cluster(customer, id)).await?.map(|item| item::body(&item)).transpose()
    }

    async fn clusters(&self, customer: &CustomerId, after: Option<&str>, limit: usize) -> Result<Page<Cluster>, StoreError> {
        let range = Range::table(keys::clusters(customer)).sort(behind(after));
        // One more than is asked for says whether there is a next page.
        let read: Vec<Cluster> = self.range(range, limit.max(1).saturating_add(1), item::body).await?;
        Ok(page(read, limit, |last| last.id.to_string()))
    }

    async fn cluster_names(&self, after: Option<&str>, limit: usize) -> Result<Page<ClusterName>, StoreError> {
        let range = Range::index(keys::ALL_CLUSTERS.to_owned()).sort(behind(after));
        let places = self.range(range, limit.max(1).saturating_add(1), |item| Ok(item::text(item, keys::GSI1SK)?.to_owned())).await?;
        // The list holds names only: the clusters themselves change with every look, their place in the list does not.
        let places = page(places, limit, Clone::clone);
        Ok(Page { items: places.items.iter().filter_map(|place| keys::parse_listed_place(place)).collect(), next: places.next })
    }

    async fn named_clusters(&self, names: &[ClusterName]) -> Result<Vec<Cluster>, StoreError> {
        let wanted: HashSet<Key> = names.iter().map(|(customer, id)| keys::cluster(customer, id)).collect();
        let items = self.get_many_lately(wanted.into_iter().collect()).await?;
        Ok(items.iter().filter_map(readable).collect())
    }

    async fn delete_cluster(&self, customer: &CustomerId, id: &ClusterId) -> Result<(), StoreError> {
        let remove = |key: Key| {
            let delete = Delete::builder().table_name(&self.name).set_key(Some(item::key_attributes(key))).build().map_err(incomplete)?;
            Ok::<_, StoreError>(TransactWriteItem::builder().delete(delete).build())
        };
        let operations = vec![remove(keys::cluster(customer, id))?, remove(keys::listed(customer, id))?];
        match self.transact(operations).await? {
            Written::Yes => {}
            Written::Lost(_) | Written::Busy => return Err(StoreError::Throttled),
        }
        // After the cluster itself: a notice that still finds a node finds no cluster then, and does nothing.
        self.put_nodes(customer, id, &[]).await
    }

    async fn put_config(&self, customer: &CustomerId, key: &str, value: &serde_json::Value) -> Result<(), StoreError> {
        self.put(item::item(keys::config(customer, key), "config", value)?).await
    }

    async fn swap_config(
        &self,
        customer: &CustomerId,
        key: &str,
        value: &serde_json::Value,
        was: Option<&serde_json::Value>,
    ) -> Result<(), StoreError> {
        let put = Put::builder().table_name(&self.name).set_item(Some(item::item(keys::config(customer, key), "config", value)?));
        let put = match was {
            None => put.condition_expression("attribute_not_exists(pk)"),
            // The text is compared: JSON of the same value is written the same way.
            Some(was) => put
                .condition_expression("#body = :was")
                .expression_attribute_names("#body", item::BODY)
                .expression_attribute_values(":was", item::s(item::to_json(was)?)),
        };
        self.put_on_condition(put.build().map_err(incomplete)?).await
    }

    async fn config(&self, customer: &CustomerId, key: &str) -> Result<Option<serde_json::Value>, StoreError> {
        self.get(keys::config(customer, key)).await?.map(|item| item::body(&item)).transpose()
    }

    async fn put_api_key(&self, key: &ApiKey) -> Result<(), StoreError> {
        let by_hash = item::item(keys::api_key(&key.hash), "api-key", key)?;
        if key.id.is_empty() {
            return self.put(by_hash).await;
        }
        let by_name = item::item(keys::named_key(&key.customer, &key.id), "named-key", key)?;
        match self.transact(vec![item::put(&self.name, by_hash)?, item::put(&self.name, by_name)?]).await? {
            Written::Yes => Ok(()),
            Written::Lost(_) | Written::Busy => Err(StoreError::Throttled),
        }
    }

    async fn api_keys(&self, customer: &CustomerId, after: Option<&str>, limit: usize) -> Result<Page<ApiKey>, StoreError> {
        let range = Range::table(keys::api_keys(customer)).sort(behind(after));
        let read: Vec<ApiKey> = self.range(range, limit.max(1).saturating_add(1), item::body).await?;
        Ok(page(read, limit, |last| last.id.clone()))
    }

    async fn named_key(&self, customer: &CustomerId, id: &str) -> Result<Option<ApiKey>, StoreError> {
        self.get(keys::named_key(customer, id)).await?.map(|item| item::body(&item)).transpose()
    }

    async fn api_key(&self, hash: &str) -> Result<Option<ApiKey>, StoreError> {
        self.get(keys::api_key(hash)).await?.map(|item| item::body(&item)).transpose()
    }

    async fn set_halt(&self, customer: Option<&CustomerId>, cluster: Option<&ClusterId>, reason: Option<&str>) -> Result<(), StoreError> {
        let (key, scope) = match (customer, cluster) {
            (None, None) => (keys::halt_everything(), "everything".to_owned()),
            (Some(customer), None) => (keys::halt_customer(customer), format!("customer {customer}")),
            (Some(customer), Some(cluster)) => (keys::halt_cluster(customer, cluster), format!("cluster {cluster}")),
            (None, Some(_)) => return Err(StoreError::Refused("a cluster is stopped together with its customer's name".to_owned())),
        };
        match reason {
            Some(reason) => self.put(item::item(key, "halt", &Halt { scope, reason: reason.to_owned() })?).await,
            None => self.delete(key).await,
        }
    }

    async fn halted(&self, customer: &CustomerId, cluster: &ClusterId) -> Result<Option<Halt>, StoreError> {
        let widest_first = [keys::halt_everything(), keys::halt_customer(customer), keys::halt_cluster(customer, cluster)];
        let items = self.get_many(widest_first.to_vec()).await?;
        let at = |key: &Key| items.iter().find(|item| is_at(item, key));
        // A stop that cannot be read is an error, so the caller does not act.
        widest_first.iter().find_map(at).map(item::body).transpose()
    }
}

impl Table {
    async fn put_on_condition(&self, put: Put) -> Result<(), StoreError> {
        match self.transact(vec![TransactWriteItem::builder().put(put).build()]).await? {
            Written::Yes => Ok(()),
            Written::Lost(_) | Written::Busy => Err(StoreError::Conflict),
        }
    }
}

fn customer_item(customer: &Customer) -> Result<Item, StoreError> {
    let mut item = item::item(keys::customer(&customer.id), "customer", customer)?;
    item.insert(VERSION.to_owned(), n(customer.version));
    item::index(&mut item, keys::ALL_CUSTOMERS.to_owned(), customer.id.to_string());
    Ok(item)
}

fn cluster_item(cluster: &Cluster) -> Result<Item, StoreError> {
    let mut item = item::packed(keys::cluster(&cluster.customer, &cluster.id), "cluster", cluster, &item::ROWS)?;
    item.insert(VERSION.to_owned(), n(cluster.version));
    item::index(&mut item, keys::account(&cluster.account), keys::owner_place(&cluster.customer, &cluster.id));
    Ok(item)
}

fn behind(after: Option<&str>) -> Sort {
    match after {
        // An empty cursor is before everything, and DynamoDB refuses empty keys.
        None | Some("") => Sort::All,
        Some(place) => Sort::After(place.to_owned()),
    }
}

/// The first `limit` of what was read, and where it goes on.
pub(super) fn page<T>(mut read: Vec<T>, limit: usize, cursor: impl Fn(&T) -> String) -> Page<T> {
    let limit = limit.max(1);
    let more = read.len() > limit;
    read.truncate(limit);
    let next = if more { read.last().map(cursor) } else { None };
    Page { items: read, next }
}

fn readable(item: &Item) -> Option<Cluster> {
    item::body(item).inspect_err(|error| tracing::error!(%error, "A cluster cannot be read and is left out of a list")).ok()
}

fn is_at(item: &Item, key: &Key) -> bool {
    let part = |name: &str| item.get(name).and_then(|value| value.as_s().ok());
    part(keys::PK) == Some(&key.pk) && part(keys::SK) == Some(&key.sk)
}
