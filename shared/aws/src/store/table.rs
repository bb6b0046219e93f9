//! The table and the few ways in which it is read and written.

use super::errors::{Written, conditional, store_error, transaction};
use super::item::{Item, key_attributes, s};
use super::keys::{GSI1, GSI1PK, GSI1SK, Key, PK, SK};
use super::schema::incomplete;
use aws_sdk_dynamodb::Client;
use aws_sdk_dynamodb::operation::put_item::PutItemError;
use aws_sdk_dynamodb::operation::update_item::UpdateItemError;
use aws_sdk_dynamodb::types::{KeysAndAttributes, Put, ReturnValuesOnConditionCheckFailure, TransactWriteItem, Update, WriteRequest};
use aws_types::SdkConfig;
use domain::ports::StoreError;
use std::collections::HashMap;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

/// The state of CloudOptim in one DynamoDB table. Cheap to clone; clones share the connection.
#[derive(Debug, Clone)]
pub struct Table {
    pub(super) client: Client,
    pub(super) name: String,
    conditional_writes: Arc<AtomicU64>,
}

/// How many keys one BatchGetItem takes, and how many writes one BatchWriteItem (DynamoDB Developer Guide, quotas).
const GET_BATCH: usize = 100;
const WRITE_BATCH: usize = 25;
/// Which call wrote an item alone: a retry inside the SDK must not lose to its own first try.
const WRITTEN_BY: &str = "written_by";
/// How often what DynamoDB left over of a batch is sent again.
const LEFTOVER_TRIES: u32 = 6;

/// Which part of a partition is read.
pub(super) enum Sort {
    /// All of it.
    All,
    /// Behind this place.
    After(String),
    /// Before this place.
    Before(String),
    /// Places that begin so.
    Prefix(&'static str),
}

/// In which order.
#[derive(Clone, Copy)]
pub(super) enum Order {
    Ascending,
    Descending,
}

/// Where a partition stands.
#[derive(Clone, Copy)]
pub(super) enum From {
    /// In the table: read consistently.
    Table,
    /// In the table, for half the price: what was written a moment ago may be missing.
    TableLately,
    /// In the index: what was written a moment ago may be missing.
    Index,
}

/// A part of a partition.
pub(super) struct Range {
    pub(super) from: From,
    pub(super) partition: String,
    pub(super) sort: Sort,
    pub(super) order: Order,
}

impl Range {
    /// A whole partition of the table.
    pub(super) fn table(partition: String) -> Range {
        Range { from: From::Table, partition, sort: Sort::All, order: Order::Ascending }
    }

    /// A whole partition of the table, where a moment ago is as good as now.
    pub(super) fn lately(partition: String) -> Range {
        Range { from: From::TableLately, ..Range::table(partition) }
    }

    /// A whole partition of the index.
    pub(super) fn index(partition: String) -> Range {
        Range { from: From::Index, partition, sort: Sort::All, order: Order::Ascending }
    }

    pub(super) fn sort(self, sort: Sort) -> Range {
        Range { sort, ..self }
    }

    pub(super) fn descending(self) -> Range {
        Range { order: Order::Descending, ..self }
    }
}

impl Table {
    /// The table of this name. Makes no call.
    pub fn new(config: &SdkConfig, table: String) -> Table {
        Table { client: Client::new(config), name: table, conditional_writes: Arc::default() }
    }

    /// How many conditional writes of plans were tried: the price of the journal, checked by the tests.
    pub fn conditional_writes(&self) -> u64 {
        self.conditional_writes.load(Ordering::Relaxed)
    }

    /// Reads one item, consistently.
    pub(super) async fn get(&self, key: Key) -> Result<Option<Item>, StoreError> {
        let answer = self.client.get_item().table_name(&self.name).set_key(Some(key_attributes(key))).consistent_read(true).send().await;
        Ok(answer.map_err(|e| store_error(&e))?.item)
    }

    /// Writes one item, whatever is there.
    pub(super) async fn put(&self, item: Item) -> Result<(), StoreError> {
        let answer = self.client.put_item().table_name(&self.name).set_item(Some(item)).send().await;
        answer.map(|_| ()).map_err(|e| store_error(&e))
    }

