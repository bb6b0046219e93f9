//! What is remembered of containers: one item each, the figures as bytes.

use super::item;
use super::keys;
use super::routes::put;
use super::table::{Range, Sort, Table};
use async_trait::async_trait;
use aws_sdk_dynamodb::primitives::Blob;
use aws_sdk_dynamodb::types::AttributeValue;
use domain::Timestamp;
use domain::ids::{ClusterId, CustomerId};
use domain::ports::{StoreError, Usages};
use domain::usage::{ContainerRef, SampledRound, Usage};

/// The bytes of [`Usage::encode`].
const USAGE: &str = "usage";
/// How long a container is remembered after its newest sample, in days: longer than the memory at which it was killed.
const KEPT_DAYS: i64 = 40;
/// How long a round is kept, in days: far longer than until it is folded in.
const ROUND_DAYS: i64 = 1;

#[async_trait]
impl Usages for Table {
    async fn usages(&self, customer: &CustomerId, cluster: &ClusterId) -> Result<Vec<(ContainerRef, Usage)>, StoreError> {
        let all = Range::table(keys::usages(customer, cluster));
        self.range(all, usize::MAX, |read| {
            let of: ContainerRef = item::body(read)?;
            let Some(AttributeValue::B(bytes)) = read.get(USAGE) else {
                return Err(item::corrupt(read, "usage is no bytes"));
            };
            let usage = Usage::decode(bytes.as_ref()).map_err(|error| item::corrupt(read, &error.to_string()))?;
            Ok((of, usage))
        })
        .await
    }

    async fn put_usages(&self, customer: &CustomerId, cluster: &ClusterId, items: &[(ContainerRef, Usage)]) -> Result<(), StoreError> {
        let mut writes = Vec::with_capacity(items.len());
        for (of, usage) in items {
            let mut made = item::item(keys::usage(customer, cluster, of), "usage", of)?;
            made.insert(USAGE.to_owned(), AttributeValue::B(Blob::new(usage.encode())));
            let newest = [usage.last_cpu_s, usage.last_memory_s, usage.resized_s].into_iter().flatten().max();
            if let Some(at) = newest.and_then(|newest| domain::Timestamp::from_second(newest).ok()) {
                item::expire(&mut made, item::days_after(at, KEPT_DAYS));
            }
            writes.push(put(made)?);
        }
        self.write_many(writes).await
    }

    async fn put_round(&self, customer: &CustomerId, cluster: &ClusterId, round: &SampledRound) -> Result<(), StoreError> {
        let at = Timestamp::from_second(round.at_s).map_err(|error| StoreError::Refused(error.to_string()))?;
        let mut item = item::packed(keys::round(customer, cluster, at), "round", round, &item::ROWS)?;
        item::expire(&mut item, item::days_after(at, ROUND_DAYS));
        self.put(item).await
    }

    async fn rounds(&self, customer: &CustomerId, cluster: &ClusterId, after: Option<Timestamp>) -> Result<Vec<SampledRound>, StoreError> {
        let range = Range::table(keys::rounds(customer, cluster));
        let range = match after {
            Some(after) => range.sort(Sort::After(keys::round(customer, cluster, after).sk)),
            None => range,
        };
        self.range(range, usize::MAX, item::body).await
    }

    async fn judged_at(&self, customer: &CustomerId, cluster: &ClusterId) -> Result<Option<Timestamp>, StoreError> {
        self.get(keys::judged(customer, cluster)).await?.map(|item| item::body(&item)).transpose()
    }

    async fn put_judged_at(&self, customer: &CustomerId, cluster: &ClusterId, at: Timestamp) -> Result<(), StoreError> {
        self.put(item::item(keys::judged(customer, cluster), "judged", &at)?).await
    }
}
