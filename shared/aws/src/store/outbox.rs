//! Targets, their lanes, and what was sent.

use super::errors::Written;
use super::item;
use super::keys;
use super::optimizations::{versioned, versioned_item, written};
use super::schema::incomplete;
use super::table::{Range, Sort, Table};
use async_trait::async_trait;
use aws_sdk_dynamodb::types::{Delete, DeleteRequest, TransactWriteItem, WriteRequest};
use domain::Timestamp;
use domain::ids::{CustomerId, TargetId};
use domain::notify::{Delivery, Lane, LaneKey, Sending, Target, Waiting};
use domain::ports::{Outbox, Page, StoreError};

/// For how long a lane remembers what entered it, in days: far longer than SQS delivers a message twice.
const REMEMBERED_DAYS: i64 = 7;
/// How long sendings are kept, in days.
const LOG_DAYS: i64 = 30;

#[async_trait]
impl Outbox for Table {
    async fn targets(&self, customer: &CustomerId) -> Result<Vec<Target>, StoreError> {
        self.range(Range::table(keys::targets(customer)), usize::MAX, item::body).await
    }

    async fn target(&self, customer: &CustomerId, id: &TargetId) -> Result<Option<Target>, StoreError> {
        self.get(keys::target(customer, id)).await?.map(|item| item::body(&item)).transpose()
    }

    async fn put_target(&self, target: &Target) -> Result<(), StoreError> {
        let item = versioned_item(keys::target(&target.customer, &target.id), "target", target, target.version)?;
        written(self.transact(vec![versioned(&self.name, item, target.version)?]).await?)
    }

    async fn delete_target(&self, customer: &CustomerId, id: &TargetId) -> Result<(), StoreError> {
        self.delete(keys::target(customer, id)).await?;
        // After the target itself: a worker that still has the lane in hand finds no target then, and sends nothing.
        let lane = keys::lane_partition(&LaneKey { customer: customer.clone(), target: id.clone() });
        let all = Range::table(lane.clone());
        let rows = self.range(all, usize::MAX, |item| Ok(item::text(item, keys::SK)?.to_owned())).await?;
        let requests = rows.into_iter().map(|sk| {
            let key = item::key_attributes(keys::Key { pk: lane.clone(), sk });
            let delete = DeleteRequest::builder().set_key(Some(key)).build().map_err(incomplete)?;
            Ok(WriteRequest::builder().delete_request(delete).build())
        });
        self.write_many(requests.collect::<Result<_, StoreError>>()?).await
    }

    async fn accept(&self, lane: &LaneKey, waiting: &Waiting) -> Result<bool, StoreError> {
        let mut mark = item::key_attributes(keys::entered(lane, waiting));
        item::expire(&mut mark, item::days_after(waiting.since, REMEMBERED_DAYS));
        let operations = vec![
            item::put_if_free(&self.name, mark)?,
            item::put(&self.name, item::item(keys::waiting(lane, waiting), "notice", waiting)?)?,
        ];
        match self.transact(operations).await? {
            Written::Yes => Ok(true),
            Written::Lost(_) => Ok(false),
            // The same notice is entering right now: whoever does it may still fail.
            Written::Busy => Err(StoreError::Throttled),
        }
    }

    async fn lane(&self, lane: &LaneKey) -> Result<Lane, StoreError> {
        Ok(self.get(keys::lane(lane)).await?.map(|item| item::body(&item)).transpose()?.unwrap_or(Lane::NEW))
    }

    async fn put_lane(&self, key: &LaneKey, lane: &Lane, delivery: Option<&Delivery>) -> Result<(), StoreError> {
        let mut first = versioned_item(keys::lane(key), "lane", lane, lane.version)?;
        if let Some(due_at) = lane.due_at {
            item::index(&mut first, keys::DUE_LANES.to_owned(), keys::due_lane_place(due_at, key));
        }
        let mut operations = vec![versioned(&self.name, first, lane.version)?];
        if let Some(delivery) = delivery {
            let mut row = item::item(keys::delivery(key, delivery), "sending", delivery)?;
            item::expire(&mut row, item::days_after(delivery.at, LOG_DAYS));
            operations.push(item::put(&self.name, row)?);
            if matches!(delivery.sending, Sending::Delivered { .. }) {
                let gone = item::key_attributes(keys::waiting(key, &delivery.waiting));
                let delete = Delete::builder().table_name(&self.name).set_key(Some(gone)).build().map_err(incomplete)?;
                operations.push(TransactWriteItem::builder().delete(delete).build());
            }
        }
        written(self.transact(operations).await?)
    }

    async fn waiting(&self, lane: &LaneKey, limit: usize) -> Result<Vec<Waiting>, StoreError> {
        let range = Range::table(keys::lane_partition(lane)).sort(Sort::Prefix(keys::WAITING));
        self.range(range, limit, item::body).await
    }

    async fn due_lanes(&self, now: Timestamp, limit: usize) -> Result<Vec<LaneKey>, StoreError> {
        let range = Range::index(keys::DUE_LANES.to_owned()).sort(Sort::Before(keys::after_instant(now)));
        self.range(range, limit, |item| {
            let place = keys::parse_due_lane_place(item::text(item, keys::GSI1SK)?);
            place.map(|(_, lane)| lane).ok_or_else(|| item::corrupt(item, "it names no lane"))
        })
        .await
    }

    async fn deliveries(&self, lane: &LaneKey, after: Option<&str>, limit: usize) -> Result<Page<Delivery>, StoreError> {
        let sort = match after {
            None | Some("") => Sort::All,
            Some(place) => Sort::Before(place.to_owned()),
        };
        let limit = limit.max(1);
        let range = Range::table(keys::deliveries(lane)).sort(sort).descending();
        // One more than is asked for says whether there is a next page.
        let mut items: Vec<Delivery> = self.range(range, limit.saturating_add(1), item::body).await?;
        let more = items.len() > limit;
        items.truncate(limit);
        let next = items.last().filter(|_| more).map(keys::delivery_place);
        Ok(Page { items, next })
    }
}
