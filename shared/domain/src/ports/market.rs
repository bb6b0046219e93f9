//! The market: where it is read, and where what was read is kept.

use super::StoreError;
use super::cloud::SpotPrice;
use crate::ids::{InstanceType, Region};
use crate::market::{Advice, Part, PriceSeries, Quote, Refreshed};
use crate::offering::Pool;
use async_trait::async_trait;
use jiff::Timestamp;

/// Why the market was not read. What was known before stays, and grows older.
#[derive(Debug, thiserror::Error)]
pub enum SourceError {
    /// No answer, or one that broke off. The next run tries again.
    #[error("the market did not answer: {0}")]
    Unreachable(String),
    /// Too many calls. The next run tries again.
    #[error("the market throttles us")]
    Throttled,
    /// A retry will not help: rights, or an address that is gone. Somebody should look.
    #[error("the market refused: {0}")]
    Refused(String),
    /// The answer is longer than was allowed, and was not read to its end.
    #[error("the answer has more than {0} bytes")]
    TooLong(usize),
}

/// The Spot Advisor's file as it was fetched: bytes from outside, not yet believed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AdvisorFile {
    /// The file.
    pub bytes: Vec<u8>,
    /// What the server calls this version (its ETag). It is sent back next time, and an equal one is not fetched again.
    pub version: String,
    /// The date that the server gives it.
    pub as_of: Timestamp,
}

/// Where the market is read. It changes nothing, so every call may be repeated.
#[async_trait]
pub trait MarketSource: Send + Sync {
    /// Linux spot prices of a Region: every change since then, and for each pool the price that held then. Any order. No types:
    /// all of them.
    async fn spot_prices(&self, region: &Region, types: &[InstanceType], since: Timestamp) -> Result<Vec<SpotPrice>, SourceError>;
    /// The Spot Advisor's file; `None` where it is still the version that is `known`. At most `bytes_max` are read.
    async fn advisor(&self, known: Option<&str>, bytes_max: usize) -> Result<Option<AdvisorFile>, SourceError>;
    /// The documents of the Price List for the instances of a Region, one per product, as text. They are not yet believed either.
    async fn on_demand(&self, region: &Region) -> Result<Vec<String>, SourceError>;
}

/// Where what was read is kept: the decision server's table. Nothing in it is a customer's.
///
/// # Guarantees
/// Every call may be repeated. A write replaces what it names and leaves the rest.
///
/// # Assumptions
/// One worker refreshes a Region at a time. Two do no harm: they write what the market said to either.
#[async_trait]
pub trait MarketStore: Send + Sync {
    /// The price series of these pools of a Region. Pools that nobody has read are absent.
    async fn spot_series(&self, region: &Region, pools: &[Pool]) -> Result<Vec<(Pool, PriceSeries)>, StoreError>;
    /// Writes the series of some pools.
    async fn put_spot_series(&self, region: &Region, series: &[(Pool, PriceSeries)]) -> Result<(), StoreError>;
    /// On-demand prices that are fresher than the embedded ones.
    async fn on_demand(&self, region: &Region) -> Result<Vec<(InstanceType, Quote)>, StoreError>;
    /// Writes on-demand prices.
    async fn put_on_demand(&self, region: &Region, prices: &[(InstanceType, Quote)]) -> Result<(), StoreError>;
    /// What the Spot Advisor last said of a Region.
    async fn advice(&self, region: &Region) -> Result<Vec<(InstanceType, Advice)>, StoreError>;
    /// Replaces it.
    async fn put_advice(&self, region: &Region, advice: &[(InstanceType, Advice)]) -> Result<(), StoreError>;
    /// The version of the Spot Advisor's file that is kept.
    async fn advisor_version(&self) -> Result<Option<String>, StoreError>;
    /// Writes it. Last, after the advice of every Region: a run that dies in between fetches the file again.
    async fn put_advisor_version(&self, version: &str) -> Result<(), StoreError>;
    /// When the parts of a Region were last read.
    async fn refreshed(&self, region: &Region) -> Result<Refreshed, StoreError>;
    /// Writes that a part was read. An older time does not replace a newer one.
    async fn put_refreshed(&self, region: &Region, part: Part, at: Timestamp) -> Result<(), StoreError>;
}