    /// Removes one item, if it is there.
    pub(super) async fn delete(&self, key: Key) -> Result<(), StoreError> {
        let answer = self.client.delete_item().table_name(&self.name).set_key(Some(key_attributes(key))).send().await;
        answer.map(|_| ()).map_err(|e| store_error(&e))
    }

    /// Writes a plan and what belongs to it, all or nothing. The first operation carries the condition.
    pub(super) async fn write_plan(&self, operations: Vec<TransactWriteItem>) -> Result<Written, StoreError> {
        self.conditional_writes.fetch_add(1, Ordering::Relaxed);
        // One update alone: here and not in `transact`, for whoever writes no plan has no right to update.
        if let [TransactWriteItem { update: Some(update), .. }] = operations.as_slice() {
            return self.update(update.clone()).await;
        }
        self.transact(operations).await
    }

    /// All of the operations, or none. The SDK gives a transaction a token, so that its own retries write once; one put alone is given its
    /// token here, for a transaction costs twice as much.
    pub(super) async fn transact(&self, operations: Vec<TransactWriteItem>) -> Result<Written, StoreError> {
        if let [TransactWriteItem { put: Some(put), .. }] = operations.as_slice() {
            return self.put_alone(put.clone()).await;
        }
        match self.client.transact_write_items().set_transact_items(Some(operations)).send().await {
            Ok(_) => Ok(Written::Yes),
            Err(error) => transaction(error),
        }
    }

    /// One conditional put. A retry inside the SDK, after an answer that was lost, meets what it has written itself: that is no loss.
    pub(super) async fn put_alone(&self, put: Put) -> Result<Written, StoreError> {
        let token = s(format!("{:016x}", fastrand::u64(..)));
        let mut item = put.item;
        item.insert(WRITTEN_BY.to_owned(), token.clone());
        let answer = self
            .client
            .put_item()
            .table_name(put.table_name)
            .set_item(Some(item))
            .set_condition_expression(put.condition_expression)
            .set_expression_attribute_names(put.expression_attribute_names)
            .set_expression_attribute_values(put.expression_attribute_values)
            .return_values_on_condition_check_failure(ReturnValuesOnConditionCheckFailure::AllOld)
            .send()
            .await;
        let there = |error| if let PutItemError::ConditionalCheckFailedException(lost) = error { lost.item } else { None };
        let written = conditional(answer, there)?;
        let ours = matches!(&written, Written::Lost(Some(item)) if item.get(WRITTEN_BY) == Some(&token));
        Ok(if ours { Written::Yes } else { written })
    }

    /// One conditional update.
    pub(super) async fn update(&self, update: Update) -> Result<Written, StoreError> {
        let answer = self
            .client
            .update_item()
            .table_name(update.table_name)
            .set_key(Some(update.key))
            .update_expression(update.update_expression)
            .set_condition_expression(update.condition_expression)
            .set_expression_attribute_names(update.expression_attribute_names)
            .set_expression_attribute_values(update.expression_attribute_values)
            .set_return_values_on_condition_check_failure(update.return_values_on_condition_check_failure)
            .send()
            .await;
        conditional(answer, |error| if let UpdateItemError::ConditionalCheckFailedException(lost) = error { lost.item } else { None })
    }

