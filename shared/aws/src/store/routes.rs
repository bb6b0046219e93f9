//! From an instance to its node.
//!
//! A notice names an account, a Region and an instance, and no customer. So the node stands under its customer, as all else
//! does, and is *indexed* by instance: whoever refreshes a cluster needs rights on its customer's partitions alone, and cannot
//! overwrite what another customer said about the same instance; only the reader of notices may read the index.

use super::item::{self, Item};
use super::keys;
use super::schema::incomplete;
use super::table::{Range, Table};
use async_trait::async_trait;
use aws_sdk_dynamodb::types::{DeleteRequest, PutRequest, WriteRequest};
use domain::ids::{AccountId, ClusterId, CustomerId, InstanceKey};
use domain::node::NodeRecord;
use domain::ports::{Routes, StoreError};
use domain::tenant::Cluster;
use std::collections::BTreeMap;

#[async_trait]
impl Routes for Table {
    async fn route(&self, key: &InstanceKey) -> Result<Option<NodeRecord>, StoreError> {
        let nodes: Vec<NodeRecord> = self.range(Range::index(keys::instance(key)), usize::MAX, item::body).await?;
        // Two clusters name one instance when it has moved between them, or when one is registered twice: the newer look wins.
        Ok(nodes.into_iter().filter(|node| node.key == *key).max_by(|a, b| a.seen_at.cmp(&b.seen_at)))
    }

    async fn clusters_of(&self, account: &AccountId) -> Result<Vec<Cluster>, StoreError> {
        self.range(Range::index(keys::account(account)), usize::MAX, item::body).await
    }

    async fn put_nodes(&self, customer: &CustomerId, cluster: &ClusterId, nodes: &[NodeRecord]) -> Result<(), StoreError> {
        if let Some(foreign) = nodes.iter().find(|node| node.customer != *customer || node.cluster != *cluster) {
            return Err(StoreError::Refused(format!("node {} is not of this cluster", foreign.target.name)));
        }
        // A batch may name an item once.
        let wanted: BTreeMap<String, &NodeRecord> = nodes.iter().map(|node| (keys::node(customer, cluster, &node.key).sk, node)).collect();
        let before = self.known_nodes(customer, cluster).await?;
        let differs = |place: &String, node: &NodeRecord| before.get(place).and_then(Option::as_ref) != Some(node);
        let new = wanted.iter().filter(|(place, node)| differs(place, node));
        let writes = new.map(|(_, node)| put(node_item(node)?)).collect::<Result<_, _>>()?;
        // New ones first: a crash in between leaves too many nodes, never too few.
        self.write_many(writes).await?;
        let stale = before.into_keys().filter(|place| !wanted.contains_key(place));
        let removals = stale.map(|sk| delete(keys::Key { pk: keys::nodes(customer, cluster), sk })).collect::<Result<_, _>>()?;
        self.write_many(removals).await
    }

    async fn nodes(&self, customer: &CustomerId, cluster: &ClusterId) -> Result<Vec<NodeRecord>, StoreError> {
        self.range(Range::lately(keys::nodes(customer, cluster)), usize::MAX, item::body).await
    }
}

impl Table {
    /// A cluster's nodes by sort key; `None`: an item that cannot be read. What was written a moment ago may be missing: it is written once
    /// more, or removed by the next look.
    async fn known_nodes(&self, customer: &CustomerId, cluster: &ClusterId) -> Result<BTreeMap<String, Option<NodeRecord>>, StoreError> {
        let all = Range::lately(keys::nodes(customer, cluster));
        let known = |item: &Item| Ok((item::text(item, keys::SK)?.to_owned(), item::body(item).ok()));
        Ok(self.range(all, usize::MAX, known).await?.into_iter().collect())
    }
}

fn node_item(node: &NodeRecord) -> Result<Item, StoreError> {
    let mut item = item::packed(keys::node(&node.customer, &node.cluster, &node.key), "node", node, &item::ROWS)?;
    item::index(&mut item, keys::instance(&node.key), keys::owner_place(&node.customer, &node.cluster));
    Ok(item)
}

/// A write of one item, for a batch.
pub(super) fn put(item: Item) -> Result<WriteRequest, StoreError> {
    let put = PutRequest::builder().set_item(Some(item)).build().map_err(incomplete)?;
    Ok(WriteRequest::builder().put_request(put).build())
}

/// Removes an item in a batch.
pub(super) fn delete(key: keys::Key) -> Result<WriteRequest, StoreError> {
    let delete = DeleteRequest::builder().set_key(Some(item::key_attributes(key))).build().map_err(incomplete)?;
    Ok(WriteRequest::builder().delete_request(delete).build())
}
