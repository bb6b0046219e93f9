//! The decision server's table: what the market says, written by the function `market` and read by the decision server; and what became
//! of predictions.

mod fills;
mod keys;
mod models;
mod outcomes;

use super::errors::Written;
use super::item::{self, n, s};
use super::keys::{Key, instant};
use super::routes::put;
use super::schema::incomplete;
use super::table::{Range, Table};
use async_trait::async_trait;
use aws_sdk_dynamodb::types::Update;
use aws_types::SdkConfig;
use domain::Timestamp;
use domain::ids::{InstanceType, Region};
use domain::market::{Advice, Part, PriceSeries, Quote, Refreshed};
use domain::offering::{CapacityType, Pool};
use domain::ports::{MarketStore, StoreError};
use serde::{Deserialize, Serialize};
use std::collections::{BTreeMap, BTreeSet, HashMap};

/// The decision server's table in DynamoDB. Another type than the core's, so that neither is taken for the other. Cheap to
/// clone; clones share the connection.
#[derive(Debug, Clone)]
pub struct DecisionTable(Table);

impl DecisionTable {
    /// The table of this name. Makes no call.
    pub fn new(config: &SdkConfig, table: String) -> DecisionTable {
        DecisionTable(Table::new(config, table))
    }

    /// Writes a body over the one with the version before; version 1 over none.
    async fn put_versioned(&self, key: Key, body: &(impl Serialize + Sync), version: u64) -> Result<(), StoreError> {
        let update = Update::builder().table_name(&self.0.name).set_key(Some(item::key_attributes(key)));
        let update = match version.saturating_sub(1) {
            0 => update.condition_expression("attribute_not_exists(#version)"),
            before => update.condition_expression("#version = :before").expression_attribute_values(":before", n(before)),
        };
        let update = update
            .update_expression("SET #body = :body, #version = :version")
            .expression_attribute_names("#body", item::BODY)
            .expression_attribute_names("#version", VERSION)
            .expression_attribute_values(":body", s(item::to_json(body)?))
            .expression_attribute_values(":version", n(version))
            .build()
            .map_err(incomplete)?;
        match self.0.update(update).await? {
            Written::Yes => Ok(()),
            Written::Lost(_) => Err(StoreError::Conflict),
            Written::Busy => Err(StoreError::Throttled),
        }
    }
}

/// When a part was read, as a text that orders as the instants do.
const AT: &str = "at";
/// The version of what changes against it.
const VERSION: &str = "version";

/// A series with its pool: an item says what it is without its key.
#[derive(Serialize, Deserialize)]
struct PoolPrices {
    pool: Pool,
    series: PriceSeries,
}

/// A price with its type.
#[derive(Serialize, Deserialize)]
struct TypePrice {
    instance_type: InstanceType,
    quote: Quote,
}

#[async_trait]
impl MarketStore for DecisionTable {
    async fn spot_series(&self, region: &Region, pools: &[Pool]) -> Result<Vec<(Pool, PriceSeries)>, StoreError> {
        // A batch may name an item once.
        let wanted: BTreeSet<&Pool> = pools.iter().filter(|pool| pool.capacity == CapacityType::Spot).collect();
        let items = self.0.get_many(wanted.into_iter().map(|pool| keys::spot(region, pool)).collect()).await?;
        let mut series = Vec::with_capacity(items.len());
        for item in &items {
            match item::body::<PoolPrices>(item) {
                Ok(of) => series.push((of.pool, of.series)),
                Err(error) => tracing::error!(%error, "A price series cannot be read and is left out"),
            }
        }
        Ok(series)
    }

    async fn put_spot_series(&self, region: &Region, series: &[(Pool, PriceSeries)]) -> Result<(), StoreError> {
        if let Some((pool, _)) = series.iter().find(|(pool, _)| pool.capacity != CapacityType::Spot) {
            return Err(StoreError::Refused(format!("{pool} has no spot price")));
        }
        let wanted: BTreeMap<&Pool, &PriceSeries> = series.iter().map(|(pool, series)| (pool, series)).collect();
        let item = |(pool, series): (&Pool, &PriceSeries)| {
            let body = PoolPrices { pool: pool.clone(), series: series.clone() };
            put(item::item(keys::spot(region, pool), "spot prices", &body)?)
        };
        self.0.write_many(wanted.into_iter().map(item).collect::<Result<_, _>>()?).await
    }