    /// Reads a part of a partition, until there is no more of it or `limit` items could be read. An item that cannot be read is
    /// told and left out: one bad item must not hide the others.
    pub(super) async fn range<T>(
        &self,
        range: Range,
        limit: usize,
        parse: impl Fn(&Item) -> Result<T, StoreError> + Send,
    ) -> Result<Vec<T>, StoreError>
    where
        T: Send,
    {
        let (pk, sk, index, consistent) = match range.from {
            From::Table => (PK, SK, None, true),
            From::TableLately => (PK, SK, None, false),
            From::Index => (GSI1PK, GSI1SK, Some(GSI1.to_owned()), false),
        };
        let (sort, place) = match range.sort {
            Sort::All => ("", None),
            Sort::After(place) => (" AND #sk > :sk", Some(place)),
            Sort::Before(place) => (" AND #sk < :sk", Some(place)),
            Sort::Prefix(place) => (" AND begins_with(#sk, :sk)", Some(place.to_owned())),
        };
        let mut query = self
            .client
            .query()
            .table_name(&self.name)
            .consistent_read(consistent)
            .set_index_name(index)
            .key_condition_expression(format!("#pk = :pk{sort}"))
            .expression_attribute_names("#pk", pk)
            .expression_attribute_values(":pk", s(range.partition))
            .scan_index_forward(matches!(range.order, Order::Ascending));
        if let Some(place) = place {
            query = query.expression_attribute_names("#sk", sk).expression_attribute_values(":sk", s(place));
        }
        let mut read = Vec::new();
        let mut start = None;
        loop {
            // Asking for no more than is wanted saves read units; 1,000 is about one page of 1 MB of our items.
            let wanted = i32::try_from(limit.saturating_sub(read.len()).clamp(1, 1_000)).unwrap_or(1_000);
            let page = query.clone().limit(wanted).set_exclusive_start_key(start.take()).send().await.map_err(|e| store_error(&e))?;
            for item in page.items.unwrap_or_default() {
                match parse(&item) {
                    Ok(value) if read.len() < limit => read.push(value),
                    Ok(_) => {}
                    Err(error) => tracing::error!(%error, "An item in a list cannot be read and is left out"),
                }
            }
            start = page.last_evaluated_key;
            if start.is_none() || read.len() >= limit {
                return Ok(read);
            }
        }
    }

    /// Reads many items, consistently, in no order. Those that are not there are absent.
    pub(super) async fn get_many(&self, keys: Vec<Key>) -> Result<Vec<Item>, StoreError> {
        self.batches(keys, true).await
    }

    /// The same for half the price, where a moment ago is as good as now.
    pub(super) async fn get_many_lately(&self, keys: Vec<Key>) -> Result<Vec<Item>, StoreError> {
        self.batches(keys, false).await
    }

    async fn batches(&self, keys: Vec<Key>, consistent: bool) -> Result<Vec<Item>, StoreError> {
        let mut items = Vec::with_capacity(keys.len());
        for chunk in keys.chunks(GET_BATCH) {
            let wanted = chunk.iter().cloned().map(key_attributes).collect();
            let wanted = KeysAndAttributes::builder().set_keys(Some(wanted)).consistent_read(consistent).build().map_err(incomplete)?;
            let mut left = HashMap::from([(self.name.clone(), wanted)]);
            for round in 0..=LEFTOVER_TRIES {
                pause(round).await;
                let answer = self.client.batch_get_item().set_request_items(Some(left)).send().await.map_err(|e| store_error(&e))?;
                items.extend(answer.responses.unwrap_or_default().into_values().flatten());
                left = answer.unprocessed_keys.unwrap_or_default();
                if left.is_empty() {
                    break;
                }
            }
            if !left.is_empty() {
                return Err(StoreError::Throttled);
            }
        }
        Ok(items)
    }

    /// Writes and removes many items, in no order and not atomically. All calls may be repeated.
    pub(super) async fn write_many(&self, requests: Vec<WriteRequest>) -> Result<(), StoreError> {
        use futures::stream::{self, StreamExt, TryStreamExt};
        let batches: Vec<Vec<WriteRequest>> = requests.chunks(WRITE_BATCH).map(<[WriteRequest]>::to_vec).collect();
        // 5,000 nodes are 200 batches: eight at a time keep a refresh within two seconds and below the limits of a partition.
        stream::iter(batches).map(|batch| self.write_batch(batch)).buffer_unordered(8).try_collect::<()>().await
    }

    async fn write_batch(&self, batch: Vec<WriteRequest>) -> Result<(), StoreError> {
        let mut left = HashMap::from([(self.name.clone(), batch)]);
        for round in 0..=LEFTOVER_TRIES {
            pause(round).await;
            let answer = self.client.batch_write_item().set_request_items(Some(left)).send().await.map_err(|e| store_error(&e))?;
            left = answer.unprocessed_items.unwrap_or_default();
            if left.is_empty() {
                return Ok(());
            }
        }
        Err(StoreError::Throttled)
    }
}

/// Waits before a leftover is sent again: 25 ms, doubling, 1.6 s in all. The first round does not wait.
#[expect(clippy::disallowed_methods, reason = "DynamoDB asks for a pause before leftovers; the SDK does not retry them")]
async fn pause(round: u32) {
    if round > 0 {
        tokio::time::sleep(Duration::from_millis(25 << (round - 1))).await;
    }
}