    async fn on_demand(&self, region: &Region) -> Result<Vec<(InstanceType, Quote)>, StoreError> {
        let all = Range::table(keys::on_demand_prices(region));
        let prices: Vec<TypePrice> = self.0.range(all, usize::MAX, item::body).await?;
        Ok(prices.into_iter().map(|price| (price.instance_type, price.quote)).collect())
    }

    async fn put_on_demand(&self, region: &Region, prices: &[(InstanceType, Quote)]) -> Result<(), StoreError> {
        let wanted: BTreeMap<&InstanceType, Quote> = prices.iter().map(|(name, quote)| (name, *quote)).collect();
        let item = |(name, quote): (&InstanceType, Quote)| {
            let body = TypePrice { instance_type: name.clone(), quote };
            put(item::item(keys::on_demand(region, name), "on-demand price", &body)?)
        };
        self.0.write_many(wanted.into_iter().map(item).collect::<Result<_, _>>()?).await
    }

    async fn advice(&self, region: &Region) -> Result<Vec<(InstanceType, Advice)>, StoreError> {
        let item = self.0.get(keys::advice(region)).await?;
        let advice: Option<BTreeMap<InstanceType, Advice>> = item.as_ref().map(item::body).transpose()?;
        Ok(advice.unwrap_or_default().into_iter().collect())
    }

    async fn put_advice(&self, region: &Region, advice: &[(InstanceType, Advice)]) -> Result<(), StoreError> {
        // One item, so that the old is replaced as a whole: 1,000 types have 0.1 MB, and an item may have four times as much.
        let advice: BTreeMap<&InstanceType, Advice> = advice.iter().map(|(name, advice)| (name, *advice)).collect();
        self.0.put(item::item(keys::advice(region), "advice", &advice)?).await
    }

    async fn advisor_version(&self) -> Result<Option<String>, StoreError> {
        let item = self.0.get(keys::advisor_version()).await?;
        item.as_ref().map(item::body).transpose()
    }

    async fn put_advisor_version(&self, version: &str) -> Result<(), StoreError> {
        self.0.put(item::item(keys::advisor_version(), "advisor version", &version)?).await
    }

    async fn refreshed(&self, region: &Region) -> Result<Refreshed, StoreError> {
        let all = Range::table(keys::reads(region));
        let parse = |item: &HashMap<_, _>| {
            let at = item::text(item, AT)?.parse().map_err(|_| item::corrupt(item, "at is no time"))?;
            Ok((item::body::<Part>(item)?, at))
        };
        let reads: Vec<(Part, Timestamp)> = self.0.range(all, usize::MAX, parse).await?;
        Ok(reads.into_iter().fold(Refreshed::default(), |state, (part, at)| state.with(part, at)))
    }

    async fn put_refreshed(&self, region: &Region, part: Part, at: Timestamp) -> Result<(), StoreError> {
        let update = Update::builder()
            .table_name(&self.0.name)
            .set_key(Some(item::key_attributes(keys::read(region, part))))
            // A slower worker does not turn time back.
            .condition_expression("attribute_not_exists(#at) OR #at < :at")
            .update_expression("SET #body = :body, #at = :at")
            .expression_attribute_names("#body", item::BODY)
            .expression_attribute_names("#at", AT)
            .expression_attribute_values(":body", s(item::to_json(&part)?))
            .expression_attribute_values(":at", s(instant(at)))
            .build()
            .map_err(incomplete)?;
        match self.0.update(update).await? {
            Written::Yes | Written::Lost(_) => Ok(()),
            Written::Busy => Err(StoreError::Throttled),
        }
    }
}
